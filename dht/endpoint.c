#include "dht/endpoint.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct address address_ipv4(const uint8_t bytes[4])
{
    struct address address = {.family = ADDRESS_IPV4};
    memcpy(address.bytes, bytes, 4);
    return address;
}

struct address address_ipv6(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(bytes, mapped, sizeof mapped) == 0)
        return address_ipv4(bytes + sizeof mapped);
    struct address address = {.family = ADDRESS_IPV6};
    memcpy(address.bytes, bytes, 16);
    return address;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->address, &b->address);
}

struct address_group address_group(const struct address *address, unsigned bits_ipv4,
                                   unsigned bits_ipv6)
{
    assert(bits_ipv4 <= 32 && bits_ipv6 <= 56);
    if (address->family == ADDRESS_NONE)
        return (struct address_group){0};
    unsigned bits = address->family == ADDRESS_IPV4 ? bits_ipv4 : bits_ipv6;
    uint64_t prefix = 0;
    for (unsigned i = 0; i < 7; i++)
        prefix = prefix << 8 | address->bytes[i];
    prefix = bits == 0 ? 0 : prefix >> (56 - bits) << (56 - bits);
    // The family in the highest byte keeps 1.2.3.0/24 and 102:300::/24 apart, and both from none.
    return (struct address_group){(uint64_t)address->family << 56 | prefix};
}

struct address_group address_group_near(const struct address *address)
{
    return address_group(address, 24, 48);
}

struct address_group address_group_wide(const struct address *address)
{
    return address_group(address, 16, 32);
}

// Where the longest run of at least two zero groups begins, RFC 5952; 8 if there is none.
static unsigned find_zeros(const unsigned groups[8], unsigned *length)
{
    unsigned best = 8;
    *length = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned end = i;
        while (end < 8 && groups[end] == 0)
            end++;
        if (end - i > *length) {
            best = i;
            *length = end - i;
        }
    }
    return best;
}

static void ipv6_to_text(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE])
{
    unsigned groups[8];
    unsigned length;
    for (unsigned i = 0; i < 8; i++)
        groups[i] =
            (unsigned)endpoint->address.bytes[2 * i] << 8 | endpoint->address.bytes[2 * i + 1];
    unsigned zeros = find_zeros(groups, &length);
    size_t at = 0;
    out[at++] = '[';
    for (unsigned i = 0; i < 8; i++) {
        if (i == zeros) {
            out[at++] = ':';
            out[at++] = ':';
            i += length - 1;
            continue;
        }
        const char *colon = i > 0 && out[at - 1] != ':' ? ":" : "";
        at += (size_t)snprintf(out + at, ENDPOINT_TEXT_SIZE - at, "%s%x", colon, groups[i]);
    }
    snprintf(out + at, ENDPOINT_TEXT_SIZE - at, "]:%u", endpoint->port);
}

void endpoint_to_text(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE])
{
    const uint8_t *bytes = endpoint->address.bytes;
    switch (endpoint->address.family) {
    case ADDRESS_NONE:
        memcpy(out, "-", 2);
        return;
    case ADDRESS_IPV4:
        snprintf(out, ENDPOINT_TEXT_SIZE, "%u.%u.%u.%u:%u", bytes[0], bytes[1], bytes[2], bytes[3],
                 endpoint->port);
        return;
    case ADDRESS_IPV6:
        ipv6_to_text(endpoint, out);
        return;
    }
}
