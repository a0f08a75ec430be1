#include "dht/sync_state.h"

#include <string.h>

// Batches go to the share-chain one after another, by height, and each link after its grains: what
// an object points to is there before it, with few exceptions. Those (a grain on a link that lost,
// whose body is in no batch) the share-chain names as lacking; the batch is kept until its links
// are valid, so that nothing needs to come twice.

#define SHARES_STEP 256   // fed at once: the loop goes on in between
#define PENDING_MS  30000 // for what is lacking to come

bool sync_feed_is_busy(const struct sync *sync)
{
    const struct fetching *fetching = &sync->fetching;
    return fetching->count > 0 && fetching->batches[0]->stage == BATCH_IS_HERE &&
           !fetching->batches[0]->is_fed;
}

static enum chain_verdict feed(struct sync *sync, const struct batch *batch,
                               const struct item *share, const struct item *body, struct now now)
{
    struct chain_arrival arrival = {
        .source = share->peer,
        .share = batch->bytes.data + share->offset,
        .share_size = share->size,
        .body = body == NULL ? NULL : batch->bytes.data + body->offset,
        .body_size = body == NULL ? 0 : body->size,
        .is_sync = true,
    };
    return sync->chain->add_share(sync->chain->context, &arrival, now);
}

static void has_failed(struct sync *sync, struct batch *batch, uint32_t peer, struct now now)
{
    sync_blame(sync, peer, SYNC_FAULT_BAD_ANSWER, now);
    sync_fetch_batch_failed(sync, batch, peer, now);
}

// False if it was invalid; the batch is no more, or begins again.
static bool feed_link(struct sync *sync, struct batch *batch, struct now now)
{
    const struct item *body = &batch->bodies[batch->link];
    const struct item *share = sync_batch_find(batch, &body->id);
    if (feed(sync, batch, share, body, now) != CHAIN_INVALID)
        return true;
    // Share and body may be of two peers: without the body it shows whose fault it is.
    uint32_t guilty = body->peer;
    if (share->peer == guilty || feed(sync, batch, share, NULL, now) == CHAIN_INVALID)
        guilty = share->peer;
    has_failed(sync, batch, guilty, now);
    return false;
}

// The next share of the batch; false if it was invalid.
static bool feed_next(struct sync *sync, struct batch *batch, struct now now)
{
    const struct item *body = &batch->bodies[batch->link];
    const uint8_t *ids;
    size_t count;
    bool has_grain = sync_body_read(batch->bytes.data + body->offset, body->size, &ids, &count) &&
                     batch->grain < count;
    if (!has_grain) {
        if (!feed_link(sync, batch, now))
            return false;
        batch->link++;
        batch->grain = 0;
        return true;
    }
    struct hash256 id;
    memcpy(id.bytes, ids + batch->grain * sizeof id, sizeof id);
    batch->grain++;
    const struct item *share = sync_batch_find(batch, &id);
    if (share == NULL || feed(sync, batch, share, NULL, now) != CHAIN_INVALID)
        return true;
    has_failed(sync, batch, share->peer, now);
    return false;
}

// The first link of the batch that is not valid; links_now if all are.
static size_t first_pending(const struct sync *sync, const struct batch *batch)
{
    size_t i = 0;
    while (i < batch->links_now &&
           sync->chain->has_link(sync->chain->context, &batch->bodies[i].id))
        i++;
    return i;
}

static void judge(struct sync *sync, struct batch *batch, struct now now)
{
    size_t pending = first_pending(sync, batch);
    if (pending == batch->links_now) {
        sync_fetch_batch_done(sync, now);
        return;
    }
    const struct item *body = &batch->bodies[pending];
    // It has its body, and still lacks it: what came was another one.
    if (sync_lack_has(sync, CHAIN_LACKS_BODY, &body->id))
        has_failed(sync, batch, body->peer, now);
    else if (now.mono.ms - batch->fed_at.ms >= PENDING_MS)
        sync_fetch_suspect_body(sync, batch, pending, now);
}

void sync_feed_step(struct sync *sync, struct now now)
{
    if (sync->fetching.count == 0 || sync->fetching.batches[0]->stage != BATCH_IS_HERE)
        return;
    struct batch *batch = sync->fetching.batches[0];
    for (size_t i = 0; i < SHARES_STEP && batch->link < batch->links_now; i++) {
        if (!feed_next(sync, batch, now))
            return;
    }
    if (batch->link < batch->links_now)
        return;
    if (!batch->is_fed) {
        batch->is_fed = true;
        batch->fed_at = now.mono;
        if (first_pending(sync, batch) < batch->links_now)
            sync_lack_update(sync, now);
    }
    judge(sync, batch, now);
}
