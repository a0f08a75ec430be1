// A pool with many payees at a real rate of grains, on the coin daemon of the testnet: one large
// miner and forty small ones for eight places in a coinbase, fees for including links, a
// reorganisation of the coin, kills at random moments. The referee is that of the real daemons.
import { addressOf } from './lib/addresses.mjs';
import { Devchain } from './lib/daemons.mjs';
import { CpuMiner } from './lib/miner.mjs';
import { Run } from './lib/run.mjs';
import { check, script, sleep, waitFor } from './lib/checks.mjs';

const BLOCKS = 20;
const SMALL_MINERS = 40;
const KINDS = ['p2wpkh', 'p2wsh', 'p2tr', 'p2pkh', 'p2sh'];
const HASHRATE = 500000; // of the large miner, and of the small ones together
const EASIEST_BITS = '1e200000'; // half a million hashes: links come every second, and get harder

// What the node says of its blocks is what the daemon says.
async function placesAgree(run) {
    for (const { id, height, place } of await run.blocksFound()) {
        const isThere = await run.daemon.rpc.call('getblockhash', height) === id;
        if ((place === 'orphaned') === isThere)
            return false;
    }
    return true;
}

async function reorganise(run) {
    const { rpc } = run.daemon;
    const before = await run.blocksInChain();
    await run.whileAsleep(() => rpc.call('devreorg', 2)); // it takes all there is of a processor
    await waitFor('the node to say which of its blocks the coin left', 20, () => placesAgree(run));
    const after = new Set((await run.blocksInChain()).map(({ id }) => id));
    const left = before.filter(({ id }) => !after.has(id));
    check(`the coin left ${left.length} blocks of the pool, and the node says so`,
          left.length > 0 && left.length <= 3);
    const height = await rpc.call('getblockcount');
    await waitFor('the pool to mine on the other branch', 30, async () =>
        (await run.blocksInChain()).some((block) => block.height > height));
}

function judgeKinds(judged, run) {
    const places = Number(run.pool.outputs);
    const full = judged.filter(({ payees, outputs }) => payees > places && outputs === places);
    check(`${full.length} blocks pay ${places} of more than ${places} payees`,
          full.length >= BLOCKS / 4);
    const small = new Set(full.flatMap(({ coinbase }) =>
        coinbase.payouts.slice(1).map(({ script: hex }) => hex)));
    check(`${small.size} different small miners have drawn a place`, small.size > places);
    check('blocks carry fees of transactions', judged.some(({ fees }) => fees > 0n));
}

await script('devchain', async () => {
    const daemon = await Devchain.make('devchain', ['--hashrate', '1M', '--spacing', '2.5']);
    await daemon.start();
    const run = new Run(daemon, {
        algorithm: 'sha256d', hashrate: HASHRATE, notedHashrate: 20000, notedPassword: 'd=0.00002',
        isNotedByJob: true,
        pool: { 'link-spacing': 1, 'half-life': 60, 'easiest-bits': EASIEST_BITS,
                'grains-per-link': 50, outputs: 8, 'inclusion-fee-bp': 250,
                'window-multiple': 3000 },
    });
    await run.begin();
    run.startMiners();
    const users = Array.from({ length: SMALL_MINERS }, (_, i) =>
        addressOf(daemon.chain, KINDS[i % KINDS.length], `small ${i}`).address);
    run.addMiner(new CpuMiner('devchain-small', run.node.port, users, HASHRATE));
    await run.waitForBlocks(4, 60);
    await run.killNode(1);
    await run.waitForBlocks(8, 60);
    await reorganise(run);
    for (let number = 2; number <= 4; number++) {
        await sleep(1000 + Math.random() * 2000);
        await run.killNode(number);
    }
    await run.waitForBlocks(BLOCKS, 90);
    await run.stopMiners();
    await run.judgeLinks();
    judgeKinds(await run.judgeBlocks(BLOCKS), run);
    run.sayJobTimes();
});
