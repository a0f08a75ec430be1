// What goes wrong around a node: daemons that hang, answer nonsense, vanish or serve another chain,
// a full disk, a restart, and clients that do not speak Stratum. The node must say what is wrong,
// never serve stale work for longer than a minute, and go on when it is over. Most of it is
// waiting, so the parts run side by side.
import { Devchain } from './lib/daemons.mjs';
import { Node, newPool } from './lib/shoal.mjs';
import { folder } from './lib/processes.mjs';
import { StratumConnection, StratumMiner, timeToFirstJob } from './lib/stratum.mjs';
import { SmallDisk } from './lib/small_disk.mjs';
import { addressOf } from './lib/addresses.mjs';
import { heldShares } from './lib/referee.mjs';
import { check, checkEqual, checkReached, part, say, script, skip, sleep, waitFor, within }
    from './lib/checks.mjs';

const UNSAFE_S_MAX = 60; // stale work is never served for longer
const MARGIN_S = 8;      // of a busy machine
const HARD_BITS = '1d00ffff'; // nobody here ever finds a block
const EASY_BITS = '1f00ffff'; // 65 thousand hashes
const ADDRESS = addressOf('devchain', 'p2wpkh', 'failures').address;

async function poolOn(daemon, keys = {}) {
    return newPool(`${daemon.name}-pool`, {
        chain: daemon.chain, daemon: daemon.url, 'link-spacing': 1, 'half-life': 60,
        'easiest-bits': '1f0fffff', 'grains-per-link': 20, ...keys,
    });
}

// A daemon, a node on it, and a miner who is connected.
async function begin(name, options = ['--bits', HARD_BITS], flags = {}) {
    const daemon = await Devchain.make(`${name}-daemon`, options);
    await daemon.start();
    const pool = await poolOn(daemon);
    const node = await Node.make(`${name}-node`, pool, [daemon.url], flags);
    node.launch();
    await timeToFirstJob(node.port, ADDRESS, 20);
    return { daemon, pool, node };
}

async function connectMiner(node, hashesPerSecond = 100) {
    const miner = new StratumMiner(node.port, { user: ADDRESS, hashesPerSecond });
    await miner.connect();
    return miner;
}

async function isRefused(node) {
    const connection = new StratumConnection(node.port);
    const subscribed = connection.open().then(() => connection.ask('mining.subscribe', ['late/1']));
    const answered = await within(5, 'a refusal', subscribed.then(() => true, () => false));
    connection.close();
    return !answered;
}

// ---- Daemons

const FAULTS = [
    { fault: 'hang', says: 'no answer from' },
    { fault: 'garbage', says: 'is no JSON-RPC' },
    { fault: 'error500', says: 'is no JSON-RPC (HTTP 500)' },
    { fault: 'empty', says: 'answers with nothing (HTTP 200)' },
    { fault: 'warmup', says: 'is starting' },
    { fault: 'other-chain', says: 'serves the chain "main", but this pool is on devchain' },
];

async function daemonFault({ fault, says }) {
    const { daemon, node } = await begin(`fault-${fault}`);
    const miner = await connectMiner(node);
    const { connection } = miner;
    const from = Date.now();
    await daemon.fault(fault);
    const said = await node.logged({ event: 'a daemon cannot be used', problem: says }, 30);
    check(`${fault}: the node says "${said.problem}"`, said.problem.includes(daemon.url));
    await waitFor('the miner to be sent away', UNSAFE_S_MAX + MARGIN_S, () => connection.isClosed);
    const seconds = (connection.closedAt - from) / 1000;
    check(`${fault}: the miner is sent away after ${seconds.toFixed(1)} s`,
          seconds <= UNSAFE_S_MAX + MARGIN_S);
    check(`${fault}: who comes now is refused`, await isRefused(node));
    const [view] = (await node.report('daemons')).daemons;
    check(`${fault}: shoal daemons shows it`, view.error.includes(says),
          JSON.stringify(view));
    await daemon.fault('off');
    const ms = await timeToFirstJob(node.port, ADDRESS, 60);
    check(`${fault}: work again ${ms} ms after the daemon came back`, ms <= 45000);
    await node.process.stop();
    await daemon.process.kill();
}

