#include "node/api/lockout.h"
#include <arpa/inet.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX         4096
#define FORGET_MS         ((int64_t)900 * 1000)
#define FORGET_LOCKS_MS   ((int64_t)86400 * 1000)
#define ADDRESS_TEXT_SIZE 64

struct record {
    unsigned wrong;
    struct mono_time last;  // wrong attempt
    struct mono_time until; // locked; in the past if it is not
};

struct address_record {
    uint8_t key[crypto_shorthash_BYTES];
    bool is_used;
    unsigned locks;
    struct record record;
};

struct lockout {
    uint8_t key[crypto_shorthash_KEYBYTES];
    struct record names[NAMES_MAX];
    struct address_record addresses[LOCKOUT_ADDRESSES_MAX];
};

struct lockout *lockout_new(const struct env *env)
{
    struct lockout *lockout = calloc(1, sizeof(*lockout));
    if (lockout != NULL)
        env_random_bytes(env, lockout->key, sizeof(lockout->key));
    return lockout;
}

void lockout_free(struct lockout *lockout)
{
    free(lockout);
}

static size_t name_index(const struct lockout *lockout, const char *name)
{
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, strlen(name), lockout->key);
    return hash % NAMES_MAX;
}

static void address_key(const struct lockout *lockout, const char *address,
                        uint8_t key[crypto_shorthash_BYTES])
{
    struct in6_addr six;
    uint8_t bytes[ADDRESS_TEXT_SIZE] = {0};
    size_t size = strnlen(address, sizeof(bytes));
    if (inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six)) {
        size = 8; // a /64 is one customer
        memcpy(bytes, &six, size);
    } else if (strncasecmp(address, "::ffff:", 7) == 0) {
        size -= 7;
        memcpy(bytes, address + 7, size);
    } else {
        memcpy(bytes, address, size);
    }
    crypto_shorthash(key, bytes, size, lockout->key);
}

// The place of the address: -1 if it has none.
static ptrdiff_t address_find(const struct lockout *lockout, const char *address)
{
    uint8_t key[crypto_shorthash_BYTES];
    address_key(lockout, address, key);
    for (ptrdiff_t i = 0; i < LOCKOUT_ADDRESSES_MAX; i++) {
        const struct address_record *record = &lockout->addresses[i];
        if (record->is_used && memcmp(record->key, key, sizeof(key)) == 0)
            return i;
    }
    return -1;
}

// A place for an address that has none: a free one, else the one that was wrong longest ago.
static struct address_record *address_take(struct lockout *lockout, const char *address)
{
    struct address_record *oldest = &lockout->addresses[0];
    for (size_t i = 0; i < LOCKOUT_ADDRESSES_MAX && oldest->is_used; i++) {
        struct address_record *record = &lockout->addresses[i];
        if (!record->is_used || record->record.last.ms < oldest->record.last.ms)
            oldest = record;
    }
    *oldest = (struct address_record){.is_used = true};
    address_key(lockout, address, oldest->key);
    return oldest;
}

static int64_t wait_s(const struct record *record, struct now now)
{
    int64_t left_ms = record->until.ms - now.mono.ms;
    return left_ms > 0 ? (left_ms + 999) / 1000 : 0;
}

int64_t lockout_wait_s(const struct lockout *lockout, const char *name, const char *address,
                       struct now now)
{
    int64_t of_name = 0, of_address = 0;
    ptrdiff_t i = address_find(lockout, address);
    if (name != NULL)
        of_name = wait_s(&lockout->names[name_index(lockout, name)], now);
    if (i >= 0)
        of_address = wait_s(&lockout->addresses[i].record, now);
    return of_name > of_address ? of_name : of_address;
}

static bool record_wrong(struct record *record, int64_t lock_s, struct now now)
{
    if (now.mono.ms - record->last.ms > FORGET_MS)
        record->wrong = 0;
    record->last = now.mono;
    record->wrong++;
    if (record->wrong < LOCKOUT_ATTEMPTS)
        return false;
    record->wrong = 0;
    record->until = (struct mono_time){now.mono.ms + lock_s * 1000};
    return true;
}

static bool address_wrong(struct lockout *lockout, const char *address, struct now now)
{
    ptrdiff_t i = address_find(lockout, address);
    struct address_record *record =
        i >= 0 ? &lockout->addresses[i] : address_take(lockout, address);
    if (now.mono.ms - record->record.last.ms > FORGET_LOCKS_MS)
        record->locks = 0;
    int64_t lock_s = LOCKOUT_ADDRESS_S;
    for (unsigned j = 0; j < record->locks && lock_s < LOCKOUT_ADDRESS_MAX_S; j++)
        lock_s *= 2;
    if (lock_s > LOCKOUT_ADDRESS_MAX_S)
        lock_s = LOCKOUT_ADDRESS_MAX_S;
    bool is_locked = record_wrong(&record->record, lock_s, now);
    record->locks += is_locked ? 1 : 0;
    return is_locked;
}

bool lockout_wrong(struct lockout *lockout, const char *name, const char *address, struct now now)
{
    bool is_locked = address_wrong(lockout, address, now);
    if (name != NULL &&
        record_wrong(&lockout->names[name_index(lockout, name)], LOCKOUT_NAME_S, now))
        is_locked = true;
    return is_locked;
}

void lockout_right(struct lockout *lockout, const char *name)
{
    lockout->names[name_index(lockout, name)] = (struct record){0};
}
