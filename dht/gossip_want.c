// What is announced and not here: one WANT in flight for each id, hedged to another announcer.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dht/gossip_state.h"

// ---- Wants of a peer

static struct want *find_want(const struct gossip_peer *peer, const struct hash256 *id)
{
    for (uint32_t i = 0; i < peer->wants_count; i++) {
        if (hash_equal(&peer->wants[i].id, id))
            return &peer->wants[i];
    }
    return NULL;
}

// Keeps the order, so that those not sent yet are the last ones.
static void remove_want(struct gossip_peer *peer, struct want *want)
{
    size_t after = (size_t)(peer->wants + peer->wants_count - want) - 1;
    peer->unsent_count -= !want->is_sent;
    memmove(want, want + 1, after * sizeof *want);
    peer->wants_count--;
}

static bool has_want_room(struct gossip_peer *peer)
{
    if (peer->wants_count < peer->wants_capacity)
        return true;
    uint32_t capacity = peer->wants_capacity == 0 ? 4 : 2 * peer->wants_capacity;
    if (capacity > GOSSIP_WANTS_PEER_MAX)
        return false;
    struct want *wants = realloc(peer->wants, capacity * sizeof *wants);
    if (wants == NULL)
        return false;
    peer->wants = wants;
    peer->wants_capacity = capacity;
    return true;
}

static int64_t hedge_ms(const struct gossip_peer *peer)
{
    int64_t ms =
        3 * (int64_t)(peer->round_trip_ms == 0 ? GOSSIP_ROUND_TRIP_MS : peer->round_trip_ms);
    return ms > GOSSIP_HEDGE_MS ? ms : GOSSIP_HEDGE_MS;
}

// ---- Ids that were heard

static void remove_heard(struct gossip *gossip, struct heard *heard)
{
    gossip->slots[heard->owner]->heard_count--;
    map_remove(gossip->heard, &heard->id);
    free(heard);
}

// NULL if the peer is charged with too many already, or out of memory.
static struct heard *add_heard(struct gossip *gossip, struct gossip_peer *peer,
                               const struct hash256 *id, struct now now)
{
    struct heard *heard = peer->heard_count < GOSSIP_WANTS_PEER_MAX ? malloc(sizeof *heard) : NULL;
    if (heard == NULL)
        return NULL;
    *heard = (struct heard){
        .id = *id,
        .until = {now.mono.ms + GOSSIP_HEARD_MS},
        .ask_at = MONO_NEVER,
        .owner = peer->slot,
        .asked = GOSSIP_SLOT_NONE,
    };
    map_set(gossip->heard, id, heard);
    peer->heard_count++;
    gossip_due(gossip, heard->until);
    return heard;
}

// Those who broke a promise last; then the nearest.
static bool is_better(const struct gossip_peer *peer, const struct gossip_peer *than)
{
    if (than == NULL || peer->is_last != than->is_last)
        return than == NULL || than->is_last;
    return hedge_ms(peer) < hedge_ms(than);
}

static struct gossip_peer *choose(const struct gossip *gossip, const struct heard *heard)
{
    struct gossip_peer *best = NULL;
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        struct gossip_peer *peer = gossip->slots[i];
        if (!peer_set_has(&heard->to_ask, i) || peer->is_ignored ||
            peer->wants_count == GOSSIP_WANTS_PEER_MAX)
            continue;
        if (is_better(peer, best))
            best = peer;
    }
    return best;
}

static void ask_later(struct gossip *gossip, struct heard *heard, int64_t ms, struct now now)
{
    heard->ask_at.ms = now.mono.ms + ms;
    gossip_due(gossip, heard->ask_at);
}

