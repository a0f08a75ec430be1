// What every kind of store must do: each test runs on both.
#include "sharechain/store.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "tests/unit/sharechain/store_folder.h"

#define SETTLE_MS 30000

struct fixture {
    struct store *store;
    struct store_folder folder;
    bool has_folder;
};

static int set_up_memory(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    fixture->store = store_memory_new();
    *state = fixture;
    return 0;
}

static int set_up_lmdb(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    fixture->folder = store_folder_new();
    fixture->has_folder = true;
    char error[300] = "";
    fixture->store = store_lmdb_open(&(struct store_lmdb_options){.path = fixture->folder.path},
                                     error, sizeof error);
    if (fixture->store == NULL)
        print_error("%s\n", error);
    *state = fixture;
    return fixture->store == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    if (fixture->has_folder)
        store_folder_remove(&fixture->folder);
    test_free(fixture);
    return 0;
}

static struct store *store_of(void **state)
{
    return ((struct fixture *)*state)->store;
}

static uint64_t put(struct store *store, enum store_table table, const char *key, const char *value)
{
    return store_put(store, table, key, strlen(key), value, strlen(value));
}

static void assert_value(struct store *store, enum store_table table, const char *key,
                         const char *value)
{
    struct buffer out;
    buffer_init(&out, 1000);
    assert_true(store_get(store, table, key, strlen(key), &out));
    assert_int_equal(out.size, strlen(value));
    if (out.size > 0)
        assert_memory_equal(out.data, value, out.size);
    buffer_clear(&out);
}

static void assert_missing(struct store *store, enum store_table table, const char *key)
{
    struct buffer out;
    buffer_init(&out, 1000);
    assert_false(store_get(store, table, key, strlen(key), &out));
    assert_int_equal(out.size, 0);
    buffer_clear(&out);
}

// Writes "key=value " for each entry visited; stops after `left` entries.
struct listing {
    struct buffer text;
    unsigned left;
};

static bool list_entry(void *context, const void *key, size_t key_size, const void *value,
                       size_t value_size)
{
    struct listing *listing = context;
    write_bytes(&listing->text, key, key_size);
    write_u8(&listing->text, '=');
    write_bytes(&listing->text, value, value_size);
    write_u8(&listing->text, ' ');
    return --listing->left > 0;
}

static void assert_each(struct store *store, enum store_table table, const char *from,
                        const char *expected)
{
    struct listing listing = {.left = 1000};
    buffer_init(&listing.text, 10000);
    assert_true(
        store_each(store, table, from, from != NULL ? strlen(from) : 0, list_entry, &listing));
    write_u8(&listing.text, 0);
    assert_string_equal((const char *)listing.text.data, expected);
    buffer_clear(&listing.text);
}

static void value_is_read_back_at_once_and_when_settled(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "key", "value");
    assert_value(store, STORE_SHARES, "key", "value");
    assert_true(store_settle(store, SETTLE_MS));
    assert_value(store, STORE_SHARES, "key", "value");
}

static void missing_key_is_not_found(void **state)
{
    struct store *store = store_of(state);
    assert_missing(store, STORE_SHARES, "key");
    put(store, STORE_SHARES, "key", "value");
    assert_missing(store, STORE_SHARES, "ke");
    assert_missing(store, STORE_SHARES, "key2");
    assert_true(store_settle(store, SETTLE_MS));
    assert_missing(store, STORE_SHARES, "ke");
    assert_missing(store, STORE_SHARES, "key2");
}

static void later_put_replaces_the_earlier_one(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "key", "first value");
    put(store, STORE_SHARES, "key", "second");
    assert_value(store, STORE_SHARES, "key", "second");
    assert_true(store_settle(store, SETTLE_MS));
    put(store, STORE_SHARES, "key", "third");
    assert_value(store, STORE_SHARES, "key", "third");
    assert_true(store_settle(store, SETTLE_MS));
    assert_value(store, STORE_SHARES, "key", "third");
}

