// Who is paid what, computed from the specification alone (docs/protocol.md sections 0, 1, 4, 7 and
// 8) with numbers of any size: the referee of the node's own code, of which it shares nothing.
import { numberOfLe, taggedHash } from './bytes.mjs';

// The rows of section 1 that payouts need. BITS_CONSTANT: every header has them.
const CHAINS = {
    regtest: { halvingInterval: 150n, constantBits: '207fffff' },
    'litecoin-regtest': { halvingInterval: 150n, constantBits: '207fffff' },
    devchain: { halvingInterval: 210000n, constantBits: null },
    'devchain-scrypt': { halvingInterval: 210000n, constantBits: null },
};

const SUBSIDY_FIRST = 5000000000n;
const WEIGHT_BITS_MAX = 56;
const EPOCH_BLOCKS = 6;

const minimum = (a, b) => (a < b ? a : b);
const maximum = (a, b) => (a > b ? a : b);
const bitLength = (value) => (value === 0n ? 0 : value.toString(2).length);

// Division is floor division, also for negative numbers.
function floorDivide(a, b) {
    const quotient = a / b;
    return a % b !== 0n && (a < 0n) !== (b < 0n) ? quotient - 1n : quotient;
}

export function expand(bitsHex) {
    const bits = parseInt(bitsHex, 16);
    const size = bits >>> 24;
    const mantissa = BigInt(bits & 0x7fffff);
    const target = size <= 3 ? mantissa >> BigInt(8 * (3 - size))
                             : mantissa << BigInt(8 * (size - 3));
    if ((bits & 0x800000) !== 0 || target === 0n || bitLength(target) > 256)
        throw new Error(`bits ${bitsHex} do not expand`);
    return target;
}

export function compact(target) {
    let size = Math.ceil(bitLength(target) / 8);
    let mantissa = size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3));
    if ((mantissa & 0x800000n) !== 0n) {
        mantissa >>= 8n;
        size++;
    }
    return (BigInt(size) << 24n | mantissa).toString(16).padStart(8, '0');
}

export function work(target) {
    return (1n << 256n) / (target + 1n);
}

export function subsidy(chain, height) {
    const halvings = BigInt(height) / CHAINS[chain].halvingInterval;
    return halvings >= 64n ? 0n : SUBSIDY_FIRST >> halvings;
}

// The link bits of a share anchored on A, whose own anchor is B (section 4).
export function linkBitsAfter(pool, a, b) {
    const halfLife = BigInt(pool.half_life);
    const spacing = BigInt(pool.link_spacing);
    const dt = minimum(BigInt(a.time) - BigInt(b.time), 4n * halfLife);
    const x = floorDivide((dt - spacing) * 65536n, halfLife);
    const i = x >> 16n;
    const f = x & 65535n;
    const factor = 65536n + ((195766423245049n * f + 971821376n * f * f + 5127n * f * f * f +
                              (1n << 47n)) >> 48n);
    let target = expand(a.link_bits) * factor;
    target = i >= 0n ? target << i : target >> -i;
    return compact(minimum(maximum(target >> 16n, 1n), expand(pool.easiest_bits)));
}

export function grainTarget(pool, linkBits, shift) {
    const linkTarget = expand(linkBits);
    const target = minimum(linkTarget * BigInt(pool.grains_per_link), 1n << 255n) >> BigInt(shift);
    if (target < linkTarget)
        throw new Error(`grain shift ${shift} is too large for link bits ${linkBits}`);
    return target;
}

// b of section 8: the bits of the header at the rounded height, which on these chains are constant.
function windowBits(pool) {
    const constant = CHAINS[pool.chain].constantBits;
    return constant ?? Buffer.from(pool.anchor_header, 'hex').subarray(72, 76).reverse()
        .toString('hex');
}

// `links` are those of one chain, link 0 first. The epoch of a share on a block of height
// prevHeight, whose anchor is links[anchorHeight].
export function epochOf(links, anchorHeight, prevHeight) {
    let height = anchorHeight;
    while (height > 0 && links[height].tip_height > prevHeight - EPOCH_BLOCKS)
        height--;
    return height;
}

export function isDetached(links, anchorHeight, prevHeight) {
    return prevHeight > links[anchorHeight].tip_height + EPOCH_BLOCKS - 1;
}

