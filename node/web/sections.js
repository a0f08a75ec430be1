// What each part of the page says, made from the node's documents (all of them there, maybe some
// seconds old).
import { byId, fillTable, make, makeTable, rebuild, setText, setTone, syncChildren } from './dom.js';
import { ago, amount, bytes, count, counted, difficulty, duration, hashrate, milliseconds, percent,
         sentence } from './units.js';

const MINERS_SHOWN = 100;
const PAYEES_SHOWN = 25;
const BLOCKS_SHOWN = 12;
const NAMES_SHOWN = 3;

// ---- Names: the workers that mine here for an address

export function namesByScript(miners) {
    const names = new Map();
    for (const miner of miners) {
        if (!miner.script || miner.worker === '')
            continue;
        const known = names.get(miner.script) ?? [];
        if (!known.includes(miner.worker))
            known.push(miner.worker);
        names.set(miner.script, known);
    }
    return names;
}

export function nameOf(names, payee) {
    const known = names.get(payee.script) ?? [];
    const more = known.length > NAMES_SHOWN ? ` and ${known.length - NAMES_SHOWN} more` : '';
    return known.slice(0, NAMES_SHOWN).join(', ') + more;
}

function payeeCell(names, payee) {
    const name = nameOf(names, payee);
    const id = payee.address ?? payee.script;
    return name === '' ? { mainId: id } : { main: name, noteId: id };
}

// ---- At a glance

function figures({ status, blocks }) {
    const { job, stratum, found, tip } = status;
    const last = blocks.blocks.at(-1);
    return [
        { label: 'Next block pays', value: job ? amount(job.value_sats) : 'no work yet',
          note: job ? `block ${count(job.height)}, ${counted(job.outputs, 'output')}` : '' },
        { label: 'Pool hashrate', value: hashrate(status.pool_hashrate),
          note: `share-chain at link ${count(tip.height)}` },
        { label: 'Miners here', value: count(stratum.sessions_authorized),
          note: `${hashrate(stratum.hashrate_1m)} over the last minute` },
        { label: 'Blocks found here', value: count(found.blocks),
          note: last ? `the last one ${ago(last.found_at, blocks.now)}` : 'none yet' },
    ];
}

export function showFigures(documents) {
    syncChildren(byId('figures'), figures(documents), {
        key: (figure) => figure.label,
        create: (figure) => make('div', { class: 'figure' }, make('dt', {}, figure.label),
            make('dd', { class: 'value' }), make('dd', { class: 'note' })),
        update: (element, figure) => {
            setText(element.querySelector('.value'), figure.value);
            setText(element.querySelector('.note'), figure.note);
        },
    });
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
    const answered = daemon.answered_ms_ago < 0 ? '' :
        `, answered ${milliseconds(daemon.answered_ms_ago)} ago`;
    const tip = daemon.height < 0 ? '' : `at block ${count(daemon.height)}`;
    return { label: 'Coin daemon', tone, words: daemon.is_active ? `${words}, in use` : words,
             note: `${daemon.url} ${tip}${answered}`, problem: daemon.error ?? '' };
}

