// Whole blocks that peers send: what a daemon is given is the block of a share that is here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/bitcoin/merkle.h"
#include "node/bitcoin/tx.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"
#include "tests/unit/node/chain_port_fixture.h"

#define TXS_MAX 4

struct scene {
    struct pool pool;
    struct port_node node;
    struct share share;
    struct hash256 id;
    uint8_t txs[TXS_MAX][512]; // the coinbase first
    size_t sizes[TXS_MAX];
    size_t count;
    uint8_t block[4096];
    size_t block_size;
};

// A transaction with one input and one output; with a witness, if it has one.
static void make_tx(struct scene *scene, size_t i, bool has_witness)
{
    struct buffer out;
    buffer_init_fixed(&out, scene->txs[i], sizeof(scene->txs[i]));
    uint8_t outpoint[36] = {(uint8_t)i};
    write_u32(&out, 2);
    if (has_witness)
        write_bytes(&out, "\x00\x01", 2);
    write_u8(&out, 1);
    write_bytes(&out, outpoint, sizeof(outpoint));
    write_u8(&out, 0);
    write_u32(&out, UINT32_MAX);
    write_u8(&out, 1);
    write_u64(&out, 1000 + i);
    write_bytes(&out, "\x01\x51", 2);
    if (has_witness)
        write_bytes(&out, "\x01\x02\xaa\xbb", 4);
    write_u32(&out, 0);
    scene->sizes[i] = out.size;
}

static struct tx_summary summary_of(const struct scene *scene, size_t i)
{
    struct tx_summary summary;
    struct reader reader = reader_init(scene->txs[i], scene->sizes[i]);
    assert_true(tx_read(&reader, &summary) && reader_is_done(&reader));
    return summary;
}

static void commitment_of(const struct scene *scene, struct hash256 *commitment)
{
    struct hash256 wtxids[TXS_MAX] = {{{0}}};
    uint8_t bytes[64] = {0};
    struct hash256 root;
    for (size_t i = 1; i < scene->count; i++)
        wtxids[i] = summary_of(scene, i).wtxid;
    merkle_root(wtxids, scene->count, &root);
    memcpy(bytes, root.bytes, 32);
    sha256d(bytes, sizeof(bytes), commitment);
}

// The coinbase of the share as a transaction; its witness is the nonce of 32 zero bytes.
static void make_coinbase(struct scene *scene, const struct mint *mint, const struct script *script)
{
    struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    uint8_t plain[512];
    struct buffer bare, out;
    struct hash256 hash;
    struct coinbase_spec spec = {
        .height = mint->height,
        .outputs = outputs,
        .outputs_count = mint_outputs(mint, script, outputs),
        .witness_commitment = scene->share.has_witness ? &scene->share.witness_commitment : NULL,
    };
    buffer_init_fixed(&bare, plain, sizeof(plain));
    coinbase_write_prefix(&spec, &bare);
    share_info_hash(&scene->share.info, &hash);
    coinbase_write_tail(&hash, scene->share.extranonce, mint->height, &bare);
    assert_false(bare.failed);
    buffer_init_fixed(&out, scene->txs[0], sizeof(scene->txs[0]));
    write_bytes(&out, plain, 4);
    if (scene->share.has_witness)
        write_bytes(&out, "\x00\x01", 2);
    write_bytes(&out, plain + 4, bare.size - 8);
    if (scene->share.has_witness) {
        static const uint8_t nonce[34] = {1, 32};
        write_bytes(&out, nonce, sizeof(nonce));
    }
    write_bytes(&out, plain + bare.size - 4, 4);
    scene->sizes[0] = out.size;
}

static void find_header(struct scene *scene, const struct mint *mint)
{
    struct hash256 txids[TXS_MAX];
    struct u256 target;
    for (size_t i = 0; i < scene->count; i++)
        txids[i] = summary_of(scene, i).txid;
    assert_true(merkle_branch_build(txids + 1, scene->count - 1, &scene->share.branch));
    struct header header = {.version = 0x20000000, .prev = mint->prev, .bits = mint->header_bits};
    header.time = mint->info.time;
    merkle_root(txids, scene->count, &header.merkle_root);
    assert_true(target_expand(header.bits, &target));
    do {
        header.nonce++;
        header_encode(&header, scene->share.header);
        header_id(scene->share.header, &scene->id);
    } while (!target_is_met(&scene->id, &target) || !target_is_met(&scene->id, &mint->link_target));
}

