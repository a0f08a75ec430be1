// The blocks that miners of this node found: what became of them, and how lucky that was.
import { blockColumns, fateOf, fillFacts, fillFigures, makeCard, makeFacts, makeFigures, payeeCell,
         showProblem } from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, amount, bytes, count, counted, percent, since } from './units.js';

const ROWS_SHOWN = 12;

const SPANS = { day: 'Last 24 hours', week: 'Last 7 days', all: 'Since the oldest link' };

function luckWords({ expected }) {
    if (!(expected > 0))
        return 'no work was done yet';
    return `${expected < 9.995 ? expected.toFixed(2) : count(expected)} expected by the work done`;
}

function luckFigures(luck) {
    return luck.spans.map((span) => ({
        label: SPANS[span.name] ?? span.name, value: `${count(span.found)} found`,
        note: luckWords(span) }));
}

const luckColumn = { label: 'Luck', kind: 'number', cell: (block) => ({
    main: block.luck === null || block.luck === undefined ? 'unknown' : percent(block.luck) }) };

// ---- The block that is being mined

const WEIGHT_MAX = 4000000;

function templateRows(template) {
    const { coinbase } = template;
    return [
        { label: 'Height', words: count(template.height), note: `on block ${template.prev}` },
        { label: 'Value', words: amount(template.value_sats),
          note: `of which ${amount(template.fees_sats)} are fees` },
        { label: 'Transactions', words: count(template.transactions),
          note: `weight ${count(template.weight)}, ${percent(template.weight / WEIGHT_MAX)} of ` +
              `what fits; ${counted(template.sigops, 'signature operation')}` },
        { label: 'Coinbase', words: counted(coinbase.outputs, 'output'),
          note: `${bytes(coinbase.size)}; the template was made ${since(template.age_ms)}` },
    ];
}

// ---- Blocks of the whole pool

const HISTORY = 'payouts/history?limit=10';

const poolColumns = [
    { label: 'Block', kind: 'number', cell: (block) => ({
        main: count(block.height), href: `#/block/${block.id}`,
        note: ago(block.found_at, block.now), noteTime: block.found_at }) },
    { label: 'Found by', kind: 'wide', cell: (block) => ({
        ...payeeCell(block), note: block.is_found_here ? 'at this node' : 'at another node' }) },
    { label: 'State', kind: 'text', cell: fateOf },
    { label: 'Paid', kind: 'number', cell: (block) => (block.outputs === null ?
        { main: 'not kept any more' } :
        { main: amount(block.value_sats),
          note: `to ${counted(block.outputs.length, 'address', 'addresses')}` }) },
    luckColumn,
];

export const blocks = {
    section: '#/blocks',
    title: () => 'Blocks',
    documents: () => ({ blocks: 'blocks', luck: 'luck', history: HISTORY,
                        template: 'template' }),

    make(root, context) {
        const figures = makeFigures('Luck');
        const list = makeCard('blocks', 'Found here', 'Every block goes to every coin daemon at ' +
            'once; here is what became of it. Its coins can be spent once it is mature, after ' +
            '100 confirmations. Luck compares the work that was to be expected since the last ' +
            'block with the work that it took: above 100 % it came early.');
        const pool = makeCard('pool-blocks', 'Of the whole pool', 'What the newest blocks paid, ' +
            'whoever found them.');
        const next = makeCard('template', 'Being mined now');
        const facts = makeFacts();
        next.body.append(facts);
        root.append(figures, next.card, list.card, pool.card);
        const place = makeTablePlace(list.body, 'Blocks found by miners of this node',
                                     [...blockColumns, luckColumn]);
        const poolPlace = makeTablePlace(pool.body, 'Newest blocks of the pool', poolColumns);
        return (documents) => {
            const now = context.now();
            showProblem(list, context.problem('blocks'));
            if (documents.luck !== null)
                fillFigures(figures, luckFigures(documents.luck));
            figures.hidden = documents.luck === null;
            showProblem(next, context.problem('template'));
            const template = documents.template?.template ?? null;
            fillFacts(facts, template === null ? [{ label: 'Block', tone: 'idle',
                words: 'none: there is no work' }] : templateRows(template));
            showProblem(pool, context.problem(HISTORY));
            if (documents.history !== null)
                fillPlace(poolPlace, documents.history.blocks.map((block) => ({ ...block, now })), {
                    key: (block) => block.id, empty: 'None yet.' });
            if (documents.blocks === null)
                return;
            const rows = documents.blocks.blocks.map((block) => ({ ...block, now }));
            fillPlace(place, rows, {
                key: (block) => block.number, shownMax: ROWS_SHOWN, total: documents.blocks.total,
                empty: 'None yet. The pool finds one as often as its part of the coin’s hashrate ' +
                    'says.' });
        };
    },
};
