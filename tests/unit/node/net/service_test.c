#include "node/net/service.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

// A manager's socket; `name` as in NOTIFY_SOCKET, which is set to it.
static int manager_open(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);
    memcpy(address.sun_path, name, size);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(file >= 0);
    assert_int_equal(bind(file, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    return file;
}

static void assert_told(int file, const char *lines)
{
    char text[128];
    ssize_t size = recv(file, text, sizeof(text) - 1, 0);
    assert_true(size >= 0);
    text[size] = '\0';
    assert_string_equal(text, lines);
}

static void manager_hears_what_it_is_told(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof(path), "/tmp/shoal-notify-%d", (int)getpid());
    int file = manager_open(path);
    assert_true(net_service_tell("READY=1\nSTATUS=running"));
    assert_told(file, "READY=1\nSTATUS=running");
    assert_true(net_service_tell("WATCHDOG=1"));
    assert_told(file, "WATCHDOG=1");
    close(file);
    unlink(path);
    assert_false(net_service_tell("READY=1"));
}

static void socket_without_a_file_is_reached(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "@shoal-notify-%d", (int)getpid());
    int file = manager_open(name);
    assert_true(net_service_tell("READY=1"));
    assert_told(file, "READY=1");
    close(file);
}

static void without_a_manager_nothing_happens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_true(net_service_tell("READY=1"));
    setenv("NOTIFY_SOCKET", "", 1);
    assert_true(net_service_tell("READY=1"));
}

static void address_that_is_none_is_a_failure(void **state)
{
    (void)state;
    char longer[200];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    const char *const wrong[] = {"relative", "/", "@", "vsock:2:1234", longer};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("NOTIFY_SOCKET", wrong[i], 1);
        assert_false(net_service_tell("READY=1"));
    }
}

static void manager_that_does_not_read_stops_nobody(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "@shoal-notify-full-%d", (int)getpid());
    int file = manager_open(name);
    bool is_full = false;
    for (int i = 0; i < 100000 && !is_full; i++)
        is_full = !net_service_tell("WATCHDOG=1");
    assert_true(is_full);
    close(file);
}

static void watchdog_is_only_for_the_process_that_is_meant(void **state)
{
    (void)state;
    char pid[32];
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(net_service_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "60000000", 1);
    assert_int_equal(net_service_watchdog_ms(), 60000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(net_service_watchdog_ms(), 0);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(net_service_watchdog_ms(), 60000);
    const char *const wrong[] = {"", "soon", "-5", "999999999999999999999", "5s", "999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("WATCHDOG_USEC", wrong[i], 1);
        assert_int_equal(net_service_watchdog_ms(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manager_hears_what_it_is_told),
        cmocka_unit_test(socket_without_a_file_is_reached),
        cmocka_unit_test(without_a_manager_nothing_happens),
        cmocka_unit_test(address_that_is_none_is_a_failure),
        cmocka_unit_test(manager_that_does_not_read_stops_nobody),
        cmocka_unit_test(watchdog_is_only_for_the_process_that_is_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
