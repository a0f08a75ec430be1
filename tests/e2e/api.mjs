// The HTTP server and its API, told everything that is wrong: every error, other sites' Host and
// Origin, bodies too large, requests in pieces and in heaps, junk, floods of connections; streams
// of events while miners mine, and TLS.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { addressOf } from './lib/addresses.mjs';
import { check, checkEqual, checkReached, part, script, sleep, waitFor } from './lib/checks.mjs';
import { Devchain } from './lib/daemons.mjs';
import { CpuMiner } from './lib/miner.mjs';
import { folder, freePort } from './lib/processes.mjs';
import { EventStream, RawConnection, RawWebSocket, ask } from './lib/raw_http.mjs';
import { Node, newPool, shoal } from './lib/shoal.mjs';

const CONNECTIONS_MAX = 256;
const FLOOD = 2000;
const BODY_MAX = 16384;

class World {
    async begin() {
        const options = ['--hashrate', '1M', '--spacing', '1', '--data', folder('api-coin')];
        this.daemon = await Devchain.make('api-devchain', options);
        await this.daemon.start();
        this.pool = await newPool('api-pool', {
            chain: 'devchain', daemon: this.daemon.url, 'link-spacing': 1, 'half-life': 60,
            'easiest-bits': '1e200000', 'grains-per-link': 10 });
        this.place = { port: await freePort() };
        this.node = await Node.make('api-node', this.pool, [this.daemon.url], {
            'http-listen': `127.0.0.1:${this.place.port}`, 'http-host': 'pool.example.org',
            'log-level': 'info' });
        await this.node.start();
    }

    mine(name) {
        const { address } = addressOf('devchain', 'p2wpkh', 'shoal api');
        return new CpuMiner(`api-miner-${name}`, this.node.port, [`${address}.${name}`], 300000);
    }

    async isServed() {
        return (await ask(this.place, { path: '/livez' }))?.status === 200;
    }
}

// ---- Requests

function judgeProblem(name, answer, status, pattern = /./) {
    let problem = {};
    try {
        problem = JSON.parse(answer.body);
    } catch { /* is shown */ }
    check(name, answer?.status === status && problem.status === status &&
          answer.headers['content-type'] === 'application/problem+json' &&
          pattern.test(problem.detail ?? ''),
          `${answer?.status} ${answer?.body.slice(0, 300)}`);
}

async function judgeErrors({ place }) {
    const wrong = [
        ['an unknown path', { path: '/api/v1/nothing' }, 404, /openapi/],
        ['a file that is not there', { path: '/../etc/passwd' }, 404, /dashboard/],
        ['an unknown parameter', { path: '/api/v1/links?colour=red' }, 400, /limit/],
        ['a malformed parameter', { path: '/api/v1/links?limit=many' }, 400, /from 1 to/],
        ['a parameter that is too large', { path: '/api/v1/links?limit=501' }, 400, /500/],
        ['a parameter given twice', { path: '/api/v1/links?limit=1&limit=2' }, 400, /once/],
        ['an id that is none', { path: '/api/v1/blocks/xyz' }, 400, /64 hex/],
        ['a zero in a query', { path: '/api/v1/links?limit=%00' }, 400, /limit/],
        ['a method that is not taken', { method: 'POST', path: '/api/v1/links' }, 405, /GET/],
        ['a method that nobody knows', { method: 'BREW', path: '/api/v1/links' }, 405, /GET/],
        ['a page that is posted to', { method: 'PUT', path: '/' }, 405, /GET/],
        ['a body where none is wanted', { path: '/api/v1/links', body: '{}' }, 400, /body/],
        ['another Host', { headers: { Host: 'evil.example' } }, 403, /http-host/],
        ['a Host with a name in front', { headers: { Host: '127.0.0.1.evil.example' } }, 403,
            /Host/],
        ['a Host with a user', { headers: { Host: 'a@127.0.0.1' } }, 403, /Host/],
        ['no Host', { headers: { Host: null } }, 400, /Host/],
        ['a change from another site', { method: 'POST', path: '/api/v1/links',
            headers: { Origin: 'http://evil.example' } }, 403, /Origin/],
        ['a change from nowhere', { method: 'DELETE', path: '/api/v1/links',
            headers: { Origin: 'null' } }, 403, /Origin/],
        ['a body in chunks', { method: 'POST', path: '/api/v1/links',
            headers: { 'Transfer-Encoding': 'chunked' } }, 411, /Content-Length/],
        ['a length that is none', { method: 'POST', path: '/api/v1/links',
            headers: { 'Content-Length': '-1' } }, 400, /Content-Length/],
        ['a path that is too long', { path: `/${'x'.repeat(2100)}` }, 414, /2048/],
        ['a head that is too large', { headers: { X: 'x'.repeat(9000) } }, 431, /8192/],
        ['too many fields', { headers: Object.fromEntries(Array.from({ length: 70 },
            (_, i) => [`X-${i}`, 'y'])) }, 431, /64/],
        ['events as HTML', { path: '/api/v1/events', headers: { Accept: 'text/html' } }, 406,
            /event-stream/],
        ['events of no kind', { path: '/api/v1/events?kinds=link,gossip',
            headers: { Accept: 'text/event-stream' } }, 400, /miner_up/],
    ];
    for (const [name, request, status, pattern] of wrong)
        judgeProblem(`refused: ${name}`, await ask(place, request), status, pattern);
    const { headers } = await ask(place, { method: 'POST', path: '/api/v1/links' });
    checkEqual('a 405 says what is allowed', headers.allow, 'GET, HEAD');
}