function templateRow({ daemons }) {
    if (!daemons.has_work)
        return { label: 'Block template', tone: 'bad', words: 'none that is safe to mine on',
                 note: '' };
    return { label: 'Block template', tone: 'ok',
             words: `for block ${count(daemons.template_height)}`,
             note: `${milliseconds(daemons.template_age_ms)} old, its tip confirmed ` +
                   `${milliseconds(daemons.confirmed_ms_ago)} ago` };
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

function chainRow({ tip, job, now }) {
    if (tip.height === 0)
        return { label: 'Share-chain', tone: 'idle', words: 'no link yet', note: '' };
    const grains = job ? `, ${counted(job.grains, 'grain')} wait for the next link` : '';
    return { label: 'Share-chain', tone: 'ok', words: `link ${count(tip.height)}`,
             note: `found ${ago(tip.time, now)}${grains}` };
}

function diskRow({ store }) {
    const isHealthy = store.health === 'healthy';
    const waiting = store.pending_bytes > 0 ? `${bytes(store.pending_bytes)} on the way to it` :
        'everything is written';
    return { label: 'Disk', tone: isHealthy ? 'ok' : 'bad',
             words: isHealthy ? 'healthy' : store.health.replaceAll('_', ' '), note: waiting,
             problem: store.problem ?? '' };
}

function* healthChildren(row) {
    yield make('span', { class: 'health-label' }, row.label);
    yield make('span', { class: 'health-words' }, row.words);
    yield make('span', { class: 'note' }, row.note);
    if (row.problem)
        yield make('span', { class: 'problem' }, row.problem);
}

export function showHealth({ status, daemons }) {
    const rows = [...daemons.daemons.map(daemonRow), templateRow(status), workRow(status),
                  chainRow(status), diskRow(status)];
    syncChildren(byId('health'), rows.map((row, i) => ({ ...row, i })), {
        key: (row) => row.i,
        create: () => make('li'),
        update: (li, row) => {
            setTone(li, row.tone);
            rebuild(li, row, healthChildren);
        },
    });
}

// ---- Miners

function rejections(shares) {
    return Object.entries(shares).filter(([verdict, number]) => verdict !== 'accepted' && number > 0);
}

function sharesCell({ shares }) {
    const rejected = rejections(shares);
    const sum = rejected.reduce((total, [, number]) => total + number, 0);
    const reasons = rejected.map(([verdict, number]) =>
        `${count(number)} ${verdict.replaceAll('_', ' ')}`).join(', ');
    return { main: `${count(shares.accepted)} accepted`,
             note: sum === 0 ? 'none rejected' : `${count(sum)} rejected: ${reasons}` };
}

function workerCell(miner) {
    if (!miner.is_authorized)
        return { main: miner.is_subscribed ? 'logging in' : 'connecting', note: miner.peer };
    const id = miner.address ?? miner.script;
    return miner.worker === '' ? { mainId: id } : { main: miner.worker, noteId: id };
}

function deviceCell(miner) {
    const isKnown = miner.device !== 'unknown';
    const agent = miner.user_agent === '' ? 'says nothing of itself' : miner.user_agent;
    return isKnown ? { main: miner.device, note: agent } : { main: agent, note: miner.peer };
}

const minerColumns = [
    { label: 'Worker', kind: 'wide', cell: workerCell },
    { label: 'Device', kind: 'text', cell: deviceCell },
    { label: 'Hashrate', kind: 'number', cell: (miner) => ({
        main: hashrate(miner.hashrate_1m), note: `1 h: ${hashrate(miner.hashrate_1h)}` }) },
    { label: 'Shares', kind: 'number', cell: sharesCell },
    { label: 'Last share', kind: 'number', cell: (miner) => ({
        main: ago(miner.share_at, miner.now), note: `difficulty ${difficulty(miner.difficulty)}` }) },
    { label: 'Connected', kind: 'number', cell: (miner) => ({
        main: duration(miner.now - miner.connected_at),
        note: counted(miner.blocks, 'block') + ' found' }) },
];

const refusedColumns = [
    { label: 'Refused device', kind: 'wide', cell: (device) => ({
        main: device.user_agent || device.device, note: device.user || device.peer }) },
    { label: 'When', kind: 'text', cell: (device) => ({ main: ago(device.at, device.now) }) },
    { label: 'Why', kind: 'wide', cell: (device) => ({ main: sentence(device.reason) }) },
];

// A table in its place, and under it what it leaves out or what there is instead of it.
export function makeTablePlace(parent, caption, columns) {
    const place = { ...makeTable(caption, columns), after: make('p', { class: 'after' }) };
    parent.replaceChildren(place.table, place.after);
    return place;
}

function fillPlace(place, rows, options) {
    const { key, shownMax, empty, total = rows.length } = options;
    const left = Math.max(total, rows.length) - shownMax;
    fillTable(place, rows.slice(0, shownMax), key);
    place.table.hidden = rows.length === 0;
    setText(place.after, rows.length === 0 ? empty : left > 0 ? `and ${count(left)} more` : '');
    place.after.hidden = place.after.textContent === '';
}

export function makeSections() {
    return {
        miners: makeTablePlace(byId('miners'), 'Miners connected to this node', minerColumns),
        refused: makeTablePlace(byId('refused'), 'Devices that were refused', refusedColumns),
        payouts: makeTablePlace(byId('payouts'), 'Who is paid, and what', payoutColumns),
        blocks: makeTablePlace(byId('blocks'), 'Blocks found by miners of this node', blockColumns),
    };
}

export function showMiners(sections, { miners }) {
    const { now } = miners;
    const rows = miners.miners.map((miner) => ({ ...miner, now }))
        .sort((a, b) => b.hashrate_10m - a.hashrate_10m || a.session - b.session);
    fillPlace(sections.miners, rows, {
        key: (miner) => miner.session, shownMax: MINERS_SHOWN,
        empty: 'No miner is connected. Point one at this node’s Stratum port, with your payout ' +
            'address as its user name; “address.name” gives it a name.',
    });
    fillPlace(sections.refused, miners.refused.map((device, i) => ({ ...device, now, i })), {
        key: (device) => device.i, shownMax: MINERS_SHOWN, empty: '',
    });
}

// ---- Payouts

const payoutColumns = [
    { label: 'Paid to', kind: 'wide', cell: (row) => payeeCell(row.names, row) },
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

function payoutLead(payouts) {
    const next = payouts.next_block;
    if (next === null)
        return 'There is no work yet, so there is no next block.';
    if (next.is_solo)
        return `${sentence(next.explanation)} Below is what is credited so far.`;
    return `${amount(next.value_sats)} in block ${count(next.height)}: ` +
        `${next.explanation}. The work of ${counted(next.window.links, 'link')} counts, the ` +
        'newest of them six blocks deep.';
}

export function showPayouts(sections, { payouts, miners }) {
    const names = namesByScript(miners.miners);
    const next = payouts.next_block;
    const isPaying = next !== null && !next.is_solo;
    const rows = isPaying ? noteUpcoming(nextBlockRows(next), payouts.upcoming) : soloRows(payouts);
    const total = isPaying ? next.window.payees_count : payouts.upcoming.payees_count;
    setText(byId('payouts-lead'), payoutLead(payouts));
    fillPlace(sections.payouts, rows.map((row) => ({ ...row, names })), {
        key: (row) => row.script, shownMax: PAYEES_SHOWN,
        empty: 'Nothing is credited yet.', total,
    });
}

// ---- Blocks

function fateOf(block) {
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

const blockColumns = [
    { label: 'Block', kind: 'number', cell: (block) => ({
        main: count(block.height), note: ago(block.found_at, block.now) }) },
    { label: 'Found by', kind: 'wide', cell: (block) => {
        const worker = block.user.includes('.') ? block.user.slice(block.user.indexOf('.') + 1) : '';
        const id = block.address ?? block.script;
        return worker === '' ? { mainId: id } : { main: worker, noteId: id };
    } },
    { label: 'Fate', kind: 'text', cell: fateOf },
    { label: 'Value', kind: 'number', cell: (block) => ({
        main: amount(block.value_sats),
        note: block.epoch && block.epoch.links > 0 ? 'paid to all' : 'paid to the finder' }) },
];

export function showBlocks(sections, { blocks }) {
    const rows = blocks.blocks.map((block) => ({ ...block, now: blocks.now })).reverse();
    setText(byId('blocks-lead'), 'Every block goes to every coin daemon at once; here is what ' +
        'became of it. Its coins can be spent once it is mature, after 100 confirmations.');
    fillPlace(sections.blocks, rows, {
        key: (block) => block.number, shownMax: BLOCKS_SHOWN,
        empty: 'None yet. The pool finds one as often as its part of the coin’s hashrate says.',
    });
}
