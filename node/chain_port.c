#include "node/chain_port.h"
#include <stdlib.h>
#include <string.h>
#include "node/chain_port_state.h"
#include "node/pow/target.h"

// ---- Making and freeing

struct chain_port *chain_port_new(const struct env *env, struct sharechain *chain,
                                  const struct chain_port_events *events)
{
    struct chain_port *port = calloc(1, sizeof(*port));
    if (port == NULL)
        return NULL;
    port->env = env;
    port->chain = chain;
    port->pool = sharechain_pool(chain);
    port->events = *events;
    port->held_last = &port->held_first;
    port->untold_last = &port->untold_first;
    port->untold = map_new(env);
    port->pow_memory = pow_memory_new(port->pool->chain->pow);
    if (port->pow_memory != NULL)
        return port;
    chain_port_free(port);
    return NULL;
}

static void untold_clear(struct chain_port *port)
{
    while (port->untold_first != NULL) {
        struct untold *next = port->untold_first->next;
        free(port->untold_first);
        port->untold_first = next;
    }
}

void chain_port_free(struct chain_port *port)
{
    if (port == NULL)
        return;
    hold_clear(port);
    untold_clear(port);
    map_free(port->untold);
    pow_memory_free(port->pow_memory);
    free(port);
}

// ---- What became valid

static bool is_own(const struct chain_port *port)
{
    return sharechain_told_source(port->chain) == SHARECHAIN_OWN;
}

static void tell(struct chain_port *port, const struct gossip_share *share)
{
    port->events.share_became_valid(port->events.context, share);
}

// Keeps the bytes until it is known whether it is a link.
static bool untold_add(struct chain_port *port, const struct gossip_share *share)
{
    struct untold *untold = malloc(sizeof(*untold));
    if (untold == NULL)
        return false;
    untold->next = NULL;
    untold->id = share->id;
    untold->is_own = share->is_own;
    untold->is_told = false;
    untold->size = share->size;
    memcpy(untold->bytes, share->bytes, share->size);
    *port->untold_last = untold;
    port->untold_last = &untold->next;
    map_set(port->untold, &untold->id, untold);
    return true;
}

void chain_port_share_became_valid(struct chain_port *port, const struct hash256 *id,
                                   const uint8_t *bytes, size_t size)
{
    struct gossip_share share = {
        .id = *id,
        .bytes = bytes,
        .size = size,
        .is_own = is_own(port),
    };
    bool misses_link;
    sharechain_link_verdict(port->chain, id, &misses_link);
    if (misses_link || size > CHAIN_SHARE_MAX || !untold_add(port, &share))
        tell(port, &share);
}

static void tell_link(struct chain_port *port, const struct hash256 *id, bool is_own_share)
{
    struct buffer bytes, body;
    buffer_init(&bytes, CHAIN_SHARE_MAX);
    buffer_init(&body, CHAIN_BODY_MAX);
    if (sharechain_share_bytes(port->chain, id, &bytes) &&
        sharechain_body_bytes(port->chain, id, &body)) {
        struct gossip_share share = {
            .id = *id,
            .bytes = bytes.data,
            .size = bytes.size,
            .body = body.data,
            .body_size = body.size,
            .is_own = is_own_share,
        };
        tell(port, &share);
    }
    buffer_clear(&bytes);
    buffer_clear(&body);
}

void chain_port_link_became_valid(struct chain_port *port, const struct hash256 *id)
{
    struct untold *untold = map_remove(port->untold, id);
    if (untold != NULL)
        untold->is_told = true;
    tell_link(port, id, untold != NULL ? untold->is_own : is_own(port));
}

void chain_port_tip_changed(struct chain_port *port)
{
    port->has_easiest = false;
    port->wants_prune = true;
    port->events.tip_changed(port->events.context);
}

void chain_port_settled(struct chain_port *port)
{
    while (port->untold_first != NULL) {
        struct untold *untold = port->untold_first;
        port->untold_first = untold->next;
        if (!untold->is_told) {
            map_remove(port->untold, &untold->id);
            struct gossip_share share = {
                .id = untold->id,
                .bytes = untold->bytes,
                .size = untold->size,
                .is_own = untold->is_own,
            };
            tell(port, &share);
        }
        free(untold);
    }
    port->untold_last = &port->untold_first;
}

