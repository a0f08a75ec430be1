// The share-chain as a picture: a column for each link, and under them the coin's blocks that the
// links were mined on.
import { make, rebuild, syncChildren, setText, makeTable, fillTable } from './dom.js';
import { ago, count, counted } from './units.js';

const LINKS_SHOWN = 40;
const ROWS_SHOWN = 10;

const LEGEND = [
    ['paid', 'paid by the next block'],
    ['waiting', 'credited, paid when six blocks deep'],
    ['found', 'was a block as well'],
];

function makeLegend() {
    const items = LEGEND.map(([kind, text]) => make('li', {},
        make('span', { class: `sample is-${kind}`, 'aria-hidden': 'true' }), text));
    return make('ul', { class: 'legend' }, ...items);
}

export function makePicture(parent, nameOf) {
    const columns = make('div', { class: 'columns' });
    const strip = make('div', { class: 'strip' });
    const plot = make('div', { class: 'plot', role: 'img' }, columns, strip);
    const scale = make('p', { class: 'scale' });
    const readout = make('p', { class: 'readout' });
    const table = makeTable('The newest links of the share-chain', tableColumns(nameOf));
    const details = make('details', {}, make('summary', {}, 'The newest links as a table'),
                         table.table);
    parent.replaceChildren(scale, plot, readout, makeLegend(), details);
    const picture = { columns, strip, plot, scale, readout, table, details, nameOf,
                      pointed: null, links: [], now: 0 };
    columns.addEventListener('pointerover', (event) => point(picture, event.target));
    columns.addEventListener('pointerleave', () => point(picture, null));
    details.addEventListener('toggle', () => fillDetails(picture));
    return picture;
}

// ---- The columns

function columnClass(link, paidHeight) {
    const classes = ['column', link.height <= paidHeight ? 'is-paid' : 'is-waiting'];
    if (link.is_found_block)
        classes.push('is-found');
    return classes.join(' ');
}

function fillColumns(picture, links, paidHeight) {
    const most = Math.max(1, ...links.map((link) => link.grains));
    syncChildren(picture.columns, links, {
        key: (link) => link.id,
        create: () => make('div', {}, make('span', { class: 'column-bar' })),
        update: (column, link) => {
            column.className = columnClass(link, paidHeight);
            column.dataset.height = link.height;
            column.firstElementChild.style.height = `${(100 * link.grains / most).toFixed(1)}%`;
        },
    });
    setText(picture.scale, `Tallest column: ${counted(most, 'grain')}`);
}

// ---- The strip of blocks

function blockRuns(links) {
    const runs = [];
    for (const link of links) {
        if (runs.at(-1)?.height === link.tip_height)
            runs.at(-1).length++;
        else
            runs.push({ height: link.tip_height, length: 1 });
    }
    return runs;
}

function fillStrip(picture, links) {
    rebuild(picture.strip, blockRuns(links), (runs) => runs.map((run) => {
        const isRoomy = run.length / LINKS_SHOWN > 0.09;
        const block = make('span', { class: `block${run.height % 2 === 0 ? ' is-even' : ''}` },
                           isRoomy ? String(run.height) : '');
        block.style.gridColumn = `span ${run.length}`;
        return block;
    }));
}

// ---- In words

function describe(picture, links) {
    if (links.length === 0)
        return 'The share-chain has no link yet.';
    const grains = links.reduce((sum, link) => sum + link.grains, 0);
    return `The newest ${links.length} links, heights ${links[0].height} to ` +
        `${links.at(-1).height}; together they include ${counted(grains, 'grain')}.`;
}

function describeLink(picture, link) {
    const name = picture.nameOf(link);
    const who = name !== '' ? ` by ${name}` : '';
    const block = link.is_found_block ? ', and a block as well' : '';
    return `Link ${count(link.height)}: ${counted(link.grains, 'grain')}, found${who} ` +
        `${ago(link.time, picture.now)}, on block ${count(link.tip_height)}${block}`;
}

function point(picture, target) {
    const column = target?.closest?.('.column');
    picture.pointed = column ? Number(column.dataset.height) : null;
    showReadout(picture);
}

function showReadout(picture) {
    const { links } = picture;
    const link = links.find((each) => each.height === picture.pointed) ?? links.at(-1);
    setText(picture.readout, link ? describeLink(picture, link) :
        'No link yet: the first one comes with the miners’ work.');
}

function tableColumns(nameOf) {
    return [
        { label: 'Link', kind: 'number', cell: (link) => ({ main: count(link.height) }) },
        { label: 'Found', kind: 'text', cell: (link) => ({ main: ago(link.time, link.now) }) },
        { label: 'Grains', kind: 'number', cell: (link) => ({ main: count(link.grains) }) },
        { label: 'On block', kind: 'number', cell: (link) => ({ main: count(link.tip_height) }) },
        { label: 'By', kind: 'wide',
          cell: (link) => ({
              main: nameOf(link) || 'unknown', noteId: link.address ?? link.script }) },
    ];
}

function fillDetails(picture) {
    if (!picture.details.open)
        return;
    const rows = picture.links.slice(-ROWS_SHOWN).reverse();
    fillTable(picture.table, rows.map((link) => ({ ...link, now: picture.now })),
              (link) => link.id);
}

// paidHeight: of the newest link whose credits the next block pays; 0 if it pays none.
export function fillPicture(picture, document_, paidHeight) {
    const links = document_.links.slice(0, LINKS_SHOWN).reverse();
    picture.links = links;
    picture.now = document_.now;
    picture.plot.dataset.isEmpty = links.length === 0;
    fillColumns(picture, links, paidHeight);
    fillStrip(picture, links);
    picture.plot.setAttribute('aria-label', describe(picture, links));
    showReadout(picture);
    fillDetails(picture);
}
