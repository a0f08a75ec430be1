// Listeners and connections, over real loopback sockets on one loop.
#include "node/net/tcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define GUARD_MS 8000

// One end of a connection, or both ends of several.
struct side {
    struct world *world;
    struct net_connection *connection;
    uint8_t *in;
    size_t in_size;
    size_t sent;       // of a large transfer
    size_t send_total; // 0 = none
    int connected_count;
    int drained_count;
    int closed_count;
    char reason[128];
};

struct world {
    struct net_loop *loop;
    struct log *log;
    struct net_listener *listener;
    struct net_timer *guard;
    struct net_timer *tick;
    struct side client;
    struct side server;
    const struct net_connection_events *server_events;
    struct side *stop_when_closed; // ends the run
    size_t stop_when_received;     // by the client, or 0
    size_t accepted_count;
    bool is_echo;
    bool resets_accepted;
    char socket_path[64];
};

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

static const struct net_connection_events plain_events = {
    .connected = on_connected, .received = on_received, .drained = on_drained, .closed = on_closed};

static void on_accepted(void *context, struct net_connection *connection)
{
    struct world *world = context;
    world->accepted_count++;
    if (world->resets_accepted) {
        net_connection_reset(connection);
        return;
    }
    world->server.connection = connection;
    net_connection_begin(connection,
                         world->server_events != NULL ? world->server_events : &plain_events,
                         &world->server);
}

static void world_init(struct world *world, const char *address, size_t connections_max)
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
                                               .accepted = on_accepted,
                                               .context = world,
                                               .log = world->log};
    world->listener = net_listener_open(world->loop, &options, error);
    if (world->listener == NULL) {
        fail_msg("%s", error);
    }
}

static void world_clear(struct world *world)
{
    net_listener_close(world->listener);
    net_timer_free(world->guard);
    net_timer_free(world->tick);
    net_loop_free(world->loop);
    log_free(world->log);
    free(world->client.in);
    free(world->server.in);
}

static void connect_client(struct world *world, const char *host, uint16_t port)
{
    const struct net_connect_options options = {
        .host = host, .port = port, .timeout_ms = 3000, .send_bytes_max = 1 << 20};
    world->client.connection = net_connect(world->loop, &options, &plain_events, &world->client);
    assert_non_null(world->client.connection);
}

static void stop_loop(void *context, struct now now)
{
    (void)now;
    net_loop_stop(context);
}

// Lets the loop run for a while.
static void run_for(struct world *world, int64_t ms)
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

static void bytes_go_there_and_back(struct world *world, const char *host, uint16_t port)
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

static void echo_over_ipv4_knows_the_peer(void **state)
{
    (void)state;
    struct world world;
    char text[NET_ADDRESS_TEXT_SIZE];
    world_init(&world, "127.0.0.1:0", 0);
    bytes_go_there_and_back(&world, "127.0.0.1", net_listener_port(world.listener));
    const struct net_address *peer = net_connection_peer(world.server.connection);
    static const uint8_t loopback[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
    assert_memory_equal(peer->ip, loopback, 16);
    assert_true(peer->port != 0);
    net_address_to_text(net_connection_peer(world.client.connection), text);
    char wanted[32];
    snprintf(wanted, sizeof(wanted), "127.0.0.1:%u", net_listener_port(world.listener));
    assert_string_equal(text, wanted);
    world_clear(&world);
}

static void echo_over_ipv6_knows_the_peer(void **state)
{
    (void)state;
    struct world world;
    char text[NET_ADDRESS_TEXT_SIZE];
    world_init(&world, "[::1]:0", 0);
    bytes_go_there_and_back(&world, "::1", net_listener_port(world.listener));
    net_address_to_text(net_connection_peer(world.server.connection), text);
    assert_memory_equal(text, "[::1]:", 6);
    world_clear(&world);
}

static void star_listens_for_both_families(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "*:0", 0);
    bytes_go_there_and_back(&world, "127.0.0.1", net_listener_port(world.listener));
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_to_text(net_connection_peer(world.server.connection), text);
    assert_memory_equal(text, "127.0.0.1:", 10); // not [::ffff:127.0.0.1]
    world_clear(&world);
}

static void make_socket_path(struct world *world, char address[80])
{
    snprintf(world->socket_path, sizeof(world->socket_path), "/tmp/shoal-tcp-test-%d.sock",
             (int)getpid());
    snprintf(address, 80, "unix:%s", world->socket_path);
}

