#include "dht/sync_state.h"

#include <stdlib.h>
#include <string.h>

// Objects that wait in the share-chain name what they lack. Whoever sent the object is asked first,
// then everybody in turn, ever more rarely: for what nobody has, that is soon next to never.

#define REFRESH_MS     100 // between two looks at the share-chain
#define SHARE_EXPECTED 1024
#define BODY_EXPECTED  8192

static enum purpose purpose_of(enum chain_lack kind)
{
    switch (kind) {
    case CHAIN_LACKS_SHARE:
        return FOR_LACKING_SHARES;
    case CHAIN_LACKS_BODY:
        return FOR_LACKING_BODIES;
    case CHAIN_LACKS_HEADER:
    case CHAIN_LACKS_COUNT:
        break;
    }
    return FOR_LACKING_HEADERS;
}

// ---- The lists

static int compare_lacks(const void *a, const void *b)
{
    const struct lack *left = a;
    const struct lack *right = b;
    return hash_compare(&left->id, &right->id);
}

enum chain_lack sync_lack_kind(enum purpose purpose)
{
    return (enum chain_lack)(purpose - FOR_LACKING_SHARES);
}

static struct lack *find_lack(const struct sync *sync, enum chain_lack kind,
                              const struct hash256 *id)
{
    const struct lack_list *list = &sync->lacks[kind];
    struct lack key = {.id = *id};
    return bsearch(&key, list->lacks, list->count, sizeof key, compare_lacks);
}

bool sync_lack_has(const struct sync *sync, enum chain_lack kind, const struct hash256 *id)
{
    const struct lack *lack = find_lack(sync, kind, id);
    return lack != NULL && lack->is_listed;
}

static bool has_come(const struct sync *sync, enum chain_lack kind, const struct hash256 *id)
{
    const struct network_chain *chain = sync->chain;
    switch (kind) {
    case CHAIN_LACKS_SHARE:
        return chain->has_share(chain->context, id);
    case CHAIN_LACKS_BODY:
        return chain->has_link(chain->context, id);
    case CHAIN_LACKS_HEADER:
    case CHAIN_LACKS_COUNT:
        break;
    }
    return chain->has_header(chain->context, id);
}

// By id, each once.
static void sort_once(struct lack_list *list)
{
    size_t kept = 0;
    qsort(list->lacks, list->count, sizeof *list->lacks, compare_lacks);
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || !hash_equal(&list->lacks[kept - 1].id, &list->lacks[i].id))
            list->lacks[kept++] = list->lacks[i];
    }
    list->count = kept;
}

// What was asked for already keeps its patience, and stays until it is answered. A list that is
// full may name others next time, so that what it does not name need not have come.
static void carry_over(const struct sync *sync, enum chain_lack kind, struct lack_list *fresh,
                       bool is_full)
{
    const struct lack_list *old = &sync->lacks[kind];
    size_t listed = fresh->count;
    struct lack_list merged = {.count = 0};
    for (size_t i = 0; i < old->count; i++) {
        const struct lack *lack = &old->lacks[i];
        struct lack *same = bsearch(lack, fresh->lacks, listed, sizeof *lack, compare_lacks);
        if (same == NULL) {
            bool is_kept = lack->asked != 0 || (is_full && !has_come(sync, kind, &lack->id));
            if (is_kept) {
                merged.lacks[merged.count] = *lack;
                merged.lacks[merged.count++].is_listed = false;
            }
            continue;
        }
        uint32_t source = same->source;
        *same = *lack;
        same->source = source;
        same->is_listed = true;
    }
    for (size_t i = 0; i < fresh->count && merged.count < LACKS_MAX; i++)
        merged.lacks[merged.count++] = fresh->lacks[i];
    *fresh = merged;
}

static void update_kind(struct sync *sync, enum chain_lack kind, struct now now)
{
    struct hash256 ids[LACKS_MAX];
    uint32_t sources[LACKS_MAX];
    struct lack_list fresh = {.count = 0};
    size_t count = sync->chain->lacking(sync->chain->context, kind, ids, sources, LACKS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct lack *lack = &fresh.lacks[fresh.count++];
        *lack = (struct lack){.id = ids[i],
                              .source = sources[i],
                              .is_listed = true,
                              .retry_at = now.mono,
                              .retry_ms = SYNC_LACK_RETRY_MS};
        // "headers (own daemon first)"
        if (kind == CHAIN_LACKS_HEADER)
            lack->retry_at = mono_after(now, SYNC_LACK_RETRY_MS);
    }
    sort_once(&fresh);
    carry_over(sync, kind, &fresh, count == LACKS_MAX);
    qsort(fresh.lacks, fresh.count, sizeof *fresh.lacks, compare_lacks);
    sync->lacks[kind] = fresh;
}

