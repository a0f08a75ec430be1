#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/merkle.h"
#include "sharechain/retarget.h"
#include "sharechain/state.h"

#define COINBASE_VALUE_MAX    (UINT64_C(1) << 53)
#define DETACHED_BLOCKS       5
#define HEADER_TIME_AHEAD_MAX 7200

// ---- What the chain knows of an id

struct link *find_link(struct sharechain *chain, const struct hash256 *id)
{
    if (hash_equal(id, &chain->pool->id))
        return chain->root == &chain->genesis ? &chain->genesis : NULL;
    struct entry *entry = map_find(chain->entries, id);
    return entry == NULL ? NULL : entry->link;
}

enum verdict share_id_verdict(const struct sharechain *chain, const struct hash256 *id)
{
    if (map_find(chain->entries, id) != NULL)
        return VERDICT_VALID;
    return memory_has(&chain->bad_ids, id) ? VERDICT_INVALID : VERDICT_UNKNOWN;
}

enum verdict link_verdict(const struct sharechain *chain, const struct hash256 *id)
{
    if (hash_equal(id, &chain->pool->id))
        return chain->root == &chain->genesis ? VERDICT_VALID : VERDICT_UNKNOWN;
    const struct entry *entry = map_find(chain->entries, id);
    if (entry == NULL)
        return memory_has(&chain->bad_ids, id) ? VERDICT_INVALID : VERDICT_UNKNOWN;
    if (entry->link != NULL)
        return VERDICT_VALID;
    return entry->misses_link || entry->is_invalid_link ? VERDICT_INVALID : VERDICT_UNKNOWN;
}

void entry_weight(const struct sharechain *chain, const struct entry *entry, struct u256 *weight)
{
    struct u256 target;
    bool is_good = retarget_grain_target(chain->pool, &entry->anchor->child_target,
                                         entry->grain_shift, &target);
    assert(is_good); // the share is valid
    *weight = target_work(&target);
}

// "A share with height(prev) > height(tip(A)) + 5 is detached"
bool is_detached(const struct link *anchor, const struct header_node *prev)
{
    return prev->height > anchor->tip->height + DETACHED_BLOCKS;
}

// ---- The coinbase, rebuilt

// What a share's coinbase depends on beside the share itself.
struct coinbase_context {
    const struct link *epoch;
    const struct header_node *prev;
    struct payout_plan *plan; // NULL if detached: its own script takes everything
    bool is_solo;             // the same for an empty window
    bool is_out_of_reach;     // the window is not whole here: nothing can be said of the list
};

static void prefix_key(const struct share *share, const struct coinbase_context *context,
                       struct hash256 *key)
{
    struct sha256 sha;
    sha256_init(&sha);
    // Good headers are never freed, and where a link is, all of this is forgotten: their addresses
    // name them.
    const void *names[2] = {context->is_solo ? NULL : context->epoch, context->prev};
    uint8_t flags = (uint8_t)((share->has_witness ? 1 : 0) | (share->info.has_aux ? 2 : 0));
    sha256_update(&sha, names, sizeof(names));
    sha256_update(&sha, &share->coinbase_value, sizeof(share->coinbase_value));
    sha256_update(&sha, &flags, 1);
    if (share->has_witness)
        sha256_update(&sha, share->witness_commitment.bytes, 32);
    if (share->info.has_aux)
        sha256_update(&sha, share->info.aux, COINBASE_AUX_SIZE);
    if (context->is_solo)
        sha256_update(&sha, share->info.payout_script.bytes, share->info.payout_script.size);
    sha256_final(&sha, key);
}

// The payout list of section 8, or, of a detached share, its own script alone.
static size_t list_outputs(struct sharechain *chain, const struct share *share,
                           const struct coinbase_context *context)
{
    if (context->plan == NULL) {
        chain->outputs[0].amount = share->coinbase_value;
        chain->outputs[0].script = share->info.payout_script;
        return 1;
    }
    payout_plan_outputs(context->plan, share->coinbase_value, &share->info.payout_script,
                        chain->outputs);
    return payout_plan_count(context->plan);
}

