// A program in a pseudo-terminal (terminal.py) and what is to be seen in it.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HELPER = join(dirname(fileURLToPath(import.meta.url)), 'terminal.py');

export class Terminal {
    // env: more variables of the program
    constructor(columns, rows, command, env = {}) {
        this.child = spawn('python3', ['-B', HELPER, String(columns), String(rows), ...command], {
            stdio: ['pipe', 'pipe', 'inherit'],
            env: { ...process.env, TERM: 'xterm', ...env },
        });
        this.waiting = [];
        this.child.on('exit', () => this.waiting.forEach(({ reject }) =>
            reject(new Error('the terminal has ended'))));
        createInterface(this.child.stdout).on('line', (line) =>
            this.waiting.shift().resolve(JSON.parse(line)));
    }

    // What is to be seen when the order has been given.
    order(order) {
        return new Promise((resolve, reject) => {
            this.waiting.push({ resolve, reject });
            this.child.stdin.write(`${JSON.stringify(order)}\n`);
        });
    }

    look() {
        return this.order({ look: true });
    }

    type(keys) {
        return this.order({ type: keys });
    }

    close() {
        this.waiting = [];
        this.child.stdin.end();
    }
}
