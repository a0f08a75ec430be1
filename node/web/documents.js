// The newest copy of each document that the open page shows, kept current: the node's events say
// what has become old, the documents say what is true now. Where no events come, the documents are
// asked for again and again.
import { isTold } from './activity.js';
import { followEvents } from './feed.js';

const BASE = '/api/v1/';
const TIMEOUT_MS = 5000;
const TICK_MS = 200;
const REST_MS = 900;       // between two questions for one document
const REST_FACTOR = 5;     // an answer that takes long is followed by a longer rest
const POLL_MS = 1000;      // without events
const RENEW_MS = 5000;     // with them: confirmations, ages and counters have none
const MISSING_MS = 15000;  // what the node does not have
const LIFE_MAX_MS = 2000;  // for so long the node gives out what it has made once
const RECENT_MAX = 50;

// Event -> the documents that it makes old, by the first part of their path.
const MAKES_OLD = {
    link: ['status', 'links', 'payouts', 'chain', 'luck', 'standings', 'teams', 'milestones'],
    block: ['status', 'blocks', 'payouts', 'luck', 'milestones'],
    job: ['status', 'payouts', 'template', 'daemons'],
    miner_up: ['status', 'miners', 'addresses'],
    miner_down: ['status', 'miners', 'addresses'],
    peer_up: ['status', 'peers', 'dht', 'chain'],
    peer_down: ['status', 'peers', 'dht', 'chain'],
    daemon: ['status', 'daemons'],
    status: ['status', 'miners', 'addresses', 'shares'],
    missed: ['status', 'links', 'blocks', 'miners', 'payouts', 'peers'],
};

class NoAnswer extends Error {}

async function answerOf(path, options = {}) {
    return fetch(BASE + path, { signal: AbortSignal.timeout(TIMEOUT_MS), ...options })
        .catch((error) => { throw new NoAnswer(error.message); });
}

// The problem that an answer tells of, as { status, detail }.
async function problemOf(answer) {
    const problem = await answer.json().catch(() => ({}));
    return { status: answer.status, detail: problem.detail ?? `HTTP ${answer.status}` };
}

// Sends something that changes the node. Returns { document } or { problem }.
export async function send(method, path, body, csrf) {
    const headers = { 'X-Shoal-Csrf': csrf ?? '' };
    if (body !== undefined)
        headers['Content-Type'] = 'application/json';
    try {
        const answer = await answerOf(path, { method, headers, body: JSON.stringify(body) });
        if (!answer.ok)
            return { problem: await problemOf(answer) };
        return { document: await answer.json().catch(() => ({})) };
    } catch (error) {
        return { problem: { status: 0, detail: `the node does not answer: ${error.message}` } };
    }
}

function makeEntry(path) {
    return { path, data: null, problem: null, isStale: true, isAsking: false, askedAt: -Infinity,
             tookMs: 0, receivedAt: 0 };
}

export class Documents {
    // onChange() is called when something came, or ceased to come.
    constructor(onChange) {
        this.onChange = onChange;
        this.entries = new Map(); // path -> entry
        this.isLost = false;
        this.isLive = false; // events come
        this.recent = []; // events that are told, oldest first
        this.feed = followEvents({ onEvent: (event) => this.hear(event),
                                   onState: (isLive) => { this.isLive = isLive; } });
        document.addEventListener('visibilitychange', () => this.tick());
        setInterval(() => this.tick(), TICK_MS);
    }

    // From now on these, and no others: an answer that is here already is shown meanwhile.
    want(paths) {
        const wanted = new Map();
        for (const path of paths)
            wanted.set(path, this.entries.get(path) ?? makeEntry(path));
        this.entries = wanted;
        this.tick();
    }

    get(path) {
        return this.entries.get(path)?.data ?? null;
    }

    problem(path) {
        return this.entries.get(path)?.problem ?? null;
    }

    hasAnswered(path) {
        const entry = this.entries.get(path);
        return entry !== undefined && (entry.data !== null || entry.problem !== null);
    }

    // The node's clock, in seconds since 1970; it goes on between two answers.
    now() {
        const { data, receivedAt } = this.entries.get('status') ?? makeEntry('');
        return data === null ? Date.now() / 1000 :
            data.now + (performance.now() - receivedAt) / 1000;
    }

    // Asked for again at once, all without names: something was changed from here. The node may
    // still give out what it made just before: later once more.
    renew(...names) {
        this.makeOld(names);
        setTimeout(() => this.makeOld(names), LIFE_MAX_MS);
    }

    makeOld(names) {
        for (const entry of this.entries.values())
            if (names.length === 0 || names.includes(entry.path.split(/[/?]/, 1)[0]))
                Object.assign(entry, { isStale: true, askedAt: -Infinity });
        this.tick();
    }

    // What the node gave as the answer to something else.
    put(path, data) {
        const entry = this.entries.get(path) ?? makeEntry(path);
        Object.assign(entry, { data, problem: null, receivedAt: performance.now() });
        this.entries.set(path, entry);
    }

    hear(event) {
        const old = MAKES_OLD[event.event] ?? [];
        for (const entry of this.entries.values())
            entry.isStale ||= old.includes(entry.path.split(/[/?]/, 1)[0]);
        if (isTold(event))
            this.recent = [...this.recent, event].slice(-RECENT_MAX);
    }

    isDue(entry, now) {
        const age = now - entry.askedAt;
        if (entry.isAsking || age < Math.max(REST_MS, entry.tookMs * REST_FACTOR))
            return false;
        const longest = entry.problem !== null ? MISSING_MS : this.isLive ? RENEW_MS : POLL_MS;
        return entry.isStale || age >= longest;
    }

    tick() {
        if (document.hidden)
            return;
        const now = performance.now();
        for (const entry of this.entries.values())
            // A node that does not answer is asked one question at a time.
            if ((!this.isLost || entry.path === 'status') && this.isDue(entry, now))
                this.ask(entry, now);
    }

    async ask(entry, now) {
        Object.assign(entry, { isAsking: true, isStale: false, askedAt: now });
        try {
            const answer = await answerOf(entry.path);
            entry.problem = answer.ok ? null : await problemOf(answer);
            entry.data = answer.ok ? await answer.json() : null;
            entry.receivedAt = performance.now();
            this.setLost(false);
        } catch (error) {
            entry.isStale = true;
            if (error instanceof NoAnswer)
                this.setLost(true);
            else
                entry.problem = { status: 0, detail: error.message };
        }
        entry.isAsking = false;
        entry.tookMs = performance.now() - now;
        this.onChange();
    }

    setLost(isLost) {
        if (this.isLost && !isLost)
            this.entries.forEach((entry) => { entry.isStale = true; });
        this.isLost = isLost;
    }
}