async function judgeHosts({ place }) {
    for (const host of ['localhost', 'LOCALHOST:1', '[::1]:8080', '192.0.2.1', 'pool.example.org',
                        'Pool.Example.Org:443']) {
        const answer = await ask(place, { path: '/livez', headers: { Host: host } });
        checkEqual(`served as ${host}`, answer.status, 200);
    }
}

async function judgeStrictness({ place }) {
    for (const path of ['/', '/api/v1/status', '/api/v1/nothing']) {
        const { headers } = await ask(place, { path });
        const policy = headers['content-security-policy'] ?? '';
        check(`${path} comes with strict headers`,
              policy.includes("default-src 'none'") && policy.includes("frame-ancestors 'none'") &&
              !policy.includes('unsafe') && headers['x-content-type-options'] === 'nosniff' &&
              headers['referrer-policy'] === 'no-referrer' &&
              headers['cross-origin-opener-policy'] === 'same-origin' &&
              headers['cross-origin-resource-policy'] === 'same-origin' &&
              headers['access-control-allow-origin'] === undefined, JSON.stringify(headers));
    }
}

async function judgeCaching({ place }) {
    const first = await ask(place, { path: '/style.css' });
    const { etag } = first.headers;
    const again = await ask(place, { path: '/style.css', headers: { 'If-None-Match': etag } });
    check('a file that is known is not sent again', /^"[0-9a-f]+"$/.test(etag) &&
          again.status === 304 && again.body === '' && again.headers.etag === etag);
    const weak = await ask(place, { path: '/style.css',
                                    headers: { 'If-None-Match': `"x", W/${etag}` } });
    checkEqual('nor where it stands in a list', weak.status, 304);
    const other = await ask(place, { path: '/style.css', headers: { 'If-None-Match': '"x"' } });
    checkEqual('another one is', other.status, 200);
    const packed = await ask(place, { path: '/style.css',
                                      headers: { 'Accept-Encoding': 'br, gzip' } });
    check('who takes gzip gets it, with a tag of its own',
          packed.headers['content-encoding'] === 'gzip' && packed.headers.etag !== etag &&
          gunzipSync(packed.bytes).equals(first.bytes) &&
          packed.headers.vary === 'accept-encoding');
    const plain = await ask(place, { path: '/style.css',
                                     headers: { 'Accept-Encoding': 'gzip;q=0, br' } });
    checkEqual('who does not, does not', plain.headers['content-encoding'], undefined);
    const head = await ask(place, { method: 'HEAD', path: '/style.css' });
    check('HEAD has the head of GET', head.status === 200 && head.body === '' &&
          head.headers['content-length'] === first.headers['content-length']);
    const document = await ask(place, { path: '/api/v1/luck' });
    const known = await ask(place, { path: '/api/v1/luck',
                                     headers: { 'If-None-Match': document.headers.etag } });
    check('a document has a tag, too',
          document.status === 200 && [200, 304].includes(known.status));
}

// ---- Bytes

