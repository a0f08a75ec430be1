#include "dht/peers.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/peers_state.h"

const char *peer_place_text(enum peer_place place)
{
    switch (place) {
    case PEER_PLACE_NONE:
        return "inbound";
    case PEER_PLACE_TRIED:
        return "tried";
    case PEER_PLACE_NEAR:
        return "near";
    case PEER_PLACE_RANDOM:
        return "random";
    case PEER_PLACE_KEPT:
        return "kept";
    case PEER_PLACE_SEED:
        return "fixed";
    }
    return "?";
}

struct peers *peers_new(const struct env *env, const struct peers_config *config)
{
    struct peers *peers = calloc(1, sizeof *peers);
    assert(config->inbound_max <= PEERS_INBOUND_LIMIT);
    assert(config->outbound_max <= PEERS_OUTBOUND_LIMIT);
    if (peers == NULL)
        return NULL;
    peers->env = env;
    peers->config = *config;
    if (config->inbound_max == 0)
        peers->config.inbound_max = PEERS_INBOUND;
    if (config->outbound_max == 0)
        peers->config.outbound_max = PEERS_OUTBOUND;
    peers->expiry_min = UINT32_MAX;
    env_random_bytes(env, peers->hash_key, sizeof peers->hash_key);
    return peers;
}

void peers_free(struct peers *peers)
{
    if (peers == NULL)
        return;
    free(peers->book);
    free(peers->book_starts);
    free(peers->links);
    free(peers->dials);
    free(peers->fixed);
    free(peers->bans);
    free(peers->scores);
    free(peers);
}

