#include "dht/sync_state.h"

#include <assert.h>
#include <string.h>

// A claim is worth a look, nothing more. Who claims most is asked for skeletons, one peer at a
// time; what they prove counts, and a claim that was not kept costs its owner score and patience.

#define SETTLE_MS         2000 // gossip brings a link or two sooner than a proof would
#define RETRY_MIN_MS      10000
#define RETRY_MAX_MS      3600000
#define POLICY_REFUSED_MS 60000
#define MOVES_MAX         3
#define SHORT_ANSWERS_MAX 3
#define HEADER_ROUNDS_MAX 1000
// A chain that is this long and still has less work than ours is a flood, not a chain.
#define LINKS_FREE   100000
#define LINKS_FACTOR 4
#define ANSWER_MS    2000 // on average, where others could be asked instead

// ---- Whose claim is next

void sync_prove_refuse_tip(struct sync *sync, const struct hash256 *id, struct mono_time until)
{
    sync->refused[sync->refused_next] = (struct refused_tip){*id, until};
    sync->refused_next = (sync->refused_next + 1) % REFUSED_MAX;
}

static bool is_refused(const struct sync *sync, const struct hash256 *id, struct now now)
{
    for (size_t i = 0; i < REFUSED_MAX; i++) {
        if (hash_equal(&sync->refused[i].id, id) && !mono_is_due(sync->refused[i].until, now))
            return true;
    }
    return false;
}

static bool claims_more(const struct sync *sync, const struct sync_peer *peer)
{
    return peer->number != 0 && peer->has_claim &&
           u256_compare(&peer->claim.work, &sync->own.work) > 0;
}

// When its claim may be looked at.
static struct mono_time claim_time(const struct sync *sync, const struct sync_peer *peer)
{
    struct mono_time time = peer->better_since;
    if (sync->was_done)
        time.ms += SETTLE_MS;
    return time.ms < peer->retry_at.ms ? peer->retry_at : time;
}

static bool is_candidate(const struct sync *sync, const struct sync_peer *peer, struct now now)
{
    return claims_more(sync, peer) && mono_is_due(claim_time(sync, peer), now) &&
           peer->number != sync->proving.peer && !is_refused(sync, &peer->claim.id, now);
}

static struct sync_peer *best_candidate(struct sync *sync, struct now now)
{
    struct sync_peer *best = NULL;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[i];
        if (is_candidate(sync, peer, now) && sync_request_can(peer, now) &&
            (best == NULL || u256_compare(&peer->claim.work, &best->claim.work) > 0))
            best = peer;
    }
    return best;
}

bool sync_prove_has_candidate(const struct sync *sync, struct now now)
{
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (is_candidate(sync, &sync->peers[i], now))
            return true;
    }
    return false;
}

static struct mono_time claim_deadline(const struct sync *sync, const struct sync_peer *peer)
{
    struct mono_time time = claim_time(sync, peer);
    if (time.ms < peer->full_until.ms)
        time = peer->full_until;
    for (size_t i = 0; i < REFUSED_MAX; i++) {
        const struct refused_tip *tip = &sync->refused[i];
        if (hash_equal(&tip->id, &peer->claim.id) && time.ms < tip->until.ms)
            time = tip->until;
    }
    return time;
}

static int64_t allowed_ms(const struct proving *proving)
{
    return SYNC_TIMEOUT_MS + (int64_t)proving->answers * ANSWER_MS;
}

struct mono_time sync_prove_deadline(const struct sync *sync, struct now now)
{
    const struct proving *proving = &sync->proving;
    struct mono_time earliest = MONO_NEVER;
    if (!sync->is_compared)
        return mono_is_due(sync->compare_until, now) ? MONO_NEVER : sync->compare_until;
    if (proving->peer != 0 && proving->request == 0)
        return mono_after(now, FULL_MS);
    if (proving->peer != 0)
        return (struct mono_time){proving->started.ms + allowed_ms(proving) + 1};
    for (size_t i = 0; sync->fetching.proof == NULL && i < SYNC_PEERS_MAX; i++) {
        if (claims_more(sync, &sync->peers[i]))
            earliest = mono_min(earliest, claim_deadline(sync, &sync->peers[i]));
    }
    return earliest;
}

