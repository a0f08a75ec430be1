// Several nodes of one pool on loopback, all with the same coin daemon: the first is the seed of
// the others. A miner behind each.
import { addressOf } from './addresses.mjs';
import { CpuMiner } from './miner.mjs';
import { Node } from './shoal.mjs';
import { freePort } from './processes.mjs';
import { waitFor } from './checks.mjs';

const KINDS = ['p2wpkh', 'p2tr', 'p2pkh', 'p2wsh', 'p2sh'];

export class Cluster {
    constructor(name, daemon, pool) {
        this.name = name;
        this.daemon = daemon;
        this.pool = pool;
        this.nodes = [];
        this.miners = [];
        this.users = [];
        this.seed = null;
    }

    // Makes the next node; the first one is told that it is. options: more flags.
    async add(options = {}) {
        const number = this.nodes.length + 1;
        const port = await freePort();
        const node = await Node.make(`${this.name}-${number}`, this.pool, [this.daemon.url], {
            found: number === 1 ? 1 : 0, 'peer-listen': `127.0.0.1:${port}`, upnp: 0,
            ...(number === 1 ? {} : { seed: this.seed }), ...options,
        });
        this.nodes.push(node);
        this.users.push(addressOf(this.daemon.chain, KINDS[(number - 1) % KINDS.length],
                                  `${this.name} ${number}`));
        return node;
    }

    // Adds and starts nodes until there are so many.
    async start(count) {
        while (this.nodes.length < count) {
            const node = await this.add();
            if (this.seed === null) {
                await node.start();
                this.seed = (await node.report('dht')).own.seed;
            } else {
                node.launch();
            }
        }
    }

    mineBehind(i, hashrate) {
        const miner = new CpuMiner(`${this.name}-miner-${i + 1}`, this.nodes[i].port,
                                   [`${this.users[i].address}.behind${i + 1}`], hashrate);
        this.miners.push(miner);
        return miner;
    }

    async stopMiners() {
        await Promise.all(this.miners.map(({ process }) => process.stop()));
        this.miners = [];
    }

    reports(document) {
        return Promise.all(this.nodes.map((node) => node.report(document)));
    }

    // Ids of the nodes that each node has an open link with.
    async neighbours() {
        return (await this.reports('peers')).map(({ peers }) =>
            new Set(peers.filter(({ is_open: isOpen }) => isOpen).map(({ node_id: id }) => id)));
    }

    async waitForLinks(least, secondsMax) {
        await waitFor(`every node to be connected to ${least} others`, secondsMax, async () =>
            (await this.neighbours()).every(({ size }) => size >= least));
    }

    async tips() {
        return (await this.reports('status')).map(({ tip }) => `${tip.height} ${tip.id}`);
    }

    // Waits until all nodes have the same tip for a second, and returns it.
    async waitForOneTip(secondsMax) {
        let since = 0;
        let last = '';
        return waitFor('all nodes to have the same tip', secondsMax, async () => {
            const [first, ...others] = await this.tips();
            const isSame = others.every((tip) => tip === first);
            since = isSame && first === last ? since : Date.now();
            last = first;
            return isSame && Date.now() - since >= 1000 ? first : null;
        });
    }
}
