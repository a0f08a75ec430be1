#include "dht/sync_state.h"

#include <string.h>

#define HEDGE_MS           2000 // the first batch holds up all others
#define ROUND_MS           5000 // nobody is left to ask: again after so long,
#define ROUNDS_MAX         3    // so often
#define FAILURES_MAX       3
#define REFUSED_INVALID    600000
#define REFUSED_MISSING    60000
#define BODY_SIZE_GUESSED  4096
#define SHARE_SIZE_GUESSED 400

// ---- Beginning and end

// Its links came while it mined on: it has more than it said when it said hello.
static void raise_claim(struct sync *sync, uint32_t number, const struct chain_tip *tip)
{
    struct sync_peer *peer = sync_find_peer(sync, number);
    if (peer != NULL && peer->has_claim && u256_compare(&peer->claim.work, &tip->work) < 0)
        peer->claim = *tip;
}

void sync_fetch_begin(struct sync *sync, struct now now)
{
    struct proving *proving = &sync->proving;
    const struct chain_tip *tip = &proving->state.tip;
    raise_claim(sync, proving->peer, tip);
    uint32_t first = tip->height - proving->links + 1;
    uint32_t height = first;
    if (!sync->chain->proof_accept(sync->chain->context, proving->proof, &height, now)) {
        sync_prove_refuse_tip(sync, &tip->id, mono_after(now, REFUSED_MISSING));
        return;
    }
    sync->fetching = (struct fetching){
        .proof = proving->proof,
        .tip = *tip,
        .last_work = u256_max(),
        .peer = proving->peer,
        .next_height = height > first ? height : first,
        .share_size = SHARE_SIZE_GUESSED,
        .body_size = BODY_SIZE_GUESSED,
    };
    if (proving->links > SYNC_BEHIND_LINKS) {
        uint32_t at = (tip->height - SYNC_BEHIND_LINKS) % (SYNC_BEHIND_LINKS + 1);
        sync->fetching.last_work = u256_subtract(&tip->work, &proving->ring.works[at]);
    }
    proving->proof = NULL;
}

bool sync_fetch_is_behind(const struct sync *sync)
{
    const struct fetching *fetching = &sync->fetching;
    if (fetching->proof == NULL || u256_compare(&fetching->tip.work, &sync->own.work) <= 0)
        return false;
    struct u256 missing = u256_subtract(&fetching->tip.work, &sync->own.work);
    return u256_compare(&missing, &fetching->last_work) > 0;
}

// What waits in the share-chain on behalf of peers that left was told to be forgotten when they
// did; not what was fed since.
static void forget_gone_sources(struct sync *sync, const struct batch *batch)
{
    uint32_t last = 0;
    for (size_t i = 0; i < batch->items_count + batch->links_count; i++) {
        const struct item *item =
            i < batch->items_count ? &batch->items[i] : &batch->bodies[i - batch->items_count];
        if (item->size == 0 || item->peer == last)
            continue;
        last = item->peer;
        if (sync_find_peer(sync, last) == NULL)
            sync->chain->forget_source(sync->chain->context, last);
    }
}

void sync_fetch_clear(struct sync *sync)
{
    struct fetching *fetching = &sync->fetching;
    for (size_t i = 0; i < fetching->count; i++) {
        if (i == 0)
            forget_gone_sources(sync, fetching->batches[i]);
        sync_batch_free(fetching->batches[i]);
    }
    if (fetching->proof != NULL)
        sync->chain->proof_free(fetching->proof);
    *fetching = (struct fetching){0};
}

// The chain cannot be had, or is none: others are looked at.
static void give_up(struct sync *sync, int64_t refused_ms, struct now now)
{
    struct hash256 id = sync->fetching.tip.id;
    sync_fetch_clear(sync);
    sync_prove_refuse_tip(sync, &id, mono_after(now, refused_ms));
}

// Answers to what was asked until now are of no use any more.
static void forget_requests(struct sync *sync, struct batch *batch)
{
    batch->serial = ++sync->last_batch;
    batch->requests = 0;
    batch->asked = (struct place_set){{0}};
}

static void restart(struct sync *sync, struct batch *batch)
{
    forget_gone_sources(sync, batch);
    sync_batch_reset(batch, sync->chain);
    forget_requests(sync, batch);
    batch->tried = (struct place_set){{0}};
}

// Links become valid in other ways, too, and leave their batch when it begins again.
static void drop_empty_batches(struct fetching *fetching)
{
    size_t kept = 0;
    for (size_t i = 0; i < fetching->count; i++) {
        if (fetching->batches[i]->links_count > 0)
            fetching->batches[kept++] = fetching->batches[i];
        else
            sync_batch_free(fetching->batches[i]);
    }
    fetching->count = kept;
}

