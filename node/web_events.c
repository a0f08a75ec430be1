#include "node/web_events.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/api/events.h"
#include "node/base/team.h"
#include "node/report_parts.h"
#include "node/swarm.h"

#define HISTORY_MAX       4096
#define HISTORY_BYTES_MAX (2u << 20)
#define STATUS_MS         2000
#define KINDS_ALL         ((1u << API_EVENTS_COUNT) - 1)

// The request whose stream begins next.
struct stream_wish {
    bool wants_socket;
    bool takes_events; // says so by Accept
    const char *last_id;
    bool has_last;
    uint64_t last; // the number that the reader saw last
    uint32_t kinds;
};

struct web_events {
    struct node *node;
    struct http_server *server; // NULL before web_events_serve
    struct api_events *events;
    struct api_route route;
    struct net_timer *timer;
    struct stream_wish wish;
    uint64_t opening;                         // the ticket of the stream that gets what it missed
    enum daemon_state daemons[LIMIT_DAEMONS]; // as told last
    bool has_daemons;
};

static struct now time_of(const struct web_events *events)
{
    return net_loop_now(events->node->loop);
}

// False if there is no API, or there are too many of the kind.
static bool is_wanted(const struct web_events *events, enum api_event_kind kind)
{
    return events != NULL && api_events_wanted(events->events, kind, time_of(events));
}

// NULL if it is not wanted.
static struct json_writer *begin(struct web_events *events, enum api_event_kind kind)
{
    return is_wanted(events, kind) ? api_event_begin(events->events, kind, time_of(events)) : NULL;
}

static void write_address(const struct web_events *events, const struct script *script,
                          struct json_writer *writer)
{
    char address[ADDRESS_SIZE_MAX];
    bool has_address = script != NULL && script->size > 0 &&
                       address_encode(events->node->pool->chain, script, address);
    json_write_text(writer, "address", has_address ? address : NULL);
}

// ---- What happens

void web_events_share(struct web_events *events, const struct stratum_judgement *judgement)
{
    struct json_writer *writer = begin(events, API_EVENT_SHARE);
    if (writer == NULL)
        return;
    write_address(events, judgement->payout, writer);
    json_write_text(writer, "worker", judgement->worker);
    json_write_text(writer, "verdict", stratum_verdict_text(judgement->verdict));
    json_write_double(writer, "difficulty", judgement->difficulty);
    api_event_end(events->events);
}

void web_events_grain(struct web_events *events, const struct hash256 *id, const uint8_t *bytes,
                      size_t size)
{
    struct share share;
    struct share_view view;
    struct team team;
    if (!is_wanted(events, API_EVENT_GRAIN) ||
        !sharechain_share(events->node->sharechain, id, &view) ||
        !share_decode(bytes, size, &share))
        return;
    struct json_writer *writer = api_event_begin(events->events, API_EVENT_GRAIN, time_of(events));
    bool has_team = team_from_tag(share.info.node_tag, &team);
    report_write_id(writer, "id", id);
    write_address(events, &view.payout_script, writer);
    report_write_u256(writer, "weight", &view.weight);
    json_write_text(writer, "team", has_team ? team.name : NULL);
    json_write_bool(writer, "is_own",
                    sharechain_told_source(events->node->sharechain) == SHARECHAIN_OWN);
    json_write_u64(writer, "link_height", view.link_height);
    api_event_end(events->events);
}

void web_events_link(struct web_events *events, const struct link_view *tip, bool is_reorganisation)
{
    struct json_writer *writer = begin(events, API_EVENT_LINK);
    if (writer == NULL)
        return;
    json_write_u64(writer, "height", tip->height);
    report_write_id(writer, "id", &tip->id);
    write_address(events, &tip->payout_script, writer);
    json_write_u64(writer, "grains", tip->grains_count);
    report_write_u256(writer, "credits", &tip->credits);
    json_write_bool(writer, "is_own",
                    sharechain_told_source(events->node->sharechain) == SHARECHAIN_OWN);
    json_write_bool(writer, "is_reorganisation", is_reorganisation);
    api_event_end(events->events);
}

void web_events_block(struct web_events *events, const struct found_block *block)
{
    struct json_writer *writer = block == NULL ? NULL : begin(events, API_EVENT_BLOCK);
    if (writer == NULL)
        return;
    json_write_u64(writer, "block", block->number);
    report_write_block_id(writer, "id", &block->id);
    json_write_i64(writer, "height", block->height);
    write_address(events, &block->payout_script, writer);
    json_write_text(writer, "fate", block->has_fate ? block_fate_text(block->fate) : NULL);
    json_write_text(writer, "place", report_block_place(events->node, block));
    report_write_sats(writer, "value_sats", block->coinbase_value);
    api_event_end(events->events);
}

