#include "node/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/node/base/seeded.h"

#define KEYS       5000
#define OPERATIONS 100000

// One array slot per possible key: the simplest map there is.
struct model {
    int *values[KEYS];
    size_t count;
};

// Distinct values: only their addresses are used.
static int *value_of(size_t number)
{
    static int values[KEYS * 2];
    return &values[number];
}

static struct map *new_map(uint64_t seed)
{
    struct env env = {.random = seeded_fill, .context = &seed};
    return map_new(&env);
}

static struct hash256 key_of(size_t number)
{
    struct hash256 key = {{0}};
    memcpy(key.bytes, &number, sizeof number); // keys that differ in few bits
    return key;
}

static size_t number_of(const struct hash256 *key)
{
    size_t number;
    memcpy(&number, key->bytes, sizeof number);
    return number;
}

static void operate(struct map *map, struct model *model, uint64_t *seed, unsigned removals_in_8)
{
    size_t number = seeded_next(seed) % KEYS;
    struct hash256 key = key_of(number);
    assert_ptr_equal(map_find(map, &key), model->values[number]);
    if (seeded_next(seed) % 8 < removals_in_8) {
        model->count -= model->values[number] != NULL;
        assert_ptr_equal(map_remove(map, &key), model->values[number]);
        model->values[number] = NULL;
    } else {
        int *value = value_of(seeded_next(seed) % (KEYS * 2));
        model->count += model->values[number] == NULL;
        assert_ptr_equal(map_set(map, &key, value), model->values[number]);
        model->values[number] = value;
    }
    assert_int_equal(map_count(map), model->count);
}

static void assert_same_content(const struct map *map, const struct model *model)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct hash256 key = key_of(i);
        assert_ptr_equal(map_find(map, &key), model->values[i]);
    }
    static bool seen[KEYS];
    memset(seen, 0, sizeof seen);
    size_t cursor = 0;
    size_t count = 0;
    struct hash256 key;
    void *value;
    for (; map_next(map, &cursor, &key, &value); count++) {
        size_t number = number_of(&key);
        assert_false(seen[number]);
        seen[number] = true;
        assert_ptr_equal(value, model->values[number]);
    }
    assert_int_equal(count, model->count);
}

static void random_operations_agree_with_a_simple_model(void **state)
{
    (void)state;
    static struct model model;
    uint64_t seed = 1;
    struct map *map = new_map(99);
    for (int i = 0; i < OPERATIONS; i++) {
        operate(map, &model, &seed, i / 10000 % 2 == 0 ? 2 : 6); // fills and empties in turns
        if (i % 5000 == 0)
            assert_same_content(map, &model);
    }
    assert_same_content(map, &model);
    map_free(map);
}

static void entry_just_returned_may_be_removed_during_a_walk(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct map *map = new_map(seed);
        bool seen[300] = {false};
        for (size_t i = 0; i < 300; i++) {
            struct hash256 key = key_of(i);
            assert_null(map_set(map, &key, value_of(i)));
        }
        size_t cursor = 0;
        size_t count = 0;
        struct hash256 key;
        void *value;
        for (; map_next(map, &cursor, &key, &value); count++) {
            size_t number = number_of(&key);
            assert_false(seen[number]);
            seen[number] = true;
            if ((number * 7 + seed) % 3 != 0)
                assert_ptr_equal(map_remove(map, &key), value_of(number));
        }
        assert_int_equal(count, 300);
        for (size_t i = 0; i < 300; i++) {
            key = key_of(i);
            assert_int_equal(map_find(map, &key) != NULL, (i * 7 + seed) % 3 == 0);
        }
        map_free(map);
    }
}

static void walk_that_removes_everything_ends_with_an_empty_map(void **state)
{
    (void)state;
    struct map *map = new_map(3);
    for (size_t i = 0; i < 1000; i++) {
        struct hash256 key = key_of(i);
        map_set(map, &key, value_of(i));
    }
    size_t cursor = 0;
    struct hash256 key;
    void *value;
    while (map_next(map, &cursor, &key, &value))
        assert_ptr_equal(map_remove(map, &key), value);
    assert_int_equal(map_count(map), 0);
    assert_false(map_next(map, &cursor, &key, &value)); // stays at its end
    cursor = 0;
    assert_false(map_next(map, &cursor, &key, &value));
    map_free(map);
}

static void absent_keys_are_found_nowhere(void **state)
{
    (void)state;
    struct map *map = new_map(4);
    struct hash256 key = key_of(1);
    assert_null(map_find(map, &key));
    assert_null(map_remove(map, &key));
    map_set(map, &key, value_of(0));
    key.bytes[31] = 1; // differs in the last byte only
    assert_null(map_find(map, &key));
    assert_null(map_remove(map, &key));
    assert_int_equal(map_count(map), 1);
    map_free(map);
    map_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_a_simple_model),
        cmocka_unit_test(entry_just_returned_may_be_removed_during_a_walk),
        cmocka_unit_test(walk_that_removes_everything_ends_with_an_empty_map),
        cmocka_unit_test(absent_keys_are_found_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