// Decides whom to ask for the id; gossip_want_flush sends. True if somebody is asked.
static bool ask(struct gossip *gossip, struct heard *heard, struct now now)
{
    heard->ask_at = MONO_NEVER;
    heard->asked = GOSSIP_SLOT_NONE;
    if (heard->copies >= GOSSIP_COPIES_MAX || peer_set_is_empty(&heard->to_ask))
        return false;
    struct gossip_peer *peer = choose(gossip, heard);
    if (peer == NULL || !has_want_room(peer)) {
        ask_later(gossip, heard, GOSSIP_HEDGE_MS, now);
        return false;
    }
    peer_set_remove(&heard->to_ask, peer->slot);
    heard->asked = peer->slot;
    peer->wants[peer->wants_count++] = (struct want){.id = heard->id};
    peer->unsent_count++;
    gossip->has_unsent_wants = true;
    return true;
}

// ---- What comes in

static void announced(struct gossip *gossip, struct gossip_peer *peer, const struct hash256 *id,
                      struct now now)
{
    struct seen_entry *seen = gossip_seen_find(gossip->seen, id);
    if (seen != NULL) {
        seen_entry_has(seen, peer->slot);
        gossip_rank_told(gossip, peer, seen, false, now);
        return;
    }
    if (gossip->chain->has_share(gossip->chain->context, id))
        return;
    struct heard *heard = map_find(gossip->heard, id);
    if (heard == NULL)
        heard = add_heard(gossip, peer, id, now);
    if (heard == NULL || peer_set_has(&heard->has, peer->slot))
        return;
    peer_set_add(&heard->has, peer->slot);
    peer_set_add(&heard->to_ask, peer->slot);
    if (heard->asked != GOSSIP_SLOT_NONE)
        return;
    if (heard->copies == 0 && !peer->is_last)
        ask(gossip, heard, now);
    else if (heard->ask_at.ms == INT64_MAX) // what waits here may become valid meanwhile
        ask_later(gossip, heard, heard->copies == 0 ? GOSSIP_LAST_WAIT_MS : hedge_ms(peer), now);
}

void gossip_want_announced(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_bytes *ids, struct now now)
{
    size_t count = peer_ids_count(ids);
    if (!gossip_charge(gossip, peer, count, now) || peer->is_ignored)
        return;
    gossip->stats.ids_announced += count;
    for (size_t i = 0; i < count; i++) {
        struct hash256 id;
        peer_id_at(ids, i, &id);
        if (!gossip->chain->is_plausible(gossip->chain->context, &id)) {
            gossip_fault(gossip, peer, GOSSIP_FAULT_JUNK_ID, now);
            return;
        }
        announced(gossip, peer, &id, now);
    }
}

bool gossip_want_answered(struct gossip *gossip, struct gossip_peer *peer, const struct hash256 *id,
                          struct now now)
{
    struct want *want = find_want(peer, id);
    (void)gossip;
    if (want == NULL || !want->is_sent)
        return false;
    if (!peer->has_link_round_trip) {
        uint32_t ms = (uint32_t)(now.mono.ms - want->sent.ms) + 1;
        peer->round_trip_ms = peer->round_trip_ms == 0 ? ms : (7 * peer->round_trip_ms + ms) / 8;
    }
    peer->is_last = false;
    remove_want(peer, want);
    return true;
}

bool gossip_want_arrived(struct gossip *gossip, const struct hash256 *id, struct peer_set *has)
{
    struct heard *heard = map_find(gossip->heard, id);
    if (heard == NULL)
        return false;
    for (unsigned i = 0; i < PEER_SET_SLOTS / 64; i++)
        has->bits[i] |= heard->has.bits[i];
    remove_heard(gossip, heard);
    return true;
}

void gossip_want_refused(struct gossip *gossip, const struct gossip_peer *peer,
                         const struct hash256 *id, struct now now)
{
    struct heard *heard = map_find(gossip->heard, id);
    if (heard == NULL)
        return;
    peer_set_remove(&heard->has, peer->slot);
    peer_set_remove(&heard->to_ask, peer->slot);
    if (heard->asked == peer->slot)
        ask(gossip, heard, now);
}