void web_events_job(struct web_events *events, const struct mint *mint, bool is_new_block)
{
    struct json_writer *writer = begin(events, API_EVENT_JOB);
    if (writer == NULL)
        return;
    json_write_i64(writer, "height", mint->height);
    json_write_u64(writer, "link_height", mint->info.link_height);
    report_write_sats(writer, "value_sats", mint->coinbase_value);
    json_write_bool(writer, "is_solo", mint->is_solo);
    json_write_bool(writer, "is_new_block", is_new_block);
    api_event_end(events->events);
}

void web_events_miner(struct web_events *events, const struct stratum_session_view *session,
                      const char *reason)
{
    enum api_event_kind kind = reason == NULL ? API_EVENT_MINER_UP : API_EVENT_MINER_DOWN;
    struct json_writer *writer = begin(events, kind);
    if (writer == NULL)
        return;
    json_write_u64(writer, "session", session->session);
    write_address(events, session->payout, writer);
    json_write_text(writer, "worker", session->worker);
    json_write_text(writer, "device", session->kind);
    if (reason != NULL)
        json_write_text(writer, "reason", reason);
    api_event_end(events->events);
}

void web_events_peer(struct web_events *events, const struct hash256 *id, bool is_inbound,
                     const char *reason)
{
    enum api_event_kind kind = reason == NULL ? API_EVENT_PEER_UP : API_EVENT_PEER_DOWN;
    struct json_writer *writer = begin(events, kind);
    if (writer == NULL)
        return;
    report_write_id(writer, "key", id);
    json_write_text(writer, "direction", is_inbound ? "inbound" : "outbound");
    if (reason != NULL)
        json_write_text(writer, "reason", reason);
    api_event_end(events->events);
}

// ---- What is looked at

static void tell_daemons(struct web_events *events, const struct backend_view *view)
{
    for (size_t i = 0; i < view->daemons_count; i++) {
        const struct daemon_view *daemon = &view->daemons[i];
        if (events->has_daemons && events->daemons[i] == daemon->state)
            continue;
        events->daemons[i] = daemon->state;
        struct json_writer *writer = begin(events, API_EVENT_DAEMON);
        if (writer == NULL)
            continue;
        json_write_text(writer, "url", daemon->url);
        json_write_text(writer, "state", daemon_state_text(daemon->state));
        json_write_text(writer, "error", daemon->error[0] == '\0' ? NULL : daemon->error);
        api_event_end(events->events);
    }
    events->has_daemons = true;
}

static uint64_t connected_peers(struct node *node)
{
    struct swarm_view view = {.network = NULL};
    struct network_stats stats;
    if (node->swarm != NULL)
        swarm_view(node->swarm, &view);
    if (view.network == NULL)
        return 0;
    network_stats(view.network, &stats);
    return stats.inbound + stats.outbound;
}

static void tell_status(struct web_events *events, const struct backend_view *view)
{
    struct node *node = events->node;
    struct stratum_totals totals;
    struct link_view tip;
    stratum_totals(node->stratum, time_of(events), &totals);
    sharechain_tip(node->sharechain, &tip);
    struct json_writer *writer = begin(events, API_EVENT_STATUS);
    if (writer == NULL)
        return;
    json_write_double(writer, "hashrate_1m", totals.hashrate_1m);
    json_write_u64(writer, "sessions_authorized", totals.sessions_authorized);
    json_write_double(writer, "pool_hashrate", report_pool_hashrate(node, &tip));
    json_write_u64(writer, "link_height", tip.height);
    json_write_u64(writer, "peers", connected_peers(node));
    if (view->template_height < 0)
        json_write_null(writer, "template_height");
    else
        json_write_i64(writer, "template_height", view->template_height);
    report_write_banner(node, writer);
    api_event_end(events->events);
}

static void on_timer(void *context, struct now now)
{
    struct web_events *events = context;
    struct backend_view view;
    backend_get_view(events->node->backend, &view);
    tell_daemons(events, &view);
    tell_status(events, &view);
    net_timer_start(events->timer, (struct mono_time){now.mono.ms + STATUS_MS});
}

// ---- Streams

static void on_sent(void *context, enum api_event_kind kind, struct http_message *message)
{
    struct web_events *events = context;
    if (events->server != NULL)
        http_server_publish(events->server, 1u << kind, message);
}

static void on_replayed(void *context, enum api_event_kind kind, struct http_message *message)
{
    struct web_events *events = context;
    if ((events->wish.kinds & 1u << kind) != 0)
        http_server_send(events->server, events->opening, message);
}

static void send_missed(struct web_events *events)
{
    char text[128];
    int size = snprintf(text, sizeof(text),
                        "{\"event\":\"missed\",\"number\":%" PRIu64 ",\"at\":%" PRId64 "}",
                        events->wish.last, time_of(events).wall.ms);
    struct http_message *message = http_message_new("missed", 0, text, (size_t)size);
    if (message != NULL)
        http_server_send(events->server, events->opening, message);
    http_message_unref(message);
}

