// Connections, over real loopback sockets on one loop.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/net/tcp_world.h"

static void echo_over_ipv4_knows_the_peer(void **state)
{
    (void)state;
    struct world world;
    char text[NET_ADDRESS_TEXT_SIZE];
    world_init(&world, "127.0.0.1:0", 0);
    world_echo(&world, "127.0.0.1", net_listener_port(world.listener));
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
    world_echo(&world, "::1", net_listener_port(world.listener));
    net_address_to_text(net_connection_peer(world.server.connection), text);
    assert_memory_equal(text, "[::1]:", 6);
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
    world_run_for(&world, 1);
    world.stop_when_closed = &world.client;
    world_connect(&world, "127.0.0.1", port);
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
    world_echo(&world, "localhost", net_listener_port(world.listener));
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
        (void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
    }
    struct net_connect_options options = {
        .host = "127.0.0.1", .port = ntohs(address.sin_port), .timeout_ms = 100};
    struct side other = {.world = &world};
    struct side never = {.world = &world};
    net_connect(world.loop, &options, &side_events, &world.client);
    struct net_connection *early = net_connect(world.loop, &options, &side_events, &other);
    net_connection_close(early);
    options.timeout_ms = 60000;
    net_connect(world.loop, &options, &side_events, &never);
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

static void slow_reader_is_queued_then_drained(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    world_run_for(&world, 5);
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
            world_run_for(&world, 1);
            continue;
        }
        for (ssize_t i = 0; i < size && received + 3 < sent; i++, received++) {
            assert_int_equal(part[i], block[received % sizeof(block)]);
        }
        received = received + 3 >= sent ? sent : received;
    }
    world_run_for(&world, 5);
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
    world_run_for(&world, 5);
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
    world_run_for(&world, 5);
    // Unread bytes at our end would make a plain close() send a reset.
    assert_int_equal(send(client, "unread", 6, 0), 6);
    net_connection_write(world.server.connection, "last words", 10);
    net_connection_close(world.server.connection);
    world_run_for(&world, 20);
    assert_int_equal(send(client, "more", 4, MSG_NOSIGNAL), 4);
    world_run_for(&world, 20);
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
    world_run_for(&world, 5);
    static uint8_t block[1 << 18];
    size_t sent = 0;
    while (net_connection_queued(world.server.connection) == 0) {
        net_connection_write(world.server.connection, block, sizeof(block));
        sent += sizeof(block);
    }
    shutdown(client, SHUT_WR);
    world_run_for(&world, 20);
    assert_int_equal(world.server.closed_count, 0);
    size_t received = 0;
    for (;;) {
        ssize_t size = recv(client, block, sizeof(block), MSG_DONTWAIT);
        if (size == 0) {
            break;
        }
        if (size < 0) {
            assert_int_equal(errno, EAGAIN);
            world_run_for(&world, 1);
            continue;
        }
        received += (size_t)size;
    }
    assert_int_equal(received, sent);
    world_run_for(&world, 5);
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
    world_run_for(&world, 5);
    net_connection_reset(world.server.connection);
    net_connection_reset(world.server.connection); // again: nothing
    net_connection_close(world.server.connection);
    assert_int_equal(world.server.closed_count, 0);
    world_run_for(&world, 5);
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
    world_run_for(&world, 5);
    net_connection_pause(world.server.connection, true);
    assert_int_equal(send(client, "wait", 4, 0), 4);
    world_run_for(&world, 20);
    assert_int_equal(world.server.in_size, 0);
    net_connection_pause(world.server.connection, false);
    world_run_for(&world, 20);
    assert_int_equal(world.server.in_size, 4);
    close(client);
    world_clear(&world);
}

static void loop_that_is_freed_ends_what_is_open(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    world_echo(&world, "127.0.0.1", net_listener_port(world.listener));
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
        cmocka_unit_test(refused_connection_is_told_as_closed),
        cmocka_unit_test(connecting_goes_on_to_the_next_address_of_a_name),
        cmocka_unit_test(dialing_ends_at_its_timeout_and_may_be_ended_before),
        cmocka_unit_test(slow_reader_is_queued_then_drained),
        cmocka_unit_test(peer_that_never_reads_is_reset_at_the_cap),
        cmocka_unit_test(close_delivers_the_last_words_to_a_peer_that_still_talks),
        cmocka_unit_test(peer_that_ends_its_sending_side_still_gets_queued_answers),
        cmocka_unit_test(reset_drops_at_once),
        cmocka_unit_test(paused_connection_receives_nothing_until_resumed),
        cmocka_unit_test(loop_that_is_freed_ends_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