void sync_lack_update(struct sync *sync, struct now now)
{
    for (unsigned kind = 0; kind < CHAIN_LACKS_COUNT; kind++)
        update_kind(sync, (enum chain_lack)kind, now);
    sync->lacks_are_stale = false;
    sync->lacks_refresh_at = mono_after(now, REFRESH_MS);
}

void sync_lack_refresh(struct sync *sync)
{
    sync->lacks_are_stale = true;
}

// ---- Asking

// Its source, at first; then the others in turn. Those that left a request without an answer come
// into it only where there are no others.
static struct sync_peer *choose(struct sync *sync, const struct lack *lack, struct now now)
{
    struct sync_peer *source = sync_find_peer(sync, lack->source);
    size_t start = source == NULL ? 0 : sync_place(sync, source);
    struct sync_peer *peers[SYNC_PEERS_MAX];
    struct sync_peer *silent = NULL;
    size_t count = 0;
    for (size_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync_peer *peer = &sync->peers[(start + i) % SYNC_PEERS_MAX];
        if (peer->number != 0 && !sync_request_is_silent(peer, now))
            peers[count++] = peer;
        else if (peer->number != 0 && silent == NULL)
            silent = peer;
    }
    return count > 0 ? peers[lack->attempts % count] : silent;
}

static bool is_due(const struct lack *lack, struct now now)
{
    return lack->asked == 0 && mono_is_due(lack->retry_at, now);
}

static bool send_request(struct sync *sync, struct sync_peer *peer, enum chain_lack kind,
                         size_t count, struct now now)
{
    struct request_spec spec = {
        .purpose = purpose_of(kind),
        .ids = sync->ids,
        .ids_count = count,
        .bytes_expected = count * (kind == CHAIN_LACKS_BODY ? BODY_EXPECTED : SHARE_EXPECTED),
    };
    if (kind == CHAIN_LACKS_HEADER) {
        spec.wanted = sync->ids[0];
        spec.ids_count = sync->chain->header_locator(sync->chain->context, sync->ids);
    }
    return sync_request_send(sync, peer, &spec, now);
}

// All that `peer` is the one to be asked for; of headers one at a time.
static void ask(struct sync *sync, struct sync_peer *peer, enum chain_lack kind, struct now now)
{
    struct lack_list *list = &sync->lacks[kind];
    size_t chosen[LACKS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!is_due(&list->lacks[i], now) || choose(sync, &list->lacks[i], now) != peer)
            continue;
        sync->ids[count] = list->lacks[i].id;
        chosen[count++] = i;
        if (kind == CHAIN_LACKS_HEADER)
            break;
    }
    if (count == 0 || !send_request(sync, peer, kind, count, now))
        return;
    for (size_t i = 0; i < count; i++)
        list->lacks[chosen[i]].asked = peer->number;
}

static void ask_kind(struct sync *sync, enum chain_lack kind, struct now now)
{
    const struct lack_list *list = &sync->lacks[kind];
    enum purpose purpose = purpose_of(kind);
    for (size_t i = 0; i < list->count; i++) {
        if (!is_due(&list->lacks[i], now))
            continue;
        struct sync_peer *peer = choose(sync, &list->lacks[i], now);
        if (peer != NULL && sync_request_can(peer, now) &&
            sync_request_count(peer, purpose, purpose) == 0)
            ask(sync, peer, kind, now);
    }
}

static bool somebody_is_due(const struct sync *sync, struct now now)
{
    for (size_t kind = 0; kind < CHAIN_LACKS_COUNT; kind++) {
        for (size_t i = 0; i < sync->lacks[kind].count; i++) {
            if (is_due(&sync->lacks[kind].lacks[i], now))
                return true;
        }
    }
    return false;
}

void sync_lack_step(struct sync *sync, struct now now)
{
    // Much of what is lacking in the middle of a batch comes with its rest.
    if (sync_feed_is_busy(sync))
        return;
    if ((sync->lacks_are_stale || somebody_is_due(sync, now)) &&
        mono_is_due(sync->lacks_refresh_at, now))
        sync_lack_update(sync, now);
    for (unsigned kind = 0; kind < CHAIN_LACKS_COUNT; kind++)
        ask_kind(sync, (enum chain_lack)kind, now);
}