async function judgeBodies({ place }) {
    const post = (size) => ask(place, { method: 'POST', path: '/api/v1/links',
        headers: { 'Content-Type': 'application/json', 'Content-Length': String(size) },
        body: 'x'.repeat(Math.min(size, 2 * BODY_MAX)) });
    checkEqual('a body of 16 384 bytes is read', (await post(BODY_MAX)).status, 405);
    const large = await post(BODY_MAX + 1);
    judgeProblem('one byte more is not', large, 413, /16384/);
    checkEqual('and ends the connection', large.headers.connection, 'close');
    judgeProblem('nor is one that is announced', await post(4e9), 413, /16384/);
    const raw = await RawConnection.open(place);
    raw.write('POST /api/v1/links HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n' +
              'Content-Length: 2\r\n\r\n');
    checkEqual('who asks before sending a body is told to', (await raw.answer()).status, 100);
    raw.write('{}');
    checkEqual('and answered after it', (await raw.answer()).status, 405);
    raw.close();
}

async function judgePieces({ place }) {
    const text = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const slow = await RawConnection.open(place);
    for (const byte of text) {
        slow.write(byte);
        await sleep(1);
    }
    checkEqual('a request byte by byte', (await slow.answer()).status, 200);
    slow.write(`${text.repeat(500)}GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n${text}`);
    let count = 0;
    let last = await slow.answer();
    while (last?.body === 'alive\n') {
        count++;
        last = await slow.answer();
    }
    check('500 requests at once are answered in order, then HTTP/1.0 ends it',
          count === 500 && last?.headers.connection === 'close' && await slow.ends(),
          `${count}, then ${last?.status}`);
    const half = await RawConnection.open(place);
    half.write(text.slice(0, 20));
    half.socket.end();
    check('half a request and an end gets nothing',
          await half.ends() && half.received.length === 0);
    for (const junk of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\0'.repeat(9000),
                        'GET / HTTP/1.1\nHost: localhost\n\n', '\r\n'.repeat(5000)]) {
        const raw = await RawConnection.open(place);
        raw.write(Buffer.from(`${junk}\r\n\r\n`, 'latin1'));
        const answer = await raw.answer();
        check(`junk is refused: ${JSON.stringify(junk.slice(0, 12))}`,
              answer === null || (answer.status >= 400 && answer.headers.connection === 'close'),
              String(answer?.status));
        raw.close();
    }
}

function processorSeconds(node) {
    const fields = readFileSync(`/proc/${node.process.child.pid}/stat`, 'utf8').split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
}

