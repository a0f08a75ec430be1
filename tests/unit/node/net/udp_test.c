// Datagram sockets on loopback: both families, refusals, drops, and a flood that must leave room.
#include "node/net/udp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/net/internal.h"

#define GUARD_MS 5000

struct world {
    struct net_loop *loop;
    struct net_timer *guard;
    size_t wanted; // the run ends with so many datagrams
    size_t received_count;
    size_t turn_count; // in this turn
    size_t turn_most;
    uint8_t data[2048]; // of the last
    size_t size;
    struct net_address from;
};

static void on_guard(void *context, struct now now)
{
    struct world *world = context;
    (void)now;
    net_loop_stop(world->loop);
}

static void on_received(void *context, const struct net_address *from, const uint8_t *data,
                        size_t size)
{
    struct world *world = context;
    assert_true(size <= sizeof(world->data));
    memcpy(world->data, data, size);
    world->size = size;
    world->from = *from;
    world->received_count++;
    world->turn_count++;
    if (world->turn_count > world->turn_most)
        world->turn_most = world->turn_count;
    if (world->received_count == world->wanted)
        net_loop_stop(world->loop);
}

static void on_turn_ended(void *context, struct now now)
{
    struct world *world = context;
    (void)now;
    world->turn_count = 0;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->loop = net_loop_new();
    world->guard = net_timer_new(world->loop, on_guard, world);
    net_loop_each_turn(world->loop, on_turn_ended, world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    net_timer_free(world->guard);
    net_loop_free(world->loop);
    free(world);
    return 0;
}

static void run_until(struct world *world, size_t wanted)
{
    world->wanted = wanted;
    net_timer_start(world->guard, (struct mono_time){net_loop_now(world->loop).mono.ms + GUARD_MS});
    net_loop_run(world->loop);
    assert_int_equal(world->received_count, wanted);
}

static struct net_udp *open_udp(struct world *world, const char *address)
{
    char error[NET_ERROR_SIZE] = "";
    struct net_udp *udp = net_udp_open(world->loop, address, on_received, world, error);
    if (udp == NULL)
        fail_msg("%s", error);
    return udp;
}

static struct net_address address_of(const char *text)
{
    struct net_target target;
    struct net_address address;
    assert_true(net_target_parse(text, &target));
    net_address_from_socket((const struct sockaddr *)&target.address, &address);
    return address;
}

static struct net_address loopback(const struct net_udp *udp, bool is_ipv6)
{
    char text[32];
    snprintf(text, sizeof(text), is_ipv6 ? "[::1]:%u" : "127.0.0.1:%u",
             (unsigned)net_udp_port(udp));
    return address_of(text);
}

static void datagram_arrives_with_its_sender(void **state)
{
    struct world *world = *state;
    struct net_udp *a = open_udp(world, "127.0.0.1:0"), *b = open_udp(world, "0.0.0.0:0");
    struct net_address to = loopback(b, false);
    assert_int_not_equal(net_udp_port(a), 0);
    net_udp_send(a, &to, "hello", 5);
    run_until(world, 1);
    assert_int_equal(world->size, 5);
    assert_memory_equal(world->data, "hello", 5);
    char from[NET_ADDRESS_TEXT_SIZE], expected[NET_ADDRESS_TEXT_SIZE];
    struct net_address own = loopback(a, false);
    net_address_to_text(&world->from, from);
    net_address_to_text(&own, expected);
    assert_string_equal(from, expected);
    assert_int_equal(net_udp_stats(a).sent, 1);
    assert_int_equal(net_udp_stats(b).received, 1);
    net_udp_close(a);
    net_udp_close(b);
}

static void both_families_have_the_same_port(void **state)
{
    struct world *world = *state;
    struct net_udp *v4 = open_udp(world, "0.0.0.0:0");
    char address[32], error[NET_ERROR_SIZE];
    snprintf(address, sizeof(address), "[::]:%u", (unsigned)net_udp_port(v4));
    struct net_udp *v6 = net_udp_open(world->loop, address, on_received, world, error);
    if (v6 == NULL) { // only where the machine has no IPv6
        assert_non_null(strstr(error, "no IPv6"));
        net_udp_close(v4);
        skip();
    }
    struct net_address to_v6 = loopback(v6, true), to_v4 = loopback(v4, false);
    net_udp_send(v6, &to_v6, "six", 3);
    net_udp_send(v4, &to_v4, "four", 4);
    run_until(world, 2);
    assert_int_equal(net_udp_stats(v4).received, 1);
    assert_int_equal(net_udp_stats(v6).received, 1);
    net_udp_close(v4);
    net_udp_close(v6);
}

static void other_family_is_counted_and_dropped(void **state)
{
    struct world *world = *state;
    struct net_udp *v4 = open_udp(world, "127.0.0.1:0");
    struct net_address v6 = address_of("[::1]:9"), none = {.is_unix = true};
    net_udp_send(v4, &v6, "x", 1);
    net_udp_send(v4, &none, "x", 1);
    assert_int_equal(net_udp_stats(v4).failures, 2);
    assert_int_equal(net_udp_stats(v4).sent, 0);
    net_udp_close(v4);
}

static void datagram_that_does_not_fit_is_counted_and_dropped(void **state)
{
    struct world *world = *state;
    struct net_udp *udp = open_udp(world, "127.0.0.1:0");
    struct net_address to = loopback(udp, false);
    uint8_t *large = calloc(1, 70000);
    net_udp_send(udp, &to, large, 70000);
    assert_int_equal(net_udp_stats(udp).failures, 1);
    free(large);
    net_udp_close(udp);
}

static void flood_is_taken_in_portions(void **state)
{
    struct world *world = *state;
    struct net_udp *a = open_udp(world, "127.0.0.1:0"), *b = open_udp(world, "127.0.0.1:0");
    struct net_address to = loopback(b, false);
    for (int i = 0; i < 100; i++)
        net_udp_send(a, &to, "flood", 5);
    assert_int_equal(net_udp_stats(a).sent, 100);
    run_until(world, 100);
    assert_int_equal(world->turn_most, NET_UDP_TURN_DATAGRAMS);
    net_udp_close(a);
    net_udp_close(b);
}

static void address_nobody_can_bind_is_refused_with_a_sentence(void **state)
{
    struct world *world = *state;
    static const char *const addresses[][2] = {
        {"*:8400", "0.0.0.0:8400"},
        {"unix:/tmp/x", "0.0.0.0:8400"},
        {"somewhere", "0.0.0.0:8400"},
        {"192.0.2.1:0", "no such address"},
    };
    char error[NET_ERROR_SIZE];
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_null(net_udp_open(world->loop, addresses[i][0], on_received, world, error));
        assert_non_null(strstr(error, addresses[i][0]));
        assert_non_null(strstr(error, addresses[i][1]));
    }
    struct net_udp *first = open_udp(world, "127.0.0.1:0");
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)net_udp_port(first));
    assert_null(net_udp_open(world->loop, address, on_received, world, error));
    assert_non_null(strstr(error, "another program"));
    net_udp_close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(datagram_arrives_with_its_sender, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_families_have_the_same_port, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_family_is_counted_and_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(datagram_that_does_not_fit_is_counted_and_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(flood_is_taken_in_portions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(address_nobody_can_bind_is_refused_with_a_sentence, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
