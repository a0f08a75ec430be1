// The lists of the settings: tokens, accounts, configuration and the audit log.
import { make, rebuild } from './dom.js';
import { followActions, makeForm, makeOutcome } from './forms.js';
import { makeCard } from './parts.js';
import { rolesUpTo } from './roles.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago } from './units.js';

const ROWS_SHOWN = 20;
const DAY_S = 86400;

function makeList(id, title, lead, columns) {
    const card = makeCard(id, title, lead);
    const list = make('div', {});
    const outcome = makeOutcome();
    card.body.append(list, outcome);
    return { ...card, outcome, place: makeTablePlace(list, title, columns) };
}

// ---- Tokens

function tokenAction({ id, label }) {
    return { action: 'revoke', label: 'Revoke', about: label, data: id };
}

const tokenColumns = [
    { label: 'Token', kind: 'text', cell: (token) => ({
        main: token.label, note: `${token.role}, of ${token.owner}` }) },
    { label: 'Last used', kind: 'text', cell: (token) => ({
        main: ago(token.used_at ?? 0, token.now), time: token.used_at }) },
    { label: 'Ends', kind: 'text', cell: (token) => ({
        main: token.is_expired ? 'has ended' : token.expires_at === null ? 'never' :
            new Date(token.expires_at * 1000).toLocaleDateString(),
        tone: token.is_expired ? 'bad' : 'none', time: token.expires_at }) },
    { label: 'Action', kind: 'number', cell: (token) => ({ actions: [tokenAction(token)] }) },
];

export function makeTokens(context) {
    const list = makeList('tokens', 'Tokens for programs', 'A token lets a program do what its ' +
        'role allows, until it ends or is revoked. It is shown once, when it is made.',
        tokenColumns);
    const form = (role) => makeForm({
        label: 'Make a token', path: () => 'tokens', csrf: context.csrf,
        fields: [{ name: 'label', label: 'What it is for' },
                 { name: 'role', label: 'Role', options: rolesUpTo(role) },
                 { name: 'days', label: 'For how many days', type: 'number', value: 90 }],
        body: ({ label, role, days }) => ({ label, role, expires_s: days * DAY_S }),
        done: ({ token }) => `Keep it now, it is not shown again: ${token}`,
        onDone: () => context.renew('tokens', 'audit'),
    });
    const place = make('div', {});
    list.body.append(place);
    followActions(list.card, list.outcome, context.csrf, { revoke: {
        question: () => 'Revoke this token? Programs that use it are refused from now on.',
        method: 'DELETE', path: (id) => `tokens/${encodeURIComponent(id)}`, done: 'Revoked.',
        onDone: () => context.renew('tokens', 'audit') } });
    return { ...list, showForm: (role) => rebuild(place, role, () => [form(role)]),
             show: ({ tokens, now }) =>
                 fillPlace(list.place, tokens.map((token) => ({ ...token, now })), {
                     key: (token) => token.id, shownMax: ROWS_SHOWN, empty: 'There is none.' }) };
}

// ---- Accounts

const accountColumns = [
    { label: 'Account', kind: 'text', cell: (account) => ({
        main: account.name, note: account.role }) },
    { label: 'Second factor', kind: 'text', cell: (account) => ({
        main: account.has_totp ? 'in force' : 'none' }) },
    { label: 'Made', kind: 'text', cell: (account) => ({
        main: ago(account.created_at, account.now), time: account.created_at }) },
    { label: 'Action', kind: 'number', cell: ({ name }) => ({
        actions: [{ action: 'remove', label: 'Remove', about: name, data: name }] }) },
];

export function makeAccounts(context) {
    const list = makeList('accounts', 'Accounts', 'Viewers see addresses and the configuration, ' +
        'operators act, admins also keep accounts.', accountColumns);
    const form = makeForm({
        label: 'Add the account', path: () => 'accounts', csrf: context.csrf,
        fields: [{ name: 'name', label: 'Name' },
                 { name: 'role', label: 'Role', options: rolesUpTo('admin') },
                 { name: 'password', label: 'Password, 10 to 128 characters', type: 'password',
                   autocomplete: 'new-password' }],
        done: 'Added.', onDone: () => context.renew('accounts', 'audit'),
    });
    list.body.append(form);
    followActions(list.card, list.outcome, context.csrf, { remove: {
        question: (name) => `Remove the account ${name}? Its sessions and tokens end.`,
        method: 'DELETE', path: (name) => `accounts/${encodeURIComponent(name)}`,
        done: 'Removed.', onDone: () => context.renew('accounts', 'tokens', 'audit') } });
    return { ...list, show: ({ accounts, now }) =>
        fillPlace(list.place, accounts.map((account) => ({ ...account, now })), {
            key: (account) => account.name, shownMax: ROWS_SHOWN, empty: 'There is none.' }) };
}

// ---- Configuration

const configColumns = [
    { label: 'Key', kind: 'text', cell: (row) => ({ main: row.key, note: row.meaning }) },
    { label: 'Value', kind: 'wide', cell: (row) => ({ main: row.value === '' ? 'empty' :
        row.value }) },
    { label: 'From', kind: 'text', cell: (row) => ({ main: row.source }) },
];

export function makeConfiguration() {
    const list = makeList('config', 'Configuration', 'The values in force and where each is ' +
        'from; secrets are not shown.', configColumns);
    return { ...list, show: ({ values }) => fillPlace(list.place, values, {
        key: (row) => row.key, empty: 'There is none.' }) };
}

// ---- Audit log

const auditColumns = [
    { label: 'When', kind: 'text', cell: (entry) => ({
        main: ago(entry.at ?? 0, entry.now), time: entry.at }) },
    { label: 'Who', kind: 'text', cell: (entry) => ({
        main: entry.who || 'nobody', note: entry.token ? `token ${entry.token}` :
            `from ${entry.from}` }) },
    { label: 'What', kind: 'wide', cell: (entry) => ({ main: entry.action, note: entry.what }) },
    { label: 'Result', kind: 'wide', cell: (entry) => ({
        main: entry.result, tone: entry.result === 'done' ? 'ok' : 'warn' }) },
];

export function makeAudit() {
    const list = makeList('audit', 'Audit log', 'Every change and every attempt to sign in, the ' +
        'newest first.', auditColumns);
    return { ...list, show: ({ entries, now }) =>
        fillPlace(list.place, entries.map((entry) => ({ ...entry, now })), {
            key: (entry) => entry.number, shownMax: ROWS_SHOWN, empty: 'Nothing yet.' }) };
}
