#include "sharechain/store_lmdb_env.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// What is promised is that a put called durable survives a power cut, so each commit takes LMDB's
// slow and safe way: write the new pages, fdatasync, write the root through a descriptor opened
// with O_DSYNC.
// - not MDB_NOSYNC, MDB_NOMETASYNC, MDB_MAPASYNC: they lose the last commits, or the whole file;
// - not MDB_WRITEMAP: on a full disk a store into a mapped hole is a SIGBUS instead of an error,
// and a stray
//   pointer of ours could write into the file;
// - MDB_NOTLS: a reader slot belongs to its transaction, since the writer thread may drop the
// loop's one;
// - MDB_NOSUBDIR: the folder is ours, with the lock and a new store beside the file.
#define ENV_FLAGS (MDB_NOTLS | MDB_NOSUBDIR)

#define TABLES_MAX (STORE_TABLES_COUNT + 2) // and room for those of an older schema

static const char *const table_names[STORE_TABLES_COUNT] = {
    [STORE_META] = "meta",           [STORE_HEADERS] = "headers",     [STORE_SHARES] = "shares",
    [STORE_BODIES] = "bodies",       [STORE_BLOCKS] = "blocks",       [STORE_WORKERS] = "workers",
    [STORE_SKELETONS] = "skeletons", [STORE_OLD_LINKS] = "old_links",
};

// migrations[n] turns a store of schema n into one of schema n + 1 within the transaction that also
// raises the record. Schema 1 is the first; there was no 0.
typedef int migration(MDB_txn *txn, const struct lmdb_env *env);
static migration *const migrations[STORE_SCHEMA] = {[0] = NULL};

static MDB_val schema_key(void)
{
    static char name[] = STORE_SCHEMA_KEY;
    return (MDB_val){.mv_size = sizeof name - 1, .mv_data = name};
}

static int write_schema(MDB_txn *txn, MDB_dbi meta)
{
    uint8_t bytes[4];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    write_u32(&out, STORE_SCHEMA);
    MDB_val key = schema_key(), value = {.mv_size = sizeof bytes, .mv_data = bytes};
    return mdb_put(txn, meta, &key, &value, 0);
}

static int read_schema(MDB_txn *txn, MDB_dbi meta, uint32_t *schema)
{
    MDB_val key = schema_key(), value;
    int result = mdb_get(txn, meta, &key, &value);
    if (result != 0)
        return result;
    struct reader reader = reader_init(value.mv_data, value.mv_size);
    *schema = read_u32(&reader);
    return reader_is_done(&reader) ? 0 : MDB_CORRUPTED;
}

static int open_tables(MDB_txn *txn, unsigned flags, unsigned tables[STORE_TABLES_COUNT])
{
    int result = 0;
    for (size_t i = 0; i < STORE_TABLES_COUNT && result == 0; i++)
        result = mdb_dbi_open(txn, table_names[i], flags, &tables[i]);
    return result;
}

// Ends the transaction either way.
static int finish(MDB_txn *txn, int result)
{
    if (result == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return result;
}

static int open_plain(MDB_env **env, const char *path, uint64_t map_size, unsigned flags)
{
    int result = mdb_env_create(env);
    if (result != 0)
        return result;
    result = mdb_env_set_maxdbs(*env, TABLES_MAX);
    if (result == 0)
        result = mdb_env_set_mapsize(*env, (size_t)map_size);
    if (result == 0)
        result = mdb_env_open(*env, path, ENV_FLAGS | flags, 0600);
    if (result != 0)
        mdb_env_close(*env);
    return result;
}

int lmdb_env_create(const char *path)
{
    // Nobody else looks at a file that is being made: no table of readers.
    MDB_env *env;
    int result = open_plain(&env, path, 1 << 20, MDB_NOLOCK);
    if (result != 0)
        return result;
    MDB_txn *txn;
    result = mdb_txn_begin(env, NULL, 0, &txn);
    if (result == 0) {
        unsigned tables[STORE_TABLES_COUNT];
        result = open_tables(txn, MDB_CREATE, tables);
        if (result == 0)
            result = write_schema(txn, tables[STORE_META]);
        result = finish(txn, result);
    }
    mdb_env_close(env);
    return result;
}

// A file may lawfully end before its last page, if that page was taken and given back in one
// transaction. It may also have been cut off, and then to touch the missing part of the map would
// kill the program: so it gets its length back, and *was_short asks for a look at every page.
static int restore_length(MDB_env *env, bool *was_short)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int fd;
    int result = mdb_env_info(env, &info);
    if (result == 0)
        result = mdb_env_stat(env, &stat);
    if (result == 0)
        result = mdb_env_get_fd(env, &fd);
    if (result != 0)
        return result;
    if (fstat(fd, &file) != 0)
        return errno;
    off_t length = (off_t)((info.me_last_pgno + 1) * stat.ms_psize);
    *was_short = file.st_size < length;
    return *was_short && ftruncate(fd, length) != 0 ? errno : 0;
}

