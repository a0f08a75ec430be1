#include "dht/gossip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "dht/gossip_state.h"

_Static_assert(GOSSIP_PEERS_MAX <= PEER_SET_SLOTS, "each peer has a slot");

struct gossip *gossip_new(const struct env *env, const struct gossip_config *config)
{
    struct gossip *gossip = calloc(1, sizeof *gossip);
    if (gossip == NULL)
        return NULL;
    gossip->env = env;
    gossip->chain = config->chain;
    gossip->events = config->events;
    gossip->deadline = MONO_NEVER;
    gossip->heard = map_new(env);
    gossip->seen = gossip_seen_new(env, config->seen_max == 0 ? GOSSIP_SEEN_MAX : config->seen_max);
    if (gossip->seen != NULL)
        return gossip;
    gossip_free(gossip);
    return NULL;
}

static void free_peer(struct gossip_peer *peer)
{
    free(peer->wants);
    free(peer);
}

void gossip_free(struct gossip *gossip)
{
    if (gossip == NULL)
        return;
    gossip_want_forget_all(gossip);
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        if (gossip->slots[i] != NULL)
            free_peer(gossip->slots[i]);
    }
    for (size_t i = 0; i < GOSSIP_BLOCKS_MAX; i++)
        shared_bytes_release(gossip->blocks[i].unsent);
    map_free(gossip->heard);
    gossip_seen_free(gossip->seen);
    free(gossip);
}

// ---- For the other files of gossip

void gossip_due(struct gossip *gossip, struct mono_time when)
{
    gossip->deadline = mono_min(gossip->deadline, when);
}

void gossip_fault(struct gossip *gossip, struct gossip_peer *peer, enum gossip_fault fault,
                  struct now now)
{
    gossip->events.fault(gossip->events.context, peer->number, fault, now);
}

bool gossip_charge(struct gossip *gossip, struct gossip_peer *peer, size_t tokens, struct now now)
{
    const int64_t most = (int64_t)GOSSIP_BURST * 1000;
    int64_t passed_ms = now.mono.ms - peer->filled.ms;
    peer->filled = now.mono;
    if (passed_ms >= most / GOSSIP_HAVE_RATE)
        peer->tokens_milli = most;
    else
        peer->tokens_milli += passed_ms * GOSSIP_HAVE_RATE;
    if (peer->tokens_milli > most)
        peer->tokens_milli = most;
    if (peer->tokens_milli < (int64_t)tokens * 1000) {
        gossip_fault(gossip, peer, GOSSIP_FAULT_FLOOD, now);
        return false;
    }
    peer->tokens_milli -= (int64_t)tokens * 1000;
    return true;
}

struct shared_bytes *gossip_encode(const struct peer_message *message)
{
    struct buffer out;
    struct shared_bytes *bytes = NULL;
    buffer_init(&out, peer_message_size_max((uint8_t)message->type));
    peer_message_encode(message, &out);
    if (!out.failed)
        bytes = shared_bytes_new(out.data, out.size);
    buffer_clear(&out);
    return bytes;
}

bool gossip_send(struct gossip *gossip, const struct gossip_peer *peer, enum link_lane lane,
                 const struct peer_message *message)
{
    struct shared_bytes *bytes = gossip_encode(message);
    bool is_sent = bytes != NULL && gossip->events.send(gossip->events.context, peer->number, lane,
                                                        message->type, bytes);
    shared_bytes_release(bytes);
    return is_sent;
}

// ---- Peers

static struct gossip_peer *find_peer(const struct gossip *gossip, uint32_t number)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        if (gossip->numbers[i] == number)
            return gossip->slots[i];
    }
    return NULL;
}

// A free slot of which nothing is known any more. Forgetting walks all that was seen, so it is done
// for many closed peers at once.
static unsigned take_slot(struct gossip *gossip)
{
    for (;;) {
        for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
            if (gossip->slots[i] == NULL && !peer_set_has(&gossip->dirty, i))
                return i;
        }
        assert(!peer_set_is_empty(&gossip->dirty));
        gossip_seen_remove_peers(gossip->seen, &gossip->dirty);
        gossip->dirty = (struct peer_set){0};
    }
}

bool gossip_peer_opened(struct gossip *gossip, uint32_t number, struct now now)
{
    assert(number != 0 && find_peer(gossip, number) == NULL);
    if (gossip->peers_count == GOSSIP_PEERS_MAX)
        return false;
    struct gossip_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return false;
    peer->number = number;
    peer->slot = (uint8_t)take_slot(gossip);
    peer->tokens_milli = (int64_t)GOSSIP_BURST * 1000;
    peer->filled = now.mono;
    peer->broken_last.ms = INT64_MIN;
    gossip->slots[peer->slot] = peer;
    gossip->numbers[peer->slot] = number;
    gossip->peers_count++;
    gossip_rank_opened(gossip, peer);
    return true;
}

