// The status page in a real browser, on a node whose miners find a block every second: what it
// shows, how it follows what happens, and that nothing from outside gets into it as markup.
import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Devchain } from './lib/daemons.mjs';
import { CpuMiner } from './lib/miner.mjs';
import { Node, newPool } from './lib/shoal.mjs';
import { StratumConnection } from './lib/stratum.mjs';
import { addressOf } from './lib/addresses.mjs';
import { TOP, folder, freePort } from './lib/processes.mjs';
import { check, checkEqual, part, script, waitFor } from './lib/checks.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const PAGE_BYTES_MAX = 300000; // with one of each document
const HTML = '<img src=x onerror=alert(1)>';
const HASHRATE = 300000; // of each miner
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// ---- A pool that is looked at

class Cluster {
    async begin() {
        const options = ['--hashrate', '1M', '--spacing', '1', '--data', folder('page-coin')];
        this.daemon = await Devchain.make('page-devchain', options);
        await this.daemon.start();
        const pool = await newPool('page-pool', {
            chain: 'devchain', daemon: this.daemon.url, 'link-spacing': 1, 'half-life': 60,
            'easiest-bits': '1e200000', 'grains-per-link': 10 });
        this.port = await freePort();
        this.node = await Node.make('page-node', pool, [this.daemon.url],
                                    { 'http-listen': `127.0.0.1:${this.port}` });
        await this.node.start();
        this.url = `http://127.0.0.1:${this.port}/`;
    }

    startMiner(name, kind) {
        const { address } = addressOf('devchain', kind, 'shoal page');
        return new CpuMiner(`page-miner-${name}`, this.node.port, [`${address}.${name}`],
                            HASHRATE);
    }

    startMiners() {
        this.startMiner('ana', 'p2wpkh');
        this.startMiner('ben', 'p2tr');
    }
}

// What the server answers, the body as text.
function httpAnswer(port, path, options = {}) {
    return new Promise((done, reject) => {
        const asked = request({ host: '127.0.0.1', port, path, agent: false, ...options });
        asked.on('response', (answer) => {
            let body = '';
            answer.setEncoding('utf8');
            answer.on('data', (data) => { body += data; });
            answer.on('end', () =>
                done({ status: answer.statusCode, headers: answer.headers, body }));
        });
        asked.on('error', reject);
        asked.end();
    });
}

// ---- A page that is watched

class WatchedPage {
    static async open(browser, url, options = {}) {
        const watched = new WatchedPage();
        const { route, ...contextOptions } = options;
        watched.context = await browser.newContext(contextOptions);
        watched.page = await watched.context.newPage();
        watched.problems = []; // what the console says and what broke
        watched.hosts = new Set();
        watched.bytes = new Map(); // path -> size of its first answer
        watched.listen();
        if (route !== undefined)
            await watched.page.route(...route);
        await watched.page.goto(url);
        return watched;
    }

    listen() {
        const { page } = this;
        page.on('console', (message) => {
            if (['error', 'warning'].includes(message.type()))
                this.problems.push(message.text());
        });
        page.on('pageerror', (error) => this.problems.push(error.stack));
        page.on('dialog', (dialog) => {
            this.problems.push(`a dialog: ${dialog.message()}`);
            dialog.dismiss();
        });
        page.on('request', (sent) => this.hosts.add(new URL(sent.url()).host));
        page.on('response', (answer) => this.measure(answer));
    }

    async measure(answer) {
        const path = new URL(answer.url()).pathname;
        if (!this.bytes.has(path))
            this.bytes.set(path, Number(answer.headers()['content-length']));
    }

    text(selector) {
        return this.page.locator(selector).innerText();
    }

    waitForText(selector, wanted, secondsMax) {
        return waitFor(`"${wanted}" in ${selector}`, secondsMax, async () =>
            (await this.text(selector)).includes(wanted));
    }

