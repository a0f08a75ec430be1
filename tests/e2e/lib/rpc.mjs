// JSON-RPC over HTTP, as the daemons speak it.
import { request } from 'node:http';

export class RpcError extends Error {
    constructor(method, error) {
        super(`${method}: ${error.message} (${error.code})`);
        this.code = error.code;
    }
}

function post(port, body, timeoutMs) {
    return new Promise((done, reject) => {
        const headers = { 'content-type': 'application/json' };
        const options = { host: '127.0.0.1', port, method: 'POST', path: '/', headers };
        const call = request({ ...options, timeout: timeoutMs },
            (answer) => {
                let text = '';
                answer.setEncoding('utf8');
                answer.on('data', (data) => { text += data; });
                answer.on('end', () => done(text));
                answer.on('error', reject);
            });
        call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
        call.on('error', reject);
        call.end(body);
    });
}

export class Rpc {
    constructor(port, timeoutMs = 30000) {
        this.port = port;
        this.timeoutMs = timeoutMs;
        this.url = `http://127.0.0.1:${port}`;
    }

    async call(method, ...params) {
        const body = JSON.stringify({ jsonrpc: '1.0', id: 1, method, params });
        const reply = JSON.parse(await post(this.port, body, this.timeoutMs));
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
