#include "stratum/ban.h"

#include <stdlib.h>
#include <string.h>
#include "node/base/map.h"
#include "node/pow/sha256.h"

#define SCORE_BAN        100.0
#define SCORE_FADES_A_MS (20.0 / 60000) // 20 points a minute
#define ENTRIES_MAX      16384u         // without those that have sessions
#define BACKOFF_FIRST_MS 3000
#define BACKOFF_MAX_MS   600000
#define USER_FORGET_MS   3600000

// One thing, an address or a user name, that is kept an eye on.
struct entry {
    uint32_t sessions;
    double score;
    struct mono_time scored_at;
    struct mono_time banned_until;
    int64_t backoff_ms; // of user names; 0 for addresses
};

struct ban_table {
    const struct stratum_config *config;
    struct map *entries;
};

struct ban_table *ban_table_new(const struct env *env, const struct stratum_config *config)
{
    struct ban_table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return NULL;
    }
    table->config = config;
    table->entries = map_new(env);
    if (table->entries == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

void ban_table_free(struct ban_table *table)
{
    size_t cursor = 0;
    struct hash256 key;
    void *entry;
    if (table == NULL) {
        return;
    }
    while (map_next(table->entries, &cursor, &key, &entry)) {
        free(entry);
    }
    map_free(table->entries);
    free(table);
}

// IPv4-mapped IPv6 addresses are the IPv4 address they carry.
static void normalize(const struct stratum_peer *peer, uint8_t *family, uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memset(bytes, 0, 16);
    *family = peer->family;
    if (peer->family == 6 && memcmp(peer->bytes, mapped, sizeof(mapped)) == 0) {
        *family = 4;
        memcpy(bytes, peer->bytes + 12, 4);
    } else {
        memcpy(bytes, peer->bytes, peer->family == 4 ? 4 : 16);
    }
}

static struct hash256 address_key(const struct stratum_peer *peer)
{
    struct hash256 key = {{0}};
    uint8_t bytes[16];
    normalize(peer, &key.bytes[0], bytes);
    // An IPv6 customer has a whole /64.
    memcpy(key.bytes + 1, bytes, key.bytes[0] == 4 ? 4 : 8);
    return key;
}

static bool prefix_matches(const struct stratum_network *network, uint8_t family,
                           const uint8_t bytes[16])
{
    unsigned bits = network->prefix_bits;
    if (network->family != family || bits > (family == 4 ? 32u : 128u)) {
        return false;
    }
    if (memcmp(network->bytes, bytes, bits / 8) != 0) {
        return false;
    }
    unsigned rest = bits % 8;
    return rest == 0 || (network->bytes[bits / 8] ^ bytes[bits / 8]) >> (8 - rest) == 0;
}

bool ban_is_trusted(const struct ban_table *table, const struct stratum_peer *peer)
{
    static const struct stratum_network loopback[] = {
        {4, {127}, 8},
        {6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128},
    };
    uint8_t family;
    uint8_t bytes[16];
    normalize(peer, &family, bytes);
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        if (prefix_matches(&loopback[i], family, bytes)) {
            return true;
        }
    }
    for (size_t i = 0; i < table->config->networks_trusted_count; i++) {
        if (prefix_matches(&table->config->networks_trusted[i], family, bytes)) {
            return true;
        }
    }
    return false;
}

static double score_at(const struct entry *entry, struct mono_time now)
{
    double faded = (double)(now.ms - entry->scored_at.ms) * SCORE_FADES_A_MS;
    return entry->score > faded ? entry->score - faded : 0;
}

static bool is_forgettable(const struct entry *entry, struct mono_time now)
{
    if (entry->sessions > 0 || entry->banned_until.ms > now.ms) {
        return false;
    }
    return entry->backoff_ms > 0 ? now.ms - entry->scored_at.ms > USER_FORGET_MS
                                 : score_at(entry, now) <= 0;
}

void ban_sweep(struct ban_table *table, struct mono_time now)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    while (map_next(table->entries, &cursor, &key, &value)) {
        if (is_forgettable(value, now)) {
            map_remove(table->entries, &key);
            free(value);
        }
    }
}

// Somebody with many addresses fills the table: all that is no ban and has no session goes.
static void make_room(struct ban_table *table, struct mono_time now)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    ban_sweep(table, now);
    if (map_count(table->entries) < ENTRIES_MAX) {
        return;
    }
    while (map_next(table->entries, &cursor, &key, &value)) {
        const struct entry *entry = value;
        if (entry->sessions == 0 && entry->banned_until.ms <= now.ms) {
            map_remove(table->entries, &key);
            free(value);
        }
    }
}

