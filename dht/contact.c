#include "dht/contact.h"

#include <string.h>

struct id_start id_start_of(const struct hash256 *id)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | id->bytes[i];
    return (struct id_start){value};
}

struct hint hint_of(const struct contact *contact)
{
    return (struct hint){id_start_of(&contact->id.hash), contact->key, contact->endpoint};
}

bool dht_key_equal(const struct dht_key *a, const struct dht_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

uint64_t id_distance(struct id_start a, struct id_start b)
{
    return a.value ^ b.value;
}
