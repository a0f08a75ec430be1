// Building and updating the page. Whatever comes from outside goes in as text, never as markup, and
// only what changed is touched: selections, focus and screen readers are left in peace.

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

// An address or a hash: all of it is there to be copied and read out, and where there is no room
// its end stays in sight.
export function makeId(text) {
    const id = make('span', { class: 'id', title: text });
    id.append(make('span', { class: 'id-head' }, text.slice(0, -6)),
              make('span', { class: 'id-tail' }, text.slice(-6)));
    return id;
}

function makeBar(part) {
    const fill = make('span', { class: 'bar-fill' });
    fill.style.width = `${Math.min(100, Math.max(0, part * 100)).toFixed(2)}%`;
    return make('span', { class: 'bar', 'aria-hidden': 'true' }, fill);
}

// What a cell may show: main and note are its two lines; mainId and noteId the same for addresses;
// tone colours the main line; bar is a part of 1.
function* cellChildren(content) {
    if (content.main !== undefined)
        yield make('span', { class: 'main', 'data-tone': content.tone ?? 'none' }, content.main);
    if (content.mainId !== undefined)
        yield make('span', { class: 'main' }, makeId(content.mainId));
    if (content.bar !== undefined)
        yield makeBar(content.bar);
    if (content.note !== undefined)
        yield make('span', { class: 'note' }, content.note);
    if (content.noteId !== undefined)
        yield make('span', { class: 'note' }, makeId(content.noteId));
}

// columns: [{ label, kind ('text' | 'number' | 'wide'), cell(row) }]; the first one names the row.
// On a phone a row becomes a card: the roles keep it a table for screen readers.
export function makeTable(caption, columns) {
    const heads = columns.map((column) => make('th',
        { scope: 'col', role: 'columnheader', class: `of-${column.kind}` }, column.label));
    const body = make('tbody', { role: 'rowgroup' });
    const table = make('table', { role: 'table' },
        make('caption', { class: 'for-readers' }, caption),
        make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...heads)), body);
    return { table, body, columns };
}

function makeRow(columns) {
    const cells = columns.map((column, i) => make(i === 0 ? 'th' : 'td', {
        ...(i === 0 ? { scope: 'row' } : {}), role: i === 0 ? 'rowheader' : 'cell',
        class: `of-${column.kind}`, 'data-label': column.label,
    }));
    return make('tr', { role: 'row' }, ...cells);
}

export function fillTable({ body, columns }, rows, key) {
    syncChildren(body, rows, {
        key,
        create: () => makeRow(columns),
        update: (tr, row) => columns.forEach((column, i) =>
            rebuild(tr.children[i], column.cell(row), cellChildren)),
    });
}