void chain_port_set_daemon_tip(struct chain_port *port, const struct hash256 *id)
{
    port->daemon_tip = *id;
    port->has_daemon_tip = true;
}

void chain_port_stats(const struct chain_port *port, struct chain_port_stats *stats)
{
    *stats = (struct chain_port_stats){
        .held = port->held_count,
        .held_bytes = port->held_bytes,
        .ignored = port->ignored,
        .deep_forks_refused = port->deep_forks_refused,
    };
}

// ---- The table: asking

static void port_tip(void *context, struct chain_tip *tip)
{
    const struct chain_port *port = context;
    struct link_view view;
    sharechain_tip(port->chain, &view);
    *tip = (struct chain_tip){.id = view.id, .height = view.height, .work = view.work};
}

static bool port_has_share(void *context, const struct hash256 *id)
{
    const struct chain_port *port = context;
    return sharechain_has_share(port->chain, id);
}

static bool port_has_link(void *context, const struct hash256 *id)
{
    const struct chain_port *port = context;
    return hash_equal(id, &port->pool->id) ||
           sharechain_link_verdict(port->chain, id, NULL) == VERDICT_VALID ||
           sharechain_is_old_link(port->chain, id);
}

static bool port_has_header(void *context, const struct hash256 *id)
{
    const struct chain_port *port = context;
    return header_chain_find(sharechain_headers(port->chain), id) != NULL;
}

static bool port_share_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct chain_port *port = context;
    return sharechain_share_bytes(port->chain, id, out);
}

static bool port_body_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    const struct chain_port *port = context;
    return sharechain_body_bytes(port->chain, id, out);
}

static bool port_proves_work(void *context, const struct hash256 *id, const uint8_t node_tag[16])
{
    const struct chain_port *port = context;
    if (!sharechain_is_credited(port->chain, id, CHAIN_PORT_WORK_LINKS))
        return false;
    uint8_t bytes[CHAIN_SHARE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, bytes, sizeof(bytes));
    struct share share;
    return sharechain_share_bytes(port->chain, id, &buffer) &&
           share_decode(bytes, buffer.size, &share) &&
           memcmp(share.info.node_tag, node_tag, SHARE_NODE_TAG_SIZE) == 0;
}

// ---- Junk

static struct u256 times_at_most(const struct u256 *value, uint64_t factor, const struct u256 *most)
{
    bool overflowed = false;
    struct u256 product = u256_multiply_u64(value, factor, &overflowed);
    return overflowed || u256_compare(&product, most) > 0 ? *most : product;
}

// The easiest grain target there may be now. One link that has not come yet may have eased the
// target by 4 half-lives (protocol section 4), which is a factor below 17.
static struct u256 easiest_id(const struct chain_port *port)
{
    struct u256 target, easiest;
    struct u256 one = u256_from_u64(1);
    struct u256 cap = u256_shift_left(&one, 255);
    sharechain_easiest_target(port->chain, &target);
    if (!target_expand(port->pool->easiest_bits, &easiest))
        easiest = cap; // not of a pool file that was read
    target = times_at_most(&target, 17, &easiest);
    return times_at_most(&target, port->pool->grains_per_link, &cap);
}

static bool port_is_plausible(void *context, const struct hash256 *id)
{
    struct chain_port *port = context;
    if (port->pool->chain->pow != POW_SHA256D)
        return true;
    if (!port->has_easiest) {
        port->easiest_id = easiest_id(port);
        port->has_easiest = true;
    }
    struct u256 value = u256_from_bytes_le(id->bytes);
    return u256_compare(&value, &port->easiest_id) <= 0;
}

// ---- Serving

static size_t port_link_locator(void *context, struct hash256 *ids)
{
    const struct chain_port *port = context;
    return sharechain_link_locator(port->chain, ids, CHAIN_LOCATOR_MAX);
}

