// JSON-RPC over HTTP, as the daemons speak it.
import { request } from 'node:http';

export class RpcError extends Error {
    constructor(method, error) {
        super(`${method}: ${error.message} (${error.code})`);
        this.code = error.code;
    }
}

function post(to, body) {
    return new Promise((done, reject) => {
        const headers = { 'content-type': 'application/json' };
        const call = request({ ...to, method: 'POST', path: '/', headers },
            (answer) => {
                let text = '';
                answer.setEncoding('utf8');
                answer.on('data', (data) => { text += data; });
                answer.on('end', () => done(text));
                answer.on('error', reject);
            });
        call.on('timeout', () => call.destroy(new Error(`no answer within ${to.timeout} ms`)));
        call.on('error', reject);
        call.end(body);
    });
}

export class Rpc {
    // place: host, if not loopback, and login, as in 'user:password'.
    constructor(port, { host = '127.0.0.1', login = '' } = {}) {
        this.to = { host, port, timeout: 30000, ...(login === '' ? {} : { auth: login }) };
        this.url = `http://${login === '' ? '' : `${login}@`}${host}:${port}`;
    }

    async call(method, ...params) {
        const body = JSON.stringify({ jsonrpc: '1.0', id: 1, method, params });
        const reply = JSON.parse(await post(this.to, body));
        if (reply.error)
            throw new RpcError(method, reply.error);
        return reply.result;
    }

    async blockAt(height) {
        return this.call('getblock', await this.call('getblockhash', height), 0);
    }

    async headerAt(height) {
        return this.call('getblockheader', await this.call('getblockhash', height), false);
    }
}
