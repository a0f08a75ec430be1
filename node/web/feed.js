// The node's events, for as long as the page is open. The browser connects again by itself after a
// loss; only where the node refuses events altogether are they tried again from here.

const PATH = '/api/v1/events';
const AGAIN_MS = 10000;
const KINDS = ['share', 'grain', 'link', 'block', 'job', 'miner_up', 'miner_down', 'peer_up',
               'peer_down', 'daemon', 'status', 'missed'];

export function followEvents({ onEvent, onState }) {
    const source = new EventSource(PATH);
    const hear = (message) => onEvent(JSON.parse(message.data));
    for (const kind of [...KINDS, 'message'])
        source.addEventListener(kind, hear);
    source.addEventListener('open', () => onState(true));
    source.addEventListener('error', () => {
        onState(false);
        if (source.readyState === EventSource.CLOSED)
            setTimeout(() => followEvents({ onEvent, onState }), AGAIN_MS);
    });
}
