// A pool on a regtest daemon with a node, miners of all five script kinds, and one miner that takes
// note of every share it was told is good: what bitcoin.mjs and litecoin.mjs have in common. On a
// regtest every second hash is a block, so blocks are as frequent as the miners are told to hash:
// three a second. Every second one is a link, or links would soon outrun the clock.
import { addressesOfAllKinds } from './addresses.mjs';
import { Node, newPool } from './shoal.mjs';
import { CpuMiner } from './miner.mjs';
import { StratumMiner, timeToFirstJob } from './stratum.mjs';
import { check, checkEqual, say, waitFor, within } from './checks.mjs';
import { readHeader } from './block.mjs';
import { reversed } from './bytes.mjs';
import { checkLinkHeaders, heldShares, judgeBlock, linksOf, mayBeDetached, problemsOfLinks,
         surelyGrain } from './referee.mjs';

const GRAINS_MIN = 2; // to be looked for after a kill

// Fates of a good block; the last is that of one found while another was on its way.
const TAKEN = ['accepted', 'already known', 'good, but not on the best chain'];

// The report says how deep a block of ours is.
function isInChain({ place }) {
    return place === 'in_chain' || place === 'mature';
}

export class Run {
    // options: algorithm, pool (keys), hashrate of the CPU miner, notedHashrate, notedPassword,
    // isNotedByJob
    constructor(daemon, options) {
        this.daemon = daemon;
        this.options = options;
        this.addresses = addressesOfAllKinds(daemon.chain, 'shoal e2e');
        this.miners = [];
        this.jobTimes = [];
        this.kills = []; // seconds since 1970
    }

    async begin() {
        this.pool = await newPool(`${this.daemon.name}-pool`,
            { chain: this.daemon.chain, daemon: this.daemon.url, ...this.options.pool });
        checkEqual('the anchor header is the daemon\'s genesis header', this.pool.anchor_header,
                   await this.daemon.rpc.headerAt(0));
        this.node = await Node.make(`${this.daemon.name}-node`, this.pool, [this.daemon.url]);
        await this.startNode();
    }

    async startNode() {
        const begin = Date.now();
        this.node.launch();
        await timeToFirstJob(this.node.port, this.addresses[0].address, 20);
        this.jobTimes.push(Date.now() - begin);
    }

    startMiners() {
        this.addMiner(new CpuMiner(`${this.daemon.name}-miner`, this.node.port,
            this.addresses.map(({ kind, address }) => `${address}.${kind}`), this.options.hashrate,
            this.options.algorithm === 'scrypt' ? ['--scrypt'] : []));
        this.noted = new StratumMiner(this.node.port, {
            user: `${this.addresses[0].address}.noted`, algorithm: this.options.algorithm,
            hashesPerSecond: this.options.notedHashrate,
            password: this.options.notedPassword ?? 'x',
        });
        this.notedRun = this.noted.run();
    }

    addMiner(miner) {
        this.miners.push(miner);
    }

    async stopMiners() {
        this.noted.stop();
        await this.notedRun;
        for (const miner of this.miners) {
            const { code } = await miner.process.stop();
            const { accepted, rejected, reasons } = miner.report();
            check(`a miner ends well, with ${accepted} shares accepted and ${rejected} rejected ` +
                  'as stale', code === 0 && accepted > rejected &&
                  Object.keys(reasons).every((reason) => /stale/i.test(reason)),
                  `status ${code}, ${JSON.stringify(reasons)}`);
        }
    }

    // The pool sleeps while `run` goes on: all its miners stand still.
    async whileAsleep(run) {
        this.noted.isPaused = true;
        this.miners.forEach(({ process }) => process.send('SIGSTOP'));
        await run();
        this.miners.forEach(({ process }) => process.send('SIGCONT'));
        this.noted.isPaused = false;
    }

    async blocksFound() {
        return (await this.node.report('blocks')).blocks;
    }

    async blocksInChain() {
        return (await this.blocksFound()).filter(isInChain);
    }

    async waitForBlocks(count, secondsMax) {
        await waitFor(`${count} blocks of the pool in the chain`, secondsMax, async () =>
            (await this.blocksInChain()).length >= count);
    }

    // Shares of the noted miner that were told good and that surely the chain must credit: grains
    // whatever link they stand on, and not detached. Where the miner asks for a harder difficulty
    // than that of grains, jobs are as hard as grains, but for rounding. What was harder than every
    // link at one look is still a grain at the next, when a harder link may have come.
    async notedGrains(links) {
        const byLinks = surelyGrain(links);
        const grains = [];
        for (const share of this.noted.accepted()) {
            const target = this.options.isNotedByJob ? share.target * 98n / 100n : byLinks;
            share.prevHeight ??= await this.heightOf(readHeader(share.header).prev);
            share.isGrain ||= share.pow <= target;
            if (share.isGrain && !mayBeDetached(links, share.id, share.prevHeight))
                grains.push(share);
        }
        return grains;
    }

