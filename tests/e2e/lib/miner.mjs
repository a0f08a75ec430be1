// The CPU miner testnet/miner as a process: a connection for each user, which take turns.
import { join } from 'node:path';
import { BIN, Process } from './processes.mjs';

export class CpuMiner {
    // place: a port of loopback, or host:port. hashrate: hashes a second of all connections
    // together. options: more flags of the program.
    constructor(name, place, users, hashrate, options = []) {
        const url = typeof place === 'number' ? `127.0.0.1:${place}` : place;
        this.process = new Process(name, join(BIN, 'miner'), ['--url', url,
            ...users.flatMap((user) => ['--user', user]), '--connections', String(users.length),
            '--hashrate', String(hashrate), '--threads', '1', '--json', '--report', '1',
            ...options]);
    }

    // Its last report.
    report() {
        return this.process.events().at(-1) ?? {};
    }
}
