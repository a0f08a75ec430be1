#include "sharechain/store_lmdb_file.h"

#include <assert.h>
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sharechain/store_lmdb_env.h"
#include "sharechain/store_lmdb_folder.h"
#include "sharechain/store_lmdb_look.h"

// More than LMDB writes with one call, so that no disk that cut one of those short has room for
// this.
#define PROBE_BYTES (1 << 20)

// Pages of the file that were looked at count as memory of this process for as long as they are
// mapped, though the system can take them back whenever it likes: those who watch it by its
// resident size would see the whole file. So the map is made anew once this much was touched.
#define TOUCHED_MAX (16u << 20)
#define TOUCHED_GET (64u << 10) // of one look-up; the system maps what lies around a page, too

struct lmdb_file {
    struct lmdb_folder folder;
    // Held by the reader while it reads and by the writer while it replaces or moves what env maps.
    // The writer looks at env without it: nobody else changes that.
    pthread_mutex_t map_mutex;
    pthread_cond_t restarted; // env was replaced
    struct lmdb_env env;      // closed if even a read-only restart failed
    MDB_txn *read_txn;        // kept between reads, may be NULL
    unsigned reads;           // the reader's: how many are under way, one inside the other
    uint64_t map_size;        // the writer's
    uint64_t touched;         // bytes, about, since the map was made; with map_mutex held
};

static MDB_val borrow(const void *data, size_t size)
{
    // LMDB's type for what goes in and what comes out is the same, so it has no const.
    union {
        const void *in;
        void *out;
    } pointer = {.in = data};
    return (MDB_val){.mv_size = size, .mv_data = pointer.out};
}

static int make_data(const struct lmdb_folder *folder)
{
    lmdb_folder_remove_new(folder);
    int result = lmdb_env_create(folder->new_path);
    if (result == 0)
        result = lmdb_folder_adopt_new(folder);
    if (result != 0)
        lmdb_folder_remove_new(folder);
    return result;
}

static bool open_data(struct lmdb_file *file, char *error, size_t error_capacity)
{
    const struct lmdb_folder *folder = &file->folder;
    int result = lmdb_folder_has_data(folder) ? lmdb_look(folder->data_path) : make_data(folder);
    if (result == 0)
        result = lmdb_folder_reserve_locks(folder);
    if (result == 0)
        result = lmdb_env_open(&file->env, folder->data_path, file->map_size, false);
    if (result != 0) {
        lmdb_env_describe_failure(result, folder->data_path, error, error_capacity);
        return false;
    }
    file->map_size = lmdb_env_map_size(&file->env);
    return lmdb_env_update_schema(&file->env, folder->data_path, error, error_capacity);
}

struct lmdb_file *lmdb_file_open(const char *path, uint64_t map_size_first, char *error,
                                 size_t error_capacity)
{
    struct lmdb_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        abort();
    pthread_mutex_init(&file->map_mutex, NULL);
    pthread_cond_init(&file->restarted, NULL);
    file->map_size = map_size_first;
    if (lmdb_folder_open(&file->folder, path, error, error_capacity) &&
        open_data(file, error, error_capacity))
        return file;
    lmdb_file_close(file);
    return NULL;
}

void lmdb_file_close(struct lmdb_file *file)
{
    if (file == NULL)
        return;
    assert(file->reads == 0);
    if (file->read_txn != NULL)
        mdb_txn_abort(file->read_txn);
    lmdb_env_close(&file->env);
    lmdb_folder_close(&file->folder);
    pthread_cond_destroy(&file->restarted);
    pthread_mutex_destroy(&file->map_mutex);
    free(file);
}

const char *lmdb_file_folder(const struct lmdb_file *file)
{
    return file->folder.path;
}

// New keys of these come behind all others, nearly always. Told so, LMDB fills its pages to the end
// and looks for no place; told so wrongly, it says MDB_KEYEXIST and has changed nothing.
static bool is_numbered(enum store_table table)
{
    return table == STORE_SHARES || table == STORE_BODIES || table == STORE_SKELETONS;
}

