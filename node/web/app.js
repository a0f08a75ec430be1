// The frame of every page: which page the address asks for, what is true of the node on top of it,
// and when to show anew.
import { alarmsOf, noticesOf, showBanners } from './banners.js';
import { Documents } from './documents.js';
import { byId, make, setText, setTone } from './dom.js';
import { overview } from './page_overview.js';
import { makeThemeChoice } from './theme_choice.js';
import { counted, duration } from './units.js';

// A page: title(parameter), documents(parameter, documents) -> { name: path }, and
// make(root, context) -> show(documents), which is called whenever something came and every second.
// `section` is the entry of the navigation that it belongs to. page_NAME.js exports NAME; the first
// page is here at once, the others are fetched once it is shown.
const OTHERS = ['miners', 'miner', 'blocks', 'block', 'chain', 'peers', 'standings', 'settings'];
const EVERYWHERE = { status: 'status', daemons: 'daemons', session: 'session' };
const CLOCK_MS = 1000;
const AGAIN_MS = 1000;

const store = new Documents(scheduleShow);
let open = null; // { page, parameter, show, paths }
let isScheduled = false;

// ---- Which page

function asked() {
    const [, name = '', parameter = ''] = /^#\/([^/]*)\/?(.*)$/.exec(location.hash) ?? [];
    try {
        return { name, parameter: decodeURIComponent(parameter) };
    } catch {
        return { name, parameter }; // a lone %: as it stands
    }
}

async function pageOf(name) {
    return OTHERS.includes(name) ? (await import(`./page_${name}.js`))[name] : overview;
}

function markCurrent(page) {
    for (const link of byId('pages').querySelectorAll('a')) {
        if (link.getAttribute('href') === (page.section ?? '#/'))
            link.setAttribute('aria-current', 'page');
        else
            link.removeAttribute('aria-current');
    }
}

function makeContext(parameter) {
    return { parameter, now: () => store.now(), problem: (name) => store.problem(name),
             renew: (...names) => store.renew(...names), recent: () => store.recent,
             role: () => store.get('session')?.role ?? 'public',
             csrf: () => store.get('session')?.csrf ?? '', setSession };
}

// Who is signed in is another one: first what he may not see is dropped, then all is asked again.
function setSession(session) {
    store.put('session', session);
    show();
    store.renew();
}

async function openPage() {
    const { name, parameter } = asked();
    let page;
    try {
        page = await pageOf(name);
    } catch {
        setTimeout(openPage, AGAIN_MS); // the node is gone
        return;
    }
    if (asked().name === name)
        openLoaded(name, page, parameter);
}

function openLoaded(name, page, parameter) {
    if (open !== null && open.page === page && page.keepsOpen) {
        open.context.parameter = parameter;
        open.parameter = parameter;
        scheduleShow();
        return;
    }
    const isFirst = open === null;
    const root = make('div', { class: 'page', 'data-page': name });
    const title = make('h1', { id: 'page-title', tabindex: '-1' }, page.title(parameter));
    const context = makeContext(parameter);
    byId('main').replaceChildren(title, root);
    open = { page, parameter, context, title, root, show: page.make(root, context), paths: null };
    markCurrent(page);
    if (!isFirst) {
        scrollTo(0, 0);
        title.focus();
    }
    show();
}

// ---- What it shows

function documentsOf(paths) {
    return Object.fromEntries(Object.entries(paths).map(([name, path]) =>
        [name, store.get(path)]));
}

function want() {
    const known = open.paths === null ? documentsOf(EVERYWHERE) : documentsOf(open.paths);
    open.paths = { ...EVERYWHERE, ...open.page.documents(open.parameter, known) };
    store.want(Object.values(open.paths));
}

function showTop(status) {
    setText(byId('pool-name'), status.pool.name);
    setText(byId('pool-facts'), `${status.pool.chain}, ${status.pool.algorithm}`);
    setText(byId('foot'), `shoal ${status.version}, running for ${duration(status.uptime_s)}; ` +
        `pool ${status.pool.id}; ${counted(status.counts.links, 'link')} and ` +
        `${counted(status.counts.shares, 'share')} kept.`);
}

// A node that shows nothing to whom it does not know.
function isClosed() {
    return store.problem('status')?.status === 401;
}

function showState(documents) {
    const { isLost } = store;
    const alarms = alarmsOf({ isLost, ...documents });
    showBanners(byId('alarms'), alarms);
    showBanners(byId('notices'), noticesOf({ isLost, isClosed: isClosed(), ...documents }));
    const live = byId('live');
    const hasAny = documents.status !== null;
    setTone(live, isLost ? 'bad' : hasAny ? 'ok' : 'idle');
    setText(live, isLost ? 'Connection lost' : hasAny ? 'Live' :
        isClosed() ? 'Not signed in' : 'Connecting');
    byId('main').classList.toggle('is-old', isLost);
    return alarms;
}

function showTitle(documents, alarms) {
    const title = open.page.title(open.parameter, documents);
    setText(open.title, title);
    const pool = documents.status?.pool.name;
    const names = [alarms[0]?.title, title, pool === title ? undefined : pool, 'shoal'];
    const text = names.filter((name) => name !== undefined).join(' · ');
    if (document.title !== text)
        document.title = text;
}

function show() {
    isScheduled = false;
    want();
    const documents = documentsOf(open.paths);
    showTitle(documents, showState(documents));
    if (documents.status !== null)
        showTop(documents.status);
    if (!Object.values(open.paths).every((path) => store.hasAnswered(path)) && !open.isFilled)
        return;
    if (documents.status === null && !(isClosed() && open.page.isAlwaysThere))
        return;
    open.show(documents);
    if (open.isFilled)
        return;
    open.isFilled = true;
    open.root.classList.add('is-filled');
    OTHERS.forEach((name) => pageOf(name).catch(() => {})); // what fails is fetched when wanted
}

// Answers that come together are shown together.
function scheduleShow() {
    if (isScheduled || open === null)
        return;
    isScheduled = true;
    requestAnimationFrame(show);
}

// ---- Beginning

byId('skip').addEventListener('click', (event) => {
    event.preventDefault(); // the address says which page it is
    byId('main').focus();
});
makeThemeChoice(byId('theme'));
addEventListener('hashchange', openPage);
setInterval(scheduleShow, CLOCK_MS);
openPage();
