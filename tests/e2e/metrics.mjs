// What a node counts, as a real Prometheus sees it: the numbers are the miner's and the coin's own,
// rules and dashboard of docs/monitoring name nothing that a node does not tell, every stage is
// timed, and alerts fire when the daemon is killed.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf } from './lib/addresses.mjs';
import { Cluster } from './lib/cluster.mjs';
import { Devchain } from './lib/daemons.mjs';
import { Prometheus, checkMetrics, httpText, promtool, readMetrics } from './lib/prometheus.mjs';
import { StratumConnection } from './lib/stratum.mjs';
import { TOP, folder, freePort } from './lib/processes.mjs';
import { newPool, shoal } from './lib/shoal.mjs';
import { check, checkEqual, checkReached, part, script, waitFor } from './lib/checks.mjs';

const MONITORING = join(TOP, 'docs/monitoring');
const HASHRATE = 500000;
const BLOCKS = 3;
const METRIC = /\b(?:shoal|process)_\w+(?:\{[^}]*\})?/g; // with the labels it is chosen by

// ---- What is written down

function readText(name) {
    return readFileSync(join(MONITORING, name), 'utf8');
}

// Expressions of the dashboard, for all nodes.
function expressionsOf(dashboard) {
    const all = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    return [...all, ...dashboard.annotations.list.map(({ expr }) => expr)].map((expression) =>
        expression.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s'));
}

// The rules, but for how long they wait.
function hastyRules() {
    const path = join(folder('prometheus'), 'alerts.yml');
    writeFileSync(path, readText('alerts.yml').replace(/^( *for:) .*$/gm, '$1 1s'));
    return path;
}

async function judgeFiles() {
    const rules = await promtool('check', 'rules', join(MONITORING, 'alerts.yml'));
    check('promtool takes the rules', rules.code === 0,
          `${rules.error}; is it there? tests/support/install e2e`);
    const tests = await promtool('test', 'rules', join(MONITORING, 'alerts_test.yml'));
    check('the alerts pass their own tests', tests.code === 0, tests.out + tests.error);
    const config = await promtool('check', 'config', join(MONITORING, 'prometheus.yml'));
    check('promtool takes the example of a configuration', config.code === 0, config.error);
    const names = [...readText('alerts.yml').matchAll(/alert: (\w+)/g)].map(([, name]) => name);
    const tested = readText('alerts_test.yml');
    const untested = names.filter((name) => !tested.includes(`alertname="${name}"`));
    check(`each of ${names.length} alerts has a test`, names.length > 0 && untested.length === 0,
          untested.join());
}

// ---- A pool that is watched

class Watched {
    async begin() {
        this.daemon = await Devchain.make('metrics-devchain',
            ['--hashrate', '1M', '--spacing', '1', '--data', folder('metrics-coin')]);
        await this.daemon.start();
        this.pool = await newPool('metrics-pool', {
            chain: 'devchain', daemon: this.daemon.url, 'link-spacing': 1, 'half-life': 60,
            'easiest-bits': '1e200000', 'grains-per-link': 10 });
        this.cluster = new Cluster('metrics-node', this.daemon, this.pool);
        this.ports = [await freePort(), await freePort()];
        await this.startNodes();
        const [port, privatePort] = this.ports;
        this.prometheus = await Prometheus.start('prometheus-server',
            [{ port }, { port: privatePort, token: this.token }], { rules: [hastyRules()] });
        this.first = `instance="127.0.0.1:${this.ports[0]}"`;
    }

    // The second node shows nothing to strangers.
    async startNodes() {
        const { cluster } = this;
        for (const [i, port] of this.ports.entries()) {
            const node = await cluster.add({ 'http-listen': `127.0.0.1:${port}`,
                                             'http-public': 1 - i });
            await node.start();
            cluster.seed ??= (await node.report('dht')).own.seed;
        }
        await cluster.waitForLinks(1, 30);
        [this.node] = cluster.nodes;
        const made = await shoal('token', 'create', '--role', 'viewer', '--label', 'prometheus',
                                 '--data', cluster.nodes[1].data);
        [this.token] = /shoal_\w+/.exec(made.out) ?? [`none: ${made.error}`];
    }

    // A series of the first node.
    number(name, labels = '') {
        const more = labels === '' ? '' : `,${labels}`;
        return this.prometheus.number(`${name}{${this.first}${more}}`);
    }

    async scrape() {
        return (await httpText(this.ports[0], '/metrics')).body;
    }
}

// A submit for a job that never was, by a connection of its own.
async function submitNonsense({ node, pool }) {
    const connection = new StratumConnection(node.port);
    const { address } = addressOf(pool.chain, 'p2tr', 'nonsense');
    await connection.open();
    await connection.ask('mining.subscribe', ['metrics/1']);
    await connection.ask('mining.authorize', [`${address}.nonsense`, 'x']);
    const answer = await connection.ask('mining.submit',
        [`${address}.nonsense`, 'ffffffff', '0000000000000000', '00000000', '00000000'])
        .catch((error) => ({ error }));
    connection.close();
    return answer;
}

// ---- The parts

async function judgeText(watched) {
    const { status, type, body } = await httpText(watched.ports[0], '/metrics');
    checkEqual('/metrics answers', status, 200);
    checkEqual('in the text format', type, 'text/plain; version=0.0.4; charset=utf-8');
    const told = await checkMetrics('node', body);
    check('promtool has nothing to say about it', told.code === 0 && told.error + told.out === '',
          told.error + told.out);
    const secret = await httpText(watched.ports[1], '/metrics');
    check('a node that is not public wants a token', secret.status === 401 &&
          !secret.body.includes('shoal_build_info'), `${secret.status}`);
    await checkReached('Prometheus shows its token and reads both', 15, async () =>
        await watched.prometheus.number('sum(up{job="shoal"})') === 2);
    const series = Object.values(readMetrics(body)).flatMap(({ samples }) => samples);
    check(`${series.length} series, none with an address, a user or a peer`,
          series.length < 1000 && !body.includes('127.0.0.1') && !body.includes('behind1'));
}

// The miner has stopped, so its last word is final; what was on its way then may be counted here.
async function judgeShares(watched) {
    const [miner] = watched.cluster.miners;
    await miner.process.stop();
    const { accepted, unanswered, rejected } = miner.report();
    watched.cluster.miners = [];
    await submitNonsense(watched);
    const counted = await checkReached('Prometheus has the miner\'s count of accepted shares', 15,
        async () => {
            const number = await watched.number('shoal_shares_total', 'verdict="accepted"');
            return number >= accepted && number <= accepted + unanswered ? number : null;
        });
    await checkReached(`of rejected ones, too: ${counted} and ${rejected}`, 15, async () => {
        const number = await watched.prometheus.number(
            `sum(shoal_shares_total{verdict!="accepted",${watched.first}})`);
        return counted > 50 && number >= rejected + 1 && number <= rejected + 1 + unanswered;
    });
    await checkReached('a submit for a job that never was is counted by its reason', 15,
        async () => await watched.number('shoal_shares_total', 'verdict="job_unknown"') === 1);
    await checkReached('connections that came are those that ended', 15, async () => {
        const ended = await watched.prometheus.number(
            `sum(shoal_sessions_closed_total{${watched.first}})`);
        return await watched.number('shoal_sessions', 'state="connected"') === 0 && ended >= 2 &&
               await watched.number('shoal_connections_total') === ended;
    });
    await checkReached('every answer was timed', 15, async () => {
        const timed = await watched.number('shoal_submit_answer_seconds_count');
        return timed >= accepted + rejected + 1 && timed <= accepted + rejected + unanswered + 1;
    });
}

async function judgeBlocks(watched) {
    await checkReached('requests of Prometheus itself are counted', 15, async () =>
        await watched.number('shoal_http_requests_total') > 3);
    const { rpc } = watched.daemon;
    await checkReached('blocks found are those of the coin', 15, async () =>
        await watched.number('shoal_blocks_found_total') === await rpc.call('getblockcount') &&
        await watched.number('shoal_blocks', 'fate="accepted"') ===
            await rpc.call('getblockcount') &&
        await watched.number('shoal_daemon_height', 'daemon="1"') ===
            await rpc.call('getblockcount'));
    await checkReached('the share-chain is the one of `shoal status`', 15, async () => {
        const { tip } = await watched.node.report('status');
        return await watched.number('shoal_chain_height') === tip.height && tip.height > 0;
    });
    await checkReached('both nodes are at the same height', 15, async () => {
        const [one, other] = await watched.prometheus.query('shoal_chain_height');
        return one.value === other.value;
    });
    await checkReached('shares sent by the one are those received by the other', 15, async () => {
        const sent = await watched.number('shoal_peer_messages_sent_total', 'type="share"');
        const received = await watched.prometheus.query('shoal_gossip_shares_total{copy="first"}');
        const links = await watched.number('shoal_peer_messages_sent_total', 'type="link"');
        return sent > 0 && received.some(({ value }) => value === sent + links);
    });
}

// Histograms by stage, those without one as they are.
async function judgeStages(watched) {
    const all = Object.entries(readMetrics(await watched.scrape()))
        .filter(([, { kind }]) => kind === 'histogram');
    check(`${all.length} histograms`, all.length >= 6);
    for (const [name] of all) {
        const counts = await watched.prometheus.query(`${name}_count{${watched.first}}`);
        check(`${name} was observed at each of ${counts.length} stages`, counts.length > 0 &&
              counts.every(({ value }) => value > 0), JSON.stringify(counts));
    }
    const stage = (name, label) =>
        watched.number(`shoal_${name}_seconds_sum`, label).then((sum) => sum ?? NaN);
    const made = await stage('new_block', 'stage="work_made"');
    const last = await stage('new_block', 'stage="last_notified"');
    check('a block takes part of a second to the last miner', made > 0 && last > 0 && last < 5,
          `${made} ${last}`);
    const answers = await stage('submit_answer', '');
    const commits = await stage('store_commit', '');
    check('answers waited for the disk', answers > commits / 10, `${answers} ${commits}`);
}

// The series that expressions look at, and those of them that are not there.
async function missingOf(prometheus, expressions) {
    const selectors = new Set(expressions.flatMap((expression) => expression.match(METRIC) ?? []));
    const missing = [];
    for (const selector of selectors)
        if ((await prometheus.query(selector)).length === 0)
            missing.push(selector);
    return { count: selectors.size, missing };
}

async function judgeNames(watched) {
    const { prometheus } = watched;
    const { groups } = await prometheus.ask('rules');
    const rules = groups.flatMap(({ rules: its }) => its);
    const alerts = await missingOf(prometheus, rules.map(({ query }) => query));
    check(`the node tells all ${alerts.count} series that alerts look at`, alerts.count > 20 &&
          alerts.missing.length === 0, alerts.missing.join(' '));
    const expressions = expressionsOf(JSON.parse(readText('dashboard.json')));
    const dashboard = await missingOf(prometheus, expressions);
    check(`the node tells all ${dashboard.count} series that the dashboard shows`,
          dashboard.count > 50 && dashboard.missing.length === 0, dashboard.missing.join(' '));
    const empty = [];
    for (const expression of expressions) // those with a threshold may have nothing to show
        if ((await prometheus.query(expression)).length === 0 && !/[<>]/.test(expression))
            empty.push(expression);
    check(`${expressions.length} expressions of the dashboard show something`, empty.length === 0,
          empty.join('\n'));
    const broken = rules.filter(({ health }) => health !== 'ok');
    check(`${rules.length} rules are evaluated`, broken.length === 0, JSON.stringify(broken));
}

async function judgeAlerts(watched) {
    const { prometheus, daemon, cluster } = watched;
    const expected = ['ShoalNoDaemon', 'ShoalDaemonDown', 'ShoalNodeDown'];
    const before = (await prometheus.firing()).filter((name) => expected.includes(name));
    check('while all is well nothing of it fires', before.length === 0, before.join());
    await daemon.process.kill();
    await checkReached('the daemon is killed: alerts fire', 25, async () => {
        const firing = await prometheus.firing();
        return firing.includes('ShoalNoDaemon') && firing.includes('ShoalDaemonDown');
    });
    check('the node says so, too', await watched.number('shoal_daemons', 'state="down"') === 1 &&
          await watched.number('shoal_daemon_failures_total', 'daemon="1"') > 0);
    await cluster.nodes[1].process.kill();
    await checkReached('a node is killed: an alert fires', 15, async () =>
        (await prometheus.firing()).includes('ShoalNodeDown'));
}

await script('metrics', async () => {
    await part('files', judgeFiles);
    const watched = new Watched();
    await watched.begin();
    watched.cluster.mineBehind(0, HASHRATE);
    await waitFor(`${BLOCKS} blocks`, 30, async () =>
        await watched.daemon.rpc.call('getblockcount') >= BLOCKS &&
        (await watched.node.report('status')).stratum.shares.accepted > 60);
    await part('text', () => judgeText(watched));
    await part('names', () => judgeNames(watched));
    await part('shares', () => judgeShares(watched));
    await part('blocks', () => judgeBlocks(watched));
    await part('stages', () => judgeStages(watched));
    await part('alerts', () => judgeAlerts(watched));
});
