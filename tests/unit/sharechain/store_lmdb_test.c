// What only the LMDB store does: files, rights, locks, schemas, damage, growth. The common
// behaviour is tested in store_test.c, failing disks in store_fault_test.c and tests/e2e.
#include "sharechain/store.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/unit/sharechain/seeded.h"
#include "tests/unit/sharechain/store_folder.h"

#define SETTLE_MS 30000

static int set_up(void **state)
{
    struct store_folder *folder = test_malloc(sizeof *folder);
    *folder = store_folder_new();
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    store_folder_remove(*state);
    test_free(*state);
    return 0;
}

static struct store *open_at(const char *path)
{
    char error[400] = "";
    struct store *store =
        store_lmdb_open(&(struct store_lmdb_options){.path = path}, error, sizeof error);
    if (store == NULL)
        print_error("%s\n", error);
    assert_non_null(store);
    return store;
}

static struct store *open_in(const struct store_folder *folder)
{
    return open_at(folder->path);
}

// The store must not open, with a sentence that says both.
static void assert_refused(const char *path, const char *reason, const char *advice)
{
    char error[400] = "";
    struct store *store =
        store_lmdb_open(&(struct store_lmdb_options){.path = path}, error, sizeof error);
    assert_null(store);
    if (strstr(error, path) == NULL || strstr(error, reason) == NULL ||
        strstr(error, advice) == NULL)
        fail_msg("the sentence says: %s", error);
}

static void put_number(struct store *store, enum store_table table, unsigned n, size_t value_size)
{
    uint8_t value[8000];
    char key[16];
    int key_size = snprintf(key, sizeof key, "%08u", n);
    assert_true(value_size <= sizeof value);
    memset(value, (int)(n % 251), value_size);
    store_put(store, table, key, (size_t)key_size, value, value_size);
}

static bool has_number(struct store *store, enum store_table table, unsigned n, size_t value_size)
{
    struct buffer out;
    char key[16];
    int key_size = snprintf(key, sizeof key, "%08u", n);
    buffer_init(&out, 10000);
    bool is_right = store_get(store, table, key, (size_t)key_size, &out) &&
                    out.size == value_size && out.data[0] == n % 251 &&
                    out.data[value_size - 1] == n % 251;
    buffer_clear(&out);
    return is_right;
}

static void everything_is_there_after_opening_again(void **state)
{
    struct store *store = open_in(*state);
    for (unsigned n = 0; n < 1000; n++)
        put_number(store, n % STORE_TABLES_COUNT, n, 1 + n % 5000);
    store_remove(store, STORE_META, "00000000", 8);
    store_close(store);
    store = open_in(*state);
    assert_false(has_number(store, STORE_META, 0, 1));
    for (unsigned n = 1; n < 1000; n++)
        assert_true(has_number(store, n % STORE_TABLES_COUNT, n, 1 + n % 5000));
    assert_int_equal(store_durable(store), 0);
    store_close(store);
}

static mode_t mode_of(const char *path)
{
    struct stat stat_of_it;
    assert_int_equal(stat(path, &stat_of_it), 0);
    return stat_of_it.st_mode & 0777;
}

static void folder_and_files_are_for_their_owner_only(void **state)
{
    const struct store_folder *parent = *state;
    struct store_folder folder;
    snprintf(folder.path, sizeof folder.path, "%.200s/new", parent->path);
    mode_t before = umask(0);
    store_close(open_in(&folder));
    umask(before);
    char path[300];
    assert_int_equal(mode_of(folder.path), 0700);
    assert_int_equal(mode_of(store_folder_file(&folder, "store.mdb", path)), 0600);
    assert_int_equal(mode_of(store_folder_file(&folder, "store.mdb-lock", path)), 0600);
    assert_int_equal(mode_of(store_folder_file(&folder, "store.lock", path)), 0600);
    store_folder_remove(&folder);
}

static void second_opener_is_refused_until_the_first_closes(void **state)
{
    const struct store_folder *folder = *state;
    struct store *store = open_in(folder);
    char holder[80];
    snprintf(holder, sizeof holder, "in use by another program, process %ld:", (long)getpid());
    assert_refused(folder->path, holder, "stop that one");
    put_number(store, STORE_SHARES, 1, 100); // the first is not disturbed
    assert_true(store_settle(store, SETTLE_MS));
    store_close(store);
    store = open_in(folder);
    assert_true(has_number(store, STORE_SHARES, 1, 100));
    store_close(store);
}

