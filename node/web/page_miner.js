// One miner, for himself: what he has earned, what he may expect and why, and how his workers do.
import { fillChart, makeChart } from './chart.js';
import { make, rebuild } from './dom.js';
import { sharesCell } from './page_miners.js';
import { fateOf, fillFigures, makeCard, makeFigures, makePair, setLead, showProblem }
    from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, amount, count, counted, difficulty, hashrate, percent, sentence } from './units.js';

const ROWS_SHOWN = 10;

function pathOf(address) {
    return `addresses/${encodeURIComponent(address)}`;
}

function sharesPathOf(address) {
    return `shares?limit=10&address=${encodeURIComponent(address)}`;
}

// ---- Figures and what they mean

function bestOf({ best_difficulty: best }) {
    return best === null ? 'none yet' : difficulty(best);
}

function sumOf(paid) {
    return paid.reduce((sum, { amount_sats }) => sum + BigInt(amount_sats), 0n);
}

function figures(miner) {
    const { window, paid } = miner;
    return [
        { label: 'Hashrate', value: hashrate(miner.hashrate_10m),
          note: `24 h: ${hashrate(miner.hashrate_24h)}` },
        { label: 'Expected of the next block', value: amount(miner.expected_sats),
          note: `${percent(window.part)} of the work that it pays` },
        { label: 'Paid by the newest blocks', value: amount(String(sumOf(paid))),
          note: paid.length === 0 ? 'no block yet' : `by ${counted(paid.length, 'block')}` },
        { label: 'Best share', value: bestOf(miner),
          note: 'its difficulty' },
    ];
}

// Whether the next block pays the part exactly, or a place in it is drawn with that chance.
function exactness({ window, is_exact: isExact, next_block_sats: sats, explanation }) {
    const title = !(window.part > 0) ? '' : isExact ? 'Exact. ' : 'Drawn. ';
    const now = isExact || sats === '0' ? '' : ` The next one would pay ${amount(sats)}.`;
    return [title, `${sentence(explanation)}${now}`];
}

// ---- Tables

const workerColumns = [
    { label: 'Worker', kind: 'text', cell: (worker) => ({
        main: worker.name || 'without a name', tone: worker.is_online ? 'none' : 'warn',
        note: worker.is_online ? worker.device : 'not connected' }) },
    { label: 'Hashrate', kind: 'number', cell: (worker) => ({
        main: hashrate(worker.hashrate_10m), note: `24 h: ${hashrate(worker.hashrate_24h)}` }) },
    { label: 'Shares', kind: 'number', cell: sharesCell },
    { label: 'Best share', kind: 'number', cell: (worker) => ({
        main: bestOf(worker) }) },
];

const paidColumns = [
    { label: 'Block', kind: 'number', cell: (paid) => ({
        main: count(paid.height), href: `#/block/${paid.id}` }) },
    { label: 'Found', kind: 'text', cell: (paid) => ({
        main: ago(paid.found_at, paid.now), time: paid.found_at }) },
    { label: 'State', kind: 'text', cell: (paid) => fateOf({ fate: null, ...paid }) },
    { label: 'Amount', kind: 'number', cell: (paid) => ({ main: amount(paid.amount_sats) }) },
];

const shareColumns = [
    { label: 'Found', kind: 'text', cell: (share) => (share.time === null ?
        { main: 'some time ago' } : { main: ago(share.time, share.now), time: share.time }) },
    { label: 'As', kind: 'text', cell: (share) => ({
        main: share.is_link ? `link ${count(share.link_height)}` : 'grain',
        href: share.is_link ? `#/chain/${share.id}` : undefined }) },
    { label: 'Credited', kind: 'text', cell: (share) => (share.credited_height === null ?
        { main: 'not yet', tone: 'idle' } :
        { main: `by link ${count(share.credited_height)}`, tone: 'ok' }) },
];

// ---- The chart: 24 hours, or seven days

const SPANS = [['day', 'Last 24 hours'], ['week', 'Last 7 days']];
const LENGTH_S = { day: 86400, week: 7 * 86400 };
const STEP_S = { day: 600, week: 3600 };
const STEPS_MIN = 24;

