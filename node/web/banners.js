// What needs attention, in a sentence on top of every page: red for what harms the miners, yellow
// for what may come to that, blue for what passes by itself.
import { make, rebuild } from './dom.js';
import { sentence } from './units.js';

const EPOCH_BLOCKS = 6;

const LOST = {
    title: 'Connection lost',
    text: 'This page gets no answer from the node: what it shows is old. Check that shoal runs ' +
        '(“shoal status” on its machine, and its log); the page goes on by itself.',
};

// What it means for the miners that a daemon is gone.
function meaningOfLoss({ daemons }) {
    if (!daemons.has_work)
        return '';
    return daemons.ready > 0 ? ' Another daemon gives the work meanwhile.' :
        ' Miners go on with the newest work that there is, for a minute at most.';
}

function daemonAlarms(status, daemons) {
    return daemons.daemons.filter((daemon) => ['down', 'wrong_chain'].includes(daemon.state))
        .map((daemon) => ({
            title: daemon.state === 'down' ? 'A coin daemon is gone' :
                'A coin daemon follows another chain',
            text: `${sentence(daemon.error ?? daemon.url)}${meaningOfLoss(status)}` }));
}

function workAlarm(status) {
    const reason = status.stratum.pause_reason;
    if (reason?.startsWith('drained'))
        return { tone: 'warn', title: 'Miners are not served', text: sentence(reason) };
    return { title: 'Miners are not served', text: `${reason ? sentence(reason) : ''} The node ` +
        'sends miners away, so that they work elsewhere, until there is safe work again; they ' +
        'come back by themselves.' };
}

function isStarting(status, daemons) {
    return status.job === null && daemons.daemons.some((daemon) => daemon.state === 'checking');
}

// What the node itself says above everything else, where that is not told better below.
function ownBanner({ banner, stratum, daemons }, hasDaemonAlarm) {
    if (banner === null || banner.text === stratum.pause_reason ||
        (daemons.ready === 0 && hasDaemonAlarm))
        return [];
    return [{ tone: banner.level === 'error' ? 'bad' : 'warn', title: sentence(banner.text),
              text: banner.advice }];
}

// The worst first. Without both documents nothing is known that could be told.
export function alarmsOf({ isLost, status, daemons }) {
    if (isLost)
        return [LOST];
    if (status === null || daemons === null || isStarting(status, daemons))
        return [];
    const lost = daemonAlarms(status, daemons);
    return [...(status.stratum.is_paused ? [workAlarm(status)] : []), ...lost,
            ...ownBanner(status, lost.length > 0)];
}

// How many of the six blocks have come since the first link.
function blocksCome(left) {
    return left < 0 ? 0 : Math.max(0, EPOCH_BLOCKS - left);
}

const CLOSED = {
    tone: 'info', title: 'This node asks who you are.',
    text: 'Sign in on the page “Settings” to see it.',
};

export function noticesOf({ isLost, isClosed, status, daemons }) {
    if (isClosed && !isLost)
        return [CLOSED];
    if (isLost || status === null || daemons === null)
        return [];
    const { job } = status;
    if (job === null)
        return isStarting(status, daemons) ? [{
            tone: 'info', title: 'Starting',
            text: 'The coin daemon is asked for the first block template.' }] : [];
    if (job.is_detached)
        return [{ tone: 'info', title: 'The pool wakes up', text: job.explanation }];
    return job.is_solo ? [{ tone: 'info', title: 'Payouts begin soon', text: job.explanation,
                            steps: blocksCome(job.solo_blocks_left) }] : [];
}

function makeSteps(come) {
    const steps = Array.from({ length: EPOCH_BLOCKS }, (_, i) =>
        make('span', { class: i < come ? 'step is-done' : 'step' }));
    return make('span', { class: 'steps', role: 'img',
                          'aria-label': `${come} of ${EPOCH_BLOCKS} blocks` }, ...steps);
}

function makeBanner(banner) {
    const element = make('div', { class: 'banner', 'data-tone': banner.tone ?? 'bad' },
        make('strong', {}, banner.title), ' ', make('span', {}, banner.text.trim()));
    if (banner.steps !== undefined)
        element.append(makeSteps(banner.steps));
    return element;
}

export function showBanners(place, banners) {
    rebuild(place, banners, (all) => all.map(makeBanner));
}
