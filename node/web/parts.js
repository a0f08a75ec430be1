// What several pages show in the same way: cards, figures, payees, blocks and their fates.
import { make, rebuild, setText, setTone, syncChildren } from './dom.js';
import { ago, amount, count, counted } from './units.js';

const NAMES_SHOWN = 3;

// ---- Cards

// A part of a page under its own heading. Returns { card, body, lead }.
export function makeCard(id, title, lead = '') {
    const body = make('div', { id });
    const words = make('p', { class: 'lead', id: `${id}-lead` }, lead);
    words.hidden = lead === '';
    const card = make('section', { class: 'card', 'aria-labelledby': `${id}-title` },
        make('h2', { id: `${id}-title` }, title), words, body);
    return { card, body, lead: words };
}

export function setLead({ lead }, text) {
    setText(lead, text);
    lead.hidden = text === '';
}

export function makePair(...cards) {
    return make('div', { class: 'pair' }, ...cards.map(({ card }) => card));
}

// In place of what the node does not tell: why not.
export function showProblem({ card }, problem) {
    let words = card.querySelector('.not-available');
    if (problem !== null && words === null) {
        words = make('p', { class: 'after not-available' });
        card.append(words);
    }
    if (words !== null) {
        words.hidden = problem === null;
        setText(words, problem === null ? '' : problem.status === 404 ?
            'Not available: this node does not tell it.' : `Not available: ${problem.detail}`);
    }
}

// ---- Figures: { label, value, note, time (exact, of the note) }

export function makeFigures(label) {
    return make('dl', { class: 'figures', 'aria-label': label });
}

// The unit, behind the last space, is set smaller.
function valueChildren(value) {
    const [, number, unit] = /^(.*?\d)([\u00a0 ]\S+)?$/.exec(value) ?? [null, value];
    return unit === undefined ? [number] : [number, make('small', {}, unit)];
}

export function fillFigures(list, figures) {
    syncChildren(list, figures, {
        key: (figure) => figure.label,
        create: (figure) => make('div', { class: 'figure' }, make('dt', {}, figure.label),
            make('dd', { class: 'value' }), make('dd', { class: 'note' })),
        update: (element, figure) => {
            rebuild(element.querySelector('.value'), figure.value, valueChildren);
            setText(element.querySelector('.note'), figure.note ?? '');
        },
    });
}

// ---- Facts: a list of pairs { label, words, note, tone, problem }

function* factChildren(row) {
    yield make('span', { class: 'health-label' }, row.label);
    yield make('span', { class: 'health-words' }, row.words);
    if (row.note)
        yield make('span', { class: 'note' }, row.note);
    if (row.problem)
        yield make('span', { class: 'problem' }, row.problem);
}

export function makeFacts() {
    return make('ul', { class: 'health' });
}

export function fillFacts(list, rows) {
    syncChildren(list, rows.map((row, i) => ({ ...row, i })), {
        key: (row) => row.i,
        create: () => make('li'),
        update: (li, row) => {
            setTone(li, row.tone ?? 'none');
            rebuild(li, row, factChildren);
        },
    });
}

// ---- Who: the workers that mine or found a block here for an address

// Of a miner, or of a block, whose user is "address.worker" or "address_worker".
function workerOf({ worker, user, address }) {
    if (worker !== undefined)
        return worker;
    return address && user?.startsWith(address) ? user.slice(address.length + 1) : '';
}

export function namesByAddress(...lists) {
    const names = new Map();
    for (const one of lists.flat()) {
        const worker = workerOf(one);
        if (!one.address || worker === '')
            continue;
        const known = names.get(one.address) ?? [];
        if (!known.includes(worker))
            known.push(worker);
        names.set(one.address, known);
    }
    return names;
}

export function nameOf(names, { address }) {
    const known = names.get(address) ?? [];
    const more = known.length > NAMES_SHOWN ? ` and ${known.length - NAMES_SHOWN} more` : '';
    return known.slice(0, NAMES_SHOWN).join(', ') + more;
}

export function minerLink(address) {
    return address ? `#/miner/${encodeURIComponent(address)}` : undefined;
}

// payee: { address, script }; name: '' for none
export function payeeCell(payee, name = '') {
    const id = payee.address ?? payee.script ?? 'unknown';
    const href = minerLink(payee.address);
    return name === '' ? { mainId: id, href } : { main: name, noteId: id, href };
}

// ---- Blocks

export function fateOf(block) {
    const deep = counted(block.confirmations, 'confirmation');
    if (block.place === 'mature')
        return { main: 'mature', tone: 'ok', note: `${deep}: can be spent` };
    if (block.place === 'in_chain')
        return { main: 'in the chain', tone: 'ok', note: deep };
    if (block.place === 'orphaned')
        return { main: 'orphaned', tone: 'bad', note: 'another block took its place' };
    if (block.fate === null)
        return { main: 'submitted', tone: 'idle', note: 'no daemon has answered yet' };
    return { main: block.fate, tone: block.fate === 'accepted' ? 'ok' : 'warn',
             note: block.reason ?? 'not in the chain yet' };
}

function finderCell(block) {
    return payeeCell(block, workerOf(block));
}

function heightCell(block) {
    return { main: count(block.height), href: `#/block/${block.id}`,
             note: ago(block.found_at, block.now), noteTime: block.found_at };
}

export const blockColumns = [
    { label: 'Block', kind: 'number', cell: heightCell },
    { label: 'Found by', kind: 'wide', cell: finderCell },
    { label: 'Fate', kind: 'text', cell: fateOf },
    { label: 'Value', kind: 'number', cell: (block) => ({
        main: amount(block.value_sats),
        note: block.epoch && block.epoch.links > 0 ? 'shared by work' : 'to its finder' }) },
];

// ---- A field for an address, which leads to its miner's page

export function makeLookup() {
    const input = make('input', { id: 'lookup', name: 'address', required: '', type: 'text',
                                  autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
                                  placeholder: 'the payout address that your miner uses' });
    const form = make('form', { class: 'lookup', role: 'search' },
        make('label', { for: 'lookup' }, 'Your address'), input,
        make('button', { class: 'button' }, 'Show'));
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        // What a miner gives as its user name works as well: the address ends at the first point.
        const [address] = input.value.trim().split('.', 1);
        if (address !== '')
            location.hash = minerLink(address);
    });
    return form;
}