    // What is wider than the window.
    tooWide() {
        return this.page.evaluate(() => {
            const wide = [...document.querySelectorAll('body *')]
                .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5 &&
                                 one.closest('.id-head, .for-readers, thead, .skip') === null)
                .map((one) => `${one.tagName}.${one.className}`);
            const page = document.documentElement;
            return page.scrollWidth > innerWidth ? [`page ${page.scrollWidth}`, ...wide] : wide;
        });
    }

    async axeFindings() {
        await this.page.evaluate(AXE);
        const { violations } = await this.page.evaluate(() => globalThis.axe.run());
        return violations.map(({ id, impact, nodes }) =>
            `${impact} ${id}: ${nodes.slice(0, 2).map(({ target }) => target).join(' ')}`);
    }

    async judgeQuiet(what) {
        check(`nothing on the console, nothing broken: ${what}`, this.problems.length === 0,
              this.problems.join('; '));
        this.problems.length = 0;
    }
}

// ---- The parts

// The page's modules are for browsers: Node.js would take a .js for CommonJS.
function importModule(name) {
    const source = readFileSync(join(TOP, 'node/web', name), 'utf8');
    return import(`data:text/javascript,${encodeURIComponent(source)}`);
}

async function judgeUnits() {
    const units = await importModule('units.js');
    const plain = (text) => text.replace(/[\u00a0\u202f]/g, ' ');
    const cases = [
        [units.hashrate(0), '0 H/s'], [units.hashrate(1), '1 H/s'],
        [units.hashrate(999.4), '999 H/s'], [units.hashrate(999.6), '1.00 kH/s'],
        [units.hashrate(1234567), '1.23 MH/s'], [units.hashrate(99.96e12), '100 TH/s'],
        [units.amount('5000012345'), '50.00012345 coins'], [units.amount('99999'), '99 999 sats'],
        [units.amount('100000'), '0.00100000 coins'],
        [units.amount('2100000000000001'), '21 000 000.00000001 coins'],
        [units.percent(1), '100.0 %'], [units.percent(0.0123), '1.23 %'],
        [units.percent(0.00001), '0.001 %'],
        [units.ago(0, 5), 'never'], [units.ago(95, 100), '5 s ago'],
        [units.ago(160, 100), 'just now'], [units.duration(59.9), '59 s'],
        [units.duration(3599), '59 min'], [units.duration(7500), '2 h 5 min'],
        [units.duration(90000), '1 d 1 h'], [units.counted(1, 'link'), '1 link'],
        [units.counted(1234, 'link'), '1 234 links'],
        [units.sentence('the disk is full'), 'The disk is full.'],
    ];
    const wrong = cases.filter(([is, wanted]) => plain(is) !== wanted);
    check(`${cases.length} numbers are written as people read them`, wrong.length === 0,
          wrong.map(([is, wanted]) => `${plain(is)}, wanted ${wanted}`).join('; '));
}

async function judgeServer({ port }) {
    const page = await httpAnswer(port, '/');
    checkEqual('the page is served as HTML', page.headers['content-type'],
               'text/html; charset=utf-8');
    const policy = page.headers['content-security-policy'] ?? '';
    check('the policy allows nothing from elsewhere and nothing inline',
          policy.includes("default-src 'none'") && !policy.includes('unsafe') &&
          !/https?:/.test(policy), policy);
    check('the page holds no inline script or style',
          !/<script(?![^>]* src=)|<style| style=| on\w+=/.test(page.body));
    const head = await httpAnswer(port, '/', { method: 'HEAD' });
    check('HEAD gets the headers alone', head.status === 200 && head.body === '' &&
          head.headers['content-length'] === String(Buffer.byteLength(page.body)));
    const missing = await httpAnswer(port, '/api/v1/secrets');
    check('an unknown path is a 404 that says what there is', missing.status === 404 &&
          missing.headers['content-type'] === 'application/problem+json' &&
          JSON.parse(missing.body).detail.includes('/api/v1/'), missing.body);
    checkEqual('POST is refused', (await httpAnswer(port, '/', { method: 'POST' })).status, 405);
    const foreign = await httpAnswer(port, '/api/v1/status', { headers: { host: 'evil.example' } });
    checkEqual('a foreign name that points here is refused', foreign.status, 403);
    checkEqual('/healthz', (await httpAnswer(port, '/healthz')).status, 200);
    checkEqual('/readyz while work is served', (await httpAnswer(port, '/readyz')).status, 200);
}

async function judgeDocuments({ port, node }) {
    for (const name of ['status', 'miners', 'blocks', 'payouts', 'links', 'daemons']) {
        const answer = await httpAnswer(port, `/api/v1/${name}`);
        const document = JSON.parse(answer.body);
        check(`the document ${name} is what the command says`, answer.status === 200 &&
              answer.headers['content-type'] === 'application/json' && document.document === name &&
              hasMembersOf(document, await node.report(name)));
    }
}

