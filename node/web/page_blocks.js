// The blocks that miners of this node found: what became of them, and how lucky that was.
import { blockColumns, fillFigures, makeCard, makeFigures, showProblem } from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { count, percent } from './units.js';

const ROWS_SHOWN = 25;

const SPANS = [['24h', 'Last 24 hours'], ['7d', 'Last 7 days'], ['all', 'Since the beginning']];

// found / expected, in words that do not call chance a merit.
function luckWords({ expected }) {
    if (!(expected > 0))
        return 'no work was done yet';
    return `${expected < 9.995 ? expected.toFixed(2) : count(expected)} expected by the work done`;
}

function luckFigures(luck) {
    return SPANS.filter(([name]) => luck[name] !== undefined && luck[name] !== null)
        .map(([name, label]) => ({ label, value: `${count(luck[name].found)} found`,
                                   note: luckWords(luck[name]) }));
}

const luckColumn = { label: 'Luck', kind: 'number', cell: (block) => ({
    main: block.luck === null || block.luck === undefined ? 'unknown' : percent(block.luck) }) };

export const blocks = {
    section: '#/blocks',
    title: () => 'Blocks',
    documents: () => ({ blocks: 'blocks', luck: 'luck' }),

    make(root, context) {
        const figures = makeFigures('Luck');
        const list = makeCard('blocks', 'Found here', 'Every block goes to every coin daemon at ' +
            'once; here is what became of it. Its coins can be spent once it is mature, after ' +
            '100 confirmations. Luck compares the work that was to be expected since the last ' +
            'block with the work that it took: above 100 % it came early.');
        root.append(figures, list.card);
        const place = makeTablePlace(list.body, 'Blocks found by miners of this node',
                                     [...blockColumns, luckColumn]);
        return (documents) => {
            const now = context.now();
            showProblem(list, context.problem('blocks'));
            if (documents.luck !== null)
                fillFigures(figures, luckFigures(documents.luck));
            figures.hidden = documents.luck === null;
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
