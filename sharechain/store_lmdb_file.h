// The data of an LMDB store: one thread reads (the loop's), one commits (the writer's), and neither
// waits for the other's disk. Only when the map has to move, to grow or to start anew after a
// failed write, a reader waits the moment that takes. Results as in store_lmdb_env.h.
#ifndef SHOAL_SHARECHAIN_STORE_LMDB_FILE_H
#define SHOAL_SHARECHAIN_STORE_LMDB_FILE_H

#include "sharechain/store_entry.h"

struct lmdb_file;
struct MDB_cursor;

// NULL with a sentence in error. map_size_first is in bytes and grows by doubling.
struct lmdb_file *lmdb_file_open(const char *path, uint64_t map_size_first, char *error,
                                 size_t error_capacity);
// No read or commit is under way. NULL is fine.
void lmdb_file_close(struct lmdb_file *file);
const char *lmdb_file_folder(const struct lmdb_file *file);

// The writer's: carries out the entries from first to last, linked by next, in one synced
// transaction. On a failure nothing of it is done, and the same may be tried again.
int lmdb_file_commit(struct lmdb_file *file, const struct store_entry *first,
                     const struct store_entry *last);

// The reader's: appends the committed value to out; false if it is not there or cannot be read.
bool lmdb_file_get(struct lmdb_file *file, enum store_table table, const void *key, size_t key_size,
                   struct buffer *out);

// A walk through the committed entries of a table in key order. The reader may look up other
// entries meanwhile, and sees the same moment of the data until the walk ends.
struct lmdb_walk {
    bool has_entry; // the four below are set, until the next step
    bool failed;
    const void *key;
    size_t key_size;
    const void *value;
    size_t value_size;
    struct lmdb_file *file;
    struct MDB_cursor *cursor;
};

// Stands on the first entry with key >= from (from_size 0: of all). End every walk, also one that
// failed.
void lmdb_walk_begin(struct lmdb_walk *walk, struct lmdb_file *file, enum store_table table,
                     const void *from, size_t from_size);
void lmdb_walk_next(struct lmdb_walk *walk);
void lmdb_walk_end(struct lmdb_walk *walk);

#endif
