// A network of its own for a script: each node in a network namespace, joined by bridges that can
// be cut in two so that packets vanish, as they do where a router fails: nobody is told.
//
//   node 1, node 2 .. -- west ==across== east -- .. node 4, node 5     10.N.0.1, fd00:N::1
//   all nodes, and the script with the coin daemon -- coin             172.31.0.N, 172.31.0.254
//
// The script runs again within namespaces of users, mounts and processes: it needs root nowhere
// where the kernel lets anybody make them, touches no interface of the machine, and nothing leaves.
// When its first process ends, however it ends, the kernel removes processes, interfaces and names.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { folder, stopAll } from './processes.mjs';

const INSIDE = 'E2E_NETNS';
const BOTTLE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
// Names of network namespaces are files there; ours shall be seen by nobody else.
const OWN_NAMES = 'mount -t tmpfs shoal-e2e /run && mkdir /run/netns';
const PROBE = `${OWN_NAMES} && ip netns add probe && ip link add name bridge1 type bridge && ` +
              'ip link add name veth1 type veth peer name veth2 netns probe';

export const DAEMON_HOST = '172.31.0.254';

export const coinAddress = (number) => `172.31.0.${number}`;
export const ipv4Of = (number) => `10.${number}.0.1`;
export const ipv6Of = (number) => `fd00:${number}::1`;

const macOf = (number) => `02:00:00:00:00:0${number}`;

function firstLine(text) {
    return (text ?? '').trim().split('\n')[0];
}

function bottleArguments() {
    return process.getuid() === 0 ? BOTTLE : ['--user', '--map-root-user', ...BOTTLE];
}

// Why there can be none here; '' if there can.
function problem() {
    const done = spawnSync('unshare', [...bottleArguments(), 'sh', '-c', PROBE],
                           { encoding: 'utf8' });
    return done.status === 0 ? '' : firstLine(done.stderr) || firstLine(done.error?.message) ||
                                    `unshare ended with status ${done.status}`;
}

// Runs the script `url` again inside, and ends with its status. Returns inside: ''; outside, if
// this machine has no such namespaces: why.
export async function enterOwnNetwork(url) {
    if (process.env[INSIDE] !== undefined) {
        // The one outside is gone: so are we, and with us all that is in here.
        process.stdin.on('end', () => process.exit(1)).resume();
        return '';
    }
    const reason = problem();
    if (reason !== '')
        return reason;
    const command = `${OWN_NAMES} && exec "$0" "$@"`;
    const child = spawn('unshare', [...bottleArguments(), 'sh', '-c', command, process.execPath,
                                    fileURLToPath(url), ...process.argv.slice(2)], {
        stdio: ['pipe', 'inherit', 'inherit'],
        env: { ...process.env, [INSIDE]: '1', E2E_TEMP: folder('.'), E2E_PIDS: undefined },
    });
    process.on('exit', () => child.kill('SIGKILL'));
    const status = await new Promise((done) => {
        child.on('exit', (code) => done(code ?? 1));
        child.on('error', () => done(1));
    });
    await stopAll();
    return process.exit(status);
}

function run(command, ...args) {
    const done = spawnSync(command, args, { encoding: 'utf8' });
    if (done.status !== 0)
        throw new Error(`${command} ${args.join(' ')}: ${firstLine(done.stderr)}`);
}

const ip = (text) => run('ip', ...text.split(' '));

export class Network {
    // sides: of each node, in order, 'west' or 'east'. families: of each, 'ipv4', 'ipv6' or 'both'.
    constructor(sides, families) {
        this.families = families;
        this.numbers = sides.map((_, i) => i + 1);
        this.addBridges();
        sides.forEach((side, i) => this.addNode(i + 1, side));
        this.numbers.forEach((number) => this.addAddresses(number));
    }

    addBridges() {
        ip('link set lo up');
        for (const bridge of ['west', 'east', 'coin'])
            ip(`link add name ${bridge} up type bridge mcast_snooping 0`);
        ip('link add name across-west type veth peer name across-east');
        for (const side of ['west', 'east'])
            ip(`link set across-${side} up master ${side}`);
        ip(`addr add ${DAEMON_HOST}/24 dev coin`);
    }

    addNode(number, side) {
        const name = `node${number}`;
        ip(`netns add ${name}`);
        ip(`-n ${name} link set lo up`);
        ip(`-n ${name} link add name eth0 address ${macOf(number)} type veth ` +
           `peer name eth${number} netns 1`);
        ip(`-n ${name} link add name coin0 type veth peer name coin${number} netns 1`);
        ip(`link set eth${number} up master ${side}`);
        ip(`link set coin${number} up master coin`);
        // To the daemon and the script only, not to each other.
        run('bridge', 'link', 'set', 'dev', `coin${number}`, 'isolated', 'on');
    }

    has(number, family) {
        return [family, 'both'].includes(this.families[number - 1]);
    }

    // Who has which address is written down: else a cut would be told by unanswered questions.
    addAddresses(number) {
        const at = `-n node${number}`;
        ip(`${at} addr add ${coinAddress(number)}/24 dev coin0`);
        if (this.has(number, 'ipv4'))
            ip(`${at} addr add ${ipv4Of(number)}/8 dev eth0`);
        if (this.has(number, 'ipv6'))
            ip(`${at} addr add ${ipv6Of(number)}/16 dev eth0 nodad`);
        ip(`${at} link set coin0 up`);
        ip(`${at} link set eth0 up`);
        for (const other of this.numbers.filter((each) => each !== number)) {
            const end = `lladdr ${macOf(other)} dev eth0 nud permanent`;
            if (this.has(number, 'ipv4') && this.has(other, 'ipv4'))
                ip(`${at} neigh add ${ipv4Of(other)} ${end}`);
            if (this.has(number, 'ipv6') && this.has(other, 'ipv6'))
                ip(`${at} neigh add ${ipv6Of(other)} ${end}`);
        }
    }

    // Delay and loss of what each node sends, as in 'delay 20ms 5ms loss 1%'. Why there is none, or
    // ''.
    impair(text) {
        try {
            for (const number of this.numbers)
                run('tc', '-n', `node${number}`, 'qdisc', 'add', 'dev', 'eth0', 'root', 'netem',
                    ...text.split(' '));
            return '';
        } catch (error) {
            return error.message;
        }
    }

    // Between west and east nothing passes any more.
    cut() {
        ip('link set across-west down');
    }

    heal() {
        ip('link set across-west up');
    }
}

// What starts a command in the namespace of a node.
export const inside = (number) => ['nsenter', `--net=/run/netns/node${number}`];
