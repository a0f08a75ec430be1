#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/target.h"
#include "sharechain/retarget.h"
#include "sharechain/skeleton.h"
#include "tests/unit/sharechain/seeded.h"

#define START        1700000000u
#define BYTES_MAX    2048
#define COINBASE_MAX 65536

static const struct hash256 best_pow = {{0}}; // meets every target

struct fixture {
    struct seeded seeded;
    struct env env;
    struct pool pool;
    struct header_chain *headers;
};

static void open_pool(struct fixture *fixture)
{
    struct header anchor = {.version = 1, .time = START, .bits = 0x207fffff};
    struct pool_error error;
    memset(fixture, 0, sizeof(*fixture));
    fixture->env = seeded_env(&fixture->seeded);
    pool_defaults(&fixture->pool);
    memcpy(fixture->pool.name, "test", 5);
    fixture->pool.chain = chain_params_by_name("devchain");
    fixture->pool.easiest_bits = 0x1d00ffff;
    fixture->pool.genesis_time = START;
    header_encode(&anchor, fixture->pool.anchor_header);
    assert_true(pool_finish(&fixture->pool, &error));
    fixture->headers = header_chain_new(&fixture->env, &fixture->pool, NULL);
    assert_non_null(fixture->headers);
}

static void close_pool(struct fixture *fixture)
{
    header_chain_free(fixture->headers);
    seeded_env_clear(&fixture->env);
}

static const struct header_node *extend(struct fixture *f, const struct header_node *parent,
                                        uint32_t time)
{
    uint8_t bytes[HEADER_SIZE];
    struct hash256 id;
    struct header header = {.version = 1, .prev = parent->id, .time = time, .bits = 0x207fffff};
    header_encode(&header, bytes);
    header_id(bytes, &id);
    assert_int_equal(header_chain_add(f->headers, bytes, &best_pow), VERDICT_VALID);
    return header_chain_find(f->headers, &id);
}

static struct share_info any_info(struct seeded *seeded)
{
    struct share_info info;
    memset(&info, 0, sizeof(info));
    info.anchor = seeded_hash(seeded);
    info.link_height = (uint32_t)seeded_u64(seeded);
    info.time = (uint32_t)seeded_u64(seeded);
    info.link_bits = 0x1d00ffff;
    info.payout_script = (struct script){.size = 22, .bytes = {0x00, 0x14, 1, 2, 3}};
    info.body_root = seeded_hash(seeded);
    info.has_aux = seeded_below(seeded, 2) == 1;
    if (info.has_aux)
        memcpy(info.aux, "\xfa\xbe\x6d\x6d", 4);
    return info;
}

// A coinbase with this many outputs that commits to info.
static void write_coinbase(struct seeded *seeded, const struct share_info *info, int64_t height,
                           size_t outputs_count, struct buffer *out)
{
    static struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    struct hash256 hash;
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE];
    for (size_t i = 0; i < outputs_count; i++) {
        bool is_long = seeded_below(seeded, 2) == 1;
        outputs[i].amount = seeded_u64(seeded) >> 20;
        outputs[i].script = (struct script){.size = is_long ? 34 : 22,
                                            .bytes = {0x00, is_long ? 0x20 : 0x14, (uint8_t)i}};
    }
    struct hash256 commitment = seeded_hash(seeded);
    struct coinbase_spec spec = {
        .height = height,
        .aux = info->has_aux ? info->aux : NULL,
        .outputs = outputs,
        .outputs_count = outputs_count,
        .witness_commitment = seeded_below(seeded, 2) == 1 ? &commitment : NULL,
    };
    seeded_bytes(seeded, extranonce, sizeof(extranonce));
    coinbase_write_prefix(&spec, out);
    share_info_hash(info, &hash);
    coinbase_write_tail(&hash, extranonce, height, out);
}

// The skeleton of a share with this info on prev, right in all that is not given.
static void make(struct seeded *seeded, const struct share_info *info, struct header header,
                 int64_t height, struct skeleton *skeleton)
{
    struct share share = {.info = *info};
    struct buffer coinbase;
    struct hash256 txid;
    share.branch.count = (size_t)seeded_below(seeded, MERKLE_BRANCH_MAX + 1);
    for (size_t i = 0; i < share.branch.count; i++)
        share.branch.hashes[i] = seeded_hash(seeded);
    buffer_init(&coinbase, COINBASE_MAX);
    write_coinbase(seeded, info, height, 1 + (size_t)seeded_below(seeded, 60), &coinbase);
    assert_false(coinbase.failed);
    sha256d(coinbase.data, coinbase.size, &txid);
    merkle_branch_root(&share.branch, &txid, &header.merkle_root);
    header_encode(&header, share.header);
    skeleton_make(&share, coinbase.data, coinbase.size, skeleton);
    buffer_clear(&coinbase);
}

