// Judges what a node did by what it exports and by what the daemon holds: the chain of links, the
// credits, the coinbase of every block, and whether shares that were answered `true` are all there.
import { expand, epochOf, grainTarget, isDetached, linkBitsAfter, split, subsidy, windowOf, work }
    from './payout.mjs';
import { readBlock, readPoolCoinbase } from './block.mjs';
import { numberOfLe, reversed, scryptOf, sha256d } from './bytes.mjs';

// Link 0 and the exported ones, by height.
export function linksOf(pool, credits) {
    const genesis = {
        height: 0, id: pool.id, time: Number(pool.genesis_time),
        tip_height: Number(pool.anchor_height), link_bits: pool.easiest_bits, work: '0',
        credits: [], included: [],
    };
    return [genesis, ...credits.links];
}

// Credits of a link from its own weight and the grains that it includes (section 7).
function creditsOf(pool, link) {
    const sums = new Map();
    const add = (script, weight) => sums.set(script, (sums.get(script) ?? 0n) + weight);
    if (!link.is_detached)
        add(link.script, BigInt(link.weight));
    for (const [, script, text] of link.included) {
        const weight = BigInt(text);
        const fee = weight * BigInt(pool.inclusion_fee_bp) / 10000n;
        add(link.script, fee);
        add(script, weight - fee);
    }
    return [...sums].filter(([, weight]) => weight > 0n).sort();
}

function isWeightRight(pool, link) {
    const own = BigInt(link.weight);
    for (let shift = 0; shift < 256; shift++) {
        let target;
        try {
            target = grainTarget(pool, link.link_bits, shift);
        } catch {
            return false; // no shift that is allowed gives this weight
        }
        if (work(target) === own)
            return true;
    }
    return false;
}

function problemsOfLink(pool, links, height) {
    const link = links[height];
    const anchor = links[height - 1];
    const bits = height === 1 ? pool.easiest_bits
                              : linkBitsAfter(pool, anchor, links[height - 2]);
    const total = BigInt(anchor.work) + work(expand(bits));
    const exported = link.credits.map(([script, weight]) => [script, BigInt(weight)]).sort();
    const ids = link.included.map(([id]) => id);
    const rules = [
        ['its height is its place', link.height === height],
        ['it stands on the link before', link.anchor === anchor.id],
        ['its bits follow section 4', link.link_bits === bits],
        ['its work is the sum', BigInt(link.work) === total],
        ['its time is later', link.time > anchor.time],
        ['its tip does not go back', link.tip_height >= anchor.tip_height],
        ['its weight is that of a grain target', isWeightRight(pool, link)],
        ['its credits are those of its grains',
         String(exported) === String(creditsOf(pool, link))],
        ['its grains are ascending', String(ids) === String([...new Set(ids)].sort())],
        ['it holds as many grains as it says', link.grains === ids.length],
    ];
    return rules.filter(([, isMet]) => !isMet).map(([rule]) => `link ${height}: not so: ${rule}`);
}

// What is wrong with the chain of links in itself; [] if nothing is.
export function problemsOfLinks(pool, links) {
    const seen = new Set();
    const twice = [];
    for (const link of links.slice(1))
        for (const id of [link.id, ...link.included.map(([grain]) => grain)]) {
            if (seen.has(id))
                twice.push(`${id} is credited twice`);
            seen.add(id);
        }
    return [...twice,
            ...links.slice(1).flatMap((_, i) => problemsOfLink(pool, links, i + 1))];
}

// The headers behind the links, asked of the daemon where it has them as blocks: proof of work, and
// the tip that each link says it has (section 6). Returns { problems, seen }.
export async function checkLinkHeaders(daemon, pool, links, algorithm) {
    const problems = [];
    let seen = 0;
    for (const link of links.slice(1)) {
        let known;
        try {
            known = await daemon.rpc.call('getblockheader', reversed(link.id), true);
        } catch {
            continue; // no block, or one that lost
        }
        seen++;
        const header = Buffer.from(
            await daemon.rpc.call('getblockheader', reversed(link.id), false), 'hex');
        const pow = numberOfLe(algorithm === 'scrypt' ? scryptOf(header) : sha256d(header));
        if (pow > expand(link.link_bits))
            problems.push(`link ${link.height} misses its target`);
        const tip = Math.max(links[link.height - 1].tip_height, known.height - 1);
        if (link.tip_height !== tip)
            problems.push(`link ${link.height} has tip ${link.tip_height}, wanted ${tip}`);
    }
    return { problems, seen };
}

