#include "node/ask.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/tcp.h"
#include "node/report.h"

#define ANSWER_WAIT_MS    15000
#define ANSWER_TOKENS_MAX 4000000
#define REQUEST_SIZE_MAX  4096
#define ADDRESS_SIZE      2048

struct ask {
    struct net_loop *loop;
    bool owns_loop;
    char address[ADDRESS_SIZE];        // "unix:.../control.sock"
    struct net_connection *connection; // NULL when there is none
    bool is_connected;
    bool has_timed_out;
    bool is_closed; // by the caller, who has forgotten it
    struct net_timer *timeout;
    struct buffer request; // the line to send once connected; empty: none is to be sent
    struct buffer answer;
    ask_answered *answered;
    void *context;
    // Of who waits for the answer.
    struct json *json;
    char *error;
};

static void ask_free(struct ask *ask)
{
    net_timer_free(ask->timeout);
    buffer_clear(&ask->request);
    buffer_clear(&ask->answer);
    free(ask);
}

static void ask_finish(struct ask *ask, struct json *json, const char *error)
{
    net_timer_stop(ask->timeout);
    buffer_reset(&ask->request);
    ask->answered(ask->context, json, error);
}

static void fail_unreached(struct ask *ask, const char *reason)
{
    char error[ASK_ERROR_SIZE];
    snprintf(error, sizeof(error),
             "no node answers at %.300s (%.60s): is \"shoal node\" running, as this user and with "
             "this --data?",
             ask->address + 5, reason);
    ask_finish(ask, NULL, error);
}

static void fail_unanswered(struct ask *ask, const char *reason)
{
    char error[ASK_ERROR_SIZE];
    snprintf(error, sizeof(error), "the node gave no answer: %.200s", reason);
    ask_finish(ask, NULL, error);
}

// ---- The answer

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

static void read_answer(struct ask *ask)
{
    char error[ASK_ERROR_SIZE] = "";
    ask->answer.size--; // the newline
    struct json *json = ask_read_answer((const char *)ask->answer.data, ask->answer.size, error);
    ask_finish(ask, json, error);
}

static void send_request(struct ask *ask)
{
    buffer_reset(&ask->answer);
    net_connection_write(ask->connection, ask->request.data, ask->request.size);
}

static void on_connected(void *context, struct net_connection *connection)
{
    struct ask *ask = context;
    (void)connection;
    ask->is_connected = true;
    if (ask->request.size > 0)
        send_request(ask);
    else
        ask_finish(ask, NULL, NULL); // the caller wanted to know whether somebody is there
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct ask *ask = context;
    if (ask->is_closed || ask->request.size == 0)
        return; // nothing was asked
    write_bytes(&ask->answer, data, size);
    if (ask->answer.failed)
        net_connection_reset(connection);
    else if (size > 0 && data[size - 1] == '\n')
        read_answer(ask);
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct ask *ask = context;
    bool was_connected = ask->is_connected;
    (void)connection;
    if (ask->has_timed_out)
        reason = "timed out";
    ask->connection = NULL;
    ask->is_connected = false;
    if (ask->is_closed)
        ask_free(ask);
    else if (!was_connected)
        fail_unreached(ask, reason);
    else if (ask->request.size > 0)
        fail_unanswered(ask, reason);
}

static const struct net_connection_events events = {
    .connected = on_connected,
    .received = on_received,
    .closed = on_closed,
};

// The late answer would be taken for that to the next question: the connection goes, too.
static void on_timeout(void *context, struct now now)
{
    struct ask *ask = context;
    (void)now;
    ask->has_timed_out = true;
    if (ask->connection != NULL)
        net_connection_reset(ask->connection);
    else
        fail_unanswered(ask, "out of memory");
}

// ---- On a loop

