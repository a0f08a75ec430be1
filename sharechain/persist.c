// What the engine keeps in its store, and how it comes back. Shares are numbered in the order in
// which they became valid, so that writing them appends and reading them back finds what each
// points to already there; a link's body has the number of its share. Headers come first.
#include <stdio.h>
#include <string.h>
#include "node/limits.h"
#include "sharechain/state.h"

#define HEADER_KEY_SIZE (4 + 32)
#define RECORD_KEY_SIZE 8

static const char pool_key[] = "pool";

static void make_record_key(uint64_t record, uint8_t key[RECORD_KEY_SIZE])
{
    for (size_t i = 0; i < RECORD_KEY_SIZE; i++)
        key[i] = (uint8_t)(record >> (56 - 8 * i));
}

void persist_header(struct sharechain *chain, const struct header_node *node)
{
    if (chain->store == NULL || chain->is_loading || node->parent == NULL)
        return;
    uint8_t key[HEADER_KEY_SIZE];
    struct buffer buffer;
    buffer_init_fixed(&buffer, key, sizeof(key));
    write_u32_be(&buffer, (uint32_t)node->height);
    write_bytes(&buffer, node->id.bytes, 32);
    chain->sequence =
        store_put(chain->store, STORE_HEADERS, key, sizeof(key), node->bytes, HEADER_SIZE);
}

void persist_share(struct sharechain *chain, const struct copy *copy, struct entry *entry)
{
    if (chain->store == NULL || chain->is_loading)
        return;
    entry->record = ++chain->last_record;
    uint8_t key[RECORD_KEY_SIZE];
    make_record_key(entry->record, key);
    uint8_t value[STORED_SHARE_SIZE_MAX];
    memcpy(value, copy->pow.bytes, 32);
    memcpy(value + 32, copy->bytes, copy->size);
    chain->sequence =
        store_put(chain->store, STORE_SHARES, key, sizeof(key), value, 32 + copy->size);
}

void persist_body(struct sharechain *chain, const struct entry *entry, const uint8_t *bytes,
                  size_t size)
{
    if (chain->store == NULL || chain->is_loading)
        return;
    uint8_t key[RECORD_KEY_SIZE];
    make_record_key(entry->record, key);
    chain->sequence = store_put(chain->store, STORE_BODIES, key, sizeof(key), bytes, size);
}

void persist_skeleton(struct sharechain *chain, uint64_t record, const uint8_t *bytes, size_t size)
{
    uint8_t key[RECORD_KEY_SIZE];
    make_record_key(record, key);
    chain->sequence = store_put(chain->store, STORE_SKELETONS, key, sizeof(key), bytes, size);
}

static bool get_record(const struct sharechain *chain, enum store_table table, uint64_t record,
                       struct buffer *out)
{
    if (chain->store == NULL || record == 0)
        return false;
    uint8_t key[RECORD_KEY_SIZE];
    make_record_key(record, key);
    return store_get(chain->store, table, key, sizeof(key), out);
}

bool stored_skeleton(const struct sharechain *chain, uint64_t record, struct buffer *out)
{
    return get_record(chain, STORE_SKELETONS, record, out);
}

static bool get(const struct sharechain *chain, enum store_table table, const struct entry *entry,
                struct buffer *out)
{
    return entry != NULL && get_record(chain, table, entry->record, out);
}

void persist_drop(struct sharechain *chain, const struct entry *entry)
{
    if (chain->store == NULL || entry->record == 0)
        return;
    uint8_t key[RECORD_KEY_SIZE];
    make_record_key(entry->record, key);
    chain->sequence = store_remove(chain->store, STORE_SHARES, key, sizeof(key));
    if (entry->link == NULL)
        return;
    store_remove(chain->store, STORE_BODIES, key, sizeof(key));
    chain->sequence = store_remove(chain->store, STORE_SKELETONS, key, sizeof(key));
}

bool stored_share(const struct sharechain *chain, const struct entry *entry, struct buffer *out)
{
    return get(chain, STORE_SHARES, entry, out);
}

bool sharechain_share_bytes(const struct sharechain *chain, const struct hash256 *id,
                            struct buffer *out)
{
    uint8_t value[STORED_SHARE_SIZE_MAX];
    struct buffer buffer;
    buffer_init_fixed(&buffer, value, sizeof(value));
    if (!stored_share(chain, map_find(chain->entries, id), &buffer) || buffer.size < 32)
        return false;
    write_bytes(out, value + 32, buffer.size - 32);
    return !out->failed;
}

bool sharechain_body_bytes(const struct sharechain *chain, const struct hash256 *id,
                           struct buffer *out)
{
    const struct entry *entry = map_find(chain->entries, id);
    return entry != NULL && entry->link != NULL && get(chain, STORE_BODIES, entry, out);
}

// ---- Reading back

struct load {
    struct sharechain *chain;
    size_t headers, shares; // read, whatever became of them
    struct buffer stale;    // records of shares below the root: a removal was interrupted
};

