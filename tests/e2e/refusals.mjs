// Every key of the configuration with a wrong value, every way to break a pool file, every command
// misused: each is refused with a sentence that names the key, the value and what would be right,
// and with the exit status that scripts can rely on (0 done, 1 not possible, 2 misused, 3 no node).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Devchain } from './lib/daemons.mjs';
import { BIN, folder, freePort, runCommand } from './lib/processes.mjs';
import { newPool, shoal } from './lib/shoal.mjs';
import { check, checkEqual, part, script } from './lib/checks.mjs';

const MISUSED = 2;
const FAILED = 1;
const UNREACHED = 3;

const KEY = '0123456789abcdef'.repeat(4);

// key, values that are wrong, what the sentence must hold besides key and value
const WRONG_VALUES = [
    ['config', ['/nowhere/shoal.ini'], /No such file/],
    ['seed', ['here', 'here:8400', `here:8400/${'0'.repeat(63)}`, `here/${KEY}`, `:1/${KEY}`,
              `here:70000/${KEY}`], /shoal dht/],
    ['found', ['yes', '2', ''], /0 or 1/],
    ['secret', ['hush', KEY.slice(2), `${KEY}00`, '0'.repeat(64)], /shoal pool secret/],
    ['upnp', ['on', '-1'], /0 or 1/],
    ['daemon', ['ftp://127.0.0.1', '127.0.0.1:8332', 'http://', 'http://h:99999'],
     /http:\/\/127\.0\.0\.1:8332/],
    ['daemon-user', ['u'.repeat(300)], /255/],
    ['daemon-password', ['p'.repeat(300)], /255/],
    ['daemon-cookie', ['c'.repeat(2000)], /too long/],
    ['daemon-poll', ['0', '31', 'x', '-1', '1.5', ''], /1 to 30/],
    ['peer-listen', ['8400', '0.0.0.0:0', 'host:8400', 'unix:/x', '[::]:70000'],
     /0\.0\.0\.0:8400/],
    ['peer-public', ['my.host', '1.2.3.4:0', '::1', '1.2.3.4.5'], /IP address/],
    ['peer-entry', ['maybe'], /0 or 1/],
    ['peer-inbound', ['0', '81', 'all'], /1 to 80/],
    ['peer-outbound', ['0', '17', '-3'], /1 to 16/],
    ['stratum-listen', ['x', '127.0.0.1', '1.2.3.4.5:3333', '127.0.0.1:70000', 'host:3333'],
     /0\.0\.0\.0:3333/],
    ['stratum-connections', ['0', '1000001', 'many'], /1 to 1000000/],
    ['stratum-connections-per-address', ['0', '99999999999999999999', '1e3'], /1 to 1000000/],
    ['stratum-difficulty', ['-1', 'nan', 'inf', '1e-12', '1e16', 'x'], /1e-9 to 1e15/],
    ['stratum-difficulty-min', ['-0.5', '1e99', ' '], /1e-9 to 1e15/],
    ['stratum-shares-per-minute', ['0', '601', 'often'], /0\.1 to 600/],
    ['stratum-version-mask', ['1fffe00', 'zzzzzzzz', '1fffe0000'], /1fffe000/],
    ['stratum-device-override', ['x'.repeat(2000)], /too long/],
    ['http-listen', ['8080', 'localhost:8080', '127.0.0.1:x'], /127\.0\.0\.1:8080/],
    ['http-host', ['x'.repeat(2000)], /too long/],
    ['http-tls-cert', ['c'.repeat(2000)], /too long/],
    ['http-tls-key', ['k'.repeat(2000)], /too long/],
    ['http-plain', ['yes'], /0 or 1/],
    ['http-public', ['no'], /0 or 1/],
    ['log-level', ['loud', 'INFO', '3'], /error, warn, info or debug/],
    ['log-format', ['xml', 'JSON'], /text or json/],
];
// Whether these are right shows when they are opened, not when they are read.
const OPENED_LATER = ['pool', 'data'];
const HIDDEN = ['daemon-password', 'secret'];
const SHOWN_MAX = 100; // characters of a value that a sentence may leave out

