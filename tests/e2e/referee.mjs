// The referee of the other scripts against the public test vectors: he shares no code with the
// node, so that where he and the node agree, two readings of the protocol do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Reader, sha256, u64Bytes, varintBytes } from './lib/bytes.mjs';
import { readHeader } from './lib/block.mjs';
import { compact, epochOf, expand, grainTarget, isDetached, linkBitsAfter, split, subsidy,
         windowOf, work } from './lib/payout.mjs';
import { TOP } from './lib/processes.mjs';
import { check, script } from './lib/checks.mjs';

const hex64 = (target) => target.toString(16).padStart(64, '0');

function listHash(outputs) {
    return sha256(Buffer.concat(outputs.flatMap(({ script: hex, amount }) =>
        [u64Bytes(amount), varintBytes(hex.length / 2), Buffer.from(hex, 'hex')])))
        .toString('hex');
}

// ---- Weights from a recipe, as the vectors' page has it

const RECIPES = {
    equal: (i, base) => base,
    zipf: (i, base) => base / (i + 1n),
    giant: (i, base) => (i === 0n ? base : 1n + i % 7n),
    giants: (i, base) => (i < 5n ? base / (i + 1n) : 1n + i % 7n),
    linear: (i, base) => base * (i + 1n),
    halving: (i, base) => base >> (i % 64n),
    steps: (i, base) => base * (1n + i / 10n),
    hash: (i, base, salt) =>
        1n + (sha256(Buffer.from(`w${salt}${i}`)).readBigUInt64LE() * base >> 64n),
};

function payeesOf({ weights, recipe }) {
    if (recipe === undefined)
        return weights.map((text) => text.split(':'))
            .map(([hex, weight]) => ({ script: hex, weight: BigInt(weight) }));
    return Array.from({ length: recipe.n }, (_, i) => ({
        script: '0014' + sha256(Buffer.from(recipe.salt + i)).subarray(0, 20).toString('hex'),
        weight: RECIPES[recipe.kind](BigInt(i), BigInt(recipe.base), recipe.salt),
    }));
}

// ---- One function for each file: true if a case is met

function payout(one) {
    const outputs = split(payeesOf(one), {
        places: one.K, minPayout: BigInt(one.min_payout), r0: BigInt(one.R0),
        reward: BigInt(one.R), poolId: one.pool_id, prev: one.prev, ownScript: one.own_script,
    });
    return outputs.length === one.expect.count && listHash(outputs) === one.expect.sha256;
}

function retarget(one) {
    return linkBitsAfter(one, { time: one.a_time, link_bits: one.a_link_bits },
                         { time: one.b_time }) === one.expect.link_bits;
}

function grain(one) {
    let target;
    try {
        target = grainTarget(one, one.link_bits, one.grain_shift);
    } catch {
        return one.expect.invalid !== undefined;
    }
    return hex64(target) === one.expect.grain_target &&
           work(target).toString() === one.expect.weight;
}

function compactForm(one) {
    if (one.op === 'compact')
        return compact(BigInt(`0x${one.target}`)) === one.expect.bits;
    let target;
    try {
        target = expand(one.bits);
    } catch {
        return one.expect.refuse !== undefined;
    }
    return hex64(target) === one.expect.target && compact(target) === one.expect.compact &&
           work(target).toString() === one.expect.work;
}

// ---- Whole chains: epoch, window and payouts of every link

function readShare(hex) {
    const reader = new Reader(Buffer.from(hex, 'hex'));
    reader.take(1);
    const header = readHeader(reader.take(80));
    const value = reader.u64();
    reader.take(12);
    reader.take(reader.u8() === 1 ? 32 : 0);
    reader.take(32 * reader.varint());
    const anchor = reader.take(32).toString('hex');
    reader.take(4 + 4 + 4 + 1 + 16);
    return { id: header.id, prev: header.prev, value, anchor,
             script: reader.varbytes().toString('hex') };
}

function heightsOf({ pool, objects }) {
    const anchor = readHeader(Buffer.from(pool.anchor_header, 'hex'));
    const heights = new Map([[anchor.id, pool.anchor_height]]);
    const headers = objects.filter(({ header }) => header !== undefined)
        .map(({ header }) => readHeader(Buffer.from(header, 'hex')));
    for (let known = 0; known < heights.size;) {
        known = heights.size;
        for (const { id, prev } of headers)
            if (heights.has(prev))
                heights.set(id, heights.get(prev) + 1);
    }
    return heights;
}

// A copy of a share that can be read; altered ones have the same anchor only if they are links.
function sharesOf({ objects }) {
    const shares = new Map();
    for (const { share } of objects) {
        try {
            const read = readShare(share);
            shares.set(read.id, [...(shares.get(read.id) ?? []), read]);
        } catch {
            continue; // one of those that do not decode
        }
    }
    return shares;
}

function branchOf(one, link, links, shares) {
    const branch = [];
    for (let at = link; at !== undefined;) {
        branch.unshift({ ...at, credits: at.credits.map((text) => text.split(':')) });
        const above = shares.get(at.id).map(({ anchor }) => links.get(anchor))
            .find((anchor) => anchor?.height === at.height - 1);
        at = above;
    }
    return [{ id: one.pool.pool_id, tip_height: one.pool.anchor_height, credits: [] }, ...branch];
}

function isWindow(window, expected) {
    return window.sum.toString() === expected.sum && window.links === expected.links;
}

// Altered copies have the same id: one of them must lead to the list.
function isPaid(one, link, branch, share, prevHeight) {
    const { pool } = one;
    const anchor = link.height - 1;
    const options = {
        places: pool.outputs, minPayout: BigInt(pool.min_payout),
        r0: subsidy(pool.chain, prevHeight + 1), reward: share.value, poolId: pool.pool_id,
        prev: share.prev, ownScript: share.script,
    };
    const window = isDetached(branch, anchor, prevHeight) ? { payees: [] }
        : windowOf(pool, branch, epochOf(branch, anchor, prevHeight));
    const outputs = split(window.payees, options);
    return outputs.length === link.payout_count && listHash(outputs) === link.payout_sha256;
}

function isLinkRight(one, link, context) {
    const branch = branchOf(one, link, context.links, context.shares);
    const copies = context.shares.get(link.id);
    const prevHeight = context.heights.get(copies[0].prev);
    const epoch = epochOf(branch, link.height - 1, prevHeight);
    return branch.length === link.height + 1 &&
           isDetached(branch, link.height - 1, prevHeight) === link.detached &&
           branch[epoch].id === link.epoch.link &&
           isWindow(windowOf(one.pool, branch, epoch), link.epoch) &&
           isWindow(windowOf(one.pool, branch, link.height), link.window) &&
           copies.some((share) => isPaid(one, link, branch, share, prevHeight));
}

function chain(one) {
    const expected = one.expect.links ?? [];
    const context = { links: new Map(expected.map((link) => [link.id, link])),
                      shares: sharesOf(one), heights: heightsOf(one) };
    return expected.every((link) => isLinkRight(one, link, context));
}

// ----

const FILES = [['payout', payout], ['retarget', retarget], ['grain', grain],
               ['compact', compactForm], ['chain', chain]];

await script('referee', async () => {
    for (const [name, isMet] of FILES) {
        const path = join(TOP, 'tests/vectors/cases', `${name}.json`);
        const cases = JSON.parse(readFileSync(path, 'utf8'));
        const wrong = cases.filter((one) => !isMet(one)).map((one) => one.name);
        check(`the referee meets all ${cases.length} cases of ${name}.json`,
              cases.length > 100 && wrong.length === 0, wrong.slice(0, 5).join(', '));
    }
});
