// Every page of the dashboard in light and dark, from phones to wide windows: nothing sticks out,
// axe finds nothing, nothing moves by itself where people asked for that.
import { Dashboard, PAGES, WatchedPage, launchBrowser } from './lib/dashboard.mjs';
import { check, part, script } from './lib/checks.mjs';

const WIDTHS = [320, 360, 768, 1280];
const AXE_WIDTHS = [360, 1280];

async function judgePage(watched, name, what) {
    await watched.goTo(name);
    const wide = await watched.tooWide();
    check(`${what}: nothing sticks out`, wide.length === 0, wide.slice(0, 5).join(' '));
}

async function judgeLooks(browser, dashboard, colorScheme, width) {
    const watched = await WatchedPage.open(browser, dashboard.url,
        { colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 } });
    await watched.waitForText('#payouts', 'ana', 30);
    const { blocks } = await dashboard.node.report('blocks');
    const pages = [...PAGES, `miner/${dashboard.address('p2wpkh')}`, `block/${blocks[0].id}`];
    for (const name of pages) {
        const what = `“${name}”, ${width} pixels, ${colorScheme}`;
        await judgePage(watched, name, what);
        if (!AXE_WIDTHS.includes(width))
            continue;
        const findings = await watched.axeFindings();
        check(`${what}: axe finds nothing`, findings.length === 0, findings.join('; '));
    }
    watched.judgeQuiet(`${width} pixels, ${colorScheme}`);
    await watched.context.close();
}

await script('page_looks', async () => {
    const dashboard = new Dashboard();
    await dashboard.begin('page-looks');
    dashboard.startMiners();
    const browser = await launchBrowser();
    try {
        for (const colorScheme of ['light', 'dark'])
            for (const width of WIDTHS)
                await part(`${width} pixels, ${colorScheme}`, () =>
                    judgeLooks(browser, dashboard, colorScheme, width));
    } finally {
        await browser.close();
    }
});