static void make_any(struct seeded *seeded, struct skeleton *skeleton)
{
    struct share_info info = any_info(seeded);
    struct header header = {.prev = seeded_hash(seeded), .time = 5, .bits = 6, .nonce = 7};
    make(seeded, &info, header, 1 + (int64_t)seeded_below(seeded, 1u << 31), skeleton);
}

static size_t encode(const struct skeleton *skeleton, uint8_t bytes[BYTES_MAX])
{
    struct buffer out;
    buffer_init_fixed(&out, bytes, BYTES_MAX);
    skeleton_encode(skeleton, &out);
    assert_false(out.failed);
    return out.size;
}

static void skeleton_survives_encoding_for_coinbases_of_every_length(void **state)
{
    (void)state;
    struct seeded seeded = {1};
    bool is_seen[SKELETON_REST_MAX + 1] = {false};
    size_t lengths = 0;
    for (int round = 0; round < 3000 && lengths < 64; round++) {
        struct skeleton skeleton;
        struct skeleton again;
        uint8_t bytes[BYTES_MAX];
        uint8_t second[BYTES_MAX];
        make_any(&seeded, &skeleton);
        size_t size = encode(&skeleton, bytes);
        assert_true(skeleton_decode(bytes, size, &again));
        assert_int_equal(encode(&again, second), size);
        assert_memory_equal(bytes, second, size);
        assert_int_equal(skeleton_height(&again), skeleton_height(&skeleton));
        assert_true(again.rest_size >= 63 && again.rest_size <= SKELETON_REST_MAX);
        lengths += !is_seen[again.rest_size];
        is_seen[again.rest_size] = true;
    }
    assert_int_equal(lengths, 64);
}

static void height_is_that_of_the_coinbase(void **state)
{
    (void)state;
    static const int64_t heights[] = {1, 16, 17, 840000, (int64_t)1 << 32};
    struct seeded seeded = {2};
    for (size_t i = 0; i < sizeof(heights) / sizeof(heights[0]); i++) {
        struct skeleton skeleton;
        struct share_info info = any_info(&seeded);
        make(&seeded, &info, (struct header){.version = 1}, heights[i], &skeleton);
        assert_int_equal(skeleton_height(&skeleton), heights[i]);
    }
}

static void skeleton_cut_anywhere_or_longer_is_refused(void **state)
{
    (void)state;
    struct seeded seeded = {3};
    for (int round = 0; round < 10; round++) {
        struct skeleton skeleton;
        struct skeleton again;
        uint8_t bytes[BYTES_MAX + 1] = {0};
        make_any(&seeded, &skeleton);
        size_t size = encode(&skeleton, bytes);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(skeleton_decode(bytes, cut, &again));
        assert_false(skeleton_decode(bytes, size + 1, &again));
    }
}

// All but version, time, bits and nonce of the header stands under the merkle root, and those are
// what is hashed to the id: nothing can be altered without becoming another link.
static void only_header_fields_outside_the_merkle_root_can_be_altered(void **state)
{
    (void)state;
    struct seeded seeded = {4};
    for (int round = 0; round < 5; round++) {
        struct skeleton skeleton;
        struct skeleton again;
        uint8_t bytes[BYTES_MAX];
        make_any(&seeded, &skeleton);
        size_t size = encode(&skeleton, bytes);
        for (size_t i = 0; i < size; i++) {
            bool is_free = (i >= 1 && i < 1 + 36) || (i >= 1 + 68 && i < 1 + 80);
            bytes[i] ^= 1;
            assert_int_equal(skeleton_decode(bytes, size, &again), is_free);
            bytes[i] ^= 1;
        }
    }
}

// The same coinbase cut after any number of blocks, every cut with the right hashes.
static size_t write_cut(struct seeded *seeded, const struct buffer *coinbase, size_t blocks,
                        struct buffer *out)
{
    struct share_info info = any_info(seeded);
    struct buffer whole;
    struct sha256 sha;
    struct header header = {.version = 1};
    uint8_t bytes[HEADER_SIZE];
    struct hash256 hash;
    uint8_t extranonce[COINBASE_EXTRANONCE_SIZE] = {0};
    buffer_init(&whole, COINBASE_MAX);
    share_info_hash(&info, &hash);
    write_bytes(&whole, coinbase->data, coinbase->size - COINBASE_TAIL_SIZE);
    coinbase_write_tail(&hash, extranonce, 9, &whole);
    sha256d(whole.data, whole.size, &header.merkle_root);
    header_encode(&header, bytes);
    sha256_init(&sha);
    sha256_update(&sha, whole.data, blocks * 64);
    write_u8(out, 1);
    write_bytes(out, bytes, sizeof(bytes));
    write_varint(out, 0);
    share_info_encode(&info, out);
    for (size_t i = 0; i < 8; i++)
        write_u32_be(out, sha.state.words[i]);
    write_u16(out, (uint16_t)blocks);
    size_t rest = whole.size - blocks * 64;
    write_varint(out, rest);
    write_bytes(out, whole.data + blocks * 64, rest);
    buffer_clear(&whole);
    return rest;
}

