// The program under test: pool files, a node that is started and killed, and its reports.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, Process, folder, freePort, runCommand } from './processes.mjs';
import { waitFor } from './checks.mjs';

const SHOAL = join(BIN, 'shoal');

export function shoal(...args) {
    return runCommand(SHOAL, args);
}

// The values of a pool file by key, read here: `key = value`, `#` begins a comment.
export function readPoolFile(path) {
    const pool = {};
    for (const line of readFileSync(path, 'utf8').split('\n')) {
        const [key, value] = line.replace(/#.*/, '').split('=').map((text) => text.trim());
        if (value !== undefined)
            pool[key] = value;
    }
    return pool;
}

// { path, id, ...keys }
export async function newPool(name, keys) {
    const path = join(folder('pools'), name);
    const flags = Object.entries(keys).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const made = await shoal('pool', 'new', '--name', name, ...flags, path);
    if (made.code !== 0)
        throw new Error(`shoal pool new: ${made.error}`);
    return { ...readPoolFile(path), path, id: made.out.replace(/^pool_id /, '').trim() };
}

export class Node {
    // daemons: urls. options: flags by name, over those below.
    static async make(name, pool, daemons, options = {}) {
        const node = new Node();
        node.name = name;
        node.data = options.data ?? folder(`${name}-data`);
        node.port = await freePort();
        node.flags = {
            pool: pool.path,
            data: node.data,
            'stratum-listen': `127.0.0.1:${node.port}`,
            'http-listen': '',
            // Alone, unless the options say otherwise: the first of its pool, and nobody comes.
            found: 1,
            'peer-listen': '',
            'log-format': 'json',
            'log-level': 'debug',
            ...options,
        };
        node.daemons = daemons;
        node.through = []; // the command that starts it elsewhere
        node.process = null;
        return node;
    }

    launch() {
        const flags = Object.entries(this.flags).map(([key, value]) => `--${key}=${value}`);
        const daemons = this.daemons.map((url) => `--daemon=${url}`);
        const [command, ...args] = [...this.through, SHOAL, 'node', ...flags, ...daemons];
        this.process = new Process(this.name, command, args);
    }

    async start() {
        this.launch();
        await waitFor(`${this.name} to serve miners`, 20, async () => {
            if (!this.process.isRunning())
                throw new Error(`${this.name} has ended: ${this.process.log().slice(-800)}`);
            return (await this.report('status')).job !== null;
        });
    }

    async report(document) {
        const asked = await shoal(document, '--data', this.data, '--json');
        if (asked.code !== 0)
            throw new Error(`shoal ${document}: ${asked.error.trim()}`);
        return JSON.parse(asked.out);
    }

    // Waits until its log has an event whose fields are all as told (texts: contained in).
    async logged(fields, secondsMax) {
        const wanted = Object.entries(fields);
        const isIt = (event) => wanted.every(([key, value]) =>
            (typeof value === 'string' ? String(event[key] ?? '').includes(value)
                                       : event[key] === value));
        return waitFor(`${this.name} to log ${JSON.stringify(fields)}`, secondsMax,
                       () => this.process.events().find(isIt));
    }
}
