// The other nodes: who is connected, how they are found, and how far the share-chain has caught up
// with theirs.
import { followActions, makeOutcome } from './forms.js';
import { fillFacts, fillFigures, makeCard, makeFacts, makeFigures, makePair, showProblem }
    from './parts.js';
import { hasRole } from './roles.js';
import { fillPlace, makeTablePlace } from './table.js';
import { bytes, count, counted, duration, latency, percent } from './units.js';

const ROWS_SHOWN = 50;
const HOUR_S = 3600;

// ---- Peers

// "192.0.2.1:9333" or "[2001:db8::1]:9333": without port and brackets.
function hostOf(endpoint) {
    return endpoint.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function peerCell(peer) {
    const note = `${peer.way}${peer.place && peer.place !== peer.way ? `, ${peer.place}` : ''}`;
    return peer.address ? { main: peer.address, note } : { mainId: peer.node_id, note };
}

function tipCell(peer) {
    return { main: `link ${count(peer.height)}`,
             note: `${percent(peer.work_part)} of our work` };
}

function usefulCell(peer) {
    return { main: counted(peer.delivered, 'share'), note: `${count(peer.duplicates)} twice` };
}

const peerColumns = [
    { label: 'Node', kind: 'wide', cell: peerCell },
    { label: 'Share-chain', kind: 'number', cell: tipCell },
    { label: 'Brought first', kind: 'number', cell: usefulCell },
    { label: 'Round trip', kind: 'number', cell: (peer) => ({
        main: latency(peer.round_trip_ms), note: `score ${count(peer.score)}` }) },
    { label: 'Traffic', kind: 'number', cell: (peer) => ({
        main: `${bytes(peer.bytes_received)} in`, note: `${bytes(peer.bytes_sent)} out` }) },
    { label: 'Connected', kind: 'number', cell: (peer) => ({
        main: duration(peer.now - peer.since), time: peer.since,
        actions: peer.mayAct && peer.address ? [{ action: 'ban', label: 'Ban for an hour',
            about: hostOf(peer.address), data: hostOf(peer.address) }] : [] }) },
];

const banColumns = [
    { label: 'Address', kind: 'wide', cell: (ban) => ({ main: hostOf(ban.address) }) },
    { label: 'Until', kind: 'number', cell: (ban) => ({
        main: duration(ban.until - ban.now), time: ban.until,
        actions: ban.mayAct ? [{ action: 'unban', label: 'End the ban',
            about: hostOf(ban.address), data: hostOf(ban.address) }] : [] }) },
];

function figures({ peers, dht }) {
    return [
        { label: 'Connected', value: counted(peers.inbound + peers.outbound, 'peer'),
          note: `${count(peers.outbound)} dialled, ${count(peers.inbound)} came in` },
        { label: 'Known addresses', value: count(peers.book), note: 'of other nodes' },
        { label: 'Received', value: bytes(peers.bytes_received),
          note: `${bytes(peers.bytes_sent)} sent` },
        { label: 'In the DHT', value: counted((dht?.nodes_ipv4 ?? 0) + (dht?.nodes_ipv6 ?? 0),
                                              'node'),
          note: dht === null ? 'not available' : dht.is_joined ? 'joined' : 'not joined' },
    ];
}

// ---- DHT and share-chain

function dhtRows(dht) {
    const { own, requests } = dht;
    const reach = own.is_reachable ? ['ok', 'reachable from outside'] :
        ['idle', 'not known to be reachable from outside'];
    return [
        { label: 'This node', tone: reach[0], words: reach[1],
          note: [own.ipv4, own.ipv6].filter(Boolean).join(', ') || `port ${own.port}` },
        { label: 'DHT', tone: dht.is_joined ? 'ok' : dht.is_private ? 'idle' : 'warn',
          words: dht.is_private ? 'private: only the given seeds' :
              dht.is_joined ? 'joined' : 'not joined yet',
          note: `${counted(dht.records, 'record')} kept, ${counted(dht.searches, 'search',
              'searches')} running` },
        { label: 'Requests', words: `${count(requests.answered)} answered`,
          note: `${count(requests.sent)} sent, ${count(requests.lost)} lost, ` +
              `${count(requests.refused_rate)} refused by rate` },
    ];
}

function chainRows(chain) {
    const { sync, gossip } = chain;
    return [
        { label: 'Catching up', tone: chain.may_mint ? 'ok' : 'warn', words: sync.phase,
          note: `${counted(sync.links_fetched, 'link')} and ` +
              `${counted(sync.shares_fetched, 'share')} fetched`, problem: chain.problem ?? '' },
        { label: 'Gossip', words: `${counted(gossip.first, 'share')} first seen from others`,
          note: `${count(gossip.received)} received, ${count(gossip.told)} told, ` +
              `${count(gossip.invalid)} invalid` },
        { label: 'Kept', words: counted(chain.links, 'link'),
          note: `${count(chain.links_aside)} beside the best chain, ` +
              `${counted(chain.shares, 'share')}, ${count(chain.waiting)} waiting` },
    ];
}

// ---- The page

function followDeeds(root, outcome, context) {
    const onDone = () => context.renew('peers');
    followActions(root, outcome, context.csrf, {
        ban: { question: (address) => `Ban ${address} for an hour?`, path: () => 'peers/ban',
               body: (address) => ({ address, seconds: HOUR_S, reason: 'by an operator' }),
               done: 'Banned.', onDone },
        unban: { question: (address) => `End the ban of ${address}?`, path: () => 'peers/unban',
                 body: (address) => ({ address }), done: 'The ban has ended.', onDone },
    });
}

export const peers = {
    section: '#/peers',
    title: () => 'Peers',
    documents: () => ({ peers: 'peers', dht: 'dht', chain: 'chain' }),

    make(root, context) {
        const top = makeFigures('At a glance');
        const list = makeCard('peers', 'Connected nodes');
        const bans = makeCard('bans', 'Banned addresses');
        const dht = makeCard('dht', 'How nodes find each other');
        const chain = makeCard('sync', 'Share-chain from others');
        const facts = { dht: makeFacts(), chain: makeFacts() };
        dht.body.append(facts.dht);
        chain.body.append(facts.chain);
        root.append(top, list.card, bans.card, makePair(dht, chain));
        const places = {
            peers: makeTablePlace(list.body, 'Nodes connected to this one', peerColumns),
            bans: makeTablePlace(bans.body, 'Banned addresses', banColumns),
        };
        const outcome = makeOutcome();
        list.card.append(outcome);
        followDeeds(root, outcome, context);
        return (documents) => {
            const now = context.now();
            const mayAct = hasRole(context.role(), 'operator');
            const { peers: document_ } = documents;
            showProblem(list, context.problem('peers'));
            showProblem(dht, context.problem('dht'));
            showProblem(chain, context.problem('chain'));
            bans.card.hidden = (document_?.bans.length ?? 0) === 0;
            if (document_ !== null) {
                fillFigures(top, figures(documents));
                fillPlace(places.peers, document_.peers.map((peer) => ({ ...peer, now, mayAct })), {
                    key: (peer) => peer.number, shownMax: ROWS_SHOWN,
                    empty: 'No other node is connected: this one mines its share-chain alone.' });
                fillPlace(places.bans, document_.bans.map((ban) => ({ ...ban, now, mayAct })), {
                    key: (ban) => ban.address, shownMax: ROWS_SHOWN, empty: '' });
            }
            if (documents.dht !== null)
                fillFacts(facts.dht, dhtRows(documents.dht));
            if (documents.chain !== null)
                fillFacts(facts.chain, chainRows(documents.chain));
        };
    },
};
