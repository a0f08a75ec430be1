#include "node/net/internal.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void net_address_from_socket(const struct sockaddr *from, struct net_address *to)
{
    memset(to, 0, sizeof(*to));
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof(v4));
        memcpy(to->ip, v4_prefix, 12);
        memcpy(to->ip + 12, &v4.sin_addr, 4);
        to->port = ntohs(v4.sin_port);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof(v6));
        memcpy(to->ip, &v6.sin6_addr, 16);
        to->port = ntohs(v6.sin6_port);
    } else {
        to->is_unix = true;
    }
}

bool net_address_to_socket(const struct net_address *from, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof(*to));
    if (from->is_unix) {
        return false;
    }
    if (memcmp(from->ip, v4_prefix, 12) == 0) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(from->port)};
        memcpy(&v4.sin_addr, from->ip + 12, 4);
        memcpy(to, &v4, sizeof(v4));
        return true;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(from->port)};
    memcpy(&v6.sin6_addr, from->ip, 16);
    memcpy(to, &v6, sizeof(v6));
    return true;
}

void net_address_to_text(const struct net_address *address, char out[NET_ADDRESS_TEXT_SIZE])
{
    char ip[INET6_ADDRSTRLEN] = "";
    if (address->is_unix) {
        snprintf(out, NET_ADDRESS_TEXT_SIZE, "unix");
    } else if (memcmp(address->ip, v4_prefix, 12) == 0) {
        inet_ntop(AF_INET, address->ip + 12, ip, sizeof(ip));
        snprintf(out, NET_ADDRESS_TEXT_SIZE, "%s:%u", ip, (unsigned)address->port);
    } else {
        inet_ntop(AF_INET6, address->ip, ip, sizeof(ip));
        snprintf(out, NET_ADDRESS_TEXT_SIZE, "[%s]:%u", ip, (unsigned)address->port);
    }
}

// Decimal digits only, 0..65535.
static bool parse_port(const char *text, int *port)
{
    if (*text == '\0' || strlen(text) > 5) {
        return false;
    }
    *port = 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        *port = *port * 10 + (*text - '0');
    }
    return *port <= 65535;
}

bool net_target_parse(const char *text, struct net_target *target)
{
    memset(target, 0, sizeof(*target));
    if (strncmp(text, "unix:", 5) == 0) {
        target->path = text + 5;
        return text[5] != '\0';
    }
    const char *colon = strrchr(text, ':');
    int port = 0;
    if (colon == NULL || !parse_port(colon + 1, &port)) {
        return false;
    }
    char host[INET6_ADDRSTRLEN + 2];
    size_t size = (size_t)(colon - text);
    if (size == 0 || size >= sizeof(host)) {
        return false;
    }
    memcpy(host, text, size);
    host[size] = '\0';
    if (strcmp(host, "*") == 0) {
        target->is_any_family = true;
        return uv_ip6_addr("::", port, (struct sockaddr_in6 *)&target->address) == 0;
    }
    if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        return uv_ip6_addr(host + 1, port, (struct sockaddr_in6 *)&target->address) == 0;
    }
    return uv_ip4_addr(host, port, (struct sockaddr_in *)&target->address) == 0;
}