static void unix_socket_is_private_and_removed(void **state)
{
    (void)state;
    struct world paths;
    struct world world;
    char address[80];
    struct stat status;
    make_socket_path(&paths, address);
    world_init(&world, address, 0);
    assert_int_equal(stat(paths.socket_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    bytes_go_there_and_back(&world, address, 0);
    assert_true(net_connection_peer(world.server.connection)->is_unix);
    world_clear(&world);
    assert_int_not_equal(stat(paths.socket_path, &status), 0);
}

static void socket_of_a_dead_process_is_replaced_but_no_other_file(void **state)
{
    (void)state;
    struct world paths;
    struct world world;
    char address[80];
    char error[NET_ERROR_SIZE] = "";
    make_socket_path(&paths, address);
    struct sockaddr_un bound = {.sun_family = AF_UNIX};
    memcpy(bound.sun_path, paths.socket_path, strlen(paths.socket_path) + 1);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (struct sockaddr *)&bound, sizeof(bound)), 0);
    close(dead);
    world_init(&world, address, 0);

    // The same while it lives: refused, and the living one still works.
    struct net_listen_options options = {
        .address = address, .accepted = on_accepted, .context = &world, .log = world.log};
    assert_null(net_listener_open(world.loop, &options, error));
    assert_non_null(strstr(error, "the file exists"));
    bytes_go_there_and_back(&world, address, 0);
    world_clear(&world);

    int file = open(paths.socket_path, O_CREAT | O_WRONLY, 0600);
    close(file);
    struct net_loop *loop = net_loop_new();
    assert_null(net_listener_open(loop, &options, error));
    net_loop_free(loop);
    struct stat status;
    assert_int_equal(stat(paths.socket_path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    unlink(paths.socket_path);
}

static void errors_of_listening_say_what_to_do(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    char taken[32];
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", net_listener_port(world.listener));
    const struct {
        const char *address;
        const char *part;
    } cases[] = {
        {taken, "another program listens there"},
        {"192.0.2.1:3333", "no such address"},
        {"3333", "write an address and a port"},
        {"0.0.0.0", "write an address and a port"},
        {"0.0.0.0:", "write an address and a port"},
        {"0.0.0.0:65536", "write an address and a port"},
        {"0.0.0.0:33x", "write an address and a port"},
        {"[::1:3333", "write an address and a port"},
        {":3333", "write an address and a port"},
        {"localhost:3333", "write an address and a port"},
        {"unix:", "write an address and a port"},
        {"unix:/nowhere/at/all.sock", "directory that exists"},
        {"unix:/tmp/"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaa",
         "too long"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[NET_ERROR_SIZE] = "";
        const struct net_listen_options options = {.address = cases[i].address,
                                                   .accepted = on_accepted,
                                                   .context = &world,
                                                   .log = world.log};
        assert_null(net_listener_open(world.loop, &options, error));
        if (strstr(error, cases[i].part) == NULL || strstr(error, cases[i].address) == NULL) {
            fail_msg("%s: %s", cases[i].address, error);
        }
    }
    world_clear(&world);
}

static void refused_connection_is_told_as_closed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    uint16_t port = net_listener_port(world.listener);
    net_listener_close(world.listener);
    world.listener = NULL;
    run_for(&world, 1);
    world.stop_when_closed = &world.client;
    connect_client(&world, "127.0.0.1", port);
    assert_int_equal(world.client.closed_count, 0); // never from inside the call
    net_loop_run(world.loop);
    assert_int_equal(world.client.connected_count, 0);
    assert_string_equal(world.client.reason, "connection refused");
    world_clear(&world);
}

static void connecting_goes_on_to_the_next_address_of_a_name(void **state)
{
    (void)state;
    struct world world;
    // localhost is usually ::1 first; only 127.0.0.1 listens.
    world_init(&world, "127.0.0.1:0", 0);
    bytes_go_there_and_back(&world, "localhost", net_listener_port(world.listener));
    world_clear(&world);
}

static void dialing_ends_at_its_timeout_and_may_be_ended_before(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    // A listener whose backlog is full answers no more: connecting hangs.
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int full = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(full, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(full, 0), 0);
    assert_int_equal(getsockname(full, (struct sockaddr *)&address, &size), 0);
    int fillers[4];
    for (size_t i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
    }
    struct net_connect_options options = {
        .host = "127.0.0.1", .port = ntohs(address.sin_port), .timeout_ms = 100};
    struct side other = {.world = &world};
    struct side never = {.world = &world};
    net_connect(world.loop, &options, &plain_events, &world.client);
    struct net_connection *early = net_connect(world.loop, &options, &plain_events, &other);
    net_connection_close(early);
    options.timeout_ms = 60000;
    net_connect(world.loop, &options, &plain_events, &never);
    world.stop_when_closed = &world.client;
    net_loop_run(world.loop);
    assert_string_equal(world.client.reason, "connection timed out");
    assert_string_equal(other.reason, "closed by us");
    assert_int_equal(never.closed_count, 0);
    world_clear(&world);
    assert_string_equal(never.reason, "the node stops");
    close(full);
    for (size_t i = 0; i < 4; i++) {
        close(fillers[i]);
    }
}

// A client that is a plain blocking socket, to see what arrives on the wire.
static int plain_client(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

static void slow_reader_is_queued_then_drained(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 5);
    static uint8_t block[1 << 18];
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    size_t sent = 0;
    while (net_connection_queued(world.server.connection) == 0) {
        size_t queued = net_connection_write(world.server.connection, block, sizeof(block));
        assert_int_not_equal(queued, NET_WRITE_OVERFLOW);
        sent += sizeof(block);
    }
    size_t queued = net_connection_write(world.server.connection, "end", 3);
    sent += 3;
    assert_int_equal(queued, net_connection_queued(world.server.connection));
    assert_true(queued > 3 && queued <= sizeof(block) + 3);
    assert_int_equal(world.server.drained_count, 0);

    size_t received = 0;
    uint8_t part[65536];
    while (received < sent) {
        ssize_t size = recv(client, part, sizeof(part), MSG_DONTWAIT);
        if (size < 0) {
            run_for(&world, 1);
            continue;
        }
        for (ssize_t i = 0; i < size && received + 3 < sent; i++, received++) {
            assert_int_equal(part[i], block[received % sizeof(block)]);
        }
        received = received + 3 >= sent ? sent : received;
    }
    run_for(&world, 5);
    assert_int_equal(world.server.drained_count, 1);
    assert_int_equal(net_connection_queued(world.server.connection), 0);
    close(client);
    world_clear(&world);
}

static void peer_that_never_reads_is_reset_at_the_cap(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 5);
    static uint8_t block[1 << 18];
    size_t queued = 0;
    size_t writes = 0;
    while (queued != NET_WRITE_OVERFLOW) {
        queued = net_connection_write(world.server.connection, block, sizeof(block));
        assert_true(queued == NET_WRITE_OVERFLOW || queued <= 1 << 20);
        assert_true(++writes < 1000);
    }
    assert_int_equal(world.server.closed_count, 0);
    assert_int_equal(net_connection_write(world.server.connection, "x", 1), 0);
    world.stop_when_closed = &world.server;
    net_loop_run(world.loop);
    assert_int_equal(world.server.closed_count, 1);
    assert_string_equal(world.server.reason, "the peer does not read what is sent to it");
    assert_int_equal(world.server.drained_count, 0);
    close(client);
    world_clear(&world);
}

static void close_delivers_the_last_words_to_a_peer_that_still_talks(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 5);
    // Unread bytes at our end would make a plain close() send a reset.
    assert_int_equal(send(client, "unread", 6, 0), 6);
    net_connection_write(world.server.connection, "last words", 10);
    net_connection_close(world.server.connection);
    run_for(&world, 20);
    assert_int_equal(send(client, "more", 4, MSG_NOSIGNAL), 4);
    run_for(&world, 20);
    assert_int_equal(world.server.in_size, 0); // nothing is received after close
    assert_int_equal(world.server.closed_count, 0);
    char text[16];
    assert_int_equal(recv(client, text, sizeof(text), 0), 10);
    assert_memory_equal(text, "last words", 10);
    assert_int_equal(recv(client, text, sizeof(text), 0), 0); // a clean end
    close(client);
    world.stop_when_closed = &world.server;
    net_loop_run(world.loop);
    assert_string_equal(world.server.reason, "closed by us");
    world_clear(&world);
}

