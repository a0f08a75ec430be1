// Five nodes on loopback that know one seed: they find each other, mine one share-chain, and agree
// on tip, credits and payouts; a block found behind any of them pays the miners behind all. One
// joins late, one is killed and comes back. How long a share takes from the node whose miner found
// it to all five is measured. A private pool lets nobody in without its secret.
import { Cluster } from './lib/cluster.mjs';
import { Devchain } from './lib/daemons.mjs';
import { newPool, shoal } from './lib/shoal.mjs';
import { checkLinkHeaders, heldShares, judgeBlock, linksOf, problemsOfLinks, surelyGrain }
    from './lib/referee.mjs';
import { StratumMiner } from './lib/stratum.mjs';
import { check, checkEqual, checkReached, part, say, script, sleep, waitFor, within }
    from './lib/checks.mjs';

const NODES = 5;
const HASHRATE = 2000000; // of all miners together
const PAID_BLOCKS = 1;    // of each node, at least, that pay the miners behind all
const ANSWERED_MIN = 8;   // shares of a node before it is killed
const CONVERGE_S_MAX = 30;

const POOL = { 'link-spacing': 1, 'half-life': 60, 'easiest-bits': '1e080000',
               'grains-per-link': 20, outputs: 8, 'window-multiple': 3000 };

function poolOn(daemon, name) {
    return newPool(name, { chain: daemon.chain, daemon: daemon.url, ...POOL });
}

// ---- Paying

const isInChain = ({ place }) => place === 'in_chain' || place === 'mature';

// Of each node, the blocks in the coin's chain whose coinbase pays the miners behind all nodes.
async function blocksThatPayAll(cluster) {
    const all = cluster.users.map(({ script: hex }) => hex);
    return Promise.all(cluster.nodes.map(async (node) => {
        const found = (await node.report('blocks')).blocks.filter(isInChain);
        const paying = [];
        for (const block of found) {
            const { outputs } = await blockReport(node, block.id);
            const paid = new Set((outputs ?? []).map(({ script: hex }) => hex));
            if (all.every((hex) => paid.has(hex)))
                paying.push(block);
        }
        return paying;
    }));
}

async function blockReport(node, id) {
    const asked = await shoal('block', id, '--data', node.data, '--json');
    return asked.code === 0 ? JSON.parse(asked.out) : {};
}

// ---- Agreeing

// Without what is of the node's newest template: its time, and its fees.
const withoutTemplate = ({ now, next_block: next, ...rest }) =>
    JSON.stringify({ ...rest, window: next?.window },
                   (name, value) => (name === 'expected_sats' ? undefined : value));

// '' if two nodes export the same; within a link, credits have no order.
function firstDifference(links, others) {
    const asText = (name, value) => JSON.stringify(name === 'credits' ? [...value ?? []].sort()
                                                                       : value);
    for (let i = 0; i < Math.max(links.length, others.length); i++)
        for (const [name, value] of Object.entries(links[i] ?? others[i])) {
            const [one, other] = [asText(name, value), asText(name, others[i]?.[name])];
            if (one !== other)
                return `link ${i + 1}, ${name}: ${one} and ${other}`.slice(0, 400);
        }
    return '';
}

const areSame = (values) => values.every((value) => value === values[0]);

// What each node has, once all have the same shares that wait to be credited.
async function agreedShares(cluster) {
    let held = [];
    await checkReached('and so are the shares that wait to be credited', CONVERGE_S_MAX,
                       async () => {
        held = await Promise.all(cluster.nodes.map(heldShares));
        return areSame(held.map(({ all }) => [...all].sort().join()));
    });
    return held;
}

async function judgeAgreement(cluster) {
    await checkReached('all nodes have the same tip when the miners stand still', CONVERGE_S_MAX,
                       () => cluster.waitForOneTip(CONVERGE_S_MAX));
    const held = await agreedShares(cluster);
    const other = held.slice(1).map((each) => firstDifference(held[0].links, each.links));
    check(`the exported chain of ${held[0].links.length} links with ${held[0].credited.size} ` +
          'shares is the same on all nodes', other.every((text) => text === ''),
          other.filter((text) => text !== '').join('; '));
    await checkReached('and so is what is owed', CONVERGE_S_MAX, async () =>
        areSame((await cluster.reports('payouts')).map(withoutTemplate)));
    const chain = linksOf(cluster.pool, { links: held[0].links });
    const problems = problemsOfLinks(cluster.pool, chain);
    check('the chain adds up by the protocol', problems.length === 0,
          problems.slice(0, 3).join('; '));
    const headers = await checkLinkHeaders(cluster.daemon, cluster.pool, chain, 'sha256d');
    check(`${headers.seen} links are blocks of the daemon`, headers.problems.length === 0,
          headers.problems.slice(0, 3).join('; '));
    return chain;
}

