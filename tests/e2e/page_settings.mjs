// Signing in at the dashboard, what each role sees there, and what an operator and an admin do: the
// node decides, the page shows what came of it.
import { join } from 'node:path';
import { Dashboard, WatchedPage, launchBrowser } from './lib/dashboard.mjs';
import { BIN, freePort, runCommand } from './lib/processes.mjs';
import { check, checkEqual, part, script, waitFor } from './lib/checks.mjs';

const PASSWORD = 'a long enough password';

// The command reads the password as a line.
async function addAccount(node, name, role) {
    const made = await runCommand('/bin/sh', ['-c', 'printf "%s\\n" "$PASSWORD" | "$0" "$@"',
        join(BIN, 'shoal'), 'account', 'add', name, '--role', role, '--data', node.data],
        { env: { PASSWORD } });
    check(`the account ${name} is made`, made.code === 0, made.error);
}

function heading(watched, card) {
    return watched.page.locator(`#${card}-title`);
}

async function fill(watched, card, values) {
    for (const [name, value] of Object.entries(values)) {
        const field = watched.page.locator(`#${card} [name="${name}"]`).last();
        if (await field.evaluate((element) => element.tagName) === 'SELECT')
            await field.selectOption(value);
        else
            await field.fill(value);
    }
}

async function press(watched, selector, label) {
    await watched.page.locator(selector).getByRole('button', { name: label, exact: true }).click();
}

// A question comes first: `label` is the answer that does it.
async function pressAndMean(watched, selector, label) {
    await press(watched, selector, label);
    await press(watched, 'dialog', label);
}

async function signIn(watched, name, password = PASSWORD) {
    await watched.goTo('settings');
    await fill(watched, 'session', { name, password });
    await press(watched, '#session', 'Sign in');
}

// ---- Who sees what

async function judgeStranger(watched) {
    await watched.goTo('settings');
    await heading(watched, 'session').waitFor();
    for (const card of ['deeds', 'tokens', 'accounts', 'config', 'audit'])
        check(`a stranger sees nothing of “${card}”`, !await heading(watched, card).isVisible());
    await signIn(watched, 'admin', 'a wrong password');
    await watched.waitForText('#session .outcome', 'password');
    check('a wrong password is told, and not which part was wrong', true);
    const others = watched.problems.filter((text) => !text.includes('status of 401'));
    check('the console knows of nothing else', others.length === 0, others.join('; '));
    watched.problems.length = 0;
}

async function judgeViewer(watched) {
    await signIn(watched, 'viewer');
    await watched.waitForText('#session', 'Signed in as');
    await heading(watched, 'config').waitFor();
    await watched.waitForText('#config', 'http-listen');
    check('a viewer sees the configuration', true);
    check('and none of the deeds', !await heading(watched, 'deeds').isVisible());
    await press(watched, '#session', 'Sign out');
    await watched.page.locator('#session [name="password"]').waitFor();
    check('and signs out', true);
}

// ---- What is done

async function judgeOperator(watched) {
    await press(watched, '#deeds', 'Read the configuration again');
    await watched.waitForText('#deeds', 'Nothing has changed.');
    check('the configuration is read again', true);
    await fill(watched, 'deeds', { level: 'debug' });
    await press(watched, '#deeds', 'Set the level');
    await watched.waitForText('#deeds', 'Set.');
    check('the level of the log is set', true);
    await fill(watched, 'deeds', { address: '192.0.2.77', reason: 'a test' });
    await press(watched, '#deeds', 'Ban');
    await watched.waitForText('#deeds', 'Banned.');
    await watched.goTo('peers');
    await watched.waitForText('#bans', '192.0.2.77');
    check('a ban is in the list of bans', true);
    await press(watched, '#bans', 'End the ban 192.0.2.77');
    await press(watched, 'dialog', 'Cancel');
    await watched.waitForText('#bans', '192.0.2.77');
    check('a question that is answered with no changes nothing', true);
    await press(watched, '#bans', 'End the ban 192.0.2.77');
    await press(watched, 'dialog', 'End the ban');
    await heading(watched, 'bans').waitFor({ state: 'hidden' });
    check('a ban ends', true);
}

async function judgeDisconnect({ node }, watched) {
    await watched.goTo('miners');
    await watched.waitForText('#miners', 'ana');
    const before = (await node.report('miners')).miners.map(({ session }) => session);
    await press(watched, '#miners', 'Disconnect ana');
    await press(watched, 'dialog', 'Disconnect');
    await waitFor('another connection of that miner', 30, async () => {
        const { miners } = await node.report('miners');
        return miners.some((miner) => miner.worker === 'ana' && !before.includes(miner.session));
    });
    check('a miner is disconnected, and comes back', true);
}

