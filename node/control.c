// A request is a line; its answer is written whole, and while a client has not taken it nothing
// more is read from that client. So a client costs one answer at most.
#include "node/control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/operate.h"
#include "node/report.h"
#include "node/state.h"

#define LINE_SIZE_MAX   4096
#define CONNECTIONS_MAX 16
#define IDLE_MS         60000

struct control {
    struct node *node;
    struct net_listener *listener;
    struct client *clients;
};

struct client {
    struct control *control; // NULL once it is freed
    struct net_connection *connection;
    struct net_timer *idle;
    struct client *next;
    bool is_ended; // by us; what it still sends is not looked at
    size_t size;
    char line[LINE_SIZE_MAX];
};

static void client_unlink(struct client *client)
{
    struct client **place = &client->control->clients;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
}

static void client_wait(struct client *client)
{
    struct now now = net_loop_now(client->control->node->loop);
    net_timer_start(client->idle, (struct mono_time){now.mono.ms + IDLE_MS});
}

static void answer(struct client *client, size_t size)
{
    struct buffer out;
    buffer_init(&out, REPORT_SIZE_MAX);
    if (!operate_answer(client->control->node, client->line, size, &out))
        report_answer(client->control->node, client->line, size, &out);
    write_u8(&out, '\n');
    if (out.failed)
        net_connection_reset(client->connection);
    else
        net_connection_write(client->connection, out.data, out.size);
    buffer_clear(&out);
}

// Answers the lines that are there, one at a time, as long as the client takes the answers.
static void answer_lines(struct client *client)
{
    while (net_connection_queued(client->connection) == 0) {
        char *end = memchr(client->line, '\n', client->size);
        if (end == NULL)
            break;
        size_t size = (size_t)(end - client->line);
        answer(client, size);
        client->size -= size + 1;
        memmove(client->line, end + 1, client->size);
    }
    net_connection_pause(client->connection, net_connection_queued(client->connection) > 0);
}

static void refuse_line(struct client *client)
{
    static const char text[] = "{\"error\":\"a request has at most 4095 characters\"}\n";
    net_connection_write(client->connection, text, sizeof(text) - 1);
    net_connection_close(client->connection);
    client->is_ended = true;
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct client *client = context;
    (void)connection;
    while (size > 0 && !client->is_ended) {
        size_t room = LINE_SIZE_MAX - client->size;
        size_t taken = size < room ? size : room;
        memcpy(client->line + client->size, data, taken);
        client->size += taken;
        data += taken;
        size -= taken;
        answer_lines(client);
        // Either no line ends in it, or more requests came than anybody needs before an answer.
        if (client->size == LINE_SIZE_MAX)
            refuse_line(client);
    }
    client_wait(client);
}

static void on_drained(void *context, struct net_connection *connection)
{
    struct client *client = context;
    (void)connection;
    if (!client->is_ended)
        answer_lines(client);
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct client *client = context;
    (void)connection;
    (void)reason;
    if (client->control != NULL)
        client_unlink(client);
    net_timer_free(client->idle);
    free(client);
}

static const struct net_connection_events client_events = {
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};

static void on_idle(void *context, struct now now)
{
    (void)now;
    struct client *client = context;
    net_connection_reset(client->connection);
}

static void on_accepted(void *context, struct net_connection *connection)
{
    struct control *control = context;
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        net_connection_reset(connection);
        return;
    }
    client->control = control;
    client->connection = connection;
    client->idle = net_timer_new(control->node->loop, on_idle, client);
    if (client->idle == NULL) {
        free(client);
        net_connection_reset(connection);
        return;
    }
    client->next = control->clients;
    control->clients = client;
    net_connection_begin(connection, &client_events, client);
    client_wait(client);
}

struct control *control_new(struct node *node, char *error)
{
    struct control *control = calloc(1, sizeof(*control));
    if (control == NULL) {
        snprintf(error, NODE_ERROR_SIZE, "out of memory");
        return NULL;
    }
    char address[CONFIG_TEXT_SIZE + 32], reason[NET_ERROR_SIZE];
    snprintf(address, sizeof(address), "unix:%s/control.sock", node->config->data);
    struct net_listen_options options = {
        .address = address,
        .connections_max = CONNECTIONS_MAX,
        .send_bytes_max = REPORT_SIZE_MAX + LINE_SIZE_MAX,
        .accepted = on_accepted,
        .context = control,
        .log = node->log,
    };
    control->node = node;
    control->listener = net_listener_open(node->loop, &options, reason);
    if (control->listener != NULL)
        return control;
    snprintf(error, NODE_ERROR_SIZE, "data: no control socket: %s", reason);
    free(control);
    return NULL;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    net_listener_close(control->listener);
    while (control->clients != NULL) {
        struct client *client = control->clients;
        control->clients = client->next;
        client->control = NULL;
        net_timer_stop(client->idle);
        net_connection_reset(client->connection);
    }
    free(control);
}