async function judgeBlocks(cluster, chain) {
    let outputs = 0;
    const wrong = [];
    const counts = [];
    for (const node of cluster.nodes) {
        const blocks = (await node.report('blocks')).blocks.filter(isInChain);
        counts.push(blocks.length);
        for (const block of blocks) {
            const judged = await judgeBlock(cluster.daemon, cluster.pool, chain, block);
            outputs += judged.outputs;
            if (judged.problem !== '')
                wrong.push(`${node.name}, block ${block.height}: ${judged.problem}`);
        }
    }
    check(`every one of ${outputs} outputs of ${counts.join(' + ')} blocks is as computed from ` +
          'the exported credits', outputs > 0 && wrong.length === 0, wrong.slice(0, 2).join('; '));
}

// ---- Measuring

// When each node logged each share, in ms; by id.
function timesOfShares(cluster) {
    const times = new Map();
    cluster.nodes.forEach((node, i) => {
        for (const event of node.process.events())
            if (event.event === 'new share') {
                const at = times.get(event.id) ?? [];
                at[i] = Date.parse(event.time);
                times.set(event.id, at);
            }
    });
    return times;
}

const percentile = (sorted, part_) => sorted[Math.min(sorted.length - 1,
                                                      Math.floor(sorted.length * part_))];

// From the first node that had it, whose miner found it, to the last of all.
function judgeReach(cluster, begin, end) {
    const spreads = [];
    let lost = 0;
    for (const at of timesOfShares(cluster).values()) {
        const first = Math.min(...at.filter((time) => time !== undefined));
        if (first < begin || first > end)
            continue;
        if (cluster.nodes.every((_, i) => at[i] !== undefined))
            spreads.push(Math.max(...at) - first);
        else
            lost++;
    }
    spreads.sort((a, b) => a - b);
    const [p50, p99, most] = [percentile(spreads, 0.5), percentile(spreads, 0.99),
                              spreads.at(-1)];
    check(`${spreads.length} shares reached all nodes`, spreads.length > 100 && lost === 0,
          `${lost} did not`);
    say(`        from the miner's node to all: p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`);
}

// ---- Coming and going

async function joinLate(cluster) {
    const late = await cluster.add();
    const before = (await cluster.nodes[0].report('status')).tip.height;
    const begin = Date.now();
    late.launch();
    await waitFor('the late node to be synced', 60, async () =>
        (await late.report('chain')).may_mint && (await late.report('status')).job !== null);
    check(`a node that joins ${before} links late serves miners after ${Date.now() - begin} ms`,
          (await late.report('status')).tip.height >= before);
}

// Kills a node the moment a share of its miner was answered, and starts it again.
async function killAndReturn(cluster, i, noted) {
    const node = cluster.nodes[i];
    await waitFor('a few shares that are answered', 60, () =>
        noted.accepted().length >= ANSWERED_MIN);
    await within(40, 'one more', noted.nextAccepted());
    await node.process.kill();
    const told = noted.accepted().map(({ id }) => id);
    const height = (await cluster.nodes[0].report('status')).tip.height;
    await waitFor('the others to mine on', 30, async () =>
        (await cluster.nodes[0].report('status')).tip.height > height + 3);
    const begin = Date.now();
    node.launch();
    await waitFor('the node that was killed to serve miners again', 60, async () =>
        (await node.report('status')).job !== null);
    check(`kill -9: back among the others after ${Date.now() - begin} ms`,
          (await node.report('status')).tip.height > height);
    return told;
}

// Shares that the killed node had answered and that were grains on every link of the chain must be
// credited or loose.
async function judgeTold(cluster, chain, told, noted) {
    const held = await heldShares(cluster.nodes[0]);
    const target = surelyGrain(chain) * BigInt(cluster.pool.grains_per_link);
    const grains = noted.accepted().filter(({ id, pow }) => told.includes(id) && pow <= target);
    const lost = grains.filter(({ id }) => !held.all.has(id)).map(({ id }) => id);
    check(`all ${grains.length} grains that the killed node had answered are known to the others`,
          grains.length > 0 && lost.length === 0, lost.join(' '));
}

// ---- The parts