async function wrongChain() {
    const right = await Devchain.make('wrong-right', ['--bits', HARD_BITS]);
    await right.start();
    const pool = await poolOn(right);
    const wrong = await Devchain.make('wrong-daemon', ['--scrypt', '--bits', HARD_BITS]);
    await wrong.start();
    const node = await Node.make('wrong-node', pool, [wrong.url]);
    node.launch();
    const said = await node.logged({ event: 'a daemon cannot be used' }, 10);
    check(`wrong chain: the node says "${said.problem}"`,
          said.problem.includes('serves the chain "devchain-scrypt"') &&
          said.problem.includes('correct the url or the pool file'));
    check('wrong chain: nobody is served', await isRefused(node));
    // The right chain by name, but another one: its headers do not lead to the anchor.
    const other = await Devchain.make('wrong-other', ['--bits', HARD_BITS, '--genesis-time',
                                                      '1700000000']);
    await other.start();
    const lost = await Node.make('wrong-lost', pool, [other.url]);
    lost.launch();
    const event = await lost.logged({ level: 'error', what_to_do: 'check the pool file' }, 15);
    check(`wrong genesis: the node says "${event.event}"`, event.event.includes('anchor'));
    check('wrong genesis: nobody is served', await isRefused(lost));
}

async function lateDaemon() {
    const daemon = await Devchain.make('late-daemon', ['--bits', HARD_BITS]);
    await daemon.start();
    const pool = await poolOn(daemon);
    await daemon.process.kill();
    const node = await Node.make('late-node', pool, [daemon.url]);
    node.launch();
    const said = await node.logged({ event: 'a daemon cannot be used' }, 10);
    check(`late daemon: the node starts and says "${said.problem}"`,
          said.problem.includes('nobody listens at') && said.problem.includes('start devchain'));
    check('late daemon: nobody is served yet', await isRefused(node));
    await daemon.start();
    const ms = await timeToFirstJob(node.port, ADDRESS, 60);
    check(`late daemon: work ${ms} ms after it has started`, ms <= 45000);
}

async function failOver() {
    const [first, second] = await Promise.all(['over-first', 'over-second'].map((name) =>
        Devchain.make(name, ['--bits', EASY_BITS])));
    await first.start();
    await second.start();
    const pool = await poolOn(first);
    const node = await Node.make('over-node', pool, [first.url, second.url]);
    await node.start();
    const miner = await connectMiner(node);
    const active = async () => (await node.report('status')).daemons.active;
    check('fail-over: the first daemon is preferred', (await active()).startsWith(first.url));
    await first.process.kill();
    await checkReached('fail-over: the second daemon is used when the first is away', 30,
        async () => (await active())?.startsWith(second.url));
    await first.start();
    await waitFor('the first daemon to be seen again', 40, async () =>
        (await node.report('daemons')).daemons[0].state === 'ready');
    await second.process.kill();
    await checkReached('fail-over: the first daemon is used again when the second is away', 30,
        async () => (await active())?.startsWith(first.url));
    check('fail-over: the miner noticed nothing', !miner.connection.isClosed);
    await second.start();
    await waitFor('the second daemon to be seen again', 40, async () =>
        (await node.report('daemons')).daemons[1].state === 'ready');
    miner.options.hashesPerSecond = 30000;
    miner.mine().catch(() => {});
    await waitFor('a block', 60, async () => (await node.report('blocks')).total > 0);
    miner.stop();
    await sleep(500);
    const tips = await Promise.all([first, second].map(({ rpc }) => rpc.call('getblockhash', 1)));
    checkEqual('fail-over: a block goes to both daemons', tips[0], tips[1]);
}

