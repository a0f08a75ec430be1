// The published description of the API against a running node: every route is described as it is,
// every described path exists, and real answers and events are what the schemas say, without a
// member that is not described.
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { Dashboard, httpAnswer } from './lib/dashboard.mjs';
import { BIN, runCommand } from './lib/processes.mjs';
import { StratumConnection } from './lib/stratum.mjs';
import { check, checkEqual, script, waitFor } from './lib/checks.mjs';

const PREFIX = '/api/v1/';
const EVENTS_SECONDS = 60;
const PASSWORD = 'correct horse battery';

// ---- What the node itself says of its routes

// A line to the control socket, and the answer.
function ask(node, question) {
    return new Promise((done, reject) => {
        let text = '';
        const socket = connect(join(node.data, 'control.sock'), () =>
            socket.write(`${JSON.stringify(question)}\n`));
        socket.setEncoding('utf8');
        socket.on('data', (data) => {
            text += data;
            if (text.endsWith('\n'))
                socket.end();
        });
        socket.on('close', () => done(JSON.parse(text)));
        socket.on('error', reject);
    });
}

function sortedNames(list) {
    return list.map(({ name }) => name).sort().join(' ');
}

// What is wrong with the description of one parameter, or ''.
function parameterProblem(parameter, described, path) {
    const { schema } = described;
    const isInPath = path.includes(`{${parameter.name}}`);
    if ((described.in === 'path') !== isInPath || described.required !== isInPath)
        return 'is in another place';
    if (parameter.kind === 'number')
        return schema.minimum === parameter.min && schema.maximum === parameter.max &&
            (schema.default ?? parameter.number) === parameter.number ? '' :
            'has another range or default';
    if (parameter.kind === 'word')
        return schema.enum?.join(' ') === parameter.words ? '' : 'has other words';
    if (parameter.kind === 'hash')
        return schema.pattern?.includes('{64}') ? '' : 'is no hash';
    return schema.maxLength === parameter.max ? '' : 'has another length';
}

function routeProblem(route, described) {
    if (described === undefined)
        return 'is not described';
    if (described['x-role'] !== route.role)
        return `is for ${route.role}, not ${described['x-role']}`;
    if ((described.requestBody !== undefined) !== route.has_body)
        return 'differs in whether it has a body';
    const parameters = described.parameters ?? [];
    if (sortedNames(parameters) !== sortedNames(route.parameters))
        return `takes ${sortedNames(route.parameters)}, not ${sortedNames(parameters)}`;
    return route.parameters.map((parameter) => {
        const problem = parameterProblem(parameter,
                                         parameters.find(({ name }) => name === parameter.name),
                                         route.path);
        return problem === '' ? '' : `${parameter.name} ${problem}`;
    }).filter((problem) => problem !== '').join('; ');
}

function judgeRoutes(description, routes) {
    const wrong = routes.map((route) => {
        const problem = routeProblem(route, description.paths[`/${route.path}`]?.[route.method]);
        return problem === '' ? '' : `${route.method} ${route.path} ${problem}`;
    }).filter((problem) => problem !== '');
    check(`${routes.length} routes are described as they are`,
          routes.length > 20 && wrong.length === 0, wrong.join('\n'));
    const there = new Set(routes.map(({ method, path }) => `${method} /${path}`));
    const more = Object.entries(description.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method} ${path}`)).filter((each) =>
        !there.has(each));
    check('every path that is described is there', more.length === 0, more.join(', '));
}

// ---- Schemas

class Schemas {
    constructor(description) {
        this.ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true,
                             allErrors: true });
        this.ajv.addVocabulary(['components']);
        this.ajv.addSchema({ $id: 'api', components: description.components });
        this.description = description;
    }

    // The problems of a value under a schema by name, or ''.
    problems(name, value) {
        const validate = this.ajv.getSchema(`api#/components/schemas/${name}`);
        if (validate === undefined)
            return `there is no schema ${name}`;
        return validate(value) ? '' : this.ajv.errorsText(validate.errors).slice(0, 600);
    }

    // The same under any schema of the description.
    problemsOf(schema, value) {
        const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
        const validate = this.ajv.compile(JSON.parse(text));
        return validate(value) ? '' : this.ajv.errorsText(validate.errors).slice(0, 600);
    }

    // The name of the schema of a document.
    nameOf(path) {
        const content = this.description.paths[`/${path}`].get.responses['200'].content;
        return content['application/json'].schema.$ref.split('/').at(-1);
    }
}