// The command joins the pages of a document and leaves out what led from one to the next.
function hasMembersOf(document, told) {
    return Object.keys(told).every((name) => name in document);
}

async function judgeBeginning(watched) {
    await watched.waitForText('#notices', 'six blocks late', 15);
    check('the page says that credits enter payouts six blocks late', true);
    await watched.waitForText('#miners', 'ana', 15);
    await watched.waitForText('#miners', 'ben', 15);
    check('both miners are on the page', true);
    await watched.waitForText('#blocks', 'in the chain', 30);
    check('a block is on the page with its fate', true);
}

async function judgePayouts(watched, node) {
    await waitFor('the notice to go', 60, async () => (await watched.text('#notices')) === '');
    const shown = await waitFor('both to be paid', 20, async () => {
        const rows = await watched.page.locator('#payouts tbody tr').allInnerTexts();
        const arePaid = rows.every((row) => row.includes('in six blocks'));
        return rows.length === 2 && arePaid ? rows : null;
    });
    check('the next block pays both, by name', shown.some((row) => row.includes('ana')) &&
          shown.some((row) => row.includes('ben')), shown.join(' | '));
    const payouts = await node.report('payouts');
    const whole = payouts.next_block.outputs.map(({ address }) => address);
    const ids = await watched.page.locator('#payouts .id').allTextContents();
    check('addresses are there in full', ids.length === 2 && ids.every((id) => whole.includes(id)),
          ids.join(' '));
    const label = await watched.page.locator('.plot').getAttribute('aria-label');
    check('the picture has as many columns as its words say',
          label.includes(`newest ${await watched.page.locator('.column').count()} links`), label);
    const classes = await watched.page.locator('.column').evaluateAll((columns) =>
        columns.map((column) => column.className));
    check('some columns are in what the next block pays, some wait',
          ['is-paid', 'is-waiting'].every((kind) => classes.some((text) => text.includes(kind))),
          classes.join());
}

async function judgeNewMiner(cluster, watched) {
    await watched.page.evaluate(() => { globalThis.isSamePage = true; });
    cluster.startMiner('cho', 'p2pkh');
    const connection = new StratumConnection(cluster.node.port);
    await connection.open();
    await connection.ask('mining.subscribe', [HTML]);
    await connection.ask('mining.authorize',
        [`${addressOf('devchain', 'p2sh', 'shoal page').address}.html`, 'x']);
    await watched.waitForText('#miners', 'cho', 10);
    check('a new miner appears without reload',
          await watched.page.evaluate(() => globalThis.isSamePage === true));
    await watched.waitForText('#miners', HTML, 10);
    check('HTML in a user agent is shown as text',
          await watched.page.locator('#main img').count() === 0);
    connection.close();
    await waitFor('the miner that left to go from the page', 10, async () =>
        !(await watched.text('#miners')).includes('html'));
    check('a miner that leaves goes from the page', true);
}

// Names that the node itself would never let through.
async function judgeHostileNames(browser, url) {
    const route = ['**/api/v1/*', async (routed) => {
        const answer = await routed.fetch();
        const document = await answer.json();
        const hostile = JSON.parse(JSON.stringify(document), (key, value) =>
            (['name', 'worker', 'user', 'address', 'explanation', 'url', 'user_agent', 'device',
              'peer', 'reason', 'version', 'chain'].includes(key) ? HTML : value));
        await routed.fulfill({ response: answer, json: hostile });
    }];
    const watched = await WatchedPage.open(browser, url, { route });
    await watched.waitForText('#miners', HTML, 10);
    await watched.waitForText('h1', HTML, 10);
    check('HTML in any name is shown as text everywhere',
          await watched.page.locator('main img, h1 img, .banners img, .foot img').count() === 0);
    await watched.judgeQuiet('hostile names');
    await watched.context.close();
}