void gossip_want_unjudged(struct gossip *gossip, struct gossip_peer *peer, const struct hash256 *id,
                          bool is_kept, struct now now)
{
    struct heard *heard = map_find(gossip->heard, id);
    if (heard == NULL && is_kept)
        heard = add_heard(gossip, peer, id, now);
    if (heard == NULL)
        return;
    peer_set_add(&heard->has, peer->slot);
    peer_set_remove(&heard->to_ask, peer->slot);
    bool was_sent = peer_set_has(&heard->sent, peer->slot);
    peer_set_add(&heard->sent, peer->slot);
    if (heard->copies < GOSSIP_COPIES_MAX && !was_sent)
        heard->copies++;
    // The copy may be a wrong one under this id: if it is not told of soon, another is fetched. The
    // same peer cannot put that off again and again.
    if (heard->asked == peer->slot || (heard->asked == GOSSIP_SLOT_NONE && !was_sent)) {
        heard->asked = GOSSIP_SLOT_NONE;
        ask_later(gossip, heard, hedge_ms(peer), now);
    }
}

// ---- Sending

// The unsent ones did not go out: our own link is full, and the peer broke no promise.
static void take_back(struct gossip *gossip, struct gossip_peer *peer, struct now now)
{
    while (peer->unsent_count > 0) {
        struct hash256 id = peer->wants[peer->wants_count - 1].id;
        struct heard *heard = map_find(gossip->heard, &id);
        peer->wants_count--;
        peer->unsent_count--;
        if (heard != NULL && heard->asked == peer->slot)
            ask(gossip, heard, now);
    }
}

static void send_wants(struct gossip *gossip, struct gossip_peer *peer, struct now now)
{
    uint8_t ids[PEER_IDS_MAX * sizeof(struct hash256)];
    while (peer->unsent_count > 0) {
        struct want *wants = peer->wants + peer->wants_count - peer->unsent_count;
        uint32_t count = peer->unsent_count < PEER_IDS_MAX ? peer->unsent_count : PEER_IDS_MAX;
        for (uint32_t i = 0; i < count; i++)
            memcpy(ids + i * sizeof(struct hash256), wants[i].id.bytes, sizeof(struct hash256));
        struct peer_message message = {.type = PEER_WANT,
                                       .ids = {ids, count * sizeof(struct hash256)}};
        if (!gossip_send(gossip, peer, LINK_LANE_SHARE, &message)) {
            take_back(gossip, peer, now);
            return;
        }
        for (uint32_t i = 0; i < count; i++) {
            wants[i].is_sent = true;
            wants[i].sent = now.mono;
            wants[i].deadline.ms = now.mono.ms + hedge_ms(peer);
            gossip_due(gossip, wants[i].deadline);
        }
        peer->unsent_count -= count;
        gossip->stats.wants_sent += count;
    }
}

void gossip_want_flush(struct gossip *gossip, struct now now)
{
    // Again when what did not go out to one is asked of another: each is asked once for an id.
    while (gossip->has_unsent_wants) {
        gossip->has_unsent_wants = false;
        for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
            if (gossip->slots[i] != NULL && gossip->slots[i]->unsent_count > 0)
                send_wants(gossip, gossip->slots[i], now);
        }
    }
}

// ---- Time

// Wants that break in the same silence are one broken promise: a stalled connection is no malice.
static void count_broken(struct gossip *gossip, struct gossip_peer *peer, const struct want *want,
                         struct now now)
{
    gossip->stats.wants_unanswered++;
    peer->wants_broken++;
    peer->is_last = true;
    if (want->sent.ms < peer->broken_last.ms)
        return;
    peer->broken_last = now.mono;
    if (peer->broken_count == GOSSIP_BROKEN_MAX) {
        memmove(peer->broken_at, peer->broken_at + 1,
                (GOSSIP_BROKEN_MAX - 1) * sizeof *peer->broken_at);
        peer->broken_count--;
    }
    peer->broken_at[peer->broken_count++] = gossip->sequence;
    if (peer->broken_count < GOSSIP_BROKEN_MAX ||
        gossip->sequence - peer->broken_at[0] > GOSSIP_RANK_SHARES)
        return;
    peer->is_ignored = true;
    peer->ignored_until.ms = now.mono.ms + GOSSIP_IGNORE_MS;
    peer->broken_count = 0;
}

