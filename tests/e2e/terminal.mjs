// The commands as a person sees them, in a pseudo-terminal: `shoal top` draws its views at several
// sizes, follows the node, waits for one that went away, and leaves the terminal as it found it
// however it ends; tables fit the terminal, and foreign names cannot steer it.
import { join } from 'node:path';
import { Cluster } from './lib/cluster.mjs';
import { Devchain } from './lib/daemons.mjs';
import { BIN, folder, runCommand } from './lib/processes.mjs';
import { newPool, shoal } from './lib/shoal.mjs';
import { StratumConnection } from './lib/stratum.mjs';
import { Terminal } from './lib/terminal.mjs';
import { check, checkEqual, checkReached, part, script, sleep, waitFor } from './lib/checks.mjs';

const SHOAL = join(BIN, 'shoal');
const WAIT_S = 60;
const HASHRATE = 100000;
const BYTES_MAX = 3000; // a second, on a screen where little changes
// Turns the writing round, has no width, steers the terminal by one character, and is no UTF-8; as
// the bytes that are sent. What the node itself does not let in, text_test.c tries.
const HOSTILE = Buffer.from('\u202egnorw\u200b\u009b31m').toString('latin1') + '\xff';

const sees = (look, pattern) => look.lines.some((line) => pattern.test(line));

class Top extends Terminal {
    constructor(node, columns, rows, env = {}) {
        super(columns, rows, [SHOAL, 'top', '--data', node.data], env);
    }

    waitFor(what, condition) {
        return checkReached(what, WAIT_S, async () => {
            const look = await this.look();
            return condition(look) && look;
        });
    }

    shows(what, pattern) {
        return this.waitFor(what, (look) => sees(look, pattern));
    }
}

function judgeEnd(name, look, status) {
    checkEqual(`${name}: the status`, look.status, status);
    check(`${name}: the terminal is as it was`, !look.isSecond && look.hasCursor &&
          look.isWrapping && look.isAsBefore, JSON.stringify({ ...look, lines: [] }));
}

async function judgeViews(top, user) {
    const overview = await top.shows('the overview shows the miner', new RegExp(user.slice(0, 6)));
    check('the overview has pool, share-chain, miners and daemons',
          [/^pool +terminal on devchain/, /^share-chain +link \d+/, /^miners +\d+ connected/,
           /^daemons +1 of 1 ready/].every((pattern) => sees(overview, pattern)),
          overview.lines.join('\n'));
    check('it fills 24 lines of 80 columns', overview.lines.length === 24 &&
          overview.lines[0] !== '' && /q end/.test(overview.lines[23]), overview.lines.join('\n'));
    check('the terminal is in its second screen, without a cursor',
          overview.isSecond && !overview.hasCursor && !overview.isAsBefore);
    await top.type('2');
    await top.shows('key 2: the miners', /^user .*accepted/);
    await top.type('p');
    await top.shows('key p: the other nodes', /^address .*round trip|No node is connected/);
    await top.type('\t');
    await top.shows('Tab: the blocks', /^ *height .*state|No block was found yet/);
    await top.type('\x1b[C');
    await top.shows('right: the payouts', /^payee .*coins|No block is being worked on/);
    await top.type('?');
    await top.shows('?: the keys', /sort by the column/);
    await top.type('m');
    await top.shows('m: the miners again', /^user .*10 min\*/);
    await top.type('>');
    await top.shows('>: sorted by the next column', /^user .*accepted\*/);
    await top.type('<<');
    await top.shows('<: and back', /^user .* 1 min\*/);
}