static int walk_table(MDB_txn *txn, MDB_dbi table)
{
    MDB_cursor *cursor;
    int result = mdb_cursor_open(txn, table, &cursor);
    if (result != 0)
        return result;
    MDB_val key, value;
    do
        result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    while (result == 0);
    mdb_cursor_close(cursor);
    return result == MDB_NOTFOUND ? 0 : result;
}

// Pages that were lost read as zeros, which LMDB takes for no page of any kind.
static int walk_everything(MDB_txn *txn, const unsigned tables[STORE_TABLES_COUNT])
{
    int result = walk_table(txn, 0); // LMDB's own list of free pages
    for (size_t i = 0; i < STORE_TABLES_COUNT && result == 0; i++)
        result = walk_table(txn, tables[i]);
    return result;
}

static int prepare(struct lmdb_env *out)
{
    // Slots of a reader that died, if some other program (mdb_stat, mdb_copy) kept LMDB from
    // starting its table anew: they would keep old pages from being used again.
    int result = mdb_reader_check(out->env, NULL);
    bool was_short = false;
    if (result == 0 && !out->is_read_only)
        result = restore_length(out->env, &was_short);
    MDB_txn *txn;
    if (result == 0)
        result = mdb_txn_begin(out->env, NULL, MDB_RDONLY, &txn);
    if (result != 0)
        return result;
    result = open_tables(txn, 0, out->tables);
    if (result == 0 && was_short)
        result = walk_everything(txn, out->tables);
    return finish(txn, result);
}

int lmdb_env_open(struct lmdb_env *out, const char *path, uint64_t map_size, bool is_read_only)
{
    *out = (struct lmdb_env){.is_read_only = is_read_only};
    MDB_env *env;
    int result = open_plain(&env, path, map_size, is_read_only ? MDB_RDONLY : 0);
    if (result != 0)
        return result;
    out->env = env;
    result = prepare(out);
    if (result != 0)
        lmdb_env_close(out);
    return result;
}

static int migrate(MDB_txn *txn, const struct lmdb_env *env, uint32_t schema)
{
    int result = 0;
    for (; schema < STORE_SCHEMA && result == 0; schema++)
        result = migrations[schema] != NULL ? migrations[schema](txn, env) : MDB_VERSION_MISMATCH;
    return result == 0 ? write_schema(txn, env->tables[STORE_META]) : result;
}

bool lmdb_env_update_schema(const struct lmdb_env *env, const char *path, char *error,
                            size_t error_capacity)
{
    MDB_txn *txn;
    uint32_t schema = 0;
    int result = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);
    if (result == 0)
        result = finish(txn, read_schema(txn, env->tables[STORE_META], &schema));
    if (result == 0 && schema == STORE_SCHEMA)
        return true;
    if (result == 0 && schema > STORE_SCHEMA) {
        snprintf(error, error_capacity,
                 "%s has schema %u, made by a newer shoal; this one knows schemas up to %u: "
                 "install the newer one, or choose another folder",
                 path, schema, (unsigned)STORE_SCHEMA);
        return false;
    }
    if (result == 0)
        result = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (result == 0)
        result = finish(txn, migrate(txn, env, schema));
    if (result != 0)
        lmdb_env_describe_failure(result, path, error, error_capacity);
    return result == 0;
}

uint64_t lmdb_env_map_size(const struct lmdb_env *env)
{
    MDB_envinfo info = {0};
    (void)mdb_env_info(env->env, &info); // fails only without an environment
    return info.me_mapsize;
}

void lmdb_env_close(struct lmdb_env *env)
{
    if (env->env != NULL)
        mdb_env_close(env->env);
    env->env = NULL;
}

bool lmdb_env_is_full(int result)
{
    return result == ENOSPC || result == EDQUOT || result == EFBIG;
}

const char *lmdb_env_error_text(int result)
{
    return mdb_strerror(result);
}

static bool is_damage(int result)
{
    return result == MDB_INVALID || result == MDB_CORRUPTED || result == MDB_PAGE_NOTFOUND ||
           result == MDB_NOTFOUND || result == MDB_INCOMPATIBLE;
}

void lmdb_env_describe_failure(int result, const char *path, char *error, size_t error_capacity)
{
    const char *reason = lmdb_env_error_text(result);
    if (lmdb_env_is_full(result))
        snprintf(error, error_capacity,
                 "cannot make or open %s, the disk is full (%s): free some space", path, reason);
    else if (is_damage(result))
        snprintf(error, error_capacity,
                 "%s is damaged or no store of shoal (%s): move it away; shares and headers then "
                 "come again from the peers",
                 path, reason);
    else if (result == MDB_VERSION_MISMATCH)
        snprintf(error, error_capacity,
                 "%s has a format that this shoal does not know (%s): move it away, or install "
                 "the version that made it",
                 path, reason);
    else
        snprintf(error, error_capacity,
                 "cannot make or open %s (%s): look at the disk and at the rights of the folder",
                 path, reason);
}