static int put_entry(MDB_txn *txn, MDB_dbi table, const struct store_entry *entry)
{
    MDB_val key = borrow(entry->bytes, entry->key_size);
    MDB_val value = borrow(store_entry_value(entry), entry->value_size);
    int result =
        is_numbered(entry->table) ? mdb_put(txn, table, &key, &value, MDB_APPEND) : MDB_KEYEXIST;
    return result == MDB_KEYEXIST ? mdb_put(txn, table, &key, &value, 0) : result;
}

static int write_entry(MDB_txn *txn, MDB_dbi table, const struct store_entry *entry)
{
    if (!entry->is_removal)
        return put_entry(txn, table, entry);
    MDB_val key = borrow(entry->bytes, entry->key_size);
    int result = mdb_del(txn, table, &key, NULL);
    return result == MDB_NOTFOUND ? 0 : result;
}

static int write_entries(const struct lmdb_env *env, const struct store_entry *first,
                         const struct store_entry *last)
{
    MDB_txn *txn;
    int result = mdb_txn_begin(env->env, NULL, 0, &txn);
    if (result != 0)
        return result;
    // last->next is not ours to read: the loop may just be setting it.
    for (const struct store_entry *entry = first;; entry = entry->next) {
        result = write_entry(txn, env->tables[entry->table], entry);
        if (result != 0 || entry == last)
            break;
    }
    if (result == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return result;
}

// Opens the file anew, for reading only if the disk allows no more (a broken one goes read-only):
// what is on it stays readable while the puts wait. The caller holds map_mutex.
static int restart(struct lmdb_file *file)
{
    if (file->read_txn != NULL)
        mdb_txn_abort(file->read_txn);
    file->read_txn = NULL;
    lmdb_env_close(&file->env);
    int result = lmdb_env_open(&file->env, file->folder.data_path, file->map_size, false);
    if (result != 0)
        (void)lmdb_env_open(&file->env, file->folder.data_path, file->map_size, true);
    pthread_cond_broadcast(&file->restarted);
    return result;
}

static int restart_locked(struct lmdb_file *file)
{
    pthread_mutex_lock(&file->map_mutex);
    int result = restart(file);
    pthread_mutex_unlock(&file->map_mutex);
    return result;
}

// The caller holds map_mutex.
static int map_anew(struct lmdb_file *file, uint64_t map_size)
{
    int result = mdb_env_set_mapsize(file->env.env, (size_t)map_size);
    if (result == 0)
        file->map_size = map_size;
    else
        (void)restart(file); // a failed mmap leaves no map at all
    file->touched = 0;
    return result;
}

static int grow(struct lmdb_file *file)
{
    if (file->map_size > SIZE_MAX / 2)
        return ENOMEM;
    pthread_mutex_lock(&file->map_mutex);
    int result = map_anew(file, file->map_size * 2);
    pthread_mutex_unlock(&file->map_mutex);
    return result;
}

static void count_touched(struct lmdb_file *file, const struct store_entry *first,
                          const struct store_entry *last)
{
    uint64_t bytes = store_entry_size(first);
    for (const struct store_entry *entry = first; entry != last; entry = entry->next)
        bytes += store_entry_size(entry->next);
    pthread_mutex_lock(&file->map_mutex);
    file->touched += bytes;
    if (file->touched >= TOUCHED_MAX)
        (void)map_anew(file, file->map_size); // what failed is tried again by the next commit
    pthread_mutex_unlock(&file->map_mutex);
}

// A write cut short by a full disk comes out of LMDB as EIO. Writing on behind the end of the file,
// where nothing is ever read, tells the two apart. Only writing does: a file system may promise
// blocks that it then has not.
static int find_real_reason(const struct lmdb_file *file, int result)
{
    static const uint8_t zeros[PROBE_BYTES / 16];
    int fd;
    struct stat stat;
    if (result != EIO || file->env.env == NULL || mdb_env_get_fd(file->env.env, &fd) != 0 ||
        fstat(fd, &stat) != 0)
        return result;
    int reason = 0;
    for (off_t done = 0; done < PROBE_BYTES && reason == 0;) {
        ssize_t written = pwrite(fd, zeros, sizeof zeros, stat.st_size + done);
        if (written > 0)
            done += written;
        else
            reason = written == 0 ? ENOSPC : errno;
    }
    int undone = ftruncate(fd, stat.st_size);
    return undone == 0 && lmdb_env_is_full(reason) ? reason : result;
}

// When the write of the root itself fails, LMDB refuses everything from then on, and says so only
// to the next transaction. Whether that root is on the disk is open, and does not matter: the same
// entries come again.
static void restart_if_dead(struct lmdb_file *file)
{
    MDB_txn *txn;
    int result = mdb_txn_begin(file->env.env, NULL, 0, &txn);
    if (result == 0)
        mdb_txn_abort(txn);
    else if (result == MDB_PANIC)
        (void)restart_locked(file); // if that fails too, the next commit tries again
}

int lmdb_file_commit(struct lmdb_file *file, const struct store_entry *first,
                     const struct store_entry *last)
{
    if (file->env.env == NULL || file->env.is_read_only) {
        int result = restart_locked(file);
        if (result != 0)
            return result;
    }
    int result;
    while ((result = write_entries(&file->env, first, last)) == MDB_MAP_FULL) {
        result = grow(file);
        if (result != 0)
            return result;
    }
    if (result == 0) {
        count_touched(file, first, last);
        return 0;
    }
    restart_if_dead(file);
    return find_real_reason(file, result);
}

static int renew_read(struct lmdb_file *file)
{
    if (file->env.env == NULL)
        return EIO;
    if (file->read_txn != NULL)
        return mdb_txn_renew(file->read_txn);
    return mdb_txn_begin(file->env.env, NULL, MDB_RDONLY, &file->read_txn);
}

static bool begin_read(struct lmdb_file *file)
{
    if (file->reads == 0) {
        pthread_mutex_lock(&file->map_mutex);
        int result;
        // A commit has just failed, and the writer is on its way to restart_if_dead: that takes no
        // disk.
        while ((result = renew_read(file)) == MDB_PANIC)
            pthread_cond_wait(&file->restarted, &file->map_mutex);
        if (result != 0) {
            pthread_mutex_unlock(&file->map_mutex);
            return false;
        }
    }
    file->reads++;
    return true;
}

static void end_read(struct lmdb_file *file)
{
    assert(file->reads > 0);
    if (--file->reads > 0)
        return;
    mdb_txn_reset(file->read_txn);
    pthread_mutex_unlock(&file->map_mutex);
}

bool lmdb_file_get(struct lmdb_file *file, enum store_table table, const void *key, size_t key_size,
                   struct buffer *out)
{
    if (!begin_read(file))
        return false;
    MDB_val name = borrow(key, key_size), value;
    bool is_found = mdb_get(file->read_txn, file->env.tables[table], &name, &value) == 0;
    if (is_found)
        write_bytes(out, value.mv_data, value.mv_size);
    file->touched += TOUCHED_GET;
    end_read(file);
    return is_found;
}

static void step(struct lmdb_walk *walk, MDB_val key, MDB_cursor_op op)
{
    MDB_val value;
    int result = mdb_cursor_get(walk->cursor, &key, &value, op);
    walk->has_entry = result == 0;
    walk->failed = result != 0 && result != MDB_NOTFOUND;
    if (result != 0)
        return;
    walk->key = key.mv_data;
    walk->key_size = key.mv_size;
    walk->value = value.mv_data;
    walk->value_size = value.mv_size;
    walk->file->touched += value.mv_size;
}

void lmdb_walk_begin(struct lmdb_walk *walk, struct lmdb_file *file, enum store_table table,
                     const void *from, size_t from_size)
{
    *walk = (struct lmdb_walk){.failed = true};
    if (!begin_read(file))
        return;
    walk->file = file;
    if (mdb_cursor_open(file->read_txn, file->env.tables[table], &walk->cursor) != 0)
        return;
    step(walk, borrow(from, from_size), from_size > 0 ? MDB_SET_RANGE : MDB_FIRST);
}

void lmdb_walk_next(struct lmdb_walk *walk)
{
    step(walk, (MDB_val){0}, MDB_NEXT);
}

void lmdb_walk_end(struct lmdb_walk *walk)
{
    if (walk->cursor != NULL)
        mdb_cursor_close(walk->cursor);
    if (walk->file != NULL)
        end_read(walk->file);
}
