// Leaders, teams and milestones, as any node computes them from the share-chain alone.
import { make, setText } from './dom.js';
import { makeCard, makePair, minerLink, showProblem } from './parts.js';
import { fillPlace, makeTablePlace } from './table.js';
import { ago, count, counted, difficulty, hashrate, percent } from './units.js';

const KINDS = [['hashrate', 'Hashrate'], ['best_share', 'Best share'], ['streak', 'Streak'],
               ['blocks', 'Blocks']];
const PERIODS = [['day', 'Day'], ['week', 'Week'], ['all', 'All time']];
const ROWS_SHOWN = 25;

// ---- Which: kept in the address, "hashrate/day" or "hashrate/day/team"

function chosenOf(parameter) {
    const [kind, period, team = ''] = parameter.split('/');
    return { team, kind: KINDS.some(([name]) => name === kind) ? kind : 'hashrate',
             period: PERIODS.some(([name]) => name === period) ? period : 'day' };
}

function pathOf(parameter) {
    const { kind, period, team } = chosenOf(parameter);
    return `standings?kind=${kind}&period=${period}` +
        (team === '' ? '' : `&team=${encodeURIComponent(team)}`);
}

function makeChoice(label, choices) {
    const links = choices.map(([name, words]) => make('a', { 'data-name': name }, words));
    return make('p', { class: 'choices', role: 'group', 'aria-label': label }, ...links);
}

function markChoice(choice, chosen, href) {
    for (const link of choice.children) {
        link.setAttribute('href', href(link.dataset.name));
        if (link.dataset.name === chosen)
            link.setAttribute('aria-current', 'true');
        else
            link.removeAttribute('aria-current');
    }
}

// ---- Tables

function valueCell(row) {
    switch (row.kind) {
    case 'hashrate': return { main: hashrate(row.hashrate), note: percent(row.part) };
    case 'best_share': return { main: difficulty(row.best_difficulty) };
    case 'streak': return { main: counted(row.period === 'all' ? row.streak_longest_days :
        row.streak_days, 'day') };
    default: return { main: counted(row.blocks, 'block') };
    }
}

const leaderColumns = [
    { label: 'Place', kind: 'number', cell: (row) => ({ main: count(row.place) }) },
    { label: 'Address', kind: 'wide', cell: (row) => ({
        mainId: row.address ?? row.script, href: minerLink(row.address) }) },
    { label: 'Team', kind: 'text', cell: (row) => ({ main: row.team || 'none' }) },
    { label: 'Value', kind: 'number', cell: valueCell },
];

const teamColumns = [
    { label: 'Team', kind: 'text', cell: (team) => ({
        main: team.name, href: `#/standings/hashrate/day/${encodeURIComponent(team.name)}` }) },
    { label: 'Members', kind: 'number', cell: (team) => ({ main: count(team.members_count) }) },
    { label: 'Part of the work', kind: 'number', cell: (team) => ({
        main: percent(team.part), bar: team.part, note: hashrate(team.hashrate) }) },
];

const milestoneColumns = [
    { label: 'What', kind: 'text', cell: (milestone) => ({ main: milestone.text }) },
    { label: 'Who', kind: 'wide', cell: (milestone) => ({
        mainId: milestone.address ?? milestone.script, href: minerLink(milestone.address) }) },
    { label: 'When', kind: 'text', cell: (milestone) => ({
        main: ago(milestone.at, milestone.now), time: milestone.at }) },
];

// ---- The page

export const standings = {
    section: '#/standings',
    keepsOpen: true,
    title: () => 'Standings',
    documents: (parameter) => ({
        standings: pathOf(parameter), milestones: 'milestones?limit=10',
        teams: `teams?period=${chosenOf(parameter).period}` }),

    make(root, context) {
        const leaders = makeCard('leaders', 'Leaders', 'Computed from the share-chain, which ' +
            'every node has: nobody’s word is needed.');
        const teams = makeCard('teams', 'Teams', 'A miner joins a team with the name of its ' +
            'worker: “address.worker@team”.');
        const milestones = makeCard('milestones', 'Newest milestones');
        const kinds = makeChoice('What is compared', KINDS);
        const periods = makeChoice('Over what time', PERIODS);
        const place = make('div', {});
        const everybody = make('a', {}, 'Everybody');
        leaders.body.append(make('div', { class: 'choices-row' }, kinds, periods, everybody),
                            place);
        root.append(leaders.card, makePair(teams, milestones));
        const tables = {
            leaders: makeTablePlace(place, 'Leaders', leaderColumns),
            teams: makeTablePlace(teams.body, 'Teams', teamColumns),
            milestones: makeTablePlace(milestones.body, 'Milestones', milestoneColumns),
        };
        return (documents) => {
            const now = context.now();
            const { kind, period, team } = chosenOf(context.parameter);
            const end = team === '' ? '' : `/${encodeURIComponent(team)}`;
            markChoice(kinds, kind, (name) => `#/standings/${name}/${period}${end}`);
            markChoice(periods, period, (name) => `#/standings/${kind}/${name}${end}`);
            setText(leaders.card.querySelector('h2'), team === '' ? 'Leaders' :
                `Leaders of the team ${team}`);
            everybody.hidden = team === '';
            everybody.setAttribute('href', `#/standings/${kind}/${period}`);
            showProblem(leaders, context.problem(pathOf(context.parameter)));
            showProblem(teams, context.problem(`teams?period=${period}`));
            showProblem(milestones, context.problem('milestones?limit=10'));
            if (documents.standings !== null)
                fillPlace(tables.leaders, documents.standings.standings.map((row) => ({
                    ...row, kind, period })), {
                    key: (row) => row.script, shownMax: ROWS_SHOWN,
                    total: documents.standings.count,
                    empty: 'Nobody has mined in this time.' });
            if (documents.teams !== null)
                fillPlace(tables.teams, documents.teams.teams, {
                    key: (team) => team.name, shownMax: ROWS_SHOWN,
                    empty: 'No team has mined yet.' });
            if (documents.milestones !== null)
                fillPlace(tables.milestones, documents.milestones.milestones.map((row) => ({
                    ...row, now })), { key: (row) => row.number, shownMax: ROWS_SHOWN,
                                       empty: 'None yet.' });
        };
    },
};