// What made the server before this one turn at full speed for as long as the client liked.
async function judgeDeafClient({ place, node }) {
    const raw = await RawConnection.open(place);
    raw.socket.pause();
    for (let i = 0; i < 2000; i++)
        raw.write('GET /d3.js HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await sleep(500);
    const began = processorSeconds(node);
    await sleep(3000);
    const used = processorSeconds(node) - began;
    check('a client that asks and does not read costs no time', used < 1.5, `${used} s of 3`);
    raw.close();
}

async function judgeFlood(world) {
    const { place } = world;
    const raws = [];
    for (let i = 0; i < FLOOD; i += 100) {
        raws.push(...await Promise.all(Array.from({ length: 100 },
            () => RawConnection.open(place))));
    }
    await waitFor('most connections to be refused', 20,
                  () => raws.filter(({ isClosed }) => !isClosed).length <= CONNECTIONS_MAX);
    const open = raws.filter(({ isClosed }) => !isClosed);
    check(`of ${FLOOD} connections at most ${CONNECTIONS_MAX} stay`,
          open.length > CONNECTIONS_MAX / 2 && open.length <= CONNECTIONS_MAX, `${open.length}`);
    open[0].write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    checkEqual('those are served', (await open[0].answer())?.status, 200);
    await checkReached('who says nothing is dropped after a while', 25,
                       () => open.slice(1).every(({ isClosed }) => isClosed));
    for (const raw of raws)
        raw.close();
    await checkReached('then everybody is served again', 20, () => world.isServed());
}

// ---- Streams

async function judgeEvents({ place }) {
    const stream = await EventStream.open(place, '/api/v1/events');
    checkEqual('a stream of events begins', stream.head.status, 200);
    checkEqual('as such', stream.head.headers['content-type'], 'text/event-stream');
    for (const kind of ['status', 'share', 'grain', 'link', 'job', 'block'])
        await checkReached(`tells of a ${kind}`, 30,
                           () => stream.events().some(({ event }) => event === kind));
    const events = stream.events();
    check('an event names itself as its line does', events.every(({ id, event, data }) =>
        data.event === event && String(data.number) === id && data.at > 1.6e12));
    const middle = events[Math.floor(events.length / 2)];
    stream.close();
    const later = await EventStream.open(place, '/api/v1/events', { 'Last-Event-ID': middle.id });
    await waitFor('what was missed', 20, () => later.events().length >= events.length / 2);
    const wanted = events.filter(({ id }) => Number(id) > Number(middle.id)).map(({ id }) => id);
    const got = later.events().map(({ id }) => id);
    check('a reader that comes back gets what it missed, in order and once',
          wanted.every((id, i) => got[i] === id), `${got.slice(0, 5)}, not ${wanted.slice(0, 5)}`);
    later.close();
    const late = await EventStream.open(place, '/api/v1/events', { 'Last-Event-ID': '17' });
    await waitFor('a first event', 20, () => late.events().length > 0);
    checkEqual('one that comes too late is told so', late.events()[0].event, 'missed');
    late.close();
    judgeProblem('a number that is none is refused', await ask(place, { path: '/api/v1/events',
        headers: { Accept: 'text/event-stream', 'Last-Event-ID': 'x' } }), 400, /Last-Event-ID/);
}

async function judgeSocket({ place }, world) {
    const socket = await RawWebSocket.open(place, '/api/v1/events?kinds=status,share');
    check('a WebSocket is accepted', socket.isAccepted, JSON.stringify(socket.head));
    await checkReached('and tells', 20, () => socket.events().length >= 6);
    const kinds = new Set(socket.events().map(({ event }) => event));
    check('what was chosen', [...kinds].every((kind) => ['status', 'share'].includes(kind)),
          [...kinds].join());
    check('in frames without a mask', socket.frames().every(({ isMasked }) => !isMasked));
    socket.send(9, 'are you there?');
    await checkReached('a ping is answered', 20,
        () => socket.frames().some(({ kind, text }) => kind === 10 && text === 'are you there?'));
    socket.send(1, 'x'.repeat(1000));
    socket.send(8, '\x03\xe8');
    await checkReached('a close is answered', 20,
                       () => socket.frames().some(({ kind }) => kind === 8));
    check('and ends it', await socket.raw.ends());
    const { number } = socket.events()[0];
    const later = await RawWebSocket.open(place, `/api/v1/events?kinds=status&after=${number}`);
    await checkReached('"after" is its Last-Event-ID', 20,
                       () => later.events().some((event) => event.number > number));
    const up = await RawWebSocket.open(place, '/api/v1/events?kinds=miner_up,miner_down');
    const miner = world.mine('new');
    await checkReached('a miner that comes is told', 20,
        () => up.events().some(({ event, worker }) => event === 'miner_up' && worker === 'new'));
    await miner.process.stop();
    await checkReached('and one that goes', 20, () => up.events().some((gone) =>
        gone.event === 'miner_down' && gone.worker === 'new' && gone.reason.length > 0));
    up.close();
    later.close();
}

async function judgeBadSockets(world) {
    const { place } = world;
    const path = '/api/v1/events';
    const refused = [
        ['another Origin', path, { Origin: 'https://evil.example' }, 403],
        ['another Host', path, { Host: 'evil.example' }, 403],
        ['another version', path, { 'Sec-WebSocket-Version': '8' }, 426],
        ['no key', path, { 'Sec-WebSocket-Key': 'short' }, 400],
        ['another path', '/api/v1/nothing', {}, 404],
    ];
    for (const [name, where, headers, status] of refused) {
        const socket = await RawWebSocket.open(place, where, headers);
        checkEqual(`no WebSocket with ${name}`, socket.head?.status, status);
        socket.close();
    }
    const own = await RawWebSocket.open(place, path,
                                        { Origin: `http://127.0.0.1:${place.port}` });
    check('one with our own Origin is', own.isAccepted);
    own.close();
    const bad = [
        ['no mask', [0x81, 1, 120]],
        ['a huge frame', [0x82, ...Array(9).fill(0xff), 0, 0, 0, 0]],
        ['an unknown kind', [0x83, 0x80, 0, 0, 0, 0]],
        ['junk', 'GET / HTTP/1.1\r\n\r\n'],
    ];
    for (const [name, bytes] of bad) {
        const socket = await RawWebSocket.open(place, path);
        socket.raw.write(Buffer.from(bytes));
        check(`ended for ${name}`, await socket.raw.ends() &&
              socket.frames().at(-1)?.kind === 8, `${socket.frames().at(-1)?.kind}`);
    }
    const loud = await RawWebSocket.open(place, path);
    const text = Buffer.alloc(4000, 'x');
    for (let i = 0; i < 100; i++)
        loud.send(1, text);
    check('ended for talking all the time', await loud.raw.ends());
    const raw = await RawConnection.open(place);
    raw.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n` +
              'x'.repeat(100000));
    check('and so is a reader of events', await raw.ends());
    checkEqual('the node goes on', await world.isServed(), true);
}

async function judgeManyReaders({ place }) {
    const sockets = await Promise.all(Array.from({ length: 230 },
        () => RawWebSocket.open(place, '/api/v1/events?kinds=status')));
    const accepted = sockets.filter(({ isAccepted }) => isAccepted);
    const refused = sockets.filter(({ head }) => head?.status === 503);
    check('220 readers, and room for requests', accepted.length === 220 && refused.length === 10,
          `${accepted.length} and ${refused.length}`);
    checkEqual('which are answered', (await ask(place, { path: '/livez' })).status, 200);
    await checkReached('every reader gets the same', 20,
                       () => accepted.every((socket) => socket.events().length > 0));
    for (const socket of sockets)
        socket.close();
}

// ---- TLS

async function judgeTls({ pool, daemon }) {
    const files = folder('api-tls');
    const [cert, key] = [join(files, 'cert.pem'), join(files, 'key.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
        'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj',
        '/CN=localhost'], { stdio: 'ignore' });
    const place = { port: await freePort(), tls: true };
    const node = await Node.make('api-tls-node', pool, [daemon.url], {
        'http-listen': `0.0.0.0:${place.port}`, 'http-tls-cert': cert, 'http-tls-key': key });
    await node.start();
    const answer = await ask(place, { path: '/api/v1/status' });
    check('served over TLS',
          answer.status === 200 && JSON.parse(answer.body).document === 'status');
    check('and only so from now on',
          /max-age=\d+/.test(answer.headers['strict-transport-security'] ?? ''));
    const file = await ask(place, { path: '/d3.js' });
    checkEqual('a large file is whole', file.bytes.length, Number(file.headers['content-length']));
    const raw = await RawConnection.open(place);
    checkEqual('by TLS 1.2 or better', /TLSv1\.[23]/.test(raw.socket.getProtocol()), true);
    raw.close();
    const socket = await RawWebSocket.open(place, '/api/v1/events',
                                           { Origin: `https://127.0.0.1:${place.port}` });
    check('a WebSocket over TLS', socket.isAccepted);
    await checkReached('tells', 20, () => socket.events().length > 0);
    socket.close();
    const plain = await RawConnection.open({ port: place.port });
    plain.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    check('without TLS nothing is told', await plain.ends() &&
          !plain.received.includes('HTTP/1.1 200'));
    checkEqual('and nothing breaks', (await ask(place, { path: '/livez' })).status, 200);
    await node.process.stop();
    writeFileSync(cert, 'no certificate');
    const broken = await shoal('node', '--pool', pool.path, '--data', folder('api-tls-data'),
        '--daemon', daemon.url, '--found', '1', '--peer-listen', '', '--stratum-listen',
        `127.0.0.1:${await freePort()}`, '--http-listen', `127.0.0.1:${place.port}`,
        '--http-tls-cert', cert, '--http-tls-key', key);
    check('a file that is no certificate is named', broken.code !== 0 &&
          /http-tls-cert: .*cert\.pem.* is no certificate/.test(broken.error + broken.out),
          broken.error.slice(0, 300));
}

await script('api', async () => {
    const world = new World();
    await world.begin();
    world.mine('first');
    await part('errors', () => judgeErrors(world));
    await part('hosts', () => judgeHosts(world));
    await part('strict headers', () => judgeStrictness(world));
    await part('caching', () => judgeCaching(world));
    await part('bodies', () => judgeBodies(world));
    await part('pieces and junk', () => judgePieces(world));
    await part('a deaf client', () => judgeDeafClient(world));
    await part('events', () => judgeEvents(world));
    await part('WebSocket', () => judgeSocket(world, world));
    await part('bad WebSockets', () => judgeBadSockets(world));
    await part('many readers', () => judgeManyReaders(world));
    await part('a flood', () => judgeFlood(world));
    await part('TLS', () => judgeTls(world));
    check('the node has run all the time', world.node.process.isRunning());
});
