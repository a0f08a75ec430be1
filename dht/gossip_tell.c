// Telling: pushed to who lets us, announced to the others, sent once to who asks.
#include <assert.h>
#include <string.h>
#include "dht/gossip_state.h"

static struct peer_message share_message(const struct gossip_share *share)
{
    return (struct peer_message){
        .type = share->body == NULL ? PEER_SHARE : PEER_LINK,
        .share = {share->bytes, share->size},
        .body = {share->body, share->body_size},
    };
}

// ---- Announcing

static void announce(struct gossip *gossip, const struct gossip_peer *peer)
{
    uint8_t ids[GOSSIP_FRESH_MAX * sizeof(struct hash256)];
    struct seen_entry *entries[GOSSIP_FRESH_MAX];
    size_t count = 0;
    for (size_t i = 0; i < gossip->fresh_count; i++) {
        const struct fresh *fresh = &gossip->fresh[i];
        struct seen_entry *entry = gossip_seen_find(gossip->seen, &fresh->id);
        // It may have announced it itself meanwhile.
        if (!peer_set_has(&fresh->to, peer->slot) || entry == NULL ||
            peer_set_has(&entry->has, peer->slot))
            continue;
        memcpy(ids + count * sizeof fresh->id, fresh->id.bytes, sizeof fresh->id);
        entries[count++] = entry;
    }
    struct peer_message message = {.type = PEER_HAVE, .ids = {ids, count * sizeof(struct hash256)}};
    if (count == 0 || !gossip_send(gossip, peer, LINK_LANE_SHARE, &message))
        return;
    for (size_t i = 0; i < count; i++)
        peer_set_add(&entries[i]->offered, peer->slot);
}

static void announce_fresh(struct gossip *gossip)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS && gossip->fresh_count > 0; i++) {
        if (gossip->slots[i] != NULL)
            announce(gossip, gossip->slots[i]);
    }
    gossip->fresh_count = 0;
}

static void add_fresh(struct gossip *gossip, const struct hash256 *id, const struct peer_set *to,
                      struct now now)
{
    if (peer_set_is_empty(to))
        return;
    if (gossip->fresh_count == GOSSIP_FRESH_MAX)
        announce_fresh(gossip);
    gossip->fresh[gossip->fresh_count++] = (struct fresh){*id, *to};
    gossip_due(gossip, now.mono);
}

// ---- Pushing

// Sends to those who let us, or to all; *rest are those who neither have it nor got it.
static void push(struct gossip *gossip, const struct gossip_share *share, struct seen_entry *entry,
                 struct peer_set *rest)
{
    struct peer_message message = share_message(share);
    struct shared_bytes *bytes = gossip_encode(&message);
    enum link_lane lane = share->is_own ? LINK_LANE_URGENT : LINK_LANE_SHARE;
    for (unsigned i = 0; i < PEER_SET_SLOTS && bytes != NULL; i++) {
        const struct gossip_peer *peer = gossip->slots[i];
        if (peer == NULL || peer_set_has(&entry->has, i))
            continue;
        if ((share->is_own || !peer->is_choking_us) &&
            gossip->events.send(gossip->events.context, peer->number, lane, message.type, bytes))
            peer_set_add(&entry->has, i);
        else
            peer_set_add(rest, i);
    }
    shared_bytes_release(bytes);
}

// What is here and was not told; NULL if it was.
static struct seen_entry *begin_to_tell(struct gossip *gossip, const struct hash256 *id,
                                        struct now now)
{
    struct seen_entry *entry = gossip_seen_find(gossip->seen, id);
    if (entry == NULL) {
        struct peer_set told = {0};
        bool was_heard = gossip_want_arrived(gossip, id, &told);
        entry = gossip_seen_add(gossip->seen, id);
        entry->has = told;
        if (was_heard) // a copy waited until what it points to came
            gossip_rank_first(gossip, NULL, entry, &told, now);
    }
    if (entry->is_told)
        return NULL;
    entry->is_told = true;
    return entry;
}

void gossip_tell(struct gossip *gossip, const struct gossip_share *share, struct now now)
{
    struct peer_set rest = {0};
    if (gossip->is_quiet && !share->is_own)
        return;
    struct seen_entry *entry = begin_to_tell(gossip, &share->id, now);
    if (entry == NULL)
        return;
    gossip->stats.shares_told++;
    push(gossip, share, entry, &rest);
    add_fresh(gossip, &share->id, &rest, now);
}

// ---- Answering

