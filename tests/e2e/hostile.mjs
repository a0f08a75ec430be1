// Peers that misbehave: what they send is refused, members are banned and told so in the log, a
// node that is attacked stays up, within bounds of memory, and shares go on reaching everybody.
// Strangers, and those of another pool or without the secret, get not one byte in answer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster } from './lib/cluster.mjs';
import { Devchain } from './lib/daemons.mjs';
import { BIN, runCommand } from './lib/processes.mjs';
import { newPool, shoal } from './lib/shoal.mjs';
import { check, checkEqual, checkReached, part, script, sleep } from './lib/checks.mjs';

const SECONDS = 6;    // of each attack
const SETTLE_MS = 2000;
const PEER_KB_MAX = 512; // of memory for each hostile peer
const NOISE_KB = 2048;   // what two nodes that do the same may differ by
const HALF_OPEN_MAX = 256;

const POOL = { 'link-spacing': 1, 'half-life': 60, 'easiest-bits': '1e080000',
               'grains-per-link': 20, outputs: 8, 'window-multiple': 3000 };

const OTHER_POOL = 'ab'.repeat(32);

// What bad_peer did, by tests/support/bad_peer.h.
async function attack(node, pool, way, options = {}) {
    const [, port] = node.flags['peer-listen'].split(':');
    const flags = { way, port, victim: join(node.data, 'identity.key'), 'pool-id': pool.id,
                    seconds: SECONDS, ...options };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const ran = await runCommand(join(BIN, 'bad_peer'), args, { timeoutMs: 60000 });
    if (ran.code !== 0)
        throw new Error(`bad_peer: ${ran.error}`);
    return JSON.parse(ran.out);
}

