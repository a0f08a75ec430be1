#include "node/config_check.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"

static bool fail(char wrong[CONFIG_MESSAGE_SIZE], const char *text)
{
    snprintf(wrong, CONFIG_MESSAGE_SIZE, "%s", text);
    return false;
}

bool config_parse_count(const char *text, uint64_t max, uint64_t *value)
{
    *value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return false;
        *value = *value * 10 + (uint64_t)(*c - '0');
        if (*value > max)
            return false;
    }
    return text[0] != '\0';
}

// IPv6 stands in brackets, so that the port is told apart from it.
static bool is_ip(const char *text, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    uint8_t bytes[sizeof(struct in6_addr)];
    bool is_v6 = size > 2 && text[0] == '[' && text[size - 1] == ']';
    if (is_v6) {
        text++;
        size -= 2;
    }
    if (size >= sizeof(ip))
        return false;
    memcpy(ip, text, size);
    ip[size] = '\0';
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, ip, bytes) == 1;
}

bool config_check_address(const char *value, char wrong[CONFIG_MESSAGE_SIZE])
{
    if (strncmp(value, "unix:", 5) == 0)
        return value[5] != '\0' || fail(wrong, "names no path behind unix:");
    const char *colon = strrchr(value, ':');
    uint64_t port;
    if (colon == NULL || colon == value)
        return fail(wrong, "is no address with a port");
    if (!config_parse_count(colon + 1, 65535, &port))
        return fail(wrong, "has no port from 0 to 65535");
    return is_ip(value, (size_t)(colon - value)) ||
           fail(wrong, "has no IP address before the port");
}

bool config_check_url(const char *value, char wrong[CONFIG_MESSAGE_SIZE])
{
    bool is_http = strncmp(value, "http://", 7) == 0;
    bool is_https = strncmp(value, "https://", 8) == 0;
    const char *host = value + (is_https ? 8 : 7);
    if ((!is_http && !is_https) || *host == '\0')
        return fail(wrong, "is no url that begins with http:// or https://");
    const char *end = host + strcspn(host, "/?#");
    const char *at = memrchr(host, '@', (size_t)(end - host));
    host = at == NULL ? host : at + 1;
    const char *colon = memrchr(host, ':', (size_t)(end - host));
    const char *bracket = memrchr(host, ']', (size_t)(end - host));
    bool has_port = colon != NULL && (bracket == NULL || colon > bracket);
    char port[6] = "";
    uint64_t number;
    if (host == (has_port ? colon : end))
        return fail(wrong, "names no host");
    if (has_port && end - colon - 1 < (ptrdiff_t)sizeof(port))
        memcpy(port, colon + 1, (size_t)(end - colon - 1));
    if (has_port && (!config_parse_count(port, 65535, &number) || number == 0))
        return fail(wrong, "has no port from 1 to 65535");
    return true;
}

bool config_check_socket(const char *value, char wrong[CONFIG_MESSAGE_SIZE])
{
    const char *colon = strrchr(value, ':');
    if (strncmp(value, "unix:", 5) == 0)
        return fail(wrong, "is no address that others can reach");
    if (!config_check_address(value, wrong))
        return false;
    return strtoul(colon + 1, NULL, 10) != 0 || fail(wrong, "has no port from 1 to 65535");
}

bool config_check_public(const char *value, char wrong[CONFIG_MESSAGE_SIZE])
{
    return is_ip(value, strlen(value)) || config_check_socket(value, wrong);
}

// ---- Seeds

// host[:port] of the text before the slash; IPv6 in brackets.
static bool parse_host(const char *text, size_t size, struct seed_name *seed, const char **wrong)
{
    const char *colon = memrchr(text, ':', size);
    char port[6] = "";
    uint64_t number = 0;
    *wrong = "has no port from 1 to 65535";
    if (colon == NULL || text + size - colon - 1 >= (ptrdiff_t)sizeof(port))
        return false;
    memcpy(port, colon + 1, (size_t)(text + size - colon - 1));
    if (!config_parse_count(port, 65535, &number) || number == 0)
        return false;
    size = (size_t)(colon - text);
    bool is_ipv6 = size > 2 && text[0] == '[' && text[size - 1] == ']';
    *wrong = "names no host before the port";
    if (is_ipv6 ? !is_ip(text, size) : memchr(text, ':', size) != NULL)
        return false;
    text += is_ipv6 ? 1 : 0;
    size -= is_ipv6 ? 2 : 0;
    if (size == 0 || size >= sizeof(seed->host))
        return false;
    memcpy(seed->host, text, size);
    seed->host[size] = '\0';
    seed->port = (uint16_t)number;
    return strcspn(seed->host, " \t@[]") == size;
}

bool seed_name_parse(const char *text, struct seed_name *seed, const char **wrong)
{
    const char *slash = strrchr(text, '/');
    memset(seed, 0, sizeof(*seed));
    *wrong = "has no key behind a slash";
    if (slash == NULL || !parse_host(text, (size_t)(slash - text), seed, wrong))
        return false;
    *wrong = "has no key of 64 hex digits behind the slash";
    return hex_decode(slash + 1, strlen(slash + 1), seed->key, sizeof(seed->key));
}

bool config_check_seed(const char *value, char wrong[CONFIG_MESSAGE_SIZE])
{
    struct seed_name seed;
    const char *text;
    return seed_name_parse(value, &seed, &text) || fail(wrong, text);
}

bool config_parse_secret(const char *text, uint8_t secret[CONFIG_SECRET_SIZE])
{
    uint8_t any = 0;
    if (!hex_decode(text, strlen(text), secret, CONFIG_SECRET_SIZE))
        return false;
    for (size_t i = 0; i < CONFIG_SECRET_SIZE; i++)
        any |= secret[i];
    return any != 0;
}
