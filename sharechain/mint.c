#include <stdlib.h>
#include <string.h>
#include "sharechain/retarget.h"
#include "sharechain/state.h"

#define CLOCK_AHEAD_MAX_S   60
#define HEADER_TIME_AHEAD_S 7200
#define COINBASE_VALUE_MAX  (UINT64_C(1) << 53)
#define TESTNET_EXCEPTION_S 1200

const char *mint_result_text(enum mint_result result)
{
    switch (result) {
    case MINT_OK:
        return "ok";
    case MINT_PREV_UNKNOWN:
        return "the header of the daemon's tip is not here yet";
    case MINT_CLOCK_BEHIND:
        return "the pool begins more than 60 s ahead of this machine's clock: check the clock";
    case MINT_VALUE_BAD:
        return "the template's coinbase value is below the subsidy or above 2^53";
    case MINT_OUT_OF_MEMORY:
        return "out of memory";
    }
    return "unknown";
}

// "on the heaviest link whose tip has no more work than the daemon's best valid tip"
static struct link *heaviest_link(struct sharechain *chain, const struct header_node *prev)
{
    if (u256_compare(&chain->best->tip->chainwork, &prev->chainwork) <= 0)
        return chain->best;
    struct link *heaviest = chain->root;
    for (size_t i = 0; i < chain->links_count; i++) {
        struct link *link = chain->links[i];
        if (u256_compare(&link->tip->chainwork, &prev->chainwork) <= 0 &&
            link_is_better(link, heaviest))
            heaviest = link;
    }
    return heaviest;
}

// "If that link's time leaves no room, on its last ancestor whose time does": a pool whose links
// come faster than one a second runs ahead of the clock, and grains on an ancestor are credited all
// the same.
struct link *mint_anchor(struct sharechain *chain, const struct header_node *prev, int64_t clock)
{
    struct link *anchor = heaviest_link(chain, prev);
    while ((int64_t)anchor->time + 1 > clock + CLOCK_AHEAD_MAX_S && anchor->parent != NULL)
        anchor = anchor->parent;
    return anchor;
}

static bool mint_body(struct sharechain *chain, struct link *anchor, struct mint *mint)
{
    size_t count;
    struct hash256 *ids = loose_choose(chain, anchor, &count);
    struct buffer bytes;
    buffer_init(&bytes, 9 + 32 * count);
    body_encode(ids, count, &bytes);
    free(ids);
    if (bytes.failed) {
        buffer_clear(&bytes);
        return false;
    }
    mint->grains_count = (uint32_t)count;
    mint->body = bytes.data;
    mint->body_size = bytes.size;
    body_root(bytes.data, bytes.size, &mint->info.body_root);
    return true;
}

// ntime's range: section 5's rules on header_time, and on testnet4 the 20 minutes after which other
// bits are required.
static void mint_header_times(const struct sharechain *chain, const struct header_node *prev,
                              struct mint *mint)
{
    mint->header_time_min = prev->median_time + 1;
    mint->header_time_max = mint->info.time + HEADER_TIME_AHEAD_S;
    mint->header_bits = header_chain_required_bits(chain->headers, prev, mint->info.time);
    if (chain->pool->chain->bits_rule != BITS_RETARGET_TESTNET4)
        return;
    uint32_t exception = prev->time + TESTNET_EXCEPTION_S;
    if (mint->info.time > exception && exception + 1 > mint->header_time_min)
        mint->header_time_min = exception + 1;
    if (mint->info.time <= exception && exception < mint->header_time_max)
        mint->header_time_max = exception;
}

static uint8_t largest_shift(const struct sharechain *chain, const struct u256 *link_target)
{
    uint8_t shift = 0;
    struct u256 target;
    while (shift < UINT8_MAX &&
           retarget_grain_target(chain->pool, link_target, (uint8_t)(shift + 1), &target))
        shift++;
    return shift;
}

