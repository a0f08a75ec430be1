// Processes under test: started on free loopback ports with a log file each, and none survives the
// script, however it ends.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { appendFileSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync }
    from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const BIN = resolve(process.env.E2E_BUILD ?? join(TOP, 'build'), 'bin');

const running = new Set();
// tests/e2e/run makes the folder and removes it; alone, a script does so itself.
const root = process.env.E2E_TEMP ?? mkdtempSync(join(tmpdir(), 'shoal-e2e.'));
const ownsRoot = process.env.E2E_TEMP === undefined;

export function folder(name) {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    return path;
}

// A port that nobody listens at now.
export function freePort() {
    return new Promise((resolvePort, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolvePort(port));
        });
    });
}

export class Process {
    // options: env, cwd
    constructor(name, command, args, options = {}) {
        this.name = name;
        this.logPath = join(folder('logs'), `${name}.log`);
        appendFileSync(this.logPath, `---- ${command} ${args.join(' ')}\n`);
        this.logBegin = readFileSync(this.logPath, 'utf8').length;
        const log = openSync(this.logPath, 'a');
        this.startedAt = Date.now();
        this.child = spawn(command, args, {
            stdio: ['ignore', log, log],
            cwd: options.cwd,
            env: { ...process.env, ...options.env },
        });
        closeSync(log);
        running.add(this);
        this.status = null; // or { code, signal } once it has ended
        this.ended = new Promise((done) => {
            const end = (code, signal) => {
                running.delete(this);
                this.status = { code, signal };
                done(this.status);
            };
            this.child.on('exit', end);
            this.child.on('error', (error) => {
                appendFileSync(this.logPath, `${error.message}\n`);
                end(-1, null);
            });
        });
        if (process.env.E2E_PIDS !== undefined && this.child.pid !== undefined)
            appendFileSync(process.env.E2E_PIDS, `${this.child.pid}\n`);
    }

    // What this process has written; not what earlier ones of the same name have.
    log() {
        return readFileSync(this.logPath, 'utf8').slice(this.logBegin);
    }

    // Lines of a log in JSON, objects only.
    events() {
        return this.log().split('\n').flatMap((line) => {
            try {
                const event = JSON.parse(line);
                return typeof event === 'object' && event !== null ? [event] : [];
            } catch {
                return [];
            }
        });
    }

    isRunning() {
        return this.status === null;
    }

    send(signal) {
        this.child.kill(signal);
    }

    async kill() {
        this.send('SIGKILL');
        return this.ended;
    }

    // Asks it to stop, and insists after a while; returns its status.
    async stop(secondsMax = 10) {
        this.send('SIGCONT');
        this.send('SIGTERM');
        const timer = setTimeout(() => this.send('SIGKILL'), secondsMax * 1000);
        const status = await this.ended;
        clearTimeout(timer);
        return status;
    }
}

// A command that ends by itself: { code, out, error }.
export function runCommand(command, args, options = {}) {
    return new Promise((done) => {
        const child = spawn(command, args, {
            stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
            cwd: options.cwd,
            env: { ...process.env, ...options.env },
        });
        child.stdin?.end(options.input);
        const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 20000);
        const texts = { out: '', error: '' };
        child.stdout.on('data', (data) => { texts.out += data; });
        child.stderr.on('data', (data) => { texts.error += data; });
        child.on('error', (error) => { texts.error += error.message; });
        child.on('close', (code, signal) => {
            clearTimeout(timer);
            done({ code: code ?? -1, signal, ...texts });
        });
    });
}

function killAll() {
    for (const process_ of running)
        process_.child.kill('SIGKILL');
}

export async function stopAll() {
    killAll();
    await Promise.all([...running].map((process_) => process_.ended));
    if (ownsRoot && process.env.E2E_KEEP === undefined)
        rmSync(root, { recursive: true, force: true });
}

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => process.exit(1));
