// Whom to call, and what becomes of it. See peers_drop.c for the trial.
#include "dht/peers.h"

#include <assert.h>
#include <string.h>
#include "dht/peers_state.h"

#define TRIED_AT_ONCE      4
#define OTHER_FAMILY_MS    1000
#define FIXED_RETRY_MAX_MS 300000 // the operator wants them

// ---- Dialling

// 30 s after the first failure, doubling up to an hour.
static int64_t retry_ms(unsigned failures)
{
    int64_t ms = PEERS_RETRY_MIN_MS;
    for (unsigned i = 1; i < failures && ms < PEERS_RETRY_MAX_MS; i++)
        ms *= 2;
    return ms < PEERS_RETRY_MAX_MS ? ms : PEERS_RETRY_MAX_MS;
}

bool peers_add_fixed(struct peers *peers, const struct endpoint *endpoint,
                     const struct transport_key *key)
{
    if (peers->fixed_count == PEERS_FIXED_MAX || endpoint->address.family == ADDRESS_NONE)
        return false;
    if (choice_is_fixed(peers, key))
        return true;
    struct fixed_peer *fixed =
        peers_grow(peers->fixed, peers->fixed_count, &peers->fixed_capacity, sizeof *fixed);
    if (fixed == NULL)
        return false;
    peers->fixed = fixed;
    fixed[peers->fixed_count++] = (struct fixed_peer){.endpoint = *endpoint, .key = *key};
    peers_look_again(peers);
    return true;
}

static bool begin_dial(struct peers *peers, const struct peers_dial *dial)
{
    struct peer_dial *dials =
        peers_grow(peers->dials, peers->dials_count, &peers->dials_capacity, sizeof *dials);
    if (dials == NULL)
        return false;
    peers->dials = dials;
    dials[peers->dials_count++] = (struct peer_dial){dial->key, dial->id, dial->place,
                                                     address_group_wide(&dial->endpoint.address)};
    peers_look_again(peers);
    return true;
}

struct peer_dial outbound_take_dial(struct peers *peers, const struct transport_key *key)
{
    for (size_t i = 0; i < peers->dials_count; i++) {
        struct peer_dial dial = peers->dials[i];
        if (!key_equal(&dial.key, key))
            continue;
        peers->dials[i] = peers->dials[--peers->dials_count];
        return dial;
    }
    return (struct peer_dial){.place = PEER_PLACE_NONE};
}

static bool dial_fixed(struct peers *peers, struct now now, struct mono_time *later,
                       struct peers_dial *dial)
{
    const struct node_id unknown = {{{0}}};
    for (size_t i = 0; i < peers->fixed_count; i++) {
        struct fixed_peer *fixed = &peers->fixed[i];
        if (peers_find_node(peers, &unknown, &fixed->key) != NULL ||
            choice_is_dialled(peers, &fixed->key))
            continue;
        bool is_banned = peers_is_banned(peers, &fixed->endpoint.address, now) ||
                         peers_is_banned_node(peers, NULL, &fixed->key, now);
        if (is_banned && fixed->next_dial.ms <= now.mono.ms)
            fixed->next_dial.ms = now.mono.ms + PEERS_RETRY_MIN_MS;
        if (fixed->next_dial.ms > now.mono.ms) {
            *later = mono_min(*later, fixed->next_dial);
            continue;
        }
        *dial = (struct peers_dial){
            .endpoint = fixed->endpoint, .key = fixed->key, .place = PEER_PLACE_SEED};
        return begin_dial(peers, dial);
    }
    return false;
}

static bool is_wanted(const struct peers *peers, const struct census *census, enum wish wish)
{
    if (census->places == 0 || census->chosen >= census->places + PEERS_EXTRA)
        return false;
    switch (wish) {
    case WISH_KEPT:
        return census->kept < choice_kept_places(census);
    case WISH_RANDOM:
        return census->random < choice_random_places(census);
    case WISH_TRIED:
        return peers->measured < PEERS_TRIED && census->unmeasured < TRIED_AT_ONCE;
    case WISH_NEAR:
        return census->near < choice_near_places(census);
    case WISH_LOST:
        return census->random < choice_random_places(census);
    }
    return false;
}

