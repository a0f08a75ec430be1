// What just happened, in a line for each event that people want to hear of. Shares and grains come
// too fast to be read: their numbers are elsewhere.
import { make, rebuild } from './dom.js';
import { minerLink } from './parts.js';
import { ago, amount, count, counted, exactTime } from './units.js';

const SHOWN = 6;

function whoOf({ worker, address }) {
    return { words: worker || (address ? `${address.slice(0, 10)}…${address.slice(-6)}` :
        'a miner'), href: minerLink(address) };
}

// Null for a block that was just found.
function becameOf({ height, place, fate }) {
    const state = place ?? fate;
    return state === null ? null : ` has block ${count(height)} ${state.replaceAll('_', ' ')}`;
}

// kind -> { text, who (before it), tone }
const WORDS = {
    link: (event) => ({ who: whoOf(event), text: ` found link ${count(event.height)}, with ` +
        counted(event.grains, 'grain') + (event.is_reorganisation ? '; the chain turned' : '') }),
    block: (event) => ({ tone: event.place === 'orphaned' ? 'bad' : 'ok', who: whoOf(event),
        text: becameOf(event) ?? ` found block ${count(event.height)}, worth ` +
            amount(event.value_sats) }),
    job: (event) => (event.is_new_block ? {
        text: `New work: block ${count(event.height)}, worth ${amount(event.value_sats)}` } : null),
    miner_up: (event) => ({ who: whoOf(event), text: ` connected with ${event.device}` }),
    miner_down: (event) => ({ who: whoOf(event), text: ` left: ${event.reason}`, tone: 'warn' }),
    peer_up: (event) => ({ text: `Another node connected, ${event.direction}` }),
    peer_down: (event) => ({ text: `Another node left: ${event.reason}` }),
    daemon: (event) => ({ text: `Coin daemon ${event.url}: ${event.error ?? event.state}`,
                          tone: event.state === 'ready' ? 'ok' : 'bad' }),
};

export function isTold({ event }) {
    return event in WORDS;
}

function lineOf(event, now) {
    const words = WORDS[event.event](event);
    const at = Math.floor(event.at / 1000);
    return words === null ? null : { ...words, at, ago: ago(at, now) };
}

function* lineChildren({ who, text, at, ago: when }) {
    if (who?.href)
        yield make('a', { href: who.href }, who.words);
    else if (who)
        yield who.words;
    yield text;
    yield make('time', { class: 'note', datetime: new Date(at * 1000).toISOString(),
                         title: exactTime(at) }, ` ${when}`);
}

// events: oldest first
export function fillActivity(list, events, now) {
    const lines = events.map((event) => lineOf(event, now)).filter((line) => line !== null)
        .slice(-SHOWN).reverse();
    rebuild(list, lines, (all) => (all.length === 0 ?
        [make('li', { class: 'note' }, 'What happens from now on is listed here.')] :
        all.map((line) => make('li', { 'data-tone': line.tone ?? 'none' },
                               ...lineChildren(line)))));
}
