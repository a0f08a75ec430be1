// A Stratum V1 client of this test's own: speaks raw lines, or mines by itself with the numbers of
// JavaScript, slowly, and remembers what was answered to each of its shares.
import { connect } from 'node:net';
import { numberOfLe, reversed, scryptOf, sha256d } from './bytes.mjs';
import { readHeader } from './block.mjs';
import { sleep } from './checks.mjs';

const DIFFICULTY_1 = { sha256d: 0xffffn << 208n, scrypt: 0xffffn << 224n };
const SCALE = 1n << 60n; // of difficulties below 1
const NONCES = 100000;   // of one extranonce

export class StratumConnection {
    constructor(port, host = '127.0.0.1') {
        this.port = port;
        this.host = host;
        this.lines = [];
        this.isClosed = false;
        this.closedAt = 0;
        this.onMessage = () => {};
        this.text = '';
        this.nextId = 1;
        this.waiting = new Map();
    }

    open() {
        return new Promise((done, reject) => {
            this.socket = connect({ host: this.host, port: this.port });
            this.socket.setEncoding('latin1');
            this.socket.setNoDelay(true);
            this.socket.on('connect', done);
            this.socket.on('error', reject);
            this.socket.on('data', (text) => this.take(text));
            this.socket.on('close', () => this.end());
        });
    }

    end() {
        this.isClosed = true;
        this.closedAt = Date.now();
        for (const { reject } of this.waiting.values())
            reject(new Error('the connection was closed'));
        this.waiting.clear();
    }

    take(text) {
        const lines = (this.text + text).split('\n');
        this.text = lines.pop();
        for (const line of lines) {
            this.lines.push(line);
            if (line.startsWith('{')) // else it answers in HTTP
                this.takeMessage(JSON.parse(line));
        }
    }

    takeMessage(message) {
        const waiter = this.waiting.get(message.id);
        if (message.method === undefined && waiter !== undefined) {
            this.waiting.delete(message.id);
            waiter.done(message);
            return;
        }
        this.onMessage(message);
    }

    write(text) {
        if (!this.isClosed)
            this.socket.write(text, 'latin1');
    }

    // The whole answer, error or not.
    ask(method, params) {
        const id = this.nextId++;
        return new Promise((done, reject) => {
            if (this.isClosed) {
                reject(new Error('the connection is closed'));
                return;
            }
            this.waiting.set(id, { done, reject });
            this.write(JSON.stringify({ id, method, params }) + '\n');
        });
    }

    close() {
        this.socket.destroy();
        this.end();
    }
}

// Milliseconds until somebody who comes now is given a job; he tries until then.
export async function timeToFirstJob(port, user, secondsMax) {
    const begin = Date.now();
    while (Date.now() - begin < secondsMax * 1000) {
        const miner = new StratumMiner(port, { user });
        try {
            await miner.connect();
            while (miner.job === null && !miner.connection.isClosed)
                await sleep(2);
            if (miner.job !== null)
                return Date.now() - begin;
        } catch {
            await sleep(10);
        } finally {
            miner.connection.close();
        }
    }
    throw new Error(`no job within ${secondsMax} s`);
}

function targetOf(difficulty, algorithm) {
    const scaled = BigInt(Math.round(difficulty * Number(SCALE)));
    const target = DIFFICULTY_1[algorithm] * SCALE / (scaled > 0n ? scaled : 1n);
    return target < 1n << 256n ? target : (1n << 256n) - 1n;
}

// The previous hash of a notify has the bytes of each 4-byte word reversed.
function wordsReversed(hex) {
    return hex.match(/.{8}/g).map(reversed).join('');
}

// One connection that mines for one user. shares: { id, pow, target, job, answer } of every submit;
// answer is null until there is one.
export class StratumMiner {
    // options: user, password, algorithm (sha256d, scrypt), hashesPerSecond, agent, host
    constructor(port, options) {
        this.port = port;
        this.options = { password: 'x', algorithm: 'sha256d', hashesPerSecond: 1000,
                         agent: 'shoal-e2e/1', host: '127.0.0.1', ...options };
        this.shares = [];
        this.isStopped = false;
        this.isPaused = false;
        this.onAccepted = () => {};
        this.counter = 0n;
        this.hashes = 0;
    }

