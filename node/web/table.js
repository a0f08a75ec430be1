// Tables: rows that are kept and only changed where they differ, long ones folded, and for each the
// words to show when there is nothing.
import { cellChildren, make, rebuild, setText, syncChildren } from './dom.js';
import { count } from './units.js';

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

// A table in its place: its first rows, a button for the others, and words if there are none.
export function makeTablePlace(parent, caption, columns) {
    const after = make('p', { class: 'after' });
    const more = make('button', { class: 'more', type: 'button', 'aria-expanded': 'false' });
    const place = { ...makeTable(caption, columns), after, more, isOpen: false, refill: null };
    more.addEventListener('click', () => {
        place.isOpen = !place.isOpen;
        more.setAttribute('aria-expanded', String(place.isOpen));
        place.refill();
    });
    more.hidden = true;
    place.table.hidden = true;
    parent.replaceChildren(place.table, more, after);
    return place;
}

// options: key(row), shownMax, empty (words), total (of all there are), more (where the rest is)
export function fillPlace(place, rows, options) {
    const { key, shownMax = Infinity, empty, total = rows.length } = options;
    place.refill = () => fillPlace(place, rows, options);
    const shown = place.isOpen ? rows : rows.slice(0, shownMax);
    fillTable(place, shown, key);
    place.table.hidden = rows.length === 0;
    place.more.hidden = rows.length <= shownMax;
    setText(place.more, place.isOpen ? 'Show fewer' : `Show ${count(rows.length - shownMax)} more`);
    const missing = total - rows.length;
    setText(place.after, rows.length === 0 ? empty :
        missing > 0 ? `${count(missing)} more are not on this page.` : '');
    place.after.hidden = place.after.textContent === '';
}