async function refuses(name, args, status, patterns, options = {}) {
    const { code, error, out } = await runCommand(join(BIN, 'shoal'), args, options);
    const said = (error + out).trim();
    const missing = patterns.filter((pattern) => !pattern.test(said));
    check(name, code === status && missing.length === 0 && said.split('\n').length <= 4,
          `status ${code}, said "${said.slice(0, 400)}"`);
}

const literal = (text) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

// As a flag, in the environment and in a file, for the values of one key.
async function wrongValues(good, [key, values, hint]) {
    for (const value of values) {
        const shown = value.length > SHOWN_MAX || HIDDEN.includes(key) ? [] : [literal(value)];
        const patterns = [literal(key), hint, ...shown];
        await refuses(`${key} = "${value.slice(0, 40)}" is refused as a flag`,
                      ['node', ...good(key), `--${key}=${value}`], MISUSED, patterns);
    }
    if (key === 'config')
        return; // the variable is that of the file, and the sentence the same
    const variable = `SHOAL_${key.toUpperCase().replaceAll('-', '_')}`;
    await refuses(`${key} is refused in the environment`, ['node', ...good(key)], MISUSED,
                  [literal(key), literal(variable), hint], { env: { [variable]: values[0] } });
}

async function configuration() {
    const pool = await newPool('refusals', {
        chain: 'regtest', 'easiest-bits': '207fffff', 'anchor-header': '00'.repeat(72) +
            'ffff7f2000000000' });
    const good = (key) => Object.entries({ pool: pool.path, daemon: 'http://127.0.0.1:1',
                                           data: folder('refusals-data') })
        .filter(([name]) => name !== key).map(([name, value]) => `--${name}=${value}`);
    for (const row of WRONG_VALUES)
        await wrongValues(good, row);
    const help = (await shoal('help', 'config')).out;
    const keys = [...help.matchAll(/^ +--([a-z-]+)/gm)].map(([, key]) => key);
    const tried = [...WRONG_VALUES.map(([key]) => key), ...OPENED_LATER];
    checkEqual('every key that the help lists was tried', keys.sort().join(),
               tried.sort().join());
    await wrongFiles(good);
    await wrongArguments(pool, good);
}

async function wrongFiles(good) {
    const path = join(folder('refusals-ini'), 'shoal.ini');
    const files = [
        ['an unknown key', 'lissten = 1\n', [/lissten/, /:1/]],
        ['an unknown section', '[stratun]\nlisten = 127.0.0.1:1\n', [/stratun/]],
        ['a wrong value in a section', '[stratum]\n\nlisten = here\n',
         [/stratum-listen/, /here/, /:3/, /0\.0\.0\.0:3333/]],
        ['a line that is none', '[log]\nlevel\n', [/:2/]],
        ['a key twice', '[log]\nlevel = info\nlevel = warn\n', [/log-level/, /twice|second/]],
        ['bytes that are no text', '\xff\xfe\x00\x01\n'.repeat(10), [/shoal\.ini/]],
    ];
    for (const [name, text, patterns] of files) {
        writeFileSync(path, text, 'latin1');
        await refuses(`configuration file: ${name} is refused`,
                      ['node', ...good(''), '--config', path], MISUSED, patterns);
    }
    mkdirSync(join(folder('refusals-ini'), 'folder'), { recursive: true });
    await refuses('configuration file: a folder is refused',
                  ['node', ...good(''), '--config', folder('refusals-ini')], MISUSED,
                  [/config/, /refusals-ini/]);
}