static void folder_that_cannot_be_made_is_named(void **state)
{
    const struct store_folder *folder = *state;
    char path[300];
    store_folder_file(folder, "missing/store", path);
    assert_refused(path, "No such file or directory", "make it by hand");
}

static void file_in_place_of_the_folder_is_named(void **state)
{
    char path[300];
    store_folder_file(*state, "store.new", path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_refused(path, "Not a directory", "must be a folder");
}

static void write_file(const struct store_folder *folder, const char *name, int byte, size_t size)
{
    char path[300];
    FILE *file = fopen(store_folder_file(folder, name, path), "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc(byte, file);
    assert_int_equal(fclose(file), 0);
}

static void file_of_something_else_is_refused_and_left_alone(void **state)
{
    const struct store_folder *folder = *state;
    char path[300];
    static const size_t sizes[] = {1, 4096, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_file(folder, "store.mdb", 'x', sizes[i]);
        assert_refused(folder->path, "damaged or no store", "move it away");
        struct stat after;
        assert_int_equal(stat(store_folder_file(folder, "store.mdb", path), &after), 0);
        assert_int_equal(after.st_size, sizes[i]);
    }
}

static void rewrite(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

// True if it opened, and then every entry is whole.
static bool opens_whole(const struct store_folder *folder, unsigned count)
{
    char error[400];
    struct store *store =
        store_lmdb_open(&(struct store_lmdb_options){.path = folder->path}, error, sizeof error);
    if (store == NULL) {
        assert_non_null(strstr(error, "damaged"));
        return false;
    }
    for (unsigned n = 0; n < count; n++)
        assert_true(has_number(store, STORE_SHARES, n, 700));
    store_close(store);
    return true;
}

// Pages that are free at the front of the file take up the roots of later commits. A cut then
// leaves the roots, and takes what they lead to.
static void fill_with_roots_in_front(const struct store_folder *folder, unsigned count)
{
    struct store *store = open_in(folder);
    for (unsigned n = 0; n < 100; n++)
        put_number(store, STORE_BODIES, n, 700);
    assert_true(store_settle(store, SETTLE_MS));
    for (unsigned n = 0; n < count; n++)
        put_number(store, STORE_SHARES, n, 700);
    assert_true(store_settle(store, SETTLE_MS));
    for (unsigned n = 0; n < 100; n++) {
        char key[16];
        store_remove(store, STORE_BODIES, key, (size_t)snprintf(key, sizeof key, "%08u", n));
    }
    for (unsigned n = 0; n < 10; n++) {
        assert_true(store_settle(store, SETTLE_MS));
        put_number(store, STORE_META, n, 10);
    }
    store_close(store);
}

static void file_cut_off_at_any_page_is_refused_unless_nothing_is_missing(void **state)
{
    const struct store_folder *folder = *state;
    enum { COUNT = 400, SIZE_MAX_EXPECTED = 1 << 20 };
    fill_with_roots_in_front(folder, COUNT);
    char path[300];
    uint8_t *bytes = test_malloc(SIZE_MAX_EXPECTED);
    FILE *file = fopen(store_folder_file(folder, "store.mdb", path), "r");
    assert_non_null(file);
    size_t size = fread(bytes, 1, SIZE_MAX_EXPECTED, file);
    fclose(file);
    assert_true(size > COUNT * 700 && size < SIZE_MAX_EXPECTED);
    for (size_t cut = 4096; cut < size * 9 / 10; cut += 4096) {
        rewrite(path, bytes, cut);
        assert_false(opens_whole(folder, COUNT));
    }
    for (size_t cut = size - size % 4096; cut >= size * 9 / 10; cut -= 1000) {
        rewrite(path, bytes, cut);
        (void)opens_whole(folder, COUNT);
    }
    rewrite(path, bytes, size);
    assert_true(opens_whole(folder, COUNT));
    test_free(bytes);
}

static size_t read_whole(const char *path, uint8_t *bytes, size_t size_max)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(bytes, 1, size_max, file);
    fclose(file);
    return size;
}

// LMDB keeps no sums of its pages: what a damaged one leads to may end the process that follows.
static void damaged_pages_are_refused_and_end_no_process(void **state)
{
    const struct store_folder *folder = *state;
    enum { COUNT = 100, SIZE_MAX_EXPECTED = 1 << 20, PAGE = 4096, PAGE_HEADER = 16 };
    struct store *store = open_in(folder);
    for (unsigned n = 0; n < COUNT; n++)
        put_number(store, STORE_SHARES, n, 700);
    store_close(store);
    char path[300];
    uint8_t *bytes = test_malloc(SIZE_MAX_EXPECTED), *damaged = test_malloc(SIZE_MAX_EXPECTED);
    size_t size =
        read_whole(store_folder_file(folder, "store.mdb", path), bytes, SIZE_MAX_EXPECTED);
    // Behind the two roots: pages that still say what they are, but not where on them things lie.
    memcpy(damaged, bytes, size);
    for (size_t page = 2; page < size / PAGE; page++)
        memset(damaged + page * PAGE + PAGE_HEADER, 0xf0, PAGE - PAGE_HEADER);
    rewrite(path, damaged, size);
    assert_refused(folder->path, "damaged", "move it away");
    // Nothing but noise.
    struct seeded seeded = {5};
    seeded_bytes(&seeded, damaged + 2 * PAGE, size - 2 * PAGE);
    rewrite(path, damaged, size);
    assert_refused(folder->path, "damaged", "move it away");
    rewrite(path, bytes, size);
    assert_true(opens_whole(folder, COUNT));
    test_free(damaged);
    test_free(bytes);
}

// Past its last page the file may be shorter or longer than LMDB counts: that is no damage.
static void longer_file_is_no_damage(void **state)
{
    const struct store_folder *folder = *state;
    store_close(open_in(folder));
    char path[300];
    struct stat file;
    assert_int_equal(stat(store_folder_file(folder, "store.mdb", path), &file), 0);
    assert_int_equal(truncate(path, file.st_size + 123456), 0);
    struct store *store = open_in(folder);
    put_number(store, STORE_SHARES, 1, 700);
    store_close(store);
}

// Changes the schema record behind the store's back; size 0 removes it.
static void set_schema(const struct store_folder *folder, uint32_t schema, size_t size)
{
    char path[300];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;
    uint8_t bytes[8] = {(uint8_t)schema};
    char name[] = STORE_SCHEMA_KEY;
    MDB_val key = {sizeof name - 1, name}, value = {size, bytes};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 10), 0);
    assert_int_equal(
        mdb_env_open(env, store_folder_file(folder, "store.mdb", path), MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    if (size > 0)
        assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
    else
        assert_int_equal(mdb_del(txn, meta, &key, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void newer_schema_is_refused_and_kept(void **state)
{
    const struct store_folder *folder = *state;
    struct store *store = open_in(folder);
    put_number(store, STORE_SHARES, 1, 700);
    store_close(store);
    set_schema(folder, STORE_SCHEMA + 1, 4);
    assert_refused(folder->path, "has schema 2, made by a newer shoal", "install the newer one");
    assert_refused(folder->path, "has schema 2",
                   "install the newer one"); // refusing changed nothing
    set_schema(folder, STORE_SCHEMA, 4);
    store = open_in(folder);
    assert_true(has_number(store, STORE_SHARES, 1, 700));
    store_close(store);
}

static void unknown_missing_or_malformed_schema_is_refused(void **state)
{
    const struct store_folder *folder = *state;
    store_close(open_in(folder));
    set_schema(folder, 0, 4);
    assert_refused(folder->path, "format that this shoal does not know", "move it away");
    set_schema(folder, STORE_SCHEMA, 3);
    assert_refused(folder->path, "damaged", "move it away");
    set_schema(folder, STORE_SCHEMA, 5);
    assert_refused(folder->path, "damaged", "move it away");
    set_schema(folder, 0, 0);
    assert_refused(folder->path, "damaged", "move it away");
}

static void leftovers_of_an_interrupted_start_do_not_matter(void **state)
{
    const struct store_folder *folder = *state;
    write_file(folder, "store.new", 'x', 5000);
    write_file(folder, "store.lock", '7', 30);
    write_file(folder, "store.mdb-lock", 'x', 100);
    struct store *store = open_in(folder);
    put_number(store, STORE_SHARES, 1, 700);
    store_close(store);
    char path[300];
    assert_int_not_equal(access(store_folder_file(folder, "store.new", path), F_OK), 0);
}

static bool count_entry(void *context, const void *key, size_t key_size, const void *value,
                        size_t value_size)
{
    (void)key;
    (void)key_size;
    (void)value;
    (void)value_size;
    ++*(unsigned *)context;
    return true;
}

// The map begins with 128 KiB and ends with 32 MiB; the loop reads all the while.
static void map_grows_under_a_reader(void **state)
{
    const struct store_folder *folder = *state;
    char error[400];
    struct store *store = store_lmdb_open(
        &(struct store_lmdb_options){.path = folder->path, .map_size_first = 128 << 10}, error,
        sizeof error);
    assert_non_null(store);
    enum { COUNT = 20000 };
    for (unsigned n = 0; n < COUNT; n++) {
        put_number(store, STORE_SHARES, n, 700);
        assert_true(has_number(store, STORE_SHARES, n / 2, 700));
        if (n % 1000 != 0)
            continue;
        unsigned visited = 0;
        assert_true(store_each(store, STORE_SHARES, NULL, 0, count_entry, &visited));
        assert_int_equal(visited, n + 1);
    }
    assert_true(store_settle(store, SETTLE_MS));
    assert_int_equal(store_health(store), STORE_HEALTHY);
    for (unsigned n = 0; n < COUNT; n++)
        assert_true(has_number(store, STORE_SHARES, n, 700));
    store_close(store);
    store = open_in(folder);
    unsigned visited = 0;
    assert_true(store_each(store, STORE_SHARES, NULL, 0, count_entry, &visited));
    assert_int_equal(visited, COUNT);
    store_close(store);
}

// Pages of files that are mapped here, in kB.
static long mapped_file_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "RssFile:", 8) == 0)
            kb = strtol(line + 8, NULL, 10);
    }
    fclose(status);
    assert_true(kb >= 0);
    return kb;
}

static void what_was_looked_at_does_not_stay_in_memory(void **state)
{
    enum { COUNT = 8000, VALUE = 8000, ROUNDS = 8 }; // 64 MB
    struct store *store = open_in(*state);
    for (unsigned n = 0; n < COUNT; n++)
        put_number(store, STORE_SHARES, n, VALUE);
    assert_true(store_settle(store, SETTLE_MS));
    long before_kb = mapped_file_kb();
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned n = round; n < COUNT; n += ROUNDS)
            assert_true(has_number(store, STORE_SHARES, n, VALUE));
        put_number(store, STORE_META, round, 10);
        assert_true(store_settle(store, SETTLE_MS));
    }
    assert_true(mapped_file_kb() - before_kb < 32000);
    for (unsigned n = 0; n < COUNT; n += 97)
        assert_true(has_number(store, STORE_SHARES, n, VALUE));
    store_close(store);
}

