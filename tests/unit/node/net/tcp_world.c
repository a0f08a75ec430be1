#include "tests/unit/node/net/tcp_world.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define GUARD_MS 8000

static void on_guard(void *context, struct now now)
{
    (void)context;
    (void)now;
    fail_msg("the test hangs");
}

static void on_connected(void *context, struct net_connection *connection)
{
    struct side *side = context;
    (void)connection;
    side->connected_count++;
}

static void on_received(void *context, struct net_connection *connection, const uint8_t *data,
                        size_t size)
{
    struct side *side = context;
    side->in = realloc(side->in, side->in_size + size);
    memcpy(side->in + side->in_size, data, size);
    side->in_size += size;
    struct world *world = side->world;
    if (world->is_echo && side == &world->server) {
        net_connection_write(connection, data, size);
    }
    if (side == &world->client && world->stop_when_received > 0 &&
        side->in_size >= world->stop_when_received) {
        net_loop_stop(world->loop);
    }
}

static void on_drained(void *context, struct net_connection *connection)
{
    struct side *side = context;
    (void)connection;
    side->drained_count++;
}

static void on_closed(void *context, struct net_connection *connection, const char *reason)
{
    struct side *side = context;
    (void)connection;
    side->closed_count++;
    snprintf(side->reason, sizeof(side->reason), "%s", reason);
    if (side->world->stop_when_closed == side) {
        net_loop_stop(side->world->loop);
    }
}

const struct net_connection_events side_events = {
    .connected = on_connected, .received = on_received, .drained = on_drained, .closed = on_closed};

void world_accept(void *context, struct net_connection *connection)
{
    struct world *world = context;
    world->accepted_count++;
    if (world->resets_accepted) {
        net_connection_reset(connection);
        return;
    }
    world->server.connection = connection;
    net_connection_begin(connection,
                         world->server_events != NULL ? world->server_events : &side_events,
                         &world->server);
}

void world_init(struct world *world, const char *address, size_t connections_max)
{
    char error[NET_ERROR_SIZE] = "";
    memset(world, 0, sizeof(*world));
    world->loop = net_loop_new();
    world->log = log_new_silent();
    world->client.world = world;
    world->server.world = world;
    world->guard = net_timer_new(world->loop, on_guard, world);
    net_timer_start(world->guard, (struct mono_time){net_loop_now(world->loop).mono.ms + GUARD_MS});
    const struct net_listen_options options = {.address = address,
                                               .connections_max = connections_max,
                                               .send_bytes_max = 1 << 20,
                                               .accepted = world_accept,
                                               .context = world,
                                               .log = world->log};
    world->listener = net_listener_open(world->loop, &options, error);
    if (world->listener == NULL) {
        fail_msg("%s", error);
    }
}

void world_clear(struct world *world)
{
    net_listener_close(world->listener);
    net_timer_free(world->guard);
    net_timer_free(world->tick);
    net_loop_free(world->loop);
    log_free(world->log);
    free(world->client.in);
    free(world->server.in);
}

void world_connect(struct world *world, const char *host, uint16_t port)
{
    const struct net_connect_options options = {
        .host = host, .port = port, .timeout_ms = 3000, .send_bytes_max = 1 << 20};
    world->client.connection = net_connect(world->loop, &options, &side_events, &world->client);
    assert_non_null(world->client.connection);
}

static void stop_loop(void *context, struct now now)
{
    (void)now;
    net_loop_stop(context);
}

// Lets the loop run for a while.
void world_run_for(struct world *world, int64_t ms)
{
    if (world->tick == NULL) {
        world->tick = net_timer_new(world->loop, stop_loop, world->loop);
    }
    net_timer_start(world->tick, (struct mono_time){net_loop_now(world->loop).mono.ms + ms});
    net_loop_run(world->loop);
}

static void say_hello(void *context, struct net_connection *connection)
{
    on_connected(context, connection);
    net_connection_write(connection, "hello", 5);
}

void world_echo(struct world *world, const char *host, uint16_t port)
{
    static const struct net_connection_events events = {
        .connected = say_hello, .received = on_received, .closed = on_closed};
    const struct net_connect_options options = {.host = host, .port = port};
    world->is_echo = true;
    world->stop_when_received = 5;
    world->client.connection = net_connect(world->loop, &options, &events, &world->client);
    net_loop_run(world->loop);
    assert_int_equal(world->client.connected_count, 1);
    assert_memory_equal(world->client.in, "hello", 5);
    assert_int_equal(net_listener_connections(world->listener), 1);
}

int plain_client(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}
