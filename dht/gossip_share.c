// Shares, links and blocks that peers send. A verdict belongs to the bytes: while no valid copy of
// an id is here, each copy is judged anew, and an invalid one says nothing of the next.
#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "dht/gossip_state.h"

#define HEADER_OFFSET 1 // of a share, protocol section 2

// "share id = id(header)", "id(header) = SHA256d(header) on every chain". False if the share is too
// short to have a header.
static bool share_id(const struct peer_bytes *share, struct hash256 *id)
{
    if (share->size < HEADER_OFFSET + CHAIN_HEADER_SIZE)
        return false;
    crypto_hash_sha256(id->bytes, share->data + HEADER_OFFSET, CHAIN_HEADER_SIZE);
    crypto_hash_sha256(id->bytes, id->bytes, sizeof id->bytes);
    return true;
}

static void invalid(struct gossip *gossip, struct gossip_peer *peer, struct now now)
{
    gossip->stats.invalid++;
    gossip_fault(gossip, peer, GOSSIP_FAULT_INVALID_SHARE, now);
}

// A copy of what is here.
static void duplicate(struct gossip *gossip, struct gossip_peer *peer, struct seen_entry *entry,
                      struct now now)
{
    peer->duplicates++;
    peer->is_last = false;
    if (entry == NULL)
        return;
    seen_entry_has(entry, peer->slot);
    gossip_rank_told(gossip, peer, entry, true, now);
}

static void first(struct gossip *gossip, struct gossip_peer *peer, const struct hash256 *id,
                  struct now now)
{
    struct peer_set told = {0};
    gossip_want_arrived(gossip, id, &told);
    struct seen_entry *entry = gossip_seen_add(gossip->seen, id);
    entry->has = told;
    peer_set_add(&entry->has, peer->slot);
    peer->is_last = false;
    peer->first_deliveries++;
    gossip->stats.shares_first++;
    peer_set_remove(&told, peer->slot);
    gossip_rank_first(gossip, peer, entry, &told, now);
    gossip->events.delivered(gossip->events.context, peer->number, id, now);
}

static void judge(struct gossip *gossip, struct gossip_peer *peer,
                  const struct peer_message *message, const struct hash256 *id, struct now now)
{
    struct seen_entry *seen = gossip_seen_find(gossip->seen, id);
    bool was_here = seen != NULL || gossip->chain->has_share(gossip->chain->context, id);
    bool has_body = message->type == PEER_LINK;
    struct chain_arrival arrival = {
        .source = peer->number,
        .share = message->share.data,
        .share_size = message->share.size,
        .body = has_body ? message->body.data : NULL,
        .body_size = has_body ? message->body.size : 0,
    };
    switch (gossip->chain->add_share(gossip->chain->context, &arrival, now)) {
    case CHAIN_VALID:
        if (was_here) // only the body of a link was missing
            duplicate(gossip, peer, seen, now);
        else
            first(gossip, peer, id, now);
        return;
    case CHAIN_UNKNOWN:
        gossip_want_unjudged(gossip, peer, id, true, now);
        return;
    case CHAIN_INVALID:
        gossip_want_refused(gossip, peer, id, now);
        invalid(gossip, peer, now);
        return;
    case CHAIN_IGNORED:
        gossip->stats.ignored++;
        gossip_want_unjudged(gossip, peer, id, false, now);
        return;
    }
}

// Takes in the share of a SHARE, LINK or BLOCK. False if it has no id.
static bool take_share(struct gossip *gossip, struct gossip_peer *peer,
                       const struct peer_message *message, struct hash256 *id, struct now now)
{
    const struct network_chain *chain = gossip->chain;
    gossip->stats.shares_received++;
    if (!share_id(&message->share, id)) {
        invalid(gossip, peer, now);
        return false;
    }
    struct seen_entry *entry = gossip_seen_find(gossip->seen, id);
    bool is_here = entry != NULL || chain->has_share(chain->context, id);
    bool brings_body = message->type == PEER_LINK && !chain->has_link(chain->context, id);
    if (is_here && !brings_body)
        duplicate(gossip, peer, entry, now);
    else
        judge(gossip, peer, message, id, now);
    return true;
}

void gossip_share_received(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_message *message, struct now now)
{
    size_t size = message->share.size + message->body.size;
    struct hash256 id;
    // What we asked for is not charged. (Without an id nothing was asked for.)
    bool was_asked = share_id(&message->share, &id) && gossip_want_answered(gossip, peer, &id, now);
    if (was_asked || gossip_charge(gossip, peer, 1 + size / GOSSIP_BYTES_PER_TOKEN, now))
        take_share(gossip, peer, message, &id, now);
}

void gossip_block_received(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_message *message, struct now now)
{
    const struct network_chain *chain = gossip->chain;
    struct hash256 id;
    size_t tokens = 1 + message->body.size / GOSSIP_BLOCK_TOKEN_BYTES;
    if (!gossip_charge(gossip, peer, tokens, now) || !take_share(gossip, peer, message, &id, now))
        return;
    if (!chain->has_share(chain->context, &id) || gossip_tell_knows_block(gossip, peer, &id))
        return;
    if (!chain->is_block(chain->context, &id, message->body.data, message->body.size)) {
        invalid(gossip, peer, now);
        return;
    }
    gossip->events.block_arrived(gossip->events.context, &id, message->body.data,
                                 message->body.size);
    gossip_tell_keep_block(gossip, peer, &id, message, now);
}
