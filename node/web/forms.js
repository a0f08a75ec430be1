// Forms that change something in the node: what is sent, what came of it in words, and the question
// whether it is really meant.
import { make, setText, setTone } from './dom.js';
import { send } from './documents.js';
import { sentence } from './units.js';

let fieldsMade = 0; // a label names its field by an id

// field: { name, label, type, options (of a choice), optional, hint }
function makeField(field) {
    const id = `field-${++fieldsMade}`;
    const { name, label, type = 'text', options, optional = false, autocomplete = 'off' } = field;
    const attributes = { id, name, ...(optional ? {} : { required: '' }) };
    const input = options === undefined ?
        make('input', { ...attributes, type, autocomplete, spellcheck: 'false' }) :
        make('select', attributes, ...options.map((each) => make('option', {}, each)));
    if (field.value !== undefined)
        input.value = field.value;
    return make('p', { class: 'field' }, make('label', { for: id }, label), input);
}

function valuesOf(form, fields) {
    const values = {};
    for (const { name, type, optional } of fields) {
        const { value } = form.elements[name];
        if (value !== '' || !optional)
            values[name] = type === 'number' ? Number(value) : value;
    }
    return values;
}

// What came of it, in words that are read out once.
export function makeOutcome() {
    return make('p', { class: 'outcome', role: 'status' });
}

// done: words, or what makes them of the answer
function showOutcome(outcome, { document, problem }, done) {
    setTone(outcome, problem ? 'bad' : 'ok');
    setText(outcome, problem ? sentence(problem.detail) :
        typeof done === 'function' ? done(document) : done);
}

// options: fields, label (of the button), method, path(values), body(values), csrf(), done (words,
// or document -> words), onDone(document)
export function makeForm(options) {
    const { fields, label, method = 'POST', path, body = (values) => values, csrf, done } = options;
    const outcome = makeOutcome();
    const button = make('button', { class: 'button' }, label);
    const form = make('form', { class: 'form', autocomplete: 'off' }, ...fields.map(makeField),
                      button, outcome);
    form.addEventListener('submit', async (event) => {
        event.preventDefault();
        const values = valuesOf(form, fields);
        button.disabled = true;
        const answer = await send(method, path(values), body(values), csrf());
        button.disabled = false;
        showOutcome(outcome, answer, done);
        if (answer.problem)
            return;
        form.reset();
        options.onDone?.(answer.document);
    });
    return form;
}

// A button that does one thing, after a question if there is one.
// options: label, question, method, path, body, csrf(), done, onDone()
export function makeDeed(options) {
    const { label, question, method = 'POST', path, body, csrf, done, onDone } = options;
    const outcome = makeOutcome();
    const button = make('button', { class: 'action', type: 'button' }, label);
    button.addEventListener('click', async () => {
        if (question !== undefined && !await isMeant(question, label))
            return;
        button.disabled = true;
        const answer = await send(method, path, body, csrf());
        button.disabled = false;
        showOutcome(outcome, answer, done);
        if (!answer.problem)
            onDone?.(answer.document);
    });
    return make('div', { class: 'deed' }, button, outcome);
}

// Asks in a window of its own; true if `label` was chosen.
function isMeant(question, label) {
    const yes = make('button', { class: 'button', value: 'yes' }, label);
    const no = make('button', { class: 'action', value: 'no', autofocus: '' }, 'Cancel');
    const dialog = make('dialog', { class: 'question', 'aria-label': label },
        make('form', { method: 'dialog' }, make('p', {}, question),
             make('p', { class: 'buttons' }, no, yes)));
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(dialog.returnValue === 'yes');
        });
    });
}

// Buttons in tables: deeds maps the name of an action to { question(about), method, path(about),
// body(about), onDone }. Problems are told in `outcome`.
export function followActions(root, outcome, csrf, deeds) {
    root.addEventListener('click', async (event) => {
        const button = event.target.closest('button[data-action]');
        const deed = deeds[button?.dataset.action];
        if (deed === undefined)
            return;
        const { about } = button.dataset;
        if (!await isMeant(deed.question(about), button.textContent))
            return;
        const answer = await send(deed.method ?? 'POST', deed.path(about), deed.body?.(about),
                                  csrf());
        showOutcome(outcome, answer, deed.done);
        deed.onDone();
    });
}