async function judgeDrawing(top) {
    await top.type('h');
    const begin = await top.shows('a view where little changes', /sort by the column/);
    const seconds = 3;
    await waitFor('some more seconds', WAIT_S, async () => {
        const look = await top.look();
        return look.lines[0] !== begin.lines[0] && look;
    });
    const before = await top.look();
    await sleep(seconds * 1000);
    const after = await top.look();
    check(`only what changes is drawn: ${after.bytes - before.bytes} bytes in ${seconds} s`,
          after.bytes > before.bytes && after.bytes - before.bytes < seconds * BYTES_MAX);
    checkEqual('the screen is never cleared for that', after.cleared, begin.cleared);
    check('there is nothing but known sequences', after.unknown.length === 0,
          after.unknown.join(' '));
}

async function judgeSizes(top) {
    await top.type('o');
    for (const [columns, rows] of [[120, 40], [40, 10], [20, 5], [10, 1], [80, 24]]) {
        await top.order({ resize: [columns, rows] });
        await top.waitFor(`drawn anew for ${columns} x ${rows}`, ({ lines }) =>
            lines.length === rows && (rows === 1 || /q end/.test(lines[rows - 1])) &&
            lines.every((line) => line.length <= columns));
    }
}

async function judgeLoss(cluster, top) {
    const [node] = cluster.nodes;
    await node.process.kill();
    await top.shows('a node that was killed is said to be away', /no node answers|gave no answer/);
    await top.shows('what it said last stays, as old', /\(old\)/);
    await node.start();
    await top.waitFor('it is found again by itself', (look) =>
        !sees(look, /no node answers|gave no answer|\(old\)/) && sees(look, /^pool /));
}

async function judgePause(top) {
    const before = (await top.look()).bytes;
    await top.type('\x1a');
    const stopped = await top.waitFor('Ctrl-Z puts it aside', ({ isStopped }) => isStopped);
    check('and gives the terminal back meanwhile', !stopped.isSecond && stopped.hasCursor &&
          stopped.isAsBefore);
    await top.order({ signal: 'CONT' });
    await top.waitFor('fg brings it back', (look) =>
        look.isSecond && !look.isAsBefore && sees(look, /^pool /) && look.bytes > before);
}

async function judgeEnds(node) {
    const ends = [['q', { type: 'q' }, 0], ['Ctrl-C', { type: '\x03' }, 0],
                  ['SIGTERM', { signal: 'TERM' }, 0], ['SIGHUP', { signal: 'HUP' }, 0]];
    for (const [name, order, status] of ends) {
        const top = new Top(node, 80, 24);
        await top.shows(`before ${name}: it shows the pool`, /^pool /);
        await top.order(order);
        const look = await top.waitFor(`${name} ends it`, (seen) => seen.status !== null);
        judgeEnd(name, look, status);
        top.close();
    }
}

async function judgeTop(cluster) {
    const top = new Top(cluster.nodes[0], 80, 24);
    await part('views', () => judgeViews(top, cluster.users[0].address));
    await part('drawing', () => judgeDrawing(top));
    await part('sizes', () => judgeSizes(top));
    await part('a node that goes away', () => judgeLoss(cluster, top));
    await part('putting aside', () => judgePause(top));
    top.close();
    await part('ends', () => judgeEnds(cluster.nodes[0]));
    const away = new Top({ data: folder('nowhere') }, 80, 24);
    await away.shows('without a node it says so, and waits', /no node answers/);
    await away.type('q');
    judgeEnd('q without a node', await away.waitFor('q ends it', ({ status }) => status !== null),
             0);
    away.close();
    const piped = await runCommand(SHOAL, ['top', '--data', cluster.nodes[0].data]);
    check('without a terminal it says what is wrong',
          piped.code === 1 && /needs a terminal/.test(piped.error), JSON.stringify(piped));
}

// ---- Tables

async function judgeHostile(cluster) {
    const [node] = cluster.nodes;
    const { address } = cluster.users[0];
    const stranger = new StratumConnection(node.port);
    await stranger.open();
    await stranger.ask('mining.subscribe', [`miner${HOSTILE}`]);
    await stranger.ask('mining.authorize', [`${address}.${HOSTILE}`, 'x']);
    const top = new Top(node, 200, 24);
    await top.type('m');
    await top.shows('the miner with the hostile name is there', /gnorw/);
    const look = await top.look();
    check('its name does nothing to the terminal', look.unknown.length === 0 &&
          look.cleared <= 2, JSON.stringify(look.unknown));
    top.close();
    const { out } = await shoal('miners', '--data', node.data);
    check('nor in a table', /gnorw/.test(out) &&
          !/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\ufffd]/.test(out), out);
    stranger.close();
}