// By a quarter: thousands of nodes live in one simulator, and most books stay small.
void *peers_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity + *capacity / 4 + 4;
    void *grown = realloc(items, wanted * item_size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

void peers_look_again(struct peers *peers)
{
    peers->dial_look.ms = 0;
    peers->drop_look.ms = 0;
}

bool key_equal(const struct transport_key *a, const struct transport_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool id_equal(const struct node_id *a, const struct node_id *b)
{
    return hash_equal(&a->hash, &b->hash) && !hash_is_zero(&a->hash);
}

struct peer_link *peers_find_link(const struct peers *peers, uint32_t peer)
{
    for (size_t i = 0; i < peers->links_count; i++) {
        if (peers->links[i].link.peer == peer)
            return &peers->links[i];
    }
    return NULL;
}

struct peer_link *peers_find_node(const struct peers *peers, const struct node_id *id,
                                  const struct transport_key *key)
{
    for (size_t i = 0; i < peers->links_count; i++) {
        const struct peers_link *link = &peers->links[i].link;
        if (key_equal(&link->key, key) || id_equal(&link->id, id))
            return &peers->links[i];
    }
    return NULL;
}

void peers_remove_link(struct peers *peers, struct peer_link *link, struct now now)
{
    scores_keep(peers, link, now);
    peers->expiry_min = 0; // the link may have held its record
    *link = peers->links[--peers->links_count];
    peers_look_again(peers);
}

_Static_assert(crypto_shorthash_KEYBYTES == HASH_KEY_SIZE, "the key of the keyed hash");

static void set_address(const struct peers *peers, struct peer_link *link)
{
    uint8_t hash[crypto_shorthash_BYTES];
    link->wide = address_group_wide(&link->link.endpoint.address);
    crypto_shorthash(hash, (const uint8_t *)&link->wide.value, sizeof link->wide.value,
                     peers->hash_key);
    memcpy(&link->wide_hash, hash, sizeof link->wide_hash);
}

static bool add_link(struct peers *peers, const struct peers_link *from, enum peer_place place,
                     struct now now)
{
    struct peer_link *links =
        peers_grow(peers->links, peers->links_count, &peers->links_capacity, sizeof *links);
    if (links == NULL)
        return false;
    peers->links = links;
    struct peer_link *link = &links[peers->links_count++];
    *link = (struct peer_link){.link = *from, .place = place, .since = now.mono};
    set_address(peers, link);
    scores_restore(peers, link, now);
    return true;
}

// "Of two links between the same two nodes both sides keep the same one: the one that the node with
// the smaller id called." Who called us has proven his id; of whom we called we know only his key.
static bool new_one_stays(const struct peers *peers, const struct peers_link *old,
                          const struct peers_link *new)
{
    if (old->way == new->way)
        return new->way == PEER_INBOUND;
    const struct peers_link *inbound = old->way == PEER_INBOUND ? old : new;
    bool we_are_smaller = hash_compare(&peers->config.own.hash, &inbound->id.hash) < 0;
    return (new->way == PEER_OUTBOUND) == we_are_smaller;
}

// The place that one of the two was dialled for goes to the one that stays, so both orders end
// alike. What the peer did on the old link counts on.
static enum peers_admission judge_duplicate(struct peers *peers, struct peer_link *old,
                                            const struct peers_link *new, enum peer_place place,
                                            uint32_t *evicted)
{
    bool has_work = old->link.has_work || new->has_work;
    struct peers_link first = old->link;
    if (old->place == PEER_PLACE_NONE)
        old->place = place;
    if (new_one_stays(peers, &first, new)) {
        *evicted = first.peer;
        old->link = *new;
        old->round_trip_ms = 0;
        set_address(peers, old);
    }
    if (hash_is_zero(&old->link.id.hash)) {
        const struct peers_link *named = hash_is_zero(&first.id.hash) ? new : &first;
        old->link.id = named->id;
        old->link.sign_key = named->sign_key;
    }
    old->link.has_work = has_work;
    if (old->place != PEER_PLACE_NONE)
        outbound_opened(peers, &old->link);
    return old->link.peer == new->peer ? PEERS_DUPLICATE_EVICTS : PEERS_DUPLICATE;
}

static enum peers_admission admit(struct peers *peers, const struct peers_link *link,
                                  enum peer_place place, struct now now, uint32_t *evicted)
{
    struct peer_link *loser = NULL;
    enum peers_admission admission = PEERS_ADMITTED;
    if (link->way == PEER_INBOUND)
        admission = inbound_admit(peers, link, &loser);
    if (admission == PEERS_FULL)
        return PEERS_FULL;
    if (loser != NULL) {
        *evicted = loser->link.peer;
        peers_remove_link(peers, loser, now);
    }
    // Cannot fail after an eviction: that place is free.
    if (!add_link(peers, link, place, now))
        return PEERS_FULL;
    if (place != PEER_PLACE_NONE)
        outbound_opened(peers, link);
    return admission;
}

// Links that we called without being asked to by peers_next_dial have no place kept for them.
static enum peer_place place_of(struct peers *peers, const struct peers_link *link, bool *has_place)
{
    size_t ours = 0;
    *has_place = true;
    if (link->way == PEER_INBOUND)
        return PEER_PLACE_NONE;
    struct peer_dial dial = outbound_take_dial(peers, &link->key);
    if (dial.place != PEER_PLACE_NONE)
        return dial.place;
    for (size_t i = 0; i < peers->links_count; i++)
        ours += peers->links[i].place != PEER_PLACE_NONE;
    *has_place = ours + peers->dials_count < peers->config.outbound_max + PEERS_EXTRA;
    return PEER_PLACE_TRIED;
}

enum peers_admission peers_opened(struct peers *peers, const struct peers_link *link,
                                  struct now now, uint32_t *evicted)
{
    bool has_place;
    enum peers_admission admission;
    enum peer_place place = place_of(peers, link, &has_place);
    peers_look_again(peers);
    struct peer_link *other = peers_find_node(peers, &link->id, &link->key);
    if (id_equal(&link->id, &peers->config.own))
        admission = PEERS_IS_SELF;
    else if (bans_hit_link(peers, link, now))
        admission = PEERS_BANNED;
    else if (other != NULL)
        return judge_duplicate(peers, other, link, place, evicted);
    else
        admission = has_place ? admit(peers, link, place, now, evicted) : PEERS_FULL;
    bool is_in = admission == PEERS_ADMITTED || admission == PEERS_ADMITTED_EVICTS;
    if (!is_in && place != PEER_PLACE_NONE)
        outbound_lost(peers, &(struct peer_link){.link = *link, .place = place}, 0, now);
    return admission;
}

void peers_closed(struct peers *peers, uint32_t peer, struct now now)
{
    struct peer_link *link = peers_find_link(peers, peer);
    if (link == NULL)
        return;
    if (link->place != PEER_PLACE_NONE)
        outbound_lost(peers, link, now.mono.ms - link->since.ms, now);
    peers_remove_link(peers, link, now);
}

bool peers_identify(struct peers *peers, uint32_t peer, const struct node_record *record)
{
    struct node_id id;
    struct peer_link *link = peers_find_link(peers, peer);
    if (link == NULL || !key_equal(&link->link.key, &record->transport_key))
        return false;
    record_node_id(record, &id);
    if (id_equal(&link->link.id, &id))
        return true;
    if (link->link.way == PEER_INBOUND)
        return false;
    // Whom we called was known from a record that anybody could sign; this one came from the owner
    // of the key.
    struct book_node *liar = book_find(peers, &link->link.id);
    if (liar != NULL)
        book_remove(peers, liar);
    link->link.id = id;
    link->link.sign_key = record->sign_key;
    return true;
}

void peers_delivered(struct peers *peers, uint32_t peer, struct now now)
{
    struct peer_link *link = peers_find_link(peers, peer);
    if (link == NULL)
        return;
    link->delivered++;
    link->delivered_at = now.mono;
}

void peers_proved_work(struct peers *peers, uint32_t peer)
{
    struct peer_link *link = peers_find_link(peers, peer);
    if (link != NULL)
        link->link.has_work = true;
}

bool peers_view(const struct peers *peers, uint32_t peer, struct peers_view *view)
{
    const struct peer_link *link = peers_find_link(peers, peer);
    if (link == NULL)
        return false;
    *view = (struct peers_view){
        .link = link->link,
        .place = link->place,
        .since = link->since,
        .round_trip_ms = link->round_trip_ms == UNMEASURED_MS ? 0 : link->round_trip_ms,
        .score = link->score,
        .delivered = link->delivered,
        .has_work = link->link.has_work,
    };
    return true;
}

size_t peers_count(const struct peers *peers, enum peer_way way)
{
    size_t count = 0;
    for (size_t i = 0; i < peers->links_count; i++)
        count += peers->links[i].link.way == way;
    return count;
}