async function fiveNodes() {
    const daemon = await Devchain.make('cluster-daemon', ['--hashrate', '2M', '--spacing', '2.5',
                                                          '--transactions', '8']);
    await daemon.start();
    const pool = await poolOn(daemon, 'cluster-pool');
    const cluster = new Cluster('cluster', daemon, pool);
    await cluster.start(NODES - 1);
    await checkReached(`${NODES - 1} nodes find each other from one seed`, 60,
                       () => cluster.waitForLinks(NODES - 2, 60).then(() => true));
    await checkReached('all of them may mint', 30, async () =>
        (await cluster.reports('status')).every(({ job }) => job !== null));
    for (let i = 0; i < NODES - 1; i++)
        cluster.mineBehind(i, HASHRATE / NODES);
    await waitFor('ten links', 60, async () =>
        (await cluster.nodes[0].report('status')).tip.height >= 10);
    await joinLate(cluster);
    cluster.mineBehind(NODES - 1, HASHRATE / NODES);
    await checkReached(`${NODES} nodes are connected with each other`, 60,
                       () => cluster.waitForLinks(NODES - 2, 60).then(() => true));
    const noted = new StratumMiner(cluster.nodes[NODES - 2].port, {
        user: `${cluster.users[NODES - 2].address}.noted`, hashesPerSecond: 20000,
        password: 'd=0.00002' });
    const notedRun = noted.run();
    const measured = Date.now();
    await sleep(15000);
    judgeReach(cluster, measured, Date.now() - 1000);
    const told = await killAndReturn(cluster, NODES - 2, noted);
    await checkReached(`behind every node a block is found that pays the miners ` +
                       'behind all', 120, async () => (await blocksThatPayAll(cluster))
        .every(({ length }) => length >= PAID_BLOCKS));
    noted.stop();
    await notedRun;
    await cluster.stopMiners();
    const chain = await judgeAgreement(cluster);
    await judgeBlocks(cluster, chain);
    await judgeTold(cluster, chain, told, noted);
    const bans = (await cluster.reports('peers')).flatMap(({ bans: each }) => each);
    checkEqual('nobody was banned', bans.length, 0);
    for (const node of cluster.nodes)
        checkEqual(`${node.name} ends well`, (await node.process.stop()).code, 0);
}

// What a node's miner finds while it knows nobody reaches the others when they are back, without
// waiting for a link of its own.
async function alone() {
    const daemon = await Devchain.make('alone-daemon', ['--hashrate', '100k', '--spacing', '5']);
    await daemon.start();
    const pool = await newPool('alone-pool', { chain: daemon.chain, daemon: daemon.url, ...POOL,
                                               'grains-per-link': 1000 });
    const cluster = new Cluster('alone', daemon, pool);
    await cluster.start(2);
    await cluster.waitForLinks(1, 60);
    const [back, cutOff] = cluster.nodes;
    await waitFor('the second node to serve miners', 30, async () =>
        (await cutOff.report('status')).job !== null);
    await back.process.kill();
    const miner = new StratumMiner(cutOff.port, { user: `${cluster.users[1].address}.alone`,
                                                  hashesPerSecond: 4000, password: 'd=0.00001' });
    const run = miner.run();
    await waitFor('shares of a node that is alone', 60, () =>
        miner.accepted().length >= ANSWERED_MIN);
    miner.stop();
    await run;
    const own = await heldShares(cutOff);
    const found = miner.accepted().map(({ id }) => id).filter((id) => own.all.has(id));
    back.launch();
    await cluster.waitForLinks(1, 60);
    await checkReached(`alone: all ${found.length} shares reach the node that comes back`,
                       CONVERGE_S_MAX, async () => {
        const { all } = await heldShares(back);
        return found.length > 0 && found.every((id) => all.has(id));
    });
}

async function privatePool() {
    const daemon = await Devchain.make('private-daemon', ['--hashrate', '100k', '--spacing', '5']);
    await daemon.start();
    const pool = await poolOn(daemon, 'private-pool');
    const secret = (await shoal('pool', 'secret')).out.trim();
    const cluster = new Cluster('private', daemon, pool);
    const first = await cluster.add({ secret });
    await first.start();
    cluster.seed = (await first.report('dht')).own.seed;
    const member = await cluster.add({ secret });
    const stranger = await cluster.add();
    const guesser = await cluster.add({ secret: (await shoal('pool', 'secret')).out.trim() });
    [member, stranger, guesser].forEach((node) => node.launch());
    await checkReached('private pool: who has the secret joins', 30, async () =>
        (await member.report('peers')).peers.some(({ is_open: isOpen }) => isOpen));
    await sleep(10000);
    for (const [node, what] of [[stranger, 'no secret'], [guesser, 'another secret']]) {
        const { nodes_ipv4: known } = await node.report('dht');
        const { problem, may_mint: mayMint } = await node.report('chain');
        check(`private pool: who has ${what} meets nobody, and is told what to do`,
              known === 0 && !mayMint && /seed/.test(problem), `${known} nodes, "${problem}"`);
    }
    checkEqual('private pool: its members have met only each other',
               (await first.report('peers')).peers.length, 1);
}

await script('cluster', async () => {
    await part('five nodes', fiveNodes);
    await part('alone', alone);
    await part('private pool', privatePool);
});