// ---- Disk and restart

const known = (miner) => miner.accepted().filter((share) =>
    share.pow <= share.target * 98n / 100n);

async function fullDisk() {
    const disk = SmallDisk.make('full', 12);
    if (disk.problem !== '') {
        skip('a full disk', disk.problem);
        return;
    }
    try {
        await onFullDisk(disk);
    } finally {
        disk.remove();
    }
}

async function onFullDisk(disk) {
    const { node } = await begin('disk', ['--bits', HARD_BITS], { data: disk.path });
    const miner = new StratumMiner(node.port, { user: ADDRESS, hashesPerSecond: 4000,
                                                password: 'd=0.000002' });
    const run = miner.run();
    await waitFor('shares', 20, () => miner.accepted().length > 20);
    disk.fill();
    const said = await node.logged({ level: 'error', part: 'store' }, 60);
    check(`full disk: the node says "${said.event}: ${said.problem ?? said.reason ?? ''}"`,
          /full/.test(JSON.stringify(said)));
    checkEqual('full disk: shoal status shows it', (await node.report('status')).store.health,
               'disk_full');
    const before = miner.accepted().length;
    await waitFor('shares to be accepted on a full disk', 30, () =>
        miner.accepted().length > before + 20);
    check('full disk: miners are served, their shares answered', !miner.connection.isClosed);
    disk.empty();
    await waitFor('the store to be healthy again', 30, async () => {
        const { store } = await node.report('status');
        return store.health === 'healthy' && store.pending_bytes === 0;
    });
    await within(20, 'a share', miner.nextAccepted());
    await node.process.kill();
    miner.stop();
    await run;
    node.launch();
    await timeToFirstJob(node.port, ADDRESS, 20);
    const held = await heldShares(node);
    const lost = known(miner).filter(({ id }) => !held.all.has(id));
    check(`full disk: after kill -9 all ${known(miner).length} grains are there, those of the ` +
          'full disk as well', lost.length === 0 && known(miner).length > 40,
          `${lost.length} are lost`);
    await node.process.kill();
}

async function restart() {
    const { node } = await begin('restart');
    const miner = new StratumMiner(node.port, { user: ADDRESS, hashesPerSecond: 4000,
                                                password: 'd=0.000002' });
    const run = miner.run();
    await waitFor('links', 30, async () => (await node.report('status')).tip.height >= 5);
    const asked = new Promise((done) => {
        const take = miner.connection.onMessage;
        miner.connection.onMessage = (message) => {
            if (message.method === 'client.reconnect')
                done(true);
            take(message);
        };
    });
    miner.isPaused = true;
    await sleep(1500); // answers on their way
    const before = await heldShares(node);
    const status = node.process.stop();
    check('restart: miners are told to reconnect', await within(20, 'client.reconnect', asked));
    checkEqual('restart: the node stops by itself', (await status).code, 0);
    const begun = Date.now();
    node.launch();
    await timeToFirstJob(node.port, ADDRESS, 20);
    say(`        restart: first job after ${Date.now() - begun} ms`);
    const after = await heldShares(node);
    checkEqual(`restart: the chain of ${before.links.length} links is the same`,
               after.links.at(-1)?.id, before.links.at(-1)?.id);
    checkEqual('restart: not a share more or less', [...after.all].sort().join(),
               [...before.all].sort().join());
    miner.isPaused = false;
    await checkReached('restart: the miner is back, with its shares accepted', 30, async () =>
        (await node.report('status')).tip.height > before.links.length);
    miner.stop();
    await run;
}

