#include "sharechain/store_lmdb_look.h"

#include <errno.h>
#include <lmdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sharechain/store.h"

// Large values lie on pages of their own, which only reading them touches.
static void touch(const MDB_val *value)
{
    const volatile uint8_t *bytes = value->mv_data;
    for (size_t i = 0; i < value->mv_size; i++)
        (void)bytes[i];
}

// Every entry of a table, and no more than it is said to have: damaged pages may lead in circles.
static bool is_whole(MDB_txn *txn, MDB_dbi table)
{
    MDB_stat stat;
    MDB_cursor *cursor;
    if (mdb_stat(txn, table, &stat) != 0 || mdb_cursor_open(txn, table, &cursor) != 0)
        return false;
    MDB_val key, value;
    size_t count = 0;
    int result;
    while ((result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0 &&
           count < stat.ms_entries) {
        touch(&key);
        touch(&value);
        count++;
    }
    mdb_cursor_close(cursor);
    return result == MDB_NOTFOUND && count == stat.ms_entries;
}

// The tables of the store are the entries of LMDB's main table.
static bool are_tables_whole(MDB_txn *txn)
{
    MDB_dbi main_table;
    MDB_cursor *cursor;
    if (mdb_dbi_open(txn, NULL, 0, &main_table) != 0 || !is_whole(txn, main_table) ||
        mdb_cursor_open(txn, main_table, &cursor) != 0)
        return false;
    MDB_val key, value;
    bool is_good = true;
    while (is_good && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        char name[64] = "";
        MDB_dbi table;
        for (size_t i = 0; i < key.mv_size && i + 1 < sizeof name; i++)
            name[i] = ((const char *)key.mv_data)[i];
        is_good = mdb_dbi_open(txn, name, 0, &table) == 0 && is_whole(txn, table);
    }
    mdb_cursor_close(cursor);
    return is_good;
}

// Without LMDB's lock file: the caller's own lock keeps writers away. What does not even open will
// not open for the caller either, who then says why.
static bool can_read_all(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, STORE_TABLES_COUNT + 8) != 0 ||
        mdb_env_open(env, path, MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR, 0600) != 0 ||
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return true;
    return is_whole(txn, 0) && are_tables_whole(txn); // 0: LMDB's own list of free pages
}

static void look_and_exit(const char *path)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    signal(SIGBUS, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    _exit(can_read_all(path) ? 0 : 1);
}

int lmdb_look(const char *path)
{
    pid_t child = fork();
    if (child < 0)
        return 0;
    if (child == 0)
        look_and_exit(path);
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        continue;
    if (ended < 0)
        return 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : MDB_CORRUPTED;
}
