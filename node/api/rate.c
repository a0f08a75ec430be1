#include "node/api/rate.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SETS         1024
#define PLACES       4 // in a set
#define MS_PER_TOKEN (1000 / API_RATE_PER_SECOND)
#define BURST_MS     ((int64_t)API_RATE_BURST * MS_PER_TOKEN)

// A bucket is the time when it would be full again: each request moves that on.
struct rate_place {
    uint64_t address; // keyed hash; 0: free
    int64_t full_at_ms;
};

struct api_rate {
    uint8_t key[crypto_shorthash_KEYBYTES]; // nobody outside can choose addresses that collide
    struct rate_place places[SETS][PLACES];
};

struct api_rate *api_rate_new(const struct env *env)
{
    struct api_rate *rate = calloc(1, sizeof(*rate));
    if (rate != NULL)
        env_random_bytes(env, rate->key, sizeof(rate->key));
    return rate;
}

void api_rate_free(struct api_rate *rate)
{
    free(rate);
}

static struct rate_place *find_place(struct api_rate *rate, uint64_t address)
{
    struct rate_place *set = rate->places[(address >> 32) % SETS];
    struct rate_place *oldest = set;
    for (size_t i = 0; i < PLACES; i++) {
        if (set[i].address == address)
            return &set[i];
        if (set[i].full_at_ms < oldest->full_at_ms)
            oldest = &set[i];
    }
    *oldest = (struct rate_place){.address = address, .full_at_ms = INT64_MIN};
    return oldest;
}

bool api_rate_take(struct api_rate *rate, const char *address, struct mono_time now)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t number;
    crypto_shorthash(hash, (const uint8_t *)address, strlen(address), rate->key);
    memcpy(&number, hash, sizeof(number));
    struct rate_place *place = find_place(rate, number | 1);
    if (place->full_at_ms < now.ms)
        place->full_at_ms = now.ms;
    if (place->full_at_ms + MS_PER_TOKEN - now.ms > BURST_MS)
        return false;
    place->full_at_ms += MS_PER_TOKEN;
    return true;
}