// A block that is found while the daemon is away, by a node that is killed before it is back.
async function keptBlock() {
    const daemon = await Devchain.make('kept-daemon', ['--bits', EASY_BITS, '--data',
                                                       folder('kept-coin')]);
    await daemon.start();
    const pool = await poolOn(daemon);
    const node = await Node.make('kept-node', pool, [daemon.url]);
    await node.start();
    const miner = await connectMiner(node, 30000);
    await daemon.process.kill();
    miner.mine().catch(() => {});
    await waitFor('a block that no daemon takes', 50, async () =>
        (await node.report('blocks')).total > 0);
    miner.stop();
    await within(10, 'an answer', miner.allAnswered());
    await node.process.kill();
    await daemon.start();
    await node.start();
    await checkReached('kept block: a block found while the daemon was away, by a node that was ' +
        'killed, is in the chain', 30, async () => {
        const found = (await node.report('blocks')).blocks.map(({ id }) => id);
        return found.includes(await daemon.rpc.call('getblockhash', 1));
    });
    await checkReached('kept block: and its fate is known', 20, async () =>
        (await node.report('blocks')).blocks.some(({ fate, place }) =>
            fate === 'accepted' && place === 'in_chain'));
}

// ---- Clients that do not speak Stratum

const SUBSCRIBE = '{"id":1,"method":"mining.subscribe","params":["x/1"]}\n';
const AUTHORIZE = `{"id":2,"method":"mining.authorize","params":["${ADDRESS}","x"]}\n`;

