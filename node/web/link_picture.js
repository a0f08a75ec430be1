// What is inside a link: a square for each grain in the colour of its miner, and who they are.
import { make, rebuild, setText, syncChildren } from './dom.js';
import { minerLink, setLead } from './parts.js';
import { ago, count, counted, percent } from './units.js';

const COLOURS = 6;

export function makeLink(parent) {
    const squares = make('div', { class: 'grains', role: 'img', 'aria-label': 'Not known yet' });
    const miners = make('ul', { class: 'legend of-miners' });
    parent.replaceChildren(squares, miners);
    return { squares, miners };
}

// The miners of the grains, with most weight first; those past the colours share the last.
function minersOf(grains) {
    const weights = new Map();
    for (const { address, weight } of grains)
        weights.set(address, (weights.get(address) ?? 0) + Number(weight));
    const sum = [...weights.values()].reduce((all, weight) => all + weight, 0);
    const sorted = [...weights].sort((a, b) => b[1] - a[1]).map(([address, weight]) => ({
        address, part: sum > 0 ? weight / sum : 0 }));
    const some = sorted.length > COLOURS ? sorted.slice(0, COLOURS - 1) : sorted;
    return some.map((miner, i) => ({ ...miner, colour: i + 1 }));
}

function* minerChildren({ address, part, colour }) {
    yield make('span', { class: `sample is-colour-${colour}`, 'aria-hidden': 'true' });
    const words = address ?? 'no address of this coin';
    yield address ? make('a', { href: minerLink(address), class: 'short-id', title: address },
                         `${words.slice(0, 10)}…${words.slice(-6)}`) : words;
    yield percent(part);
}

function describe(grains, miners) {
    return grains.length === 0 ? 'It includes no grain.' :
        `${counted(grains.length, 'grain')}: ` + miners.map(({ address, part }) =>
            `${address ?? 'another script'} has ${percent(part)} of their weight`).join(', ');
}

// document_: of the link. options: now, isNewest (nothing is chosen: it is the newest one)
export function fillLink(view, card, document_, { now, isNewest }) {
    const grains = document_.included;
    const miners = minersOf(grains);
    const colours = new Map(miners.map(({ address, colour }) => [address, colour]));
    setText(card.card.querySelector('h2'), `Inside link ${count(document_.height)}` +
        (isNewest ? ', the newest' : ''));
    setLead(card, `${counted(grains.length, 'grain')}, found ${ago(document_.time, now)}. ` +
        'A square is a grain, its colour says whose it is.');
    rebuild(view.squares, grains.map(({ id, address }) => [id, colours.get(address) ?? COLOURS]),
            (all) => all.map(([id, colour]) =>
                make('span', { class: `grain is-colour-${colour}`, title: id })));
    view.squares.setAttribute('aria-label', describe(grains, miners));
    syncChildren(view.miners, miners, {
        key: ({ address }) => String(address),
        create: () => make('li'),
        update: (li, miner) => rebuild(li, miner, minerChildren),
    });
}
