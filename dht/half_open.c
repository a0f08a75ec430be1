#include "dht/half_open.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

// Rates are kept as the time at which an address has its whole burst again: an accept moves that
// time on by one interval, and is refused if it then lay further ahead than the burst.
#define RATE_SETS    256
#define RATE_WAYS    4
#define SECOND_BURST (2 * HALF_OPEN_ACCEPTS_SECOND)
#define SECOND_US    (1000000 / HALF_OPEN_ACCEPTS_SECOND)
#define ADDRESS_US   ((int64_t)HALF_OPEN_ADDRESS_MS * 1000)

struct neighbourhood {
    struct address_group group;
    unsigned count; // 0: the place is free
};

struct rate {
    struct address_group group;
    int64_t full_us;
};

struct half_open {
    size_t count;
    struct neighbourhood neighbourhoods[HALF_OPEN_MAX];
    struct rate rates[RATE_SETS][RATE_WAYS];
    int64_t full_us; // of all addresses together
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

const char *half_open_verdict_text(enum half_open_verdict verdict)
{
    switch (verdict) {
    case HALF_OPEN_ADMITTED:
        return "admitted";
    case HALF_OPEN_FULL:
        return "too many handshakes are under way";
    case HALF_OPEN_GROUP_FULL:
        return "too many handshakes are under way from its neighbourhood";
    case HALF_OPEN_ADDRESS_RATE:
        return "its address connects too often";
    case HALF_OPEN_RATE:
        return "too many connections come at once";
    }
    return "?";
}

struct half_open *half_open_new(const struct env *env)
{
    struct half_open *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    env_random_bytes(env, table->hash_key, sizeof table->hash_key);
    table->full_us = INT64_MIN;
    for (size_t i = 0; i < RATE_SETS; i++) {
        for (size_t k = 0; k < RATE_WAYS; k++)
            table->rates[i][k].full_us = INT64_MIN;
    }
    return table;
}

void half_open_free(struct half_open *table)
{
    free(table);
}

// The group's place, or a free one, or NULL.
static struct neighbourhood *find_neighbourhood(struct half_open *table, struct address_group group)
{
    struct neighbourhood *place = NULL;
    for (size_t i = 0; i < HALF_OPEN_MAX; i++) {
        struct neighbourhood *at = &table->neighbourhoods[i];
        if (at->count > 0 && at->group.value == group.value)
            return at;
        if (at->count == 0 && place == NULL)
            place = at;
    }
    return place;
}

// The rate of this group, or the one to replace by it: of its set the one that is full first.
static struct rate *find_rate(struct half_open *table, struct address_group group)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, (const uint8_t *)&group.value, sizeof group.value, table->hash_key);
    struct rate *set = table->rates[hash[0] % RATE_SETS];
    struct rate *oldest = &set[0];
    for (size_t i = 0; i < RATE_WAYS; i++) {
        if (set[i].group.value == group.value)
            return &set[i];
        if (set[i].full_us < oldest->full_us)
            oldest = &set[i];
    }
    return oldest;
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum half_open_verdict half_open_enter(struct half_open *table, const struct address *address,
                                       struct mono_time now)
{
    int64_t now_us = now.ms * 1000;
    struct neighbourhood *place = find_neighbourhood(table, address_group_near(address));
    if (table->count >= HALF_OPEN_MAX)
        return HALF_OPEN_FULL;
    assert(place != NULL);
    if (place->count >= HALF_OPEN_GROUP_MAX)
        return HALF_OPEN_GROUP_FULL;

    struct address_group group = address_group(address, 32, 56);
    struct rate *rate = find_rate(table, group);
    bool is_known = rate->group.value == group.value;
    int64_t address_full = max(is_known ? rate->full_us : now_us, now_us) + ADDRESS_US;
    if (address_full - now_us > HALF_OPEN_ADDRESS_BURST * ADDRESS_US)
        return HALF_OPEN_ADDRESS_RATE;
    int64_t all_full = max(table->full_us, now_us) + SECOND_US;
    if (all_full - now_us > SECOND_BURST * SECOND_US)
        return HALF_OPEN_RATE;

    *rate = (struct rate){group, address_full};
    table->full_us = all_full;
    place->group = address_group_near(address);
    place->count++;
    table->count++;
    return HALF_OPEN_ADMITTED;
}

void half_open_leave(struct half_open *table, const struct address *address)
{
    struct address_group group = address_group_near(address);
    struct neighbourhood *place = find_neighbourhood(table, group);
    assert(place != NULL && place->count > 0 && place->group.value == group.value);
    place->count--;
    table->count--;
}

size_t half_open_count(const struct half_open *table)
{
    return table->count;
}
