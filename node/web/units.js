// Numbers as people read them: every one with its unit. Pure functions.

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SATS_PER_COIN = 100000000n;
const NO_BREAK = '\u00a0';
const GROUP = '\u202f';

function grouped(digits) {
    return digits.replace(/\B(?=(\d{3})+$)/g, GROUP);
}

export function count(number) {
    return grouped(String(Math.round(number)));
}

// "1 miner", "2 miners"
export function counted(number, word, many = `${word}s`) {
    return `${count(number)}${NO_BREAK}${number === 1 ? word : many}`;
}

// Three significant digits: 999.6 is 1.00 of the next prefix.
function scaled(value, unit) {
    let place = 0;
    while (value >= 999.5 && place < PREFIXES.length - 1) {
        value /= 1000;
        place++;
    }
    const decimals = value >= 99.95 || (place === 0 && Number.isInteger(value)) ? 0
        : value >= 9.995 ? 1 : 2;
    return `${value.toFixed(decimals)}${NO_BREAK}${PREFIXES[place]}${unit}`;
}

export function hashrate(hashesPerSecond) {
    return hashesPerSecond > 0 ? scaled(hashesPerSecond, 'H/s') : `0${NO_BREAK}H/s`;
}

export function bytes(size) {
    return scaled(size, 'B');
}

export function difficulty(value) {
    return value >= 1000 ? scaled(value, '').trim() : String(Number(value.toPrecision(3)));
}

export function percent(part) {
    const value = part * 100;
    return `${value.toFixed(value >= 9.995 ? 1 : value >= 0.0995 ? 2 : 3)}${NO_BREAK}%`;
}

// sats: decimal text, as the documents carry amounts. Small ones stay in sats.
export function amount(sats) {
    const value = BigInt(sats);
    if (value < SATS_PER_COIN / 1000n)
        return `${grouped(String(value))} sats`;
    const whole = grouped(String(value / SATS_PER_COIN));
    return `${whole}.${String(value % SATS_PER_COIN).padStart(8, '0')} coins`;
}

export function duration(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60)
        return `${s}${NO_BREAK}s`;
    if (s < 3600)
        return `${Math.floor(s / 60)}${NO_BREAK}min`;
    if (s < 86400)
        return `${Math.floor(s / 3600)}${NO_BREAK}h ${Math.floor(s / 60) % 60}${NO_BREAK}min`;
    return `${Math.floor(s / 86400)}${NO_BREAK}d ${Math.floor(s / 3600) % 24}${NO_BREAK}h`;
}

// Both in seconds since 1970; 0 is never. The times of links may be ahead of the clock.
export function ago(then, now) {
    if (then === 0)
        return 'never';
    return now - then < 1 ? 'just now' : `${duration(now - then)} ago`;
}

// The exact time, as this browser's owner writes times.
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

export function exactTime(seconds) {
    return EXACT.format(new Date(seconds * 1000));
}

// How long an answer took.
export function latency(ms) {
    if (ms < 1)
        return `under 1${NO_BREAK}ms`;
    return ms < 1000 ? `${ms}${NO_BREAK}ms` : duration(ms / 1000);
}

export function since(ms) {
    return ms < 1000 ? 'just now' : `${duration(ms / 1000)} ago`;
}

// A sentence from a fragment that begins small and ends without a full stop.
export function sentence(text) {
    const begun = text.charAt(0).toUpperCase() + text.slice(1);
    return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
