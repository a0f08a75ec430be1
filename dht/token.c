#include "dht/token.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == 16, "keys are SipHash's");

void token_keys_init(struct token_keys *keys, const struct env *env, struct mono_time now)
{
    env_random_bytes(env, keys->current, sizeof keys->current);
    env_random_bytes(env, keys->previous, sizeof keys->previous);
    keys->rotate_at.ms = now.ms + TOKEN_PERIOD_MS;
}

void token_keys_rotate(struct token_keys *keys, const struct env *env, struct mono_time now)
{
    if (now.ms < keys->rotate_at.ms)
        return;
    // After a long sleep the current keys are as old as previous ones may never be.
    if (now.ms >= keys->rotate_at.ms + TOKEN_PERIOD_MS)
        env_random_bytes(env, keys->current, sizeof keys->current);
    memcpy(keys->previous, keys->current, sizeof keys->previous);
    env_random_bytes(env, keys->current, sizeof keys->current);
    keys->rotate_at.ms = now.ms + TOKEN_PERIOD_MS;
}

static uint64_t make(const uint8_t key[16], const struct address *address)
{
    uint8_t message[17];
    uint64_t token;
    message[0] = (uint8_t)address->family;
    memcpy(message + 1, address->bytes, 16);
    crypto_shorthash((uint8_t *)&token, message, sizeof message, key);
    return token == TOKEN_NONE ? 1 : token;
}

uint64_t token_make(const struct token_keys *keys, const struct address *address)
{
    return make(keys->current, address);
}

bool token_is_valid(const struct token_keys *keys, const struct address *address, uint64_t token)
{
    return token == make(keys->current, address) || token == make(keys->previous, address);
}