// The window whose head is links[epochHeight]: { payees: summed weights by script, sum, links: how
// many of them it holds }.
export function windowOf(pool, links, epochHeight) {
    const epoch = links[epochHeight];
    const enough = maximum(1n, work(expand(windowBits(pool))) * BigInt(pool.window_multiple) /
                                   1000n);
    const weights = new Map();
    let sum = 0n;
    let height = epochHeight;
    for (; height >= 1 && sum < enough; height--) {
        const link = links[height];
        if (link.tip_height + Number(pool.window_blocks) < epoch.tip_height)
            break;
        for (const [script, weight] of link.credits) {
            weights.set(script, (weights.get(script) ?? 0n) + BigInt(weight));
            sum += BigInt(weight);
        }
    }
    const payees = [...weights].filter(([, weight]) => weight > 0n)
        .map(([script, weight]) => ({ script, weight }));
    return { payees, sum, links: epochHeight - height };
}

const compareHex = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function byWeight(a, b) {
    if (a.weight !== b.weight)
        return a.weight > b.weight ? -1 : 1;
    return compareHex(a.script, b.script);
}

const sumOf = (items) => items.reduce((sum, item) => sum + item.weight, 0n);

function normalise(payees) {
    const shift = BigInt(maximum(0, bitLength(sumOf(payees)) - WEIGHT_BITS_MAX));
    return payees.map(({ script, weight }) => ({ script, weight: weight >> shift }))
        .filter(({ weight }) => weight > 0n);
}

// amount_i = floor(R * cum_i / T) - floor(R * cum_(i-1) / T).
function shareOut(items, reward, total) {
    let sum = 0n;
    let paid = 0n;
    return items.map(({ script, weight }) => {
        sum += weight;
        const upTo = reward * sum / total;
        const output = { script, amount: upTo - paid };
        paid = upTo;
        return output;
    });
}

// The rest of step 2, in the order of step 3.
function drawOrder(items, seed) {
    const keyOf = (item) => taggedHash('shoal/order',
        Buffer.concat([seed, Buffer.from(item.script, 'hex')])).toString('hex');
    return items.map((item) => ({ ...item, key: keyOf(item) }))
        .sort((a, b) => compareHex(a.key, b.key));
}

// The winners of m ticks at (o + j*S) / m over the cumulative ranges.
function drawWinners(ordered, m, total, x) {
    const o = x * total >> 64n;
    const winners = [];
    for (let j = 0n; j < m; j++) {
        const tick = o + j * total;
        let a = 0n;
        for (const item of ordered) {
            const b = a + item.weight;
            if (a * m <= tick && tick < b * m)
                winners.push(item);
            a = b;
        }
    }
    return winners;
}

// Step 2: the exact ones, and with what the draw begins.
function chooseExact(sorted, total, places, r0, minPayout) {
    const exact = [];
    let rest = total;
    let m = 0n;
    while (exact.length < sorted.length) {
        m = minimum(places - BigInt(exact.length), rest * r0 / (total * minPayout));
        const next = sorted[exact.length];
        if (m < 1n || next.weight * m < rest)
            break;
        exact.push(next);
        rest -= next.weight;
    }
    return { exact, rest, m };
}

// What is drawn by prev: seed, x and y of step 3.
function drawNumbers(poolId, prev) {
    const seed = taggedHash('shoal/seed', Buffer.from(poolId + prev, 'hex'));
    const numbers = taggedHash('shoal/seed', seed);
    return { seed, x: numberOfLe(numbers.subarray(0, 8)), y: numberOfLe(numbers.subarray(8, 16)) };
}

// Section 8, split. `payees` is a window; options: places (K), minPayout, r0, reward (R), poolId
// and prev (hex, wire order), ownScript.
export function split(payees, options) {
    const { reward, r0, minPayout } = options;
    const normal = normalise(payees);
    if (normal.length === 0)
        return [{ script: options.ownScript, amount: reward }];
    const total = sumOf(normal);
    const sorted = normal.sort(byWeight);
    const { exact, rest, m } = chooseExact(sorted, total, BigInt(options.places), r0, minPayout);
    if (exact.length === sorted.length)
        return shareOut(exact, reward, total);
    const { seed, x, y } = drawNumbers(options.poolId, options.prev);
    const ordered = drawOrder(sorted.slice(exact.length), seed);
    const winners = drawWinners(ordered, maximum(m, 1n), rest, x);
    if (m >= 1n)
        return shareOut([...exact.map(({ script, weight }) => ({ script, weight: weight * m })),
                         ...winners.map(({ script }) => ({ script, weight: rest }))],
                        reward, total * m);
    if (exact.length === 0)
        return [{ script: winners[0].script, amount: reward }];
    if ((y * total * minPayout >> 64n) >= rest * r0)
        return shareOut(exact, reward, sumOf(exact));
    const amount = reward * minPayout / r0;
    return [...shareOut(exact, reward - amount, sumOf(exact)),
            { script: winners[0].script, amount }];
}