// ---- Its end

void sync_prove_clear(struct sync *sync)
{
    struct proving *proving = &sync->proving;
    if (proving->proof != NULL)
        sync->chain->proof_free(proving->proof);
    buffer_clear(&proving->rest);
    *proving = (struct proving){0};
}

static void back_off(struct sync_peer *peer, struct now now)
{
    peer->retry_at = mono_after(now, peer->retry_ms);
    peer->retry_ms = peer->retry_ms * 2 < RETRY_MAX_MS ? peer->retry_ms * 2 : RETRY_MAX_MS;
}

void sync_prove_give_up(struct sync *sync, struct now now)
{
    struct sync_peer *peer = sync_find_peer(sync, sync->proving.peer);
    sync_prove_clear(sync);
    if (peer != NULL)
        back_off(peer, now);
}

static void refute(struct sync *sync, enum sync_fault fault, struct now now)
{
    uint32_t number = sync->proving.peer;
    struct sync_peer *peer = sync_find_peer(sync, number);
    peer->is_judged = true;
    sync_prove_give_up(sync, now);
    sync_blame(sync, number, fault, now);
}

// Its chain is another one by now, which happens to honest peers, too; not often.
static void has_moved(struct sync *sync, struct now now)
{
    struct sync_peer *peer = sync_find_peer(sync, sync->proving.peer);
    peer->moves++;
    if (peer->moves > MOVES_MAX) {
        peer->moves = 0;
        refute(sync, SYNC_FAULT_BAD_PROOF, now);
        return;
    }
    sync_prove_clear(sync);
}

static void finish(struct sync *sync, struct now now)
{
    struct proving *proving = &sync->proving;
    struct sync_peer *peer = sync_find_peer(sync, proving->peer);
    const struct u256 *proven = &proving->state.tip.work;
    bool is_better = proving->links > 0 && u256_compare(proven, &sync->own.work) > 0;
    // Claims that we have overtaken meanwhile need no proof.
    bool is_kept = (is_better && u256_compare(proven, &proving->claim.work) >= 0) ||
                   u256_compare(&sync->own.work, &proving->claim.work) >= 0;
    if (!is_kept) {
        refute(sync, SYNC_FAULT_BAD_PROOF, now);
        return;
    }
    peer->is_judged = true;
    peer->moves = 0;
    peer->retry_ms = RETRY_MIN_MS;
    if (is_better)
        sync_fetch_begin(sync, now);
    sync_prove_clear(sync);
}

// ---- Asking

static void ask_links(struct sync *sync, struct now now)
{
    struct proving *proving = &sync->proving;
    struct sync_peer *peer = sync_find_peer(sync, proving->peer);
    size_t count = 0;
    if (proving->links > 0)
        sync->ids[count++] = proving->state.tip.id;
    count += sync->chain->link_locator(sync->chain->context, sync->ids + count);
    if (count > CHAIN_LOCATOR_MAX) {
        sync->ids[CHAIN_LOCATOR_MAX - 1] = sync->ids[count - 1]; // the pool id stays the last
        count = CHAIN_LOCATOR_MAX;
    }
    struct request_spec spec = {
        .purpose = FOR_PROOF_LINKS,
        .ids = sync->ids,
        .ids_count = count,
        .bytes_expected = CHAIN_SKELETONS_MAX * (size_t)CHAIN_SKELETON_MAX / 2,
    };
    bool is_sent = sync_request_send(sync, peer, &spec, now);
    proving->request = is_sent ? sync->last_request : 0;
}

static void ask_headers(struct sync *sync, struct now now)
{
    struct proving *proving = &sync->proving;
    struct sync_peer *peer = sync_find_peer(sync, proving->peer);
    struct request_spec spec = {
        .purpose = FOR_PROOF_HEADERS,
        .ids = sync->ids,
        .ids_count = sync->chain->header_locator(sync->chain->context, sync->ids),
        .bytes_expected = (size_t)CHAIN_HEADERS_MAX * CHAIN_HEADER_SIZE,
    };
    // All of its best chain at once; then those of blocks that lost, one by one.
    if (proving->has_best_headers)
        spec.wanted = proving->state.header;
    proving->best_header = sync->ids[0];
    bool is_sent = sync_request_send(sync, peer, &spec, now);
    proving->request = is_sent ? sync->last_request : 0;
}

