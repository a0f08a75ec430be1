// Who may do what over the API, and what operators do: accounts made on the machine, signing in and
// its lock-out, a second factor, requests of other sites, tokens that are forged, expired, too weak
// or revoked; every action with its line in the audit log, a reload with a bad file, miners that
// are sent away and come back, a node that is banned.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, shoalWithInput, totpCode } from './lib/api_client.mjs';
import { Cluster } from './lib/cluster.mjs';
import { Devchain } from './lib/daemons.mjs';
import { StratumConnection } from './lib/stratum.mjs';
import { folder, freePort } from './lib/processes.mjs';
import { newPool, shoal } from './lib/shoal.mjs';
import { httpAnswer } from './lib/http.mjs';
import { check, checkEqual, checkReached, part, script, waitFor } from './lib/checks.mjs';

const PASSWORD = 'correct horse battery';
const ATTEMPTS = 10;
const HASHRATE = 100000;
const FILE = ['[stratum]', 'shares-per-minute = 20', 'connections = 100', ''].join('\n');

class World {
    async begin() {
        this.daemon = await Devchain.make('access-devchain', ['--hashrate', '1M', '--spacing', '1',
                                                              '--data', folder('access-coin')]);
        await this.daemon.start();
        const pool = await newPool('access-pool', {
            chain: 'devchain', daemon: this.daemon.url, 'link-spacing': 1, 'half-life': 60,
            'easiest-bits': '1e200000', 'grains-per-link': 10 });
        this.port = await freePort();
        this.file = join(folder('access-config'), 'shoal.conf');
        writeFileSync(this.file, FILE);
        this.cluster = new Cluster('access', this.daemon, pool);
        this.node = await this.cluster.add({ 'http-listen': `127.0.0.1:${this.port}`,
                                             config: this.file });
        this.data = this.node.data;
    }

    client(options) {
        return new ApiClient(this.port, options);
    }

    // The newest entry of the audit log about this action.
    async entryOf(action) {
        const { document } = await this.admin.get('audit?limit=100');
        return document.entries.find((entry) => entry.action === action);
    }

    async judgeLine(action, who, what) {
        const entry = await this.entryOf(action);
        check(`${action} of ${who} is in the audit log`,
              entry?.who === who && entry?.result === 'done' && entry?.what.includes(what),
              JSON.stringify(entry));
    }
}

// ---- Before the node runs

function makeAccounts(world) {
    const data = ['--data', world.data];
    for (const [name, role] of [['ada', 'admin'], ['olga', 'operator'], ['vic', 'viewer']]) {
        const made = shoalWithInput(`${PASSWORD}\n`, 'account', 'add', name, '--role', role,
                                    ...data);
        checkEqual(`${role} is made while no node runs`, made.code, 0);
    }
    const made = shoalWithInput('', 'token', 'create', '--role', 'viewer', '--label', 'old',
                                ...data);
    world.expired = made.out.trim();
    const path = join(world.data, 'accounts.json');
    const file = JSON.parse(readFileSync(path, 'utf8'));
    check('the file has hashes only, for its owner only',
          !JSON.stringify(file).includes(PASSWORD) && (statSync(path).mode & 0o777) === 0o600 &&
          !JSON.stringify(file).includes(world.expired.split('_')[2]));
    file.tokens[0].expires_at = Math.floor(Date.now() / 1000) - 1;
    writeFileSync(path, JSON.stringify(file));
}

// ---- Signing in

async function judgeSession(world) {
    world.admin = world.client();
    const nobody = await world.admin.get('session');
    checkEqual('nobody is signed in at first', nobody.document.role, 'public');
    const entered = await world.admin.signIn('ada', PASSWORD);
    check('the right password opens a session', entered.status === 200 &&
          entered.document.role === 'admin', JSON.stringify(entered.document));
    check('its cookie is for the server alone, and for this site alone',
          /HttpOnly/.test(entered.setCookie) && /SameSite=Strict/.test(entered.setCookie) &&
          /Path=\//.test(entered.setCookie) && !/Secure/.test(entered.setCookie),
          entered.setCookie);
    check('nothing of it is kept by caches', entered.headers['cache-control'] === 'no-store' &&
          entered.headers.etag === undefined);
    const { document } = await world.admin.get('session');
    checkEqual('the session says who asks', `${document.name} ${document.role}`, 'ada admin');
    checkEqual('accounts are listed', (await world.admin.get('accounts')).document.accounts.length,
               3);
    const other = world.client();
    checkEqual('nobody sees no accounts', (await other.get('accounts')).status, 401);
    checkEqual('the viewer neither', (await signedIn(world, 'vic')).status, 403);
}