// Objects that would take a member that nobody described; those with members by verdict or reason
// say what those are.
function looseObjects(schema, place, found = []) {
    if (Array.isArray(schema)) {
        schema.forEach((each, i) => looseObjects(each, `${place}[${i}]`, found));
        return found;
    }
    if (typeof schema !== 'object' || schema === null)
        return found;
    if (schema.properties !== undefined && schema.additionalProperties !== false)
        found.push(place);
    for (const [name, value] of Object.entries(schema))
        looseObjects(value, `${place}.${name}`, found);
    return found;
}

// ---- Answers

async function get(port, path) {
    const answer = await httpAnswer(port, PREFIX + path);
    return { status: answer.status, type: answer.headers['content-type'],
             document: JSON.parse(answer.body) };
}

// The description's path -> a question for it, with what this node has.
async function questions(port) {
    const { document: shares } = await get(port, 'shares');
    const { document: links } = await get(port, 'links?limit=3');
    const { document: blocks } = await get(port, 'blocks?limit=1');
    const { address } = shares.shares.find((share) => share.address !== null);
    return {
        'addresses/{address}': `addresses/${address}`,
        'shares/{id}': `shares/${shares.shares.at(-1).id}`,
        'links/{id}': `links/${links.links.at(-1).id}`,
        'blocks/{id}': `blocks/${blocks.blocks[0].id}`,
        shares: `shares?limit=5&address=${address}`,
        links: 'links?limit=2',
        blocks: 'blocks?limit=1',
        'payouts/history': 'payouts/history?limit=3',
    };
}

function documentPaths(description) {
    return Object.entries(description.paths).filter(([path, methods]) =>
        methods.get?.responses['200'].content?.['application/json']?.schema.$ref !== undefined &&
        methods.get['x-role'] === 'public' && path !== '/openapi.json')
        .map(([path]) => path.slice(1));
}

async function judgeAnswers(schemas, port) {
    const asked = await questions(port);
    for (const path of documentPaths(schemas.description)) {
        const question = asked[path] ?? path;
        if (question.includes('{'))
            continue; // of something that this pool has none of
        const { status, document } = await get(port, question);
        check(`${path} is what its schema says`, status === 200 &&
              schemas.problems(schemas.nameOf(path), document) === '',
              `${status} ${schemas.problems(schemas.nameOf(path), document)}`);
    }
}

// For viewers: over the control socket, whose answers come from the same function.
async function judgeConfiguration(schemas, node) {
    const document = await ask(node, { command: 'config' });
    checkEqual('config is what its schema says', schemas.problems('Config', document), '');
    const source = (key) => document.values.find((row) => row.key === key)?.source;
    check('and says where a value is from', source('pool') === 'flag' &&
          source('upnp') === 'default', `${source('pool')}, ${source('upnp')}`);
    const miners = await ask(node, { command: 'miners' });
    checkEqual('miners with their addresses are, too', schemas.problems('Miners', miners), '');
    check('and those are shown', miners.miners.length > 0 && miners.miners[0].peer !== null);
}

async function judgeProblems(schemas, port) {
    const hash = '0'.repeat(64);
    const wrong = [
        ['blocks?limit=0', 400, 'limit'], ['blocks?limit=501', 400, 'limit'],
        ['blocks?limit=-1', 400, 'limit'], ['blocks?limit=1e3', 400, 'limit'],
        ['blocks?from=99999999999999999999999', 400, 'from'], ['links?limit=', 400, 'limit'],
        ['links?limit=5&limit=6', 400, 'limit'], ['links?form=7', 400, undefined],
        ['shares/7', 400, 'id'], [`shares/${hash}`, 404, 'id'], [`links/${hash}`, 404, 'id'],
        [`blocks/${hash}`, 404, 'id'], ['addresses/nobody', 400, 'address'],
        ['addresses/%3Cb%3E%22%27', 400, 'address'], ['shares?address=%00', 400, 'address'],
        ['shares?address=1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 400, 'address'],
    ];
    const odd = [];
    for (const [path, status, parameter] of wrong) {
        const answer = await get(port, path);
        const problems = schemas.problems('Problem', answer.document);
        if (answer.status !== status || problems !== '' || answer.document.status !== status ||
            answer.type !== 'application/problem+json' ||
            (parameter !== undefined && answer.document.parameter !== parameter))
            odd.push(`${path}: ${answer.status} ${problems} ${JSON.stringify(answer.document)}`);
    }
    check(`${wrong.length} wrong questions get a problem that names what is wrong`,
          odd.length === 0, odd.join('\n'));
}

// ---- Accounts and actions

// A request with more headers; { status, headers, document }.
function send(port, headers, [method, path, body]) {
    return new Promise((done, reject) => {
        const text = body === undefined ? '' : JSON.stringify(body);
        const asked = request({ host: '127.0.0.1', port, path: PREFIX + path, agent: false,
                                method: method.toUpperCase(), headers: {
            ...headers, 'content-length': Buffer.byteLength(text),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }) } });
        asked.on('response', (answer) => {
            let got = '';
            answer.setEncoding('utf8');
            answer.on('data', (data) => { got += data; });
            answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers,
                                          document: JSON.parse(got) }));
        });
        asked.on('error', reject);
        asked.end(text);
    });
}