static void mark_failed(struct sync *sync, struct batch *batch, uint32_t number)
{
    struct sync_peer *peer = sync_find_peer(sync, number);
    if (peer != NULL)
        place_set_add(&batch->failed, sync_place(sync, peer));
    batch->failures++;
}

void sync_fetch_batch_failed(struct sync *sync, struct batch *batch, uint32_t peer, struct now now)
{
    mark_failed(sync, batch, peer);
    if (batch->failures >= FAILURES_MAX)
        give_up(sync, REFUSED_INVALID, now);
    else
        restart(sync, batch);
}

void sync_fetch_suspect_body(struct sync *sync, struct batch *batch, size_t link, struct now now)
{
    sync_batch_suspect(batch, link);
    sync_fetch_batch_failed(sync, batch, batch->bodies[link].peer, now);
}

void sync_fetch_batch_done(struct sync *sync, struct now now)
{
    struct fetching *fetching = &sync->fetching;
    struct batch *batch = fetching->batches[0];
    for (size_t i = 0; i < batch->suspects_count; i++) {
        if (sync_batch_is_guilty(batch, &batch->suspects[i]))
            sync_blame(sync, batch->suspects[i].peer, SYNC_FAULT_BAD_ANSWER, now);
    }
    batch->suspects_count = 0;
    fetching->fetched_height = batch->heights[batch->links_now - 1];
    sync->stats.links_fetched += batch->links_now;
    bool has_more = batch->links_now < batch->links_count;
    restart(sync, batch);
    if (has_more && batch->links_count > 0)
        return;
    sync_batch_free(batch);
    fetching->count--;
    memmove(fetching->batches, fetching->batches + 1, fetching->count * sizeof(struct batch *));
}

// ---- Memory

static size_t expected_bytes(const struct fetching *fetching, const struct batch *batch)
{
    size_t shares_link = 1 + fetching->body_size / sizeof(struct hash256);
    switch (batch->stage) {
    case BATCH_WANTS_BODIES:
        return batch->links_count * (fetching->body_size + shares_link * fetching->share_size);
    case BATCH_WANTS_SHARES:
        return batch->missing_count * fetching->share_size;
    case BATCH_IS_HERE:
        return 0;
    }
    return 0;
}

static size_t held_bytes(const struct fetching *fetching, bool is_expected_too)
{
    size_t bytes = 0;
    for (size_t i = 0; i < fetching->count; i++) {
        bytes += sync_batch_memory(fetching->batches[i]);
        if (is_expected_too)
            bytes += expected_bytes(fetching, fetching->batches[i]);
    }
    return bytes;
}

// The first batch always may grow: all others wait for it, and leave it room.
static bool has_room(const struct fetching *fetching, const struct batch *batch, size_t bytes)
{
    return batch == fetching->batches[0] ||
           held_bytes(fetching, false) + bytes <= SYNC_AHEAD_BYTES_MAX - BATCH_BYTES_MAX;
}

// ---- Whom to ask

static uint32_t last_height(const struct batch *batch)
{
    return batch->heights[batch->links_count - 1];
}

static bool may_have(const struct sync *sync, const struct sync_peer *peer,
                     const struct batch *batch)
{
    size_t place = sync_place(sync, peer);
    return peer->number != 0 && peer->has_claim && peer->claim.height >= last_height(batch) &&
           !place_set_has(&batch->tried, place) && !place_set_has(&batch->failed, place) &&
           !place_set_has(&batch->asked, place);
}

static size_t in_flight(const struct sync_peer *peer)
{
    return sync_request_count(peer, FOR_BATCH_BODIES, FOR_BATCH_SHARES);
}

// One that left a request without an answer is asked only where nobody else may have it.
static bool is_better(const struct sync_peer *peer, const struct sync_peer *best, struct now now)
{
    bool is_silent = sync_request_is_silent(peer, now);
    if (best == NULL || is_silent != sync_request_is_silent(best, now))
        return best == NULL || !is_silent;
    if (in_flight(peer) != in_flight(best))
        return in_flight(peer) < in_flight(best);
    return peer->bytes_ms > best->bytes_ms;
}

// *is_known: somebody may have it, though perhaps not now.
static struct sync_peer *choose(struct sync *sync, const struct batch *batch, struct now now,
                                bool *is_known)
{
    struct sync_peer *best = NULL;
    bool is_good_known = false;
    *is_known = false;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[i];
        if (!may_have(sync, peer, batch))
            continue;
        *is_known = true;
        is_good_known = is_good_known || !sync_request_is_silent(peer, now);
        if (in_flight(peer) < SYNC_BATCHES_PEER_MAX && sync_request_can(peer, now) &&
            is_better(peer, best, now))
            best = peer;
    }
    bool is_to_wait = best != NULL && is_good_known && sync_request_is_silent(best, now);
    return is_to_wait ? NULL : best;
}

