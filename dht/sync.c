#include "dht/sync_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CLAIM_RETRY_MS 10000 // after a claim was not kept; doubles

const char *sync_phase_text(enum sync_phase phase)
{
    switch (phase) {
    case SYNC_ALONE:
        return "alone";
    case SYNC_COMPARING:
        return "comparing";
    case SYNC_PROVING:
        return "proving";
    case SYNC_FETCHING:
        return "fetching";
    case SYNC_DONE:
        return "done";
    }
    return "unknown";
}

struct sync *sync_new(const struct env *env, const struct sync_config *config)
{
    struct sync *sync = calloc(1, sizeof *sync);
    if (sync == NULL)
        return NULL;
    sync->env = env;
    sync->chain = config->chain;
    sync->events = config->events;
    sync->deadline = MONO_NEVER;
    return sync;
}

void sync_free(struct sync *sync)
{
    if (sync == NULL)
        return;
    sync_prove_clear(sync);
    sync_fetch_clear(sync);
    free(sync->loose.ids);
    free(sync);
}

struct sync_peer *sync_find_peer(struct sync *sync, uint32_t number)
{
    for (size_t i = 0; number != 0 && i < SYNC_PEERS_MAX; i++) {
        if (sync->peers[i].number == number)
            return &sync->peers[i];
    }
    return NULL;
}

size_t sync_place(const struct sync *sync, const struct sync_peer *peer)
{
    return (size_t)(peer - sync->peers);
}

void sync_blame(struct sync *sync, uint32_t peer, enum sync_fault fault, struct now now)
{
    if (sync_find_peer(sync, peer) != NULL)
        sync->events.fault(sync->events.context, peer, fault, now);
}

// ---- Where we stand

static void look_at_claims(struct sync *sync, struct now now)
{
    size_t claims = 0;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[i];
        if (peer->number == 0 || !peer->has_claim)
            continue;
        claims++;
        bool is_better = u256_compare(&peer->claim.work, &sync->own.work) > 0;
        peer->is_judged = peer->is_judged || !is_better;
        if (!is_better)
            peer->better_since = MONO_NEVER;
        else if (peer->better_since.ms == MONO_NEVER.ms)
            peer->better_since = now.mono;
    }
    if (claims >= SYNC_TIPS_COMPARED || (claims > 0 && mono_is_due(sync->compare_until, now)))
        sync->is_compared = true;
}

static bool somebody_is_judged(const struct sync *sync)
{
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (sync->peers[i].number != 0 && sync->peers[i].is_judged)
            return true;
    }
    return false;
}

// Claims alone never end the state of being synced (protocol section 9): only a proven chain does.
static enum sync_phase phase_now(struct sync *sync, struct now now)
{
    if (sync->peers_count == 0)
        return SYNC_ALONE;
    if (sync_fetch_is_behind(sync))
        return SYNC_FETCHING;
    bool is_idle = sync->fetching.proof == NULL && sync->proving.peer == 0;
    if (sync->is_compared && is_idle && somebody_is_judged(sync) &&
        !sync_prove_has_candidate(sync, now))
        sync->was_done = true;
    if (sync->was_done)
        return SYNC_DONE;
    if (sync->fetching.proof != NULL)
        return SYNC_FETCHING;
    return sync->proving.peer != 0 ? SYNC_PROVING : SYNC_COMPARING;
}

static void tell_phase(struct sync *sync, struct now now)
{
    enum sync_phase phase = phase_now(sync, now);
    if (phase == sync->phase)
        return;
    sync->phase = phase;
    if (phase == SYNC_DONE)
        sync_loose_begin(sync, now);
    sync->events.phase_changed(sync->events.context, phase, now);
}

static struct mono_time deadline(const struct sync *sync, struct now now)
{
    if (sync->peers_count == 0)
        return MONO_NEVER;
    if (sync_feed_is_busy(sync))
        return now.mono;
    struct mono_time earliest = sync_request_deadline(sync);
    earliest = mono_min(earliest, sync_prove_deadline(sync, now));
    earliest = mono_min(earliest, sync_fetch_deadline(sync, now));
    earliest = mono_min(earliest, sync_lack_deadline(sync, now));
    earliest = mono_min(earliest, sync_loose_deadline(sync, now));
    // What could not be done in this step is not tried again in the same moment.
    return earliest.ms <= now.mono.ms ? mono_after(now, 1) : earliest;
}

// ---- What did not come

static void request_is_over(struct sync *sync, const struct sync_peer *peer,
                            const struct request *request, struct now now)
{
    switch (request->purpose) {
    case FOR_PROOF_LINKS:
    case FOR_PROOF_HEADERS:
        if (request->number == sync->proving.request)
            sync_prove_give_up(sync, now);
        return;
    case FOR_BATCH_BODIES:
    case FOR_BATCH_SHARES:
        sync_fetch_overdue(sync, peer, request);
        return;
    case FOR_LACKING_SHARES:
    case FOR_LACKING_BODIES:
    case FOR_LACKING_HEADERS:
        sync_lack_give_up(sync, peer->number, sync_lack_kind(request->purpose), now);
        return;
    case FOR_LOOSE_IDS:
    case FOR_LOOSE_SHARES:
        if (request->number == sync->loose.request)
            sync_loose_give_up(sync, peer->number);
        return;
    }
}

static void look_at_requests(struct sync *sync, struct now now)
{
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[i];
        struct request request;
        while (peer->number != 0 && sync_request_next_overdue(sync, peer, now, &request))
            request_is_over(sync, peer, &request, now);
    }
}

