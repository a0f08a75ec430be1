// Who is signed in, and what his role lets him see and do. The node decides: what is shown here is
// only what it would not refuse.
import { make, rebuild, setText } from './dom.js';
import { makeDeed, makeForm } from './forms.js';
import { makeCard } from './parts.js';
import { hasRole } from './roles.js';
import { makeAccounts, makeAudit, makeConfiguration, makeTokens } from './settings_lists.js';

const LEVELS = ['info', 'debug', 'warn', 'error'];
const HOUR_S = 3600;
const CODE = { name: 'code', label: 'Code of the second factor, if you have one', optional: true,
               autocomplete: 'one-time-code' };

// ---- Signing in and out

function makeLogin(context) {
    return makeForm({
        label: 'Sign in', method: 'POST', path: () => 'session', csrf: context.csrf,
        fields: [
            { name: 'name', label: 'Name', autocomplete: 'username' },
            { name: 'password', label: 'Password', type: 'password',
              autocomplete: 'current-password' }, CODE],
        done: 'Signed in.', onDone: (session) => context.setSession(session),
    });
}

function makePassword(context, name) {
    return makeForm({
        label: 'Change the password', method: 'PUT', csrf: context.csrf,
        path: () => `accounts/${encodeURIComponent(name)}/password`,
        fields: [
            { name: 'old', label: 'Password of today', type: 'password',
              autocomplete: 'current-password' },
            { name: 'password', label: 'New password, 10 to 128 characters', type: 'password',
              autocomplete: 'new-password' }],
        done: 'Changed. Other sessions of yours have ended.',
    });
}

// A secret comes in force with a code of it, so that nobody locks himself out.
function makeSecondFactor(context, name) {
    const path = `accounts/${encodeURIComponent(name)}/totp`;
    const secret = make('p', { class: 'whole-id' });
    const confirm = makeForm({
        label: 'Put it in force', path: () => path, csrf: context.csrf,
        fields: [{ ...CODE, label: 'A code of the new secret', optional: false }],
        done: 'In force: each sign-in asks for a code from now on.',
        onDone: () => context.renew('accounts', 'audit'),
    });
    secret.hidden = confirm.hidden = true;
    return [
        makeDeed({ label: 'Make a secret', path, body: {}, csrf: context.csrf,
                   done: 'Give it to your authenticator, then type in a code. It is shown once:',
                   onDone: ({ uri }) => {
                       setText(secret, uri);
                       secret.hidden = confirm.hidden = false;
                   } }),
        makeDeed({ label: 'Take it away', method: 'DELETE', path, csrf: context.csrf,
                   question: 'Sign in with the password alone from now on?',
                   done: 'Taken away.', onDone: () => context.renew('accounts', 'audit') }),
        secret, confirm];
}

function* sessionChildren(context, { role, name }) {
    if (role === 'public') {
        yield make('p', { class: 'lead' }, 'Whoever signs in sees and does what his role allows. ' +
            'The first account is made on the machine itself: “shoal account add NAME --role ' +
            'admin”.');
        yield makeLogin(context);
        return;
    }
    yield make('p', {}, 'Signed in as ', make('strong', {}, name), `, ${role}.`);
    yield makeDeed({ label: 'Sign out', method: 'DELETE', path: 'session', csrf: context.csrf,
                     done: 'Signed out.',
                     onDone: (session) => context.setSession(session) });
    yield make('h3', {}, 'Your password');
    yield makePassword(context, name);
    yield make('h3', {}, 'Your second factor');
    yield* makeSecondFactor(context, name);
}

// ---- What an operator does

function reloadWords({ changed, warnings }) {
    const later = changed.filter((each) => each.needs_restart).map(({ key }) => key);
    const now = changed.filter((each) => !each.needs_restart).map(({ key }) => key);
    return [changed.length === 0 ? 'Nothing has changed.' : '',
            now.length === 0 ? '' : `Changed: ${now.join(', ')}.`,
            later.length === 0 ? '' : `Takes a restart: ${later.join(', ')}.`, ...warnings]
        .filter((text) => text !== '').join(' ');
}

function* deeds(context) {
    const { csrf } = context;
    yield makeDeed({ label: 'Read the configuration again', path: 'config/reload', csrf,
                     done: reloadWords, onDone: () => context.renew() });
    yield makeDeed({ label: 'Drain', path: 'drain', csrf, question: 'Tell all miners to go ' +
        'elsewhere, and take no new ones? The node itself stays.',
                     done: 'Miners are sent elsewhere.', onDone: () => context.renew() });
    yield makeDeed({ label: 'End draining', path: 'undrain', csrf, done: 'Miners are served again.',
                     onDone: () => context.renew() });
    yield make('h3', {}, 'Log');
    yield makeForm({ label: 'Set the level', path: () => 'log-level', csrf,
                     fields: [{ name: 'level', label: 'Lowest level that is written',
                                options: LEVELS }], done: 'Set.' });
    yield make('h3', {}, 'Ban a peer');
    yield makeForm({ label: 'Ban', path: () => 'peers/ban', csrf,
                     fields: [{ name: 'address', label: 'Address' },
                              { name: 'seconds', label: 'For how many seconds', type: 'number',
                                value: HOUR_S },
                              { name: 'reason', label: 'Why', optional: true }],
                     done: 'Banned. The list is on the page of the peers.' });
}

// ---- The page

export const settings = {
    section: '#/settings',
    isAlwaysThere: true,
    title: () => 'Settings',
    documents: (parameter, { session }) => {
        const role = session?.role ?? 'public';
        return {
            ...(hasRole(role, 'viewer') ? { config: 'config' } : {}),
            ...(hasRole(role, 'admin') ? {
                accounts: 'accounts', tokens: 'tokens', audit: 'audit?limit=100' } : {}),
        };
    },

    make(root, context) {
        const who = makeCard('session', 'Who you are');
        const operator = makeCard('deeds', 'Operating the node');
        const parts = { tokens: makeTokens(context), accounts: makeAccounts(context),
                        config: makeConfiguration(context), audit: makeAudit(context) };
        const right = make('div', { class: 'stack' }, operator.card);
        root.append(make('div', { class: 'pair' }, who.card, right), parts.tokens.card,
                    parts.accounts.card, parts.config.card, parts.audit.card);
        return (documents) => {
            const session = documents.session ?? { role: 'public', name: '' };
            const { role, name } = session;
            rebuild(who.body, { role, name }, (one) => sessionChildren(context, one));
            operator.card.hidden = !hasRole(role, 'operator');
            rebuild(operator.body, { role, name }, () => deeds(context));
            for (const [part, { card, show }] of Object.entries(parts)) {
                card.hidden = !(part in documents);
                if (documents[part])
                    show(documents[part]);
            }
            parts.tokens.card.hidden = role === 'public';
            parts.tokens.showForm(role);
        };
    },
};
