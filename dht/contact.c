#include "dht/contact.h"

struct hint hint_of(const struct contact *contact)
{
    return (struct hint){id_start_of(&contact->id.hash), contact->key, contact->endpoint};
}

static bool ipv4_is_public(const uint8_t bytes[4])
{
    unsigned first = bytes[0];
    unsigned second = bytes[1];
    bool is_shared = first == 100 && second >= 64 && second < 128; // RFC 6598
    bool is_private = first == 10 || (first == 172 && second >= 16 && second < 32) ||
                      (first == 192 && second == 168);
    bool is_near = first == 0 || first == 127 || (first == 169 && second == 254);
    return !is_shared && !is_private && !is_near && first < 224;
}

bool address_is_public(const struct address *address)
{
    switch (address->family) {
    case ADDRESS_NONE:
        return false;
    case ADDRESS_IPV4:
        return ipv4_is_public(address->bytes);
    case ADDRESS_IPV6:
        return (address->bytes[0] & 0xe0) == 0x20; // 2000::/3, what is given out
    }
    return false;
}