function residentKb(node) {
    const status = readFileSync(`/proc/${node.process.child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]);
}

function sharesBetween(node, begin, end) {
    return new Set(node.process.events()
        .filter(({ event, time }) => event === 'new share' && Date.parse(time) >= begin &&
                                     Date.parse(time) <= end)
        .map(({ id }) => id));
}

const bansOf = (node) => node.process.events().filter(({ event }) => event === 'node banned');
const describe = (tally) => Object.entries(tally).filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`).join(', ');

// Runs an attack on the second of three nodes, whose miner is behind the first, and judges what
// every attack must leave as it was. peers: how many the attack is.
async function judgeAttack(cluster, name, peers, run) {
    const [miner, victim, other] = cluster.nodes;
    const before = [victim, other].map(residentKb);
    const banned = bansOf(victim).length;
    const begin = Date.now();
    let most = 0;
    const watch = setInterval(() => { most = Math.max(most, residentKb(victim)); }, 200);
    const tally = await run().finally(() => clearInterval(watch));
    const end = Date.now();
    await sleep(SETTLE_MS);
    check(`${name}: ${describe(tally)}`, tally.bytes_sent > 0);
    check(`${name}: the node stays up`, victim.process.isRunning());
    const found = sharesBetween(miner, begin, end);
    for (const [node, who] of [[victim, 'the victim'], [other, 'the third node']]) {
        const there = sharesBetween(node, begin, Date.now());
        const lost = [...found].filter((id) => !there.has(id));
        check(`${name}: all of ${found.size} shares found meanwhile reach ${who}`,
              found.size > 0 && lost.length === 0, `${lost.length} do not`);
    }
    const grown = most - before[0] - Math.max(0, residentKb(other) - before[1]);
    check(`${name}: memory grows by ${grown} KB for ${peers} peers at most`,
          grown <= peers * PEER_KB_MAX + NOISE_KB);
    return { tally, bans: bansOf(victim).slice(banned) };
}

async function strangers(cluster) {
    const [, victim] = cluster.nodes;
    const garbage = await judgeAttack(cluster, 'garbage', 1, () =>
        attack(victim, cluster.pool, 'garbage'));
    checkEqual('garbage: not one byte in answer', garbage.tally.bytes_received, 0);
    let halfOpen = 0;
    const watch = setInterval(async () => {
        const { half_open: now } = await victim.report('peers').catch(() => ({ half_open: 0 }));
        halfOpen = Math.max(halfOpen, now);
    }, 500);
    const drip = await judgeAttack(cluster, 'a byte a second', 300, () =>
        attack(victim, cluster.pool, 'drip', { connections: 300, addresses: 300, seconds: 9 }));
    clearInterval(watch);
    checkEqual('a byte a second: not one byte in answer', drip.tally.bytes_received, 0);
    check(`a byte a second: ${halfOpen} handshakes wait at once, and are given up`,
          halfOpen > 8 && halfOpen <= HALF_OPEN_MAX && drip.tally.refused > 0);
    const other = await judgeAttack(cluster, 'of another pool', 1, () =>
        attack(victim, { id: OTHER_POOL }, 'greet'));
    check('of another pool: silence, not one byte in answer',
          other.tally.connections > 0 && other.tally.bytes_received === 0,
          describe(other.tally));
    const said = await victim.logged({ event: 'connections were refused' }, 70);
    check(`the log says of all these: ${said.count} refused, ${said.reason}`, said.count > 0);
}

// Each is banned, by its identity; it comes again as another.
const MEMBERS = [
    { way: 'flood', says: 'it sends too much' },
    { way: 'junk', says: 'it announced what cannot be a share' },
    { way: 'forge', says: 'it sent an invalid share' },
];

async function members(cluster) {
    const [, victim] = cluster.nodes;
    for (const { way, says } of MEMBERS) {
        const { tally, bans } = await judgeAttack(cluster, way, 1, () =>
            attack(victim, cluster.pool, way));
        const right = bans.filter(({ reason }) => reason === says);
        check(`${way}: ${bans.length} of ${tally.handshakes} identities are banned: "${says}"`,
              right.length > 0 && right.length === bans.length,
              bans.map(({ reason }) => reason).join('; '));
    }
    const deaf = await judgeAttack(cluster, 'asks and does not read', 1, () =>
        attack(victim, cluster.pool, 'deaf'));
    check('asks and does not read: it was let in', deaf.tally.handshakes > 0,
          describe(deaf.tally));
}

async function attacked() {
    const daemon = await Devchain.make('hostile-daemon', ['--hashrate', '200k',
                                                          '--spacing', '20']);
    await daemon.start();
    const pool = await newPool('hostile-pool', { chain: daemon.chain, daemon: daemon.url,
                                                 ...POOL });
    const cluster = new Cluster('hostile', daemon, pool);
    await cluster.start(3);
    await checkReached('three nodes are connected with each other', 60,
                       () => cluster.waitForLinks(2, 60).then(() => true));
    cluster.mineBehind(0, 200000);
    await checkReached('shares reach all', 30, async () =>
        cluster.nodes.every((node) => sharesBetween(node, 0, Date.now()).size > 5));
    await part('strangers', () => strangers(cluster));
    await part('members', () => members(cluster));
    const bans = (await Promise.all([cluster.nodes[0], cluster.nodes[2]].map(bansOf))).flat();
    checkEqual('nobody else banned anybody', bans.length, 0);
    await checkReached('the three are connected as before', 30,
                       () => cluster.waitForLinks(2, 30).then(() => true));
    await cluster.stopMiners();
    await checkReached('and have the same tip', 30, () => cluster.waitForOneTip(30));
    for (const node of cluster.nodes)
        checkEqual(`${node.name} ends well`, (await node.process.stop()).code, 0);
}

async function privatePool() {
    const daemon = await Devchain.make('secret-daemon', ['--hashrate', '100k', '--spacing', '60']);
    await daemon.start();
    const pool = await newPool('secret-pool', { chain: daemon.chain, daemon: daemon.url, ...POOL });
    const secret = (await shoal('pool', 'secret')).out.trim();
    const cluster = new Cluster('secret', daemon, pool);
    const node = await cluster.add({ secret });
    await node.start();
    for (const [what, options] of [['no secret', {}], ['another secret', { secret: OTHER_POOL }]]) {
        const tally = await attack(node, pool, 'greet', { seconds: 2, ...options });
        check(`private pool: who has ${what} gets silence`,
              tally.connections > 0 && tally.bytes_sent > 0 && tally.bytes_received === 0,
              describe(tally));
    }
    const member = await attack(node, pool, 'greet', { seconds: 2, secret, 'address-first': 9 });
    check('private pool: who has it is answered', member.handshakes > 0, describe(member));
    checkEqual('private pool: the node ends well', (await node.process.stop()).code, 0);
}

await script('hostile', async () => {
    await part('three nodes', attacked);
    await part('private pool', privatePool);
});