async function judgeKeyboard(watched) {
    const { page } = watched;
    await page.keyboard.press('Tab');
    checkEqual('the first stop of the keyboard skips to the content',
               await page.evaluate(() => document.activeElement.className), 'skip');
    await page.locator('summary').focus();
    await page.keyboard.press('Enter');
    await waitFor('the table of links', 5, async () =>
        await page.locator('details tbody tr').count() > 3);
    check('the links are there as a table, by keyboard', true);
    const more = page.locator('#blocks .more');
    const before = await page.locator('#blocks tbody tr').count();
    await more.focus();
    await page.keyboard.press('Enter');
    check('the rest of a long table unfolds by keyboard',
          await page.locator('#blocks tbody tr').count() > before &&
          await more.getAttribute('aria-expanded') === 'true');
    await page.locator('.column').last().hover();
    check('pointing at a column tells of its link',
          /^Link \d+: /.test(await watched.text('.readout')), await watched.text('.readout'));
}

async function judgeLooks(browser, url) {
    for (const colorScheme of ['light', 'dark']) {
        for (const width of [320, 360, 768, 1280]) {
            const watched = await WatchedPage.open(browser, url,
                { colorScheme, viewport: { width, height: 800 } });
            await watched.waitForText('#miners', 'ana', 10);
            const wide = await watched.tooWide();
            check(`${width} pixels, ${colorScheme}: nothing sticks out`, wide.length === 0,
                  wide.slice(0, 5).join(' '));
            if (width !== 768) {
                const findings = await watched.axeFindings();
                check(`${width} pixels, ${colorScheme}: axe finds nothing`, findings.length === 0,
                      findings.join('; '));
            }
            await watched.judgeQuiet(`${width} pixels, ${colorScheme}`);
            await watched.context.close();
        }
    }
}

async function judgeLoss({ daemon, node, port }, watched) {
    await daemon.process.kill();
    await watched.waitForText('#alarms', 'A coin daemon is gone', 20);
    const alarm = await watched.text('#alarms');
    check('a daemon that is gone is told in red, with what to do',
          alarm.includes(daemon.url) && alarm.includes('start'), alarm);
    check('the title of the tab tells it too', (await watched.page.title()).includes('gone'));
    const findings = await watched.axeFindings();
    check('axe finds nothing in the alarm', findings.length === 0, findings.join('; '));
    await watched.waitForText('#alarms', 'Miners are not served', 80);
    const ready = await httpAnswer(port, '/readyz');
    check('no safe work is told, and /readyz is a 503 with the reason',
          ready.status === 503 && ready.body.includes('daemon'), ready.body);
    await daemon.start();
    await waitFor('the alarms to go', 60, async () => (await watched.text('#alarms')) === '');
    check('the alarms go when the daemon is back', true);
    await watched.judgeQuiet('the loss of a daemon');
    await node.process.kill();
    await watched.waitForText('#alarms', 'Connection lost', 10);
    checkEqual('the page says that it is not live', await watched.text('#live'), 'Connection lost');
    await node.start();
    await waitFor('the page to go on', 20, async () => (await watched.text('#live')) === 'Live');
    check('the page goes on by itself with the node',
          await watched.page.evaluate(() => globalThis.isSamePage === true));
    const others = watched.problems.filter((text) => !text.includes('net::ERR_'));
    check('the loss of the node breaks nothing', others.length === 0, others.join('; '));
}

function judgeTraffic(watched, { port }) {
    checkEqual('nothing was asked of another host', [...watched.hosts].join(),
               `127.0.0.1:${port}`);
    const size = [...watched.bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    check(`the whole page with its documents has ${size} bytes`,
          size > 0 && size <= PAGE_BYTES_MAX);
}

await script('page', async () => {
    await part('the units', judgeUnits);
    const cluster = new Cluster();
    await cluster.begin();
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
    try {
        const watched = await WatchedPage.open(browser, cluster.url);
        cluster.startMiners();
        await part('the beginning', () => judgeBeginning(watched));
        await part('the server', () => judgeServer(cluster));
        await part('the payouts', () => judgePayouts(watched, cluster.node));
        await part('the documents', () => judgeDocuments(cluster));
        await part('a new miner', () => judgeNewMiner(cluster, watched));
        await part('the keyboard', () => judgeKeyboard(watched));
        await part('hostile names', () => judgeHostileNames(browser, cluster.url));
        await part('looks', () => judgeLooks(browser, cluster.url));
        await watched.judgeQuiet('everything so far');
        await part('the loss of daemon and node', () => judgeLoss(cluster, watched));
        judgeTraffic(watched, cluster);
    } finally {
        await browser.close();
    }
});
