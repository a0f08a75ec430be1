#include "sharechain/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "sharechain/sorted_map.h"
#include "sharechain/store_lmdb_env.h"
#include "sharechain/store_lmdb_writer.h"

#define MAP_SIZE_FIRST  (64u << 20)
#define RETRY_MS        1000
#define CLOSE_SETTLE_MS 5000
// Entries let go of per call once they are on disk: more than come in with one call, so the pile
// shrinks, and few enough that no call is slow after a long wait for the disk.
#define PRUNED_PER_CALL 16

struct store_lmdb {
    struct store base; // first: a struct store * is one of these
    struct lmdb_file *file;
    struct lmdb_writer *writer;
    // The newest put of every key that may not be on disk yet: what readers must see before the
    // file. It may lag behind the disk (a put that is there too), never run ahead of the puts.
    // Entries belong to the writer until it gives them back. The loop's own: no lock.
    struct sorted_map *puts[STORE_TABLES_COUNT];
    unsigned walks; // store_each calls under way
};

static struct store_lmdb *lmdb_of(struct store *store)
{
    return (struct store_lmdb *)store;
}

static const struct store_lmdb *const_lmdb_of(const struct store *store)
{
    return (const struct store_lmdb *)store;
}

static void prune(struct store_lmdb *lmdb)
{
    if (lmdb->walks > 0)
        return;
    for (unsigned i = 0; i < PRUNED_PER_CALL; i++) {
        struct store_entry *entry = lmdb_writer_take_done(lmdb->writer);
        if (entry == NULL)
            return;
        struct sorted_map *puts = lmdb->puts[entry->table];
        if (sorted_map_find(puts, entry->bytes, entry->key_size) == entry)
            sorted_map_remove(puts, entry->bytes, entry->key_size);
        free(entry);
    }
}

static uint64_t lmdb_add(struct store *store, struct store_entry *entry)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    assert(lmdb->walks == 0);
    prune(lmdb);
    sorted_map_set(lmdb->puts[entry->table], entry->bytes, entry->key_size, entry);
    return lmdb_writer_add(lmdb->writer, entry);
}

// Looks at the puts first: what is no longer among them was on disk before this look, so the file
// has it.
static bool lmdb_get(struct store *store, enum store_table table, const void *key, size_t key_size,
                     struct buffer *out)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    prune(lmdb);
    const struct store_entry *entry = sorted_map_find(lmdb->puts[table], key, key_size);
    if (entry == NULL)
        return lmdb_file_get(lmdb->file, table, key, key_size, out);
    if (entry->is_removal)
        return false;
    write_bytes(out, store_entry_value(entry), entry->value_size);
    return true;
}

struct merge {
    const struct sorted_node *put; // NULL: no more
    struct lmdb_walk walk;
    const struct store_range *range;
};

// Which of the two has the next key: negative the puts, positive the file, 0 both.
static int compare_sides(const struct merge *merge)
{
    if (merge->put == NULL)
        return 1;
    if (!merge->walk.has_entry)
        return -1;
    const struct store_entry *entry = sorted_node_item(merge->put);
    return sorted_map_compare(entry->bytes, entry->key_size, merge->walk.key, merge->walk.key_size);
}

// Visits the next key, a put before the file's older value of it. False if the visitor wants no
// more.
static bool merge_step(struct merge *merge)
{
    const struct store_range *range = merge->range;
    const struct lmdb_walk *walk = &merge->walk;
    int order = compare_sides(merge);
    bool goes_on = true;
    if (order > 0) {
        goes_on = range->visitor(range->context, walk->key, walk->key_size, walk->value,
                                 walk->value_size);
    } else {
        const struct store_entry *entry = sorted_node_item(merge->put);
        if (!entry->is_removal)
            goes_on = range->visitor(range->context, entry->bytes, entry->key_size,
                                     store_entry_value(entry), entry->value_size);
        merge->put = sorted_node_next(merge->put);
    }
    if (order >= 0)
        lmdb_walk_next(&merge->walk);
    return goes_on;
}

static bool lmdb_each(struct store *store, const struct store_range *range)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    struct merge merge = {.range = range};
    lmdb->walks++;
    // The puts first, for the same reason as in lmdb_get.
    merge.put = sorted_map_seek(lmdb->puts[range->table], range->from, range->from_size);
    lmdb_walk_begin(&merge.walk, lmdb->file, range->table, range->from, range->from_size);
    bool goes_on = true;
    while (goes_on && !merge.walk.failed && (merge.put != NULL || merge.walk.has_entry))
        goes_on = merge_step(&merge);
    bool is_whole = goes_on && !merge.walk.failed;
    lmdb_walk_end(&merge.walk);
    lmdb->walks--;
    return is_whole;
}

