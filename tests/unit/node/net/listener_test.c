// Listening: addresses, unix sockets, limits, and errors that say what to do.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/node/net/tcp_world.h"

static void star_listens_for_both_families(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "*:0", 0);
    world_echo(&world, "127.0.0.1", net_listener_port(world.listener));
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_to_text(net_connection_peer(world.server.connection), text);
    assert_memory_equal(text, "127.0.0.1:", 10); // not [::ffff:127.0.0.1]
    world_clear(&world);
}

static void each_family_has_a_listener_of_its_own_if_it_wants(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "0.0.0.0:0", 0);
    char address[32], error[NET_ERROR_SIZE] = "";
    snprintf(address, sizeof(address), "[::]:%u", (unsigned)net_listener_port(world.listener));
    struct net_listen_options options = {
        .address = address, .accepted = world_accept, .context = &world, .log = world.log};
    assert_null(net_listener_open(world.loop, &options, error));
    options.is_ipv6_only = true;
    struct net_listener *v6 = net_listener_open(world.loop, &options, error);
    if (v6 == NULL)
        assert_non_null(strstr(error, "no IPv6")); // of this machine, then
    net_listener_close(v6);
    world_clear(&world);
}

// Its address cannot be known any more: nobody is told of a connection from nowhere.
static void connection_that_was_reset_before_it_was_accepted_is_none(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, "127.0.0.1:0", 0);
    int client = plain_client(net_listener_port(world.listener));
    struct linger at_once = {.l_onoff = 1};
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(client);
    world_run_for(&world, 100);
    assert_int_equal(world.accepted_count, 0);
    assert_int_equal(net_listener_connections(world.listener), 0);
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
    world_echo(&world, address, 0);
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
        .address = address, .accepted = world_accept, .context = &world, .log = world.log};
    assert_null(net_listener_open(world.loop, &options, error));
    assert_non_null(strstr(error, "the file exists"));
    world_echo(&world, address, 0);
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
                                                   .accepted = world_accept,
                                                   .context = &world,
                                                   .log = world.log};
        assert_null(net_listener_open(world.loop, &options, error));
        if (strstr(error, cases[i].part) == NULL || strstr(error, cases[i].address) == NULL) {
            fail_msg("%s: %s", cases[i].address, error);
        }
    }
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
    world_run_for(&world, 20);
    assert_int_equal(world.accepted_count, 2);
    assert_int_equal(net_listener_connections(world.listener), 2);
    assert_int_equal(net_listener_refused_count(world.listener), 2);
    char byte;
    assert_int_equal(recv(clients[3], &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(clients[0]);
    world_run_for(&world, 20);
    int next = plain_client(net_listener_port(world.listener));
    world_run_for(&world, 20);
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
    world_run_for(&world, 20);
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
    world_run_for(&world, 20);
    assert_int_equal(world.accepted_count, 0);
    assert_int_equal(net_listener_refused_count(world.listener), 80);
    for (size_t i = 0; i < 80; i++) {
        close(clients[i]);
    }
    world_run_for(&world, 5);
    world.is_echo = true;
    world_echo(&world, "127.0.0.1", net_listener_port(world.listener));
    world_clear(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(star_listens_for_both_families),
        cmocka_unit_test(each_family_has_a_listener_of_its_own_if_it_wants),
        cmocka_unit_test(connection_that_was_reset_before_it_was_accepted_is_none),
        cmocka_unit_test(unix_socket_is_private_and_removed),
        cmocka_unit_test(socket_of_a_dead_process_is_replaced_but_no_other_file),
        cmocka_unit_test(errors_of_listening_say_what_to_do),
        cmocka_unit_test(connections_beyond_the_limit_are_reset_and_counted),
        cmocka_unit_test(connection_refused_by_its_receiver_tells_nothing),
        cmocka_unit_test(lack_of_descriptors_refuses_newcomers_and_keeps_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
