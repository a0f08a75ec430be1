// The share-chain: a picture of its newest links, what is inside one of them, and the same links as
// a table.
import { fillPicture, makePicture } from './chain_picture.js';
import { make } from './dom.js';
import { fillLink, makeLink } from './link_picture.js';
import { fillFigures, makeCard, makeFigures, payeeCell, setLead, showProblem } from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, count, counted, duration, hashrate } from './units.js';

const ROWS_SHOWN = 10;

const STEPS = [
    ['Share', 'A miner’s hash that meets the easy target the node gave him: it proves work.'],
    ['Grain', 'A share good enough to be a receipt. Every node hears of it and checks it.'],
    ['Link', 'A still better share. It includes the grains that came since the last link, and ' +
        'from then on they are credited to their miners.'],
    ['Block', 'The best share of all, good enough for the coin’s own chain. Its coinbase pays ' +
        'what the links six blocks deep credit.'],
];

function makeSteps() {
    return make('ol', { class: 'ladder' }, ...STEPS.map(([name, text]) => make('li', {},
        make('strong', {}, name), ' ', make('span', {}, text))));
}

// ---- Links as a table

const linkColumns = [
    { label: 'Link', kind: 'number', cell: (link) => ({
        main: count(link.height), href: `#/chain/${link.id}` }) },
    { label: 'Found', kind: 'text', cell: (link) => ({
        main: ago(link.time, link.now), time: link.time }) },
    { label: 'Grains', kind: 'number', cell: (link) => ({ main: count(link.grains) }) },
    { label: 'On block', kind: 'number', cell: (link) => ({
        main: count(link.tip_height), note: link.is_found_block ? 'and a block itself' : '' }) },
    { label: 'By', kind: 'wide', cell: (link) => payeeCell(link) },
];

function spacingOf(links) {
    const seconds = links[0].time - links.at(-1).time;
    return links.length > 1 ? seconds / (links.length - 1) : null;
}

function figures({ status, links }, now) {
    const { tip } = status;
    const spacing = links === null || links.links.length === 0 ? null : spacingOf(links.links);
    return [
        { label: 'Newest link', value: count(tip.height),
          note: tip.height === 0 ? 'none yet' : `found ${ago(tip.time, now)}` },
        { label: 'A link comes every', value: spacing === null ? 'unknown' : duration(spacing),
          note: 'over the newest links' },
        { label: 'Waiting for the next', value: counted(status.job?.grains ?? 0, 'grain'),
          note: `${counted(status.counts.shares_loose, 'share')} not yet credited` },
        { label: 'Pool hashrate', value: hashrate(status.pool_hashrate), note: 'by its credits' },
    ];
}

// ---- The page

function paidHeight({ payouts }) {
    const next = payouts?.next_block ?? null;
    return next === null || next.is_solo ? 0 : next.window.link_height;
}

export const chain = {
    section: '#/chain',
    keepsOpen: true,
    title: () => 'Share-chain',
    documents: (id, { links, status }) => {
        const newest = links?.links[0]?.id ?? status?.tip.id;
        const shown = id !== '' ? id : newest;
        return { links: 'links', payouts: 'payouts',
                 ...(shown === undefined ? {} : { link: `links/${encodeURIComponent(shown)}` }) };
    },

    make(root, context) {
        const top = makeFigures('At a glance');
        const map = makeCard('picture', 'The newest links', 'Each column is a link, the newest ' +
            'on the right; its height is how many grains it includes. Under them are the coin’s ' +
            'blocks that the links were mined on. Press a column to look into it.');
        const inside = makeCard('inside', 'Inside a link');
        const list = makeCard('links', 'The same as a table');
        const steps = makeCard('steps', 'From a share to a payment');
        steps.body.append(makeSteps());
        root.append(top, map.card, inside.card, steps.card, list.card);
        const picture = makePicture(map.body, (id) => { location.hash = `#/chain/${id}`; });
        const link = makeLink(inside.body);
        const place = makeTablePlace(list.body, 'The newest links of the share-chain', linkColumns);
        return (documents) => {
            const now = context.now();
            const links = documents.links?.links ?? [];
            const chosen = context.parameter || links[0]?.id;
            fillFigures(top, figures(documents, now));
            fillPicture(picture, links.toReversed(), { now, job: documents.status.job, chosen,
                                          paidHeight: paidHeight(documents) });
            showProblem(inside, chosen === undefined ? null :
                context.problem(`links/${encodeURIComponent(chosen)}`));
            if (documents.link)
                fillLink(link, inside, documents.link, { now, isNewest: context.parameter === '' });
            else if (chosen === undefined)
                setLead(inside, 'There is no link yet.');
            fillPlace(place, links.map((each) => ({ ...each, now })), {
                key: (each) => each.id, shownMax: ROWS_SHOWN, empty: 'There is no link yet.' });
        };
    },
};
