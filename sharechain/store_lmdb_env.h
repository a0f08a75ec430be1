// LMDB's environment as the store uses it: flags, tables, schema. Knows no threads.
// Results are 0, an errno, or an error of LMDB (negative): lmdb_env_error_text.
#ifndef SHOAL_SHARECHAIN_STORE_LMDB_ENV_H
#define SHOAL_SHARECHAIN_STORE_LMDB_ENV_H

#include "sharechain/store.h"

struct MDB_env;

struct lmdb_env {
    struct MDB_env *env; // NULL: closed
    unsigned tables[STORE_TABLES_COUNT];
    bool is_read_only;
};

// Makes a whole new store file, synced, of the present schema.
int lmdb_env_create(const char *path);
// Opens an existing one; map_size is raised to what the file needs. After an error out is closed.
int lmdb_env_open(struct lmdb_env *out, const char *path, uint64_t map_size, bool is_read_only);
// Brings an older schema up to date; false with a sentence about `path` if it is newer or unknown.
bool lmdb_env_update_schema(const struct lmdb_env *env, const char *path, char *error,
                            size_t error_capacity);
uint64_t lmdb_env_map_size(const struct lmdb_env *env);
// Fine if it is closed.
void lmdb_env_close(struct lmdb_env *env);

// The disk, the quota or the permitted file size is used up.
bool lmdb_env_is_full(int result);
const char *lmdb_env_error_text(int result);
// A sentence: why the store file at path cannot be opened or made, and what to do.
void lmdb_env_describe_failure(int result, const char *path, char *error, size_t error_capacity);

#endif