async function wrongArguments(pool, good) {
    const cases = [
        ['an unknown command', ['mine'], MISUSED, [/mine/, /shoal help/]],
        ['an unknown flag', ['node', ...good(''), '--stratum-lissten=1'], MISUSED,
         [/stratum-lissten/, /stratum-listen/]],
        ['a flag without a value', ['node', ...good(''), '--log-level'], MISUSED, [/log-level/]],
        ['a word too many', ['node', ...good(''), 'please'], MISUSED, [/please/]],
        ['no pool', ['node', ...good('pool')], MISUSED, [/pool/, /shoal pool new/]],
        ['no daemon', ['node', ...good('daemon')], MISUSED, [/daemon/, /http:/]],
        ['a flag twice', ['node', ...good(''), '--log-level=info', '--log-level=warn'], MISUSED,
         [/log-level/]],
        ['a pool file that is not there', ['node', ...good('pool'), '--pool=/nowhere/pool'],
         FAILED, [/pool/, /\/nowhere\/pool/, /No such file/]],
        ['a data directory that cannot be made', ['node', ...good('data'), '--data=/proc/x/y'],
         FAILED, [/data/, /\/proc\/x\/y/, /writable/]],
        ['a node that knows no other one', ['node', ...good(''), '--peer-listen='], FAILED,
         [/seed/, /shoal dht/, /--found/]],
        ['nodes at two ports', ['node', ...good(''), '--found',
            '--peer-listen=127.0.0.1:1,127.0.0.2:2'], FAILED, [/peer-listen/, /ports 1 and 2/]],
        ['a question without a node', ['status', '--data', folder('refusals-empty')], UNREACHED,
         [/refusals-empty/, /running/]],
        ['a block that is none', ['block', 'xyz', '--data', folder('refusals-empty')], MISUSED,
         [/64 hex digits/]],
        ['pool without a word', ['pool'], MISUSED, [/new, show, check or secret/]],
        ['pool secret with a word too many', ['pool', 'secret', '32'], MISUSED, [/no arguments/]],
        ['pool new without a file', ['pool', 'new'], MISUSED, [/file/]],
        ['pool new with an unknown key', ['pool', 'new', '--nonsense', '1', '-'], MISUSED,
         [/nonsense/]],
        ['pool new over a file that is there', ['pool', 'new', '--name', 'x', '--chain', 'regtest',
         '--easiest-bits', '207fffff', '--anchor-header', pool.anchor_header, pool.path], FAILED,
         [literal(pool.path), /exists/]],
        ['pool new with a hashrate that is none', ['pool', 'new', '--hashrate', 'fast', '-'],
         MISUSED, [/hashrate/, /fast/, /500T/]],
        ['pool new with a daemon that is away', ['pool', 'new', '--name', 'x', '--chain',
         'regtest', '--easiest-bits', '207fffff', '--daemon', 'http://127.0.0.1:1', '-'], FAILED,
         [/nobody listens/, /127\.0\.0\.1:1/]],
    ];
    const bare = await shoal();
    check('no command prints the commands and fails', bare.code === MISUSED &&
          /shoal COMMAND/.test(bare.out + bare.error));
    for (const [name, args, status, patterns] of cases)
        await refuses(`${name} is refused`, args, status, patterns);
}

// ---- Pool files

async function poolFiles() {
    const daemon = await Devchain.make('refusals-daemon', ['--bits', '207fffff']);
    await daemon.start();
    const pool = await newPool('to-break', { chain: 'devchain', daemon: daemon.url,
                                             'easiest-bits': '207fffff' });
    const rows = Object.entries(pool).filter(([key]) => !['path', 'id'].includes(key));
    const changed = (changes, [key, value]) => [key, key in changes ? changes[key] : value];
    const text = (changes) => rows.map((row) => changed(changes, row))
        .filter(([, value]) => value !== null)
        .map(([key, value]) => `${key} = ${value}\n`).join('');
    const path = join(folder('broken'), 'pool');
    const checkFile = async (name, content, patterns) => {
        writeFileSync(path, content, 'latin1');
        await refuses(`pool file: ${name} is refused`, ['pool', 'check', path], FAILED,
                      [literal(path), ...patterns]);
    };
    const wrong = {
        version: ['0', '2', 'one'], name: ['', 'Upper', 'x'.repeat(33), 'a b'],
        chain: ['bitcoim', '1'], link_spacing: ['0', '3601', '-1', '01', '+1', '1.0'],
        half_life: ['59', '86401'], easiest_bits: ['207FFFFF', '0x207fffff', '2100ffff', '00000000',
                                                   '01003456', '207ffff'],
        grains_per_link: ['0', '1001'], body_grains_max: ['0', '4001'], horizon: ['0', '2001'],
        inclusion_fee_bp: ['1001', 'x'], window_multiple: ['0', '1000000001'],
        window_blocks: ['0', '100001'], outputs: ['0', '1001', '99999999999999999999'],
        min_payout: ['0', '10000000001'], genesis_time: ['4294967296', ''],
        anchor_height: ['1', '2015'], anchor_prev_time: ['1'],
        anchor_header: ['00', pool.anchor_header.slice(2), `${pool.anchor_header}00`,
                        pool.anchor_header.toUpperCase(), 'zz'.repeat(80), '00'.repeat(80)],
    };
    for (const [key, values] of Object.entries(wrong))
        for (const value of values)
            await checkFile(`${key} = ${value.slice(0, 24)}`, text({ [key]: value }),
                            [literal(key)]);
    checkEqual('every key of a pool file was tried', Object.keys(wrong).sort().join(),
               rows.map(([key]) => key).sort().join());
    await otherBreaks(checkFile, text, pool, path);
}

