// Building and updating the page. Whatever comes from outside goes in as text, never as markup, and
// only what changed is touched: selections, focus and screen readers are left in peace.
import { exactTime } from './units.js';

const shown = new WeakMap(); // element -> what it shows, as text

export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
        element.setAttribute(name, value);
    element.append(...children);
    return element;
}

export function byId(id) {
    return document.getElementById(id);
}

export function setText(element, text) {
    if (element.textContent !== text)
        element.textContent = text;
}

export function setTone(element, tone) {
    if (element.dataset.tone !== tone)
        element.dataset.tone = tone;
}

// Calls `build` for new children only if `content` is not what the element shows already.
export function rebuild(element, content, build) {
    const text = JSON.stringify(content);
    if (shown.get(element) === text)
        return;
    shown.set(element, text);
    element.replaceChildren(...build(content));
}

// Keeps one child for each item, in their order, each made once.
export function syncChildren(parent, items, options) {
    const { key, create, update } = options;
    const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    let place = parent.firstElementChild;
    for (const item of items) {
        const name = String(key(item));
        let child = old.get(name);
        if (child === undefined) {
            child = create(item);
            child.dataset.key = name;
        }
        old.delete(name);
        if (child === place)
            place = place.nextElementSibling;
        else
            parent.insertBefore(child, place);
        update(child, item);
    }
    for (const child of old.values())
        child.remove();
}

// ---- Small things that many parts show

// An address or a hash: all of it is there to be copied and read out, and where there is no room
// its end stays in sight.
function makeId(text) {
    const id = make('span', { class: 'id', title: text });
    id.append(make('span', { class: 'id-head' }, text.slice(0, -6)),
              make('span', { class: 'id-tail' }, text.slice(-6)));
    return id;
}

// A time as words, with the exact one to point at; seconds since 1970, 0 or null is no time.
function makeTime(words, seconds) {
    if (!seconds)
        return words;
    return make('time', { datetime: new Date(seconds * 1000).toISOString(),
                          title: exactTime(seconds) }, words);
}

function makeBar(part) {
    const fill = make('span', { class: 'bar-fill' });
    fill.style.width = `${Math.min(100, Math.max(0, part * 100)).toFixed(2)}%`;
    return make('span', { class: 'bar', 'aria-hidden': 'true' }, fill);
}

function inLink(href, child) {
    return href === undefined ? child : make('a', { href }, child);
}

// A button that `onAction` of the page gets with its data; `about` tells screen readers what of.
function makeAction({ action, label, about, data }) {
    return make('button', { class: 'action', type: 'button', 'data-action': action,
                            'data-about': data, 'aria-label': `${label} ${about}` }, label);
}

// What a cell may show: main and note are its two lines; mainId and noteId the same for addresses;
// tone colours the main line; href leads on from it; time and noteTime are the exact times behind
// them; bar is a part of 1; actions are buttons.
export function* cellChildren(content) {
    if (content.main !== undefined)
        yield make('span', { class: 'main', 'data-tone': content.tone ?? 'none' },
                   inLink(content.href, makeTime(content.main, content.time)));
    if (content.mainId !== undefined)
        yield make('span', { class: 'main' }, inLink(content.href, makeId(content.mainId)));
    if (content.bar !== undefined)
        yield makeBar(content.bar);
    if (content.note !== undefined)
        yield make('span', { class: 'note' }, makeTime(content.note, content.noteTime));
    if (content.noteId !== undefined)
        yield make('span', { class: 'note' }, makeId(content.noteId));
    for (const action of content.actions ?? [])
        yield makeAction(action);
}
