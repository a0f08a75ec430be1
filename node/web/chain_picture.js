// The share-chain as a picture: a column for each link, under them the coin's blocks that the links
// were mined on, and at the right end the link that is being mined.
import { make, rebuild, setText, syncChildren } from './dom.js';
import { ago, count, counted } from './units.js';

const LINKS_SHOWN = 40;

const LEGEND = [
    ['paid', 'paid by the next block'],
    ['waiting', 'credited, paid when six blocks deep'],
    ['next', 'grains that wait for the next link'],
    ['found', 'was a block as well'],
];

function makeLegend() {
    const items = LEGEND.map(([kind, text]) => make('li', {},
        make('span', { class: `sample is-${kind}`, 'aria-hidden': 'true' }), text));
    return make('ul', { class: 'legend' }, ...items);
}

// onChoose(id) is called with the link whose column is pressed.
export function makePicture(parent, onChoose) {
    const columns = make('div', { class: 'columns' });
    const strip = make('div', { class: 'strip' });
    const plot = make('div', { class: 'plot', role: 'img' }, columns, strip);
    const scale = make('p', { class: 'scale' });
    const readout = make('p', { class: 'readout' });
    parent.replaceChildren(scale, plot, readout, makeLegend());
    const picture = { columns, strip, plot, scale, readout, pointed: null, all: [], now: 0 };
    columns.addEventListener('pointerover', (event) => point(picture, event.target));
    columns.addEventListener('pointerleave', () => point(picture, null));
    columns.addEventListener('click', (event) => {
        const column = event.target.closest('.column');
        if (column !== null && !column.classList.contains('is-next'))
            onChoose(column.dataset.key);
    });
    return picture;
}

// ---- The columns

function columnClass(link, { paidHeight, chosen }) {
    const kind = link.isNext ? 'is-next' : link.height <= paidHeight ? 'is-paid' : 'is-waiting';
    return ['column', kind, link.is_found_block ? 'is-found' : '',
            link.id === chosen ? 'is-chosen' : ''].filter(Boolean).join(' ');
}

function fillColumns(picture, options) {
    const most = Math.max(1, ...picture.all.map((link) => link.grains));
    syncChildren(picture.columns, picture.all, {
        key: (link) => link.id,
        create: () => make('div', {}, make('span', { class: 'column-bar' })),
        update: (column, link) => {
            column.className = columnClass(link, options);
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

function fillStrip({ strip, all }) {
    rebuild(strip, blockRuns(all), (runs) => runs.map((run) => {
        const isRoomy = run.length / LINKS_SHOWN > 0.09;
        const block = make('span', { class: `block${run.height % 2 === 0 ? ' is-even' : ''}` },
                           isRoomy ? String(run.height) : '');
        block.style.gridColumn = `span ${run.length}`;
        return block;
    }));
}

// ---- In words

function describe(links) {
    if (links.length === 0)
        return 'The share-chain has no link yet.';
    const grains = links.reduce((sum, link) => sum + link.grains, 0);
    return `The newest ${links.length} links, heights ${links[0].height} to ` +
        `${links.at(-1).height}; together they include ${counted(grains, 'grain')}.`;
}

function describeLink(link, now) {
    if (link.isNext)
        return `Link ${count(link.height)} is being mined: it will include ` +
            `${counted(link.grains, 'grain')}, on block ${count(link.tip_height)}`;
    const block = link.is_found_block ? ', and a block as well' : '';
    return `Link ${count(link.height)}: ${counted(link.grains, 'grain')}, found ` +
        `${ago(link.time, now)}, on block ${count(link.tip_height)}${block}`;
}

function point(picture, target) {
    picture.pointed = target?.closest?.('.column')?.dataset.key ?? null;
    showReadout(picture);
}

function showReadout(picture) {
    const { all, pointed, now } = picture;
    const link = all.find((each) => each.id === pointed) ??
        all.findLast((each) => !each.isNext);
    setText(picture.readout, link ? describeLink(link, now) :
        'No link yet: the first one comes with the miners’ work.');
}

// links: oldest first. options: now, job (or null), chosen (id), and paidHeight: of the newest link
// whose credits the next block pays; 0 if it pays none.
export function fillPicture(picture, links, options) {
    const { job, now } = options;
    const shown = links.slice(-LINKS_SHOWN + 1);
    const next = job === null ? [] : [{ id: 'next', isNext: true, height: job.link_height,
                                        grains: job.grains, tip_height: job.height - 1 }];
    picture.all = [...shown, ...next];
    picture.now = now;
    fillColumns(picture, options);
    fillStrip(picture);
    picture.plot.setAttribute('aria-label', describe(shown));
    showReadout(picture);
}
