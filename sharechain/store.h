// Where the share-chain is kept: ordered tables of key -> value. Two kinds behind one interface:
// memory (tests, simulation) and LMDB (a writer thread: a put goes at once to a disk at rest, and
// to a busy one within milliseconds, together with all others of that time). One thread, the
// loop's, calls everything here. A put is in memory at once and on disk when store_durable reaches
// its sequence number; after kill -9 the disk holds a prefix of the puts: a batch is there whole or
// not at all, and no put without all earlier ones. A full or failing disk loses nothing: the batch
// is kept and tried again every second, store_health says so.
#ifndef SHOAL_SHARECHAIN_STORE_H
#define SHOAL_SHARECHAIN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

enum store_table {
    STORE_META,      // small named values; "paid" || be32 height || id -> a block of the pool
                     // (payout_book)
    STORE_HEADERS,   // be32 height || header id -> header
    STORE_SHARES,    // be64 record number -> pow hash || share: valid shares, as they became so
    STORE_BODIES,    // be64 record number of its share -> body of a valid link
    STORE_BLOCKS,    // be64 number -> record of a found block and its fate; with a 0 behind the
                     // number -> the block itself, until a daemon has judged it
    STORE_WORKERS,   // name -> last hashrate of a worker; 0 || script -> a miner (miner_book)
    STORE_SKELETONS, // be64 record number of its share -> skeleton of a valid link
    STORE_OLD_LINKS, // links below the oldest that is kept: be32 chain || be32 height -> skeleton,
                     // and id -> be32 height
    STORE_TABLES_COUNT
};

enum store_health {
    STORE_HEALTHY,
    STORE_DISK_FULL, // waiting for space; puts are kept in memory and tried again
    STORE_DISK_ERROR // likewise, for another reason: store_health_text
};

// One write to the disk: how long it took, and what of the puts was in it.
struct store_commit {
    uint64_t duration_us;
    uint64_t bytes;
};

// Key and value are borrowed for the call. False stops the walk.
typedef bool store_visitor(void *context, const void *key, size_t key_size, const void *value,
                           size_t value_size);

struct store;
struct store_entry;

// The part of a table that is walked through, and who looks at it.
struct store_range {
    enum store_table table;
    const void *from; // NULL: from the first entry on
    size_t from_size;
    store_visitor *visitor;
    void *context;
};

// The table of functions behind struct store; only the two kinds know it. What they do is said
// below.
struct store_kind {
    uint64_t (*add)(struct store *store, struct store_entry *entry); // takes the entry over
    bool (*get)(struct store *store, enum store_table table, const void *key, size_t key_size,
                struct buffer *out);
    bool (*each)(struct store *store, const struct store_range *range);
    uint64_t (*durable)(const struct store *store);
    enum store_health (*health)(const struct store *store);
    void (*describe_health)(const struct store *store, char *out, size_t capacity);
    uint64_t (*pending_bytes)(const struct store *store);
    bool (*next_commit)(struct store *store, struct store_commit *commit);
    bool (*settle)(struct store *store, unsigned timeout_ms);
    void (*close)(struct store *store);
};

struct store {
    const struct store_kind *kind;
};

#define STORE_KEY_SIZE_MAX 200

// The layout of tables and values. STORE_META holds it as a u32 under this key from the start; it
// can be read, not put.
#define STORE_SCHEMA     1
#define STORE_SCHEMA_KEY "schema"

// Returns the put's sequence number, > 0. Keys are 1..STORE_KEY_SIZE_MAX bytes. An existing key is
// replaced.
uint64_t store_put(struct store *store, enum store_table table, const void *key, size_t key_size,
                   const void *value, size_t value_size);
uint64_t store_remove(struct store *store, enum store_table table, const void *key,
                      size_t key_size);
// Appends the value to out; false if the key is not there, or if the disk failed so badly that
// nothing can be read from it either (store_health tells). Sees every put before it.
bool store_get(struct store *store, enum store_table table, const void *key, size_t key_size,
               struct buffer *out);
// Visits entries with key >= from (NULL: all) in key order, puts before it included; the visitor
// may get, and must not put, remove or settle. False if the visitor stopped it or reading failed.
bool store_each(struct store *store, enum store_table table, const void *from, size_t from_size,
                store_visitor *visitor, void *context);
// All puts with a sequence number up to this one are on disk (memory: are done).
uint64_t store_durable(const struct store *store);
enum store_health store_health(const struct store *store);
// A sentence for people: what is wrong and what to do; empty when healthy.
void store_health_text(const struct store *store, char *out, size_t capacity);
// Bytes put but not yet on disk.
uint64_t store_pending_bytes(const struct store *store);
// Gives each commit that was done once, oldest first; false if there is none. Of those that nobody
// has asked for the last STORE_COMMITS_KEPT are kept. In memory there are none.
#define STORE_COMMITS_KEPT 64
bool store_next_commit(struct store *store, struct store_commit *commit);
// Waits until everything put is on disk, at most timeout_ms; for a graceful stop. False if it did
// not get there.
bool store_settle(struct store *store, unsigned timeout_ms);
// Settles (up to 5 s) and frees.
void store_close(struct store *store);

struct store *store_memory_new(void);

struct store_lmdb_options {
    const char *path;        // a folder; made with mode 0700 if missing
    uint64_t map_size_first; // bytes; grows by doubling when full. 0: 64 MiB
    // Called from the writer thread after each commit and each change of health: wake the loop,
    // nothing more.
    void (*wake)(void *context);
    void *context;
    unsigned retry_ms; // between tries to write to a full or failing disk. 0: a second
};

// NULL with a sentence in error: missing rights, another program holds it, made by a newer schema,
// damaged.
struct store *store_lmdb_open(const struct store_lmdb_options *options, char *error,
                              size_t error_capacity);

#endif