static void skip(void *context, enum api_event_kind kind, struct http_message *message)
{
    (void)context;
    (void)kind;
    (void)message;
}

void web_events_stream_opened(struct web_events *events, uint64_t ticket)
{
    events->opening = ticket;
    if (!events->wish.has_last)
        return;
    if (!api_events_replay(events->events, events->wish.last, skip, events))
        send_missed(events);
    api_events_replay(events->events, events->wish.last, on_replayed, events);
}

static bool read_number(const char *text, uint64_t *number)
{
    size_t size = strlen(text);
    if (size == 0 || size > 19 || strspn(text, "0123456789") != size)
        return false;
    *number = strtoull(text, NULL, 10);
    return true;
}

// "link,block" as bits; false if one of them is no kind.
static bool read_kinds(const char *text, uint32_t *kinds)
{
    *kinds = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        unsigned i = 0;
        while (i < API_EVENTS_COUNT &&
               (strlen(api_event_text((enum api_event_kind)i)) != size ||
                memcmp(api_event_text((enum api_event_kind)i), text, size) != 0))
            i++;
        if (i == API_EVENTS_COUNT)
            return false;
        *kinds |= 1u << i;
        text += size + (text[size] == ',' ? 1 : 0);
    }
    return true;
}

static void answer_events(void *context, const struct api_call *call, struct api_reply *reply)
{
    struct web_events *events = context;
    struct stream_wish *wish = &events->wish;
    wish->kinds = KINDS_ALL;
    if (!wish->wants_socket && !wish->takes_events) {
        api_fail(reply, 406, NULL,
                 "Events come as \"Accept: text/event-stream\", or over a WebSocket.");
        return;
    }
    if (call->values[0].is_given && !read_kinds(call->values[0].text, &wish->kinds)) {
        api_fail(reply, 400, "kinds",
                 "\"kinds\" is a list of these, with commas between: share, grain, link, block, "
                 "job, miner_up, miner_down, peer_up, peer_down, daemon, status.");
        return;
    }
    wish->has_last = call->values[1].is_given;
    wish->last = call->values[1].number;
    if (wish->last_id[0] != '\0' && !read_number(wish->last_id, &wish->last)) {
        api_fail(reply, 400, NULL, "The header field Last-Event-ID is no number of an event.");
        return;
    }
    wish->has_last = wish->has_last || wish->last_id[0] != '\0';
    reply->is_stream = true;
    reply->stream_kinds = wish->kinds;
}

void web_events_prepare(struct web_events *events, const struct http_request *request)
{
    const char *accept = request->head->fields[HTTP_ACCEPT];
    events->wish = (struct stream_wish){
        .wants_socket = request->wants_socket,
        .takes_events = accept[0] == '\0' || http_list_has(accept, "text/event-stream") ||
                        http_list_has(accept, "text/*") || http_list_has(accept, "*/*"),
        .last_id = request->head->fields[HTTP_LAST_EVENT_ID],
    };
}

const struct api_route *web_events_routes(struct web_events *events, size_t *count)
{
    static const struct api_parameter parameters[] = {
        {"kinds", API_NAME, 1, 120, 0, NULL, "Which events: their kinds with commas between."},
        {"after", API_NUMBER, 0, INT64_MAX, 0, NULL,
         "The number of the last event that was seen: what came after it is sent first. As the "
         "header field Last-Event-ID, which browsers cannot set for a WebSocket."},
    };
    events->route = (struct api_route){
        .method = API_GET,
        .path = "events",
        .role = API_PUBLIC,
        .summary = "What happens, as it happens: server-sent events, or a WebSocket.",
        .parameters = parameters,
        .parameters_count = sizeof(parameters) / sizeof(parameters[0]),
        .answer = answer_events,
        .context = events,
    };
    *count = 1;
    return &events->route;
}

// ---- Making it

struct web_events *web_events_new(struct node *node)
{
    struct web_events *events = calloc(1, sizeof(*events));
    if (events == NULL)
        return NULL;
    struct now now = net_loop_now(node->loop);
    events->node = node;
    events->events = api_events_new(HISTORY_MAX, HISTORY_BYTES_MAX, on_sent, events, now);
    events->timer = net_timer_new(node->loop, on_timer, events);
    if (events->events == NULL || events->timer == NULL) {
        web_events_free(events);
        return NULL;
    }
    return events;
}

void web_events_serve(struct web_events *events, struct http_server *server)
{
    struct now now = time_of(events);
    events->server = server;
    net_timer_start(events->timer, now.mono);
}

void web_events_free(struct web_events *events)
{
    if (events == NULL)
        return;
    net_timer_free(events->timer);
    api_events_free(events->events);
    free(events);
}