static void removed_key_is_gone_until_it_is_put_again(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "key", "value");
    assert_true(store_settle(store, SETTLE_MS));
    store_remove(store, STORE_SHARES, "key", 3);
    assert_missing(store, STORE_SHARES, "key");
    assert_true(store_settle(store, SETTLE_MS));
    assert_missing(store, STORE_SHARES, "key");
    store_remove(store, STORE_SHARES, "key", 3);
    put(store, STORE_SHARES, "key", "again");
    assert_value(store, STORE_SHARES, "key", "again");
    assert_true(store_settle(store, SETTLE_MS));
    assert_value(store, STORE_SHARES, "key", "again");
}

static void removal_of_a_missing_key_is_done_and_durable(void **state)
{
    struct store *store = store_of(state);
    uint64_t sequence = store_remove(store, STORE_SHARES, "never", 5);
    assert_true(sequence > 0);
    assert_true(store_settle(store, SETTLE_MS));
    assert_true(store_durable(store) >= sequence);
}

static void empty_value_is_there(void **state)
{
    struct store *store = store_of(state);
    store_put(store, STORE_META, "key", 3, NULL, 0);
    assert_value(store, STORE_META, "key", "");
    assert_true(store_settle(store, SETTLE_MS));
    assert_value(store, STORE_META, "key", "");
}

static void value_is_appended_to_what_the_buffer_holds(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_META, "key", "value");
    struct buffer out;
    buffer_init(&out, 100);
    write_text(&out, "so ");
    assert_true(store_get(store, STORE_META, "key", 3, &out));
    assert_int_equal(out.size, 8);
    assert_memory_equal(out.data, "so value", 8);
    buffer_clear(&out);
}

static void tables_do_not_see_each_other(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "key", "share");
    put(store, STORE_BODIES, "key", "body");
    store_remove(store, STORE_BLOCKS, "key", 3);
    for (unsigned round = 0; round < 2; round++) {
        assert_value(store, STORE_SHARES, "key", "share");
        assert_value(store, STORE_BODIES, "key", "body");
        assert_missing(store, STORE_HEADERS, "key");
        assert_each(store, STORE_WORKERS, NULL, "");
        assert_true(store_settle(store, SETTLE_MS));
    }
}

static void key_and_value_may_hold_any_byte_and_the_longest_key_fits(void **state)
{
    struct store *store = store_of(state);
    uint8_t key[STORE_KEY_SIZE_MAX], value[5000];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 37);
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 11 + i / 256);
    store_put(store, STORE_BODIES, key, sizeof key, value, sizeof value);
    for (unsigned round = 0; round < 2; round++) {
        struct buffer out;
        buffer_init(&out, sizeof value);
        assert_true(store_get(store, STORE_BODIES, key, sizeof key, &out));
        assert_int_equal(out.size, sizeof value);
        assert_memory_equal(out.data, value, sizeof value);
        buffer_clear(&out);
        assert_true(store_settle(store, SETTLE_MS));
    }
}

static void callers_memory_may_change_after_the_put(void **state)
{
    struct store *store = store_of(state);
    char key[] = "key", value[] = "value";
    put(store, STORE_META, key, value);
    memset(key, 'x', 3);
    memset(value, 'x', 5);
    assert_value(store, STORE_META, "key", "value");
    assert_true(store_settle(store, SETTLE_MS));
    assert_value(store, STORE_META, "key", "value");
    assert_missing(store, STORE_META, "xxx");
}

static void each_visits_keys_in_the_order_of_bytes(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "b", "1");
    put(store, STORE_SHARES, "a\xff", "2");
    put(store, STORE_SHARES, "ab", "3");
    put(store, STORE_SHARES, "a", "4");
    const char *expected = "a=4 ab=3 a\xff=2 b=1 ";
    assert_each(store, STORE_SHARES, NULL, expected);
    assert_true(store_settle(store, SETTLE_MS));
    assert_each(store, STORE_SHARES, NULL, expected);
}

static void each_starts_at_the_first_key_not_smaller_than_from(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "b", "1");
    put(store, STORE_SHARES, "d", "2");
    for (unsigned round = 0; round < 2; round++) {
        assert_each(store, STORE_SHARES, "a", "b=1 d=2 ");
        assert_each(store, STORE_SHARES, "b", "b=1 d=2 ");
        assert_each(store, STORE_SHARES, "ba", "d=2 ");
        assert_each(store, STORE_SHARES, "da", "");
        assert_true(store_settle(store, SETTLE_MS));
    }
}

