// 120 blocks on a real Bitcoin daemon (bcoin in regtest), mined over Stratum for addresses of all
// five kinds: every output of every coinbase is checked against an own computation, while the
// coin's chain runs away and comes back with segwit, transactions pay fees, the daemon is killed
// once and the node five times.
import { Bcoin } from './lib/daemons.mjs';
import { Run } from './lib/run.mjs';
import { Spender } from './lib/spender.mjs';
import { check, checkEqual, checkReached, script, sleep, waitFor } from './lib/checks.mjs';

const BLOCKS = 120;
const SEGWIT_HEIGHT = 432; // of bcoin's regtest: three windows of 144 blocks

// Blocks that nobody of the pool found: it sleeps, and the rules of the coin change meanwhile.
async function runAway(run, spender) {
    const { rpc } = run.daemon;
    let height;
    await run.whileAsleep(async () => {
        height = await rpc.call('getblockcount');
        await rpc.call('generatetoaddress', SEGWIT_HEIGHT + 6 - height, spender.address());
    });
    await waitFor('a link after the pool slept', 30, async () =>
        (await run.node.report('status')).tip.block_height >= SEGWIT_HEIGHT + 5);
    const template = await rpc.call('getblocktemplate', { rules: ['segwit'] });
    check('segwit is active on the daemon', template.rules.includes('!segwit'));
    const { links } = await run.node.report('credits');
    const waker = links.find(({ tip_height: tip }) => tip > height + 6);
    check('the link that wakes the pool is detached', waker.is_detached);
    return height;
}

async function killDaemon(run) {
    const { daemon, node } = run;
    await daemon.process.kill();
    await node.logged({ event: 'a daemon cannot be used', problem: 'nobody listens' }, 20);
    await sleep(1500);
    check('miners stay connected while the daemon is away for a moment',
          !run.noted.connection.isClosed);
    const height = (await run.blocksInChain()).length;
    await daemon.start();
    await checkReached('miners find blocks again when the daemon is back', 30, async () =>
        (await run.blocksInChain()).length > height + 2);
}

async function judgeTransactions(judged, spender) {
    const ids = new Set();
    const wrong = [];
    for (const { block, fees, found } of judged) {
        const txids = block.transactions.slice(1)
            .map(({ txid }) => Buffer.from(txid, 'hex').reverse().toString('hex'));
        const wanted = txids.reduce((sum, txid) => sum + (spender.sent.get(txid) ?? 0n), 0n);
        if (fees !== wanted)
            wrong.push(`block ${found.height}: ${fees} of fees, wanted ${wanted}`);
        txids.forEach((txid) => ids.add(txid));
    }
    const left = [...spender.sent.keys()].filter((txid) => !ids.has(txid));
    check(`all ${spender.sent.size} fee-paying transactions are in blocks of the pool`,
          left.length === 0 && ids.size > 0,
          `not ${left.join(', ')}; mempool: ${await spender.daemon.rpc.call('getrawmempool')}`);
    check('coinbases hold the subsidy and exactly the fees of their blocks', wrong.length === 0,
          wrong.join('; '));
    const witnessed = judged.filter(({ coinbase }) => coinbase.witnessCommitment !== null);
    check(`${judged.length - witnessed.length} blocks without and ${witnessed.length} with a ` +
          'witness commitment', witnessed.length > 0 && witnessed.length < judged.length);
}

function judgePayees(run, judged) {
    const scripts = new Map(run.addresses.map(({ script: hex, kind }) => [hex, kind]));
    const paid = new Set(judged.flatMap(({ coinbase }) =>
        coinbase.payouts.map((payout) => payout.script)));
    const kinds = [...paid].map((hex) => scripts.get(hex) ?? `unknown ${hex}`);
    checkEqual('coinbases pay all five kinds of addresses and nobody else', kinds.sort().join(),
               [...scripts.values()].sort().join());
    check('blocks that pay all five at once are the rule',
          judged.filter(({ payees }) => payees === 5).length > BLOCKS / 2);
}

await script('bitcoin', async () => {
    const daemon = await Bcoin.make('bcoin');
    await daemon.start();
    const run = new Run(daemon, {
        algorithm: 'sha256d', hashrate: 5, notedHashrate: 2,
        pool: { 'link-spacing': 1, 'half-life': 60, 'easiest-bits': '203fffff',
                'grains-per-link': 4, outputs: 48, 'window-multiple': 40000,
                'inclusion-fee-bp': 1000 },
    });
    await run.begin();
    run.startMiners();
    await run.waitForBlocks(22, 60);
    await run.killNode(1);
    const spender = new Spender(daemon);
    const ours = await runAway(run, spender);
    for (let i = 1; i <= 4; i++)
        await spender.spendCoinbase(ours + i);
    await run.waitForBlocks(45, 60);
    await run.killNode(2);
    await run.waitForBlocks(58, 60);
    await killDaemon(run);
    for (let i = 5; i <= 8; i++)
        await spender.spendCoinbase(ours + i);
    for (let number = 3; number <= 5; number++) {
        await run.waitForBlocks(30 * (number - 1) + 15, 60);
        await run.killNode(number);
    }
    await run.waitForBlocks(BLOCKS, 60);
    await run.stopMiners();
    await sleep(1000);
    await run.judgeLinks();
    const judged = await run.judgeBlocks(BLOCKS);
    judgePayees(run, judged);
    await judgeTransactions(judged, spender);
    run.sayJobTimes();
    const status = await run.node.process.stop();
    checkEqual('the node stops when it is asked to', status.code, 0);
});