async function signedIn(world, name) {
    const client = world.client();
    await client.signIn(name, PASSWORD);
    return client.get('accounts');
}

async function judgeOtherSites(world) {
    const { admin } = world;
    const send = (headers) => admin.send('POST', 'drain', undefined, { headers });
    checkEqual('a cookie without the csrf text changes nothing',
               (await send({ 'X-Shoal-Csrf': null })).status, 401);
    checkEqual('nor with a wrong one',
               (await send({ 'X-Shoal-Csrf': '0'.repeat(32) })).status, 401);
    checkEqual('nor does a request of another site',
               (await send({ Origin: 'http://evil.example' })).status, 403);
    const form = await admin.send('POST', 'log-level', { level: 'debug' },
                                  { headers: { 'Content-Type': 'text/plain' } });
    checkEqual('nor does what a form can send', form.status, 415);
    const { is_paused: isPaused } = (await world.node.report('status'));
    check('the node was not drained by any of them', isPaused !== true);
}

async function judgeLockOut(world) {
    const guesser = world.client({ from: '127.0.0.9' });
    const wrong = await guesser.signIn('vic', 'not his password');
    const unknown = await guesser.signIn('nobody', 'not his password');
    check('an unknown name is answered as a wrong password', wrong.status === 401 &&
          unknown.status === 401 && wrong.document.detail === unknown.document.detail,
          `${wrong.document.detail} / ${unknown.document.detail}`);
    for (let i = 2; i < ATTEMPTS; i++)
        await guesser.signIn('vic', `guess number ${i}`);
    const locked = await guesser.signIn('olga', PASSWORD);
    check('ten wrong attempts lock the address out, right passwords too',
          locked.status === 429 && Number(locked.headers['retry-after']) <= 60,
          JSON.stringify(locked.document));
    for (const from of ['127.0.0.10', '127.0.0.11'])
        await world.client({ from }).signIn('vic', 'a guess from elsewhere');
    const victim = await world.client({ from: '127.0.0.12' }).signIn('vic', PASSWORD);
    check('and the account, wherever he asks from',
          victim.status === 429 && Number(victim.headers['retry-after']) > 800,
          JSON.stringify(victim.document));
    checkEqual('others sign in meanwhile',
               (await world.client({ from: '127.0.0.12' }).signIn('olga', PASSWORD)).status, 200);
    check('the log says so', (await world.entryOf('session')).result !== undefined &&
          readFileSync(join(world.data, 'audit.log'), 'utf8').includes('refused; locked'));
}

async function judgeSecondFactor(world) {
    const begun = await world.admin.post('accounts/olga/totp', {});
    const { secret } = begun.document;
    check('a second factor begins with a secret', /^[A-Z2-7]{32}$/.test(secret),
          JSON.stringify(begun.document));
    const wrong = await world.admin.post('accounts/olga/totp', { code: '000000' });
    checkEqual('a wrong code does not confirm it', wrong.status, 400);
    const now = () => Date.now() / 1000;
    const first = totpCode(secret, now());
    const done = await world.admin.post('accounts/olga/totp', { code: first });
    checkEqual('a right one does', done.status, 200);
    await world.judgeLine('accounts/totp', 'ada', 'name=olga');
    const enter = (code) => world.client({ from: '127.0.0.20' }).signIn('olga', PASSWORD, code);
    checkEqual('without a code nobody enters', (await enter(undefined)).status, 401);
    checkEqual('nor with the code that confirmed it', (await enter(first)).status, 401);
    const code = totpCode(secret, now() + 30); // the next one: clocks may differ that much
    checkEqual('with a new code she does', (await enter(code)).status, 200);
    checkEqual('but once with each', (await enter(code)).status, 401);
    const gone = await world.admin.send('DELETE', 'accounts/olga/totp');
    checkEqual('it can be taken away', gone.status, 200);
    checkEqual('and is not asked for then', (await enter(undefined)).status, 200);
}

