// Shares, links and blocks that peers send. A verdict belongs to the bytes: while no valid copy of
// an id is here, each copy is judged anew, and an invalid one says nothing of the next.
#include <string.h>
#include "dht/gossip_state.h"

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

// A copy that somebody sent.
struct copy {
    const struct peer_message *message;
    const struct hash256 *id;
    struct seen_entry *seen; // what is known of the id, or NULL
    bool is_here;            // a valid copy is, and only the body of a link may be missing
};

static void judge(struct gossip *gossip, struct gossip_peer *peer, const struct copy *copy,
                  struct now now)
{
    const struct peer_message *message = copy->message;
    const struct hash256 *id = copy->id;
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
        if (copy->is_here)
            duplicate(gossip, peer, copy->seen, now);
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

// Takes in the share of a SHARE, LINK or BLOCK; id is NULL if it is too short to have one. False
// then.
static bool take_share(struct gossip *gossip, struct gossip_peer *peer,
                       const struct peer_message *message, const struct hash256 *id, struct now now)
{
    const struct network_chain *chain = gossip->chain;
    gossip->stats.shares_received++;
    if (id == NULL) {
        invalid(gossip, peer, now);
        return false;
    }
    struct copy copy = {.message = message, .id = id, .seen = gossip_seen_find(gossip->seen, id)};
    copy.is_here = copy.seen != NULL || chain->has_share(chain->context, id);
    bool brings_body = message->type == PEER_LINK && !chain->has_link(chain->context, id);
    if (copy.is_here && !brings_body)
        duplicate(gossip, peer, copy.seen, now);
    else
        judge(gossip, peer, &copy, now);
    return true;
}

void gossip_share_received(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_message *message, struct now now)
{
    size_t size = message->share.size + message->body.size;
    struct hash256 id;
    bool has_id = peer_share_id(&message->share, &id);
    // What we asked for is not charged.
    bool was_asked = has_id && gossip_want_answered(gossip, peer, &id, now);
    if (was_asked || gossip_charge(gossip, peer, 1 + size / GOSSIP_BYTES_PER_TOKEN, now))
        take_share(gossip, peer, message, has_id ? &id : NULL, now);
}

void gossip_block_received(struct gossip *gossip, struct gossip_peer *peer,
                           const struct peer_message *message, struct now now)
{
    const struct network_chain *chain = gossip->chain;
    struct hash256 id;
    size_t tokens = 1 + message->body.size / GOSSIP_BLOCK_TOKEN_BYTES;
    bool has_id = peer_share_id(&message->share, &id);
    if (!gossip_charge(gossip, peer, tokens, now) ||
        !take_share(gossip, peer, message, has_id ? &id : NULL, now))
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
