// Port mappings against a router of the test's own, that speaks just enough of UPnP.
#include "node/net/port_map.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/support/fake_daemon_http.h"

#define GUARD_MS     8000
#define MAPPINGS_MAX 8

struct mapping {
    unsigned outside;
    char protocol[4];
    unsigned inside;
    unsigned lease;
};

struct world {
    struct net_loop *loop;
    struct fake_http *router;
    struct net_port_map *map;
    struct net_timer *guard;
    char url[64];
    // The router
    struct mapping mappings[MAPPINGS_MAX];
    size_t mappings_count;
    unsigned added_count, removed_count;
    unsigned taken_port;    // given away already
    unsigned udp_error;     // for every mapping of UDP; 0: none
    bool is_only_permanent; // refuses leases
    bool is_disconnected;   // from the internet
    bool is_hanging;
    const char *outside; // its address
    unsigned stop_when_added, stop_when_removed;
    // What was told
    int mapped_count, failed_count;
    struct net_address told;
    char reason[256];
};

// ---- The router

static const char description[] =
    "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device>"
    "<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList>"
    "<device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><serviceList><service>"
    "<serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>"
    "<controlURL>/cic</controlURL></service></serviceList><deviceList><device>"
    "<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList>"
    "<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>"
    "<controlURL>/control</controlURL></service></serviceList></device></deviceList></device>"
    "</deviceList></device></root>";

static void answer(struct fake_http_exchange *exchange, const char *name, const char *inside)
{
    char body[1024];
    int size = snprintf(body, sizeof(body),
                        "<?xml version=\"1.0\"?><s:Envelope><s:Body><u:%sResponse "
                        "xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:1\">%s"
                        "</u:%sResponse></s:Body></s:Envelope>",
                        name, inside, name);
    fake_http_answer(exchange, 200, body, (size_t)size);
}

static void refuse(struct fake_http_exchange *exchange, unsigned code)
{
    char body[512];
    int size = snprintf(body, sizeof(body),
                        "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>%u</errorCode>"
                        "<errorDescription>no</errorDescription></UPnPError></detail></s:Fault>"
                        "</s:Body></s:Envelope>",
                        code);
    fake_http_answer(exchange, 500, body, (size_t)size);
}

static unsigned number_in(const char *body, const char *name)
{
    char tag[64];
    snprintf(tag, sizeof(tag), "<%s>", name);
    const char *at = strstr(body, tag);
    assert_non_null(at);
    return (unsigned)strtoul(at + strlen(tag), NULL, 10);
}

static struct mapping mapping_of(const char *body)
{
    struct mapping mapping = {.outside = number_in(body, "NewExternalPort")};
    const char *protocol = strstr(body, "<NewProtocol>");
    assert_non_null(protocol);
    snprintf(mapping.protocol, sizeof(mapping.protocol), "%.3s", protocol + 13);
    return mapping;
}

static void add(struct world *world, struct fake_http_exchange *exchange, const char *body)
{
    struct mapping mapping = mapping_of(body);
    mapping.inside = number_in(body, "NewInternalPort");
    mapping.lease = number_in(body, "NewLeaseDuration");
    bool is_udp = strcmp(mapping.protocol, "UDP") == 0;
    if (mapping.outside == world->taken_port) {
        refuse(exchange, 718);
        return;
    }
    if ((is_udp && world->udp_error != 0) || (world->is_only_permanent && mapping.lease != 0)) {
        refuse(exchange, is_udp && world->udp_error != 0 ? world->udp_error : 725);
        return;
    }
    assert_non_null(strstr(body, "<NewInternalClient>127.0.0.1<"));
    assert_true(world->mappings_count < MAPPINGS_MAX);
    world->mappings[world->mappings_count++] = mapping;
    world->added_count++;
    answer(exchange, "AddPortMapping", "");
    if (world->added_count == world->stop_when_added)
        net_loop_stop(world->loop);
}

static void take_away(struct world *world, struct fake_http_exchange *exchange, const char *body)
{
    struct mapping wanted = mapping_of(body);
    for (size_t i = 0; i < world->mappings_count; i++) {
        struct mapping *mapping = &world->mappings[i];
        if (mapping->outside != wanted.outside || strcmp(mapping->protocol, wanted.protocol) != 0)
            continue;
        *mapping = world->mappings[--world->mappings_count];
        world->removed_count++;
        break;
    }
    answer(exchange, "DeletePortMapping", "");
    if (world->removed_count == world->stop_when_removed)
        net_loop_stop(world->loop);
}

static void on_request(void *context, struct fake_http_exchange *exchange,
                       const struct fake_http_request *request)
{
    struct world *world = context;
    char address[128];
    snprintf(address, sizeof(address), "<NewExternalIPAddress>%s</NewExternalIPAddress>",
             world->outside);
    if (world->is_hanging) {
        fake_http_misbehave(exchange, FAULT_HANG);
        net_loop_stop(world->loop);
    } else if (strcmp(request->method, "GET") == 0)
        fake_http_answer(exchange, 200, description, sizeof(description) - 1);
    else if (strstr(request->body, "GetStatusInfo") != NULL)
        answer(exchange, "GetStatusInfo",
               world->is_disconnected
                   ? "<NewConnectionStatus>Disconnected</NewConnectionStatus><NewUptime>0"
                     "</NewUptime><NewLastConnectionError>none</NewLastConnectionError>"
                   : "<NewConnectionStatus>Connected</NewConnectionStatus><NewUptime>9"
                     "</NewUptime><NewLastConnectionError>none</NewLastConnectionError>");
    else if (strstr(request->body, "GetExternalIPAddress") != NULL)
        answer(exchange, "GetExternalIPAddress", address);
    else if (strstr(request->body, "AddPortMapping") != NULL)
        add(world, exchange, request->body);
    else if (strstr(request->body, "DeletePortMapping") != NULL)
        take_away(world, exchange, request->body);
    else
        refuse(exchange, 401);
}