async function judgeAccounts(world) {
    const { admin } = world;
    const added = await admin.post('accounts', { name: 'tom', role: 'viewer', password: PASSWORD });
    checkEqual('an account is added over the API', added.status, 200);
    await world.judgeLine('accounts/add', 'ada', 'name=tom role=viewer');
    const again = await admin.post('accounts', { name: 'tom', role: 'admin', password: PASSWORD });
    checkEqual('but not twice', again.status, 409);
    const short = await admin.post('accounts', { name: 'tim', role: 'admin', password: 'short' });
    check('nor with a short password', short.status === 400 &&
          short.document.parameter === 'password', JSON.stringify(short.document));
    const odd = await admin.post('accounts', { name: '<b>"x', role: 'admin', password: PASSWORD });
    checkEqual('nor with HTML for a name', odd.status, 400);
    const tom = world.client({ from: '127.0.0.30' });
    await tom.signIn('tom', PASSWORD);
    const change = (old) => tom.send('PUT', 'accounts/tom/password',
                                     { old, password: 'another password' });
    checkEqual('his password needs the old one', (await change('not the old one')).status, 403);
    checkEqual('with which he changes it', (await change(PASSWORD)).status, 200);
    const others = await tom.send('PUT', 'accounts/ada/password', { password: 'taken over by me' });
    checkEqual('that of others he does not', others.status, 403);
    checkEqual('the new one is in force', (await world.client({ from: '127.0.0.30' })
        .signIn('tom', 'another password')).status, 200);
    checkEqual('an account is removed', (await admin.send('DELETE', 'accounts/tom')).status, 200);
    checkEqual('and its session with it', (await tom.get('session')).document.role, 'public');
    checkEqual('the last admin stays', (await admin.send('DELETE', 'accounts/ada')).status, 409);
}

// ---- Tokens

async function judgeTokens(world) {
    const { admin } = world;
    const made = await admin.post('tokens', { label: '<i>Grafana</i>', role: 'viewer' });
    const { token, id } = made.document;
    check('a token is shown once', /^shoal_[0-9a-f]{16}_[0-9a-f]{64}$/.test(token),
          JSON.stringify(made.document));
    const program = world.client({ token });
    checkEqual('it is who asks', (await program.get('session')).document.role, 'viewer');
    checkEqual('a viewer\'s acts on nothing', (await program.post('drain')).status, 403);
    checkEqual('and sees no accounts', (await program.get('accounts')).status, 403);
    const operator = await admin.post('tokens', { label: 'x', role: 'operator', expires_s: 3600 });
    world.operator = world.client({ token: operator.document.token });
    const more = await world.operator.post('tokens', { label: 'y', role: 'operator' });
    checkEqual('a token makes no tokens', more.status, 403);
    const short = await admin.post('tokens', { label: 'y', role: 'viewer', expires_s: 5 });
    checkEqual('a time that is too short is refused', short.status, 400);
    const status = async (text, from) =>
        (await world.client({ token: text, from }).get('status')).status;
    const last = token.at(-1) === '0' ? '1' : '0';
    checkEqual('a forged one is refused', await status(token.slice(0, -1) + last, '127.0.0.40'),
               401);
    checkEqual('so is one that has expired', await status(world.expired, '127.0.0.40'), 401);
    checkEqual('it is revoked', (await admin.send('DELETE', `tokens/${id}`)).status, 200);
    checkEqual('and refused from then on', await status(token, '127.0.0.40'), 401);
    await world.judgeLine('tokens/revoke', 'ada', id);
    for (let i = 3; i < ATTEMPTS; i++)
        await status(`shoal_${i}`, '127.0.0.40');
    checkEqual('who tries many is told to wait', await status('shoal_x', '127.0.0.40'), 429);
    const { document } = await admin.get('tokens');
    check('tokens are listed without their secrets', document.tokens.length === 2 &&
          !JSON.stringify(document).includes(operator.document.token.split('_')[2]));
}

