// The page: asks the node for its documents again and again, and shows them.
import { byId, make, rebuild, setText, setTone } from './dom.js';
import { fillPicture, makePicture } from './picture.js';
import { makeSections, nameOf, namesByScript, showBlocks, showFigures, showHealth, showMiners,
         showPayouts } from './sections.js';
import { counted, duration, sentence } from './units.js';

// What changes with every link is asked for in each round, the others in every second one.
const ROUND_MS = 1000;
const FAST = ['status', 'payouts', 'links'];
const NAMES = [...FAST, 'miners', 'blocks', 'daemons'];
const TIMEOUT_MS = 5000;
// A round that takes long is followed by a longer rest.
const REST_FACTOR = 5;
const EPOCH_BLOCKS = 6;

const documents = {};
const failures = new Map(); // document -> what was wrong with the last answer
const connection = { isLost: false };
let view = null; // made when every document has come once

// ---- Banners

// What it means for the miners that a daemon is gone.
function meaningOfLoss({ daemons }) {
    if (!daemons.has_work)
        return '';
    return daemons.ready > 0 ? ' Another daemon gives the work meanwhile.' :
        ' Miners go on with the newest work that there is, for a minute at most.';
}

function daemonAlarms({ daemons, status }) {
    return daemons.daemons.filter((daemon) => ['down', 'wrong_chain'].includes(daemon.state))
        .map((daemon) => ({
            title: daemon.state === 'down' ? 'A coin daemon is gone' :
                'A coin daemon follows another chain',
            text: `${sentence(daemon.error ?? daemon.url)}${meaningOfLoss(status)}` }));
}

function workAlarm({ status }) {
    const reason = status.stratum.pause_reason;
    return { title: 'Miners are not served', text: `${reason ? sentence(reason) : ''} The node ` +
        'sends miners away, so that they work elsewhere, until there is safe work again; they ' +
        'come back by themselves.' };
}

function isStarting({ status, daemons }) {
    return status.job === null && daemons.daemons.some((daemon) => daemon.state === 'checking');
}

function alarms() {
    if (connection.isLost)
        return [{ title: 'Connection lost',
                  text: 'This page gets no answer from the node: what it shows is old. Check that ' +
                      'shoal runs (“shoal status” on its machine, and its log); the page goes on ' +
                      'by itself.' }];
    const found = [...failures].map(([name, message]) => ({
        title: 'A part of this page is missing',
        text: `The document “${name}”: ${message}.` }));
    if (view === null)
        return found;
    const { store, stratum } = documents.status;
    found.push(...daemonAlarms(documents));
    if (stratum.is_paused && !isStarting(documents))
        found.unshift(workAlarm(documents));
    if (store.health !== 'healthy')
        found.push({ title: 'The disk does not take what must be kept',
                     text: `${sentence(store.problem ?? store.health)} The node goes on and ` +
                         'keeps it in memory: make room before it is stopped.' });
    return found;
}

// How many of the six blocks have come since the first link.
function blocksCome(left) {
    return left < 0 ? 0 : Math.max(0, EPOCH_BLOCKS - left);
}

function notices() {
    if (view === null || connection.isLost)
        return [];
    const { job } = documents.status;
    if (job === null)
        return isStarting(documents) ? [{
            title: 'Starting',
            text: 'The coin daemon is asked for the first block template.' }] : [];
    if (job.is_detached)
        return [{ title: 'The pool wakes up', text: job.explanation }];
    if (job.is_solo)
        return [{ title: 'Payouts begin soon', text: job.explanation,
                  steps: blocksCome(job.solo_blocks_left) }];
    return [];
}

function makeSteps(come) {
    const steps = Array.from({ length: EPOCH_BLOCKS }, (_, i) =>
        make('span', { class: i < come ? 'step is-done' : 'step' }));
    return make('span', { class: 'steps', role: 'img',
                          'aria-label': `${come} of ${EPOCH_BLOCKS} blocks` }, ...steps);
}