static void begin(struct sync *sync, const struct sync_peer *peer, struct now now)
{
    struct proving *proving = &sync->proving;
    proving->peer = peer->number;
    proving->claim = peer->claim;
    proving->started = now.mono;
    buffer_init(&proving->rest, PEER_ANSWER_BYTES_MAX);
    ask_links(sync, now);
}

// Whoever answers slowly holds up the others.
static bool is_too_slow(const struct sync *sync, struct now now)
{
    const struct proving *proving = &sync->proving;
    return now.mono.ms - proving->started.ms > allowed_ms(proving) &&
           sync_prove_has_candidate(sync, now);
}

void sync_prove_step(struct sync *sync, struct now now)
{
    struct proving *proving = &sync->proving;
    if (proving->peer != 0 && is_too_slow(sync, now))
        sync_prove_give_up(sync, now);
    if (proving->peer != 0) {
        if (proving->request == 0 && proving->lacks_header)
            ask_headers(sync, now);
        else if (proving->request == 0)
            ask_links(sync, now);
        return;
    }
    if (sync->fetching.proof != NULL || !sync->is_compared)
        return;
    struct sync_peer *peer = best_candidate(sync, now);
    if (peer != NULL)
        begin(sync, peer, now);
}

// ---- Following

static void note_work(struct proving *proving)
{
    const struct chain_tip *tip = &proving->state.tip;
    proving->ring.works[tip->height % (SYNC_BEHIND_LINKS + 1)] = tip->work;
    proving->links++;
}

// The skeletons from *item on are kept until the header that one needs is here.
static bool keep_rest(struct proving *proving, const struct peer_message *message, size_t offset,
                      struct peer_bytes item)
{
    struct buffer rest;
    buffer_init(&rest, PEER_ANSWER_BYTES_MAX);
    do
        peer_item_write(PEER_LINKS, item.data, item.size, &rest);
    while (peer_item_next(message, &offset, &item));
    buffer_clear(&proving->rest);
    proving->rest = rest;
    return !rest.failed;
}

enum following { FOLLOWED, WAITS_FOR_HEADER, REFUTED, GIVEN_UP };

static enum following follow(struct sync *sync, const struct peer_message *message)
{
    struct proving *proving = &sync->proving;
    struct peer_bytes item;
    size_t offset = 0;
    while (peer_item_next(message, &offset, &item)) {
        switch (sync->chain->proof_step(proving->proof, item.data, item.size, &proving->state)) {
        case CHAIN_PROOF_OK:
            note_work(proving);
            break;
        case CHAIN_PROOF_BAD:
            return REFUTED;
        case CHAIN_PROOF_LACKS_HEADER:
            return keep_rest(proving, message, offset, item) ? WAITS_FOR_HEADER : GIVEN_UP;
        case CHAIN_PROOF_NO_MEMORY:
            return GIVEN_UP;
        }
    }
    return FOLLOWED;
}

static bool is_low_work_flood(const struct sync *sync)
{
    const struct proving *proving = &sync->proving;
    return u256_compare(&proving->state.tip.work, &sync->own.work) <= 0 &&
           proving->links > LINKS_FREE + (uint64_t)LINKS_FACTOR * sync->own.height;
}

// All skeletons of an answer were taken; `is_short`: it had fewer than were asked for.
static void go_on(struct sync *sync, bool is_short, struct now now)
{
    struct proving *proving = &sync->proving;
    bool has_all = u256_compare(&proving->state.tip.work, &proving->claim.work) >= 0;
    if (hash_equal(&proving->state.tip.id, &proving->claim.id) || (is_short && has_all)) {
        finish(sync, now);
        return;
    }
    proving->short_answers += is_short;
    if (is_low_work_flood(sync) || proving->short_answers > SHORT_ANSWERS_MAX) {
        refute(sync, SYNC_FAULT_BAD_PROOF, now);
        return;
    }
    ask_links(sync, now);
}

