// The share-chain and the engine joined: what became valid is told, what peers bring is judged, and
// a share of ours that was credited becomes the proof that this node works.
#include <stdio.h>
#include <string.h>
#include "node/meter.h"
#include "node/swarm_state.h"

#define TOPIC_BLOCKS 144 // p2p.md: topic keys follow from a header at such a height
// How often another share of ours is named as work; it counts for CHAIN_PORT_WORK_LINKS links.
#define WORK_EVERY_MS 600000
// How long after one that proves our work another is wanted.
#define PROOF_EVERY_MS (3 * 3600 * 1000)

// ---- To the engine

static void note_own(struct swarm *swarm, const struct gossip_share *told)
{
    struct share share;
    if (!share_decode(told->bytes, told->size, &share) ||
        memcmp(share.info.node_tag, swarm->node->node_tag, SHARE_NODE_TAG_SIZE) != 0)
        return; // of a team: it proves nothing
    swarm->own[swarm->own_count++ % SWARM_OWN_MAX] = told->id;
    swarm->proof_due.ms = net_loop_now(swarm->node->loop).mono.ms + PROOF_EVERY_MS;
}

static void on_valid(void *context, const struct gossip_share *share)
{
    struct swarm *swarm = context;
    if (share->is_own) {
        note_own(swarm, share);
        meter_share_told(swarm->node->meter, swarm);
    }
    if (swarm->network != NULL)
        network_share_became_valid(swarm->network, share, net_loop_now(swarm->node->loop));
}

static void on_tip(void *context)
{
    struct swarm *swarm = context;
    swarm->has_tip_moved = true;
    if (swarm->network != NULL)
        network_chain_moved(swarm->network, net_loop_now(swarm->node->loop));
}

bool swarm_chain_open(struct swarm *swarm, char error[NODE_ERROR_SIZE])
{
    struct chain_port_events events = {
        .context = swarm, .share_became_valid = on_valid, .tip_changed = on_tip};
    swarm->port = chain_port_new(&swarm->node->env, swarm->node->sharechain, &events);
    if (swarm->port != NULL) {
        chain_port_table(swarm->port, &swarm->chain);
        return true;
    }
    snprintf(error, NODE_ERROR_SIZE, "out of memory");
    return false;
}

void swarm_share_became_valid(struct swarm *swarm, const struct hash256 *id, const uint8_t *bytes,
                              size_t size)
{
    if (swarm != NULL)
        chain_port_share_became_valid(swarm->port, id, bytes, size);
}

bool swarm_wants_proof(const struct swarm *swarm)
{
    return swarm != NULL && net_loop_now(swarm->node->loop).mono.ms >= swarm->proof_due.ms;
}

void swarm_link_became_valid(struct swarm *swarm, const struct hash256 *id)
{
    if (swarm != NULL)
        chain_port_link_became_valid(swarm->port, id);
}

void swarm_tip_changed(struct swarm *swarm)
{
    if (swarm != NULL)
        chain_port_tip_changed(swarm->port);
}

void swarm_daemon_tip(struct swarm *swarm, const struct hash256 *id)
{
    if (swarm != NULL)
        chain_port_set_daemon_tip(swarm->port, id);
}

void swarm_settled(struct swarm *swarm)
{
    if (swarm != NULL)
        chain_port_settled(swarm->port);
}

void swarm_block_found(struct swarm *swarm, const struct hash256 *id, const uint8_t *block,
                       size_t size)
{
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer share;
    buffer_init_fixed(&share, bytes, sizeof(bytes));
    if (swarm == NULL || swarm->network == NULL ||
        !sharechain_share_bytes(swarm->node->sharechain, id, &share))
        return;
    struct gossip_share told = {.id = *id, .bytes = share.data, .size = share.size, .is_own = true};
    network_block_found(swarm->network, &told, block, size, net_loop_now(swarm->node->loop));
}

// ---- At the end of a turn

// The last header at a height divisible by TOPIC_BLOCKS that is NETWORK_BLOCK_DEPTH deep; the
// pool's anchor where the chain is too short for one.
static void follow_headers(struct swarm *swarm)
{
    struct header_chain *headers = sharechain_headers(swarm->node->sharechain);
    const struct header_node *best = header_chain_best(headers);
    if (best == swarm->best)
        return;
    swarm->best = best;
    int64_t height = best->height - NETWORK_BLOCK_DEPTH;
    height -= height < 0 ? 0 : height % TOPIC_BLOCKS;
    const struct header_node *anchor = header_chain_anchor(headers);
    const struct header_node *node =
        height > anchor->height ? header_node_ancestor(best, height) : anchor;
    if (hash_equal(&node->id, &swarm->topic_block))
        return;
    swarm->topic_block = node->id;
    network_set_topic_block(swarm->network, &swarm->topic_block);
}

// The newest share of ours that the best chain credits.
static bool find_own_work(const struct swarm *swarm, struct hash256 *found)
{
    size_t count = swarm->own_count < SWARM_OWN_MAX ? swarm->own_count : SWARM_OWN_MAX;
    for (size_t i = 1; i <= count; i++) {
        *found = swarm->own[(swarm->own_count - i) % SWARM_OWN_MAX];
        if (sharechain_is_credited(swarm->node->sharechain, found, CHAIN_PORT_WORK_LINKS))
            return true;
    }
    return false;
}

static void name_work(struct swarm *swarm, struct now now)
{
    struct hash256 found;
    if (!swarm->has_tip_moved || swarm->own_count == 0 || now.mono.ms < swarm->work_due.ms)
        return;
    swarm->has_tip_moved = false;
    if (!find_own_work(swarm, &found))
        return;
    swarm->work_due.ms = now.mono.ms + WORK_EVERY_MS;
    network_set_work(swarm->network, &found, swarm->work_salt, now);
}

// What waits names what it lacks, and others are asked for it.
static void follow_waiting(struct swarm *swarm, struct now now)
{
    struct sharechain_counts counts;
    sharechain_counts(swarm->node->sharechain, &counts);
    if (counts.waiting == swarm->waiting && counts.waiting_bytes == swarm->waiting_bytes)
        return;
    swarm->waiting = counts.waiting;
    swarm->waiting_bytes = counts.waiting_bytes;
    network_chain_moved(swarm->network, now);
}

void swarm_chain_turn(struct swarm *swarm, struct now now)
{
    follow_headers(swarm);
    follow_waiting(swarm, now);
    name_work(swarm, now);
}