function makeBanner(tone, banner) {
    const element = make('div', { class: 'banner', 'data-tone': tone },
        make('strong', {}, banner.title), ' ', make('span', {}, banner.text.trim()));
    if (banner.steps !== undefined)
        element.append(makeSteps(banner.steps));
    return element;
}

function showBanners() {
    const bad = alarms();
    rebuild(byId('alarms'), bad, (all) => all.map((banner) => makeBanner('bad', banner)));
    rebuild(byId('notices'), notices(), (all) => all.map((banner) => makeBanner('info', banner)));
    const name = view === null ? 'shoal' : `${documents.status.pool.name} · shoal`;
    document.title = bad.length > 0 ? `${bad[0].title} · ${name}` : name;
    const live = byId('live');
    setTone(live, connection.isLost ? 'bad' : view === null ? 'idle' : 'ok');
    setText(live, connection.isLost ? 'Connection lost' : view === null ? 'Connecting' : 'Live');
    byId('main').classList.toggle('is-old', connection.isLost);
}

// ---- The whole page

function makeView() {
    const names = (payee) => nameOf(namesByScript(documents), payee);
    return { sections: makeSections(), picture: makePicture(byId('picture'), names) };
}

function showTop({ status }) {
    setText(byId('pool-name'), status.pool.name);
    setText(byId('pool-facts'), `${status.pool.chain}, ${status.pool.algorithm}`);
    setText(byId('foot'), `shoal ${status.version}, running for ${duration(status.uptime_s)}; ` +
        `pool ${status.pool.id}; ${counted(status.counts.links, 'link')} and ` +
        `${counted(status.counts.shares, 'share')} kept.`);
}

function showAll() {
    if (view === null) {
        if (!NAMES.every((name) => name in documents))
            return;
        view = makeView();
        byId('main').classList.add('is-filled');
    }
    const next = documents.payouts.next_block;
    showTop(documents);
    showFigures(documents);
    showHealth(documents);
    showMiners(view.sections, documents);
    showPayouts(view.sections, documents);
    showBlocks(view.sections, documents);
    fillPicture(view.picture, documents.links,
                next === null || next.is_solo ? 0 : next.window.link_height);
}

// ---- Asking

class NoAnswer extends Error {}

async function ask(name) {
    const answer = await fetch(`/api/v1/${name}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
        .catch((error) => { throw new NoAnswer(error.message); });
    if (!answer.ok)
        throw new Error(`HTTP ${answer.status}`);
    return answer.json();
}

// True if the node answered, whatever it said.
async function askFor(name) {
    try {
        documents[name] = await ask(name);
        failures.delete(name);
        return true;
    } catch (error) {
        if (error instanceof NoAnswer)
            return false;
        failures.set(name, error.message);
        return true;
    }
}

// The list of blocks is long: between full rounds it is asked for when there is a new one.
function lacksBlocks() {
    return view !== null && documents.status.found.blocks !== documents.blocks.total;
}

// All answers are shown together, so that the parts of the page fit each other.
async function round(names) {
    const answered = await Promise.all(names.map(askFor));
    if (lacksBlocks())
        answered.push(await askFor('blocks'));
    connection.isLost = answered.includes(false);
    showAll();
    showBanners();
}

function sleep(ms) {
    return new Promise((resolve) => { setTimeout(resolve, ms); });
}

function untilVisible() {
    if (!document.hidden)
        return Promise.resolve();
    return new Promise((resolve) => {
        document.addEventListener('visibilitychange', resolve, { once: true });
    });
}

async function keepAsking() {
    for (let i = 0; ; i++) {
        const began = performance.now();
        await round(i % 2 === 0 || view === null ? NAMES : FAST);
        const took = performance.now() - began;
        await sleep(Math.max(ROUND_MS - took, took * REST_FACTOR));
        await untilVisible();
    }
}

keepAsking();
