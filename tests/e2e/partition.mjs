// Five nodes that know one seed, each in a network namespace with addresses of its own: the network
// between them breaks in two for two minutes and heals. Packets vanish, no connection is told. Both
// sides go on mining, as the coin's daemon stays in reach of all; after it all five agree within
// half a minute, and all work done within six blocks of the split is credited (protocol rule 7.5):
// computed here from what each side exported before it saw the other again. Then one is killed.
//
// Node 4 has IPv4 only, node 5 IPv6 only. With delay and loss where the kernel has netem.
// E2E_PARTITION_SECONDS: how long it is broken (default 120).
import { addressOf } from './lib/addresses.mjs';
import { Devchain } from './lib/daemons.mjs';
import { readHeader } from './lib/block.mjs';
import { reversed } from './lib/bytes.mjs';
import { CpuMiner } from './lib/miner.mjs';
import { DAEMON_HOST, Network, coinAddress, enterOwnNetwork, inside, ipv4Of, ipv6Of }
    from './lib/netns.mjs';
import { epochOf } from './lib/payout.mjs';
import { checkLinkHeaders, heldShares, linksOf, problemsOfLinks } from './lib/referee.mjs';
import { Node, newPool } from './lib/shoal.mjs';
import { StratumMiner } from './lib/stratum.mjs';
import { check, checkEqual, checkReached, part, say, script, skip, sleep, waitFor }
    from './lib/checks.mjs';

const BROKEN_S = Number(process.env.E2E_PARTITION_SECONDS ?? 120);
const CONVERGE_S_MAX = 30;
const NETEM = 'delay 25ms 5ms loss 0.5%';

const PEER_PORT = 8400;
const STRATUM_PORT = 3333;
const HASHRATE = 250000; // of all miners together
const NOTED_HASHRATE = 20000; // of each who takes note
const NOTED_PASSWORD = 'd=0.00001'; // harder than grains are here
// Nodes 1 and 2; 3, 4 and 5.
const SIDES = ['west', 'west', 'east', 'east', 'east'];
const FAMILIES = ['both', 'both', 'both', 'ipv4', 'ipv6'];
const NOTED = [2, 4]; // behind these, one on each side, somebody takes note of his shares
const KILLED = 3;

// A block in 12 s: a partition of two minutes is longer than six blocks.
const DAEMON = ['--hashrate', '250k', '--spacing', '12', '--transactions', '8'];
const POOL = { 'link-spacing': 1, 'half-life': 60, 'easiest-bits': '1e200000',
               'grains-per-link': 20, outputs: 8, 'window-multiple': 3000 };

// ---- The nodes

function listenOf(number) {
    const ipv4 = `${ipv4Of(number)}:${PEER_PORT}`;
    const ipv6 = `[${ipv6Of(number)}]:${PEER_PORT}`;
    return { ipv4, ipv6, both: `${ipv4},${ipv6}` }[FAMILIES[number - 1]];
}

class Lab {
    constructor(daemon, pool) {
        this.daemon = daemon;
        this.pool = pool;
        this.nodes = [];
        this.miners = [];
        this.noted = [];
    }

    async add(number, seed) {
        const node = await Node.make(`partition-${number}`, this.pool, [this.daemon.url], {
            found: number === 1 ? 1 : 0, upnp: 0, 'peer-listen': listenOf(number),
            'stratum-listen': `${coinAddress(number)}:${STRATUM_PORT}`,
            ...(number === 1 ? {} : { seed }),
        });
        node.through = inside(number);
        this.nodes.push(node);
        return node;
    }

    async start() {
        const first = await this.add(1);
        await first.start();
        const { seed } = (await first.report('dht')).own;
        const key = seed.slice(seed.indexOf('/'));
        for (let number = 2; number <= SIDES.length; number++) {
            const host = FAMILIES[number - 1] === 'ipv6' ? `[${ipv6Of(1)}]` : ipv4Of(1);
            (await this.add(number, `${host}:${PEER_PORT}${key}`)).launch();
        }
    }