static struct entry *entry_get(struct ban_table *table, const struct hash256 *key)
{
    struct entry *entry = map_find(table->entries, key);
    if (entry != NULL) {
        return entry;
    }
    entry = calloc(1, sizeof(*entry));
    if (entry != NULL) {
        map_set(table->entries, key, entry);
    }
    return entry;
}

// NULL where nothing is kept: the table is full of bans and sessions, or memory is.
static struct entry *entry_for_score(struct ban_table *table, const struct hash256 *key,
                                     struct mono_time now)
{
    struct entry *entry = map_find(table->entries, key);
    if (entry != NULL) {
        return entry;
    }
    if (map_count(table->entries) >= ENTRIES_MAX) {
        make_room(table, now);
        if (map_count(table->entries) >= ENTRIES_MAX) {
            return NULL;
        }
    }
    return entry_get(table, key);
}

bool ban_is_banned(const struct ban_table *table, const struct stratum_peer *peer,
                   struct mono_time now)
{
    struct hash256 key = address_key(peer);
    const struct entry *entry = map_find(table->entries, &key);
    return entry != NULL && entry->banned_until.ms > now.ms;
}

uint32_t ban_count(const struct ban_table *table, struct mono_time now)
{
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    uint32_t count = 0;
    while (map_next(table->entries, &cursor, &key, &value)) {
        const struct entry *entry = value;
        count += entry->banned_until.ms > now.ms ? 1 : 0;
    }
    return count;
}

static double points_of(enum ban_offence offence)
{
    switch (offence) {
    case BAN_SHARE_GOOD:
        return -2;
    case BAN_SHARE_INVALID:
        return 1;
    case BAN_SHARE_MALFORMED:
        return 2;
    case BAN_JUNK_LINE:
        return 10;
    case BAN_LINE_TOO_LONG:
        return 50;
    case BAN_USER_REFUSED:
        return 2;
    case BAN_SILENT:
        return 5;
    case BAN_FLOOD:
        return 50;
    }
    return 0;
}

bool ban_add_offence(struct ban_table *table, const struct stratum_peer *peer,
                     enum ban_offence offence, struct mono_time now)
{
    struct hash256 key = address_key(peer);
    double points = points_of(offence);
    struct entry *entry = points < 0 ? map_find(table->entries, &key) : NULL;
    if (points > 0 && !ban_is_trusted(table, peer)) {
        entry = entry_for_score(table, &key, now);
    }
    if (entry == NULL) {
        return false;
    }
    double score = score_at(entry, now) + points;
    entry->score = score > 0 ? score : 0;
    entry->scored_at = now;
    if (entry->score < SCORE_BAN) {
        return false;
    }
    entry->score = 0;
    entry->banned_until.ms = now.ms + table->config->ban_ms;
    return true;
}

bool ban_session_joined(struct ban_table *table, const struct stratum_peer *peer)
{
    struct hash256 key = address_key(peer);
    struct entry *entry = entry_get(table, &key);
    if (entry == NULL) {
        return false;
    }
    entry->sessions++;
    return true;
}

void ban_session_left(struct ban_table *table, const struct stratum_peer *peer)
{
    struct hash256 key = address_key(peer);
    struct entry *entry = map_find(table->entries, &key);
    if (entry != NULL && entry->sessions > 0) {
        entry->sessions--;
    }
}

uint32_t ban_sessions(const struct ban_table *table, const struct stratum_peer *peer)
{
    struct hash256 key = address_key(peer);
    const struct entry *entry = map_find(table->entries, &key);
    return entry != NULL ? entry->sessions : 0;
}

int64_t ban_user_backoff_ms(struct ban_table *table, const char *user, struct mono_time now)
{
    struct hash256 key;
    sha256_tagged("shoal/refused-user", user, strlen(user), &key);
    struct entry *entry = entry_for_score(table, &key, now);
    if (entry == NULL) {
        return BACKOFF_MAX_MS;
    }
    bool is_forgotten = now.ms - entry->scored_at.ms > USER_FORGET_MS;
    entry->backoff_ms =
        entry->backoff_ms == 0 || is_forgotten ? BACKOFF_FIRST_MS : entry->backoff_ms * 2;
    if (entry->backoff_ms > BACKOFF_MAX_MS) {
        entry->backoff_ms = BACKOFF_MAX_MS;
    }
    entry->scored_at = now;
    return entry->backoff_ms;
}
