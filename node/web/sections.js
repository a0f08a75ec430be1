// What each part of the page says, made from the node's documents (all of them there, maybe some
// seconds old).
import { byId, fillTable, make, makeTable, rebuild, setText, setTone, syncChildren }
    from './dom.js';
import { ago, amount, bytes, count, counted, difficulty, duration, hashrate, latency,
         percent, sentence, since } from './units.js';

const MINERS_SHOWN = 25;
const PAYEES_SHOWN = 10;
const BLOCKS_SHOWN = 5;
const NAMES_SHOWN = 3;

// ---- Names: the workers that mine or found a block here for an address

// Of a miner, or of a block, whose user is "address.worker" or "address_worker".
function workerOf({ worker, user, address }) {
    if (worker !== undefined)
        return worker;
    return address && user.startsWith(address) ? user.slice(address.length + 1) : '';
}

export function namesByScript({ miners, blocks }) {
    const names = new Map();
    for (const one of [...miners.miners, ...blocks.blocks]) {
        const { script } = one;
        const worker = workerOf(one);
        if (!script || worker === '')
            continue;
        const known = names.get(script) ?? [];
        if (!known.includes(worker))
            known.push(worker);
        names.set(script, known);
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

function payeesOf(job) {
    return job.is_solo ? 'all of it to its finder' :
        `to ${counted(job.outputs, 'address', 'addresses')}`;
}

function figures({ status, blocks }) {
    const { job, stratum, found, tip } = status;
    const last = blocks.blocks[0];
    return [
        { label: 'Next block pays', value: job ? amount(job.value_sats) : 'no work yet',
          note: job ? `block ${count(job.height)}, ${payeesOf(job)}` : '' },
        { label: 'Pool hashrate', value: hashrate(status.pool_hashrate),
          note: `share-chain at link ${count(tip.height)}` },
        { label: 'Miners here', value: count(stratum.sessions_authorized),
          note: `${hashrate(stratum.hashrate_1m)} over the last minute` },
        { label: 'Blocks found here', value: count(found.blocks),
          note: last ? `the last one ${ago(last.found_at, blocks.now)}` : 'none yet' },
    ];
}

// The unit, behind the last space, is set smaller.
function valueChildren(value) {
    const [, number, unit] = /^(.*?\d)([\u00a0 ]\S+)?$/.exec(value) ?? [null, value];
    return unit === undefined ? [number] : [number, make('small', {}, unit)];
}

export function showFigures(documents) {
    syncChildren(byId('figures'), figures(documents), {
        key: (figure) => figure.label,
        create: (figure) => make('div', { class: 'figure' }, make('dt', {}, figure.label),
            make('dd', { class: 'value' }), make('dd', { class: 'note' })),
        update: (element, figure) => {
            rebuild(element.querySelector('.value'), figure.value, valueChildren);
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
    const took = daemon.latency_ms < 0 ? '' : `, in ${latency(daemon.latency_ms)}`;
    const answered = daemon.answered_ms_ago < 0 ? 'has not answered yet' :
        `answered ${since(daemon.answered_ms_ago)}${took}`;
    return { label: 'Coin daemon', tone, words: daemon.is_active ? `${words}, in use` : words,
             note: `${daemon.url} ${answered}`, problem: daemon.error ?? '' };
}

function templateRow({ daemons }) {
    if (!daemons.has_work)
        return { label: 'Block template', tone: 'bad', words: 'none that is safe to mine on',
                 note: '' };
    return { label: 'Block template', tone: 'ok',
             words: `for block ${count(daemons.template_height)}`,
             note: `made ${since(daemons.template_age_ms)}, its tip confirmed ` +
                   `${since(daemons.confirmed_ms_ago)}` };
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
    return Object.entries(shares)
        .filter(([verdict, number]) => verdict !== 'accepted' && number > 0);
}

function sharesCell({ shares }) {
    const rejected = rejections(shares);
    const sum = rejected.reduce((total, [, number]) => total + number, 0);
    const reasons = rejected.map(([verdict, number]) =>
        `${count(number)} ${verdict.replaceAll('_', ' ')}`).join(', ');
    return { main: `${count(shares.accepted)} accepted`,
             note: sum === 0 ? 'none rejected' : `${reasons} rejected` };
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
        main: ago(miner.share_at, miner.now),
        note: `difficulty ${difficulty(miner.difficulty)}` }) },
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

// A table in its place: its first rows, a button for the others, and words if there are none.
export function makeTablePlace(parent, caption, columns) {
    const after = make('p', { class: 'after' });
    const more = make('button', { class: 'more', type: 'button', 'aria-expanded': 'false' });
    const place = { ...makeTable(caption, columns), after, more, isOpen: false, refill: null };
    more.addEventListener('click', () => {
        place.isOpen = !place.isOpen;
        more.setAttribute('aria-expanded', String(place.isOpen));
        place.refill();
    });
    parent.replaceChildren(place.table, more, after);
    return place;
}

function fillPlace(place, rows, options) {
    const { key, shownMax, empty, total = rows.length } = options;
    place.refill = () => fillPlace(place, rows, options);
    const shown = place.isOpen ? rows : rows.slice(0, shownMax);
    fillTable(place, shown, key);
    place.table.hidden = rows.length === 0;
    place.more.hidden = rows.length <= shownMax;
    setText(place.more, place.isOpen ? 'Show fewer' : `Show ${count(rows.length - shownMax)} more`);
    const missing = total - rows.length;
    setText(place.after, rows.length === 0 ? empty :
        missing > 0 ? `${count(missing)} more are not on this page.` : '');
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

function payoutLead({ payouts, status }) {
    const next = payouts.next_block;
    if (next !== null && status.job === null)
        return 'Nobody is served work now. The last work would have been paid like this:';
    if (next === null)
        return 'There is no work yet, so there is no next block.';
    if (next.is_solo)
        return `${sentence(next.explanation)} Below is what is credited so far.`;
    return `${amount(next.value_sats)} in block ${count(next.height)}: ` +
        `${next.explanation}. The work of ${counted(next.window.links, 'link')} counts, the ` +
        'newest of them six blocks deep.';
}

export function showPayouts(sections, documents) {
    const { payouts } = documents;
    const names = namesByScript(documents);
    const next = payouts.next_block;
    const isPaying = next !== null && !next.is_solo;
    const rows = isPaying ? noteUpcoming(nextBlockRows(next), payouts.upcoming) : soloRows(payouts);
    const total = isPaying ? next.window.payees_count : payouts.upcoming.payees_count;
    setText(byId('payouts-lead'), payoutLead(documents));
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
        const worker = workerOf(block);
        const id = block.address ?? block.script;
        return worker === '' ? { mainId: id } : { main: worker, noteId: id };
    } },
    { label: 'Fate', kind: 'text', cell: fateOf },
    { label: 'Value', kind: 'number', cell: (block) => ({
        main: amount(block.value_sats),
        note: block.epoch && block.epoch.links > 0 ? 'shared by work' : 'to its finder' }) },
];

export function showBlocks(sections, { blocks }) {
    const rows = blocks.blocks.map((block) => ({ ...block, now: blocks.now }));
    setText(byId('blocks-lead'), 'Every block goes to every coin daemon at once; here is what ' +
        'became of it. Its coins can be spent once it is mature, after 100 confirmations.');
    fillPlace(sections.blocks, rows, {
        key: (block) => block.number, shownMax: BLOCKS_SHOWN, total: blocks.total,
        empty: 'None yet. The pool finds one as often as its part of the coin’s hashrate says.',
    });
}