async function judgeDrain(watched) {
    await watched.goTo('settings');
    await pressAndMean(watched, '#deeds', 'Drain');
    await watched.waitForText('#alarms', 'Drained by the operator');
    check('a drained node says so on top of every page', true);
    await press(watched, '#deeds', 'End draining');
    await waitFor('the banner to go', 30, async () =>
        !(await watched.text('#alarms')).includes('rained'));
    check('and takes miners again', true);
}

async function judgeTokens(dashboard, watched) {
    await fill(watched, 'tokens', { label: 'a <b>test</b>', role: 'viewer', days: '1' });
    await press(watched, '#tokens', 'Make a token');
    await watched.waitForText('#tokens', 'shoal_');
    const [token] = /shoal_\w+/.exec(await watched.text('#tokens'));
    await watched.waitForText('#tokens table', 'a <b>test</b>');
    check('a token is made, shown once, and its label is text', true);
    const ask = () => fetch(`${dashboard.url}api/v1/config`,
                            { headers: { authorization: `Bearer ${token}` } });
    checkEqual('it opens what its role may see', (await ask()).status, 200);
    await press(watched, '#tokens', 'Revoke a <b>test</b>');
    await press(watched, 'dialog', 'Revoke');
    await watched.waitForText('#tokens', 'There is none.');
    checkEqual('and nothing once it is revoked', (await ask()).status, 401);
}

async function judgeAccounts(watched) {
    await fill(watched, 'accounts', { name: 'third', role: 'viewer', password: PASSWORD });
    await press(watched, '#accounts', 'Add the account');
    await watched.waitForText('#accounts table', 'third');
    await press(watched, '#accounts', 'Remove third');
    await press(watched, 'dialog', 'Remove');
    await waitFor('the account to go', 20, async () =>
        !(await watched.text('#accounts table')).includes('third'));
    check('an account is made and removed', true);
    await watched.waitForText('#audit', 'accounts/remove');
    await watched.waitForText('#audit', 'drain');
    check('all of it is in the audit log', true);
}

async function judgeSignedInLooks(watched) {
    for (const width of [360, 1280]) {
        await watched.page.setViewportSize({ width, height: 800 });
        for (const name of ['settings', 'peers', 'miners']) {
            await watched.goTo(name);
            const wide = await watched.tooWide();
            check(`“${name}” of an admin, ${width} pixels: nothing sticks out`, wide.length === 0,
                  wide.slice(0, 5).join(' '));
            const findings = await watched.axeFindings();
            check(`“${name}” of an admin, ${width} pixels: axe finds nothing`,
                  findings.length === 0, findings.join('; '));
        }
    }
}

// A node that shows nothing to strangers.
async function judgeClosed(browser) {
    const dashboard = new Dashboard();
    await dashboard.begin('page-closed', { 'http-public': 0 });
    await addAccount(dashboard.node, 'viewer', 'viewer');
    const watched = await WatchedPage.open(browser, dashboard.url);
    await watched.waitForText('#notices', 'asks who you are');
    check('a node that is not public asks who one is', true);
    await signIn(watched, 'viewer');
    await watched.waitForText('#session', 'Signed in as');
    await watched.goTo('');
    await watched.waitForText('#health', 'Coin daemon');
    check('and shows itself to whoever may see it', true);
    const others = watched.problems.filter((text) => !text.includes('status of 401'));
    check('the console knows of nothing else', others.length === 0, others.join('; '));
    await watched.context.close();
}

await script('page_settings', async () => {
    const dashboard = new Dashboard();
    await dashboard.begin('page-settings', { 'peer-listen': `127.0.0.1:${await freePort()}`,
                                             upnp: 0 });
    dashboard.startMiners();
    await addAccount(dashboard.node, 'admin', 'admin');
    await addAccount(dashboard.node, 'viewer', 'viewer');
    const browser = await launchBrowser();
    try {
        const watched = await WatchedPage.open(browser, dashboard.url);
        await part('a stranger', () => judgeStranger(watched));
        await part('a viewer', () => judgeViewer(watched));
        await signIn(watched, 'admin');
        await watched.waitForText('#session', 'Signed in as');
        await part('an operator', () => judgeOperator(watched));
        await part('a miner', () => judgeDisconnect(dashboard, watched));
        await part('draining', () => judgeDrain(watched));
        await part('tokens', () => judgeTokens(dashboard, watched));
        await part('accounts', () => judgeAccounts(watched));
        await part('looks', () => judgeSignedInLooks(watched));
        await part('a node that is not public', () => judgeClosed(browser));
        watched.judgeQuiet('everything');
        watched.judgeHosts(dashboard);
    } finally {
        await browser.close();
    }
});