    user(number, name) {
        return `${addressOf(this.daemon.chain, 'p2wpkh', `partition ${number}`).address}.${name}`;
    }

    mine() {
        for (const node of this.nodes) {
            const number = this.nodes.indexOf(node) + 1;
            this.miners.push(new CpuMiner(`partition-miner-${number}`,
                `${coinAddress(number)}:${STRATUM_PORT}`, [this.user(number, `behind${number}`)],
                HASHRATE / SIDES.length));
        }
        for (const number of NOTED) {
            const miner = new StratumMiner(STRATUM_PORT, {
                host: coinAddress(number), user: this.user(number, 'noted'),
                hashesPerSecond: NOTED_HASHRATE, password: NOTED_PASSWORD });
            this.noted.push({ number, miner, run: miner.run() });
        }
    }

    async stopMining() {
        this.noted.forEach(({ miner }) => miner.stop());
        await Promise.all([...this.noted.map(({ run }) => run),
                           ...this.miners.map(({ process: each }) => each.stop())]);
    }

    reports(document) {
        return Promise.all(this.nodes.map((node) => node.report(document)));
    }

    async heights() {
        return (await this.reports('status')).map(({ tip }) => tip.height);
    }

    async tips() {
        return (await this.reports('status')).map(({ tip }) => tip.id);
    }

    // Who is connected with whom, by node number, and over which address family.
    async links() {
        const ids = (await this.reports('dht')).map(({ own }) => own.node_id);
        return (await this.reports('peers')).map(({ peers }) =>
            peers.filter(({ is_open: isOpen }) => isOpen).map(({ node_id: id, address }) =>
                ({ to: ids.indexOf(id) + 1, family: address.startsWith('[') ? 'ipv6' : 'ipv4' })));
    }
}

const isEqual = (values) => values.every((value) => value === values[0]);
const sideOf = (values, side) => values.filter((_, i) => SIDES[i] === side);

// ---- Before

// All that can be connected are: everybody but 4 and 5, which have no family in common.
function isWhole(links) {
    return links.every((each, i) => {
        const others = new Set(each.map(({ to }) => to));
        return others.size === SIDES.length - (FAMILIES[i] === 'both' ? 1 : 2);
    });
}

async function meet(lab) {
    await checkReached('five nodes find each other from one seed', 90,
                       async () => isWhole(await lab.links()));
    const links = await lab.links();
    const families = links.map((each) => [...new Set(each.map(({ family }) => family))].join());
    checkEqual('the node without IPv4 has links over IPv6 only', families[4], 'ipv6');
    checkEqual('the node without IPv6 has links over IPv4 only', families[3], 'ipv4');
    check('the other side sees the same families', links.slice(0, 3).every((each) =>
        each.find(({ to }) => to === 4)?.family === 'ipv4' &&
        each.find(({ to }) => to === 5)?.family === 'ipv6'), JSON.stringify(links));
    lab.mine();
    await waitFor('fifteen links', 60, async () => Math.min(...await lab.heights()) >= 15);
    await checkReached('they agree', 10, async () => isEqual(await lab.tips()));
}

// ---- The break

// What each side holds, and how many blocks were found meanwhile.
async function breakInTwo(lab, network) {
    const open = (await lab.links()).flat().length;
    const blocks = await lab.daemon.rpc.call('getblockcount');
    const height = Math.max(...await lab.heights());
    network.cut();
    say(`        the network is broken, for ${BROKEN_S} s`);
    const end = Date.now() + BROKEN_S * 1000;
    await sleep(5000);
    checkEqual('no connection is told that it leads nowhere', (await lab.links()).flat().length,
               open);
    await sleep(end - Date.now() - 2000);
    const heights = await lab.heights();
    const tips = await lab.tips();
    check(`both sides mined on: from link ${height} to ${heights.join(' ')}`,
          tips[0] !== tips[4] && Math.min(...heights) > height);
    const sides = {};
    for (const side of ['west', 'east'])
        sides[side] = await heldShares(lab.nodes[SIDES.indexOf(side)]);
    // The two may be a share apart at this moment, never more.
    check('each side agrees in itself', ['west', 'east'].every((side) => {
        const own = sideOf(heights, side);
        return Math.max(...own) - Math.min(...own) <= 2;
    }), heights.join(' '));
    const found = await lab.daemon.rpc.call('getblockcount') - blocks;
    say(`        ${found} blocks were found while it was broken`);
    await sleep(end - Date.now());
    return sides;
}