// { name, bytes to send, the code of an error or whether the connection is closed }
const HOSTILE = [
    { name: 'a truncated line', text: '{"id":1,"method":"mining.subs', thenCloses: true },
    { name: 'a line without end', text: 'x'.repeat(20000), isClosed: true },
    { name: 'a long line after subscribe', isClosed: true,
      text: `${SUBSCRIBE}{"id":3,"method":"${'y'.repeat(20000)}"}\n` },
    { name: 'no JSON', text: 'hello\nworld\n'.repeat(20), isClosed: true },
    { name: 'bytes of all values', isClosed: true,
      text: `${Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')}\n`
          .repeat(40) },
    { name: 'HTTP', text: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', isClosed: true },
    { name: 'TLS', text: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', isClosed: true },
    { name: 'deep nesting', isClosed: true,
      text: `{"id":7,"method":"mining.subscribe","params":${'['.repeat(500)}${']'.repeat(500)}}\n`
          .repeat(30) },
    { name: 'submit before subscribe', code: 25,
      text: '{"id":9,"method":"mining.submit","params":["x","1","0000000000000000","0","0"]}\n' },
    { name: 'submit of an unknown job', code: 21,
      text: `${SUBSCRIBE}${AUTHORIZE}{"id":9,"method":"mining.submit","params":["${ADDRESS}",` +
        '"ffffff","0000000000000000","65000000","00000000"]}\n' },
    { name: 'submit with too few parameters', code: 20,
      text: `${SUBSCRIBE}${AUTHORIZE}{"id":9,"method":"mining.submit","params":["${ADDRESS}"]}\n` },
    { name: 'submit of what is no hex', code: 20,
      text: `${SUBSCRIBE}${AUTHORIZE}{"id":9,"method":"mining.submit","params":["${ADDRESS}",` +
        '"JOB","zz","65000000","00000000"]}\n' },
    { name: 'an unknown method', code: -3,
      text: '{"id":9,"method":"mining.nonsense","params":[]}\n' },
    { name: 'an address of another chain', code: 24, text: `${SUBSCRIBE}{"id":9,"method":` +
        '"mining.authorize","params":["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4","x"]}\n' },
];

async function hostileClient(node, { name, text, code, isClosed, thenCloses }) {
    const connection = new StratumConnection(node.port);
    const answers = [];
    let job = null;
    connection.onMessage = (message) => {
        answers.push(message);
        if (message.method === 'mining.notify')
            job = message.params[0];
    };
    await connection.open();
    if (text.includes('"JOB"')) {
        connection.write(SUBSCRIBE + AUTHORIZE);
        await waitFor('a job', 5, () => job !== null);
        connection.write(text.slice((SUBSCRIBE + AUTHORIZE).length).replace('JOB', job));
    } else {
        connection.write(text);
    }
    if (thenCloses) {
        await sleep(200);
        connection.close();
        return;
    }
    if (isClosed) {
        await waitFor(`${name} to be closed`, 15, () => connection.isClosed);
        return;
    }
    const answer = await waitFor(`${name} to be answered`, 10, () =>
        answers.find(({ id }) => id === 9));
    checkEqual(`stratum: ${name} is answered with error ${code}`, answer.error?.[0], code);
    connection.close();
}

// The same share twice, and one of a job before the last: the first of each is good.
async function duplicateShares(node) {
    const miner = await connectMiner(node, 3000);
    const { connection } = miner;
    miner.mine().catch(() => {});
    const share = await within(30, 'a share', miner.nextAccepted());
    miner.isPaused = true;
    const answer = await connection.ask('mining.submit', share.parameters);
    checkEqual('stratum: a share that was sent before is answered with error 22',
               answer.error?.[0], 22);
    const flood = await Promise.all(Array.from({ length: 50 }, () =>
        connection.ask('mining.submit', share.parameters).catch(() => null)));
    check('stratum: and so is each of fifty more, or the connection is closed',
          flood.every((one) => one === null || one.error !== null));
    miner.stop();
    connection.close();
}

// Some clients do so, and wait.
async function authorizeFirst(node) {
    const connection = new StratumConnection(node.port);
    const methods = [];
    connection.onMessage = (message) => methods.push(message.method ?? message.id);
    await connection.open();
    connection.write(`${AUTHORIZE}\r\n  \n${SUBSCRIBE}`);
    await checkReached('stratum: who authorizes before he subscribes is answered and served', 10,
        () => methods.includes(1) && methods.includes(2) && methods.includes('mining.notify'));
    connection.close();
}

async function hostileClients() {
    const { node } = await begin('stratum');
    const good = await connectMiner(node, 3000);
    good.mine().catch(() => {});
    await within(20, 'a share of the good miner', good.nextAccepted());
    for (const one of HOSTILE) {
        try {
            await hostileClient(node, one);
            if (one.code === undefined)
                check(`stratum: ${one.name} ends that connection and no other`,
                      !good.connection.isClosed);
        } catch (error) {
            check(`stratum: ${one.name}`, false, error.message);
        }
    }
    await authorizeFirst(node);
    await duplicateShares(node);
    const before = good.accepted().length;
    await waitFor('more shares of the good miner', 20, () => good.accepted().length > before + 2);
    const bad = good.shares.filter(({ answer }) => answer !== null && answer.result !== true);
    check(`stratum: the other miner had all ${good.accepted().length} shares accepted meanwhile`,
          bad.length === 0 && !good.connection.isClosed, JSON.stringify(bad[0]?.answer));
    good.stop();
}

async function firstJob() {
    const daemon = await Devchain.make('start-daemon', ['--bits', HARD_BITS]);
    await daemon.start();
    const pool = await poolOn(daemon);
    const node = await Node.make('start-node', pool, [daemon.url]);
    const begun = Date.now();
    node.launch();
    await timeToFirstJob(node.port, ADDRESS, 20);
    const ms = Date.now() - begun;
    say(`        from the start of a new node to a miner's first job: ${ms} ms`);
    await node.process.stop();
}

await script('failures', async () => {
    await part('first job', firstJob);
    await Promise.all([
        ...FAULTS.map((fault) => part(`fault ${fault.fault}`, () => daemonFault(fault))),
        part('wrong chain', wrongChain),
        part('late daemon', lateDaemon),
        part('fail-over', failOver),
        part('kept block', keptBlock),
        part('full disk', fullDisk),
        part('restart', restart),
        part('hostile clients', hostileClients),
    ]);
});
