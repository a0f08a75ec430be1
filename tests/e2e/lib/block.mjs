// Blocks, headers and coinbases of the coin, read from what the daemon hands out.
import { Reader, reversed, sha256d } from './bytes.mjs';

export function readHeader(bytes) {
    const reader = new Reader(bytes);
    return {
        id: sha256d(bytes.subarray(0, 80)).toString('hex'),
        version: reader.u32(),
        prev: reader.take(32).toString('hex'),
        merkleRoot: reader.take(32).toString('hex'),
        time: reader.u32(),
        bits: reader.u32(),
        nonce: reader.u32(),
    };
}

function readInputs(reader) {
    const inputs = [];
    for (let left = reader.varint(); left > 0; left--)
        inputs.push({
            prevout: reader.take(36),
            script: reader.varbytes(),
            sequence: reader.u32(),
            witness: [],
        });
    return inputs;
}

function readOutputs(reader) {
    const outputs = [];
    for (let left = reader.varint(); left > 0; left--)
        outputs.push({ amount: reader.u64(), script: reader.varbytes().toString('hex') });
    return outputs;
}

function readWitness(reader, inputs) {
    for (const input of inputs)
        for (let left = reader.varint(); left > 0; left--)
            input.witness.push(reader.varbytes());
}

export function readTransaction(reader) {
    const begin = reader.at;
    const version = reader.u32();
    const hasWitness = reader.bytes[reader.at] === 0;
    const bodyBegin = hasWitness ? begin + 6 : begin + 4;
    reader.at = bodyBegin;
    const inputs = readInputs(reader);
    const outputs = readOutputs(reader);
    const bodyEnd = reader.at;
    if (hasWitness)
        readWitness(reader, inputs);
    const locktime = reader.u32();
    const end = reader.at;
    const stripped = Buffer.concat([
        reader.bytes.subarray(begin, begin + 4),
        reader.bytes.subarray(bodyBegin, bodyEnd),
        reader.bytes.subarray(end - 4, end),
    ]);
    return {
        version, inputs, outputs, locktime, hasWitness,
        txid: sha256d(stripped).toString('hex'),
        wtxid: sha256d(reader.bytes.subarray(begin, end)).toString('hex'),
    };
}

export function readBlock(hex) {
    const bytes = Buffer.from(hex, 'hex');
    const reader = new Reader(bytes);
    const header = readHeader(reader.take(80));
    const transactions = [];
    for (let left = reader.varint(); left > 0; left--)
        transactions.push(readTransaction(reader));
    return { header, transactions, coinbase: transactions[0] };
}

// What BIP 34 wants a coinbase of this height to begin with.
export function heightPush(height) {
    if (height <= 16)
        return Buffer.from([height === 0 ? 0 : 0x50 + height]);
    const bytes = [];
    for (let left = height; left > 0; left = Math.floor(left / 256))
        bytes.push(left % 256);
    if (bytes[bytes.length - 1] >= 0x80)
        bytes.push(0);
    return Buffer.from([bytes.length, ...bytes]);
}

// The parts of a coinbase as protocol section 3 lays them out; throws if it is another one.
export function readPoolCoinbase(coinbase, height) {
    const { outputs, inputs } = coinbase;
    const last = outputs[outputs.length - 1];
    const head = Buffer.concat([heightPush(height), Buffer.from('\x05shoal', 'latin1')]);
    const script = inputs[0].script;
    const commitment = outputs.length > 1 ? outputs[outputs.length - 2] : null;
    const hasCommitment = commitment !== null && commitment.script.startsWith('6a24aa21a9ed');
    const wrong = [
        [inputs.length !== 1, 'one input'],
        [inputs[0].sequence !== 0xfffffffe, 'sequence fffffffe'],
        [!script.subarray(0, head.length).equals(head), 'height push and 05 "shoal"'],
        [script.length !== head.length, 'nothing after "shoal"'],
        [coinbase.version !== 2, 'version 2'],
        [coinbase.locktime !== height - 1, 'locktime height - 1'],
        [!/^6a3053484c31[0-9a-f]{88}$/.test(last.script), 'the SHL1 output last'],
        [last.amount !== 0n, 'no amount on the SHL1 output'],
        [hasCommitment && commitment.amount !== 0n, 'no amount on the witness commitment'],
        [hasCommitment !== coinbase.hasWitness, 'a witness nonce with the commitment only'],
    ].filter(([isWrong]) => isWrong).map(([, rule]) => rule);
    if (wrong.length > 0)
        throw new Error(`the coinbase of block ${height} breaks: ${wrong.join(', ')}`);
    return {
        payouts: outputs.slice(0, outputs.length - (hasCommitment ? 2 : 1)),
        witnessCommitment: hasCommitment ? commitment.script.slice(12) : null,
        shareInfoHash: last.script.slice(12, 76),
        extranonce: last.script.slice(76),
    };
}

export function blockIdForPeople(block) {
    return reversed(block.header.id);
}