    async connect() {
        this.connection = new StratumConnection(this.port, this.options.host);
        this.connection.onMessage = (message) => this.take(message);
        this.job = null;
        this.difficulty = 1;
        await this.connection.open();
        const subscribed = await this.connection.ask('mining.subscribe', [this.options.agent]);
        this.extranonce1 = subscribed.result[1];
        const authorized = await this.connection.ask('mining.authorize',
            [this.options.user, this.options.password]);
        if (authorized.result !== true)
            throw new Error(`not authorized: ${JSON.stringify(authorized.error)}`);
    }

    take(message) {
        if (message.method === 'mining.set_difficulty')
            this.difficulty = message.params[0];
        if (message.method === 'mining.notify')
            this.takeJob(message.params);
    }

    takeJob([id, prev, coinbase1, coinbase2, branch, version, bits, time]) {
        this.job = { id, prev: wordsReversed(prev), coinbase1, coinbase2, branch,
                     version: reversed(version), bits: reversed(bits), time,
                     target: targetOf(this.difficulty, this.options.algorithm) };
        this.job.top = Number(this.job.target >> 240n);
    }

    // A header of the job with an extranonce that no other had; the nonce is still to be chosen.
    newHeader() {
        const { job } = this;
        const extranonce2 = (this.counter++).toString(16).padStart(16, '0');
        const coinbase = Buffer.from(job.coinbase1 + this.extranonce1 + extranonce2 +
                                     job.coinbase2, 'hex');
        let root = sha256d(coinbase);
        for (const sibling of job.branch)
            root = sha256d(Buffer.concat([root, Buffer.from(sibling, 'hex')]));
        const bytes = Buffer.from(job.version + job.prev + root.toString('hex') +
                                  reversed(job.time) + job.bits + '00000000', 'hex');
        this.header = { job, extranonce2, bytes };
        this.nonce = 0;
    }

    hashOnce() {
        if (this.header?.job !== this.job || this.nonce === NONCES)
            this.newHeader();
        const { job, bytes, extranonce2 } = this.header;
        bytes.writeUInt32LE(this.nonce++, 76);
        const pow = this.options.algorithm === 'scrypt' ? scryptOf(bytes) : sha256d(bytes);
        this.hashes++;
        // Hashes are little-endian numbers: most fail by their last two bytes.
        if (pow.readUInt16LE(30) <= job.top && numberOfLe(pow) <= job.target)
            this.submit(job, Buffer.from(bytes), extranonce2, numberOfLe(pow));
    }

    submit(job, header, extranonce2, pow) {
        const share = { id: readHeader(header).id, header, pow, job: job.id, target: job.target,
                        sentAt: Date.now(), answer: null };
        const nonce = Buffer.from(header.subarray(76)).reverse().toString('hex');
        share.parameters = [this.options.user, job.id, extranonce2, job.time, nonce];
        this.shares.push(share);
        this.connection.ask('mining.submit', share.parameters)
            .then((answer) => this.takeAnswer(share, answer), () => {});
    }

    takeAnswer(share, answer) {
        share.answer = answer;
        if (answer.result === true)
            this.onAccepted(share);
    }

    async allAnswered() {
        while (!this.connection.isClosed && this.shares.some(({ answer }) => answer === null))
            await sleep(10);
    }

    // The next share that is answered `true`.
    nextAccepted() {
        return new Promise((done) => {
            this.onAccepted = (share) => {
                this.onAccepted = () => {};
                done(share);
            };
        });
    }

    // Mines, and connects again whenever the connection is lost, until stop().
    async run() {
        while (!this.isStopped) {
            try {
                await this.connect();
                await this.mine();
            } catch {
                await sleep(200);
            }
        }
        this.connection.close();
    }

    async mine() {
        const perTurn = Math.ceil(this.options.hashesPerSecond / 100);
        const pauseMs = 1000 * perTurn / this.options.hashesPerSecond;
        while (!this.isStopped && !this.connection.isClosed) {
            for (let i = 0; i < perTurn && this.job !== null && !this.isPaused; i++)
                this.hashOnce();
            await sleep(pauseMs * (0.5 + Math.random()));
        }
    }

    stop() {
        this.isStopped = true;
    }

    accepted() {
        return this.shares.filter((share) => share.answer?.result === true);
    }
}