static void peer_that_ends_its_sending_side_still_gets_queued_answers(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 5);
    static uint8_t block[1 << 18];
    size_t sent = 0;
    while (net_connection_queued(world.server.connection) == 0) {
        net_connection_write(world.server.connection, block, sizeof(block));
        sent += sizeof(block);
    }
    shutdown(client, SHUT_WR);
    run_for(&world, 20);
    assert_int_equal(world.server.closed_count, 0);
    size_t received = 0;
    for (;;) {
        ssize_t size = recv(client, block, sizeof(block), MSG_DONTWAIT);
        if (size == 0) {
            break;
        }
        if (size < 0) {
            assert_int_equal(errno, EAGAIN);
            run_for(&world, 1);
            continue;
        }
        received += (size_t)size;
    }
    assert_int_equal(received, sent);
    run_for(&world, 5);
    assert_string_equal(world.server.reason, "closed by the peer");
    close(client);
    world_clear(&world);
}

static void reset_drops_at_once(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 5);
    net_connection_reset(world.server.connection);
    net_connection_reset(world.server.connection); // again: nothing
    net_connection_close(world.server.connection);
    assert_int_equal(world.server.closed_count, 0);
    run_for(&world, 5);
    assert_int_equal(world.server.closed_count, 1);
    char byte;
    assert_int_equal(recv(client, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(client);
    world_clear(&world);
}

static void paused_connection_receives_nothing_until_resumed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 5);
    net_connection_pause(world.server.connection, true);
    assert_int_equal(send(client, "wait", 4, 0), 4);
    run_for(&world, 20);
    assert_int_equal(world.server.in_size, 0);
    net_connection_pause(world.server.connection, false);
    run_for(&world, 20);
    assert_int_equal(world.server.in_size, 4);
    close(client);
    world_clear(&world);
}