static void answer(struct gossip *gossip, const struct gossip_peer *peer, const struct hash256 *id,
                   struct seen_entry *entry)
{
    const struct network_chain *chain = gossip->chain;
    struct buffer share;
    struct buffer body;
    buffer_init(&share, CHAIN_SHARE_MAX);
    buffer_init(&body, CHAIN_BODY_MAX);
    peer_set_remove(&entry->offered, peer->slot);
    if (chain->share_bytes(chain->context, id, &share) && !share.failed) {
        bool has_body = chain->body_bytes(chain->context, id, &body) && !body.failed;
        struct peer_message message = {
            .type = has_body ? PEER_LINK : PEER_SHARE,
            .share = {share.data, share.size},
            .body = {body.data, has_body ? body.size : 0},
        };
        if (gossip_send(gossip, peer, LINK_LANE_ANSWER, &message))
            peer_set_add(&entry->has, peer->slot);
    }
    buffer_clear(&share);
    buffer_clear(&body);
}

void gossip_tell_asked(struct gossip *gossip, struct gossip_peer *peer,
                       const struct peer_bytes *ids, struct now now)
{
    size_t count = peer_ids_count(ids);
    if (!gossip_charge(gossip, peer, count, now))
        return;
    for (size_t i = 0; i < count; i++) {
        struct hash256 id;
        peer_id_at(ids, i, &id);
        struct seen_entry *entry = gossip_seen_find(gossip->seen, &id);
        if (entry != NULL && peer_set_has(&entry->offered, peer->slot)) {
            answer(gossip, peer, &id, entry);
        } else if (entry == NULL || !peer_set_has(&entry->has, peer->slot)) {
            gossip_fault(gossip, peer, GOSSIP_FAULT_FLOOD, now);
            return;
        }
    }
}

// ---- Blocks

static struct block_entry *find_block(struct gossip *gossip, const struct hash256 *id)
{
    for (size_t i = 0; i < GOSSIP_BLOCKS_MAX; i++) {
        if (gossip->blocks[i].is_used && hash_equal(&gossip->blocks[i].id, id))
            return &gossip->blocks[i];
    }
    return NULL;
}

bool gossip_tell_knows_block(struct gossip *gossip, const struct gossip_peer *from,
                             const struct hash256 *id)
{
    struct block_entry *entry = find_block(gossip, id);
    if (entry != NULL)
        peer_set_add(&entry->has, from->slot);
    return entry != NULL;
}

void gossip_tell_keep_block(struct gossip *gossip, const struct gossip_peer *from,
                            const struct hash256 *id, const struct peer_message *message,
                            struct now now)
{
    struct block_entry *entry = &gossip->blocks[gossip->blocks_next];
    if (entry->unsent != NULL) // more blocks in one turn than there are places
        gossip_tell_flush(gossip);
    gossip->blocks_next = (gossip->blocks_next + 1) % GOSSIP_BLOCKS_MAX;
    *entry = (struct block_entry){.id = *id, .is_used = true, .unsent = gossip_encode(message)};
    if (from != NULL)
        peer_set_add(&entry->has, from->slot);
    gossip_due(gossip, now.mono);
}

static void send_block(struct gossip *gossip, struct block_entry *entry)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS; i++) {
        const struct gossip_peer *peer = gossip->slots[i];
        if (peer == NULL || peer_set_has(&entry->has, i))
            continue;
        if (gossip->events.send(gossip->events.context, peer->number, LINK_LANE_URGENT, PEER_BLOCK,
                                entry->unsent))
            peer_set_add(&entry->has, i);
    }
    shared_bytes_release(entry->unsent);
    entry->unsent = NULL;
}

void gossip_tell_flush(struct gossip *gossip)
{
    announce_fresh(gossip);
    for (size_t i = 0; i < GOSSIP_BLOCKS_MAX; i++) {
        if (gossip->blocks[i].unsent != NULL)
            send_block(gossip, &gossip->blocks[i]);
    }
}

void gossip_tell_block(struct gossip *gossip, const struct gossip_share *share,
                       const uint8_t *block, size_t size, struct now now)
{
    struct peer_message message = {
        .type = PEER_BLOCK,
        .share = {share->bytes, share->size},
        .body = {block, size},
    };
    // The share goes ahead, so that nobody waits for megabytes before he judges it.
    gossip_tell(gossip, share, now);
    if (find_block(gossip, &share->id) == NULL)
        gossip_tell_keep_block(gossip, NULL, &share->id, &message, now);
}
