// Payout addresses of all five script kinds, made from a seed: nobody knows their keys. Encoders
// for base58check, bech32 and bech32m of this test's own.
import { sha256, sha256d } from './bytes.mjs';

// Versions and prefixes as protocol section 1's chains have them.
const FORMS = {
    regtest: { p2pkh: 0x6f, p2sh: 0xc4, prefix: 'bcrt' },
    'litecoin-regtest': { p2pkh: 0x6f, p2sh: 0x3a, prefix: 'rltc' },
    devchain: { p2pkh: 0x6f, p2sh: 0xc4, prefix: 'bcrt' },
    'devchain-scrypt': { p2pkh: 0x6f, p2sh: 0x3a, prefix: 'rltc' },
};

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const BECH32_GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const FIELD = (1n << 256n) - (1n << 32n) - 977n; // of secp256k1

function base58Check(version, hash) {
    const payload = Buffer.concat([Buffer.from([version]), hash]);
    const bytes = Buffer.concat([payload, sha256d(payload).subarray(0, 4)]);
    let number = BigInt('0x' + bytes.toString('hex'));
    let text = '';
    for (; number > 0n; number /= 58n)
        text = BASE58[Number(number % 58n)] + text;
    return text;
}

function bech32Polymod(values) {
    let sum = 1;
    for (const value of values) {
        const top = sum >>> 25;
        sum = ((sum & 0x1ffffff) << 5) ^ value;
        for (let i = 0; i < 5; i++)
            sum ^= (top >>> i) & 1 ? BECH32_GENERATOR[i] : 0;
    }
    return sum >>> 0;
}

function toFiveBits(bytes) {
    const values = [];
    let bits = 0;
    let count = 0;
    for (const byte of bytes) {
        bits = (bits << 8 | byte) & 0xfff;
        for (count += 8; count >= 5; count -= 5)
            values.push(bits >> (count - 5) & 31);
    }
    if (count > 0)
        values.push(bits << (5 - count) & 31);
    return values;
}

function segwit(prefix, version, program) {
    const values = [version, ...toFiveBits(program)];
    const letters = [...prefix].map((letter) => letter.charCodeAt(0));
    const head = [...letters.map((code) => code >> 5), 0, ...letters.map((code) => code & 31)];
    const constant = version === 0 ? 1 : 0x2bc830a3;
    const sum = (bech32Polymod([...head, ...values, 0, 0, 0, 0, 0, 0]) ^ constant) >>> 0;
    for (let i = 0; i < 6; i++)
        values.push(sum >>> (5 * (5 - i)) & 31);
    return prefix + '1' + values.map((value) => BECH32[value]).join('');
}

function power(base, exponent) {
    let result = 1n;
    for (; exponent > 0n; exponent >>= 1n) {
        if (exponent & 1n)
            result = result * base % FIELD;
        base = base * base % FIELD;
    }
    return result;
}

// The x of some point of the curve: nothing else may stand in a taproot address.
function curveKey(seed) {
    for (let i = 0; ; i++) {
        const bytes = sha256(Buffer.from(`${seed} ${i}`));
        const x = BigInt('0x' + bytes.toString('hex'));
        const square = (x * x % FIELD * x + 7n) % FIELD;
        if (x < FIELD && power(square, (FIELD - 1n) / 2n) === 1n)
            return bytes;
    }
}

const hash20 = (seed) => sha256(Buffer.from(seed)).subarray(0, 20);
const hash32 = (seed) => sha256(Buffer.from(seed));

const KINDS = {
    p2wpkh: (form, seed) => [segwit(form.prefix, 0, hash20(seed)),
                             '0014' + hash20(seed).toString('hex')],
    p2wsh: (form, seed) => [segwit(form.prefix, 0, hash32(seed)),
                            '0020' + hash32(seed).toString('hex')],
    p2tr: (form, seed) => [segwit(form.prefix, 1, curveKey(seed)),
                           '5120' + curveKey(seed).toString('hex')],
    p2pkh: (form, seed) => [base58Check(form.p2pkh, hash20(seed)),
                            '76a914' + hash20(seed).toString('hex') + '88ac'],
    p2sh: (form, seed) => [base58Check(form.p2sh, hash20(seed)),
                           'a914' + hash20(seed).toString('hex') + '87'],
};

// [{ kind, address, script }], one of each kind, the same for the same seed.
export function addressesOfAllKinds(chain, seed) {
    return Object.keys(KINDS).map((kind) => addressOf(chain, kind, seed));
}

export function addressOf(chain, kind, seed) {
    const [address, script] = KINDS[kind](FORMS[chain], `${seed} ${kind}`);
    return { kind, address, script };
}
