// Submits of a slow algorithm wait here while a worker thread hashes them. The job is held, so a
// verdict can be reached, and a share be credited, even if the miner is gone by then.
#include <stdlib.h>
#include <string.h>
#include "stratum/reply.h"
#include "stratum/submit.h"

#define SESSION_PENDING_MAX 32

struct pending {
    bool is_used;
    uint32_t serial; // so that a late answer never meets another submit in the same place
    uint32_t next_free;
    uint64_t session;
    struct submit submit;
    struct user_name user; // a copy: the session's may go
    bool is_user_known;
    enum line_kind id_kind;
    uint8_t id_size;
    char id[LINE_ID_SIZE_MAX + 2];
};

struct hashing {
    struct pending *pending;
    uint32_t capacity;
    uint32_t count;
    uint32_t first_free; // index plus one
};

struct hashing *hashing_new(void)
{
    return calloc(1, sizeof(struct hashing));
}

void hashing_free(struct stratum *stratum)
{
    struct hashing *hashing = stratum->hashing;
    if (hashing == NULL) {
        return;
    }
    for (uint32_t i = 0; i < hashing->capacity; i++) {
        if (hashing->pending[i].is_used) {
            engine_release_job(stratum, hashing->pending[i].submit.job);
        }
    }
    free(hashing->pending);
    free(hashing);
    stratum->hashing = NULL;
}

size_t hashing_count(const struct stratum *stratum)
{
    return stratum->hashing->count;
}

static bool grow(struct hashing *hashing, uint32_t capacity_max)
{
    uint32_t capacity = hashing->capacity == 0 ? 16 : hashing->capacity * 2;
    capacity = capacity < capacity_max ? capacity : capacity_max;
    if (capacity <= hashing->capacity) {
        return false;
    }
    struct pending *pending = realloc(hashing->pending, capacity * sizeof(*pending));
    if (pending == NULL) {
        return false;
    }
    memset(pending + hashing->capacity, 0, (capacity - hashing->capacity) * sizeof(*pending));
    for (uint32_t i = hashing->capacity; i < capacity; i++) {
        pending[i].next_free = hashing->first_free;
        hashing->first_free = i + 1;
    }
    hashing->pending = pending;
    hashing->capacity = capacity;
    return true;
}

// The fuller the queue, the less of it one session may have: many that take all they get leave room
// for the next one, who wants little.
static uint32_t session_pending_max(const struct stratum *stratum)
{
    uint64_t most = stratum->config.hashes_pending_max;
    uint64_t free_places = most > stratum->hashing->count ? most - stratum->hashing->count : 0;
    uint64_t allowed = 1 + SESSION_PENDING_MAX * free_places / (most + 1);
    return (uint32_t)(allowed < SESSION_PENDING_MAX ? allowed : SESSION_PENDING_MAX);
}

bool hashing_ask(struct session *session, const struct submit *submit, const struct line_value *id)
{
    struct stratum *stratum = session->engine;
    struct hashing *hashing = stratum->hashing;
    const char *text;
    size_t size;
    if (session->hashes_pending >= session_pending_max(stratum) ||
        (hashing->first_free == 0 && !grow(hashing, stratum->config.hashes_pending_max))) {
        return false;
    }
    uint32_t index = hashing->first_free - 1;
    struct pending *pending = &hashing->pending[index];
    hashing->first_free = pending->next_free;
    hashing->count++;
    session->hashes_pending++;
    line_raw(id, &text, &size);
    pending->is_used = true;
    pending->serial++;
    pending->session = session->id;
    pending->submit = *submit;
    pending->is_user_known = submit->user != NULL;
    if (submit->user != NULL) {
        pending->user = *submit->user;
    }
    pending->id_kind = id->kind;
    pending->id_size = (uint8_t)(reply_is_wanted(id) ? size : 0);
    memcpy(pending->id, text, pending->id_size);
    uint64_t token = (uint64_t)pending->serial << 32 | (index + 1);
    stratum->events.hash_wanted(stratum->events.context, token, submit->header);
    return true;
}

void hashing_answer(struct stratum *stratum, uint64_t token, const struct hash256 *hash)
{
    struct hashing *hashing = stratum->hashing;
    uint32_t index = (uint32_t)token - 1;
    if (index >= hashing->capacity || !hashing->pending[index].is_used ||
        hashing->pending[index].serial != token >> 32) {
        return;
    }
    struct pending pending = hashing->pending[index];
    hashing->pending[index].is_used = false;
    hashing->pending[index].next_free = hashing->first_free;
    hashing->first_free = index + 1;
    hashing->count--;
    struct session *session = engine_session(stratum, pending.session);
    if (session != NULL) {
        session->hashes_pending--;
    }
    size_t quotes = pending.id_kind == LINE_TEXT ? 1 : 0;
    struct line_value id = {.kind = pending.id_kind,
                            .text = pending.id + quotes,
                            .size = (uint32_t)(pending.id_size - 2 * quotes)};
    pending.submit.user = pending.is_user_known ? &pending.user : NULL;
    submit_finish(stratum, session, &pending.submit, &id, hash);
}