static enum peer_place place_for(enum wish wish)
{
    switch (wish) {
    case WISH_KEPT:
        return PEER_PLACE_KEPT;
    case WISH_RANDOM:
    case WISH_LOST:
        return PEER_PLACE_RANDOM;
    case WISH_TRIED:
    case WISH_NEAR:
        return PEER_PLACE_TRIED;
    }
    return PEER_PLACE_NONE;
}

static bool dial_node(struct peers *peers, const struct book_node *node, enum wish wish,
                      struct peers_dial *dial)
{
    struct node_record record;
    bool is_right = record_decode(node->bytes, node->size, &record);
    assert(is_right); // it was when it was taken in
    *dial = (struct peers_dial){
        .endpoint = *book_endpoint(node),
        .key = node->key,
        .place = place_for(wish),
        .has_id = true,
        .id = node->id,
        .sign_key = record.sign_key,
    };
    return begin_dial(peers, dial);
}

// Where the network broke in two, all of the other side are lost at once and come back at once: one
// after the other is called, however long each has been failing, as one who answers is enough.
static bool dial_lost(struct peers *peers, const struct census *census, struct now now,
                      struct mono_time *later, struct peers_dial *dial)
{
    struct choice found;
    if (!is_wanted(peers, census, WISH_LOST))
        return false;
    choice_find(peers, WISH_LOST, NULL, now, &found);
    if (found.best == NOBODY)
        return false;
    if (peers->lost_at.ms > now.mono.ms) {
        *later = mono_min(*later, peers->lost_at);
        return false;
    }
    peers->lost_at.ms = now.mono.ms + PEERS_LOST_MS;
    return dial_node(peers, &peers->book[found.best], WISH_LOST, dial);
}

bool peers_next_dial(struct peers *peers, struct now now, struct peers_dial *dial)
{
    static const enum wish wishes[] = {WISH_KEPT, WISH_RANDOM, WISH_TRIED, WISH_NEAR};
    struct mono_time later = MONO_NEVER;
    struct choice found;
    if (now.mono.ms < peers->dial_look.ms)
        return false;
    book_expire(peers, now);
    if (dial_fixed(peers, now, &later, dial))
        return true;
    struct census census = choice_census(peers);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        if (!is_wanted(peers, &census, wishes[i]))
            continue;
        choice_find(peers, wishes[i], NULL, now, &found);
        later = mono_min(later, found.later);
        bool is_drawn = wishes[i] == WISH_RANDOM || wishes[i] == WISH_TRIED;
        size_t chosen = is_drawn ? choice_draw(peers, &found) : found.best;
        if (chosen != NOBODY)
            return dial_node(peers, &peers->book[chosen], wishes[i], dial);
        // Who was near and is gone has to be replaced: by another that was measured, else by a new
        // trial.
        if (wishes[i] == WISH_NEAR && peers->measured >= PEERS_TRIED) {
            peers->measured = 0;
            later.ms = 0;
        }
    }
    if (dial_lost(peers, &census, now, &later, dial))
        return true;
    peers->dial_look = later;
    return false;
}

// ---- What becomes of them

static void node_failed(struct peers *peers, const struct node_id *id, struct now now)
{
    struct book_node *node = book_find(peers, id);
    if (node == NULL)
        return;
    if (node->failures < UINT8_MAX)
        node->failures++;
    node->kept_rank = 0;
    peers->expiry_min = 0; // nothing holds it any more
    node->next_dial.ms = now.mono.ms + retry_ms(node->failures);
}