struct ask *ask_new(struct net_loop *loop, const char *data, ask_answered *answered, void *context)
{
    struct ask *ask = calloc(1, sizeof(*ask));
    if (ask == NULL)
        return NULL;
    ask->loop = loop;
    ask->answered = answered;
    ask->context = context;
    buffer_init(&ask->answer, REPORT_SIZE_MAX + 1);
    buffer_init(&ask->request, REQUEST_SIZE_MAX);
    snprintf(ask->address, sizeof(ask->address), "unix:%s/control.sock", data);
    ask->timeout = net_timer_new(loop, on_timeout, ask);
    if (ask->timeout != NULL)
        return ask;
    ask_free(ask);
    return NULL;
}

static void ask_connect(struct ask *ask)
{
    struct net_connect_options options = {.host = ask->address, .timeout_ms = ANSWER_WAIT_MS};
    ask->connection = net_connect(ask->loop, &options, &events, ask);
}

// What is in ask->request, as it stands there.
static void begin(struct ask *ask)
{
    write_u8(&ask->request, '\n');
    ask->has_timed_out = false;
    net_timer_start(ask->timeout,
                    (struct mono_time){net_loop_now(ask->loop).mono.ms + ANSWER_WAIT_MS});
    if (ask->is_connected)
        send_request(ask);
    else if (ask->connection == NULL)
        ask_connect(ask);
}

void ask_begin(struct ask *ask, const struct ask_request *request)
{
    struct json_writer writer;
    buffer_reset(&ask->request);
    json_writer_init(&writer, &ask->request);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", request->command);
    if (request->from != 0)
        json_write_u64(&writer, "from", request->from);
    if (request->tip != NULL)
        json_write_text(&writer, "tip", request->tip);
    if (request->id != NULL)
        json_write_text(&writer, "id", request->id);
    if (request->address != NULL)
        json_write_text(&writer, "address", request->address);
    json_end_object(&writer);
    begin(ask);
}

static void ask_end(struct ask *ask)
{
    ask->is_closed = true;
    if (ask->connection != NULL)
        net_connection_reset(ask->connection); // on_closed frees the rest
    else
        ask_free(ask);
}

// ---- Waiting

static void on_answered(void *context, struct json *answer, const char *error)
{
    struct ask *ask = context;
    ask->json = answer;
    snprintf(ask->error, ASK_ERROR_SIZE, "%s", error == NULL ? "" : error);
    net_loop_stop(ask->loop);
}

struct ask *ask_open(const char *data, char error[ASK_ERROR_SIZE])
{
    struct net_loop *loop = net_loop_new();
    struct ask *ask = loop == NULL ? NULL : ask_new(loop, data, on_answered, NULL);
    snprintf(error, ASK_ERROR_SIZE, "out of memory");
    if (ask == NULL) {
        net_loop_free(loop);
        return NULL;
    }
    ask->owns_loop = true;
    ask->context = ask;
    ask->error = error;
    ask_connect(ask);
    if (ask->connection != NULL)
        net_loop_run(loop);
    if (ask->is_connected)
        return ask;
    ask_close(ask);
    return NULL;
}

void ask_close(struct ask *ask)
{
    if (ask == NULL)
        return;
    struct net_loop *loop = ask->owns_loop ? ask->loop : NULL;
    ask_end(ask);
    net_loop_free(loop);
}

// The answer to the question that was begun.
static struct json *wait_for_answer(struct ask *ask, char error[ASK_ERROR_SIZE])
{
    ask->error = error;
    ask->json = NULL;
    snprintf(error, ASK_ERROR_SIZE, "out of memory");
    if (ask->connection != NULL)
        net_loop_run(ask->loop);
    return ask->json;
}

struct json *ask_question(struct ask *ask, const struct ask_request *request,
                          char error[ASK_ERROR_SIZE])
{
    ask_begin(ask, request);
    return wait_for_answer(ask, error);
}

struct json *ask_line(struct ask *ask, const struct buffer *line, char error[ASK_ERROR_SIZE])
{
    buffer_reset(&ask->request);
    write_bytes(&ask->request, line->data, line->size);
    begin(ask);
    return wait_for_answer(ask, error);
}

const struct buffer *ask_text(const struct ask *ask)
{
    return &ask->answer;
}