// Heights of links that the share of a block can have stood on: the one it names if it is a link
// itself, else the last one that its prev allows, or the last one below that block.
function anchorsOf(links, blockId, prevHeight) {
    const own = links.find((link) => link.id === blockId);
    if (own !== undefined)
        return [own.height - 1];
    const lastAt = (height) => links.findLastIndex((link) => link.tip_height <= height);
    return [...new Set([lastAt(prevHeight), lastAt(prevHeight - 1)])].filter((at) => at >= 0);
}

// Whether a share may have been made while the pool slept: then it is credited to nobody.
export function mayBeDetached(links, shareId, prevHeight) {
    return anchorsOf(links, shareId, prevHeight)
        .some((anchor) => isDetached(links, anchor, prevHeight));
}

function listFor(pool, links, block, anchor) {
    const prevHeight = block.height - 1;
    if (isDetached(links, anchor, prevHeight))
        return { kind: 'detached', outputs: [{ script: block.finder, amount: block.reward }] };
    const { payees } = windowOf(pool, links, epochOf(links, anchor, prevHeight));
    const outputs = split(payees, {
        places: Number(pool.outputs), minPayout: BigInt(pool.min_payout),
        r0: subsidy(pool.chain, block.height), reward: block.reward,
        poolId: pool.id, prev: block.prev, ownScript: block.finder,
    });
    const kind = payees.length === 0 ? 'empty window' : 'window';
    return { kind, payees: payees.length, outputs };
}

const textOf = (outputs) => outputs.map(({ script, amount }) => `${script}:${amount}`).join(' ');

// Judges the coinbase of the block at a height that `found` (from the report "blocks") tells of.
// { problem, kind, outputs, payees, fees }; problem is '' if every output is as computed.
export async function judgeBlock(daemon, pool, links, found) {
    const block = readBlock(await daemon.rpc.blockAt(found.height));
    const coinbase = readPoolCoinbase(block.coinbase, found.height);
    const reward = coinbase.payouts.reduce((sum, { amount }) => sum + amount, 0n);
    const facts = { height: found.height, prev: block.header.prev, reward, finder: found.script };
    const lists = anchorsOf(links, block.header.id, found.height - 1)
        .map((anchor) => listFor(pool, links, facts, anchor));
    const paid = textOf(coinbase.payouts);
    const right = lists.find(({ outputs }) => textOf(outputs) === paid);
    const wanted = lists.map(({ outputs }) => textOf(outputs)).join(' or ');
    const problem = reversed(block.header.id) !== found.id ? 'another block is at its height'
        : right === undefined ? `it pays ${paid}, wanted ${wanted}` : '';
    return {
        problem, block, coinbase, outputs: coinbase.payouts.length,
        kind: right?.kind, payees: right?.payees ?? 0,
        fees: reward - subsidy(pool.chain, found.height),
    };
}

// Ids of all shares that the node holds as credited by its best chain, or as loose.
export async function heldShares(node) {
    const [credits, loose] = [await node.report('credits'), await node.report('loose')];
    const credited = credits.links.flatMap((link) =>
        [link.id, ...link.included.map(([id]) => id)]);
    if (!loose.is_complete)
        throw new Error('there are too many loose shares for one document');
    return {
        links: credits.links,
        credited: new Set(credited),
        all: new Set([...credited, ...loose.shares.map(([id]) => id)]),
    };
}

// A hash as good as this was a grain whatever link it stood on and whatever shift its job had:
// grain targets are never below link targets.
export function surelyGrain(links) {
    return links.map((link) => expand(link.link_bits))
        .reduce((least, target) => (target < least ? target : least));
}