static void fixed_failed(struct peers *peers, const struct transport_key *key, struct now now)
{
    for (size_t i = 0; i < peers->fixed_count; i++) {
        struct fixed_peer *fixed = &peers->fixed[i];
        if (!key_equal(&fixed->key, key))
            continue;
        if (fixed->failures < UINT8_MAX)
            fixed->failures++;
        int64_t ms = retry_ms(fixed->failures);
        fixed->next_dial.ms = now.mono.ms + (ms < FIXED_RETRY_MAX_MS ? ms : FIXED_RETRY_MAX_MS);
    }
}

// Who has addresses of both families is called at the other one soon, once: it may be we who lack a
// family, and nobody should wait for that.
static void try_other_family(struct book_node *node, struct now now)
{
    bool has_both =
        node->ipv4.address.family != ADDRESS_NONE && node->ipv6.address.family != ADDRESS_NONE;
    if (has_both && node->failures == 1)
        node->next_dial.ms = now.mono.ms + OTHER_FAMILY_MS;
}

void peers_failed(struct peers *peers, const struct transport_key *key, struct now now)
{
    struct peer_dial dial = outbound_take_dial(peers, key);
    if (dial.place == PEER_PLACE_NONE)
        return;
    // Of the node that was dialled: others may claim the same key.
    struct book_node *node = book_find(peers, &dial.id);
    if (node != NULL) {
        node->is_lost = node->is_reached;
        node->called = now.mono;
    }
    // Of one that was called out of turn we knew that it fails.
    if (node != NULL && node->next_dial.ms <= now.mono.ms) {
        node_failed(peers, &dial.id, now);
        try_other_family(node, now);
    }
    if (dial.place == PEER_PLACE_SEED)
        fixed_failed(peers, key, now);
    peers_look_again(peers);
}

void outbound_opened(struct peers *peers, const struct peers_link *link)
{
    struct book_node *node = book_find(peers, &link->id);
    if (node == NULL)
        return;
    node->is_reached = true;
    node->is_lost = false;
}

// Who lets us in and throws us out at once is as good as one who does not answer.
void outbound_lost(struct peers *peers, const struct peer_link *link, int64_t lasted_ms,
                   struct now now)
{
    if (lasted_ms < STABLE_MS) {
        node_failed(peers, &link->link.id, now);
        fixed_failed(peers, &link->link.key, now);
        return;
    }
    struct book_node *node = book_find(peers, &link->link.id);
    if (node != NULL) {
        node->failures = 0;
        node->next_dial.ms = now.mono.ms + PEERS_RETRY_MIN_MS;
    }
    for (size_t i = 0; i < peers->fixed_count; i++) {
        if (key_equal(&peers->fixed[i].key, &link->link.key))
            peers->fixed[i].failures = 0;
    }
}

void outbound_measured(struct peers *peers, struct peer_link *link, uint32_t ms)
{
    struct book_node *node = book_find(peers, &link->link.id);
    if (link->place == PEER_PLACE_TRIED && link->round_trip_ms == 0)
        peers->measured++;
    link->round_trip_ms = ms;
    if (node != NULL)
        node->round_trip_ms = ms;
    peers_look_again(peers);
}

void peers_round_trip(struct peers *peers, uint32_t peer, uint32_t ms)
{
    struct peer_link *link = peers_find_link(peers, peer);
    if (link == NULL)
        return;
    if (ms >= UNMEASURED_MS)
        ms = UNMEASURED_MS - 1;
    if (link->round_trip_ms == 0 || link->round_trip_ms == UNMEASURED_MS)
        outbound_measured(peers, link, ms > 0 ? ms : 1);
    else
        link->round_trip_ms =
            (uint32_t)(((uint64_t)link->round_trip_ms * 7 + (ms > 0 ? ms : 1) + 7) / 8);
}

struct mono_time peers_next_deadline(const struct peers *peers)
{
    return mono_min(peers->dial_look, peers->drop_look);
}
