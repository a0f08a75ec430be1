// Bytes and hashes of the coin: readers, writers, SHA-256d, scrypt, hex. Hashes are kept as hex in
// wire order; `reversed` turns them into what people and daemons write, and back.
import { createHash, scryptSync } from 'node:crypto';

export function sha256(bytes) {
    return createHash('sha256').update(bytes).digest();
}

export function sha256d(bytes) {
    return sha256(sha256(bytes));
}

// H(tag, m) of protocol section 0.
export function taggedHash(tag, bytes) {
    const head = sha256(Buffer.from(tag, 'ascii'));
    return sha256(Buffer.concat([head, head, bytes]));
}

export function scryptOf(header) {
    return scryptSync(header, header, 32, { N: 1024, r: 1, p: 1 });
}

export function reversed(hex) {
    return Buffer.from(hex, 'hex').reverse().toString('hex');
}

export function numberOfLe(bytes) {
    return BigInt('0x' + (Buffer.from(bytes).reverse().toString('hex') || '0'));
}

export class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }

    take(size) {
        if (this.at + size > this.bytes.length)
            throw new Error(`${size} bytes wanted at ${this.at} of ${this.bytes.length}`);
        this.at += size;
        return this.bytes.subarray(this.at - size, this.at);
    }

    u8() {
        return this.take(1)[0];
    }

    u32() {
        return this.take(4).readUInt32LE();
    }

    u64() {
        return this.take(8).readBigUInt64LE();
    }

    varint() {
        const first = this.u8();
        if (first < 0xfd)
            return first;
        if (first === 0xfd)
            return this.take(2).readUInt16LE();
        return first === 0xfe ? this.u32() : Number(this.u64());
    }

    varbytes() {
        return this.take(this.varint());
    }

    isAtEnd() {
        return this.at === this.bytes.length;
    }
}

export function u32Bytes(value) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return bytes;
}

export function u64Bytes(value) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
}

export function varintBytes(value) {
    if (value < 0xfd)
        return Buffer.from([value]);
    const bytes = Buffer.alloc(value <= 0xffff ? 3 : 5);
    bytes[0] = value <= 0xffff ? 0xfd : 0xfe;
    if (value <= 0xffff)
        bytes.writeUInt16LE(value, 1);
    else
        bytes.writeUInt32LE(value, 1);
    return bytes;
}