// The SHA-256 state after the coinbase's prefix, which all shares of a template have in common.
static const struct sha256 *prefix_state(struct sharechain *chain, const struct share *share,
                                         const struct coinbase_context *context)
{
    struct hash256 key;
    prefix_key(share, context, &key);
    for (size_t i = 0; i < PREFIX_SLOTS; i++) {
        if (hash_equal(&chain->prefixes[i].key, &key))
            return &chain->prefixes[i].state;
    }
    struct coinbase_spec spec = {
        .height = context->prev->height + 1,
        .aux = share->info.has_aux ? share->info.aux : NULL,
        .outputs = chain->outputs,
        .outputs_count = list_outputs(chain, share, context),
        .witness_commitment = share->has_witness ? &share->witness_commitment : NULL,
    };
    buffer_reset(&chain->scratch);
    coinbase_write_prefix(&spec, &chain->scratch);
    if (chain->scratch.failed)
        return NULL;
    struct prefix_slot *slot = &chain->prefixes[chain->prefix_next];
    chain->prefix_next = (chain->prefix_next + 1) % PREFIX_SLOTS;
    slot->key = key;
    sha256_init(&slot->state);
    sha256_update(&slot->state, chain->scratch.data, chain->scratch.size);
    return &slot->state;
}

static bool coinbase_context_init(struct sharechain *chain, struct link *anchor,
                                  const struct header_node *prev, struct coinbase_context *context)
{
    *context = (struct coinbase_context){.epoch = link_epoch(anchor, prev->height), .prev = prev};
    context->is_solo = true;
    if (is_detached(anchor, prev))
        return true;
    // The epoch outlives the call; window_plan only moves the window to it.
    struct link *epoch = link_epoch(anchor, prev->height);
    context->plan = window_plan(chain, epoch, prev);
    if (context->plan == NULL) {
        context->is_out_of_reach = !link_window_is_whole(chain, epoch);
        return context->is_out_of_reach;
    }
    context->is_solo = payout_plan_branch(context->plan) == PAYOUT_EMPTY;
    return true;
}

// "the rebuilt coinbase hashes with the branch to the header's merkle root"
static bool coinbase_matches(struct sharechain *chain, const struct share *share,
                             const struct coinbase_context *context)
{
    const struct sha256 *state = prefix_state(chain, share, context);
    if (state == NULL)
        return false;
    struct hash256 info_hash, txid, root;
    share_info_hash(&share->info, &info_hash);
    coinbase_txid(state, &info_hash, share->extranonce, context->prev->height + 1, &txid);
    merkle_branch_root(&share->branch, &txid, &root);
    struct header header;
    header_decode(share->header, &header);
    return hash_equal(&root, &header.merkle_root);
}

bool sharechain_share_outputs(struct sharechain *chain, const struct hash256 *id,
                              struct coinbase_output *outputs, size_t *outputs_count)
{
    struct entry *entry = map_find(chain->entries, id);
    struct buffer bytes;
    buffer_init(&bytes, SHARE_SIZE_MAX);
    struct share share;
    struct coinbase_context context;
    bool is_here = entry != NULL && sharechain_share_bytes(chain, id, &bytes) &&
                   share_decode(bytes.data, bytes.size, &share) &&
                   coinbase_context_init(chain, entry->anchor, entry->prev, &context) &&
                   !context.is_out_of_reach;
    buffer_clear(&bytes);
    if (!is_here)
        return false;
    *outputs_count = list_outputs(chain, &share, &context);
    memcpy(outputs, chain->outputs, *outputs_count * sizeof(*outputs));
    return true;
}

// ---- Section 5

