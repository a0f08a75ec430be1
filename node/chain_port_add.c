// What comes in from peers. Cheap questions first: bytes that are known cost a hash, and proof of
// work is computed once at most.
#include "node/chain_port_state.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"

static enum chain_verdict chain_verdict_of(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_VALID:
        return CHAIN_VALID;
    case VERDICT_UNKNOWN:
        return CHAIN_UNKNOWN;
    case VERDICT_INVALID:
        return CHAIN_INVALID;
    }
    return CHAIN_INVALID;
}

// ---- Shares

// "ignore (neither keep nor relay) shares with link_height + horizon < tip height or > tip height +
// horizon"
static bool is_far_from_tip(const struct chain_port *port, const struct share *share)
{
    struct link_view tip;
    sharechain_tip(port->chain, &tip);
    int64_t ahead = (int64_t)share->info.link_height - (int64_t)tip.height;
    int64_t horizon = port->pool->horizon;
    return ahead > horizon || -ahead > horizon;
}

enum clock_test {
    CLOCK_FINE,
    CLOCK_HOLD,
    CLOCK_TOO_FAR,
};

// "Received, time up to 60 s ahead of the clock: fine; up to 600 s: hold; more: ignore. The hold
// looks at a link's own time, never at its grains'". Only a time ahead of the clock asks for the
// proof of work: *has_pow then.
static enum clock_test test_clock(struct chain_port *port, const struct share *share,
                                  struct now now, struct hash256 *pow, bool *has_pow)
{
    *has_pow = false;
    int64_t ahead = (int64_t)share->info.time - wall_seconds(now.wall);
    if (ahead <= CHAIN_PORT_AHEAD_S)
        return CLOCK_FINE;
    pow_hash(port->pow_memory, share->header, pow);
    *has_pow = true;
    struct u256 target;
    if (!target_expand(share->info.link_bits, &target) || !target_is_met(pow, &target))
        return CLOCK_FINE;
    return ahead <= CHAIN_PORT_HOLD_S ? CLOCK_HOLD : CLOCK_TOO_FAR;
}

enum chain_verdict port_feed(struct chain_port *port, const struct chain_arrival *arrival,
                             const struct hash256 *pow)
{
    struct share_arrival share = {
        .bytes = arrival->share,
        .size = arrival->share_size,
        .pow = pow,
        .body = arrival->body,
        .body_size = arrival->body_size,
        .source = arrival->source,
    };
    enum verdict verdict = sharechain_add_share(port->chain, &share);
    chain_port_settled(port);
    return chain_verdict_of(verdict);
}

// A body that is not the share's is the fault of whoever sent them together.
static bool is_body_of(const struct chain_arrival *arrival, const struct share *share)
{
    struct hash256 root;
    if (arrival->body_size > CHAIN_BODY_MAX)
        return false;
    body_root(arrival->body, arrival->body_size, &root);
    return hash_equal(&root, &share->info.body_root);
}

// Bytes that were judged before: their body is taken if that is what is missing.
static enum chain_verdict add_known(struct chain_port *port, const struct chain_arrival *arrival,
                                    const struct share *share)
{
    struct hash256 id;
    bool misses_link;
    header_id(share->header, &id);
    if (arrival->body == NULL ||
        sharechain_link_verdict(port->chain, &id, &misses_link) != VERDICT_UNKNOWN)
        return CHAIN_VALID;
    if (!is_body_of(arrival, share))
        return CHAIN_INVALID;
    port_add_body(port, arrival->source, arrival->body, arrival->body_size);
    return CHAIN_VALID;
}

// While something is taken on trust, an invalid link of the proven chain may be right and what was
// taken wrong: nobody's fault, so far.
static enum chain_verdict judge(struct chain_port *port, const struct chain_arrival *arrival,
                                const struct share *share, const struct hash256 *pow)
{
    enum chain_verdict verdict = port_feed(port, arrival, pow);
    struct hash256 id;
    header_id(share->header, &id);
    if (verdict == CHAIN_INVALID && proof_is_contradicted(port, &id, share->info.link_height)) {
        port->is_contradicted = true;
        return CHAIN_IGNORED;
    }
    return verdict;
}

enum chain_verdict port_add_share(void *context, const struct chain_arrival *arrival,
                                  struct now now)
{
    struct chain_port *port = context;
    struct share share;
    if (arrival->share_size > CHAIN_SHARE_MAX ||
        !share_decode(arrival->share, arrival->share_size, &share))
        return CHAIN_INVALID;
    if ((!arrival->is_sync && is_far_from_tip(port, &share)) ||
        share.info.link_height <= sharechain_root_height(port->chain)) {
        port->ignored++;
        return CHAIN_IGNORED;
    }
    enum verdict known = sharechain_share_verdict(port->chain, arrival->share, arrival->share_size);
    if (known == VERDICT_INVALID)
        return CHAIN_INVALID;
    if (known == VERDICT_VALID)
        return add_known(port, arrival, &share);
    if (arrival->body != NULL && !is_body_of(arrival, &share))
        return CHAIN_INVALID;
    struct hash256 pow;
    bool has_pow;
    switch (test_clock(port, &share, now, &pow, &has_pow)) {
    case CLOCK_FINE:
        return judge(port, arrival, &share, has_pow ? &pow : NULL);
    case CLOCK_HOLD:
        hold_add(port, arrival, &pow, share.info.time, now);
        return CHAIN_UNKNOWN;
    case CLOCK_TOO_FAR:
        break;
    }
    port->ignored++;
    return CHAIN_IGNORED;
}

void port_add_body(void *context, uint32_t source, const uint8_t *bytes, size_t size)
{
    struct chain_port *port = context;
    if (size > CHAIN_BODY_MAX)
        return;
    sharechain_add_body(port->chain, bytes, size, source);
    chain_port_settled(port);
}

// ---- Headers

// Peers' headers have to connect: the few that may wait for their parents are for our own daemons.
enum chain_verdict port_add_headers(void *context, uint32_t source, const uint8_t *headers,
                                    size_t count)
{
    struct chain_port *port = context;
    (void)source; // nothing is kept at anybody's expense
    enum verdict verdict = VERDICT_VALID;
    for (size_t i = 0; i < count && verdict == VERDICT_VALID; i++) {
        const uint8_t *bytes = headers + i * HEADER_SIZE;
        struct header header;
        header_decode(bytes, &header);
        verdict = header_chain_verdict(sharechain_headers(port->chain), &header.prev);
        if (verdict == VERDICT_VALID)
            verdict = sharechain_add_header(port->chain, bytes);
    }
    chain_port_settled(port);
    return chain_verdict_of(verdict);
}