static bool load_header(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    (void)key;
    (void)key_size;
    struct load *load = context;
    load->headers++;
    if (value_size == HEADER_SIZE)
        sharechain_add_header(load->chain, value);
    return true;
}

static bool load_body(void *context, const void *key, size_t key_size, const void *value,
                      size_t value_size)
{
    (void)key;
    (void)key_size;
    struct load *load = context;
    sharechain_add_body(load->chain, value, value_size, SHARECHAIN_OWN);
    return true;
}

static bool is_stale(const struct sharechain *chain, const uint8_t *bytes, size_t size)
{
    struct share share;
    return chain->root != &chain->genesis && share_decode(bytes, size, &share) &&
           share.info.link_height <= chain->root->height;
}

static void remove_stale(struct load *load)
{
    struct store *store = load->chain->store;
    for (size_t i = 0; i + RECORD_KEY_SIZE <= load->stale.size; i += RECORD_KEY_SIZE) {
        const uint8_t *key = load->stale.data + i;
        store_remove(store, STORE_SHARES, key, RECORD_KEY_SIZE);
        store_remove(store, STORE_BODIES, key, RECORD_KEY_SIZE);
        load->chain->sequence = store_remove(store, STORE_SKELETONS, key, RECORD_KEY_SIZE);
    }
    buffer_clear(&load->stale);
}

static bool load_share(void *context, const void *key, size_t key_size, const void *value,
                       size_t value_size)
{
    struct load *load = context;
    struct sharechain *chain = load->chain;
    load->shares++;
    struct reader reader = reader_init(key, key_size);
    uint64_t record = (uint64_t)read_u32_be(&reader) << 32;
    record |= read_u32_be(&reader);
    if (!reader_is_done(&reader) || value_size <= 32 + 1 + HEADER_SIZE)
        return true;
    if (record > chain->last_record)
        chain->last_record = record;
    const uint8_t *bytes = (const uint8_t *)value + 32;
    struct hash256 pow, id;
    if (is_stale(chain, bytes, value_size - 32)) {
        write_bytes(&load->stale, key, key_size);
        load->shares--;
        return true;
    }
    memcpy(pow.bytes, value, 32);
    struct share_arrival arrival = {
        .bytes = bytes,
        .size = value_size - 32,
        .pow = &pow,
        .source = SHARECHAIN_OWN,
    };
    sharechain_add_share(chain, &arrival);
    header_id(bytes + 1, &id);
    struct entry *entry = map_find(chain->entries, &id);
    if (entry != NULL)
        entry->record = record;
    return true;
}

static bool check_pool(struct sharechain *chain, char *error, size_t error_capacity)
{
    uint8_t kept[32];
    struct buffer buffer;
    buffer_init_fixed(&buffer, kept, sizeof(kept));
    if (!store_get(chain->store, STORE_META, pool_key, sizeof(pool_key) - 1, &buffer)) {
        chain->sequence = store_put(chain->store, STORE_META, pool_key, sizeof(pool_key) - 1,
                                    chain->pool->id.bytes, 32);
        return true;
    }
    if (buffer.size == 32 && memcmp(kept, chain->pool->id.bytes, 32) == 0)
        return true;
    snprintf(error, error_capacity,
             "this data directory holds the share-chain of another pool; give another data "
             "directory, or the pool file it was made with");
    return false;
}

// Everything that was put was valid and its ancestors were put before it.
static void say_what_is_lost(const struct load *load)
{
    struct sharechain_counts counts;
    sharechain_counts(load->chain, &counts);
    size_t headers = counts.headers - 1; // the anchor is in the pool file
    size_t shares = counts.shares - (load->chain->root == &load->chain->genesis ? 0 : 1);
    if (headers == load->headers && shares == load->shares)
        return;
    log_event(load->chain->env->log, LOG_ERROR, "sharechain",
              "a part of what is on disk cannot be used: the file is damaged",
              LOG_U64("headers_read", load->headers), LOG_U64("headers_good", headers),
              LOG_U64("shares_read", load->shares), LOG_U64("shares_good", shares),
              LOG_TEXT("what_to_do", "check the disk; a copy of the data directory from before, or "
                                     "another node of the pool, has what is lost"));
}

bool sharechain_load(struct sharechain *chain, char *error, size_t error_capacity)
{
    if (chain->store == NULL)
        return true;
    if (!check_pool(chain, error, error_capacity))
        return false;
    struct load load = {.chain = chain};
    buffer_init(&load.stale, SIZE_MAX);
    chain->is_loading = true;
    bool is_read = store_each(chain->store, STORE_HEADERS, NULL, 0, load_header, &load) &&
                   root_load(chain) &&
                   store_each(chain->store, STORE_BODIES, NULL, 0, load_body, &load) &&
                   store_each(chain->store, STORE_SHARES, NULL, 0, load_share, &load);
    chain->is_loading = false;
    remove_stale(&load);
    old_sweep(chain);
    if (is_read)
        say_what_is_lost(&load);
    else
        snprintf(error, error_capacity, "the share-chain cannot be read from the data directory");
    return is_read;
}