static size_t port_header_locator(void *context, struct hash256 *ids)
{
    const struct chain_port *port = context;
    return sharechain_header_locator(port->chain, ids, CHAIN_LOCATOR_MAX);
}

static size_t port_headers_after(void *context, const struct hash256 *locator, size_t locator_count,
                                 size_t count_max, struct buffer *out)
{
    const struct chain_port *port = context;
    struct locator known = {locator, locator_count};
    return sharechain_headers_after(port->chain, NULL, &known, count_max, out);
}

static size_t port_headers_to(void *context, const struct hash256 *wanted,
                              const struct hash256 *locator, size_t locator_count,
                              struct buffer *out)
{
    const struct chain_port *port = context;
    struct locator known = {locator, locator_count};
    return sharechain_headers_after(port->chain, wanted, &known, CHAIN_HEADERS_MAX, out);
}

// Six parameters: the shape is that of the table.
static size_t port_links_after( // NOLINT(readability-function-size)
    void *context, const struct hash256 *locator, size_t locator_count, size_t count_max,
    struct hash256 *from, struct buffer *out)
{
    struct chain_port *port = context;
    struct locator known = {locator, locator_count};
    uint32_t height = sharechain_common_height(port->chain, &known, from);
    return sharechain_skeletons_from(port->chain, height + 1, count_max, out);
}

struct loose_ids {
    struct hash256 *ids;
    size_t count_max;
    size_t seen;
};

// Past count_max, the latest take the places of the first: the newest have the longest to go.
static void add_loose(void *context, const struct share_view *share)
{
    struct loose_ids *loose = context;
    loose->ids[loose->seen++ % loose->count_max] = share->id;
}

static size_t port_loose(void *context, struct hash256 *ids, size_t count_max)
{
    const struct chain_port *port = context;
    struct loose_ids loose = {ids, count_max, 0};
    sharechain_each_loose(port->chain, add_loose, &loose);
    return loose.seen < count_max ? loose.seen : count_max;
}

static size_t port_lacking(void *context, enum chain_lack kind, struct hash256 *ids,
                           uint32_t *sources, size_t count_max)
{
    static const enum sharechain_lack kinds[CHAIN_LACKS_COUNT] = {
        [CHAIN_LACKS_SHARE] = LACK_SHARE,
        [CHAIN_LACKS_BODY] = LACK_BODY,
        [CHAIN_LACKS_HEADER] = LACK_HEADER,
    };
    struct chain_port *port = context;
    struct lack_view lacks[64];
    size_t max = sizeof(lacks) / sizeof(lacks[0]);
    size_t count =
        sharechain_lacking(port->chain, kinds[kind], lacks, count_max < max ? count_max : max);
    for (size_t i = 0; i < count; i++) {
        ids[i] = lacks[i].id;
        sources[i] = lacks[i].source;
    }
    return count;
}

static void port_forget_source(void *context, uint32_t source)
{
    struct chain_port *port = context;
    hold_forget_source(port, source);
    sharechain_forget_source(port->chain, source);
}

void chain_port_table(struct chain_port *port, struct network_chain *table)
{
    *table = (struct network_chain){
        .context = port,
        .tip = port_tip,
        .has_share = port_has_share,
        .has_link = port_has_link,
        .has_header = port_has_header,
        .share_bytes = port_share_bytes,
        .body_bytes = port_body_bytes,
        .is_plausible = port_is_plausible,
        .add_share = port_add_share,
        .add_body = port_add_body,
        .add_headers = port_add_headers,
        .forget_source = port_forget_source,
        .link_locator = port_link_locator,
        .header_locator = port_header_locator,
        .headers_after = port_headers_after,
        .headers_to = port_headers_to,
        .links_after = port_links_after,
        .proof_new = port_proof_new,
        .proof_step = port_proof_step,
        .proof_free = port_proof_free,
        .proof_accept = port_proof_accept,
        .proof_link = port_proof_link,
        .proves_work = port_proves_work,
        .is_block = port_is_block,
        .loose = port_loose,
        .lacking = port_lacking,
    };
}
