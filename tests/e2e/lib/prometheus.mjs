// Prometheus as a process on loopback: it scrapes what it is told, judges rules, and is asked over
// its API.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Process, folder, freePort, runCommand } from './processes.mjs';
import { waitFor } from './checks.mjs';

// What /metrics of a node says, or any other path.
export async function httpText(port, path) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, type: answer.headers.get('content-type'),
             body: await answer.text() };
}

export function promtool(...args) {
    return runCommand('promtool', args, { timeoutMs: 120000 });
}

// The text goes in at the standard input.
export async function checkMetrics(name, text) {
    const path = join(folder('prometheus'), `${name}.txt`);
    writeFileSync(path, text);
    return runCommand('sh', ['-c', 'promtool check metrics <"$1"', 'sh', path]);
}

// { name: { kind, help, samples: [{ labels, value }] } }, for all lines of the text format.
export function readMetrics(text) {
    const metrics = {};
    for (const line of text.split('\n').filter((one) => one !== '')) {
        const head = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
        if (head !== null) {
            metrics[head[2]] ??= { samples: [] };
            metrics[head[2]][head[1] === 'HELP' ? 'help' : 'kind'] = head[3];
            continue;
        }
        const [, series, labelText = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
        const name = series in metrics ? series : series.replace(/_(bucket|sum|count)$/, '');
        const labels = Object.fromEntries([...labelText.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)]
            .map(([, label, its]) => [label, its]));
        const number = Number(value.replace('Inf', 'Infinity'));
        metrics[name].samples.push({ series, labels, value: number });
    }
    return metrics;
}

export class Prometheus {
    // targets: { port, token (if one is wanted) }. options: rules (paths), intervalMs
    static async start(name, targets, { rules = [], intervalMs = 500 } = {}) {
        const prometheus = new Prometheus();
        const at = folder(name);
        const config = join(at, 'prometheus.yml');
        prometheus.port = await freePort();
        writeFileSync(config, JSON.stringify({
            global: { scrape_interval: `${intervalMs}ms`, evaluation_interval: `${intervalMs}ms` },
            rule_files: rules,
            scrape_configs: targets.map(({ port, token }) => ({
                job_name: `node-${port}`,
                ...(token === undefined ? {} : { authorization: { credentials: token } }),
                static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { job: 'shoal' } }],
            })),
        }));
        prometheus.process = new Process(name, 'prometheus', [`--config.file=${config}`,
            `--storage.tsdb.path=${join(at, 'data')}`, '--log.level=warn',
            `--web.listen-address=127.0.0.1:${prometheus.port}`]);
        await waitFor('Prometheus to be ready', 30, async () =>
            (await httpText(prometheus.port, '/-/ready')).status === 200);
        return prometheus;
    }

    async ask(path, values = {}) {
        const text = await httpText(this.port, `/api/v1/${path}?${new URLSearchParams(values)}`);
        const answer = JSON.parse(text.body);
        if (answer.status !== 'success')
            throw new Error(`${path}: ${answer.error}`);
        return answer.data;
    }

    // [{ labels, value }] of an instant query.
    async query(expression) {
        const { result } = await this.ask('query', { query: expression });
        return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    }

    // Of a query with one answer; null if there is none.
    async number(expression) {
        const [first] = await this.query(expression);
        return first === undefined ? null : first.value;
    }

    // Names of the alerts that fire.
    async firing() {
        const { alerts } = await this.ask('alerts');
        return alerts.filter(({ state }) => state === 'firing')
            .map(({ labels }) => labels.alertname);
    }
}
