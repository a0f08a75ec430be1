// Fee-paying transactions on bcoin's regtest, so that blocks carry more than a coinbase. Uses
// bcoin's own library for keys and signatures: what is tested is the pool, not the wallet.
import { createRequire } from 'node:module';

process.env.NODE_BACKEND = 'js';
process.env.BCOIN_NO_NATIVE = '1';
const { Amount, Coin, KeyRing, MTX } = createRequire(import.meta.url)('bcoin');

const FEE_SATS = 12345;
const COINBASE_DEPTH = 101;

export class Spender {
    constructor(daemon) {
        this.daemon = daemon;
        this.ring = KeyRing.generate();
        this.ring.witness = true;
        this.sent = new Map(); // txid -> fee
    }

    // For generatetoaddress.
    address() {
        return this.ring.getAddress().toString('regtest');
    }

    async sign(coin, outputs) {
        const mtx = new MTX();
        mtx.addCoin(coin);
        for (const value of outputs)
            mtx.addOutput(this.ring.getAddress(), value);
        mtx.sign(this.ring);
        await this.daemon.rpc.call('sendrawtransaction', mtx.toRaw().toString('hex'));
        this.sent.set(mtx.txid(), BigInt(coin.value - outputs.reduce((sum, out) => sum + out, 0)));
        return mtx;
    }

    // Spends the coinbase of a block that paid us, and then what that gave: a parent and a child.
    async spendCoinbase(height) {
        const tip = await this.daemon.rpc.call('getblockcount');
        if (tip - height < COINBASE_DEPTH)
            throw new Error(`the coinbase of ${height} may not be spent at ${tip}`);
        const hash = await this.daemon.rpc.call('getblockhash', height);
        const { tx: [txid] } = await this.daemon.rpc.call('getblock', hash, 1);
        const { value } = await this.daemon.rpc.call('gettxout', txid, 0);
        const coin = Coin.fromOptions({
            version: 1, height, coinbase: true, hash: Buffer.from(txid, 'hex').reverse()
                .toString('hex'),
            index: 0, value: Amount.fromBTC(value).toValue(),
            script: this.ring.getProgram(),
        });
        const half = Math.floor((coin.value - FEE_SATS) / 2);
        const parent = await this.sign(coin, [half, half]);
        await this.sign(Coin.fromTX(parent, 0, -1), [half - 2 * FEE_SATS]);
    }
}