async function heal(lab, network) {
    const begin = Date.now();
    network.heal();
    await checkReached('healed: all five have one tip', CONVERGE_S_MAX,
                       async () => isEqual(await lab.tips()));
    say(`        links a node: ${(await lab.links()).map(({ length }) => length).join(' ')}, ` +
        `${Date.now() - begin} ms after the network was whole`);
    await checkReached('and are connected as before', 120,
                       async () => isWhole(await lab.links()));
}

// ---- What became of the work

// Where two chains part: the height of the last link they have in common.
function forkOf(links, others) {
    const parted = links.findIndex((link, i) => link.id !== others[i]?.id);
    return (parted < 0 ? links.length : parted) - 1;
}

// Rule 7.5: a share on the block at this height can be credited by both chains.
function isCreditableByBoth(chains, height) {
    const [one, other] = chains.map((links) => links[epochOf(links, links.length - 1, height)].id);
    return one === other;
}

// Ids of what a chain credits after the fork and another chain must credit too. A grain stands on
// no later block than the link that includes it, or on the next one, of which that link's maker had
// not heard yet.
function exportedWork(chain, fork, isCreditable) {
    const ids = [];
    for (const link of chain.slice(fork + 1)) {
        if (isCreditable(link.tip_height))
            ids.push(link.id);
        if (isCreditable(link.tip_height + 1))
            ids.push(...link.included.map(([id]) => id));
    }
    return ids;
}

// The shares a miner was told are good, with the height of the block they stand on. Its jobs are as
// hard as grains, but for rounding.
async function notedWork(lab, miner, { begin, end }) {
    const work = [];
    for (const share of miner.accepted()) {
        if (share.pow > share.target * 98n / 100n || share.sentAt < begin || share.sentAt > end)
            continue;
        const { prev } = readHeader(share.header);
        const { height } = await lab.daemon.rpc.call('getblockheader', reversed(prev), true);
        work.push({ id: share.id, height });
    }
    return work;
}

// How the two sides and the chain that stays lie to each other.
async function compareSides(lab, sides) {
    const final = linksOf(lab.pool, await lab.nodes[0].report('credits'));
    const chains = {};
    for (const side of ['west', 'east'])
        chains[side] = linksOf(lab.pool, sides[side]);
    const fork = forkOf(chains.west, chains.east);
    const lost = forkOf(final, chains.west) < forkOf(final, chains.east) ? 'west' : 'east';
    const won = lost === 'west' ? 'east' : 'west';
    checkEqual(`the chain of the ${won} stays, ${chains[won].length - 1 - fork} links long ` +
               `against ${chains[lost].length - 1 - fork}`,
               forkOf(final, chains[won]), chains[won].length - 1);
    const isCreditable = (height) => isCreditableByBoth([chains[lost], chains[won]], height);
    const count = (side) => chains[side].slice(fork + 1)
        .reduce((sum, { included }) => sum + 1 + included.length, 0);
    return {
        lost, won, isCreditable, count,
        wantedOfLost: exportedWork(chains[lost], fork, isCreditable),
        wantedOfWon: exportedWork(chains[won], fork, () => true),
    };
}

