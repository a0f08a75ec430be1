// The first page: is it working, what does the pool do, what will be paid, what was found.
import { fillActivity } from './activity.js';
import { alarmsOf } from './banners.js';
import { fillChart, makeChart } from './chart.js';
import { make, setText, setTone } from './dom.js';
import { blockColumns, fillFacts, fillFigures, makeCard, makeFacts, makeFigures, makeLookup,
         makePair, nameOf, namesByAddress, payeeCell, setLead } from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, amount, bytes, count, counted, hashrate, latency, percent, sentence, since }
    from './units.js';

const PAYEES_SHOWN = 6;
// A point of the chart is the work of this many links over the time they took.
const LINKS_PER_POINT = 6;
const LINKS = 'links?limit=180';

// ---- In one sentence

function verdict(documents) {
    const { status } = documents;
    const { stratum, job } = status;
    const [alarm] = alarmsOf({ isLost: false, ...documents });
    if (alarm !== undefined)
        return { tone: 'bad', text: `Not well: ${alarm.title.toLowerCase()}.` };
    if (job === null)
        return { tone: 'idle', text: 'Starting: there is no work yet.' };
    const miners = stratum.sessions_authorized;
    if (miners === 0)
        return { tone: 'idle', text: 'Ready: no miner is connected yet.' };
    const paid = job.is_solo ? 'the next block pays its finder' :
        `the next block pays ${counted(job.outputs, 'address', 'addresses')}`;
    return { tone: 'ok', text: `Working: ${counted(miners, 'miner')} ` +
        `${miners === 1 ? 'mines' : 'mine'} here, and ${paid}.` };
}

// ---- At a glance

function payeesOf(job) {
    return job.is_solo ? 'all of it to its finder' :
        `to ${counted(job.outputs, 'address', 'addresses')}`;
}

function figures({ status, blocks }, now) {
    const { job, stratum, found, tip } = status;
    const last = blocks?.blocks[0];
    return [
        { label: 'Pool hashrate', value: hashrate(status.pool_hashrate),
          note: `share-chain at link ${count(tip.height)}` },
        { label: 'Miners here', value: count(stratum.sessions_authorized),
          note: `${hashrate(stratum.hashrate_1m)} over the last minute` },
        { label: 'Next block pays', value: job ? amount(job.value_sats) : 'no work yet',
          note: job ? `block ${count(job.height)}, ${payeesOf(job)}` : '' },
        { label: 'Blocks found here', value: count(found.blocks),
          note: last ? `the last one ${ago(last.found_at, now)}` : 'none yet' },
    ];
}

// ---- Is it working?

const DAEMON_WORDS = {
    ready: ['ok', 'ready'],
    checking: ['idle', 'being asked for the first time'],
    syncing: ['warn', 'catching up with its network'],
    wrong_chain: ['bad', 'on another chain'],
    down: ['bad', 'not working'],
};

function daemonRow(daemon) {
    const [tone, words] = DAEMON_WORDS[daemon.state] ?? ['warn', daemon.state];
    const took = daemon.latency_ms < 0 ? '' : `, in ${latency(daemon.latency_ms)}`;
    const answered = daemon.answered_ms_ago < 0 ? 'has not answered yet' :
        `answered ${since(daemon.answered_ms_ago)}${took}`;
    return { label: 'Coin daemon', tone, words: daemon.is_active ? `${words}, in use` : words,
             note: `${daemon.url} ${answered}`, problem: daemon.error ?? '' };
}

function templateRow({ daemons }) {
    if (!daemons.has_work)
        return { label: 'Block template', tone: 'bad', words: 'none that is safe to mine on' };
    return { label: 'Block template', tone: 'ok',
             words: `for block ${count(daemons.template_height)}`,
             note: `made ${since(daemons.template_age_ms)}, its tip confirmed ` +
                   `${since(daemons.confirmed_ms_ago)}` };
}