void gossip_peer_closed(struct gossip *gossip, uint32_t number, struct now now)
{
    struct gossip_peer *peer = find_peer(gossip, number);
    if (peer == NULL)
        return;
    gossip->slots[peer->slot] = NULL;
    gossip->numbers[peer->slot] = 0;
    gossip->peers_count--;
    peer_set_add(&gossip->dirty, peer->slot);
    for (size_t i = 0; i < gossip->fresh_count; i++)
        peer_set_remove(&gossip->fresh[i].to, peer->slot);
    for (size_t i = 0; i < GOSSIP_BLOCKS_MAX; i++)
        peer_set_remove(&gossip->blocks[i].has, peer->slot);
    gossip_want_peer_closed(gossip, peer, now);
    gossip_rank_closed(gossip, peer);
    gossip_want_flush(gossip, now);
    free_peer(peer);
}

void gossip_peer_round_trip(struct gossip *gossip, uint32_t number, uint32_t ms)
{
    struct gossip_peer *peer = find_peer(gossip, number);
    if (peer == NULL || ms == 0)
        return;
    peer->round_trip_ms = ms;
    peer->has_link_round_trip = true;
}

// ---- What comes in

static void receive(struct gossip *gossip, struct gossip_peer *peer,
                    const struct peer_message *message, struct now now)
{
    if (message->type == PEER_CHOKE || message->type == PEER_UNCHOKE) {
        if (gossip_charge(gossip, peer, 1, now))
            peer->is_choking_us = message->type == PEER_CHOKE;
        return;
    }
    if (gossip->is_quiet)
        return;
    if (message->type == PEER_SHARE || message->type == PEER_LINK)
        gossip_share_received(gossip, peer, message, now);
    else if (message->type == PEER_BLOCK)
        gossip_block_received(gossip, peer, message, now);
    else if (message->type == PEER_HAVE)
        gossip_want_announced(gossip, peer, &message->ids, now);
    else if (message->type == PEER_WANT)
        gossip_tell_asked(gossip, peer, &message->ids, now);
}

void gossip_receive(struct gossip *gossip, uint32_t number, const struct peer_message *message,
                    struct now now)
{
    struct gossip_peer *peer = find_peer(gossip, number);
    if (peer == NULL)
        return;
    receive(gossip, peer, message, now);
    gossip_want_flush(gossip, now);
}

void gossip_set_quiet(struct gossip *gossip, bool is_quiet)
{
    if (is_quiet && !gossip->is_quiet) {
        gossip_want_forget_all(gossip);
        gossip->fresh_count = 0;
    }
    gossip->is_quiet = is_quiet;
}

// ---- Time

void gossip_tick(struct gossip *gossip, struct now now)
{
    if (now.mono.ms < gossip->deadline.ms)
        return;
    gossip->deadline = MONO_NEVER;
    gossip_tell_flush(gossip);
    gossip_want_tick(gossip, now);
    gossip_want_flush(gossip, now);
}

struct mono_time gossip_next_deadline(const struct gossip *gossip)
{
    return gossip->deadline;
}

// ---- Views

bool gossip_peer(const struct gossip *gossip, uint32_t number, struct gossip_peer_view *view)
{
    const struct gossip_peer *peer = find_peer(gossip, number);
    if (peer == NULL)
        return false;
    *view = (struct gossip_peer_view){
        .we_choke = peer->we_choke,
        .is_choking_us = peer->is_choking_us,
        .is_ignored = peer->is_ignored,
        .first_deliveries = peer->first_deliveries,
        .duplicates = peer->duplicates,
        .wants_broken = peer->wants_broken,
        .delay_ms = gossip_rank_delay_ms(peer),
    };
    return true;
}

void gossip_stats(const struct gossip *gossip, struct gossip_stats *stats)
{
    *stats = gossip->stats;
    stats->wants_in_flight = 0;
    stats->memory = sizeof *gossip + gossip_seen_memory(gossip->seen) + gossip_want_memory(gossip);
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        const struct gossip_peer *peer = gossip->slots[i];
        if (peer == NULL)
            continue;
        stats->wants_in_flight += peer->wants_count;
        stats->memory += sizeof *peer + peer->wants_capacity * sizeof *peer->wants;
    }
    for (size_t i = 0; i < GOSSIP_BLOCKS_MAX; i++) {
        if (gossip->blocks[i].unsent != NULL)
            stats->memory += shared_bytes_size(gossip->blocks[i].unsent);
    }
}