static void step(struct sync *sync, struct now now)
{
    sync->chain->tip(sync->chain->context, &sync->own);
    look_at_requests(sync, now);
    if (sync->peers_count > 0) {
        sync_feed_step(sync, now);
        sync->chain->tip(sync->chain->context, &sync->own);
        look_at_claims(sync, now);
        sync_fetch_step(sync, now);
        sync_prove_step(sync, now);
        sync_lack_step(sync, now);
    }
    tell_phase(sync, now);
    sync_loose_step(sync, now);
    sync->deadline = deadline(sync, now);
}

// ---- Peers

bool sync_peer_opened(struct sync *sync, uint32_t number, struct now now)
{
    assert(number != 0);
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[i];
        if (peer->number != 0)
            continue;
        *peer = (struct sync_peer){
            .number = number,
            .better_since = MONO_NEVER,
            .retry_ms = CLAIM_RETRY_MS,
            .heard = {INT64_MIN},
            .blamed = {INT64_MIN},
            .silent_until = {INT64_MIN},
        };
        if (sync->peers_count == 0)
            sync->compare_until = mono_after(now, SYNC_COMPARE_MS);
        sync->peers_count++;
        step(sync, now);
        return true;
    }
    return false;
}

static void forget_all_peers(struct sync *sync)
{
    sync_prove_clear(sync);
    sync_fetch_clear(sync);
    sync->is_compared = false;
    sync->was_done = false;
}

void sync_peer_closed(struct sync *sync, uint32_t number, struct now now)
{
    struct sync_peer *peer = sync_find_peer(sync, number);
    if (peer == NULL)
        return;
    if (sync->proving.peer == number)
        sync_prove_clear(sync);
    sync_fetch_forget_peer(sync, peer);
    for (unsigned kind = 0; kind < CHAIN_LACKS_COUNT; kind++)
        sync_lack_give_up(sync, number, (enum chain_lack)kind, now);
    sync_loose_give_up(sync, number);
    *peer = (struct sync_peer){0};
    sync->peers_count--;
    if (sync->peers_count == 0)
        forget_all_peers(sync);
    step(sync, now);
}

// ---- What comes

static void answer_came(struct sync *sync, struct sync_peer *peer,
                        const struct peer_message *message, struct now now)
{
    struct request request;
    if (!sync_request_take(sync, peer, message, now, &request))
        return;
    switch (request.purpose) {
    case FOR_PROOF_LINKS:
        if (request.number == sync->proving.request)
            sync_prove_links(sync, message, now);
        return;
    case FOR_PROOF_HEADERS:
        if (request.number == sync->proving.request)
            sync_prove_headers(sync, message, now);
        return;
    case FOR_BATCH_BODIES:
    case FOR_BATCH_SHARES:
        sync_fetch_answer(sync, peer, &request, message, now);
        return;
    case FOR_LACKING_SHARES:
    case FOR_LACKING_BODIES:
    case FOR_LACKING_HEADERS:
        sync_lack_answer(sync, peer, &request, message, now);
        return;
    case FOR_LOOSE_IDS:
    case FOR_LOOSE_SHARES:
        sync_loose_answer(sync, &request, message, now);
        return;
    }
}

void sync_receive(struct sync *sync, uint32_t number, const struct peer_message *message,
                  struct now now)
{
    struct sync_peer *peer = sync_find_peer(sync, number);
    if (peer == NULL)
        return;
    sync->chain->tip(sync->chain->context, &sync->own);
    if (message->type == PEER_HELLO) {
        peer->has_claim = true;
        peer->claim = message->tip;
    } else if (message->type == PEER_LINKS || message->type == PEER_HEADERS ||
               message->type == PEER_BODIES || message->type == PEER_SHARES ||
               message->type == PEER_LOOSE) {
        answer_came(sync, peer, message, now);
    }
    step(sync, now);
}

void sync_poke(struct sync *sync, struct now now)
{
    sync_lack_refresh(sync);
    struct mono_time when = sync->lacks_refresh_at;
    if (when.ms < now.mono.ms)
        when = now.mono;
    if (sync->peers_count > 0)
        sync->deadline = mono_min(sync->deadline, when);
}

void sync_tick(struct sync *sync, struct now now)
{
    if (mono_is_due(sync->deadline, now))
        step(sync, now);
}

struct mono_time sync_next_deadline(const struct sync *sync)
{
    return sync->deadline;
}

// ---- What is known

enum sync_phase sync_phase(const struct sync *sync)
{
    return sync->phase;
}

bool sync_is_catching_up(const struct sync *sync)
{
    return sync->is_catching_up;
}

bool sync_is_far_behind(const struct sync *sync)
{
    const struct fetching *fetching = &sync->fetching;
    return fetching->proof != NULL &&
           fetching->tip.height > (uint64_t)sync->own.height + SYNC_BEHIND_LINKS;
}

void sync_stats(const struct sync *sync, struct sync_stats *stats)
{
    const struct fetching *fetching = &sync->fetching;
    const struct proving *proving = &sync->proving;
    *stats = sync->stats;
    stats->phase = sync->phase;
    stats->target_height = fetching->proof != NULL ? fetching->tip.height : 0;
    stats->proven_height = stats->target_height;
    stats->fetched_height = fetching->fetched_height;
    if (fetching->proof == NULL && proving->peer != 0) {
        stats->target_height = proving->claim.height;
        stats->proven_height = proving->links > 0 ? proving->state.tip.height : 0;
    }
    stats->memory = sizeof *sync + proving->rest.capacity;
    for (size_t kind = 0; kind < CHAIN_LACKS_COUNT; kind++)
        stats->lacking += sync->lacks[kind].count;
    for (size_t i = 0; i < fetching->count; i++)
        stats->memory += sync_batch_memory(fetching->batches[i]);
}