function workRow({ stratum }) {
    if (stratum.is_paused)
        return { label: 'Miners', tone: 'bad', words: 'not served',
                 note: stratum.pause_reason ?? '' };
    const { accepted } = stratum.shares;
    const all = Object.values(stratum.shares).reduce((sum, number) => sum + number, 0);
    return { label: 'Miners', tone: 'ok',
             words: `${counted(stratum.sessions_authorized, 'miner')} served`,
             note: `${counted(accepted, 'share')} accepted, ${count(all - accepted)} rejected ` +
                   'since the start' };
}

function chainRow({ tip, job }, now) {
    if (tip.height === 0)
        return { label: 'Share-chain', tone: 'idle', words: 'no link yet' };
    const grains = job ? `, ${counted(job.grains, 'grain')} wait for the next link` : '';
    return { label: 'Share-chain', tone: 'ok', words: `link ${count(tip.height)}`,
             note: `found ${ago(tip.time, now)}${grains}` };
}

function networkRow({ network }) {
    if (network === null)
        return { label: 'Other nodes', tone: 'idle', words: 'none wanted' };
    const tone = network.problem ? 'warn' : network.peers > 0 ? 'ok' : 'idle';
    return { label: 'Other nodes', tone, words: counted(network.peers, 'peer'),
             note: `catching up with them: ${network.sync}` };
}

function diskRow({ store }) {
    const isHealthy = store.health === 'healthy';
    const waiting = store.pending_bytes > 0 ? `${bytes(store.pending_bytes)} on the way to it` :
        'everything is written';
    return { label: 'Disk', tone: isHealthy ? 'ok' : 'bad',
             words: isHealthy ? 'healthy' : store.health.replaceAll('_', ' '), note: waiting,
             problem: store.problem ?? '' };
}

function healthRows({ status, daemons }, now) {
    return [...(daemons?.daemons ?? []).map(daemonRow), templateRow(status), workRow(status),
            chainRow(status, now), networkRow(status), diskRow(status)];
}

// ---- The pool's hashrate, from what its links credit

// links: oldest first
function hashratePoints(links) {
    const points = [];
    for (let i = LINKS_PER_POINT; i < links.length; i += LINKS_PER_POINT) {
        const some = links.slice(i - LINKS_PER_POINT + 1, i + 1);
        const work = some.reduce((sum, link) => sum + Number(link.credits), 0);
        const seconds = links[i].time - links[i - LINKS_PER_POINT].time;
        if (seconds > 0)
            points.push({ at: links[i].time, value: work / seconds });
    }
    return points;
}

// ---- Payouts

const payoutColumns = [
    { label: 'Paid to', kind: 'wide', cell: (row) => payeeCell(row, row.name) },
    { label: 'Part of the work', kind: 'number', cell: (row) => ({
        main: percent(row.part), bar: row.part }) },
    { label: 'Next block', kind: 'number', cell: (row) => ({
        main: row.sats === null ? 'nothing yet' : amount(row.sats), note: row.note }) },
];

// Whoever is in the window or drew a place, with what the next block pays him.
function nextBlockRows({ outputs, window }) {
    const paid = new Map(outputs.map((output) => [output.script, output.amount_sats]));
    const rows = window.payees.map((payee) => ({
        ...payee, sats: paid.get(payee.script) ?? '0', note: '' }));
    const known = new Set(window.payees.map((payee) => payee.script));
    const others = outputs.filter((output) => !known.has(output.script));
    return rows.concat(others.map((output) => ({ ...output, sats: output.amount_sats, note: '' })));
}

function noteUpcoming(rows, upcoming) {
    const later = new Map(upcoming.payees.map((payee) => [payee.script, payee.part]));
    return rows.map((row) => ({
        ...row, note: `in six blocks ${percent(later.get(row.script) ?? 0)}` }));
}