static void one_value_larger_than_the_map_makes_it_grow_more_than_once(void **state)
{
    const struct store_folder *folder = *state;
    char error[400];
    struct store *store = store_lmdb_open(
        &(struct store_lmdb_options){.path = folder->path, .map_size_first = 128 << 10}, error,
        sizeof error);
    assert_non_null(store);
    size_t size = 3 << 20;
    uint8_t *value = test_malloc(size);
    for (size_t i = 0; i < size; i++)
        value[i] = (uint8_t)(i * 7 + i / 4096);
    store_put(store, STORE_BODIES, "large", 5, value, size);
    assert_true(store_settle(store, SETTLE_MS));
    store_close(store);
    store = open_in(folder);
    struct buffer out;
    buffer_init(&out, size);
    assert_true(store_get(store, STORE_BODIES, "large", 5, &out));
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, value, size);
    buffer_clear(&out);
    store_close(store);
    test_free(value);
}

struct alarm {
    pthread_mutex_t mutex;
    pthread_cond_t rung;
    unsigned count;
};

static void ring(void *context)
{
    struct alarm *alarm = context;
    pthread_mutex_lock(&alarm->mutex);
    alarm->count++;
    pthread_cond_signal(&alarm->rung);
    pthread_mutex_unlock(&alarm->mutex);
}