// An administrator is made on the machine itself, and signs in as a browser does; the headers that
// make a request his.
async function signIn({ node, port }, exchange) {
    const made = await runCommand(join(BIN, 'shoal'),
        ['account', 'add', 'root', '--role', 'admin', '--data', node.data],
        { input: `${PASSWORD}\n${PASSWORD}\n` });
    if (made.code !== 0)
        throw new Error(`shoal account add: ${made.out}${made.error}`);
    const origin = { origin: `http://127.0.0.1:${port}` };
    const answer = await exchange(origin, 'post', 'session', 'session',
                                  { name: 'root', password: PASSWORD });
    return { ...origin, cookie: answer.headers['set-cookie'][0].split(';')[0],
             'x-shoal-csrf': answer.document.csrf };
}

// What was sent and answered, held against the description. '' if both are as it says.
function exchangeProblems(schemas, [method, described, body], { status, document }) {
    const operation = schemas.description.paths[`/${described}`]?.[method];
    if (operation === undefined)
        return 'is not described';
    if (status !== 200)
        return `${status} ${JSON.stringify(document)}`;
    const sent = operation.requestBody?.content['application/json'].schema;
    const got = operation.responses['200'].content['application/json'].schema;
    return [sent === undefined ? '' : schemas.problemsOf(sent, body),
            schemas.problemsOf(got, document)].filter((each) => each !== '').join('; ');
}

async function judgeActions(schemas, dashboard) {
    const { port } = dashboard;
    const made = [];
    const exchangeWith = async (headers, method, described, path, body) => {
        const answer = await send(port, headers, [method, path, body]);
        const problems = exchangeProblems(schemas, [method, described, body], answer);
        made.push([`${method} ${path}`, problems]);
        return answer;
    };
    const headers = await signIn(dashboard, exchangeWith);
    const exchange = (...what) => exchangeWith(headers, ...what);
    const same = (method, path, body) => exchange(method, path, path, body);
    await same('get', 'config');
    const { document: { miners } } = await same('get', 'miners');
    await exchange('post', 'miners/{session}/disconnect', `miners/${miners[0].session}/disconnect`);
    await same('post', 'accounts', { name: 'eve', role: 'viewer', password: 'correct horse' });
    await same('get', 'accounts');
    await exchange('put', 'accounts/{name}/password', 'accounts/eve/password',
                   { password: 'battery staple' });
    await exchange('post', 'accounts/{name}/totp', 'accounts/eve/totp', {});
    const { document: { id } } = await same('post', 'tokens', { label: 'one', role: 'viewer' });
    await same('get', 'tokens');
    await exchange('delete', 'tokens/{id}', `tokens/${id}`);
    await exchange('delete', 'accounts/{name}', 'accounts/eve');
    await same('post', 'log-level', { level: 'info' });
    await same('post', 'config/reload');
    await same('post', 'peers/ban', { address: '192.0.2.7', seconds: 60, reason: 'a test' });
    await same('get', 'peers');
    await same('post', 'peers/unban', { address: '192.0.2.7' });
    await same('post', 'drain');
    await same('post', 'undrain');
    await same('get', 'audit');
    await same('get', 'session');
    const wrong = made.filter(([, problems]) => problems !== '');
    check(`${made.length} requests of an admin are taken and answered as described`,
          wrong.length === 0, wrong.map((each) => each.join(': ')).join('\n'));
    await judgeBodies(schemas, port, headers);
    const left = await send(port, headers, ['delete', 'session']);
    checkEqual('signing out is answered as described',
               exchangeProblems(schemas, ['delete', 'session', undefined], left), '');
}

