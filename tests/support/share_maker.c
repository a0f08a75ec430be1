#include "tests/support/share_maker.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/merkle.h"
#include "node/pow/target.h"

#define NONCES_MAX 1000000u

// SplitMix64: small, and good enough to drive a simulation.
static uint64_t next_random(struct maker_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill_random(void *context, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)next_random(context);
}

void maker_env_init(struct env *env, struct maker_random *random, uint64_t seed)
{
    random->state = seed;
    *env = (struct env){.random = fill_random, .context = random, .log = log_new_silent()};
}

void maker_env_clear(struct env *env)
{
    log_free(env->log);
}

void maker_pool(struct pool *pool, uint32_t link_spacing, uint16_t grains_per_link)
{
    pool_defaults(pool);
    pool->chain = chain_params_by_code(CHAIN_DEVCHAIN);
    memcpy(pool->name, "made", sizeof("made"));
    pool->link_spacing = link_spacing;
    pool->easiest_bits = 0x207fffff;
    pool->grains_per_link = grains_per_link;
    pool->genesis_time = 1700000000;
    struct header anchor = {.version = 1, .time = 1700000000, .bits = 0x207fffff};
    header_encode(&anchor, pool->anchor_header);
    struct pool_error error;
    bool is_good = pool_finish(pool, &error);
    assert(is_good);
}

struct script maker_script(uint32_t i)
{
    struct script script = {.size = 22, .bytes = {0x00, 0x14}};
    memcpy(script.bytes + 2, &i, sizeof(i));
    return script;
}

static void fill_share(const struct mint *mint, const struct maker_spec *spec, struct share *share)
{
    *share = (struct share){.coinbase_value = mint->coinbase_value};
    memcpy(share->extranonce, &spec->salt, sizeof(spec->salt));
    share->branch.count = spec->branch_count;
    for (size_t i = 0; i < spec->branch_count; i++)
        share->branch.hashes[i].bytes[0] = (uint8_t)(i + 1);
    mint_share_info(mint, &spec->script, 0, &share->info);
    team_to_tag(&spec->team, share->info.node_tag);
    static struct coinbase_output outputs[COINBASE_OUTPUTS_MAX];
    struct coinbase_spec coinbase = {
        .height = mint->height,
        .outputs = outputs,
        .outputs_count = mint_outputs(mint, &spec->script, outputs),
    };
    struct buffer prefix;
    buffer_init(&prefix, coinbase_prefix_size_max(COINBASE_OUTPUTS_MAX));
    coinbase_write_prefix(&coinbase, &prefix);
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, prefix.data, prefix.size);
    struct hash256 info_hash, txid;
    struct header header = {.version = 0x20000000, .prev = mint->prev, .bits = mint->header_bits};
    header.time = mint->info.time > mint->header_time_min ? mint->info.time : mint->header_time_min;
    share_info_hash(&share->info, &info_hash);
    coinbase_txid(&sha, &info_hash, share->extranonce, mint->height, &txid);
    merkle_branch_root(&share->branch, &txid, &header.merkle_root);
    header_encode(&header, share->header);
    buffer_clear(&prefix);
}

static bool is_block(const struct mint *mint, const struct hash256 *pow)
{
    struct u256 target;
    return target_expand(mint->header_bits, &target) && target_is_met(pow, &target);
}

static bool is_wanted(const struct mint *mint, enum maker_want want, const struct hash256 *pow)
{
    if (want == MAKER_LINK)
        return target_is_met(pow, &mint->link_target);
    return !target_is_met(pow, &mint->link_target) && target_is_met(pow, &mint->grain_target);
}

static bool find_nonce(const struct mint *mint, const struct maker_spec *spec, struct share *share,
                       struct hash256 *pow)
{
    if (spec->want == MAKER_GRAIN && u256_compare(&mint->grain_target, &mint->link_target) <= 0)
        return false; // at the easiest target every grain is a link
    struct header header;
    header_decode(share->header, &header);
    for (header.nonce = 0; header.nonce < NONCES_MAX; header.nonce++) {
        header_encode(&header, share->header);
        header_id(share->header, pow);
        if (is_wanted(mint, spec->want, pow) && !(spec->is_no_block && is_block(mint, pow)))
            return true;
    }
    return false;
}

struct mint *maker_mint(struct sharechain *chain, const struct maker_spec *spec)
{
    const struct header_node *prev = header_chain_find(sharechain_headers(chain), &spec->prev);
    struct mint_spec mint_spec = {.prev = spec->prev, .now = spec->now};
    mint_spec.coinbase_value = spec->coinbase_value;
    if (spec->coinbase_value == 0 && prev != NULL)
        mint_spec.coinbase_value = chain_subsidy(sharechain_pool(chain)->chain, prev->height + 1);
    struct mint *mint;
    return sharechain_mint(chain, &mint_spec, &mint) == MINT_OK ? mint : NULL;
}

bool maker_share_of(const struct mint *mint, const struct maker_spec *spec, struct made_share *made)
{
    struct share share;
    fill_share(mint, spec, &share);
    bool is_found = find_nonce(mint, spec, &share, &made->pow);
    struct buffer bytes;
    buffer_init_fixed(&bytes, made->bytes, sizeof(made->bytes));
    share_encode(&share, &bytes);
    header_id(share.header, &made->id);
    made->size = bytes.size;
    made->body_size = mint->body_size;
    made->body = malloc(mint->body_size);
    assert(made->body != NULL);
    memcpy(made->body, mint->body, mint->body_size);
    if (!is_found)
        made_share_clear(made);
    return is_found;
}

bool maker_share(struct sharechain *chain, const struct maker_spec *spec, struct made_share *made)
{
    struct mint *mint = maker_mint(chain, spec);
    if (mint == NULL)
        return false;
    bool is_found = maker_share_of(mint, spec, made);
    mint_release(mint);
    return is_found;
}

void made_share_clear(struct made_share *made)
{
    free(made->body);
    made->body = NULL;
}

enum verdict maker_add(struct sharechain *chain, const struct made_share *made, uint32_t source)
{
    struct share_arrival arrival = {
        .bytes = made->bytes,
        .size = made->size,
        .body = made->body,
        .body_size = made->body_size,
        .source = source,
    };
    return sharechain_add_share(chain, &arrival);
}

void maker_header(struct sharechain *chain, const struct header_node *prev, uint32_t time,
                  uint64_t salt, uint8_t out[HEADER_SIZE])
{
    struct header header = {.version = 0x20000000, .prev = prev->id, .time = time};
    if (header.time <= prev->median_time)
        header.time = prev->median_time + 1;
    header.bits = header_chain_required_bits(sharechain_headers(chain), prev, header.time);
    memcpy(header.merkle_root.bytes, &salt, sizeof(salt));
    struct u256 target;
    bool is_good = target_expand(header.bits, &target);
    assert(is_good);
    struct hash256 id;
    do {
        header.nonce++;
        header_encode(&header, out);
        header_id(out, &id);
    } while (!target_is_met(&id, &target));
}
