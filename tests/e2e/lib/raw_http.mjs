// HTTP byte by byte, for what no library would send, and a WebSocket that can misbehave.
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from './checks.mjs';

export class RawConnection {
    // place: { port, host, tls }
    static async open(place) {
        const raw = new RawConnection();
        const options = { port: place.port, host: place.host ?? '127.0.0.1',
                          rejectUnauthorized: false };
        raw.received = Buffer.alloc(0);
        raw.isClosed = false;
        raw.waiting = [];
        raw.socket = place.tls ? connectTls(options) : connect(options);
        raw.socket.on('data', (data) => raw.take(data));
        raw.socket.on('error', () => {});
        raw.socket.on('close', () => { raw.isClosed = true; raw.take(Buffer.alloc(0)); });
        await within(10, 'a connection', new Promise((done) => {
            raw.socket.on(place.tls ? 'secureConnect' : 'connect', done);
            raw.socket.on('close', done);
        }));
        return raw;
    }

    take(data) {
        this.received = Buffer.concat([this.received, data]);
        this.waiting = this.waiting.filter((isDone) => !isDone());
    }

    write(data) {
        this.socket.write(data);
    }

    // Waits until `condition` gives something other than undefined, or the connection is closed
    // (null).
    until(what, condition, secondsMax = 20) {
        return within(secondsMax, what, new Promise((done) => {
            const look = () => {
                const value = condition();
                if (value === undefined && !this.isClosed)
                    return false;
                done(value ?? null);
                return true;
            };
            if (!look())
                this.waiting.push(look);
        }));
    }

    // The next answer, taken off what was received; null if the connection ended before.
    answer(isHead = false) {
        return this.until('an answer', () => {
            const end = this.received.indexOf('\r\n\r\n');
            if (end < 0)
                return undefined;
            const [line, ...fields] = this.received.subarray(0, end).toString().split('\r\n');
            const headers = Object.fromEntries(fields.map((field) => {
                const colon = field.indexOf(':');
                return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
            }));
            const size = isHead ? 0 : Number(headers['content-length'] ?? 0);
            if (this.received.length < end + 4 + size)
                return undefined;
            const body = this.received.subarray(end + 4, end + 4 + size);
            this.received = this.received.subarray(end + 4 + size);
            return { status: Number(line.split(' ')[1]), headers, bytes: body,
                     body: body.toString() };
        });
    }

    // True once the other side has ended it.
    async ends(secondsMax = 20) {
        await this.until('the end of a connection', () => undefined, secondsMax);
        return this.isClosed;
    }

    close() {
        this.socket.destroy();
    }
}

// One request on a connection of its own: { method, path, headers, body }.
export async function ask(place, { method = 'GET', path = '/', headers = {}, body = '' } = {}) {
    const raw = await RawConnection.open(place);
    const fields = { Host: `127.0.0.1:${place.port}`, Connection: 'close', ...headers };
    if (body.length > 0)
        fields['Content-Length'] ??= String(Buffer.byteLength(body));
    const lines = Object.entries(fields).filter(([, value]) => value !== null)
        .map(([name, value]) => `${name}: ${value}\r\n`).join('');
    raw.write(`${method} ${path} HTTP/1.1\r\n${lines}\r\n${body}`);
    const answer = await raw.answer(method === 'HEAD');
    raw.close();
    return answer;
}

// A stream of server-sent events: what came, as objects { id, event, data }.
export class EventStream {
    static async open(place, path, headers = {}) {
        const stream = new EventStream();
        const fields = Object.entries(headers).map(([n, v]) => `${n}: ${v}\r\n`).join('');
        stream.raw = await RawConnection.open(place);
        stream.raw.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
                         `Accept: text/event-stream\r\n${fields}\r\n`);
        stream.head = await stream.raw.answer();
        return stream;
    }

    events() {
        return this.raw.received.toString().split('\n\n').slice(0, -1)
            .map((text) => Object.fromEntries(text.split('\n').map((line) =>
                [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])))
            .filter(({ data }) => data !== undefined)
            .map(({ id, event, data }) => ({ id, event, data: JSON.parse(data) }));
    }

    close() {
        this.raw.close();
    }
}

export class RawWebSocket {
    static async open(place, path, headers = {}) {
        const socket = new RawWebSocket();
        const key = randomBytes(16).toString('base64');
        const fields = { Host: `127.0.0.1:${place.port}`, Upgrade: 'websocket',
                         Connection: 'Upgrade', 'Sec-WebSocket-Key': key,
                         'Sec-WebSocket-Version': '13', ...headers };
        const lines = Object.entries(fields).map(([n, v]) => `${n}: ${v}\r\n`).join('');
        socket.raw = await RawConnection.open(place);
        socket.raw.write(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
        socket.head = await socket.raw.answer();
        socket.isAccepted = socket.head?.status === 101 &&
            socket.head.headers['sec-websocket-accept'] === createHash('sha1')
                .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        return socket;
    }

    // kind: 1 text, 8 close, 9 ping. Masked, as clients must.
    send(kind, data) {
        const payload = Buffer.from(data);
        const mask = randomBytes(4);
        const head = payload.length < 126 ? [0x80 | payload.length]
            : [0x80 | 126, payload.length >> 8, payload.length & 255];
        this.raw.write(Buffer.concat([Buffer.from([0x80 | kind, ...head]), mask,
                                      payload.map((byte, i) => byte ^ mask[i % 4])]));
    }

    // All whole frames that came, as { kind, text }.
    frames() {
        const found = [];
        const bytes = this.raw.received;
        for (let at = 0; at + 2 <= bytes.length;) {
            let size = bytes[at + 1] & 127;
            let head = 2;
            if (size === 126) {
                if (at + 4 > bytes.length)
                    break;
                size = bytes.readUInt16BE(at + 2);
                head = 4;
            }
            if (at + head + size > bytes.length)
                break;
            found.push({ kind: bytes[at] & 15, isMasked: bytes[at + 1] > 127,
                         text: bytes.subarray(at + head, at + head + size).toString() });
            at += head + size;
        }
        return found;
    }

    events() {
        return this.frames().filter(({ kind }) => kind === 1).map(({ text }) => JSON.parse(text));
    }

    close() {
        this.raw.close();
    }
}