// A body that the description refuses is refused by the node as well.
async function judgeBodies(schemas, port, headers) {
    const odd = [];
    const bodies = [{ unknown: 1 }, {}, { address: 7 }, { level: 'loud' }, { name: '' }];
    let count = 0;
    for (const [path, methods] of Object.entries(schemas.description.paths)) {
        for (const [method, { requestBody }] of Object.entries(methods)) {
            const schema = requestBody?.content['application/json'].schema;
            for (const body of schema === undefined ? [] : bodies) {
                if (schemas.problemsOf(schema, body) === '')
                    continue;
                const at = path.slice(1).replace(/{\w+}/g, 'nobody');
                const { status, document } = await send(port, headers, [method, at, body]);
                count++;
                if (![400, 404].includes(status) || schemas.problems('Problem', document) !== '')
                    odd.push(`${method} ${at} ${JSON.stringify(body)}: ${status}`);
            }
        }
    }
    check(`${count} bodies that are not as described are refused`, count > 20 &&
          odd.length === 0, odd.join('\n'));
}

// Every page of a list, followed by its "next".
async function judgePages(port) {
    const seen = [];
    let from = 0;
    while (from !== null && seen.length < 10000) {
        const { document } = await get(port, `blocks?limit=2&from=${from}`);
        seen.push(...document.blocks.map(({ number }) => number));
        from = document.next;
    }
    const isEach = seen.every((number, i) => i === 0 || number === seen[i - 1] - 1);
    check(`pages of blocks hold all ${seen.length} of them, newest first`,
          isEach && seen.at(-1) === 1, seen.join(' '));
}

// ---- Events

// Reads the stream until `isEnough`, or for at most so many seconds; the events.
function readEvents(port, secondsMax, isEnough) {
    return new Promise((done, reject) => {
        const events = [];
        let text = '';
        const asked = request({ host: '127.0.0.1', port, path: `${PREFIX}events`, agent: false,
                                headers: { accept: 'text/event-stream' } });
        const stop = () => {
            clearTimeout(timer);
            asked.destroy();
            done(events);
        };
        const timer = setTimeout(stop, secondsMax * 1000);
        asked.on('response', (answer) => {
            answer.setEncoding('utf8');
            answer.on('error', () => {});
            answer.on('data', (data) => {
                text += data;
                const whole = text.split('\n\n');
                text = whole.pop();
                for (const each of whole) {
                    const line = each.split('\n').find((one) => one.startsWith('data:'));
                    if (line !== undefined)
                        events.push(JSON.parse(line.slice(5)));
                }
                if (isEnough(events))
                    stop();
            });
        });
        asked.on('error', (error) => (events.length > 0 ? undefined : reject(error)));
        asked.end();
    });
}

async function judgeEvents(schemas, dashboard) {
    const wanted = ['share', 'grain', 'link', 'block', 'job', 'miner_up', 'miner_down', 'status'];
    const kindsOf = (events) => new Set(events.map(({ event }) => event));
    const reading = readEvents(dashboard.port, EVENTS_SECONDS, (events) =>
        wanted.every((kind) => kindsOf(events).has(kind)));
    const connection = new StratumConnection(dashboard.node.port);
    await connection.open();
    await connection.ask('mining.subscribe', ['openapi']);
    await connection.ask('mining.authorize', [`${dashboard.address('p2wpkh')}.event`, 'x']);
    connection.close();
    const events = await reading;
    const missing = wanted.filter((kind) => !kindsOf(events).has(kind));
    check(`${wanted.length} kinds of events come`, missing.length === 0, missing.join(' '));
    const wrong = events.map((event) => [event, schemas.problems(`Event_${event.event}`, event)])
        .filter(([, problems]) => problems !== '');
    check(`${events.length} events are what their schemas say`,
          events.length > 0 && wrong.length === 0,
          wrong.slice(0, 3).map(([event, problems]) =>
              `${problems}: ${JSON.stringify(event)}`).join('\n'));
}

await script('openapi', async () => {
    const dashboard = new Dashboard();
    await dashboard.begin('openapi');
    dashboard.startMiners();
    const { node, port } = dashboard;
    const description = JSON.parse((await httpAnswer(port, `${PREFIX}openapi.json`)).body);
    checkEqual('it is OpenAPI 3.1', description.openapi, '3.1.0');
    const loose = looseObjects(description.components.schemas, 'schemas');
    check('no schema takes members that are not described', loose.length === 0, loose.join(', '));
    judgeRoutes(description, (await ask(node, { command: 'routes' })).routes);
    const schemas = new Schemas(description);
    await waitFor('blocks and payouts of several miners', 90, async () =>
        (await get(port, 'payouts/history')).document.blocks.some(({ outputs }) =>
            outputs !== null && outputs.length > 1) &&
        (await get(port, 'blocks')).document.total > 3);
    await judgeAnswers(schemas, port);
    await judgeConfiguration(schemas, node);
    await judgeProblems(schemas, port);
    await judgePages(port);
    await judgeEvents(schemas, dashboard);
    await judgeActions(schemas, dashboard);
});