static bool wants_asking(const struct sync *sync, const struct batch *batch, struct now now)
{
    if (batch->stage == BATCH_IS_HERE || batch->links_count == 0 ||
        !mono_is_due(batch->round_at, now))
        return false;
    bool is_late = batch == sync->fetching.batches[0] && batch->requests == 1 &&
                   now.mono.ms - batch->asked_at.ms >= HEDGE_MS;
    return batch->requests == 0 || is_late;
}

static void ask(struct sync *sync, struct batch *batch, struct sync_peer *peer, struct now now)
{
    bool wants_bodies = batch->stage == BATCH_WANTS_BODIES;
    struct request_spec spec = {
        .purpose = wants_bodies ? FOR_BATCH_BODIES : FOR_BATCH_SHARES,
        .ids = sync->ids,
        .ids_count = sync_batch_missing(batch, sync->ids),
        .batch = batch->serial,
        .bytes_expected = wants_bodies ? batch->links_count * (size_t)sync->fetching.body_size
                                       : expected_bytes(&sync->fetching, batch),
    };
    if (!sync_request_send(sync, peer, &spec, now))
        return;
    place_set_add(&batch->asked, sync_place(sync, peer));
    batch->requests++;
    batch->asked_at = now.mono;
}

// Nobody has a share: perhaps there is none, and a false body names it.
static bool is_doubtful(const struct batch *batch, size_t *link)
{
    return batch->stage == BATCH_WANTS_SHARES && batch->failures + 1 < FAILURES_MAX &&
           sync_batch_find_missing(batch, link);
}

// False if nobody had it, again and again.
static bool ask_somebody(struct sync *sync, struct batch *batch, struct now now)
{
    bool is_known;
    if (!wants_asking(sync, batch, now))
        return true;
    struct sync_peer *peer = choose(sync, batch, now, &is_known);
    if (peer != NULL)
        ask(sync, batch, peer, now);
    if (is_known || batch->requests > 0)
        return true;
    size_t link;
    if (is_doubtful(batch, &link)) {
        sync_fetch_suspect_body(sync, batch, link, now);
        return true;
    }
    batch->tried = (struct place_set){{0}};
    batch->round_at = mono_after(now, ROUND_MS);
    batch->rounds++;
    return batch->rounds <= ROUNDS_MAX;
}

// ---- Batches

// So many that one request can bring their shares.
static size_t links_wanted(const struct fetching *fetching)
{
    size_t shares_link = 1 + fetching->body_size / sizeof(struct hash256);
    size_t links = PEER_GET_IDS_MAX / (shares_link + shares_link / 8);
    if (links > SYNC_BATCH_LINKS)
        return SYNC_BATCH_LINKS;
    return links > 0 ? links : 1;
}

// The next links of the proven chain that are not here; NULL if there are none.
static struct batch *next_batch(struct sync *sync)
{
    struct fetching *fetching = &sync->fetching;
    struct batch *batch = sync_batch_new(++sync->last_batch);
    size_t links = links_wanted(fetching);
    struct hash256 id;
    while (batch != NULL && batch->links_count < links &&
           fetching->next_height <= fetching->tip.height &&
           sync->chain->proof_link(fetching->proof, fetching->next_height, &id)) {
        if (!sync->chain->has_link(sync->chain->context, &id)) {
            batch->bodies[batch->links_count].id = id;
            batch->heights[batch->links_count] = fetching->next_height;
            batch->links_count++;
        }
        fetching->next_height++;
    }
    if (batch == NULL || batch->links_count > 0)
        return batch;
    sync_batch_free(batch);
    return NULL;
}

static bool somebody_is_free(const struct sync *sync, struct now now)
{
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        const struct sync_peer *peer = &sync->peers[i];
        if (sync_request_can(peer, now) && peer->has_claim &&
            peer->claim.height >= sync->fetching.next_height &&
            in_flight(peer) < SYNC_BATCHES_PEER_MAX && !sync_request_is_silent(peer, now))
            return true;
    }
    return false;
}

static bool may_begin_batch(const struct sync *sync, struct now now)
{
    const struct fetching *fetching = &sync->fetching;
    if (fetching->next_height > fetching->tip.height || fetching->count == BATCHES_MAX)
        return false;
    struct batch next = {.links_count = links_wanted(fetching)};
    size_t bytes = held_bytes(fetching, true) + expected_bytes(fetching, &next);
    return fetching->count == 0 ||
           (bytes <= SYNC_AHEAD_BYTES_MAX - BATCH_BYTES_MAX && somebody_is_free(sync, now));
}