// The rules that need neither the coinbase nor the proof of work.
static bool follows_rules(const struct sharechain *chain, const struct share *share,
                          const struct link *anchor, const struct header_node *prev)
{
    const struct share_info *info = &share->info;
    struct header header;
    header_decode(share->header, &header);
    uint64_t subsidy = chain_subsidy(chain->pool->chain, prev->height + 1);
    return info->link_height == anchor->height + 1 && info->link_bits == anchor->child_bits &&
           info->time > anchor->time &&
           u256_compare(&prev->chainwork, &anchor->tip->chainwork) >= 0 &&
           header.bits == header_chain_required_bits(chain->headers, prev, header.time) &&
           header.time > prev->median_time &&
           (int64_t)header.time <= (int64_t)info->time + HEADER_TIME_AHEAD_MAX &&
           share->coinbase_value >= subsidy && share->coinbase_value <= COINBASE_VALUE_MAX;
}

static bool is_trusted(const struct sharechain *chain, const struct link *anchor)
{
    return chain->is_loading || (chain->takes_on_trust && anchor->height < chain->trusted_to);
}

// Copies that somebody altered do not match, either; but links that never match, one after another,
// say that what was taken on trust is wrong.
static void doubt_note(struct sharechain *chain, const struct link *epoch, const struct hash256 *id)
{
    struct link *head = find_link(chain, link_id(chain, epoch));
    if (head == NULL || link_window_low(chain, head) > chain->trusted_to)
        return;
    for (size_t i = 0; i < chain->doubts_count; i++) {
        if (hash_equal(&chain->doubted[i], id))
            return;
    }
    if (chain->doubts_count < DOUBTS_MAX)
        chain->doubted[chain->doubts_count++] = *id;
}

// A link on what was taken on trust whose window begins before it: too little was fetched.
static void stuck_note(struct sharechain *chain, const struct copy *copy, const struct link *anchor,
                       const struct header_node *prev)
{
    if (chain->trusted_to > 0 && target_is_met(&copy->pow, &anchor->child_target) &&
        follows_rules(chain, &copy->share, anchor, prev))
        chain->doubts_count = DOUBTS_MAX;
}

// Whether its coinbase is the mint's up to the commitment.
static bool has_prefix_of(const struct share *share, const struct header_node *prev,
                          const struct mint *mint)
{
    const struct share_info *info = &share->info;
    return hash_equal(&info->anchor, &mint->info.anchor) && hash_equal(&prev->id, &mint->prev) &&
           share->coinbase_value == mint->coinbase_value &&
           share->has_witness == mint->has_witness &&
           (!share->has_witness ||
            hash_equal(&share->witness_commitment, &mint->witness_commitment)) &&
           info->has_aux == mint->info.has_aux &&
           (!info->has_aux || memcmp(info->aux, mint->info.aux, COINBASE_AUX_SIZE) == 0);
}

// Whether the coinbase need not be rebuilt: the share is of a mint of ours, from which the caller
// has just built it to hash this header, and one share of that mint has proven that the two ways
// agree. Where each miner has a coinbase of its own, and for links, which others build on, no such
// word is taken.
static bool is_coinbase_known(const struct copy *copy, const struct link *anchor,
                              const struct header_node *prev)
{
    const struct mint *mint = copy->mint;
    return mint != NULL && mint->is_proven && !mint->is_solo &&
           has_prefix_of(&copy->share, prev, mint) &&
           !target_is_met(&copy->pow, &anchor->child_target);
}

static enum verdict check_coinbase(struct sharechain *chain, const struct copy *copy,
                                   struct link *anchor, const struct header_node *prev)
{
    if (is_coinbase_known(copy, anchor, prev))
        return VERDICT_VALID;
    struct coinbase_context context;
    if (!coinbase_context_init(chain, anchor, prev, &context))
        return VERDICT_UNKNOWN; // out of memory: nothing is said of it
    // "coinbases from one window behind": what cannot be rebuilt is proven by those after it.
    if (context.is_out_of_reach && is_trusted(chain, anchor))
        return VERDICT_VALID;
    if (context.is_out_of_reach) {
        stuck_note(chain, copy, anchor, prev);
        return VERDICT_UNKNOWN;
    }
    if (!coinbase_matches(chain, &copy->share, &context)) {
        if (target_is_met(&copy->pow, &anchor->child_target))
            doubt_note(chain, context.epoch, &copy->id);
        return VERDICT_INVALID; // an altered copy says nothing of the id
    }
    if (copy->mint != NULL && has_prefix_of(&copy->share, prev, copy->mint))
        copy->mint->is_proven = true;
    return VERDICT_VALID;
}

