// The way of a miner's share: a block goes to the daemons before anything else, then the share to
// the share-chain.
#include <stdio.h>
#include <string.h>
#include "node/state.h"
#include "node/swarm.h"
#include "node/web_events.h"

static void make_share(const struct work *work, const struct stratum_share *found,
                       struct share *share)
{
    const struct mint *mint = work->mint;
    *share = (struct share){
        .coinbase_value = mint->coinbase_value,
        .has_witness = mint->has_witness,
        .witness_commitment = mint->witness_commitment,
        .branch = work->block_template->branch,
    };
    memcpy(share->header, found->header, HEADER_SIZE);
    memcpy(share->extranonce, found->extranonce, sizeof(share->extranonce));
    work_share_info(work, found->payout, found->commitment, &share->info);
}

static bool write_block(const struct work *work, const struct stratum_share *found,
                        struct buffer *out)
{
    struct buffer coinbase;
    buffer_init(&coinbase, found->prefix_size + COINBASE_TAIL_SIZE);
    write_bytes(&coinbase, found->prefix, found->prefix_size);
    coinbase_write_tail(&found->commitment->share_info_hash, found->extranonce, work->mint->height,
                        &coinbase);
    bool is_written =
        !coinbase.failed && block_template_write_block(work->block_template, found->header,
                                                       coinbase.data, coinbase.size, out);
    buffer_clear(&coinbase);
    return is_written;
}

static struct found_block *note_block(struct node *node, const struct work *work,
                                      const struct stratum_share *found, const struct hash256 *id)
{
    struct found_block block = {
        .id = *id,
        .height = work->mint->height,
        .found_at = wall_seconds(net_loop_now(node->loop).wall),
        .coinbase_value = work->mint->coinbase_value,
        .payout_script = *found->payout,
        .is_link = found->is_link,
        .found_ns = node->share_found_ns,
    };
    snprintf(block.user, sizeof(block.user), "%s", found->user);
    struct found_block *noted = blocks_add(node, &block);
    char text[65];
    hash_to_display(id, text);
    log_event(node->log, LOG_INFO, "found", "block found", LOG_I64("height", block.height),
              LOG_TEXT("hash", text), LOG_TEXT("user", found->user),
              LOG_U64("value_sats", block.coinbase_value));
    web_events_block(node->web_events, noted);
    return noted;
}

// The whole block is left in `bytes`.
static void take_block(struct node *node, const struct work *work,
                       const struct stratum_share *found, const struct hash256 *id,
                       struct buffer *bytes)
{
    bool is_written = write_block(work, found, bytes);
    if (is_written)
        backend_submit_block(node->backend, id, bytes->data, bytes->size);
    else
        log_plain(node->log, LOG_ERROR, "found", "out of memory: a block could not be submitted");
    // The header proves itself: the next work need not wait for the daemon to tell it.
    sharechain_add_header(node->sharechain, found->header);
    struct found_block *block = note_block(node, work, found, id);
    if (is_written && block != NULL)
        blocks_keep(node, block, bytes->data, bytes->size);
    if (!is_written)
        buffer_reset(bytes);
}

// Our own share is valid by construction; if it is not, this node and the protocol disagree.
static void add_to_chain(struct node *node, const struct work *work,
                         const struct stratum_share *found)
{
    struct share share;
    make_share(work, found, &share);
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer encoded;
    buffer_init_fixed(&encoded, bytes, sizeof(bytes));
    share_encode(&share, &encoded);
    struct share_arrival arrival = {
        .bytes = bytes,
        .size = encoded.size,
        .pow = &found->hash,
        .mint = work->mint,
        .body = found->is_link ? work->mint->body : NULL,
        .body_size = work->mint->body_size,
        .source = SHARECHAIN_OWN,
    };
    node->shares_found++;
    node->links_found += found->is_link ? 1 : 0;
    enum verdict verdict = sharechain_add_share(node->sharechain, &arrival);
    swarm_settled(node->swarm);
    if (verdict == VERDICT_VALID)
        return;
    log_event(node->log, LOG_ERROR, "found", "a share of our own was not accepted by our own rules",
              LOG_TEXT("user", found->user), LOG_U64("link_height", share.info.link_height),
              LOG_TEXT("what_to_do", "this is a fault of shoal: please report it with the log"));
}

uint64_t found_share(void *context, const struct stratum_share *found)
{
    struct node *node = context;
    const struct work *work = found->owner;
    struct hash256 id;
    node->share_found_ns = net_clock_ns();
    header_id(found->header, &id);
    struct buffer block;
    buffer_init(&block, LIMIT_RPC_REPLY_SIZE);
    if (found->is_block)
        take_block(node, work, found, &id, &block);
    if (found->is_grain)
        add_to_chain(node, work, found);
    if (block.size > 0)
        swarm_block_found(node->swarm, &id, block.data, block.size);
    buffer_clear(&block);
    struct sharechain_counts counts;
    sharechain_counts(node->sharechain, &counts);
    // What is durable already need not be waited for: no commit would come to end the waiting.
    return counts.sequence <= store_durable(node->store) ? 0 : counts.sequence;
}