void sync_fetch_step(struct sync *sync, struct now now)
{
    struct fetching *fetching = &sync->fetching;
    if (fetching->proof == NULL)
        return;
    drop_empty_batches(fetching);
    for (size_t i = 0; i < fetching->count; i++) {
        if (!ask_somebody(sync, fetching->batches[i], now)) {
            give_up(sync, REFUSED_MISSING, now);
            return;
        }
    }
    while (may_begin_batch(sync, now)) {
        struct batch *batch = next_batch(sync);
        if (batch == NULL)
            break;
        fetching->batches[fetching->count++] = batch;
        (void)ask_somebody(sync, batch, now); // its first round is never the last
        if (batch->requests == 0)
            break;
    }
    bool is_reached = u256_compare(&sync->own.work, &fetching->tip.work) >= 0;
    bool is_over = fetching->count == 0 && fetching->next_height > fetching->tip.height;
    if (is_reached)
        sync_fetch_clear(sync);
    else if (is_over)
        give_up(sync, REFUSED_MISSING, now); // all of it is here, and it is not followed
}

// ---- Answers

static struct batch *find_batch(const struct sync *sync, uint64_t serial)
{
    for (size_t i = 0; i < sync->fetching.count; i++) {
        if (sync->fetching.batches[i]->serial == serial)
            return sync->fetching.batches[i];
    }
    return NULL;
}

static void count_average(uint32_t *average, size_t bytes, size_t count)
{
    if (count > 0)
        *average = (uint32_t)((3 * (size_t)*average + bytes / count) / 4);
}

static bool take(struct sync *sync, struct batch *batch, const struct peer_message *message,
                 uint32_t peer)
{
    size_t added;
    if (message->type == PEER_BODIES) {
        bool is_good = sync_batch_add_bodies(batch, message, peer, &added);
        count_average(&sync->fetching.body_size, message->items.size,
                      peer_ids_count(&message->ids));
        return is_good;
    }
    bool is_good = sync_batch_add_shares(batch, message, peer, &added);
    count_average(&sync->fetching.share_size, message->items.size, added);
    sync->stats.shares_fetched += added;
    return is_good;
}

void sync_fetch_answer(struct sync *sync, struct sync_peer *peer, const struct request *request,
                       const struct peer_message *message, struct now now)
{
    struct batch *batch = find_batch(sync, request->batch);
    bool is_bodies = message->type == PEER_BODIES;
    if (batch == NULL)
        return;
    place_set_remove(&batch->asked, sync_place(sync, peer));
    batch->requests--;
    if (batch->stage != (is_bodies ? BATCH_WANTS_BODIES : BATCH_WANTS_SHARES))
        return;
    if (!has_room(&sync->fetching, batch, message->items.size)) {
        restart(sync, batch);
        return;
    }
    if (!take(sync, batch, message, peer->number)) {
        place_set_add(&batch->failed, sync_place(sync, peer));
        sync_blame(sync, peer->number, SYNC_FAULT_BAD_ANSWER, now);
        return;
    }
    // What is left out for its size may be asked for again; of what is not there others are asked.
    bool is_cut = message->items.size >= PEER_ANSWER_BYTES_MAX / 2;
    size_t missing = sync_batch_missing(batch, sync->ids);
    if (missing > 0 && batch->stage != BATCH_IS_HERE && !is_cut)
        place_set_add(&batch->tried, sync_place(sync, peer));
    if (is_bodies && missing == 0) {
        forget_requests(sync, batch);
        if (!sync_batch_list_shares(batch, sync->chain))
            restart(sync, batch);
    }
}

void sync_fetch_overdue(struct sync *sync, const struct sync_peer *peer,
                        const struct request *request)
{
    struct batch *batch = find_batch(sync, request->batch);
    if (batch == NULL)
        return;
    batch->requests--;
    place_set_remove(&batch->asked, sync_place(sync, peer));
    place_set_add(&batch->tried, sync_place(sync, peer));
}

void sync_fetch_forget_peer(struct sync *sync, const struct sync_peer *peer)
{
    size_t place = sync_place(sync, peer);
    for (size_t i = 0; i < sync->fetching.count; i++) {
        struct batch *batch = sync->fetching.batches[i];
        batch->requests -= place_set_has(&batch->asked, place);
        place_set_remove(&batch->asked, place);
        place_set_remove(&batch->tried, place);
        place_set_remove(&batch->failed, place);
    }
}

struct mono_time sync_fetch_deadline(const struct sync *sync, struct now now)
{
    if (sync->fetching.proof == NULL)
        return MONO_NEVER;
    return mono_after(now, FULL_MS); // hedges, rounds, full links
}
