#include "tests/support/fake_daemon_http.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "node/base/bytes.h"
#include "node/net/tcp.h"

#define HUGE_SIZE   (80u << 20)
#define CHUNK_SIZE  65536
#define DRIP_MS     20
#define REQUEST_MAX (32u << 20)

struct fake_http {
    struct net_loop *loop;
    struct fake_http_options options;
    struct net_listener *listener;
    struct log *log;
    struct fake_http_exchange *exchanges;
    size_t exchanges_count;
    bool is_freed;
};

struct fake_http_exchange {
    struct fake_http *http;
    struct fake_http_exchange *next;
    struct net_connection *connection;
    struct buffer in;
    size_t request_size; // of the request that is being answered, 0 if none
    enum fake_fault fault;
    size_t huge_left;
    struct net_timer *drip;
    bool resets_next;
};

static void free_http_if_unused(struct fake_http *http)
{
    if (http->is_freed && http->exchanges_count == 0) {
        log_free(http->log);
        free(http);
    }
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct fake_http_exchange *exchange = context;
    struct fake_http *http = exchange->http;
    (void)connection;
    (void)reason;
    if (exchange->request_size > 0 && http->options.vanished != NULL && !http->is_freed) {
        http->options.vanished(http->options.context, exchange);
    }
    struct fake_http_exchange **link = &http->exchanges;
    while (*link != exchange) {
        link = &(*link)->next;
    }
    *link = exchange->next;
    net_timer_free(exchange->drip);
    buffer_clear(&exchange->in);
    free(exchange);
    http->exchanges_count--;
    free_http_if_unused(http);
}

// The value of a header in the request's head, or "".
static void header_value(const char *head, const char *name, char *out, size_t capacity)
{
    size_t name_size = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, name_size) == 0 && line[2 + name_size] == ':') {
            const char *value = line + 3 + name_size;
            value += strspn(value, " ");
            snprintf(out, capacity, "%.*s", (int)strcspn(value, "\r"), value);
            return;
        }
    }
}

// Gives a whole request to the handler, if one is there and no other is being answered.
static void serve(struct fake_http_exchange *exchange)
{
    static const char terminator = '\0';
    if (exchange->request_size > 0 || exchange->fault != FAULT_NONE || exchange->in.size == 0) {
        return;
    }
    write_bytes(&exchange->in, &terminator, 1);
    char *head = (char *)exchange->in.data;
    exchange->in.size--;
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) {
        return;
    }
    char length[24];
    char authorization[512];
    char method[8];
    header_value(head, "Content-Length", length, sizeof(length));
    header_value(head, "Authorization", authorization, sizeof(authorization));
    snprintf(method, sizeof(method), "%.*s", (int)strcspn(head, " "), head);
    size_t body_size = (size_t)strtoul(length, NULL, 10);
    size_t head_size = (size_t)(end + 4 - head);
    if (exchange->in.size < head_size + body_size) {
        return;
    }
    exchange->request_size = head_size + body_size;
    char *body = strndup(head + head_size, body_size);
    assert(body != NULL);
    const struct fake_http_request request = {
        .method = method, .authorization = authorization, .body = body, .body_size = body_size};
    exchange->http->options.handler(exchange->http->options.context, exchange, &request);
    free(body);
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct fake_http_exchange *exchange = context;
    if (exchange->resets_next) {
        net_connection_reset(connection);
        return;
    }
    write_bytes(&exchange->in, data, size);
    assert(!exchange->in.failed);
    serve(exchange);
}

static void write_endlessly(struct fake_http_exchange *exchange)
{
    static const char header[] = "X-Again: and again and again and again\r\n";
    static char zeros[CHUNK_SIZE];
    bool is_header = exchange->fault == FAULT_ENDLESS_HEADER;
    size_t queued = 0;
    while (queued == 0 && exchange->huge_left > 0) {
        size_t size = is_header ? sizeof(header) - 1 : sizeof(zeros);
        size = size < exchange->huge_left ? size : exchange->huge_left;
        exchange->huge_left -= size;
        queued = net_connection_write(exchange->connection, is_header ? header : zeros, size);
    }
    if (exchange->huge_left == 0) {
        net_connection_close(exchange->connection);
    }
}

static void on_drained(void *context, struct net_connection *connection)
{
    struct fake_http_exchange *exchange = context;
    (void)connection;
    if (exchange->fault == FAULT_HUGE || exchange->fault == FAULT_HUGE_UNSIZED ||
        exchange->fault == FAULT_ENDLESS_HEADER) {
        write_endlessly(exchange);
    }
}

static const struct net_connection_events connection_events = {
    .received = on_received, .drained = on_drained, .closed = on_closed};

static void on_accepted(void *context, struct net_connection *connection)
{
    struct fake_http *http = context;
    struct fake_http_exchange *exchange = calloc(1, sizeof(*exchange));
    assert(exchange != NULL);
    exchange->http = http;
    exchange->connection = connection;
    buffer_init(&exchange->in, REQUEST_MAX);
    exchange->next = http->exchanges;
    http->exchanges = exchange;
    http->exchanges_count++;
    net_connection_begin(connection, &connection_events, exchange);
}

