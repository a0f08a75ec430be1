// docs/standings.md once more, from what a node exports of its chain: the links with their credits,
// and the bytes of every share. Shares no code with the node.
import { connect } from 'node:net';
import { join } from 'node:path';
import { Reader, reversed } from './bytes.mjs';
import { expand } from './payout.mjs';

const DIFFICULTY_1 = 0xffffn << 208n;
const HOUR = 3600;
const DAY = 86400;

// Asks a node over its control socket; several questions over one connection.
export class Asker {
    constructor(node) {
        this.socket = connect(join(node.data, 'control.sock'));
        this.answers = [];
        this.text = '';
        this.socket.setEncoding('utf8');
        this.socket.on('data', (text) => this.take(text));
        this.socket.on('error', (error) => this.end(error));
        this.socket.on('close', () => this.end(new Error('the control socket was closed')));
    }

    take(text) {
        const lines = (this.text + text).split('\n');
        this.text = lines.pop();
        for (const line of lines)
            this.answers.shift().resolve(JSON.parse(line));
    }

    end(error) {
        for (const { reject } of this.answers.splice(0))
            reject(error);
    }

    async ask(command, parameters = {}) {
        const asked = new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
        this.socket.write(`${JSON.stringify({ command, ...parameters })}\n`);
        const answer = await asked;
        if (answer.error !== undefined)
            throw new Error(`${command}: ${answer.error}`);
        return answer;
    }

    // An array that comes in pages, whole.
    async all(command, array, parameters = {}) {
        const found = [];
        for (let from = 0; from !== null;) {
            const page = await this.ask(command, { ...parameters, from });
            found.push(...page[array]);
            from = page.next;
        }
        return found;
    }

    close() {
        this.socket.destroy();
    }
}

// ---- Reading

// Section 11: 4 bytes, 7e, the name, zeros.
export function teamOfTag(tag) {
    const match = /^([a-z0-9-]{1,11})\0*$/.exec(tag.subarray(5).toString('latin1'));
    return tag[4] === 0x7e && match !== null ? match[1] : '';
}

// What of a share is not in the credits: its team, and whether it is a block.
function readShare(id, raw) {
    const reader = new Reader(Buffer.from(raw, 'hex'));
    reader.take(1);
    const header = reader.take(80);
    reader.take(8 + 12);
    if (reader.u8() === 1)
        reader.take(32);
    reader.take(32 * reader.varint());
    reader.take(32 + 4 + 4 + 4 + 1);
    const bits = reversed(header.subarray(72, 76).toString('hex'));
    const pow = BigInt(`0x${reversed(id)}`); // of SHA-256d
    return { team: teamOfTag(reader.take(16)), pow, isBlock: pow <= expand(bits) };
}

// Everything that the chain credits, in the order in which it counts: { height, time, script, team,
// work, isFee, id, pow, isBlock }.
async function readCredits(asker, pool, links) {
    const credits = [];
    for (const link of links) {
        const read = async (id) => readShare(id, (await asker.ask('share', { id })).raw);
        const add = (values) => credits.push({ height: link.height, time: link.time, ...values });
        const own = await read(link.id);
        let fees = 0n;
        if (!link.is_detached)
            add({ ...own, id: link.id, script: link.script, work: BigInt(link.weight) });
        for (const [id, script, text] of link.included) {
            const fee = BigInt(text) * BigInt(pool.inclusion_fee_bp) / 10000n;
            fees += fee;
            add({ ...await read(id), id, script, work: BigInt(text) - fee });
        }
        if (fees > 0n)
            add({ team: own.team, script: link.script, work: fees, isFee: true });
    }
    return credits;
}

export async function chainOf(asker, pool) {
    const links = await asker.all('credits', 'links');
    return { links, credits: await readCredits(asker, pool, links), time: links.at(-1).time,
             sinceTime: Number(pool.genesis_time) };
}

// ---- Counting

function beginOf({ time, sinceTime }, period) {
    const starts = { day: (Math.floor(time / HOUR) - 23) * HOUR,
                     week: (Math.floor(time / DAY) - 6) * DAY, all: 0 };
    return Math.max(starts[period], sinceTime);
}

