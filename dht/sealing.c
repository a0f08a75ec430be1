#include "dht/sealing.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "shoal datagram"
#define SETS  128
#define WAYS  4

struct cached {
    uint64_t used; // 0: free
    struct dht_key peer;
    struct pair_key key;
};

struct pair_keys {
    const struct identity *own;
    const struct membership *membership;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint64_t uses;
    struct cached sets[SETS][WAYS];
};

static void hash_pair(const struct identity *own, const struct membership *membership,
                      const struct dht_key *peer, const uint8_t shared[32], struct pair_key *key)
{
    crypto_generichash_state state;
    uint8_t secret_hash[32];
    const uint8_t is_private = membership->is_private;
    bool is_lower = memcmp(own->dht_key.bytes, peer->bytes, sizeof peer->bytes) < 0;
    const struct dht_key *lower = is_lower ? &own->dht_key : peer;
    const struct dht_key *higher = is_lower ? peer : &own->dht_key;
    crypto_generichash_init(&state, NULL, 0, sizeof key->bytes);
    crypto_generichash_update(&state, (const uint8_t *)LABEL, sizeof LABEL - 1);
    crypto_generichash_update(&state, &is_private, 1);
    crypto_generichash_update(&state, membership->pool_id.bytes, 32);
    if (membership->is_private) {
        crypto_generichash(secret_hash, sizeof secret_hash, membership->secret,
                           sizeof membership->secret, NULL, 0);
        crypto_generichash_update(&state, secret_hash, sizeof secret_hash);
        sodium_memzero(secret_hash, sizeof secret_hash);
    }
    crypto_generichash_update(&state, shared, 32);
    crypto_generichash_update(&state, lower->bytes, sizeof lower->bytes);
    crypto_generichash_update(&state, higher->bytes, sizeof higher->bytes);
    crypto_generichash_final(&state, key->bytes, sizeof key->bytes);
    sodium_memzero(&state, sizeof state);
}

bool pair_key_derive(const struct identity *own, const struct membership *membership,
                     const struct dht_key *peer, struct pair_key *key)
{
    uint8_t shared[crypto_scalarmult_BYTES];
    if (crypto_scalarmult(shared, own->dht_secret, peer->bytes) != 0)
        return false;
    hash_pair(own, membership, peer, shared, key);
    sodium_memzero(shared, sizeof shared);
    return true;
}

struct pair_keys *pair_keys_new(const struct identity *own, const struct membership *membership,
                                const struct env *env)
{
    struct pair_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return NULL;
    keys->own = own;
    keys->membership = membership;
    env_random_bytes(env, keys->hash_key, sizeof keys->hash_key);
    return keys;
}

void pair_keys_free(struct pair_keys *keys)
{
    if (keys == NULL)
        return;
    sodium_memzero(keys, sizeof *keys);
    free(keys);
}

static struct cached *set_of(struct pair_keys *keys, const struct dht_key *peer)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, peer->bytes, sizeof peer->bytes, keys->hash_key);
    return keys->sets[hash[0] % SETS];
}

bool pair_keys_find(struct pair_keys *keys, const struct dht_key *peer, struct pair_key *key)
{
    struct cached *set = set_of(keys, peer);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used == 0 || !dht_key_equal(&set[i].peer, peer))
            continue;
        set[i].used = ++keys->uses;
        *key = set[i].key;
        return true;
    }
    return false;
}

bool pair_keys_get(struct pair_keys *keys, const struct dht_key *peer, struct pair_key *key)
{
    if (pair_keys_find(keys, peer, key))
        return true;
    if (!pair_key_derive(keys->own, keys->membership, peer, key))
        return false;
    struct cached *set = set_of(keys, peer);
    struct cached *oldest = &set[0];
    for (size_t i = 1; i < WAYS; i++) {
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    *oldest = (struct cached){++keys->uses, *peer, *key};
    return true;
}