// ---- Actions

async function judgeReload(world) {
    const { admin, node } = world;
    const same = await admin.post('config/reload');
    checkEqual('a reload of the same file changes nothing', same.document.changed?.length, 0);
    writeFileSync(world.file, `[peer]\ninbound = 9\n${FILE.replace('= 20', '= 33')}`);
    const { document } = await admin.post('config/reload');
    const by = (later) => document.changed.filter((each) => each.needs_restart === later)
        .map(({ key }) => key).join();
    checkEqual('a reload says what is in force', by(false), 'stratum-shares-per-minute');
    checkEqual('and what takes a restart', by(true), 'peer-inbound');
    await world.judgeLine('config/reload', 'ada', '');
    const values = (await admin.get('config')).document.values ?? [];
    checkEqual('the configuration shows what is in force',
               values.find(({ key }) => key === 'stratum-shares-per-minute')?.value, '33');
    writeFileSync(world.file, `${FILE}nonsense = 1\n`);
    const bad = await admin.post('config/reload');
    check('a bad file changes nothing, and its error is told', bad.status === 409 &&
          bad.document.detail.includes('nonsense'), JSON.stringify(bad.document));
    check('also in the audit log', (await world.entryOf('config/reload')).result
        .startsWith('refused'));
    writeFileSync(world.file, FILE);
    node.process.send('SIGHUP');
    await checkReached('SIGHUP is the same', 10, async () =>
        (await world.entryOf('config/reload')).from === 'SIGHUP');
}

async function authorized(world) {
    return (await world.node.report('miners')).miners.filter(({ user }) => user !== '');
}

async function judgeMiners(world) {
    world.cluster.mineBehind(0, HASHRATE);
    await waitFor('a miner', 20, async () => (await authorized(world)).length === 1);
    const [{ session }] = await authorized(world);
    const none = await world.operator.post('miners/999999999/disconnect');
    checkEqual('a miner who is not there is not disconnected', none.status, 404);
    const done = await world.operator.post(`miners/${session}/disconnect`);
    checkEqual('one who is there is', done.status, 200);
    await world.judgeLine('miners/disconnect', 'ada', `session=${session}`);
    await checkReached('and comes back as another session', 20, async () =>
        (await authorized(world)).some((miner) => miner.session !== session));
}

async function judgeDrain(world) {
    const drained = await world.operator.post('drain');
    check('draining sends miners away', drained.status === 200 &&
          drained.document.miners_sent_away >= 1, JSON.stringify(drained.document));
    await world.judgeLine('drain', 'ada', '');
    checkEqual('the node has no miners then', (await authorized(world)).length, 0);
    const ready = await httpAnswer(world.port, '/readyz');
    check('/readyz is a 503 with the reason', ready.status === 503 &&
          ready.body.includes('drained'), ready.body);
    const { banner } = (await world.client().get('status')).document;
    check('the banner warns of it', banner?.level === 'warning' &&
          banner.text.includes('drained'), JSON.stringify(banner));
    checkEqual('/livez is not', (await httpAnswer(world.port, '/livez')).status, 200);
    const late = new StratumConnection(world.node.port);
    await late.open().catch(() => {}); // it may be reset at once
    await checkReached('who comes now is sent away', 10, () => late.isClosed);
    const before = (await world.node.report('status')).tip.height;
    checkEqual('it cannot be drained twice', (await world.operator.post('drain')).status, 409);
    const undrained = await shoal('undrain', '--data', world.data);
    checkEqual('the owner of the machine ends it', undrained.code, 0);
    await world.judgeLine('undrain', 'local', '');
    await checkReached('the miner is back', 30, async () => (await authorized(world)).length > 0);
    await checkReached('and the share-chain grows on', 30, async () =>
        (await world.node.report('status')).tip.height > before);
}

