// The dashboard in a real browser: what its pages show, how they follow what happens, and that
// nothing from outside gets into them as markup.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dashboard, PAGES, WatchedPage, httpAnswer, launchBrowser } from './lib/dashboard.mjs';
import { Node } from './lib/shoal.mjs';
import { StratumConnection } from './lib/stratum.mjs';
import { TOP, freePort } from './lib/processes.mjs';
import { check, checkEqual, part, script, waitFor } from './lib/checks.mjs';

const PAGE_BYTES_MAX = 300000; // of the overview, with one of each document
const HTML = '<img src=x onerror=alert(1)>';

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
    check('an unknown path is a 404 that says so as JSON', missing.status === 404 &&
          missing.headers['content-type'] === 'application/problem+json' &&
          JSON.parse(missing.body).detail.length > 0, missing.body);
    checkEqual('POST is refused', (await httpAnswer(port, '/', { method: 'POST' })).status, 405);
    const foreign = await httpAnswer(port, '/api/v1/status', { headers: { host: 'evil.example' } });
    checkEqual('a foreign name that points here is refused', foreign.status, 403);
    checkEqual('/healthz', (await httpAnswer(port, '/healthz')).status, 200);
    checkEqual('/readyz while work is served', (await httpAnswer(port, '/readyz')).status, 200);
}

