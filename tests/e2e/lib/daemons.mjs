// The coin daemons that the scripts run against; docs/daemons.md says why they are started so.
import { join } from 'node:path';
import { BIN, Process, TOP, folder, freePort } from './processes.mjs';
import { Rpc } from './rpc.mjs';
import { waitFor } from './checks.mjs';

const PACKAGES = join(TOP, 'tests/e2e/node_modules');

class Daemon {
    constructor(name, chain, port, place = {}) {
        this.name = name;
        this.chain = chain;
        this.rpc = new Rpc(port, place);
        this.port = port;
        this.url = this.rpc.url;
        this.process = null;
    }

    launch(command, args, env = {}) {
        this.process = new Process(this.name, command, args, { env });
    }

    async ready() {
        await waitFor(`${this.name} to answer`, 30, async () => {
            if (!this.process.isRunning())
                throw new Error(`${this.name} has ended: ${this.process.log().slice(-500)}`);
            return await this.rpc.call('getblockcount') >= 0;
        });
    }
}

function coinArguments(daemon, p2pPort) {
    return ['--network=regtest', `--prefix=${daemon.folder}`, '--no-auth=true', '--no-wallet',
            '--log-file=false', '--log-level=info', '--http-host=127.0.0.1',
            `--http-port=${daemon.port}`, '--listen=false', `--port=${p2pPort}`];
}

export class Bcoin extends Daemon {
    static async make(name) {
        const daemon = new Bcoin(name, 'regtest', await freePort());
        daemon.folder = folder(name);
        daemon.p2pPort = await freePort();
        return daemon;
    }

    // Keeps its chain on disk: to be killed and started again.
    async start() {
        this.launch(process.execPath, [join(PACKAGES, 'bcoin/bin/node'),
            ...coinArguments(this, this.p2pPort), '--memory=false', '--workers=false'],
            { NODE_BACKEND: 'js', BCOIN_NO_NATIVE: '1' });
        await this.ready();
    }
}

export class Lcoin extends Daemon {
    static async make(name) {
        const daemon = new Lcoin(name, 'litecoin-regtest', await freePort());
        daemon.folder = folder(name);
        daemon.p2pPort = await freePort();
        return daemon;
    }

    async start() {
        this.launch(process.execPath, [join(PACKAGES, 'lcoin/bin/node'),
            ...coinArguments(this, this.p2pPort), '--db=memory'],
            { BCOIN_NO_NATIVE: '1', BCOIN_USE_ELLIPTIC: '1' });
        await this.ready();
    }
}

export class Devchain extends Daemon {
    // options: those of the program, as in ['--bits', '1e0fffff']. host: for other machines.
    static async make(name, options, host = null) {
        const isScrypt = options.includes('--scrypt');
        const place = host === null ? {} : { host, login: 'e2e:e2e' };
        const daemon = new Devchain(name, isScrypt ? 'devchain-scrypt' : 'devchain',
                                    await freePort(), place);
        daemon.options = options;
        daemon.access = host === null ? ['--no-auth']
                                      : ['--bind', host, '--user', 'e2e', '--password', 'e2e'];
        return daemon;
    }

    async start(more = []) {
        this.launch(join(BIN, 'devchain'), [...this.options, '--port', String(this.port),
            ...this.access, ...more]);
        await this.ready();
    }

    async fault(kind, method = '') {
        await this.rpc.call('devfault', kind, ...(method === '' ? [] : [method]));
    }
}