function soloRows({ upcoming }) {
    return upcoming.payees.map((payee) => ({
        ...payee, sats: null, note: `then about ${amount(payee.expected_sats)}` }));
}

function payoutLead({ payouts, status }) {
    const next = payouts.next_block;
    if (next !== null && status.job === null)
        return 'Nobody is served work now. The last work would have been paid like this:';
    if (next === null)
        return 'There is no work yet, so there is no next block.';
    if (next.is_solo)
        return `${sentence(next.explanation)} Below is what is credited so far.`;
    return `${amount(next.value_sats)} in block ${count(next.height)}: ` +
        `${next.explanation}. The work of ${counted(next.window.links, 'link')} counts, the ` +
        'newest of them six blocks deep.';
}

function showPayouts({ card, place }, documents) {
    const { payouts, miners, blocks } = documents;
    const names = namesByAddress(miners?.miners ?? [], blocks?.blocks ?? []);
    const next = payouts.next_block;
    const isPaying = next !== null && !next.is_solo;
    const rows = isPaying ? noteUpcoming(nextBlockRows(next), payouts.upcoming) : soloRows(payouts);
    const total = isPaying ? next.window.payees_count : payouts.upcoming.payees_count;
    setLead(card, payoutLead(documents));
    fillPlace(place, rows.map((row) => ({ ...row, name: nameOf(names, row) })), {
        key: (row) => row.script, shownMax: PAYEES_SHOWN, empty: 'Nothing is credited yet.', total,
    });
}

// ---- The page

function makeParts(root) {
    const parts = {
        verdict: make('p', { class: 'verdict', id: 'verdict', 'data-tone': 'idle' }),
        figures: makeFigures('At a glance'),
        chart: makeCard('hashrate', 'Pool hashrate', 'What the whole pool works, as every node ' +
            'can compute it from the credits of the share-chain.'),
        health: makeCard('health', 'Is it working?'),
        activity: makeCard('activity', 'Just now'),
        events: make('ul', { class: 'activity' }),
        payouts: makeCard('payouts', 'Paid by the next block'),
        blocks: makeCard('blocks', 'Last blocks found here'),
        facts: makeFacts(),
    };
    parts.health.body.append(parts.facts);
    parts.activity.body.append(parts.events);
    root.append(parts.verdict, makeLookup(), parts.figures,
                makePair(parts.chart, parts.health), makePair(parts.payouts, parts.blocks),
                parts.activity.card);
    return parts;
}

export const overview = {
    title: (parameter, documents) => documents?.status?.pool.name ?? 'Overview',
    documents: () => ({ miners: 'miners', payouts: 'payouts', blocks: 'blocks?limit=5',
                        links: LINKS }),

    make(root, context) {
        const parts = makeParts(root);
        const chart = makeChart(parts.chart.body, {
            label: 'Pool hashrate', unit: hashrate, shape: 'area',
            empty: 'It shows once some links have been found.' });
        const payouts = { card: parts.payouts, place: makeTablePlace(parts.payouts.body,
            'Who is paid, and what', payoutColumns) };
        const blocks = makeTablePlace(parts.blocks.body, 'The last blocks found by miners of ' +
            'this node', blockColumns);
        return (documents) => {
            const now = context.now();
            const { tone, text } = verdict(documents);
            setTone(parts.verdict, tone);
            setText(parts.verdict, text);
            fillFigures(parts.figures, figures(documents, now));
            fillFacts(parts.facts, healthRows(documents, now));
            fillActivity(parts.events, context.recent(), now);
            fillChart(chart, hashratePoints((documents.links?.links ?? []).toReversed()));
            if (documents.payouts !== null)
                showPayouts(payouts, documents);
            const rows = documents.blocks?.blocks ?? [];
            fillPlace(blocks, rows.map((block) => ({ ...block, now })), {
                key: (block) => block.number,
                empty: 'None yet. The pool finds one as often as its part of the coin’s hashrate ' +
                    'says.' });
        };
    },
};
