// Who may push to us: the fastest deliverers and a random one. A peer is as slow as what it told
// came behind the first copy: a copy when it arrives, an announcement a round trip after it, since
// a copy would have to be fetched, and what it did not tell at all GOSSIP_SILENT_MS. Announcements
// of a peer that may push count for nothing: it cannot keep its place by words.
#include <assert.h>
#include "dht/gossip_state.h"

#define UNCHOKED_COUNT (GOSSIP_UNCHOKED_FASTEST + GOSSIP_UNCHOKED_RANDOM)
#define DELAY_UNIT     16 // delays are kept in 1/16 ms
#define DELAY_SAMPLES  7  // the average is over about so many shares

uint32_t gossip_rank_delay_ms(const struct gossip_peer *peer)
{
    return (uint32_t)(peer->delay / DELAY_UNIT);
}

static void add_sample(struct gossip_peer *peer, int64_t ms)
{
    int32_t sample = (int32_t)(ms < GOSSIP_SILENT_MS ? ms : GOSSIP_SILENT_MS) * DELAY_UNIT;
    peer->samples_count += peer->samples_count < DELAY_SAMPLES;
    peer->delay += (sample - peer->delay) / (int32_t)peer->samples_count;
}

// What a peer has not told by now it does not tell.
static void settle(const struct gossip *gossip, struct recent *recent)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS && recent->sequence != 0; i++) {
        struct gossip_peer *peer = gossip->slots[i];
        if (peer != NULL && (int32_t)(recent->sequence - peer->opened_sequence) > 0 &&
            !peer_set_has(&recent->told, i))
            add_sample(peer, GOSSIP_SILENT_MS);
    }
    recent->sequence = 0;
}

// ---- Choking

static void set_choke(struct gossip *gossip, struct gossip_peer *peer, bool is_choked)
{
    struct peer_message message = {.type = is_choked ? PEER_CHOKE : PEER_UNCHOKE};
    if (peer->we_choke == is_choked)
        return;
    if (gossip_send(gossip, peer, LINK_LANE_SHARE, &message))
        peer->we_choke = is_choked; // else the next ranking tries again
}

static bool is_faster(const struct gossip_peer *a, const struct gossip_peer *b)
{
    if (a->is_last != b->is_last)
        return b->is_last;
    return a->delay != b->delay ? a->delay < b->delay : a->number < b->number;
}

// The peers, the fastest first.
static size_t sort_peers(const struct gossip *gossip, struct gossip_peer **sorted)
{
    size_t count = 0;
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        struct gossip_peer *peer = gossip->slots[i];
        if (peer == NULL)
            continue;
        size_t at = count++;
        for (; at > 0 && is_faster(peer, sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = peer;
    }
    assert(count == gossip->peers_count);
    return count;
}

static void rank(struct gossip *gossip)
{
    struct gossip_peer *sorted[PEER_SET_SLOTS];
    size_t count = sort_peers(gossip, sorted);
    size_t chosen = GOSSIP_UNCHOKED_FASTEST;
    gossip->ranked_sequence = gossip->sequence;
    if (count > UNCHOKED_COUNT)
        chosen += env_random_below(gossip->env, count - GOSSIP_UNCHOKED_FASTEST);
    for (size_t i = 0; i < count; i++)
        set_choke(gossip, sorted[i],
                  count > UNCHOKED_COUNT && i >= GOSSIP_UNCHOKED_FASTEST && i != chosen);
}

void gossip_rank_opened(struct gossip *gossip, struct gossip_peer *peer)
{
    size_t unchoked = 0;
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++)
        unchoked += gossip->slots[i] != NULL && !gossip->slots[i]->we_choke;
    peer->opened_sequence = gossip->sequence;
    peer->delay = GOSSIP_SILENT_MS * DELAY_UNIT;
    if (unchoked > UNCHOKED_COUNT)
        set_choke(gossip, peer, true);
}

void gossip_rank_closed(struct gossip *gossip, const struct gossip_peer *peer)
{
    for (size_t i = 0; i < GOSSIP_RANK_SHARES; i++)
        peer_set_remove(&gossip->recents[i].told, peer->slot);
    if (!peer->we_choke)
        rank(gossip);
}

// ---- Shares

static struct recent *recent_of(struct gossip *gossip, uint32_t sequence)
{
    struct recent *recent = &gossip->recents[sequence % GOSSIP_RANK_SHARES];
    return sequence != 0 && recent->sequence == sequence ? recent : NULL;
}

void gossip_rank_told(struct gossip *gossip, struct gossip_peer *peer,
                      const struct seen_entry *entry, bool is_copy, struct now now)
{
    struct recent *recent = recent_of(gossip, entry->sequence);
    if (recent == NULL || peer_set_has(&recent->told, peer->slot) || (!is_copy && !peer->we_choke))
        return;
    int64_t late_ms = now.mono.ms - recent->first.ms;
    if (!is_copy)
        late_ms += peer->round_trip_ms == 0 ? GOSSIP_ROUND_TRIP_MS : peer->round_trip_ms;
    peer_set_add(&recent->told, peer->slot);
    add_sample(peer, late_ms);
}

// Those of the last shares whose time is up are settled; the others wait for the next ranking.
static void settle_and_rank(struct gossip *gossip, struct now now)
{
    for (size_t i = 0; i < GOSSIP_RANK_SHARES; i++) {
        if (gossip->recents[i].first.ms + GOSSIP_SILENT_MS <= now.mono.ms)
            settle(gossip, &gossip->recents[i]);
    }
    rank(gossip);
}

void gossip_rank_first(struct gossip *gossip, struct gossip_peer *deliverer,
                       struct seen_entry *entry, const struct peer_set *told, struct now now)
{
    gossip->sequence += gossip->sequence == UINT32_MAX ? 2 : 1; // never 0
    struct recent *recent = &gossip->recents[gossip->sequence % GOSSIP_RANK_SHARES];
    settle(gossip, recent);
    *recent = (struct recent){.sequence = gossip->sequence, .first = now.mono};
    entry->sequence = gossip->sequence;
    if (deliverer != NULL)
        gossip_rank_told(gossip, deliverer, entry, true, now);
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        if (peer_set_has(told, i) && gossip->slots[i] != NULL)
            gossip_rank_told(gossip, gossip->slots[i], entry, false, now);
    }
    if (gossip->sequence - gossip->ranked_sequence >= GOSSIP_RANK_SHARES)
        settle_and_rank(gossip, now);
}