function showHistory(chart, { history }, span, now) {
    const step = STEP_S[span];
    const last = Math.ceil(now / step) * step;
    // Somebody new sees his beginning, and not a day of nothing before it.
    const begun = history[span].find(([, value]) => value > 0)?.[0] ?? 0;
    const first = Math.min(Math.max(begun - step, last - LENGTH_S[span]), last - STEPS_MIN * step);
    const points = history[span].filter(([begin]) => begin >= first)
        .map(([begin, value, accepted, rejected]) => ({
            at: begin + step, value, note: `${counted(accepted, 'share')} accepted` +
                (rejected > 0 ? `, ${count(rejected)} rejected` : '') }));
    fillChart(chart, points, { first, last, step });
}

function makeSpanChoice(onChoose) {
    const buttons = SPANS.map(([name, label], i) => make('button', {
        class: 'action', type: 'button', 'data-span': name, 'aria-pressed': String(i === 0) },
        label));
    for (const button of buttons)
        button.addEventListener('click', () => {
            for (const each of buttons)
                each.setAttribute('aria-pressed', String(each === button));
            onChoose(button.dataset.span);
        });
    return make('p', { class: 'buttons' }, ...buttons);
}

// ---- The page

function makeParts(root, address) {
    const parts = {
        whole: make('p', { class: 'whole-id' }, address),
        figures: makeFigures('At a glance'),
        next: makeCard('expected', 'What you are paid'),
        chart: makeCard('history', 'Your hashrate here'),
        workers: makeCard('workers', 'Workers'),
        shares: makeCard('shares', 'Your newest receipts', 'Grains that this node has from you, ' +
            'mined here or at any other node of the pool.'),
        paid: makeCard('paid', 'Blocks that paid you', 'Coins come with the block itself: nobody ' +
            'holds them for you. They can be spent after 100 confirmations.'),
    };
    root.append(parts.whole, parts.figures, parts.next.card, parts.chart.card, parts.workers.card,
                makePair(parts.shares, parts.paid));
    return parts;
}

function pendingWords({ pending, window }) {
    const credited = Number(pending.credited);
    const total = credited + Number(window.weight);
    const loose = pending.loose_count === 0 ? '' :
        ` ${counted(pending.loose_count, 'grain')} of yours wait for the next link.`;
    if (!(total > 0))
        return 'Nothing is credited to this address yet: a credit comes with each grain that a ' +
            `link includes.${loose}`;
    return `Of the work credited to you ${percent(1 - credited / total)} counts for the next ` +
        `block; ${percent(credited / total)} is not six blocks deep yet.${loose}`;
}

export const miner = {
    section: '#/miners',
    title: () => 'Miner',
    documents: (address) => ({ miner: pathOf(address), shares: sharesPathOf(address) }),

    make(root, context) {
        const parts = makeParts(root, context.parameter);
        const exact = make('p', { class: 'exactness' });
        parts.next.body.append(exact);
        let span = 'day';
        let last = null;
        const place = make('div', {});
        parts.chart.body.append(makeSpanChoice((chosen) => {
            span = chosen;
            if (last !== null)
                showHistory(chart, last, span, context.now());
        }), place);
        const chart = makeChart(place, { label: 'Hashrate', unit: hashrate, shape: 'bars',
                                         empty: 'No work in this time.' });
        const workers = makeTablePlace(parts.workers.body, 'Workers of this address',
                                       workerColumns);
        const paid = makeTablePlace(parts.paid.body, 'Blocks that paid this address', paidColumns);
        const shares = makeTablePlace(parts.shares.body, 'The newest grains of this address',
                                      shareColumns);
        return (documents) => {
            const now = context.now();
            showProblem(parts.next, context.problem(pathOf(context.parameter)));
            if (documents.shares !== null)
                fillPlace(shares, documents.shares.shares.map((each) => ({ ...each, now })), {
                    key: (share) => share.id, empty: 'None yet.' });
            if (documents.miner === null)
                return;
            last = documents.miner;
            fillFigures(parts.figures, figures(last));
            setLead(parts.next, pendingWords(last));
            rebuild(exact, exactness(last), ([title, text]) => [make('strong', {}, title), text]);
            showHistory(chart, last, span, now);
            fillPlace(workers, last.workers, { key: (worker) => worker.name,
                shownMax: ROWS_SHOWN, empty: 'No worker is known.' });
            fillPlace(paid, last.paid.map((each) => ({ ...each, now })), {
                key: (each) => each.id, shownMax: ROWS_SHOWN, empty: 'None yet.' });
        };
    },
};