struct mono_time sync_lack_deadline(const struct sync *sync, struct now now)
{
    struct mono_time earliest = sync->lacks_are_stale ? sync->lacks_refresh_at : MONO_NEVER;
    for (size_t kind = 0; kind < CHAIN_LACKS_COUNT; kind++) {
        for (size_t i = 0; i < sync->lacks[kind].count; i++) {
            const struct lack *lack = &sync->lacks[kind].lacks[i];
            // One that is due waits for a busy peer, or a full link.
            if (is_due(lack, now))
                earliest = mono_min(earliest, mono_after(now, FULL_MS));
            else if (lack->asked == 0)
                earliest = mono_min(earliest, lack->retry_at);
        }
    }
    return earliest;
}

// ---- Answers

void sync_lack_give_up(struct sync *sync, uint32_t peer, enum chain_lack kind, struct now now)
{
    struct lack_list *list = &sync->lacks[kind];
    for (size_t i = 0; i < list->count; i++) {
        struct lack *lack = &list->lacks[i];
        if (lack->asked != peer)
            continue;
        lack->asked = 0;
        lack->attempts++;
        lack->retry_at = mono_after(now, lack->retry_ms);
        lack->retry_ms *= 2;
        if (lack->retry_ms > SYNC_LACK_RETRY_MAX_MS)
            lack->retry_ms = SYNC_LACK_RETRY_MAX_MS;
    }
}

static bool was_asked(const struct sync *sync, enum chain_lack kind, const struct hash256 *id,
                      uint32_t peer)
{
    const struct lack *lack = find_lack(sync, kind, id);
    return lack != NULL && lack->asked == peer;
}

static void add_shares(struct sync *sync, uint32_t peer, const struct peer_message *message,
                       struct now now)
{
    struct peer_bytes bytes;
    size_t offset = 0;
    while (peer_item_next(message, &offset, &bytes)) {
        struct hash256 id;
        bool is_share = bytes.size <= CHAIN_SHARE_MAX && peer_share_id(&bytes, &id);
        struct chain_arrival arrival = {
            .source = peer,
            .share = bytes.data,
            .share_size = bytes.size,
            .is_sync = sync->fetching.proof != NULL,
        };
        if (!is_share || !was_asked(sync, CHAIN_LACKS_SHARE, &id, peer) ||
            sync->chain->add_share(sync->chain->context, &arrival, now) == CHAIN_INVALID) {
            sync_blame(sync, peer, SYNC_FAULT_BAD_ANSWER, now);
            return;
        }
        sync->stats.shares_fetched++;
    }
}

static void add_bodies(struct sync *sync, uint32_t peer, const struct peer_message *message,
                       struct now now)
{
    struct peer_bytes bytes;
    size_t offset = 0;
    for (size_t i = 0; peer_item_next(message, &offset, &bytes); i++) {
        struct hash256 id;
        bool is_named = i < peer_ids_count(&message->ids);
        if (is_named)
            peer_id_at(&message->ids, i, &id);
        if (!is_named || bytes.size > CHAIN_BODY_MAX ||
            !was_asked(sync, CHAIN_LACKS_BODY, &id, peer)) {
            sync_blame(sync, peer, SYNC_FAULT_BAD_ANSWER, now);
            return;
        }
        sync->chain->add_body(sync->chain->context, peer, bytes.data, bytes.size);
    }
}

static void add_headers(struct sync *sync, uint32_t peer, const struct peer_message *message,
                        struct now now)
{
    size_t count = message->items.size / CHAIN_HEADER_SIZE;
    if (count > 0 && count <= CHAIN_HEADERS_MAX &&
        sync->chain->add_headers(sync->chain->context, peer, message->items.data, count) ==
            CHAIN_INVALID)
        sync_blame(sync, peer, SYNC_FAULT_BAD_HEADERS, now);
}

void sync_lack_answer(struct sync *sync, const struct sync_peer *peer,
                      const struct request *request, const struct peer_message *message,
                      struct now now)
{
    uint32_t number = peer->number;
    enum chain_lack kind = sync_lack_kind(request->purpose);
    switch (kind) {
    case CHAIN_LACKS_SHARE:
        add_shares(sync, number, message, now);
        break;
    case CHAIN_LACKS_BODY:
        add_bodies(sync, number, message, now);
        break;
    case CHAIN_LACKS_HEADER:
    case CHAIN_LACKS_COUNT:
        add_headers(sync, number, message, now);
        break;
    }
    sync_lack_give_up(sync, number, kind, now); // of what did not come
    sync_lack_refresh(sync);
}
