// One block: where it stands, and whom it pays what.
import { fateOf, fillFacts, makeCard, makeFacts, payeeCell, setLead, showProblem }
    from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, amount, count, counted, percent } from './units.js';

const ROWS_SHOWN = 100;

const outputColumns = [
    { label: 'Paid to', kind: 'wide', cell: (output) => payeeCell(output) },
    { label: 'Part of the block', kind: 'number', cell: (output) => ({
        main: percent(output.part), bar: output.part }) },
    { label: 'Amount', kind: 'number', cell: (output) => ({ main: amount(output.amount_sats) }) },
];

function factsOf(block, now) {
    const fate = fateOf(block);
    const rows = [
        { label: 'Fate', tone: fate.tone, words: fate.main, note: fate.note },
        { label: 'Height', words: count(block.height), note: `hash ${block.id}` },
        { label: 'Found', words: ago(block.found_at, now), note: `by ${block.user}` },
        { label: 'Value', words: amount(block.value_sats) },
    ];
    if (block.epoch)
        rows.push({ label: 'Pays for', words: counted(block.epoch.links, 'link'),
                    note: `the newest of them at height ${count(block.epoch.height)}` });
    return rows;
}

export const block = {
    section: '#/blocks',
    title: (id, documents) => {
        const height = documents?.block?.found?.height;
        return height === undefined ? 'Block' : `Block ${count(height)}`;
    },
    documents: (id) => ({ block: `blocks/${encodeURIComponent(id)}` }),

    make(root, context) {
        const about = makeCard('about', 'What became of it');
        const outputs = makeCard('outputs', 'Whom it pays');
        const facts = makeFacts();
        about.body.append(facts);
        root.append(about.card, outputs.card);
        const place = makeTablePlace(outputs.body, 'Outputs of the block', outputColumns);
        return (documents) => {
            const path = `blocks/${encodeURIComponent(context.parameter)}`;
            showProblem(about, context.problem(path));
            if (documents.block === null)
                return;
            const { found } = documents.block;
            setLead(about, found === null ? 'No miner of this node found it.' : '');
            fillFacts(facts, found === null ? [] : factsOf(found, context.now()));
            fillPlace(place, documents.block.outputs ?? [], {
                key: (output) => output.script, shownMax: ROWS_SHOWN,
                empty: 'Its share is not kept any more.' });
        };
    },
};