async function otherBreaks(checkFile, text, pool, path) {
    for (const key of ['name', 'chain', 'easiest_bits', 'genesis_time', 'anchor_height',
                       'anchor_header'])
        await checkFile(`no ${key}`, text({ [key]: null }), [literal(key), /missing/]);
    await checkFile('a key twice', `${text({})}outputs = 48\n`, [/outputs/, /:\d+/]);
    await checkFile('an unknown key', `${text({})}colour = red\n`, [/colour/]);
    await checkFile('a line without =', `${text({})}outputs\n`, [/:\d+/]);
    await checkFile('an empty file', '', [/missing/]);
    await checkFile('a file of zeros', '\0'.repeat(5000), []);
    await checkFile('a file cut off', text({}).slice(0, -40), []);
    await checkFile('a huge file', `# ${'x'.repeat(200000)}\n${text({})}`, []);
    await refuses('pool file: a folder is refused', ['pool', 'check', folder('broken')], FAILED,
                  [/Is a directory/]);
    await refuses('pool file: none is refused', ['pool', 'check', '/nowhere/pool'], FAILED,
                  [/No such file/]);
    // And what is not broken, written in other ways, is the same pool.
    writeFileSync(path, text({}).split('\n').reverse().join('\r\n').replaceAll(' = ', '\t=  ')
        .replace('\r\n', '\r\n  # a comment = 1\r\n\r\n'));
    const same = await shoal('pool', 'check', path);
    checkEqual('a pool file in another order and form has the same id', same.out.trim(), pool.id);
}

async function ports() {
    const port = await freePort();
    const daemon = await Devchain.make('refusals-port', ['--bits', '207fffff']);
    await daemon.start();
    const pool = await newPool('port', { chain: 'devchain', daemon: daemon.url,
                                         'easiest-bits': '207fffff' });
    const good = ['node', '--pool', pool.path, '--data', folder('port-data'), '--daemon',
                  daemon.url, '--http-listen=', '--found'];
    await refuses('a Stratum port that is in use is refused',
                  [...good, '--peer-listen=', '--stratum-listen', `127.0.0.1:${daemon.port}`],
                  FAILED, [literal(`127.0.0.1:${daemon.port}`), /another program/]);
    await refuses('an address of another machine is refused',
                  [...good, '--peer-listen=', '--stratum-listen', `192.0.2.1:${port}`],
                  FAILED, [literal(`192.0.2.1:${port}`), /no such address/]);
    await refuses('a port for nodes that is in use is refused',
                  [...good, '--peer-listen', `127.0.0.1:${daemon.port}`, '--stratum-listen',
                   `127.0.0.1:${port}`],
                  FAILED, [/peer-listen/, literal(`127.0.0.1:${daemon.port}`), /another program/]);
    await refuses('an address of another machine is refused for nodes',
                  [...good, '--peer-listen', `192.0.2.1:${port}`, '--stratum-listen',
                   `127.0.0.1:${port}`],
                  FAILED, [/peer-listen/, literal(`192.0.2.1:${port}`), /no such address/]);
}

await script('refusals', async () => {
    await Promise.all([part('configuration', configuration), part('pool files', poolFiles),
                       part('ports', ports)]);
});