static void make_block(struct scene *scene)
{
    struct buffer out;
    buffer_init_fixed(&out, scene->block, sizeof(scene->block));
    write_bytes(&out, scene->share.header, HEADER_SIZE);
    write_varint(&out, scene->count);
    for (size_t i = 0; i < scene->count; i++)
        write_bytes(&out, scene->txs[i], scene->sizes[i]);
    assert_false(out.failed);
    scene->block_size = out.size;
}

// A share with a block of `count` transactions, valid here.
static void scene_open(struct scene *scene, size_t count, bool has_witness)
{
    memset(scene, 0, sizeof(*scene));
    port_pool(&scene->pool);
    port_node_open(&scene->node, &scene->pool, 1);
    scene->count = count;
    for (size_t i = 1; i < count; i++)
        make_tx(scene, i, has_witness && i == 1);
    struct mint *mint;
    struct script script = maker_script(1);
    struct mint_spec spec = {
        .prev = header_chain_best(sharechain_headers(scene->node.chain))->id,
        .coinbase_value = 50 * UINT64_C(100000000),
        .has_witness = has_witness,
        .now = {((int64_t)scene->pool.genesis_time + 100) * 1000},
    };
    if (has_witness)
        commitment_of(scene, &spec.witness_commitment);
    assert_int_equal(sharechain_mint(scene->node.chain, &spec, &mint), MINT_OK);
    scene->share.coinbase_value = mint->coinbase_value;
    scene->share.has_witness = has_witness;
    scene->share.witness_commitment = spec.witness_commitment;
    mint_share_info(mint, &script, 0, &scene->share.info);
    make_coinbase(scene, mint, &script);
    find_header(scene, mint);
    uint8_t bytes[CHAIN_SHARE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    share_encode(&scene->share, &out);
    struct share_arrival arrival = {.bytes = bytes, .size = out.size};
    assert_int_equal(sharechain_add_share(scene->node.chain, &arrival), VERDICT_VALID);
    mint_release(mint);
    make_block(scene);
}

static bool is_block(struct scene *scene)
{
    const struct network_chain *table = &scene->node.table;
    return table->is_block(table->context, &scene->id, scene->block, scene->block_size);
}

static void whole_block_of_a_valid_share_is_one(void **state)
{
    (void)state;
    for (size_t count = 1; count <= TXS_MAX; count++) {
        for (int has_witness = 0; has_witness < 2; has_witness++) {
            struct scene scene;
            scene_open(&scene, count, has_witness == 1);
            assert_true(is_block(&scene));
            port_node_close(&scene.node);
        }
    }
}

static void changed_block_is_none(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3, true);
    // Whichever byte: header, count, transactions and witnesses are all committed to.
    for (size_t i = 0; i < scene.block_size; i++) {
        scene.block[i] ^= 1;
        assert_false(is_block(&scene));
        scene.block[i] ^= 1;
    }
    assert_true(is_block(&scene));
    scene.block_size--;
    assert_false(is_block(&scene));
    scene.block_size += 2;
    assert_false(is_block(&scene));
    scene.block_size = HEADER_SIZE;
    assert_false(is_block(&scene));
    scene.block_size = 0;
    assert_false(is_block(&scene));
    port_node_close(&scene.node);
}

// Three transactions and a fourth like the third have the same root.
static void block_with_a_repeated_end_is_none(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3, false);
    memcpy(scene.txs[3], scene.txs[2], sizeof(scene.txs[3]));
    scene.sizes[3] = scene.sizes[2];
    scene.count = 4;
    make_block(&scene);
    assert_false(is_block(&scene));
    scene.count = 3;
    make_block(&scene);
    assert_true(is_block(&scene));
    port_node_close(&scene.node);
}

static void block_of_another_share_is_none(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2, false);
    struct hash256 id = scene.id;
    scene.id.bytes[0] ^= 1;
    assert_false(is_block(&scene));
    scene.id = id;
    assert_true(is_block(&scene));
    port_node_close(&scene.node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_block_of_a_valid_share_is_one),
        cmocka_unit_test(changed_block_is_none),
        cmocka_unit_test(block_with_a_repeated_end_is_none),
        cmocka_unit_test(block_of_another_share_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