function streaksOf(chain, shares) {
    const days = [...new Set(shares.map(({ time }) => Math.floor(time / DAY)))];
    let longest = 0;
    let run = 0;
    days.forEach((day, i) => {
        run = i > 0 && days[i - 1] === day - 1 ? run + 1 : 1;
        longest = Math.max(longest, run);
    });
    const isRunning = days.length > 0 && days.at(-1) >= Math.floor(chain.time / DAY) - 1;
    return { streak_days: isRunning ? run : 0, streak_longest_days: longest };
}

const least = (pows) => pows.reduce((best, pow) => (pow < best ? pow : best));

// The numbers of all whose credits these are.
function numbersOf(chain, credits, period) {
    const begin = beginOf(chain, period);
    const shares = credits.filter(({ isFee }) => !isFee);
    const inPeriod = credits.filter(({ time }) => time >= begin);
    const sharesInPeriod = shares.filter(({ time }) => time >= begin);
    const best = sharesInPeriod.length === 0 ? null : least(sharesInPeriod.map(({ pow }) => pow));
    const work = inPeriod.reduce((sum, credit) => sum + credit.work, 0n);
    return {
        work: String(work),
        hashrate: Number(work) / Math.max(chain.time - begin, 1),
        shares: sharesInPeriod.length,
        blocks: sharesInPeriod.filter(({ isBlock }) => isBlock).length,
        best_hash: best === null ? null : best.toString(16).padStart(64, '0'),
        best_difficulty: best === null ? null : Number(DIFFICULTY_1) / Number(best),
        ...streaksOf(chain, shares),
        first_at: shares.length === 0 ? null : shares[0].time,
        last_at: shares.length === 0 ? null : shares.at(-1).time,
    };
}

const ORDERS = {
    hashrate: { score: ({ work }) => BigInt(work) },
    best_share: { score: ({ best_hash: hash }) => (hash === null ? 0n
        : (1n << 256n) - BigInt(`0x${hash}`)) },
    streak: { score: (row, period) => (period === 'all' ? row.streak_longest_days
        : row.shares > 0 && row.streak_days) },
    blocks: { score: ({ blocks }) => blocks },
};

function rank(rows, kind, period, name) {
    const { score } = ORDERS[kind];
    const compare = (a, b) => {
        const [left, right] = [score(a, period), score(b, period)];
        return left > right ? -1 : left < right ? 1 : a[name] < b[name] ? -1 : 1;
    };
    return rows.filter((row) => score(row, period) > 0).sort(compare)
        .map((row, i) => ({ place: i + 1, ...row }));
}

function groups(credits, key) {
    const found = new Map();
    for (const credit of credits)
        found.set(credit[key], [...found.get(credit[key]) ?? [], credit]);
    return [...found];
}

// As the member "standings", with a script for the address. team: null for all.
export function standingsOf(chain, { kind, period, team }) {
    const credits = chain.credits.filter((credit) => team === null || credit.team === team);
    const rows = groups(credits, 'script').map(([script, own]) =>
        ({ script, ...numbersOf(chain, own, period) }));
    return rank(rows, kind, period, 'script');
}

export function teamsOf(chain, period) {
    const rows = groups(chain.credits, 'team').filter(([name]) => name !== '').map(([name, own]) =>
        ({ name, members_count: new Set(own.map(({ script }) => script)).size,
           ...numbersOf(chain, own, period) }));
    return rank(rows, 'hashrate', period, 'name');
}

// Newest first, with a script for the address.
export function milestonesOf(chain) {
    const found = [];
    const done = new Map();
    let best = null;
    let bests = 0;
    for (const credit of chain.credits.filter(({ isFee }) => !isFee)) {
        const own = done.get(credit.script) ?? { shares: 0, blocks: 0 };
        const note = (kind, value) => found.unshift({ number: found.length + 1, kind, value,
            script: credit.script, share: credit.id, link_height: credit.height,
            at: credit.time });
        done.set(credit.script, own);
        own.shares++;
        if (own.shares === 1)
            note('first_grain', 1);
        else if (/^10+$/.test(String(own.shares)))
            note('grains', own.shares);
        if (credit.isBlock)
            note('block', ++own.blocks);
        if (best === null || credit.pow < best) {
            best = credit.pow;
            note('best_share', bests++);
        }
    }
    return found; // nobody's streak comes to seven days here
}
