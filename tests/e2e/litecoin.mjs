// Blocks with scrypt on a real Litecoin daemon (lcoin in regtest): some before segwit, more after,
// with room for three payees in a coinbase while five mine, so that lots are drawn.
import { Lcoin } from './lib/daemons.mjs';
import { Run } from './lib/run.mjs';
import { check, checkEqual, script, waitFor } from './lib/checks.mjs';

const BLOCKS = 20; // after segwit, which is what the chain has today
const BLOCKS_BEFORE = 10;
const SEGWIT_HEIGHT = 432;
// Of lcoin's regtest, for 20 bytes of 07.
const FOREIGN_ADDRESS = 'R9vME8mUyeranLhysQr1Yzpqj5taHW4Ubu';

async function runAway(run) {
    const { rpc } = run.daemon;
    await run.whileAsleep(async () => {
        const height = await rpc.call('getblockcount');
        await rpc.call('generatetoaddress', SEGWIT_HEIGHT - height, FOREIGN_ADDRESS);
    });
    await waitFor('a link after the pool slept', 30, async () =>
        (await run.node.report('status')).tip.block_height >= SEGWIT_HEIGHT - 1);
    const template = await rpc.call('getblocktemplate', { rules: ['segwit', 'mweb'] });
    check('segwit is active on the daemon', template.rules.includes('!segwit'));
}

await script('litecoin', async () => {
    const daemon = await Lcoin.make('lcoin');
    await daemon.start();
    const run = new Run(daemon, {
        algorithm: 'scrypt', hashrate: 5, notedHashrate: 1,
        pool: { 'link-spacing': 1, 'half-life': 60, 'easiest-bits': '203fffff',
                'grains-per-link': 4, outputs: 3, 'min-payout': 100000000,
                'window-multiple': 20000 },
    });
    await run.begin();
    run.startMiners();
    await run.waitForBlocks(BLOCKS_BEFORE, 40);
    await runAway(run);
    const before = (await run.blocksInChain()).length;
    await run.waitForBlocks(before + BLOCKS / 2, 40);
    await run.killNode(1);
    await run.waitForBlocks(before + BLOCKS, 40);
    await run.stopMiners();
    await run.judgeLinks();
    const judged = await run.judgeBlocks(BLOCKS + BLOCKS_BEFORE);
    check('at least 20 blocks commit to witnesses',
          judged.filter(({ coinbase }) => coinbase.witnessCommitment !== null).length >= BLOCKS);
    check('lots were drawn: blocks that pay three of five',
          judged.some(({ payees, outputs }) => payees > 3 && outputs === 3));
    checkEqual('no coinbase has more outputs than the pool allows',
               Math.max(...judged.map(({ outputs }) => outputs)), 3);
    run.sayJobTimes();
});
