#include "tests/bench/network_bench_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "sharechain/sharechain.h"
#include "testnet/common/clock.h"
#include "testnet/common/memory.h"
#include "tests/bench/bench.h"
#include "tests/bench/node_bench_process.h"
#include "tests/support/share_maker.h"

#define SPACING_S       30
#define BLOCK_S         600
#define EARLY_LINKS     100 // come faster, until a link is worth enough
#define EARLY_S         4
#define MARGIN_S        120 // the newest link is so old
#define MINERS          200
#define BRANCH_COUNT    12
#define HEADER_LINE     (2 * HEADER_SIZE + 1)
#define SETTLE_LINKS    256
#define SETTLE_MS       20000
#define WINDOW_MULTIPLE 1000000000
#define WINDOW_BLOCKS   100000

struct making {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct store *store;
    struct sharechain *chain;
    char *headers; // lines of hex, block 0 first
    size_t headers_count;
    size_t headers_known;
    int64_t clock_s;
    uint64_t salt;
};

static uint32_t chain_seconds(void)
{
    return EARLY_LINKS * EARLY_S + (LONG_LINKS - EARLY_LINKS) * SPACING_S;
}

// ---- The coin

static void make_coin(struct making *making, const struct long_chain *made, const char *folder)
{
    char program[PROCESS_PATH_SIZE], data[PROCESS_PATH_SIZE], genesis[16], blocks[16], spacing[16];
    size_t count = chain_seconds() / BLOCK_S;
    process_path("dated_coin", program);
    snprintf(data, sizeof data, "%s/coin", folder);
    snprintf(genesis, sizeof genesis, "%u", made->genesis_time);
    snprintf(blocks, sizeof blocks, "%zu", count);
    snprintf(spacing, sizeof spacing, "%u", BLOCK_S);
    const char *argv[] = {program, data, genesis, LONG_BLOCK_BITS, blocks, spacing, NULL};
    size_t capacity = (count + 1) * HEADER_LINE + 1;
    making->headers = memory_new(capacity, 1);
    process_output(argv, making->headers, capacity);
    making->headers_count = strlen(making->headers) / HEADER_LINE;
    if (making->headers_count != count + 1)
        process_fail("the coin has %zu headers, not %zu", making->headers_count, count + 1);
}

static void header_at(const struct making *making, size_t i, uint8_t header[HEADER_SIZE])
{
    if (!hex_decode(making->headers + i * HEADER_LINE, HEADER_LINE - 1, header, HEADER_SIZE))
        process_fail("header %zu of the coin is no hex", i);
}

// The blocks that are found by now.
static void follow_coin(struct making *making, const struct long_chain *made)
{
    size_t due = (size_t)((making->clock_s - made->genesis_time) / BLOCK_S);
    while (making->headers_known < due && making->headers_known + 1 < making->headers_count) {
        uint8_t header[HEADER_SIZE];
        header_at(making, ++making->headers_known, header);
        if (sharechain_add_header(making->chain, header) != VERDICT_VALID)
            process_fail("header %zu of the coin is not good", making->headers_known);
    }
}

// ---- The pool

static void make_pool(struct making *making, const struct long_chain *made, const char *folder)
{
    char path[PROCESS_PATH_SIZE];
    struct buffer text;
    struct pool_error error;
    maker_pool(&making->pool, SPACING_S, LONG_GRAINS_PER_LINK);
    making->pool.window_multiple = WINDOW_MULTIPLE;
    making->pool.window_blocks = WINDOW_BLOCKS;
    making->pool.genesis_time = made->genesis_time;
    header_at(making, 0, making->pool.anchor_header);
    if (!pool_finish(&making->pool, &error))
        process_fail("the pool: %s", error.text);
    buffer_init(&text, 1 << 20);
    pool_write_text(&making->pool, &text);
    snprintf(path, sizeof path, "%s/pool", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(text.data, 1, text.size, file) != text.size || fclose(file) != 0)
        process_fail("%s cannot be written", path);
    buffer_clear(&text);
}

// ---- The shares

static void add(struct making *making, struct mint *mint, const struct maker_spec *spec)
{
    struct made_share share;
    if (!maker_share_of(mint, spec, &share))
        process_fail("a share could not be found");
    const struct share_arrival arrival = {
        .bytes = share.bytes,
        .size = share.size,
        .pow = &share.pow,
        .mint = mint,
        .body = share.body,
        .body_size = share.body_size,
        .source = SHARECHAIN_OWN,
    };
    if (sharechain_add_share(making->chain, &arrival) != VERDICT_VALID)
        process_fail("a share that was made is not valid");
    made_share_clear(&share);
}

static void grow(struct making *making, bool has_grains)
{
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(making->chain))->id,
        .now = {making->clock_s * 1000},
        .branch_count = BRANCH_COUNT,
        .is_no_block = true,
    };
    struct mint *mint = maker_mint(making->chain, &spec);
    if (mint == NULL)
        process_fail("nothing can be mined");
    for (uint32_t i = 0; i <= LONG_GRAINS_PER_LINK; i++) {
        spec.want = i < LONG_GRAINS_PER_LINK ? MAKER_GRAIN : MAKER_LINK;
        spec.salt = ++making->salt;
        spec.script = maker_script((uint32_t)(making->salt % MINERS));
        if (has_grains || spec.want == MAKER_LINK)
            add(making, mint, &spec);
    }
    mint_release(mint);
}

static void settle(const struct making *making)
{
    if (!store_settle(making->store, SETTLE_MS))
        process_fail("the disk did not take the chain within %d ms", SETTLE_MS);
}

static void grow_all(struct making *making, struct long_chain *made)
{
    for (uint32_t i = 1; i <= LONG_LINKS; i++) {
        bool is_early = i <= EARLY_LINKS;
        follow_coin(making, made);
        grow(making, !is_early);
        made->grains += is_early ? 0 : LONG_GRAINS_PER_LINK;
        making->clock_s += is_early ? EARLY_S : SPACING_S;
        if (i % SETTLE_LINKS == 0)
            settle(making);
    }
    settle(making);
    struct link_view tip;
    sharechain_tip(making->chain, &tip);
    made->tip = tip.id;
    made->height = tip.height;
    if (tip.height != LONG_LINKS)
        process_fail("the chain has %u links, not %d", tip.height, LONG_LINKS);
}

static void open_chain(struct making *making, const char *path)
{
    char error[256];
    const struct store_lmdb_options options = {.path = path};
    maker_env_init(&making->env, &making->random, 3);
    making->store = store_lmdb_open(&options, error, sizeof error);
    if (making->store == NULL)
        process_fail("%s", error);
    making->chain = sharechain_new(&making->env, &making->pool, making->store, NULL);
    if (making->chain == NULL || !sharechain_load(making->chain, error, sizeof error))
        process_fail("the chain cannot be begun");
}

void long_chain_make(struct long_chain *made, const char *folder, const char *store)
{
    struct making making = {.headers = NULL};
    double begin = bench_now_ns();
    *made = (struct long_chain){.genesis_time = (uint32_t)wall_seconds(clock_now().wall) -
                                                MARGIN_S - chain_seconds()};
    make_coin(&making, made, folder);
    make_pool(&making, made, folder);
    open_chain(&making, store);
    making.clock_s = made->genesis_time + EARLY_S;
    grow_all(&making, made);
    sharechain_free(making.chain);
    store_close(making.store);
    maker_env_clear(&making.env);
    free(making.headers);
    made->made_s = (bench_now_ns() - begin) / 1e9;
}