static void commit_wakes_the_loop_without_being_asked(void **state)
{
    const struct store_folder *folder = *state;
    char error[400];
    struct alarm alarm = {.mutex = PTHREAD_MUTEX_INITIALIZER, .rung = PTHREAD_COND_INITIALIZER};
    struct store *store = store_lmdb_open(
        &(struct store_lmdb_options){.path = folder->path, .wake = ring, .context = &alarm}, error,
        sizeof error);
    assert_non_null(store);
    put_number(store, STORE_SHARES, 0, 100);
    uint64_t last = store_remove(store, STORE_SHARES, "x", 1);
    assert_int_equal(store_pending_bytes(store), 8 + 100 + 1);
    // Each wake comes after what it announces, so waiting for wakes alone must be enough.
    unsigned seen = 0;
    while (store_durable(store) < last) {
        pthread_mutex_lock(&alarm.mutex);
        while (alarm.count == seen)
            pthread_cond_wait(&alarm.rung, &alarm.mutex);
        seen = alarm.count;
        pthread_mutex_unlock(&alarm.mutex);
    }
    assert_int_equal(store_pending_bytes(store), 0);
    store_close(store);
}

static void every_commit_is_told_once(void **state)
{
    const struct store_folder *folder = *state;
    char error[400];
    struct store *store =
        store_lmdb_open(&(struct store_lmdb_options){.path = folder->path}, error, sizeof error);
    struct store_commit commit;
    assert_non_null(store);
    assert_false(store_next_commit(store, &commit));
    for (unsigned n = 0; n < 3; n++) {
        put_number(store, STORE_SHARES, n, 100);
        assert_true(store_settle(store, 60000));
        assert_true(store_next_commit(store, &commit));
        assert_int_equal(commit.bytes, 8 + 100);
        assert_in_range(commit.duration_us, 1, 60000000);
        assert_false(store_next_commit(store, &commit));
    }
    // Nobody asks for a while: the oldest are forgotten.
    for (unsigned n = 0; n < STORE_COMMITS_KEPT + 2; n++) {
        put_number(store, STORE_SHARES, n, n);
        assert_true(store_settle(store, 60000));
    }
    for (unsigned n = 2; n < STORE_COMMITS_KEPT + 2; n++) {
        assert_true(store_next_commit(store, &commit));
        assert_int_equal(commit.bytes, 8 + n);
    }
    assert_false(store_next_commit(store, &commit));
    store_close(store);
}