    async heightOf(blockId) {
        return (await this.daemon.rpc.call('getblockheader', reversed(blockId), true)).height;
    }

    // Kills the node the moment a share was answered; everything that miners were told is good must
    // be there again.
    async killNode(number) {
        await waitFor('grains to look for', 40, async () => {
            const links = linksOf(this.pool, await this.node.report('credits'));
            return (await this.notedGrains(links)).length >= GRAINS_MIN;
        });
        await within(30, 'a share that is answered', this.noted.nextAccepted());
        await this.node.process.kill();
        this.kills.push(Math.floor(Date.now() / 1000));
        const told = this.noted.accepted().length;
        await this.startNode();
        const held = await heldShares(this.node);
        const grains = await this.notedGrains(linksOf(this.pool, { links: held.links }));
        const lost = grains.filter(({ id }) => !held.all.has(id));
        check(`kill -9 of the node, number ${number}: all ${grains.length} noted grains are ` +
              `there again (${told} shares were told good)`,
              grains.length > 0 && lost.length === 0,
              `lost ${lost.map(({ id }) => id).join(' ')}`);
        this.judgeCredited(held);
    }

    // What was credited at the last look must still be, or be loose after a change of branch.
    judgeCredited(held) {
        const before = this.credited ?? new Set();
        const gone = [...before].filter((id) => !held.all.has(id));
        check(`none of ${before.size} shares credited earlier is gone`, gone.length === 0,
              gone.join(' '));
        this.credited = held.credited;
    }

    async judgeLinks() {
        const held = await heldShares(this.node);
        this.judgeCredited(held);
        this.links = linksOf(this.pool, { links: held.links });
        const problems = problemsOfLinks(this.pool, this.links);
        check(`the chain of ${this.links.length - 1} links adds up by the protocol: bits, work, ` +
              'credits, fees', this.links.length > 10 && problems.length === 0,
              problems.slice(0, 3).join('; '));
        const headers = await checkLinkHeaders(this.daemon, this.pool, this.links,
                                               this.options.algorithm);
        check(`${headers.seen} links are blocks of the daemon, with the work and the tip they ` +
              'claim', headers.seen > 10 && headers.problems.length === 0,
              headers.problems.slice(0, 3).join('; '));
        const grains = await this.notedGrains(this.links);
        const lost = grains.filter(({ id }) => !held.all.has(id));
        check(`all ${grains.length} noted grains are credited or loose at the end`,
              grains.length > 0 && lost.length === 0, lost.map(({ id }) => id).join(' '));
    }

    // Every block of the pool: taken by the daemon, and paid as computed. Returns the judgements.
    async judgeBlocks(wanted) {
        const all = await this.blocksFound();
        // One that was found in the very moment of a kill may not have left the node.
        const isCut = (block) => block.fate === null &&
            this.kills.some((at) => Math.abs(at - block.found_at) <= 1);
        const odd = all.filter((block) => !TAKEN.includes(block.fate) && !isCut(block));
        check(`the daemon took all ${all.length} blocks found`, odd.length === 0,
              JSON.stringify(odd));
        const inChain = all.filter(isInChain);
        check(`${inChain.length} of them are in its chain, ${wanted} wanted`,
              inChain.length >= wanted);
        const judged = [];
        for (const block of inChain)
            judged.push({ found: block,
                          ...await judgeBlock(this.daemon, this.pool, this.links, block) });
        const wrong = judged.filter(({ problem }) => problem !== '');
        const outputs = judged.reduce((sum, { outputs: count }) => sum + count, 0);
        check(`every one of ${outputs} outputs of ${judged.length} coinbases is as computed from ` +
              'the exported credits', judged.length >= wanted && wrong.length === 0,
              wrong.slice(0, 2).map(({ found, problem }) => `block ${found.height}: ${problem}`)
                  .join('; '));
        const kinds = {};
        for (const { kind } of judged)
            kinds[kind] = (kinds[kind] ?? 0) + 1;
        say(`        paid by: ${Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`)
            .join(', ')}`);
        return judged;
    }

    sayJobTimes() {
        say(`        from the node's start to a miner's first job: ${this.jobTimes.join(', ')} ms`);
    }
}
