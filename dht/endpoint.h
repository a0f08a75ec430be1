// Where a node can be reached: an IP address and a port, used for TCP (links) and UDP (DHT) alike,
// and the groups of neighbouring addresses that diversity and connection limits count. Plain data;
// judges nothing about which addresses are worth dialling.
#ifndef SHOAL_DHT_ENDPOINT_H
#define SHOAL_DHT_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum address_family { ADDRESS_NONE, ADDRESS_IPV4, ADDRESS_IPV6 };

// Network byte order; IPv4 uses the first 4 bytes, the others are 0.
struct address {
    enum address_family family;
    uint8_t bytes[16];
};

struct endpoint {
    struct address address;
    uint16_t port;
};

// Addresses that share their first bits: two groups are equal if their values are.
struct address_group {
    uint64_t value; // 0 only for ADDRESS_NONE
};

struct address address_ipv4(const uint8_t bytes[4]);
// An IPv4-mapped address (::ffff:a.b.c.d) becomes the IPv4 address: one host, one form.
struct address address_ipv6(const uint8_t bytes[16]);
bool address_equal(const struct address *a, const struct address *b);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

// The first bits_ipv4 (0..32) or bits_ipv6 (0..56) bits, by the address's family.
struct address_group address_group(const struct address *address, unsigned bits_ipv4,
                                   unsigned bits_ipv6);
// The groups of p2p.md: what one household or server rents (/24, /48), and what one network
// announces (/16, /32).
struct address_group address_group_near(const struct address *address);
struct address_group address_group_wide(const struct address *address);

#define ENDPOINT_TEXT_SIZE 56
// "192.0.2.1:8400", "[2001:db8::1]:8400" as RFC 5952 has it, or "-" for no address.
void endpoint_to_text(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE]);

#endif
