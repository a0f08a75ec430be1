// Two nodes, miners of two teams behind both: both tell the same standings, teams and milestones,
// and those are what another reading of docs/standings.md makes of the exported chain. They outlive
// a restart. What is no team's name costs a miner nothing.
import { Cluster } from './lib/cluster.mjs';
import { CpuMiner } from './lib/miner.mjs';
import { Devchain } from './lib/daemons.mjs';
import { addressOf } from './lib/addresses.mjs';
import { newPool } from './lib/shoal.mjs';
import { Asker, chainOf, milestonesOf, standingsOf, teamsOf } from './lib/standings.mjs';
import { check, checkEqual, checkReached, part, script, waitFor } from './lib/checks.mjs';

const HASHRATE = 1000000; // of all miners together
const LINKS_MIN = 25;
const KINDS = ['hashrate', 'best_share', 'streak', 'blocks'];
const PERIODS = ['day', 'week', 'all'];

// [worker, team as it is written, team as it is counted]
const CREWS = [['ana', '@Reef', 'reef'], ['ben', '@atoll', 'atoll'], ['cho', '@<b>', ''],
               ['dan', '', '']];

function mine(cluster, i) {
    const users = CREWS.map(([worker, written]) =>
        `${addressOf(cluster.daemon.chain, 'p2wpkh', worker).address}.${worker}${written}`);
    const miner = new CpuMiner(`standings-miner-${i + 1}`, cluster.nodes[i].port, users,
                               HASHRATE / 2);
    cluster.miners.push(miner);
}

const isNear = (a, b) => a === b || Math.abs(a - b) <= 1e-9 * Math.abs(b);

// '' if all rows are the same, member by member of the second.
function difference(told, known) {
    if (told.length !== known.length)
        return `${told.length} rows instead of ${known.length}`;
    for (const [i, row] of known.entries())
        for (const [name, value] of Object.entries(row))
            if (!(typeof value === 'number' ? isNear(told[i][name], value)
                                            : told[i][name] === value))
                return `row ${i + 1}, ${name}: ${told[i][name]} instead of ${value}`;
    return '';
}

async function documentsOf(node) {
    const asker = new Asker(node);
    const documents = { milestones: await asker.all('milestones', 'milestones') };
    for (const period of PERIODS) {
        documents[`teams/${period}`] = await asker.all('teams', 'teams', { period });
        for (const kind of KINDS)
            for (const team of [null, 'reef']) {
                const parameters = { kind, period, ...(team === null ? {} : { team }) };
                documents[`${kind}/${period}/${team ?? ''}`] =
                    await asker.all('standings', 'standings', parameters);
            }
        documents[`team/${period}`] = await asker.all('team', 'members', { period, name: 'reef' });
    }
    asker.close();
    return documents;
}

async function judgeNumbers(cluster, documents) {
    const asker = new Asker(cluster.nodes[0]);
    const chain = await chainOf(asker, cluster.pool);
    asker.close();
    const problems = [];
    let rows = 0;
    const judge = (name, told, known) => {
        const text = difference(told, known);
        rows += known.length;
        if (text !== '')
            problems.push(`${name}: ${text}`);
    };
    for (const period of PERIODS) {
        for (const kind of KINDS)
            for (const team of [null, 'reef'])
                judge(`${kind}/${period}/${team ?? ''}`,
                      documents[`${kind}/${period}/${team ?? ''}`],
                      standingsOf(chain, { kind, period, team }));
        judge(`teams/${period}`, documents[`teams/${period}`], teamsOf(chain, period));
        judge(`team/${period}`, documents[`team/${period}`],
              standingsOf(chain, { kind: 'hashrate', period, team: 'reef' }));
    }
    judge('milestones', documents.milestones, milestonesOf(chain));
    check(`${rows} rows are those computed from ${chain.credits.length} exported credits`,
          rows > 0 && problems.length === 0, problems.slice(0, 3).join('; '));
}

async function judgeTeams(documents) {
    const teams = documents['teams/all'];
    checkEqual('teams are those whose names are names', teams.map(({ name }) => name).sort().join(),
               'atoll,reef');
    const ofWorker = new Map(documents['hashrate/all/'].map((row) => [row.address, row.team]));
    for (const [worker, written, team] of CREWS) {
        const { address } = addressOf('devchain', 'p2wpkh', worker);
        checkEqual(`"${worker}${written}" mines for ${team === '' ? 'nobody' : team}`,
                   ofWorker.get(address), team === '' ? null : team);
    }
}

async function twoNodes() {
    const daemon = await Devchain.make('standings-daemon', ['--hashrate', '1M', '--spacing', '5']);
    await daemon.start();
    const pool = await newPool('standings-pool', {
        chain: daemon.chain, daemon: daemon.url, 'link-spacing': 1, 'half-life': 60,
        'easiest-bits': '1e080000', 'grains-per-link': 20 });
    const cluster = new Cluster('standings', daemon, pool);
    await cluster.start(2);
    await cluster.waitForLinks(1, 60);
    await waitFor('both nodes to serve miners', 60, async () =>
        (await cluster.reports('status')).every(({ job }) => job !== null));
    mine(cluster, 0);
    mine(cluster, 1);
    await waitFor(`${LINKS_MIN} links and both teams`, 150, async () => {
        const { tip } = await cluster.nodes[0].report('status');
        const asker = new Asker(cluster.nodes[0]);
        const teams = await asker.all('teams', 'teams').finally(() => asker.close());
        return tip.height >= LINKS_MIN && teams.length === 2;
    });
    await cluster.stopMiners();
    await checkReached('both nodes have the same tip when the miners stand still', 60,
                       () => cluster.waitForOneTip(60));
    const [one, other] = await Promise.all(cluster.nodes.map(documentsOf));
    checkEqual('both nodes tell the same standings, teams and milestones', JSON.stringify(other),
               JSON.stringify(one));
    await judgeNumbers(cluster, one);
    await judgeTeams(one);
    const log = await cluster.nodes[0].logged({ event: 'no team' }, 5);
    check('a name that is none is logged with what would be one', /a-z/.test(log.rule));
    await cluster.nodes[1].process.kill();
    cluster.nodes[1].launch();
    await waitFor('the killed node to be back', 60, () =>
        cluster.nodes[1].report('status').then(() => true));
    await cluster.waitForOneTip(60);
    checkEqual('and the same after kill -9', JSON.stringify(await documentsOf(cluster.nodes[1])),
               JSON.stringify(one));
    for (const node of cluster.nodes)
        checkEqual(`${node.name} ends well`, (await node.process.stop()).code, 0);
}

await script('standings', async () => {
    await part('two nodes', twoNodes);
});