static void closing_writes_what_was_just_put(void **state)
{
    struct store *store = open_in(*state);
    for (unsigned n = 0; n < 20000; n++)
        put_number(store, STORE_SHARES, n, 300);
    store_close(store);
    store = open_in(*state);
    for (unsigned n = 0; n < 20000; n++)
        assert_true(has_number(store, STORE_SHARES, n, 300));
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        WITH_FOLDER(everything_is_there_after_opening_again),
        WITH_FOLDER(folder_and_files_are_for_their_owner_only),
        WITH_FOLDER(second_opener_is_refused_until_the_first_closes),
        WITH_FOLDER(folder_that_cannot_be_made_is_named),
        WITH_FOLDER(file_in_place_of_the_folder_is_named),
        WITH_FOLDER(file_of_something_else_is_refused_and_left_alone),
        WITH_FOLDER(file_cut_off_at_any_page_is_refused_unless_nothing_is_missing),
        WITH_FOLDER(damaged_pages_are_refused_and_end_no_process),
        WITH_FOLDER(longer_file_is_no_damage),
        WITH_FOLDER(newer_schema_is_refused_and_kept),
        WITH_FOLDER(unknown_missing_or_malformed_schema_is_refused),
        WITH_FOLDER(leftovers_of_an_interrupted_start_do_not_matter),
        WITH_FOLDER(map_grows_under_a_reader),
        WITH_FOLDER(what_was_looked_at_does_not_stay_in_memory),
        WITH_FOLDER(one_value_larger_than_the_map_makes_it_grow_more_than_once),
        WITH_FOLDER(commit_wakes_the_loop_without_being_asked),
        WITH_FOLDER(every_commit_is_told_once),
        WITH_FOLDER(closing_writes_what_was_just_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