static void connections_beyond_the_limit_are_reset_and_counted(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 2);
    int clients[4];
    for (size_t i = 0; i < 4; i++) {
        clients[i] = plain_client(net_listener_port(world.listener));
    }
    run_for(&world, 20);
    assert_int_equal(world.accepted_count, 2);
    assert_int_equal(net_listener_connections(world.listener), 2);
    assert_int_equal(net_listener_refused_count(world.listener), 2);
    char byte;
    assert_int_equal(recv(clients[3], &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(clients[0]);
    run_for(&world, 20);
    int next = plain_client(net_listener_port(world.listener));
    run_for(&world, 20);
    assert_int_equal(world.accepted_count, 3);
    close(next);
    for (size_t i = 1; i < 4; i++) {
        close(clients[i]);
    }
    world_clear(&world);
}

static void connection_refused_by_its_receiver_tells_nothing(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    world.resets_accepted = true;
    int client = plain_client(net_listener_port(world.listener));
    run_for(&world, 20);
    assert_int_equal(world.accepted_count, 1);
    assert_int_equal(net_listener_connections(world.listener), 0);
    close(client);
    world_clear(&world);
}

static void lack_of_descriptors_refuses_newcomers_and_keeps_the_rest(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct world world;
    struct rlimit small = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    world_init(&world, "127.0.0.1:0", 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    int clients[80];
    for (size_t i = 0; i < 80; i++) { // their descriptors fill the numbers below the reserve
        clients[i] = plain_client(net_listener_port(world.listener));
    }
    run_for(&world, 20);
    assert_int_equal(world.accepted_count, 0);
    assert_int_equal(net_listener_refused_count(world.listener), 80);
    for (size_t i = 0; i < 80; i++) {
        close(clients[i]);
    }
    run_for(&world, 5);
    world.is_echo = true;
    bytes_go_there_and_back(&world, "127.0.0.1", net_listener_port(world.listener));
    world_clear(&world);
}

static void loop_that_is_freed_ends_what_is_open(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    bytes_go_there_and_back(&world, "127.0.0.1", net_listener_port(world.listener));
    world_clear(&world);
    assert_int_equal(world.client.closed_count, 1);
    assert_int_equal(world.server.closed_count, 1);
    assert_string_equal(world.server.reason, "the node stops");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_over_ipv4_knows_the_peer),
        cmocka_unit_test(echo_over_ipv6_knows_the_peer),
        cmocka_unit_test(star_listens_for_both_families),
        cmocka_unit_test(unix_socket_is_private_and_removed),
        cmocka_unit_test(socket_of_a_dead_process_is_replaced_but_no_other_file),
        cmocka_unit_test(errors_of_listening_say_what_to_do),
        cmocka_unit_test(refused_connection_is_told_as_closed),
        cmocka_unit_test(connecting_goes_on_to_the_next_address_of_a_name),
        cmocka_unit_test(dialing_ends_at_its_timeout_and_may_be_ended_before),
        cmocka_unit_test(slow_reader_is_queued_then_drained),
        cmocka_unit_test(peer_that_never_reads_is_reset_at_the_cap),
        cmocka_unit_test(close_delivers_the_last_words_to_a_peer_that_still_talks),
        cmocka_unit_test(peer_that_ends_its_sending_side_still_gets_queued_answers),
        cmocka_unit_test(reset_drops_at_once),
        cmocka_unit_test(paused_connection_receives_nothing_until_resumed),
        cmocka_unit_test(connections_beyond_the_limit_are_reset_and_counted),
        cmocka_unit_test(connection_refused_by_its_receiver_tells_nothing),
        cmocka_unit_test(lack_of_descriptors_refuses_newcomers_and_keeps_the_rest),
        cmocka_unit_test(loop_that_is_freed_ends_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