async function openPeers(node) {
    return (await node.report('peers')).peers.filter(({ is_open: isOpen }) => isOpen).length;
}

async function judgeBan(world) {
    await waitFor('the second node', 40, async () => (await openPeers(world.node)) === 1);
    const wrong = await world.operator.post('peers/ban', { address: 'localhost' });
    checkEqual('what is no address is not banned', wrong.status, 400);
    const banned = await world.operator.post('peers/ban', { address: '127.0.0.1', seconds: 3600,
                                                            reason: 'a test' });
    checkEqual('a ban ends the link', banned.document.links_ended, 1);
    await world.judgeLine('peers/ban', 'ada', 'address=127.0.0.1 seconds=3600 reason=a test');
    checkEqual('there is no peer then', await openPeers(world.node), 0);
    const undone = await shoal('unban', '127.0.0.1', '--data', world.data);
    checkEqual('the ban is taken away', undone.code, 0);
    await world.judgeLine('peers/unban', 'local', 'address=127.0.0.1');
    const none = await world.operator.post('peers/unban', { address: '127.0.0.1' });
    checkEqual('there is none to take away then', none.status, 404);
}

async function judgeLevel(world) {
    const level = async (text) => (await world.operator.post('log-level', { level: text })).status;
    checkEqual('the log level is set', await level('warn'), 200);
    await world.judgeLine('log-level', 'ada', 'level=warn');
    checkEqual('to a level only', await level('loud'), 400);
    const more = await world.operator.post('log-level', { level: 'warn', more: 1 });
    checkEqual('members that are not known are refused', more.status, 400);
    const set = await shoal('log-level', 'debug', '--data', world.data);
    checkEqual('and by the command', set.code, 0);
}

async function judgeEnd(world) {
    const cookie = world.admin.cookie;
    checkEqual('signing out ends the session', (await world.admin.send('DELETE', 'session')).status,
               200);
    const replay = await world.admin.send('GET', 'accounts', undefined,
                                          { headers: { Cookie: cookie } });
    checkEqual('whose cookie is worth nothing then', replay.status, 401);
    const said = await shoal('audit', '--data', world.data);
    check('the audit log is shown by the command', said.code === 0 &&
          said.out.includes('session/end') && said.out.includes('peers/ban'));
    const path = join(world.data, 'audit.log');
    const text = readFileSync(path, 'utf8');
    check('it is for its owner only, whole, and without secrets',
          (statSync(path).mode & 0o777) === 0o600 && !text.includes(PASSWORD) &&
          text.trim().split('\n').every((line, i) => JSON.parse(line).number === i + 1));
}

// A password is under way when it is told to stop.
async function judgeStop(world) {
    const late = world.client({ from: '127.0.0.50' }).signIn('ada', PASSWORD).catch(() => null);
    const { code } = await world.node.process.stop(30);
    await late;
    checkEqual('a node that stops while a password is checked ends well', code, 0);
    const down = await shoal('drain', '--data', world.data);
    checkEqual('actions need a node', down.code, 3);
}

await script('access', async () => {
    const world = new World();
    await world.begin();
    await part('accounts before the node runs', () => makeAccounts(world));
    await world.node.start();
    world.cluster.seed = (await world.node.report('dht')).own.seed;
    const second = await world.cluster.add();
    second.launch();
    await part('sessions', () => judgeSession(world));
    await part('other sites', () => judgeOtherSites(world));
    await part('lock-out', () => judgeLockOut(world));
    await part('second factor', () => judgeSecondFactor(world));
    await part('accounts', () => judgeAccounts(world));
    await part('tokens', () => judgeTokens(world));
    await part('reload', () => judgeReload(world));
    await part('miners', () => judgeMiners(world));
    await part('drain', () => judgeDrain(world));
    await part('ban', () => judgeBan(world));
    await part('log level', () => judgeLevel(world));
    await part('the end', () => judgeEnd(world));
    await part('the stop', () => judgeStop(world));
});