static void each_merges_what_is_settled_with_what_is_not(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "b", "settled");
    put(store, STORE_SHARES, "d", "settled");
    put(store, STORE_SHARES, "f", "settled");
    put(store, STORE_SHARES, "h", "settled");
    assert_true(store_settle(store, SETTLE_MS));
    put(store, STORE_SHARES, "a", "new");
    put(store, STORE_SHARES, "c", "new");
    put(store, STORE_SHARES, "d", "replaced");
    store_remove(store, STORE_SHARES, "f", 1);
    store_remove(store, STORE_SHARES, "g", 1);
    put(store, STORE_SHARES, "i", "new");
    for (unsigned round = 0; round < 2; round++) {
        assert_each(store, STORE_SHARES, NULL, "a=new b=settled c=new d=replaced h=settled i=new ");
        assert_each(store, STORE_SHARES, "cc", "d=replaced h=settled i=new ");
        assert_true(store_settle(store, SETTLE_MS));
    }
}

static void each_stops_when_the_visitor_says_so(void **state)
{
    struct store *store = store_of(state);
    put(store, STORE_SHARES, "a", "1");
    put(store, STORE_SHARES, "b", "2");
    put(store, STORE_SHARES, "c", "3");
    for (unsigned round = 0; round < 2; round++) {
        struct listing listing = {.left = 2};
        buffer_init(&listing.text, 100);
        assert_false(store_each(store, STORE_SHARES, NULL, 0, list_entry, &listing));
        assert_int_equal(listing.text.size, strlen("a=1 b=2 "));
        buffer_clear(&listing.text);
        assert_true(store_settle(store, SETTLE_MS));
    }
}

static bool get_same_key_of_bodies(void *context, const void *key, size_t key_size,
                                   const void *value, size_t value_size)
{
    struct fixture *fixture = context;
    struct buffer out;
    buffer_init(&out, 100);
    assert_true(store_get(fixture->store, STORE_BODIES, key, key_size, &out));
    assert_int_equal(out.size, value_size);
    assert_memory_equal(out.data, value, value_size);
    buffer_clear(&out);
    return true;
}

static void visitor_may_look_up_other_entries(void **state)
{
    struct store *store = store_of(state);
    for (char key[] = "a"; key[0] <= 'z'; key[0]++) {
        put(store, STORE_SHARES, key, key);
        put(store, STORE_BODIES, key, key);
        if (key[0] == 'm')
            assert_true(store_settle(store, SETTLE_MS));
    }
    assert_true(store_each(store, STORE_SHARES, NULL, 0, get_same_key_of_bodies, *state));
    // What has just settled may still be in memory, and must stay for as long as the walk.
    assert_true(store_settle(store, SETTLE_MS));
    assert_true(store_each(store, STORE_SHARES, NULL, 0, get_same_key_of_bodies, *state));
    assert_value(store, STORE_BODIES, "z", "z");
}

static void sequence_grows_and_becomes_durable(void **state)
{
    struct store *store = store_of(state);
    uint64_t first = put(store, STORE_SHARES, "a", "1");
    uint64_t second = put(store, STORE_BODIES, "a", "1");
    uint64_t third = store_remove(store, STORE_SHARES, "a", 1);
    assert_true(first > 0);
    assert_true(second > first);
    assert_true(third > second);
    assert_true(store_settle(store, SETTLE_MS));
    assert_int_equal(store_durable(store), third);
    assert_int_equal(store_pending_bytes(store), 0);
    assert_int_equal(store_health(store), STORE_HEALTHY);
    char text[100] = "x";
    store_health_text(store, text, sizeof text);
    assert_string_equal(text, "");
}

static void schema_is_on_record(void **state)
{
    struct store *store = store_of(state);
    struct buffer out;
    buffer_init(&out, 100);
    assert_true(store_get(store, STORE_META, STORE_SCHEMA_KEY, strlen(STORE_SCHEMA_KEY), &out));
    struct reader reader = reader_init(out.data, out.size);
    assert_int_equal(read_u32(&reader), STORE_SCHEMA);
    assert_true(reader_is_done(&reader));
    buffer_clear(&out);
}

// A model of one table: the value of each of a few keys, 0 for none.
struct model {
    struct store *store;
    unsigned values[500];
    unsigned next; // while walking: the first key not compared yet
};

