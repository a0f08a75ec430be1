// Sets of peers by slot, a small number that a peer of gossip holds while it is there.
#ifndef SHOAL_DHT_PEER_SET_H
#define SHOAL_DHT_PEER_SET_H

#include <stdbool.h>
#include <stdint.h>

#define PEER_SET_SLOTS 128

struct peer_set {
    uint64_t bits[PEER_SET_SLOTS / 64];
};

static inline bool peer_set_has(const struct peer_set *set, unsigned slot)
{
    return (set->bits[slot / 64] >> slot % 64 & 1) != 0;
}

static inline void peer_set_add(struct peer_set *set, unsigned slot)
{
    set->bits[slot / 64] |= UINT64_C(1) << slot % 64;
}

static inline void peer_set_remove(struct peer_set *set, unsigned slot)
{
    set->bits[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

static inline void peer_set_remove_all(struct peer_set *set, const struct peer_set *removed)
{
    for (unsigned i = 0; i < PEER_SET_SLOTS / 64; i++)
        set->bits[i] &= ~removed->bits[i];
}

static inline bool peer_set_is_empty(const struct peer_set *set)
{
    return (set->bits[0] | set->bits[1]) == 0;
}

#endif
