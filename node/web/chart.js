// Charts over time, drawn with d3's scales and shapes as SVG that takes its colours from the style
// sheet. What a chart says is also in its label, and point by point in the table under it.
import d3 from './d3.js';
import { make, rebuild, setText } from './dom.js';
import { fillTable, makeTable } from './table.js';
import { exactTime } from './units.js';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 220;
const MARGIN = { top: 10, right: 8, bottom: 24, left: 76 };
const TICKS_Y = 4;
const PIXELS_PER_TICK = 90;
const GAP = 0.15; // between two bars

function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes))
        element.setAttribute(name, value);
    element.append(...children);
    return element;
}

// options: label (what it shows), unit (value -> text), shape ('area' or 'bars'), empty (words)
export function makeChart(parent, options) {
    const plot = draw('svg', { class: 'chart-plot', role: 'img', height: HEIGHT });
    const readout = make('p', { class: 'readout' });
    const table = makeTable(options.label, [
        { label: 'Until', kind: 'text', cell: (point) => ({ main: exactTime(point.at) }) },
        { label: options.label, kind: 'number', cell: (point) => ({
            main: options.unit(point.value), note: point.note }) },
    ]);
    const details = make('details', {}, make('summary', {}, 'The same as a table'), table.table);
    parent.replaceChildren(plot, readout, details);
    const chart = { ...options, plot, readout, details, table, points: [], span: null,
                    pointed: null, width: 0 };
    const observer = new ResizeObserver(([{ contentRect }]) => {
        chart.width = Math.floor(contentRect.width);
        redraw(chart);
    });
    observer.observe(parent);
    plot.addEventListener('pointermove', (event) => point(chart, event));
    plot.addEventListener('pointerleave', () => point(chart, null));
    details.addEventListener('toggle', () => fillDetails(chart));
    return chart;
}

function fillDetails({ details, table, points }) {
    if (details.open)
        fillTable(table, points.toReversed(), (each) => each.at);
}

// points: [{ at, value, note }], oldest first; at in seconds since 1970, the value is that of the
// time before it. span: { first, last } in seconds, and for bars the `step` between two; without it
// the chart is as wide as its points.
export function fillChart(chart, points, span = null) {
    chart.points = points;
    chart.span = span;
    redraw(chart);
    fillDetails(chart);
}

// ---- In words

function inWords({ points, unit, label, empty }) {
    if (points.length === 0)
        return empty;
    const values = points.map(({ value }) => value);
    return `${label}: now ${unit(values.at(-1))}; lowest ${unit(Math.min(...values))}, highest ` +
        `${unit(Math.max(...values))}, ${exactTime(points[0].at)} to ` +
        `${exactTime(points.at(-1).at)}.`;
}

function showReadout(chart) {
    const { points, unit, pointed, empty } = chart;
    const values = points.map(({ value }) => value);
    if (points.length === 0)
        setText(chart.readout, empty);
    else if (pointed !== null)
        setText(chart.readout, [`${exactTime(points[pointed].at)}: ${unit(values[pointed])}`,
                                points[pointed].note].filter(Boolean).join(', '));
    else
        setText(chart.readout, `Lowest ${unit(Math.min(...values))}, highest ` +
            `${unit(Math.max(...values))}`);
}

// ---- The picture

function scalesOf({ points, width, span }) {
    const { first, last, step = 0 } = span ?? { first: points[0].at, last: points.at(-1).at };
    const x = d3.scaleTime().domain([first * 1000, Math.max(last, first + 1) * 1000])
        .range([MARGIN.left, width - MARGIN.right]);
    const most = Math.max(...points.map(({ value }) => value));
    const y = d3.scaleLinear().domain([0, most > 0 ? most : 1]).nice(TICKS_Y)
        .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
    return { x, y, step: step * 1000 };
}

function* axes({ unit, width }, { x, y }) {
    for (const value of y.ticks(TICKS_Y)) {
        yield draw('line', { class: 'chart-grid', x1: MARGIN.left, x2: width - MARGIN.right,
                             y1: y(value), y2: y(value) });
        yield draw('text', { class: 'chart-tick', x: MARGIN.left - 8, y: y(value) + 4,
                             'text-anchor': 'end' }, unit(value));
    }
    const format = timeFormat(x);
    let free = MARGIN.left + 16; // left of it there is no room
    for (const time of x.ticks(Math.max(2, Math.floor(width / PIXELS_PER_TICK)))) {
        if (x(time) < free || x(time) > width - 24)
            continue;
        yield draw('text', { class: 'chart-tick', x: x(time), y: HEIGHT - 6,
                             'text-anchor': 'middle' }, format.format(time));
        free = x(time) + 0.8 * PIXELS_PER_TICK;
    }
}

// As much of the time as tells two ticks apart.
function timeFormat(x) {
    const [first, last] = x.domain();
    if (last - first > 2 * 86400e3)
        return new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
    const second = last - first < 600e3 ? { second: '2-digit' } : {};
    return new Intl.DateTimeFormat(undefined,
                                   { hour: '2-digit', minute: '2-digit', ...second });
}

function* areaOf({ points }, { x, y }) {
    const place = (each) => x(each.at * 1000);
    const curve = d3.curveMonotoneX;
    yield draw('path', { class: 'chart-area', d: d3.area().curve(curve).x(place).y0(y(0))
        .y1(({ value }) => y(value))(points) });
    yield draw('path', { class: 'chart-line', d: d3.line().curve(curve).x(place)
        .y(({ value }) => y(value))(points) });
}

function* barsOf({ points }, { x, y, step }) {
    for (const { at, value } of points) {
        const left = x(at * 1000 - step * (1 - GAP / 2));
        const right = x(at * 1000 - step * GAP / 2);
        yield draw('rect', { class: 'chart-bar', x: left, width: Math.max(1, right - left),
                             y: y(value), height: y(0) - y(value) });
    }
}

function* markOf({ points, pointed, shape }, { x, y, step }) {
    if (pointed === null)
        return;
    const { at, value } = points[pointed];
    const place = x(at * 1000 - (shape === 'bars' ? step / 2 : 0));
    yield draw('line', { class: 'chart-rule', x1: place, x2: place, y1: MARGIN.top, y2: y(0) });
    yield draw('circle', { class: 'chart-mark', cx: place, cy: y(value), r: 4 });
}

function* pictureOf(chart) {
    const scales = scalesOf(chart);
    yield* axes(chart, scales);
    yield* chart.shape === 'bars' ? barsOf(chart, scales) : areaOf(chart, scales);
    yield* markOf(chart, scales);
}

function redraw(chart) {
    const { plot, points, width, pointed } = chart;
    if (pointed !== null && pointed >= points.length)
        chart.pointed = null;
    plot.setAttribute('aria-label', inWords(chart));
    showReadout(chart);
    const isDrawn = points.length > 0 && width > MARGIN.left + MARGIN.right;
    rebuild(plot, { points, span: chart.span, width, pointed: chart.pointed, isDrawn },
            () => (isDrawn ? pictureOf(chart) : []));
}

function point(chart, event) {
    chart.pointed = null;
    if (event !== null && chart.points.length > 0) {
        const at = scalesOf(chart).x.invert(event.offsetX) / 1000;
        const nearest = d3.bisector((each) => each.at);
        chart.pointed = chart.shape === 'bars' ?
            Math.min(chart.points.length - 1, nearest.left(chart.points, at)) :
            nearest.center(chart.points, at);
    }
    redraw(chart);
}