// ---- The node

static void on_mapped(void *context, const struct net_address *outside)
{
    struct world *world = context;
    world->mapped_count++;
    world->told = *outside;
    if (world->stop_when_added == 0)
        net_loop_stop(world->loop);
}

static void on_failed(void *context, const char *reason)
{
    struct world *world = context;
    world->failed_count++;
    snprintf(world->reason, sizeof(world->reason), "%s", reason);
    net_loop_stop(world->loop);
}

static void on_guard(void *context, struct now now)
{
    struct world *world = context;
    (void)now;
    net_loop_stop(world->loop);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->loop = net_loop_new();
    world->guard = net_timer_new(world->loop, on_guard, world);
    world->outside = "203.0.113.77";
    struct fake_http_options options = {.handler = on_request, .context = world};
    world->router = fake_http_new(world->loop, &options);
    snprintf(world->url, sizeof(world->url), "http://127.0.0.1:%u/root.xml",
             (unsigned)fake_http_port(world->router));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    net_port_map_free(world->map);
    fake_http_free(world->router);
    net_timer_free(world->guard);
    net_loop_free(world->loop);
    free(world);
    return 0;
}

static void begin(struct world *world, uint32_t lease_s)
{
    struct net_port_map_options options = {
        .port = 8400,
        .lease_s = lease_s,
        .router_url = world->url,
        .events = {.context = world, .mapped = on_mapped, .failed = on_failed},
    };
    world->map = net_port_map_new(world->loop, &options);
    assert_non_null(world->map);
}

static void run_until_stopped(struct world *world)
{
    int64_t begin_ms = net_loop_now(world->loop).mono.ms;
    net_timer_start(world->guard, (struct mono_time){begin_ms + GUARD_MS});
    net_loop_run(world->loop);
    assert_true(net_loop_now(world->loop).mono.ms < begin_ms + GUARD_MS);
}

static void assert_outside(const struct world *world, const char *expected)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    net_address_to_text(&world->told, text);
    assert_string_equal(text, expected);
}

static void both_protocols_are_led_here_and_taken_away_at_the_end(void **state)
{
    struct world *world = *state;
    begin(world, 0);
    run_until_stopped(world);
    assert_outside(world, "203.0.113.77:8400");
    assert_int_equal(world->mappings_count, 2);
    assert_int_equal(world->mappings[0].inside, 8400);
    assert_int_equal(world->mappings[0].lease, NET_PORT_MAP_LEASE_S);
    assert_string_equal(world->mappings[0].protocol, "TCP");
    assert_string_equal(world->mappings[1].protocol, "UDP");
    world->stop_when_removed = 2;
    net_port_map_stop(world->map);
    run_until_stopped(world);
    assert_int_equal(world->mappings_count, 0);
}

static void lease_is_renewed_at_half_its_time(void **state)
{
    struct world *world = *state;
    world->stop_when_added = 4; // two for the first time, two for the second
    begin(world, 1);
    run_until_stopped(world);
    assert_int_equal(world->mapped_count, 1); // nothing changed
}

static void taken_port_is_passed_over(void **state)
{
    struct world *world = *state;
    world->taken_port = 8400;
    begin(world, 0);
    run_until_stopped(world);
    assert_outside(world, "203.0.113.77:8401");
    assert_int_equal(world->mappings[0].inside, 8400);
}

static void router_that_knows_no_leases_gets_none(void **state)
{
    struct world *world = *state;
    world->is_only_permanent = true;
    begin(world, 0);
    run_until_stopped(world);
    assert_int_equal(world->mapped_count, 1);
    assert_int_equal(world->mappings_count, 2);
    assert_int_equal(world->mappings[1].lease, 0);
}

static void half_a_mapping_is_none(void **state)
{
    struct world *world = *state;
    world->udp_error = 501;
    begin(world, 0);
    run_until_stopped(world);
    assert_int_equal(world->mapped_count, 0);
    assert_int_equal(world->mappings_count, 0); // that of TCP was taken away
    assert_non_null(strstr(world->reason, "501"));
}

static void router_without_a_connection_is_said(void **state)
{
    struct world *world = *state;
    world->is_disconnected = true;
    begin(world, 0);
    run_until_stopped(world);
    assert_non_null(strstr(world->reason, "not connected"));
}

static void router_with_an_address_that_is_none_is_said(void **state)
{
    struct world *world = *state;
    world->outside = "300.1.2.3";
    begin(world, 0);
    run_until_stopped(world);
    assert_int_equal(world->mapped_count, 0);
    assert_int_equal(world->mappings_count, 0);
    assert_int_equal(world->failed_count, 1);
}

static void router_that_is_not_there_is_said(void **state)
{
    struct world *world = *state;
    fake_http_free(world->router);
    world->router = NULL;
    begin(world, 0);
    run_until_stopped(world);
    assert_non_null(strstr(world->reason, "no router answered"));
}

static void nobody_waits_for_a_router_that_hangs(void **state)
{
    struct world *world = *state;
    world->is_hanging = true;
    begin(world, 0);
    run_until_stopped(world);
    // The thread waits for the answer to its first request, and will for a while.
    net_port_map_stop(world->map);
    net_port_map_free(world->map);
    world->map = NULL;
    assert_int_equal(world->mapped_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_protocols_are_led_here_and_taken_away_at_the_end,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(lease_is_renewed_at_half_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taken_port_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(router_that_knows_no_leases_gets_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_mapping_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(router_without_a_connection_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(router_with_an_address_that_is_none_is_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(router_that_is_not_there_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_waits_for_a_router_that_hangs, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
