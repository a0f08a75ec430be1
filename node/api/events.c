#include "node/api/events.h"
#include <assert.h>
#include <stdlib.h>

#define LIMIT_WINDOW_MS 1000

struct event_kind {
    const char *name;
    unsigned per_second; // 0: as many as come
};

static const struct event_kind kinds[API_EVENTS_COUNT] = {
    [API_EVENT_SHARE] = {"share", 10},
    [API_EVENT_GRAIN] = {"grain", 20},
    [API_EVENT_LINK] = {"link", 20},
    [API_EVENT_BLOCK] = {"block", 0},
    [API_EVENT_JOB] = {"job", 0},
    [API_EVENT_MINER_UP] = {"miner_up", 20},
    [API_EVENT_MINER_DOWN] = {"miner_down", 20},
    [API_EVENT_PEER_UP] = {"peer_up", 20},
    [API_EVENT_PEER_DOWN] = {"peer_down", 20},
    [API_EVENT_DAEMON] = {"daemon", 0},
    [API_EVENT_STATUS] = {"status", 0},
};

// How many of a kind there were.
struct event_rate {
    struct mono_time window_began;
    unsigned count;   // in this window
    uint64_t skipped; // since the last that was made
};

struct kept_event {
    enum api_event_kind kind;
    struct http_message *message;
};

struct api_events {
    api_event_sink *sent;
    void *context;
    struct kept_event *history; // a ring
    size_t first, count, history_max;
    size_t bytes, bytes_max;
    uint64_t next_number;
    struct event_rate rates[API_EVENTS_COUNT];
    enum api_event_kind making;
    bool is_making;
    struct buffer text;
    struct json_writer writer;
};

const char *api_event_text(enum api_event_kind kind)
{
    assert(kind < API_EVENTS_COUNT);
    return kinds[kind].name;
}

struct api_events *api_events_new(size_t history_max, size_t bytes_max, api_event_sink *sent,
                                  void *context, struct now now)
{
    struct api_events *events = calloc(1, sizeof(*events));
    if (events == NULL)
        return NULL;
    events->history = calloc(history_max, sizeof(struct kept_event));
    if (events->history == NULL) {
        free(events);
        return NULL;
    }
    events->history_max = history_max;
    events->bytes_max = bytes_max;
    events->sent = sent;
    events->context = context;
    events->next_number = now.wall.ms > 0 ? (uint64_t)now.wall.ms : 1;
    buffer_init(&events->text, HTTP_MESSAGE_SIZE_MAX);
    return events;
}

// ---- The history

static struct kept_event *kept(const struct api_events *events, size_t i)
{
    return &events->history[(events->first + i) % events->history_max];
}

static void forget_oldest(struct api_events *events)
{
    struct kept_event *oldest = kept(events, 0);
    events->bytes -= http_message_size(oldest->message);
    http_message_unref(oldest->message);
    events->first = (events->first + 1) % events->history_max;
    events->count--;
}

static void keep(struct api_events *events, enum api_event_kind kind, struct http_message *message)
{
    size_t size = http_message_size(message);
    while (events->count > 0 &&
           (events->count == events->history_max || events->bytes + size > events->bytes_max))
        forget_oldest(events);
    *kept(events, events->count) = (struct kept_event){kind, http_message_ref(message)};
    events->count++;
    events->bytes += size;
}

void api_events_free(struct api_events *events)
{
    if (events == NULL)
        return;
    while (events->count > 0)
        forget_oldest(events);
    free(events->history);
    buffer_clear(&events->text);
    free(events);
}

bool api_events_replay(const struct api_events *events, uint64_t number, api_event_sink *sent,
                       void *context)
{
    uint64_t oldest = events->next_number - events->count;
    for (size_t i = 0; i < events->count; i++) {
        const struct kept_event *event = kept(events, i);
        if (http_message_number(event->message) > number)
            sent(context, event->kind, event->message);
    }
    return number + 1 >= oldest && number < events->next_number;
}

// ---- Making one

bool api_events_wanted(struct api_events *events, enum api_event_kind kind, struct now now)
{
    struct event_rate *rate = &events->rates[kind];
    if (kinds[kind].per_second == 0)
        return true;
    if (now.mono.ms - rate->window_began.ms >= LIMIT_WINDOW_MS) {
        rate->window_began = now.mono;
        rate->count = 0;
    }
    if (rate->count < kinds[kind].per_second) {
        rate->count++;
        return true;
    }
    rate->skipped++;
    return false;
}

struct json_writer *api_event_begin(struct api_events *events, enum api_event_kind kind,
                                    struct now now)
{
    assert(!events->is_making);
    events->is_making = true;
    events->making = kind;
    buffer_reset(&events->text);
    json_writer_init(&events->writer, &events->text);
    json_begin_object(&events->writer, NULL);
    json_write_text(&events->writer, "event", kinds[kind].name);
    json_write_u64(&events->writer, "number", events->next_number);
    json_write_i64(&events->writer, "at", now.wall.ms);
    if (kinds[kind].per_second > 0)
        json_write_u64(&events->writer, "skipped", events->rates[kind].skipped);
    events->rates[kind].skipped = 0;
    return &events->writer;
}

void api_event_end(struct api_events *events)
{
    assert(events->is_making);
    events->is_making = false;
    json_end_object(&events->writer);
    struct http_message *message =
        events->text.failed ? NULL
                            : http_message_new(kinds[events->making].name, events->next_number,
                                               events->text.data, events->text.size);
    // Without memory, or too large: a number that is not there tells readers that they missed one.
    events->next_number++;
    if (message == NULL)
        return;
    keep(events, events->making, message);
    events->sent(events->context, events->making, message);
    http_message_unref(message);
}