static void follow_answer(struct sync *sync, const struct peer_message *message, bool is_short,
                          struct now now)
{
    switch (follow(sync, message)) {
    case FOLLOWED:
        go_on(sync, is_short, now);
        return;
    case WAITS_FOR_HEADER:
        sync->proving.lacks_header = true;
        sync->proving.is_rest_short = is_short;
        ask_headers(sync, now);
        return;
    case REFUTED:
        refute(sync, SYNC_FAULT_BAD_PROOF, now);
        return;
    case GIVEN_UP:
        sync_prove_give_up(sync, now);
        return;
    }
}

static size_t count_items(const struct peer_message *message)
{
    struct peer_bytes item;
    size_t offset = 0;
    size_t count = 0;
    while (peer_item_next(message, &offset, &item))
        count++;
    return count;
}

// The chain begins after a link of ours; false if that is not so, and dealt with.
static bool start_proof(struct sync *sync, const struct hash256 *from, struct now now)
{
    struct proving *proving = &sync->proving;
    if (!sync->chain->has_link(sync->chain->context, from)) {
        refute(sync, SYNC_FAULT_BAD_PROOF, now);
        return false;
    }
    proving->proof = sync->chain->proof_new(sync->chain->context, from);
    proving->from = *from;
    if (proving->proof == NULL)
        sync_prove_give_up(sync, now);
    return proving->proof != NULL;
}

void sync_prove_links(struct sync *sync, const struct peer_message *message, struct now now)
{
    struct proving *proving = &sync->proving;
    size_t count = count_items(message);
    proving->request = 0;
    proving->answers++;
    if (count > CHAIN_SKELETONS_MAX) {
        refute(sync, SYNC_FAULT_BAD_ANSWER, now);
        return;
    }
    if (proving->proof == NULL && !start_proof(sync, &message->from, now))
        return;
    const struct hash256 *from = proving->links > 0 ? &proving->state.tip.id : &proving->from;
    if (!hash_equal(&message->from, from)) {
        has_moved(sync, now);
        return;
    }
    if (count == 0)
        finish(sync, now);
    else
        follow_answer(sync, message, count < CHAIN_SKELETONS_MAX, now);
}

static void follow_rest(struct sync *sync, struct now now)
{
    struct proving *proving = &sync->proving;
    struct buffer rest = proving->rest;
    struct peer_message message = {.type = PEER_LINKS, .items = {rest.data, rest.size}};
    proving->lacks_header = false;
    buffer_init(&proving->rest, PEER_ANSWER_BYTES_MAX);
    follow_answer(sync, &message, proving->is_rest_short, now);
    buffer_clear(&rest);
}

// Whether another answer may bring the header that is missing: the best chain goes on, or ended and
// may have lost it.
static bool may_still_come(struct sync *sync, size_t count)
{
    struct proving *proving = &sync->proving;
    struct hash256 ids[CHAIN_LOCATOR_MAX];
    sync->chain->header_locator(sync->chain->context, ids);
    bool has_moved_on = !hash_equal(&ids[0], &proving->best_header);
    if (count == CHAIN_HEADERS_MAX && has_moved_on)
        return ++proving->header_rounds <= HEADER_ROUNDS_MAX;
    bool is_first = !proving->has_best_headers;
    proving->has_best_headers = true;
    return is_first;
}

void sync_prove_headers(struct sync *sync, const struct peer_message *message, struct now now)
{
    struct proving *proving = &sync->proving;
    const struct network_chain *chain = sync->chain;
    size_t count = message->items.size / CHAIN_HEADER_SIZE;
    enum chain_verdict verdict = CHAIN_IGNORED;
    proving->request = 0;
    proving->answers++;
    if (count > 0 && count <= CHAIN_HEADERS_MAX)
        verdict = chain->add_headers(chain->context, proving->peer, message->items.data, count);
    if (verdict == CHAIN_INVALID)
        refute(sync, SYNC_FAULT_BAD_HEADERS, now);
    else if (chain->has_header(chain->context, &proving->state.header))
        follow_rest(sync, now);
    else if (may_still_come(sync, count))
        ask_headers(sync, now);
    else
        refute(sync, SYNC_FAULT_BAD_PROOF, now);
}
