#include "dht/sync_state.h"

#include <stdlib.h>
#include <string.h>

// Grains that no link credits yet reach who was there when they were told. Who was not (it was
// down, cut off, or far behind) asks each peer for the ids of its own, one peer after the other,
// and fetches what is not here. So the work of a node that was cut off does not wait for a link of
// its own.

#define SHARE_EXPECTED 512
// Who has just come takes all at once, and does not pass it on: the others have it. Who has been
// there passes on what he takes from a peer that has come, and takes no more than his own peers let
// him tell (GOSSIP_HAVE_RATE).
#define CATCHING_UP_MS  60000
#define CATCHING_UP_IDS 1024
#define PASSING_ON_IDS  100
#define PASSING_ON_MS   1000

static bool is_catching_up(const struct sync *sync, struct now now)
{
    return now.mono.ms < sync->done_since.ms + CATCHING_UP_MS;
}

// ---- Whose turn it is

static void end_turn(struct sync *sync)
{
    struct sync_peer *peer = sync_find_peer(sync, sync->loose.peer);
    if (peer != NULL)
        peer->has_told_loose = true;
    free(sync->loose.ids);
    sync->loose = (struct loose){0};
}

static bool may_begin(const struct sync *sync, const struct sync_peer *peer)
{
    return peer->number != 0 && !peer->has_told_loose && peer->has_claim &&
           u256_compare(&peer->claim.work, &sync->own.work) <= 0;
}

static bool is_idle(const struct sync *sync)
{
    return sync->chain->loose != NULL && sync->phase == SYNC_DONE && sync->fetching.proof == NULL;
}

static void begin_turn(struct sync *sync, struct now now)
{
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[i];
        struct request_spec spec = {.purpose = FOR_LOOSE_IDS,
                                    .bytes_expected = PEER_GET_IDS_MAX * sizeof(struct hash256)};
        if (!may_begin(sync, peer) || !sync_request_can(peer, now))
            continue;
        if (sync_request_send(sync, peer, &spec, now))
            sync->loose = (struct loose){.peer = peer->number, .request = sync->last_request};
        return;
    }
}

// ---- What it has and we do not

static int compare_ids(const void *a, const void *b)
{
    return hash_compare(a, b);
}

static bool is_wanted(const struct sync *sync, const struct hash256 *id)
{
    const struct network_chain *chain = sync->chain;
    return chain->is_plausible(chain->context, id) && !chain->has_share(chain->context, id);
}

static void take_ids(struct sync *sync, const struct peer_bytes *ids)
{
    struct loose *loose = &sync->loose;
    size_t count = peer_ids_count(ids);
    loose->ids = count == 0 ? NULL : malloc(count * sizeof *loose->ids);
    for (size_t i = 0; loose->ids != NULL && i < count; i++) {
        peer_id_at(ids, i, &loose->ids[loose->count]);
        loose->count += is_wanted(sync, &loose->ids[loose->count]);
    }
}

static void ask_shares(struct sync *sync, struct now now)
{
    struct loose *loose = &sync->loose;
    struct sync_peer *peer = sync_find_peer(sync, loose->peer);
    size_t most = is_catching_up(sync, now) ? CATCHING_UP_IDS : PASSING_ON_IDS;
    size_t left = loose->count - loose->next;
    loose->asked = left < most ? left : most;
    struct hash256 *ids = loose->ids + loose->next;
    qsort(ids, loose->asked, sizeof *ids, compare_ids);
    struct request_spec spec = {
        .purpose = FOR_LOOSE_SHARES,
        .ids = ids,
        .ids_count = loose->asked,
        .bytes_expected = loose->asked * SHARE_EXPECTED,
    };
    if (peer != NULL && sync_request_send(sync, peer, &spec, now))
        loose->request = sync->last_request;
    else
        loose->next_at = mono_after(now, FULL_MS);
}

void sync_loose_step(struct sync *sync, struct now now)
{
    struct loose *loose = &sync->loose;
    if (!is_idle(sync) || loose->request != 0)
        return;
    if (loose->peer == 0)
        begin_turn(sync, now);
    else if (loose->next == loose->count)
        end_turn(sync);
    else if (mono_is_due(loose->next_at, now))
        ask_shares(sync, now);
}

struct mono_time sync_loose_deadline(const struct sync *sync, struct now now)
{
    const struct loose *loose = &sync->loose;
    struct mono_time earliest = MONO_NEVER;
    if (!is_idle(sync) || loose->request != 0)
        return earliest;
    if (loose->peer != 0)
        return loose->next == loose->count ? now.mono : loose->next_at;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        const struct sync_peer *peer = &sync->peers[i];
        if (may_begin(sync, peer))
            earliest =
                mono_min(earliest, sync_request_can(peer, now) ? now.mono : peer->full_until);
    }
    return earliest;
}

// ---- Answers

static bool was_asked(const struct loose *loose, const struct hash256 *id)
{
    return bsearch(id, loose->ids + loose->next, loose->asked, sizeof *id, compare_ids) != NULL;
}

// False if it sent what was not asked for, or what breaks a rule.
static bool add_shares(struct sync *sync, const struct peer_message *message, struct now now)
{
    struct peer_bytes bytes;
    size_t offset = 0;
    while (peer_item_next(message, &offset, &bytes)) {
        struct hash256 id;
        struct chain_arrival arrival = {
            .source = sync->loose.peer,
            .share = bytes.data,
            .share_size = bytes.size,
        };
        if (bytes.size > CHAIN_SHARE_MAX || !peer_share_id(&bytes, &id) ||
            !was_asked(&sync->loose, &id) ||
            sync->chain->add_share(sync->chain->context, &arrival, now) == CHAIN_INVALID)
            return false;
        sync->stats.shares_fetched++;
    }
    return true;
}

static void take_shares(struct sync *sync, const struct peer_message *message, struct now now)
{
    struct loose *loose = &sync->loose;
    sync->is_catching_up = is_catching_up(sync, now);
    bool is_good = add_shares(sync, message, now);
    sync->is_catching_up = false;
    loose->next += loose->asked;
    loose->next_at = mono_after(now, is_catching_up(sync, now) ? 0 : PASSING_ON_MS);
    if (is_good)
        return;
    uint32_t peer = loose->peer;
    end_turn(sync);
    sync_blame(sync, peer, SYNC_FAULT_BAD_ANSWER, now);
}

void sync_loose_answer(struct sync *sync, const struct request *request,
                       const struct peer_message *message, struct now now)
{
    if (request->number != sync->loose.request)
        return;
    sync->loose.request = 0;
    if (request->purpose == FOR_LOOSE_IDS)
        take_ids(sync, &message->ids);
    else
        take_shares(sync, message, now);
}

void sync_loose_give_up(struct sync *sync, uint32_t peer)
{
    if (sync->loose.peer == peer)
        end_turn(sync);
}

void sync_loose_begin(struct sync *sync, struct now now)
{
    sync->done_since = now.mono;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++)
        sync->peers[i].has_told_loose = false;
}