static uint64_t lmdb_durable(const struct store *store)
{
    return lmdb_writer_durable(const_lmdb_of(store)->writer);
}

static enum store_health lmdb_health(const struct store *store)
{
    int trouble = lmdb_writer_trouble(const_lmdb_of(store)->writer);
    if (trouble == 0)
        return STORE_HEALTHY;
    return lmdb_env_is_full(trouble) ? STORE_DISK_FULL : STORE_DISK_ERROR;
}

static void lmdb_describe_health(const struct store *store, char *out, size_t capacity)
{
    const struct store_lmdb *lmdb = const_lmdb_of(store);
    int trouble = lmdb_writer_trouble(lmdb->writer);
    unsigned long long bytes = lmdb_writer_pending_bytes(lmdb->writer);
    const char *folder = lmdb_file_folder(lmdb->file);
    if (trouble == 0)
        snprintf(out, capacity, "%s", "");
    else if (lmdb_env_is_full(trouble))
        snprintf(out, capacity,
                 "the disk under %s is full (%s): free some space; %llu bytes wait in memory and "
                 "are written as soon as there is room",
                 folder, lmdb_env_error_text(trouble), bytes);
    else
        snprintf(out, capacity,
                 "writing to %s fails (%s): look at the disk and at the rights of the folder; "
                 "%llu bytes wait in memory and are tried again every second",
                 folder, lmdb_env_error_text(trouble), bytes);
}

static uint64_t lmdb_pending_bytes(const struct store *store)
{
    return lmdb_writer_pending_bytes(const_lmdb_of(store)->writer);
}

static bool lmdb_next_commit(struct store *store, struct store_commit *commit)
{
    return lmdb_writer_next_commit(lmdb_of(store)->writer, commit);
}

static bool lmdb_settle(struct store *store, unsigned timeout_ms)
{
    struct store_lmdb *lmdb = lmdb_of(store);
    assert(lmdb->walks == 0); // the writer may be waiting for the walk to end
    return lmdb_writer_settle(lmdb->writer, timeout_ms);
}

static void free_lmdb(struct store_lmdb *lmdb)
{
    for (size_t i = 0; i < STORE_TABLES_COUNT; i++)
        sorted_map_free(lmdb->puts[i]);
    lmdb_writer_stop(lmdb->writer);
    lmdb_file_close(lmdb->file);
    free(lmdb);
}

static void lmdb_close(struct store *store)
{
    (void)lmdb_settle(store, CLOSE_SETTLE_MS);
    free_lmdb(lmdb_of(store));
}

static const struct store_kind lmdb_kind = {
    .add = lmdb_add,
    .get = lmdb_get,
    .each = lmdb_each,
    .durable = lmdb_durable,
    .health = lmdb_health,
    .describe_health = lmdb_describe_health,
    .pending_bytes = lmdb_pending_bytes,
    .next_commit = lmdb_next_commit,
    .settle = lmdb_settle,
    .close = lmdb_close,
};

struct store *store_lmdb_open(const struct store_lmdb_options *options, char *error,
                              size_t error_capacity)
{
    uint64_t map_size = options->map_size_first > 0 ? options->map_size_first : MAP_SIZE_FIRST;
    struct lmdb_file *file = lmdb_file_open(options->path, map_size, error, error_capacity);
    if (file == NULL)
        return NULL;
    struct store_lmdb *lmdb = calloc(1, sizeof *lmdb);
    if (lmdb == NULL)
        abort();
    lmdb->base.kind = &lmdb_kind;
    lmdb->file = file;
    for (size_t i = 0; i < STORE_TABLES_COUNT; i++)
        lmdb->puts[i] = sorted_map_new();
    lmdb->writer = lmdb_writer_start(&(struct lmdb_writer_options){
        .file = file,
        .retry_ms = options->retry_ms > 0 ? options->retry_ms : RETRY_MS,
        .wake = options->wake,
        .context = options->context,
    });
    if (lmdb->writer != NULL)
        return &lmdb->base;
    snprintf(error, error_capacity,
             "cannot start the thread that writes to %s: the system's limit "
             "on processes or memory is reached",
             options->path);
    free_lmdb(lmdb);
    return NULL;
}