// The command joins the pages of a document and leaves out what led from one to the next.
function hasMembersOf(document, told) {
    return Object.keys(told).every((name) => name in document);
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

// ---- Overview

async function judgeBeginning(watched) {
    await watched.waitForText('#notices', 'six blocks late');
    check('the page says that credits enter payouts six blocks late', true);
    await watched.waitForText('#payouts', 'ana', 30);
    await watched.waitForText('#payouts', 'ben', 30);
    check('both miners are on the page', true);
    await watched.waitForText('#blocks', 'in the chain', 30);
    check('a block is on the page with its fate', true);
    await watched.waitForText('#verdict', 'Working');
    check('a sentence says that it works', true);
}

async function judgePayouts(watched, node) {
    await waitFor('the notice to go', 60, async () =>
        !(await watched.text('#notices')).includes('six blocks'));
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
}

async function judgeChart(watched) {
    const plot = watched.page.locator('#hashrate .chart-plot');
    await waitFor('the chart', 30, async () => await plot.locator('.chart-line').count() === 1);
    const label = await plot.getAttribute('aria-label');
    check('the chart says in words what it shows', /now .*H\/s; lowest .*highest/.test(label),
          label);
    await watched.page.locator('#hashrate summary').click();
    await waitFor('the chart as a table', 10, async () =>
        await watched.page.locator('#hashrate tbody tr').count() > 0);
    check('the chart is there as a table', true);
    await watched.page.locator('#hashrate summary').click();
    await plot.hover();
    await waitFor('the mark at the pointer', 10, async () =>
        await plot.locator('.chart-mark').count() === 1);
    check('pointing into the chart tells of a moment',
          /: .*H\/s/.test(await watched.text('#hashrate .readout')));
}

// ---- Other pages

async function judgeNewMiner(dashboard, watched) {
    await watched.page.evaluate(() => { globalThis.isSamePage = true; });
    await watched.goTo('miners');
    dashboard.startMiner('cho', 'p2pkh');
    const connection = new StratumConnection(dashboard.node.port);
    await connection.open();
    await connection.ask('mining.subscribe', [HTML]);
    await connection.ask('mining.authorize', [`${dashboard.address('p2sh')}.html`, 'x']);
    await watched.waitForText('#miners', 'cho');
    check('a new miner appears without reload',
          await watched.page.evaluate(() => globalThis.isSamePage === true));
    await watched.waitForText('#miners', HTML);
    check('HTML in a user agent is shown as text',
          await watched.page.locator('#main img').count() === 0);
    connection.close();
    await waitFor('the miner that left to go from the page', 20, async () =>
        !(await watched.text('#miners')).includes('html'));
    check('a miner that leaves goes from the page', true);
}

async function judgeBlocks(watched) {
    await watched.goTo('blocks');
    await watched.waitForText('#blocks', 'in the chain');
    await watched.page.locator('#blocks tbody tr a').first().click();
    await watched.waitUntilAt('block');
    check('a block leads to its own page', /#\/block\/[0-9a-f]{64}$/.test(watched.page.url()),
          watched.page.url());
}

async function judgeChain(watched) {
    await watched.goTo('chain');
    const columns = watched.page.locator('.column:not(.is-next)');
    await waitFor('links in the picture', 20, async () => await columns.count() > 3);
    const [label, shown] = await watched.page.evaluate(() => [
        document.querySelector('.plot').getAttribute('aria-label'),
        document.querySelectorAll('.column:not(.is-next)').length]);
    check('the picture has as many columns as its words say',
          label.includes(`newest ${shown} links`), label);
    await waitFor('a column that is paid and one that waits', 30, async () =>
        await watched.page.locator('.column.is-paid').count() > 0 &&
        await watched.page.locator('.column.is-waiting').count() > 0);
    check('some columns are in what the next block pays, some wait', true);
    await columns.first().hover();
    check('pointing at a column tells of its link',
          /^Link \d+: /.test(await watched.text('.readout')), await watched.text('.readout'));
    await columns.last().click();
    await waitFor('the address of the link', 10, () =>
        /#\/chain\/[0-9a-f]{64}$/.test(watched.page.url()));
    check('pressing a column looks into its link', true);
}

async function judgePeers({ daemon, node, pool }, watched) {
    await watched.goTo('peers');
    await watched.waitForText('#peers', 'No other node');
    check('a node that is alone says so', true);
    const { own } = await node.report('dht');
    const other = await Node.make('page-other', pool, [daemon.url], {
        found: 0, upnp: 0, seed: own.seed, 'peer-listen': `127.0.0.1:${await freePort()}` });
    other.launch();
    await watched.waitForText('#peers', 'of our work', 60);
    check('another node appears without reload', true);
    check('its address is not shown to strangers',
          !(await watched.text('#peers')).includes('127.0.0.1'));
    await other.process.kill();
    await watched.waitForText('#peers', 'No other node', 60);
    check('and goes from the page when it is gone', true);
}

// ---- Navigation and keyboard

async function judgeNavigation(watched) {
    const { page } = watched;
    for (const name of PAGES) {
        await page.locator(`#pages a[href="#/${name}"]`).click();
        await watched.waitUntilAt(name);
        const state = await page.evaluate(() => [document.activeElement.id,
            document.querySelector('#pages [aria-current="page"]').getAttribute('href')]);
        checkEqual(`going to “${name}” moves the focus to its title`, state.join(' '),
                   `page-title #/${name}`);
    }
    await page.goBack();
    await watched.waitUntilAt(PAGES.at(-2));
    checkEqual('the browser goes back through pages', await page.evaluate(() => location.hash),
               `#/${PAGES.at(-2)}`);
    await page.evaluate(() => { location.hash = '#/nothing-like-that'; });
    await watched.waitUntilAt('nothing-like-that');
    await watched.waitForText('#verdict', 'Working');
    check('an address that is no page shows the overview', true);
}

async function judgeKeyboard(dashboard, watched) {
    const { page } = watched;
    await watched.goTo('');
    await page.reload();
    await watched.waitUntilAt('');
    await page.keyboard.press('Tab');
    checkEqual('the first stop of the keyboard skips to the content',
               await page.evaluate(() => document.activeElement.className), 'skip');
    await page.keyboard.press('Enter');
    checkEqual('and leads there', await page.evaluate(() => document.activeElement.id), 'main');
    await watched.goTo('chain');
    const more = page.locator('#links .more');
    await more.waitFor();
    const before = await page.locator('#links tbody tr').count();
    await more.focus();
    await page.keyboard.press('Enter');
    await waitFor('the rest of the table', 10, async () =>
        await page.locator('#links tbody tr').count() > before);
    checkEqual('the rest of a long table unfolds by keyboard',
               await more.getAttribute('aria-expanded'), 'true');
    await watched.goTo('');
    await page.locator('#lookup').fill(`${dashboard.address('p2pkh')}.cho`);
    await page.keyboard.press('Enter');
    await watched.waitUntilAt('miner');
    checkEqual('an address that is typed in leads to its page', await watched.text('.whole-id'),
               dashboard.address('p2pkh'));
}

// ---- A miner's own page

async function judgeMiner(dashboard, watched) {
    const address = dashboard.address('p2wpkh');
    await watched.goTo(`miner/${address}`);
    await watched.waitForText('#workers', 'ana');
    await watched.waitForText('#expected', 'Exact.', 60);
    check('a miner reads that he is paid exactly', true);
    const told = await httpAnswer(dashboard.port, `/api/v1/addresses/${address}`);
    const paid = await watched.page.locator('#paid tbody tr').count();
    check('his payments are listed', paid > 0 && JSON.parse(told.body).paid.length >= paid,
          String(paid));
    await watched.waitForText('#shares', 'by link', 30);
    check('and his newest receipts with what credits them', true);
    const plot = watched.page.locator('#history .chart-plot');
    await waitFor('the chart of a day', 10, async () =>
        await plot.locator('.chart-bar').count() > 0);
    const day = await plot.getAttribute('aria-label');
    await watched.page.locator('[data-span="week"]').click();
    await waitFor('the chart of a week', 10, async () =>
        await plot.getAttribute('aria-label') !== day);
    checkEqual('which span is shown is told', await watched.page.locator('[data-span="week"]')
        .getAttribute('aria-pressed'), 'true');
    await watched.goTo(`miner/${dashboard.address('p2wsh')}`);
    await watched.waitForText('#expected-lead', 'Nothing is credited');
    check('a stranger sees that nothing is credited to him', true);
    watched.judgeQuiet('pages of miners');
    await watched.goTo('miner/not-an-address');
    await watched.waitForText('main', 'Not available');
    check('what is no address is told to be none', true);
    await watched.goTo('');
    const others = watched.problems.filter((text) => !text.includes('status of 400'));
    check('and the console knows of nothing else', others.length === 0, others.join('; '));
    watched.problems.length = 0;
}

async function judgeTheme(watched) {
    const { page } = watched;
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.locator('#theme').click();
    await page.locator('#theme').click();
    const dark = await ground();
    check('the colours can be chosen', dark !== light, `${light} ${dark}`);
    await page.reload();
    await watched.waitUntilAt('nothing-like-that');
    checkEqual('and the choice is kept', await ground(), dark);
    await page.locator('#theme').click();
    checkEqual('and given back to the system', await ground(), light);
}

// ---- Names that the node itself would never let through

const NAMES = ['name', 'worker', 'user', 'address', 'explanation', 'url', 'user_agent', 'device',
               'peer', 'reason', 'version', 'chain', 'team', 'text', 'advice'];

async function judgeHostileNames(browser, url) {
    const route = ['**/api/v1/*', async (routed) => {
        if (routed.request().resourceType() === 'eventsource')
            return routed.continue();
        const answer = await routed.fetch();
        const document = await answer.json();
        const hostile = JSON.parse(JSON.stringify(document), (key, value) =>
            (NAMES.includes(key) && typeof value === 'string' ? HTML : value));
        return routed.fulfill({ response: answer, json: hostile });
    }];
    const watched = await WatchedPage.open(browser, url, { route });
    for (const name of PAGES) {
        await watched.goTo(name);
        await watched.waitForText('body', HTML);
        check(`HTML in names is text on “${name}”`, await watched.page.locator(
            'main img, h1 img, .banners img, .foot img, #pool-name img').count() === 0);
    }
    watched.judgeQuiet('hostile names');
    await watched.context.close();
}

// Something between browser and node that lets no stream through.
async function judgePolling(browser, url) {
    const route = ['**/api/v1/events*', (routed) => routed.fulfill({ status: 404, body: '' })];
    const watched = await WatchedPage.open(browser, url, { route });
    await watched.waitForText('#health', 'link');
    const before = await watched.text('#health');
    const link = (text) => Number(/link(\d+)/.exec(text.replace(/\s/g, ''))[1]);
    await waitFor('newer links without events', 30, async () =>
        link(await watched.text('#health')) > link(before));
    check('without events the page asks again, and is current as well', true);
    await watched.context.close();
}

function judgeSize(watched) {
    const size = [...watched.bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    check(`the overview with its documents has ${size} bytes`, size > 0 && size <= PAGE_BYTES_MAX);
}

await script('page', async () => {
    await part('the units', judgeUnits);
    const dashboard = new Dashboard();
    await dashboard.begin('page', { 'peer-listen': `127.0.0.1:${await freePort()}`, upnp: 0 });
    const browser = await launchBrowser();
    try {
        const watched = await WatchedPage.open(browser, dashboard.url);
        dashboard.startMiners();
        await part('the beginning', () => judgeBeginning(watched));
        await part('the server', () => judgeServer(dashboard));
        await part('the payouts', () => judgePayouts(watched, dashboard.node));
        await part('the chart', () => judgeChart(watched));
        judgeSize(watched);
        await part('the documents', () => judgeDocuments(dashboard));
        await part('a new miner', () => judgeNewMiner(dashboard, watched));
        await part('the blocks', () => judgeBlocks(watched));
        await part('the chain', () => judgeChain(watched));
        await part('the peers', () => judgePeers(dashboard, watched));
        await part('navigation', () => judgeNavigation(watched));
        await part('the theme', () => judgeTheme(watched));
        await part('the keyboard', () => judgeKeyboard(dashboard, watched));
        await part('a miner', () => judgeMiner(dashboard, watched));
        await part('hostile names', () => judgeHostileNames(browser, dashboard.url));
        await part('polling', () => judgePolling(browser, dashboard.url));
        watched.judgeQuiet('everything');
        watched.judgeHosts(dashboard);
    } finally {
        await browser.close();
    }
});
