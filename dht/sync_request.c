#include "dht/sync_state.h"

#include <string.h>

#define BYTES_MS_GUESSED   200 // of a peer that nothing came from yet
#define BYTES_MS_MIN       16
#define MEASURED_BYTES_MIN 16384
#define ENVELOPE_MAX       256
#define SILENT_MS          60000

static enum peer_message_type type_of(enum purpose purpose)
{
    switch (purpose) {
    case FOR_PROOF_LINKS:
        return PEER_GET_LINKS;
    case FOR_PROOF_HEADERS:
    case FOR_LACKING_HEADERS:
        return PEER_GET_HEADERS;
    case FOR_BATCH_BODIES:
    case FOR_LACKING_BODIES:
        return PEER_GET_BODIES;
    case FOR_BATCH_SHARES:
    case FOR_LACKING_SHARES:
    case FOR_LOOSE_SHARES:
        return PEER_GET_SHARES;
    case FOR_LOOSE_IDS:
        return PEER_GET_LOOSE;
    }
    return PEER_TYPES_END;
}

static uint32_t max_of(enum peer_message_type type)
{
    if (type == PEER_GET_LINKS)
        return CHAIN_SKELETONS_MAX;
    return type == PEER_GET_HEADERS ? CHAIN_HEADERS_MAX : 0;
}

static struct request *free_request(struct sync_peer *peer)
{
    for (size_t i = 0; i < REQUESTS_PEER_MAX; i++) {
        if (peer->requests[i].number == 0)
            return &peer->requests[i];
    }
    return NULL;
}

size_t sync_request_count(const struct sync_peer *peer, enum purpose first, enum purpose last)
{
    size_t count = 0;
    for (size_t i = 0; i < REQUESTS_PEER_MAX; i++) {
        const struct request *request = &peer->requests[i];
        count += request->number != 0 && request->purpose >= first && request->purpose <= last;
    }
    return count;
}

bool sync_request_can(const struct sync_peer *peer, struct now now)
{
    return peer->number != 0 && mono_is_due(peer->full_until, now);
}

bool sync_request_is_silent(const struct sync_peer *peer, struct now now)
{
    return !mono_is_due(peer->silent_until, now);
}

static bool send_message(struct sync *sync, const struct sync_peer *peer,
                         const struct peer_message *message)
{
    struct buffer out;
    struct shared_bytes *bytes = NULL;
    buffer_init(&out, message->ids.size + ENVELOPE_MAX);
    peer_message_encode(message, &out);
    if (!out.failed)
        bytes = shared_bytes_new(out.data, out.size);
    buffer_clear(&out);
    if (bytes == NULL)
        return false;
    bool is_sent = sync->events.send(sync->events.context, peer->number, LINK_LANE_SHARE,
                                     message->type, bytes);
    shared_bytes_release(bytes);
    return is_sent;
}

// At least SYNC_TIMEOUT_MS, and twice what the answer would take at the rate that was measured.
static int64_t timeout_ms(const struct sync_peer *peer, size_t bytes_expected)
{
    uint32_t rate = peer->bytes_ms == 0 ? BYTES_MS_GUESSED : peer->bytes_ms;
    if (rate < BYTES_MS_MIN)
        rate = BYTES_MS_MIN;
    return SYNC_TIMEOUT_MS + (int64_t)(2 * bytes_expected / rate);
}

bool sync_request_send(struct sync *sync, struct sync_peer *peer, const struct request_spec *spec,
                       struct now now)
{
    struct request *request = free_request(peer);
    if (request == NULL || !sync_request_can(peer, now))
        return false;
    uint32_t number = sync->last_request + 1;
    if (number == 0)
        number = 1;
    struct peer_message message = {
        .type = type_of(spec->purpose),
        .request = number,
        .max = max_of(type_of(spec->purpose)),
        .wanted = spec->wanted,
        .ids = {(const uint8_t *)spec->ids, spec->ids_count * sizeof *spec->ids},
    };
    if (!send_message(sync, peer, &message)) {
        peer->full_until = mono_after(now, FULL_MS);
        return false;
    }
    sync->last_request = number;
    sync->stats.requests++;
    *request = (struct request){
        .number = number,
        .purpose = spec->purpose,
        .batch = spec->batch,
        .sent = now.mono,
        .deadline = mono_after(now, timeout_ms(peer, spec->bytes_expected)),
    };
    return true;
}

static void measure(struct sync_peer *peer, const struct request *request, size_t bytes,
                    struct now now)
{
    int64_t ms = now.mono.ms - request->sent.ms;
    if (bytes < MEASURED_BYTES_MIN)
        return;
    size_t rate = bytes / (size_t)(ms > 0 ? ms : 1) + 1;
    if (peer->bytes_ms != 0)
        rate = (3 * (size_t)peer->bytes_ms + rate) / 4;
    peer->bytes_ms = (uint32_t)rate;
}

bool sync_request_take(struct sync *sync, struct sync_peer *peer,
                       const struct peer_message *message, struct now now, struct request *taken)
{
    size_t bytes = message->items.size + message->ids.size;
    sync->stats.bytes_fetched += bytes;
    for (size_t i = 0; i < REQUESTS_PEER_MAX; i++) {
        struct request *request = &peer->requests[i];
        if (request->number == 0 || request->number != message->request)
            continue;
        if (peer_message_answer(type_of(request->purpose)) != message->type)
            break;
        *taken = *request;
        request->number = 0;
        peer->heard = now.mono;
        peer->silent_until = now.mono;
        measure(peer, taken, bytes, now);
        return true;
    }
    // What was given up may still come.
    if (peer->late == 0) {
        sync_blame(sync, peer->number, SYNC_FAULT_BAD_ANSWER, now);
        return false;
    }
    peer->late--;
    peer->heard = now.mono;
    peer->silent_until = now.mono;
    return false;
}

bool sync_request_next_overdue(struct sync *sync, struct sync_peer *peer, struct now now,
                               struct request *taken)
{
    for (size_t i = 0; i < REQUESTS_PEER_MAX; i++) {
        struct request *request = &peer->requests[i];
        if (request->number == 0 || !mono_is_due(request->deadline, now))
            continue;
        *taken = *request;
        request->number = 0;
        peer->late++;
        sync->stats.time_outs++;
        // One silence is one fault, however many requests it leaves open; a peer that answers
        // others is slow, no more.
        if (peer->heard.ms <= taken->sent.ms && peer->blamed.ms < taken->sent.ms) {
            peer->blamed = now.mono;
            peer->silent_until = mono_after(now, SILENT_MS);
            sync_blame(sync, peer->number, SYNC_FAULT_NO_ANSWER, now);
        }
        return true;
    }
    return false;
}

struct mono_time sync_request_deadline(const struct sync *sync)
{
    struct mono_time earliest = MONO_NEVER;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        for (size_t k = 0; sync->peers[i].number != 0 && k < REQUESTS_PEER_MAX; k++) {
            const struct request *request = &sync->peers[i].requests[k];
            if (request->number != 0)
                earliest = mono_min(earliest, request->deadline);
        }
    }
    return earliest;
}