static void key_of(unsigned n, char key[8])
{
    // Not in the order of the numbers, and of different lengths.
    snprintf(key, 8, "%c%u", 'a' + (int)(n * 7 % 26), n);
}

static bool count_model_entry(void *context, const void *key, size_t key_size, const void *value,
                              size_t value_size)
{
    struct model *model = context;
    unsigned n = 0;
    for (size_t i = 1; i < key_size; i++)
        n = n * 10 + ((const uint8_t *)key)[i] - '0';
    assert_true(n < 500);
    assert_int_equal(value_size, sizeof model->values[n]);
    assert_memory_equal(value, &model->values[n], sizeof model->values[n]);
    assert_int_not_equal(model->values[n], 0);
    model->next++;
    return true;
}

static void compare_with_model(struct model *model)
{
    unsigned expected = 0;
    for (unsigned n = 0; n < 500; n++) {
        char key[8];
        key_of(n, key);
        struct buffer out;
        buffer_init(&out, 100);
        bool is_there = store_get(model->store, STORE_WORKERS, key, strlen(key), &out);
        assert_int_equal(is_there, model->values[n] != 0);
        if (is_there)
            assert_memory_equal(out.data, &model->values[n], sizeof model->values[n]);
        buffer_clear(&out);
        expected += is_there;
    }
    model->next = 0;
    assert_true(store_each(model->store, STORE_WORKERS, NULL, 0, count_model_entry, model));
    assert_int_equal(model->next, expected);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

static void many_random_changes_agree_with_a_plain_array(void **state)
{
    struct model *model = test_calloc(1, sizeof *model);
    model->store = store_of(state);
    uint64_t random = 42;
    for (unsigned i = 1; i <= 20000; i++) {
        unsigned n = (unsigned)(next_random(&random) % 500);
        char key[8];
        key_of(n, key);
        model->values[n] = next_random(&random) % 3 == 0 ? 0 : i;
        if (model->values[n] == 0)
            store_remove(model->store, STORE_WORKERS, key, strlen(key));
        else
            store_put(model->store, STORE_WORKERS, key, strlen(key), &i, sizeof i);
        if (i % 4000 == 2000)
            assert_true(store_settle(model->store, SETTLE_MS));
        if (i % 1000 == 0)
            compare_with_model(model);
    }
    assert_true(store_settle(model->store, SETTLE_MS));
    compare_with_model(model);
    test_free(model);
}

#define WITH(set_up, name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define ALL_TESTS(set_up)                                                                          \
    {                                                                                              \
        WITH(set_up, value_is_read_back_at_once_and_when_settled),                                 \
            WITH(set_up, missing_key_is_not_found),                                                \
            WITH(set_up, later_put_replaces_the_earlier_one),                                      \
            WITH(set_up, removed_key_is_gone_until_it_is_put_again),                               \
            WITH(set_up, removal_of_a_missing_key_is_done_and_durable),                            \
            WITH(set_up, empty_value_is_there),                                                    \
            WITH(set_up, value_is_appended_to_what_the_buffer_holds),                              \
            WITH(set_up, tables_do_not_see_each_other),                                            \
            WITH(set_up, key_and_value_may_hold_any_byte_and_the_longest_key_fits),                \
            WITH(set_up, callers_memory_may_change_after_the_put),                                 \
            WITH(set_up, each_visits_keys_in_the_order_of_bytes),                                  \
            WITH(set_up, each_starts_at_the_first_key_not_smaller_than_from),                      \
            WITH(set_up, each_merges_what_is_settled_with_what_is_not),                            \
            WITH(set_up, each_stops_when_the_visitor_says_so),                                     \
            WITH(set_up, visitor_may_look_up_other_entries),                                       \
            WITH(set_up, sequence_grows_and_becomes_durable), WITH(set_up, schema_is_on_record),   \
            WITH(set_up, many_random_changes_agree_with_a_plain_array),                            \
    }

int main(void)
{
    const struct CMUnitTest on_memory[] = ALL_TESTS(set_up_memory);
    const struct CMUnitTest on_lmdb[] = ALL_TESTS(set_up_lmdb);
    int failed = cmocka_run_group_tests_name("memory", on_memory, NULL, NULL);
    failed += cmocka_run_group_tests_name("lmdb", on_lmdb, NULL, NULL);
    return failed;
}