static void anchored_add(struct link *anchor, struct entry *entry)
{
    entry->anchored_next = anchor->anchored;
    anchor->anchored = entry;
}

static struct entry *entry_new(struct sharechain *chain, const struct copy *copy,
                               struct link *anchor, const struct header_node *prev)
{
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return NULL;
    entry->id = copy->id;
    entry->object = copy->object;
    entry->has_object = copy->has_object;
    entry->anchor = anchor;
    entry->prev = prev;
    entry->script = script_index(chain, &copy->share.info.payout_script);
    entry->grain_shift = copy->share.info.grain_shift;
    entry->is_detached = is_detached(anchor, prev);
    entry->misses_link = !target_is_met(&copy->pow, &anchor->child_target);
    entry->loose_index = LOOSE_NONE;
    script_hold(chain, entry->script);
    anchored_add(anchor, entry);
    struct link *early = chain->early == NULL ? NULL : map_remove(chain->early, &entry->id);
    if (early != NULL)
        inclusion_add(entry, early);
    map_set(chain->entries, &entry->id, entry);
    return entry;
}

static enum verdict judge_in_context(struct sharechain *chain, const struct copy *copy,
                                     struct link *anchor, const struct header_node *prev,
                                     struct entry **made)
{
    enum verdict coinbase = check_coinbase(chain, copy, anchor, prev);
    if (coinbase != VERDICT_VALID)
        return coinbase;
    struct u256 grain_target;
    bool is_valid = follows_rules(chain, &copy->share, anchor, prev) &&
                    retarget_grain_target(chain->pool, &anchor->child_target,
                                          copy->share.info.grain_shift, &grain_target) &&
                    target_is_met(&copy->pow, &grain_target);
    if (!is_valid) {
        memory_add(&chain->bad_ids, &copy->id);
        return VERDICT_INVALID;
    }
    if (map_find(chain->entries, &copy->id) != NULL)
        return VERDICT_VALID;
    *made = entry_new(chain, copy, anchor, prev);
    return *made == NULL ? VERDICT_UNKNOWN : VERDICT_VALID;
}

// "An object is invalid if it does not decode or points to something invalid; else unknown if
// something it points to is missing; else the rest decides."
enum verdict share_check(struct sharechain *chain, const struct copy *copy, struct entry **made)
{
    struct header header;
    header_decode(copy->share.header, &header);
    const struct hash256 *anchor_id = &copy->share.info.anchor;
    struct link *anchor = find_link(chain, anchor_id);
    const struct header_node *prev = header_chain_find(chain->headers, &header.prev);
    *made = NULL;
    if (anchor != NULL && prev != NULL)
        return judge_in_context(chain, copy, anchor, prev, made);
    bool is_bad = link_verdict(chain, anchor_id) == VERDICT_INVALID ||
                  header_chain_verdict(chain->headers, &header.prev) == VERDICT_INVALID;
    return is_bad ? VERDICT_INVALID : VERDICT_UNKNOWN;
}

void share_wait(struct sharechain *chain, struct waiting_copy *waiting)
{
    const struct share *share = &waiting->copy.share;
    struct header header;
    header_decode(share->header, &header);
    memory_add(&chain->waiting_ids, &waiting->copy.id);
    if (find_link(chain, &share->info.anchor) == NULL)
        waiting_add(chain, &waiting->waiter, WAIT_LINK, &share->info.anchor);
    if (header_chain_find(chain->headers, &header.prev) == NULL)
        waiting_add(chain, &waiting->waiter, WAIT_HEADER, &header.prev);
}