struct fake_http *fake_http_new(struct net_loop *loop, const struct fake_http_options *options)
{
    char error[NET_ERROR_SIZE] = "";
    char address[32];
    struct fake_http *http = calloc(1, sizeof(*http));
    assert(http != NULL);
    http->loop = loop;
    http->options = *options;
    http->log = log_new_silent();
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)options->port);
    const struct net_listen_options listen = {.address = address,
                                              .send_bytes_max = 16u << 20,
                                              .accepted = on_accepted,
                                              .context = http,
                                              .log = http->log};
    http->listener = net_listener_open(loop, &listen, error);
    assert(http->listener != NULL);
    return http;
}

void fake_http_free(struct fake_http *http)
{
    if (http == NULL) {
        return;
    }
    net_listener_close(http->listener);
    http->is_freed = true;
    for (struct fake_http_exchange *at = http->exchanges; at != NULL; at = at->next) {
        net_connection_reset(at->connection);
    }
    free_http_if_unused(http);
}

uint16_t fake_http_port(const struct fake_http *http)
{
    return net_listener_port(http->listener);
}

size_t fake_http_connections(const struct fake_http *http)
{
    return http->exchanges_count;
}

static void write_head(struct fake_http_exchange *exchange, int status, const char *more)
{
    char head[256];
    int size = snprintf(head, sizeof(head), "HTTP/1.1 %d Status\r\n%s", status, more);
    net_connection_write(exchange->connection, head, (size_t)size);
}

void fake_http_answer(struct fake_http_exchange *exchange, int status, const char *body,
                      size_t size)
{
    char more[96];
    snprintf(more, sizeof(more), "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             size);
    write_head(exchange, status, more);
    net_connection_write(exchange->connection, body, size);
    buffer_consume(&exchange->in, exchange->request_size);
    exchange->request_size = 0;
    serve(exchange);
}

void fake_http_reset_next(struct fake_http_exchange *exchange)
{
    exchange->resets_next = true;
}

static void on_drip(void *context, struct now now)
{
    struct fake_http_exchange *exchange = context;
    net_connection_write(exchange->connection, " ", 1);
    net_timer_start(exchange->drip, (struct mono_time){now.mono.ms + DRIP_MS});
}

static void drip(struct fake_http_exchange *exchange)
{
    write_head(exchange, 200, "Content-Length: 100000\r\n\r\n");
    exchange->drip = net_timer_new(exchange->http->loop, on_drip, exchange);
    net_timer_start(exchange->drip, net_loop_now(exchange->http->loop).mono);
}

// The request stays open (fault is set) unless the fault is a whole answer.
void fake_http_misbehave(struct fake_http_exchange *exchange, enum fake_fault fault)
{
    static const char page[] = "<html><h1>Internal Server Error</h1></html>";
    static const char garbage[] = "{\"result\": {\"version\": 5368";
    exchange->fault = fault;
    exchange->huge_left = HUGE_SIZE;
    switch (fault) {
    case FAULT_NONE:
    case FAULT_HANG:
        return;
    case FAULT_GARBAGE:
        exchange->fault = FAULT_NONE;
        fake_http_answer(exchange, 200, garbage, sizeof(garbage) - 1);
        return;
    case FAULT_NOT_HTTP:
        net_connection_write(exchange->connection, "SSH-2.0-OpenSSH_9.2p1\r\n", 23);
        net_connection_close(exchange->connection);
        return;
    case FAULT_HTTP_500:
        exchange->fault = FAULT_NONE;
        fake_http_answer(exchange, 500, page, sizeof(page) - 1);
        return;
    case FAULT_EMPTY:
        exchange->fault = FAULT_NONE;
        fake_http_answer(exchange, 200, "", 0);
        return;
    case FAULT_CLOSE_AT_ONCE:
        net_connection_close(exchange->connection);
        return;
    case FAULT_RESET:
        net_connection_reset(exchange->connection);
        return;
    case FAULT_CLOSE_MID_BODY:
        write_head(exchange, 200, "Content-Length: 1000\r\n\r\n{\"result\":");
        net_connection_close(exchange->connection);
        return;
    case FAULT_HUGE:
        write_head(exchange, 200, "Content-Length: 83886080\r\n\r\n");
        write_endlessly(exchange);
        return;
    case FAULT_HUGE_UNSIZED:
        write_head(exchange, 200, "\r\n");
        write_endlessly(exchange);
        return;
    case FAULT_ENDLESS_HEADER:
        write_head(exchange, 200, "");
        write_endlessly(exchange);
        return;
    case FAULT_DRIP:
        drip(exchange);
        return;
    case FAULT_REDIRECT:
        exchange->fault = FAULT_NONE;
        write_head(exchange, 302, "Location: /elsewhere\r\nContent-Length: 0\r\n\r\n");
        buffer_consume(&exchange->in, exchange->request_size);
        exchange->request_size = 0;
        return;
    }
}
