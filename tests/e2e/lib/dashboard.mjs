// The dashboard under test: a node whose miners find a block every second or so, and a page in
// headless Chromium that is watched for everything that it must not do.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { Devchain } from './daemons.mjs';
import { CpuMiner } from './miner.mjs';
import { Node, newPool } from './shoal.mjs';
import { addressOf } from './addresses.mjs';
import { folder, freePort } from './processes.mjs';
import { check, waitFor } from './checks.mjs';

export { httpAnswer } from './http.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const CHROMIUM_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const HASHRATE = 300000; // of each miner
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const PAGES = ['', 'miners', 'blocks', 'chain', 'peers', 'standings', 'settings'];

export function launchBrowser() {
    return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
}

// ---- A pool that is looked at

export class Dashboard {
    // options: flags of the node
    async begin(name, options = {}) {
        const coin = ['--hashrate', '1M', '--spacing', '1', '--data', folder(`${name}-coin`)];
        this.name = name;
        this.daemon = await Devchain.make(`${name}-devchain`, coin);
        await this.daemon.start();
        this.pool = await newPool(`${name}-pool`, {
            chain: 'devchain', daemon: this.daemon.url, 'link-spacing': 1, 'half-life': 60,
            'easiest-bits': '1e200000', 'grains-per-link': 10 });
        this.port = await freePort();
        this.node = await Node.make(`${name}-node`, this.pool, [this.daemon.url],
                                    { 'http-listen': `127.0.0.1:${this.port}`, ...options });
        await this.node.start();
        this.url = `http://127.0.0.1:${this.port}/`;
    }

    address(kind) {
        return addressOf('devchain', kind, 'shoal page').address;
    }

    startMiner(name, kind) {
        return new CpuMiner(`${this.name}-miner-${name}`, this.node.port,
                            [`${this.address(kind)}.${name}`], HASHRATE);
    }

    startMiners() {
        this.startMiner('ana', 'p2wpkh');
        this.startMiner('ben', 'p2tr');
    }
}

// ---- A page that is watched

export class WatchedPage {
    // options: of the browser's context, and route: [pattern, handler]
    static async open(browser, url, options = {}) {
        const watched = new WatchedPage();
        const { route, ...contextOptions } = options;
        watched.url = url;
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
        const { pathname, search } = new URL(answer.url());
        const path = pathname + search;
        if (!this.bytes.has(path))
            this.bytes.set(path, Number(answer.headers()['content-length'] ?? 0));
    }

    // To another page of the dashboard, as a click on a link does it.
    async goTo(name) {
        await this.page.evaluate((hash) => { location.hash = hash; }, `#/${name}`);
        await this.waitUntilAt(name);
    }

    waitUntilAt(name) {
        const [page] = name.split('/', 1);
        return this.page.locator(`.page.is-filled[data-page="${page}"]`)
            .waitFor({ timeout: 20000 });
    }

    text(selector) {
        return this.page.locator(selector).innerText();
    }

    waitForText(selector, wanted, secondsMax = 20) {
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

    judgeQuiet(what) {
        check(`nothing on the console, nothing broken: ${what}`, this.problems.length === 0,
              this.problems.join('; '));
        this.problems.length = 0;
    }

    // Nothing was loaded but from the node itself.
    judgeHosts({ port }) {
        const hosts = [...this.hosts].join();
        check('nothing was asked of another host', hosts === `127.0.0.1:${port}`, hosts);
    }
}
