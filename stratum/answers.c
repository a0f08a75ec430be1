// A miner hears `true` when its share is on disk, or after a second. Sequence numbers never
// decrease, and all wait equally long: one queue serves all sessions.
#include <stdlib.h>
#include <string.h>
#include "stratum/engine.h"
#include "stratum/reply.h"

#define ANSWERS_FIRST 64
#define ANSWERS_MAX   65536

struct answer {
    uint64_t session;
    uint64_t sequence;
    struct mono_time due;
    uint64_t mark;
    enum line_kind id_kind;
    uint8_t id_size;
    char id[LINE_ID_SIZE_MAX + 2];
};

struct answers {
    struct answer *queue; // a ring
    size_t capacity;      // a power of two
    size_t first;
    size_t count;
};

struct answers *answers_new(void)
{
    return calloc(1, sizeof(struct answers));
}

void answers_free(struct answers *answers)
{
    if (answers != NULL) {
        free(answers->queue);
        free(answers);
    }
}

size_t answers_count(const struct stratum *stratum)
{
    return stratum->answers->count;
}

static struct answer *answer_at(const struct answers *answers, size_t i)
{
    return &answers->queue[(answers->first + i) & (answers->capacity - 1)];
}

static bool grow(struct answers *answers)
{
    size_t capacity = answers->capacity == 0 ? ANSWERS_FIRST : answers->capacity * 2;
    if (capacity > ANSWERS_MAX) {
        return false;
    }
    struct answer *queue = malloc(capacity * sizeof(*queue));
    if (queue == NULL) {
        return false;
    }
    for (size_t i = 0; i < answers->count; i++) {
        queue[i] = *answer_at(answers, i);
    }
    free(answers->queue);
    answers->queue = queue;
    answers->capacity = capacity;
    answers->first = 0;
    return true;
}

void answers_given(const struct session *session, uint64_t mark)
{
    const struct stratum_events *events = &session->engine->events;
    if (!session->is_closed)
        events->submit_answered(events->context, mark);
}

void answers_give(struct session *session, const struct line_value *id, uint64_t mark)
{
    reply_result(session_out(session), id, "true");
    answers_given(session, mark);
}

static void answer_first(struct stratum *stratum, bool is_saved)
{
    struct answers *answers = stratum->answers;
    struct answer answer = *answer_at(answers, 0);
    answers->first = (answers->first + 1) & (answers->capacity - 1);
    answers->count--;
    struct session *session = engine_session(stratum, answer.session);
    if (session == NULL) {
        return;
    }
    session->answers_held--;
    stratum->totals.answers_unsaved += is_saved ? 0 : 1;
    size_t quotes = answer.id_kind == LINE_TEXT ? 1 : 0;
    struct line_value id = {.kind = answer.id_kind,
                            .text = answer.id + quotes,
                            .size = (uint32_t)(answer.id_size - 2 * quotes)};
    answers_give(session, &id, answer.mark);
}

void answers_hold(struct session *session, const struct line_value *id, uint64_t sequence,
                  uint64_t mark)
{
    struct stratum *stratum = session->engine;
    struct answers *answers = stratum->answers;
    const char *text;
    size_t size;
    if (!reply_is_wanted(id) || session->is_closed) {
        return;
    }
    // Too many waiting: this one goes out early rather than another miner's.
    bool has_room = session->answers_held < LIMIT_SESSION_ANSWERS_HELD &&
                    (answers->count < answers->capacity || grow(answers));
    if (!has_room) {
        stratum->totals.answers_unsaved++;
        answers_give(session, id, mark);
        return;
    }
    struct answer *answer = answer_at(answers, answers->count++);
    line_raw(id, &text, &size);
    answer->session = session->id;
    answer->sequence = sequence;
    answer->due.ms = stratum->now.mono.ms + stratum->config.answer_hold_ms;
    answer->mark = mark;
    answer->id_kind = id->kind;
    answer->id_size = (uint8_t)size;
    memcpy(answer->id, text, size);
    session->answers_held++;
}

void answers_release(struct stratum *stratum, uint64_t sequence)
{
    struct answers *answers = stratum->answers;
    while (answers->count > 0) {
        const struct answer *answer = answer_at(answers, 0);
        bool is_saved = answer->sequence <= sequence;
        if (!is_saved && answer->due.ms > stratum->now.mono.ms) {
            break;
        }
        answer_first(stratum, is_saved);
    }
    if (answers->count == 0 && answers->capacity > ANSWERS_FIRST) {
        free(answers->queue);
        *answers = (struct answers){.queue = NULL};
    }
}

struct mono_time answers_deadline(const struct stratum *stratum)
{
    return stratum->answers->count > 0 ? answer_at(stratum->answers, 0)->due : MONO_NEVER;
}