static void coinbase_is_cut_at_one_place_only(void **state)
{
    (void)state;
    struct seeded seeded = {5};
    struct share_info info = any_info(&seeded);
    size_t accepted = 0;
    info.has_aux = false;
    for (size_t outputs = 0; outputs < 48; outputs++) {
        struct buffer coinbase;
        buffer_init(&coinbase, COINBASE_MAX);
        // Without outputs and aux it may be so short that nothing is left for a block before the
        // rest.
        write_coinbase(&seeded, &info, 9, outputs / 4, &coinbase);
        for (size_t blocks = 0; blocks * 64 < coinbase.size; blocks++) {
            struct buffer bytes;
            struct skeleton skeleton;
            buffer_init(&bytes, COINBASE_MAX);
            size_t rest = write_cut(&seeded, &coinbase, blocks, &bytes);
            bool is_right = blocks >= 1 && rest >= 63 && rest <= SKELETON_REST_MAX;
            assert_int_equal(skeleton_decode(bytes.data, bytes.size, &skeleton), is_right);
            accepted += is_right;
            buffer_clear(&bytes);
        }
        buffer_clear(&coinbase);
    }
    assert_true(accepted >= 44 && accepted < 48);
}

// A chain of three links and what is right for the fourth.
struct chain {
    struct fixture f;
    struct skeleton_walk walk;
    struct share_info info;
    struct header header;
    int64_t height;
    const struct header_node *prev;
    const struct header_node *stale; // of less work than the tip
};

static void aim(struct chain *chain, const struct header_node *prev)
{
    const struct skeleton_walk *walk = &chain->walk;
    chain->info = any_info(&chain->f.seeded);
    chain->info.anchor = walk->id;
    chain->info.link_height = walk->height + 1;
    chain->info.time = walk->time + 10; // early, so that bits change with every link
    chain->info.link_bits = walk->height == 0 ? chain->f.pool.easiest_bits
                                              : retarget_link_bits(&chain->f.pool, walk->link_bits,
                                                                   walk->time, walk->anchor_time);
    chain->prev = prev;
    chain->height = prev->height + 1;
    chain->header =
        (struct header){.version = 1, .prev = prev->id, .time = prev->time + 1, .bits = 0x207fffff};
}

static bool step_with(struct chain *chain, const struct hash256 *pow)
{
    struct skeleton skeleton;
    struct skeleton_walk before = chain->walk;
    make(&chain->f.seeded, &chain->info, chain->header, chain->height, &skeleton);
    bool is_taken = skeleton_walk_step(&chain->walk, &skeleton, pow);
    assert_true(is_taken || memcmp(&before, &chain->walk, sizeof(before)) == 0);
    return is_taken;
}

static bool step(struct chain *chain)
{
    return step_with(chain, &best_pow);
}

static void open_links(struct chain *chain)
{
    memset(chain, 0, sizeof(*chain));
    open_pool(&chain->f);
    skeleton_walk_init(&chain->walk, &chain->f.pool, chain->f.headers);
    const struct header_node *anchor = header_chain_anchor(chain->f.headers);
    chain->stale = extend(&chain->f, anchor, START + 11);
    const struct header_node *tip =
        extend(&chain->f, extend(&chain->f, anchor, START + 10), START + 20);
    const struct header_node *prevs[3] = {anchor, tip, tip};
    for (size_t i = 0; i < 3; i++) {
        aim(chain, prevs[i]);
        assert_true(step(chain));
    }
    aim(chain, tip);
}

static void right_links_are_followed(void **state)
{
    (void)state;
    struct chain chain;
    struct hash256 id;
    open_links(&chain);
    assert_int_equal(chain.walk.height, 3);
    assert_int_equal(chain.walk.tip->height, 2);
    assert_int_equal(chain.walk.time, START + 30);
    struct u256 work = chain.walk.work;
    struct u256 target;
    assert_true(target_expand(chain.info.link_bits, &target));
    struct u256 more = target_work(&target);
    work = u256_add(&work, &more);
    assert_true(step(&chain));
    assert_int_equal(u256_compare(&chain.walk.work, &work), 0);
    id = chain.walk.id;
    aim(&chain, chain.prev);
    assert_true(hash_equal(&chain.info.anchor, &id));
    close_pool(&chain.f);
}

