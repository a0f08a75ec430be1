// Names to addresses, as far as no name server is needed.
#include "node/net/resolve.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct answer {
    struct net_loop *loop;
    int calls;
    size_t count;
    char text[NET_RESOLVED_MAX][NET_ADDRESS_TEXT_SIZE];
    char reason[128];
};

static void on_resolved(void *context, const struct net_address *addresses, size_t count,
                        const char *reason)
{
    struct answer *answer = context;
    answer->calls++;
    answer->count = count;
    for (size_t i = 0; i < count; i++)
        net_address_to_text(&addresses[i], answer->text[i]);
    snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

static struct answer resolve(const char *host, uint16_t port)
{
    struct answer answer = {.loop = net_loop_new()};
    assert_non_null(net_resolve_begin(answer.loop, host, port, on_resolved, &answer));
    assert_int_equal(answer.calls, 0);
    net_loop_run(answer.loop);
    net_loop_free(answer.loop);
    assert_int_equal(answer.calls, 1);
    return answer;
}

static void literal_is_its_own_address(void **state)
{
    (void)state;
    struct answer answer = resolve("127.0.0.9", 8400);
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.text[0], "127.0.0.9:8400");
    answer = resolve("2001:db8::1", 1);
    assert_int_equal(answer.count, 1);
    assert_string_equal(answer.text[0], "[2001:db8::1]:1");
}

static void name_in_the_hosts_file_is_found_once_per_address(void **state)
{
    (void)state;
    struct answer answer = resolve("localhost", 7);
    assert_true(answer.count >= 1);
    for (size_t i = 0; i < answer.count; i++) {
        assert_true(strcmp(answer.text[i], "127.0.0.1:7") == 0 ||
                    strcmp(answer.text[i], "[::1]:7") == 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(answer.text[i], answer.text[j]);
    }
}

static void what_cannot_be_a_name_is_refused(void **state)
{
    (void)state;
    struct net_loop *loop = net_loop_new();
    char name[300];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_null(net_resolve_begin(loop, name, 1, on_resolved, NULL));
    net_loop_free(loop);
}

static void cancelled_request_is_never_answered(void **state)
{
    (void)state;
    struct answer answer = {.loop = net_loop_new()};
    struct net_resolve *resolve =
        net_resolve_begin(answer.loop, "127.0.0.1", 1, on_resolved, &answer);
    net_resolve_cancel(resolve);
    net_loop_free(answer.loop);
    assert_int_equal(answer.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literal_is_its_own_address),
        cmocka_unit_test(name_in_the_hosts_file_is_found_once_per_address),
        cmocka_unit_test(what_cannot_be_a_name_is_refused),
        cmocka_unit_test(cancelled_request_is_never_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