static enum mint_result mint_fill(struct sharechain *chain, const struct mint_spec *spec,
                                  const struct header_node *prev, struct mint *mint)
{
    int64_t clock = wall_seconds(spec->now);
    struct link *anchor = mint_anchor(chain, prev, clock);
    int64_t time = clock > anchor->time ? clock : (int64_t)anchor->time + 1;
    if (time > clock + CLOCK_AHEAD_MAX_S)
        return MINT_CLOCK_BEHIND;
    mint->info.anchor = *link_id(chain, anchor);
    mint->info.link_height = anchor->height + 1;
    mint->info.time = (uint32_t)time;
    mint->info.link_bits = anchor->child_bits;
    memcpy(mint->info.node_tag, spec->node_tag, SHARE_NODE_TAG_SIZE);
    if (spec->aux != NULL) {
        mint->info.has_aux = true;
        memcpy(mint->info.aux, spec->aux, COINBASE_AUX_SIZE);
    }
    mint->link_target = anchor->child_target;
    retarget_grain_target(chain->pool, &mint->link_target, 0, &mint->grain_target);
    mint->grain_shift_max = largest_shift(chain, &mint->link_target);
    mint->is_detached = is_detached(anchor, prev);
    if (!mint->is_detached) {
        mint->plan = window_plan(chain, link_epoch(anchor, prev->height), prev);
        if (mint->plan == NULL)
            return MINT_OUT_OF_MEMORY;
        payout_plan_hold(mint->plan);
    }
    mint->is_solo = mint->is_detached || payout_plan_branch(mint->plan) == PAYOUT_EMPTY;
    mint_header_times(chain, prev, mint);
    return mint_body(chain, anchor, mint) ? MINT_OK : MINT_OUT_OF_MEMORY;
}

enum mint_result sharechain_mint(struct sharechain *chain, const struct mint_spec *spec,
                                 struct mint **result)
{
    *result = NULL;
    const struct header_node *prev = header_chain_find(chain->headers, &spec->prev);
    if (prev == NULL)
        return MINT_PREV_UNKNOWN;
    uint64_t subsidy = chain_subsidy(chain->pool->chain, prev->height + 1);
    if (spec->coinbase_value < subsidy || spec->coinbase_value > COINBASE_VALUE_MAX)
        return MINT_VALUE_BAD;
    struct mint *mint = calloc(1, sizeof(*mint));
    if (mint == NULL)
        return MINT_OUT_OF_MEMORY;
    mint->references = 1;
    mint->height = prev->height + 1;
    mint->prev = spec->prev;
    mint->coinbase_value = spec->coinbase_value;
    mint->has_witness = spec->has_witness;
    mint->witness_commitment = spec->witness_commitment;
    enum mint_result outcome = mint_fill(chain, spec, prev, mint);
    if (outcome != MINT_OK) {
        mint_release(mint);
        return outcome;
    }
    *result = mint;
    return MINT_OK;
}

struct mint *mint_hold(struct mint *mint)
{
    mint->references++;
    return mint;
}

void mint_release(struct mint *mint)
{
    if (mint == NULL)
        return;
    mint->references--;
    if (mint->references > 0)
        return;
    payout_plan_release(mint->plan);
    free(mint->body);
    free(mint);
}

size_t mint_outputs(const struct mint *mint, const struct script *own_script,
                    struct coinbase_output *outputs)
{
    if (mint->plan == NULL) {
        outputs[0].amount = mint->coinbase_value;
        outputs[0].script = *own_script;
        return 1;
    }
    payout_plan_outputs(mint->plan, mint->coinbase_value, own_script, outputs);
    return payout_plan_count(mint->plan);
}

void mint_share_info(const struct mint *mint, const struct script *payout_script,
                     uint8_t grain_shift, struct share_info *info)
{
    *info = mint->info;
    info->payout_script = *payout_script;
    info->grain_shift = grain_shift;
}

// "grain target = min(link_target * grains_per_link, 2^255) >> grain_shift"
void mint_grain_target(const struct mint *mint, uint8_t grain_shift, struct u256 *target)
{
    *target = u256_shift_right(&mint->grain_target, grain_shift);
}