static void info_that_does_not_follow_is_refused(void **state)
{
    (void)state;
    struct chain chain;
    open_links(&chain);
    const struct share_info right = chain.info;
    chain.info.anchor.bytes[0] ^= 1;
    assert_false(step(&chain));
    chain.info = right;
    chain.info.link_height++;
    assert_false(step(&chain));
    chain.info = right;
    chain.info.link_bits--;
    assert_false(step(&chain));
    chain.info = right;
    chain.info.time = chain.walk.time;
    assert_false(step(&chain));
    chain.info.time = chain.walk.time + 1;
    assert_true(step(&chain));
    close_pool(&chain.f);
}

static void grain_shift_under_the_link_target_is_refused(void **state)
{
    (void)state;
    struct chain chain;
    open_links(&chain);
    chain.info.grain_shift = 7; // 120 >> 7 is nothing
    assert_false(step(&chain));
    chain.info.grain_shift = 6;
    assert_true(step(&chain));
    close_pool(&chain.f);
}

static void work_on_a_stale_block_is_refused(void **state)
{
    (void)state;
    struct chain chain;
    open_links(&chain);
    aim(&chain, chain.stale);
    assert_false(step(&chain));
    chain.header.prev.bytes[0] ^= 1; // nobody's header
    assert_false(step(&chain));
    // On a branch of equal work it is none, and the tip stays.
    const struct header_node *tip = chain.walk.tip;
    const struct header_node *equal = extend(&chain.f, chain.stale, START + 21);
    aim(&chain, equal);
    assert_true(step(&chain));
    assert_ptr_equal(chain.walk.tip, tip);
    // On one block more the tip moves there.
    const struct header_node *more = extend(&chain.f, equal, START + 31);
    aim(&chain, more);
    assert_true(step(&chain));
    assert_ptr_equal(chain.walk.tip, more);
    close_pool(&chain.f);
}

static void locktime_must_be_the_height_of_prev(void **state)
{
    (void)state;
    struct chain chain;
    open_links(&chain);
    chain.height--;
    assert_false(step(&chain));
    chain.height += 2;
    assert_false(step(&chain));
    chain.height--;
    assert_true(step(&chain));
    close_pool(&chain.f);
}

static void header_bits_and_time_follow_the_coin(void **state)
{
    (void)state;
    struct chain chain;
    open_links(&chain);
    chain.header.bits--;
    assert_false(step(&chain));
    chain.header.bits++;
    chain.header.time = chain.prev->median_time;
    assert_false(step(&chain));
    chain.header.time = chain.info.time + 7201;
    assert_false(step(&chain));
    chain.header.time = chain.info.time + 7200;
    assert_true(step(&chain));
    aim(&chain, chain.prev);
    chain.header.time = chain.prev->median_time + 1;
    assert_true(step(&chain));
    close_pool(&chain.f);
}

static void proof_of_work_must_meet_the_link_target(void **state)
{
    (void)state;
    struct chain chain;
    struct u256 target;
    struct u256 one = u256_from_u64(1);
    struct hash256 pow;
    open_links(&chain);
    assert_true(target_expand(chain.info.link_bits, &target));
    struct u256 over = u256_add(&target, &one);
    u256_to_bytes_le(&over, pow.bytes);
    assert_false(step_with(&chain, &pow));
    u256_to_bytes_le(&target, pow.bytes);
    assert_true(step_with(&chain, &pow));
    close_pool(&chain.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skeleton_survives_encoding_for_coinbases_of_every_length),
        cmocka_unit_test(height_is_that_of_the_coinbase),
        cmocka_unit_test(skeleton_cut_anywhere_or_longer_is_refused),
        cmocka_unit_test(only_header_fields_outside_the_merkle_root_can_be_altered),
        cmocka_unit_test(coinbase_is_cut_at_one_place_only),
        cmocka_unit_test(right_links_are_followed),
        cmocka_unit_test(info_that_does_not_follow_is_refused),
        cmocka_unit_test(grain_shift_under_the_link_target_is_refused),
        cmocka_unit_test(work_on_a_stale_block_is_refused),
        cmocka_unit_test(locktime_must_be_the_height_of_prev),
        cmocka_unit_test(header_bits_and_time_follow_the_coin),
        cmocka_unit_test(proof_of_work_must_meet_the_link_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