async function seen(node, args, columns, env = {}) {
    const terminal = new Terminal(columns, 60, [SHOAL, ...args, '--data', node.data], env);
    const look = await waitFor(`shoal ${args[0]} to end`, WAIT_S, async () => {
        const now = await terminal.look();
        return now.status !== null && now;
    });
    terminal.close();
    return look;
}

async function judgeTables(node, user) {
    const wide = await seen(node, ['miners'], 200);
    check('headings are bold on a terminal', wide.styles.includes(1), wide.styles.join());
    check('a wide terminal has all columns', sees(wide, /^user .*device .*difficulty .*blocks/),
          wide.lines[0]);
    const narrow = await seen(node, ['miners'], 80);
    check('a table fits 80 columns', sees(narrow, /^user .*accepted.*last share/) &&
          narrow.lines.filter((line) => line !== '').length ===
          wide.lines.filter((line) => line !== '').length, narrow.lines.slice(0, 6).join('\n'));
    const plain = await seen(node, ['status'], 80, { NO_COLOR: '1' });
    checkEqual('NO_COLOR: there are no styles', plain.styles.join(), '');
    const dumb = await seen(node, ['status'], 80, { TERM: 'dumb' });
    checkEqual('TERM=dumb: there are none, either', dumb.styles.join(), '');
    const piped = await shoal('status', '--data', node.data);
    check('in a pipe there are no sequences, and nothing is cut',
          piped.code === 0 && !piped.out.includes('\x1b') && !piped.out.includes('…'));
    for (const name of ['status', 'miners', 'addresses', 'payouts', 'blocks', 'luck', 'standings',
                        'template', 'peers', 'dht', 'chain', 'daemons']) {
        const asked = await shoal(name, '--data', node.data, '--json');
        check(`shoal ${name} --json is one document`, asked.code === 0 &&
              JSON.parse(asked.out).document === name);
        const text = await shoal(name, '--data', node.data);
        check(`shoal ${name} says something`, text.code === 0 && text.out.length > 20);
    }
    const miner = await shoal('address', user.address, '--data', node.data);
    check('shoal address shows a miner and what it will be paid', miner.code === 0 &&
          /coins expected/.test(miner.out) && /^behind1 /m.test(miner.out), miner.out);
    const nobody = await shoal('address', 'nonsense', '--data', node.data);
    check('an address that is none: status 1, and it is named', nobody.code === 1 &&
          /nonsense/.test(nobody.error), nobody.error);
    checkEqual('a block that nobody knows: status 1',
               (await shoal('block', 'ab'.repeat(32), '--data', node.data)).code, 1);
}

await script('terminal', async () => {
    const daemon = await Devchain.make('terminal-devchain', ['--hashrate', '1M', '--spacing', '2']);
    await daemon.start();
    const pool = await newPool('terminal', {
        chain: 'devchain', daemon: daemon.url, 'link-spacing': 1, 'half-life': 60,
        'easiest-bits': '1e200000', 'grains-per-link': 10 });
    const cluster = new Cluster('terminal', daemon, pool);
    await cluster.start(1);
    cluster.mineBehind(0, HASHRATE);
    await part('top', () => judgeTop(cluster));
    await part('hostile names', () => judgeHostile(cluster));
    await waitFor('the miner to be back', WAIT_S, async () =>
        (await cluster.nodes[0].report('miners')).miners.some(({ user }) => user));
    await part('tables', () => judgeTables(cluster.nodes[0], cluster.users[0]));
    await cluster.stopMiners();
});