static void tick_wants(struct gossip *gossip, struct gossip_peer *peer, struct now now)
{
    for (uint32_t i = 0; i < peer->wants_count;) {
        struct want want = peer->wants[i];
        if (want.is_sent && want.deadline.ms > now.mono.ms)
            gossip_due(gossip, want.deadline);
        if (!want.is_sent || want.deadline.ms > now.mono.ms) {
            i++;
            continue;
        }
        remove_want(peer, &peer->wants[i]);
        count_broken(gossip, peer, &want, now);
        struct heard *heard = map_find(gossip->heard, &want.id);
        if (heard != NULL && heard->asked == peer->slot && ask(gossip, heard, now))
            gossip->stats.wants_hedged++;
    }
}

static void tick_heard(struct gossip *gossip, struct now now)
{
    size_t cursor = 0;
    struct hash256 id;
    void *value;
    while (map_next(gossip->heard, &cursor, &id, &value)) {
        struct heard *heard = value;
        if (heard->until.ms <= now.mono.ms) {
            remove_heard(gossip, heard);
            continue;
        }
        if (heard->ask_at.ms <= now.mono.ms)
            ask(gossip, heard, now);
        gossip_due(gossip, mono_min(heard->until, heard->ask_at));
    }
}

void gossip_want_tick(struct gossip *gossip, struct now now)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        struct gossip_peer *peer = gossip->slots[i];
        if (peer == NULL)
            continue;
        tick_wants(gossip, peer, now);
        if (peer->is_ignored && peer->ignored_until.ms <= now.mono.ms)
            peer->is_ignored = false;
        if (peer->is_ignored)
            gossip_due(gossip, peer->ignored_until);
    }
    tick_heard(gossip, now);
}

// ---- Forgetting

// Somebody else who has the id is charged with it from now on; false if nobody can be.
static bool change_owner(struct gossip *gossip, struct heard *heard)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        struct gossip_peer *peer = gossip->slots[i];
        if (!peer_set_has(&heard->has, i) || peer->heard_count >= GOSSIP_WANTS_PEER_MAX)
            continue;
        heard->owner = (uint8_t)i;
        peer->heard_count++;
        return true;
    }
    return false;
}

void gossip_want_peer_closed(struct gossip *gossip, struct gossip_peer *peer, struct now now)
{
    size_t cursor = 0;
    struct hash256 id;
    void *value;
    peer->wants_count = 0;
    peer->unsent_count = 0;
    while (map_next(gossip->heard, &cursor, &id, &value)) {
        struct heard *heard = value;
        peer_set_remove(&heard->has, peer->slot);
        peer_set_remove(&heard->to_ask, peer->slot);
        peer_set_remove(&heard->sent, peer->slot);
        if (heard->owner == peer->slot && !change_owner(gossip, heard)) {
            map_remove(gossip->heard, &id);
            free(heard);
            continue;
        }
        if (heard->asked == peer->slot)
            ask(gossip, heard, now);
    }
}

void gossip_want_forget_all(struct gossip *gossip)
{
    size_t cursor = 0;
    struct hash256 id;
    void *value;
    while (map_next(gossip->heard, &cursor, &id, &value))
        remove_heard(gossip, value);
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        if (gossip->slots[i] == NULL)
            continue;
        gossip->slots[i]->wants_count = 0;
        gossip->slots[i]->unsent_count = 0;
    }
}

size_t gossip_want_memory(const struct gossip *gossip)
{
    // An entry of the map and its slots: about 64 bytes.
    return map_count(gossip->heard) * (sizeof(struct heard) + 64);
}
