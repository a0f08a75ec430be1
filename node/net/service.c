#include "node/net/service.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// "/path", or "@name" for a socket without a file. False if it is neither.
static bool to_address(const char *path, struct sockaddr_un *address, socklen_t *size)
{
    size_t path_size = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || path[1] == '\0' ||
        path_size >= sizeof(address->sun_path))
        return false;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, path_size);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_size);
    return true;
}

bool net_service_tell(const char *lines)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size;
    if (path == NULL || path[0] == '\0')
        return true;
    if (!to_address(path, &address, &size))
        return false;
    int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return false;
    // A manager that does not read must not stop the loop.
    ssize_t sent = sendto(file, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT,
                          (const struct sockaddr *)&address, size);
    close(file);
    return sent == (ssize_t)strlen(lines);
}

// A whole number, all of it; -1 if it is none.
static int64_t variable_number(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? number : -1;
}

int64_t net_service_watchdog_ms(void)
{
    int64_t wait_us = variable_number("WATCHDOG_USEC"), pid = variable_number("WATCHDOG_PID");
    // The variables of a parent are not meant for us.
    if (wait_us < 1000 || (pid >= 0 && pid != getpid()))
        return 0;
    return wait_us / 1000;
}
