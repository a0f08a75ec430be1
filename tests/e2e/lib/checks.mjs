// Checks of an end-to-end script: a line for each, counted, and a closing line "N passed, M failed"
// that tests/e2e/run adds up. A script that ends in any other way counts as failed there.
import { stopAll } from './processes.mjs';

const began = Date.now();
let passed = 0;
let failed = 0;
let skipped = 0;

function seconds() {
    return ((Date.now() - began) / 1000).toFixed(1).padStart(6);
}

export function say(text) {
    console.log(`${seconds()}  ${text}`);
}

// True if it is met.
export function check(name, isMet, detail = '') {
    if (isMet) {
        passed++;
        say(`ok      ${name}`);
    } else {
        failed++;
        say(`FAILED  ${name}${detail === '' ? '' : `: ${detail}`}`);
    }
    return Boolean(isMet);
}

export function checkEqual(name, actual, expected) {
    return check(name, actual === expected, `${String(actual)}, wanted ${String(expected)}`);
}

// What cannot be tried on this machine; said loudly, and neither passed nor failed.
export function skip(name, reason) {
    skipped++;
    say(`SKIPPED ${name}: ${reason}`);
}

// Waits until `condition` gives something true and returns that; throws after secondsMax.
export async function waitFor(what, secondsMax, condition) {
    const deadline = Date.now() + secondsMax * 1000;
    let last = '';
    while (Date.now() < deadline) {
        try {
            const value = await condition();
            if (value)
                return value;
            last = '';
        } catch (error) {
            last = ` (${error.message})`;
        }
        await sleep(50);
    }
    throw new Error(`waited ${secondsMax} s in vain for: ${what}${last}`);
}

// A check that something comes to be; what it gives, or null.
export async function checkReached(name, secondsMax, condition) {
    const begin = Date.now();
    try {
        const value = await waitFor(name, secondsMax, condition);
        check(`${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`, true);
        return value;
    } catch (error) {
        check(name, false, error.message);
        return null;
    }
}

// The promise's value; throws if it takes longer.
export async function within(secondsMax, what, promise) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`waited ${secondsMax} s in vain for: ${what}`)),
                           secondsMax * 1000);
    });
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
    }
}

export function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}

// A part of a script: what it throws is one failed check, and the other parts go on.
export async function part(name, run) {
    try {
        await run();
    } catch (error) {
        check(name, false, error.stack);
    }
}

// Runs a script to its end and leaves with the status of its checks.
export async function script(name, run) {
    say(`${name}`);
    await part(`${name} runs to its end`, run);
    await stopAll();
    const more = skipped > 0 ? `, ${skipped} skipped` : '';
    console.log(`${name}: ${passed} passed, ${failed} failed${more}`);
    process.exit(failed > 0 ? 1 : 0);
}