// What was found while the network was broken: all that counts is credited, and nothing else.
async function judgeCredits(lab, sides, broken) {
    const found = await compareSides(lab, sides);
    const noted = [];
    for (const { number, miner } of lab.noted) {
        const isLost = SIDES[number - 1] === found.lost;
        const work = await notedWork(lab, miner, broken);
        const counts = ({ height }) => !isLost || found.isCreditable(height);
        noted.push({ number, wanted: work.filter(counts).map(({ id }) => id),
                     late: work.filter((share) => !counts(share)).map(({ id }) => id) });
    }
    const wanted = [...found.wantedOfLost, ...noted.flatMap(({ wanted: ids }) => ids)];
    let credited;
    await checkReached(`the chain of all credits what the ${found.lost} has lost`, 60, async () => {
        ({ credited } = await heldShares(lab.nodes[0]));
        return wanted.every((id) => credited.has(id));
    });
    const missingOf = (ids) => ids.filter((id) => !credited.has(id));
    const judge = (name, ids) => check(name, ids.length > 0 && missingOf(ids).length === 0,
        `${missingOf(ids).length} are not, as ${missingOf(ids)[0]}`);
    judge(`${found.wantedOfLost.length} shares that the ${found.lost} alone had credited (of ` +
          `${found.count(found.lost)}) stand within six blocks of the split: all are credited`,
          found.wantedOfLost);
    judge(`and all ${found.wantedOfWon.length} of the ${found.won}`, found.wantedOfWon);
    for (const { number, wanted: ids, late } of noted) {
        judge(`and all ${ids.length} that the miner behind node ${number} was told count`, ids);
        check(`and none of his ${late.length} that came too late`,
              missingOf(late).length === late.length, late.find((id) => credited.has(id)));
    }
}

// ---- After

async function killAndReturn(lab) {
    const node = lab.nodes[KILLED - 1];
    await node.process.kill();
    await sleep(5000);
    const begin = Date.now();
    node.launch();
    await checkReached('kill -9: the node is back among the others', CONVERGE_S_MAX, async () =>
        isEqual(await lab.tips()) && (await node.report('status')).job !== null);
    say(`        ${Date.now() - begin} ms after it was started again`);
}

async function judgeAgreement(lab) {
    await checkReached('all nodes have the same tip when the miners stand still', CONVERGE_S_MAX,
                       async () => isEqual(await lab.tips()));
    const held = await Promise.all(lab.nodes.map(heldShares));
    const texts = held.map(({ links }) => JSON.stringify(links));
    check(`the exported chain of ${held[0].links.length} links with ${held[0].credited.size} ` +
          'shares is the same on all nodes', isEqual(texts));
    const chain = linksOf(lab.pool, { links: held[0].links });
    const problems = problemsOfLinks(lab.pool, chain);
    check('the chain adds up by the protocol', problems.length === 0,
          problems.slice(0, 3).join('; '));
    const headers = await checkLinkHeaders(lab.daemon, lab.pool, chain, 'sha256d');
    check(`${headers.seen} links are blocks of the daemon`, headers.problems.length === 0,
          headers.problems.slice(0, 3).join('; '));
    const bans = (await lab.reports('peers')).flatMap(({ bans: each }) => each);
    checkEqual('nobody was banned', bans.length, 0);
}

async function fiveNodes() {
    const network = new Network(SIDES, FAMILIES);
    const missing = network.impair(NETEM);
    if (missing === '')
        say(`        each node sends with ${NETEM}`);
    else
        skip('delay and loss', `netem is not available, they are not applied (${missing})`);
    const daemon = await Devchain.make('partition-daemon', DAEMON, DAEMON_HOST);
    await daemon.start();
    const pool = await newPool('partition-pool',
                               { chain: daemon.chain, daemon: daemon.url, ...POOL });
    const lab = new Lab(daemon, pool);
    await lab.start();
    await meet(lab);
    const begin = Date.now();
    const sides = await breakInTwo(lab, network);
    await heal(lab, network);
    await judgeCredits(lab, sides, { begin, end: begin + (BROKEN_S - 5) * 1000 });
    await killAndReturn(lab);
    await lab.stopMining();
    await judgeAgreement(lab);
    for (const node of lab.nodes)
        checkEqual(`${node.name} ends well`, (await node.process.stop()).code, 0);
}

const reason = await enterOwnNetwork(import.meta.url);
await script('partition', async () => {
    if (reason === '')
        await part('five nodes', fiveNodes);
    else
        skip('the network that breaks in two', `there are no network namespaces here: ${reason}`);
});
