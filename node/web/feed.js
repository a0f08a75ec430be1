// The node's events, for as long as the page is open. The browser connects again by itself after a
// loss; only where the node refuses events altogether are they tried again from here.

// Shares and grains are many, and what they change is in the documents every two seconds anyway.
const KINDS = ['link', 'block', 'job', 'miner_up', 'miner_down', 'peer_up', 'peer_down', 'daemon',
               'status'];
const PATH = `/api/v1/events?kinds=${KINDS.join(',')}`;
const AGAIN_MS = 10000;

export function followEvents({ onEvent, onState }) {
    const source = new EventSource(PATH);
    const hear = (message) => onEvent(JSON.parse(message.data));
    for (const kind of [...KINDS, 'missed'])
        source.addEventListener(kind, hear);
    source.addEventListener('open', () => onState(true));
    source.addEventListener('error', () => {
        onState(false);
        if (source.readyState === EventSource.CLOSED)
            setTimeout(() => followEvents({ onEvent, onState }), AGAIN_MS);
    });
}
