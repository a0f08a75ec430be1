// What the dashboard says when the coin daemon goes, when the node itself goes, and when they are
// back.
import { Dashboard, WatchedPage, httpAnswer, launchBrowser } from './lib/dashboard.mjs';
import { check, checkEqual, part, script, waitFor } from './lib/checks.mjs';

async function judgeDaemon({ daemon, port }, watched) {
    await daemon.process.kill();
    await watched.waitForText('#alarms', 'A coin daemon is gone', 30);
    const alarm = await watched.text('#alarms');
    check('a daemon that is gone is told in red, with what to do',
          alarm.includes(daemon.url) && alarm.includes('start'), alarm);
    check('the title of the tab tells it too', (await watched.page.title()).includes('gone'));
    const findings = await watched.axeFindings();
    check('axe finds nothing in the alarm', findings.length === 0, findings.join('; '));
    await watched.waitForText('#alarms', 'Miners are not served', 90);
    check('the sentence on top says it as well', (await watched.text('#verdict')).includes('Not'));
    const ready = await httpAnswer(port, '/readyz');
    check('no safe work is told, and /readyz is a 503 with the reason',
          ready.status === 503 && ready.body.includes('daemon'), ready.body);
    await daemon.start();
    await waitFor('the alarms to go', 60, async () => (await watched.text('#alarms')) === '');
    check('the alarms go when the daemon is back', true);
    watched.judgeQuiet('the loss of a daemon');
}

async function judgeNode({ node }, watched) {
    await watched.page.evaluate(() => { globalThis.isSamePage = true; });
    await node.process.kill();
    await watched.waitForText('#alarms', 'Connection lost');
    checkEqual('the page says that it is not live', await watched.text('#live'), 'Connection lost');
    await node.start();
    await waitFor('the page to go on', 40, async () => (await watched.text('#live')) === 'Live');
    check('the page goes on by itself with the node',
          await watched.page.evaluate(() => globalThis.isSamePage === true));
    await watched.waitForText('#verdict', 'Working', 60);
    check('and shows its miners again', true);
    const others = watched.problems.filter((text) => !text.includes('net::ERR_'));
    check('the loss of the node breaks nothing', others.length === 0, others.join('; '));
}

await script('page_loss', async () => {
    const dashboard = new Dashboard();
    await dashboard.begin('page-loss');
    dashboard.startMiners();
    const browser = await launchBrowser();
    try {
        const watched = await WatchedPage.open(browser, dashboard.url);
        await watched.waitForText('#verdict', 'Working', 30);
        await part('the daemon', () => judgeDaemon(dashboard, watched));
        await part('the node', () => judgeNode(dashboard, watched));
    } finally {
        await browser.close();
    }
});
