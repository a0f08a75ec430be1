// Who mines here: by payout address, by connection, and the devices that could not be served.
import { followActions, makeOutcome } from './forms.js';
import { hasRole } from './roles.js';
import { makeCard, makeLookup, payeeCell, showProblem } from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, count, counted, difficulty, duration, hashrate, sentence } from './units.js';

const ROWS_SHOWN = 50;

// ---- Cells

export function sharesCell({ shares }) {
    const rejected = Object.entries(shares)
        .filter(([verdict, number]) => verdict !== 'accepted' && number > 0);
    const reasons = rejected.map(([verdict, number]) =>
        `${count(number)} ${verdict.replaceAll('_', ' ')}`).join(', ');
    return { main: `${count(shares.accepted ?? 0)} accepted`,
             note: rejected.length === 0 ? 'none rejected' : `${reasons} rejected` };
}

function workerCell(miner) {
    if (!miner.is_authorized)
        return { main: miner.is_subscribed ? 'logging in' : 'connecting', note: miner.peer ?? '' };
    return payeeCell(miner, miner.worker);
}

function deviceCell(miner) {
    const isKnown = miner.device !== 'unknown';
    const agent = miner.user_agent === '' ? 'says nothing of itself' : miner.user_agent;
    return isKnown ? { main: miner.device, note: agent } : { main: agent, note: miner.peer ?? '' };
}

function lastShareCell(miner) {
    return { main: ago(miner.share_at, miner.now), time: miner.share_at,
             note: `difficulty ${difficulty(miner.difficulty)}` };
}

const minerColumns = [
    { label: 'Worker', kind: 'wide', cell: workerCell },
    { label: 'Device', kind: 'text', cell: deviceCell },
    { label: 'Hashrate', kind: 'number', cell: (miner) => ({
        main: hashrate(miner.hashrate_1m), note: `1 h: ${hashrate(miner.hashrate_1h)}` }) },
    { label: 'Shares', kind: 'number', cell: sharesCell },
    { label: 'Last share', kind: 'number', cell: lastShareCell },
    { label: 'Connected', kind: 'number', cell: (miner) => ({
        main: duration(miner.now - miner.connected_at), time: miner.connected_at,
        note: `${counted(miner.blocks, 'block')} found`,
        actions: miner.mayAct ? [{ action: 'disconnect', label: 'Disconnect',
                                   about: miner.worker, data: miner.session }] : [] }) },
];

const addressColumns = [
    { label: 'Address', kind: 'wide', cell: (miner) => ({
        ...payeeCell(miner),
        note: `${counted(miner.workers_count, 'worker')}, ` +
            counted(miner.connections, 'connection') }) },
    { label: 'Hashrate', kind: 'number', cell: (miner) => ({
        main: hashrate(miner.hashrate_10m), note: `24 h: ${hashrate(miner.hashrate_24h)}` }) },
    { label: 'Shares', kind: 'number', cell: sharesCell },
    { label: 'Best share', kind: 'number', cell: (miner) => ({
        main: miner.best_difficulty === null ? 'none yet' : difficulty(miner.best_difficulty) }) },
    { label: 'Last share', kind: 'number', cell: (miner) => ({
        main: ago(miner.last_share_at ?? 0, miner.now), time: miner.last_share_at }) },
];

const refusedColumns = [
    { label: 'Refused device', kind: 'wide', cell: (device) => ({
        main: device.user_agent || device.device, note: device.user || device.peer }) },
    { label: 'When', kind: 'text', cell: (device) => ({
        main: ago(device.at, device.now), time: device.at }) },
    { label: 'Why', kind: 'wide', cell: (device) => ({ main: sentence(device.reason) }) },
];

// ---- The page

function withNow(rows, now) {
    return rows.map((row, i) => ({ ...row, now, i }));
}

function showMiners(places, { miners }, { now, mayAct }) {
    const rows = withNow(miners.miners, now).map((miner) => ({ ...miner, mayAct }))
        .sort((a, b) => b.hashrate_10m - a.hashrate_10m || a.session - b.session);
    fillPlace(places.miners, rows, {
        key: (miner) => miner.session, shownMax: ROWS_SHOWN,
        empty: 'No miner is connected. Point one at this node’s Stratum port, with your payout ' +
            'address as its user name; “address.name” gives it a name.',
    });
    fillPlace(places.refused, withNow(miners.refused, now), {
        key: (device) => device.i, shownMax: ROWS_SHOWN, empty: '' });
}

export const miners = {
    section: '#/miners',
    title: () => 'Miners',
    documents: () => ({ miners: 'miners', addresses: 'addresses' }),

    make(root, context) {
        const byAddress = makeCard('addresses', 'By payout address',
            'Everything that one address is paid for, whatever it mines with.');
        const connections = makeCard('miners', 'Connections',
            'One row for each connection that a miner holds to this node.');
        const refused = makeCard('refused', 'Refused devices', 'Their coinbase limit is too ' +
            'small for what has to be in a block, or they do not speak what is needed.');
        root.append(makeLookup(), byAddress.card, connections.card, refused.card);
        const places = {
            addresses: makeTablePlace(byAddress.body, 'Miners by payout address', addressColumns),
            miners: makeTablePlace(connections.body, 'Miners connected to this node',
                                   minerColumns),
            refused: makeTablePlace(refused.body, 'Devices that were refused', refusedColumns),
        };
        const outcome = makeOutcome();
        connections.card.append(outcome);
        followActions(connections.card, outcome, context.csrf, { disconnect: {
            question: () => 'Disconnect this miner? It may come back at once.',
            path: (session) => `miners/${session}/disconnect`, done: 'Disconnected.',
            onDone: () => context.renew('miners', 'addresses') } });
        return (documents) => {
            const now = context.now();
            showProblem(byAddress, context.problem('addresses'));
            showProblem(connections, context.problem('miners'));
            if (documents.addresses !== null)
                fillPlace(places.addresses, withNow(documents.addresses.addresses, now), {
                    key: (miner) => miner.script, shownMax: ROWS_SHOWN,
                    total: documents.addresses.total,
                    empty: 'Nobody has mined here yet.' });
            refused.card.hidden = (documents.miners?.refused.length ?? 0) === 0;
            if (documents.miners !== null)
                showMiners(places, documents,
                           { now, mayAct: hasRole(context.role(), 'operator') });
        };
    },
};
