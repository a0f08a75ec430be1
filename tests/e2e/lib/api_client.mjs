// A client of the node's API: signs in with a cookie as a browser does, or shows a token as a
// program does.
import { createHmac } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { BIN } from './processes.mjs';

// `shoal` with a line on its standard input: { code, out, error }.
export function shoalWithInput(input, ...args) {
    const done = spawnSync(join(BIN, 'shoal'), args, { input, encoding: 'utf8', timeout: 20000 });
    return { code: done.status, out: done.stdout, error: done.stderr };
}

// RFC 6238 with another library than the node's.
export function totpCode(secret, seconds) {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
    const mac = createHmac('sha1', key).update(counter).digest();
    const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
    return String(number % 1000000).padStart(6, '0');
}

export class ApiClient {
    // options: from (the address of loopback it comes from), token
    constructor(port, options = {}) {
        this.port = port;
        this.from = options.from ?? '127.0.0.1';
        this.token = options.token ?? null;
        this.cookie = '';
        this.csrf = '';
    }

    // options: headers, in place of its own where they have the same name (null: none).
    send(method, path, body, options = {}) {
        const text = body === undefined ? '' : JSON.stringify(body);
        const headers = { 'X-Shoal-Csrf': this.csrf, Cookie: this.cookie,
                          Authorization: this.token === null ? null : `Bearer ${this.token}`,
                          'Content-Type': text === '' ? null : 'application/json',
                          'Content-Length': text.length, ...options.headers };
        const given = Object.entries(headers).filter(([, value]) => value !== null && value !== '');
        return new Promise((done, reject) => {
            const asked = request({ host: '127.0.0.1', port: this.port, agent: false, method,
                                    localAddress: this.from, path: `/api/v1/${path}`,
                                    headers: Object.fromEntries(given) });
            asked.on('response', (answer) => {
                let received = '';
                answer.setEncoding('utf8');
                answer.on('data', (data) => { received += data; });
                answer.on('end', () => done(this.read(answer, received)));
            });
            asked.on('error', reject);
            asked.end(text);
        });
    }

    read(answer, text) {
        const [cookie] = answer.headers['set-cookie'] ?? [];
        if (cookie !== undefined)
            this.cookie = cookie.split(';')[0];
        let document = null;
        try {
            document = JSON.parse(text);
        } catch {
            document = { text };
        }
        return { status: answer.statusCode, headers: answer.headers, document,
                 setCookie: cookie ?? '' };
    }

    get(path) {
        return this.send('GET', path);
    }

    post(path, body) {
        return this.send('POST', path, body);
    }

    async signIn(name, password, code) {
        const answer = await this.post('session',
                                       { name, password, ...(code === undefined ? {} : { code }) });
        this.csrf = answer.document.csrf ?? '';
        return answer;
    }
}
