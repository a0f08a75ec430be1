#include "node/ask.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/tcp.h"
#include "node/report.h"

#define ANSWER_WAIT_MS    15000
#define ANSWER_TOKENS_MAX 4000000

struct ask {
    struct net_loop *loop;
    struct net_connection *connection; // NULL when it has ended
    struct net_timer *timeout;
    struct buffer answer;
    bool is_connected;
    bool is_answered; // a whole line is there
    bool has_timed_out;
    char reason[128]; // why the connection ended
};

static void on_connected(void *context, struct net_connection *connection)
{
    struct ask *ask = context;
    (void)connection;
    ask->is_connected = true;
    net_loop_stop(ask->loop);
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct ask *ask = context;
    write_bytes(&ask->answer, data, size);
    if (ask->answer.failed)
        net_connection_reset(connection);
    ask->is_answered = size > 0 && data[size - 1] == '\n';
    if (ask->is_answered)
        net_loop_stop(ask->loop);
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct ask *ask = context;
    (void)connection;
    ask->connection = NULL;
    snprintf(ask->reason, sizeof(ask->reason), "%s", reason);
    net_loop_stop(ask->loop);
}

static const struct net_connection_events events = {
    .connected = on_connected,
    .received = on_received,
    .closed = on_closed,
};

static void on_timeout(void *context, struct now now)
{
    struct ask *ask = context;
    (void)now;
    ask->has_timed_out = true;
    net_loop_stop(ask->loop);
}

// Runs the loop until one of the callbacks stops it.
static void ask_run(struct ask *ask)
{
    ask->has_timed_out = false;
    net_timer_start(ask->timeout,
                    (struct mono_time){net_loop_now(ask->loop).mono.ms + ANSWER_WAIT_MS});
    net_loop_run(ask->loop);
    net_timer_stop(ask->timeout);
}

struct ask *ask_open(const char *data, char error[ASK_ERROR_SIZE])
{
    snprintf(error, ASK_ERROR_SIZE, "out of memory");
    struct ask *ask = calloc(1, sizeof(*ask));
    if (ask == NULL)
        return NULL;
    buffer_init(&ask->answer, REPORT_SIZE_MAX + 1);
    char host[2048];
    snprintf(host, sizeof(host), "unix:%s/control.sock", data);
    struct net_connect_options options = {.host = host, .timeout_ms = ANSWER_WAIT_MS};
    ask->loop = net_loop_new();
    if (ask->loop != NULL)
        ask->timeout = net_timer_new(ask->loop, on_timeout, ask);
    if (ask->timeout != NULL)
        ask->connection = net_connect(ask->loop, &options, &events, ask);
    if (ask->connection != NULL)
        ask_run(ask);
    if (ask->is_connected && ask->connection != NULL)
        return ask;
    if (ask->reason[0] != '\0' || ask->has_timed_out)
        snprintf(error, ASK_ERROR_SIZE,
                 "no node answers at %.300s (%s): is \"shoal node\" running, as this user and with "
                 "this --data?",
                 host + 5, ask->has_timed_out ? "timed out" : ask->reason);
    ask_close(ask);
    return NULL;
}

void ask_close(struct ask *ask)
{
    if (ask == NULL)
        return;
    if (ask->connection != NULL)
        net_connection_reset(ask->connection);
    net_timer_free(ask->timeout);
    net_loop_free(ask->loop);
    buffer_clear(&ask->answer);
    free(ask);
}

static void write_request(const struct ask_request *request, struct buffer *line)
{
    struct json_writer writer;
    json_writer_init(&writer, line);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", request->command);
    if (request->from != 0)
        json_write_u64(&writer, "from", request->from);
    if (request->tip != NULL)
        json_write_text(&writer, "tip", request->tip);
    if (request->id != NULL)
        json_write_text(&writer, "id", request->id);
    json_end_object(&writer);
}

struct json *ask_read_answer(const char *answer, size_t size, char error[ASK_ERROR_SIZE])
{
    struct json *json = json_parse(answer, size, ANSWER_TOKENS_MAX);
    struct json_value problem =
        json == NULL ? (struct json_value){0} : json_get(json_root(json), "error");
    char text[ASK_ERROR_SIZE - 16] = "the answer is no JSON";
    if (json != NULL && !json_exists(problem))
        return json;
    if (json != NULL && !json_to_text(problem, text, sizeof(text)))
        snprintf(text, sizeof(text), "the answer is an error without words");
    snprintf(error, ASK_ERROR_SIZE, "the node says: %s", text);
    json_free(json);
    return NULL;
}

static bool send_line(struct ask *ask, const struct buffer *line)
{
    return !line->failed &&
           net_connection_write(ask->connection, line->data, line->size) != NET_WRITE_OVERFLOW &&
           net_connection_write(ask->connection, "\n", 1) != NET_WRITE_OVERFLOW;
}

struct json *ask_line(struct ask *ask, const struct buffer *line, char error[ASK_ERROR_SIZE])
{
    ask->is_answered = false;
    buffer_reset(&ask->answer);
    if (ask->connection != NULL && send_line(ask, line))
        ask_run(ask);
    if (ask->is_answered) {
        ask->answer.size--; // the newline
        return ask_read_answer((const char *)ask->answer.data, ask->answer.size, error);
    }
    snprintf(error, ASK_ERROR_SIZE, "the node gave no answer: %s",
             ask->has_timed_out ? "timed out" : ask->reason);
    return NULL;
}

struct json *ask_question(struct ask *ask, const struct ask_request *request,
                          char error[ASK_ERROR_SIZE])
{
    uint8_t bytes[512];
    struct buffer line;
    buffer_init_fixed(&line, bytes, sizeof(bytes));
    write_request(request, &line);
    return ask_line(ask, &line, error);
}

const struct buffer *ask_text(const struct ask *ask)
{
    return &ask->answer;
}
