#include "sharechain/sorted_map.h"

#include <stdarg.h>
#include <stdbool.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// An item is its key: size, then bytes.
struct item {
    size_t size;
    uint8_t bytes[8];
};

static struct item item_of(const char *text)
{
    struct item item = {.size = strlen(text)};
    memcpy(item.bytes, text, item.size);
    return item;
}

static void *set(struct sorted_map *map, struct item *item)
{
    return sorted_map_set(map, item->bytes, item->size, item);
}

static void key_is_found_until_it_is_removed(void **state)
{
    (void)state;
    struct sorted_map *map = sorted_map_new();
    struct item a = item_of("a"), b = item_of("b");
    assert_null(sorted_map_find(map, "a", 1));
    assert_null(set(map, &a));
    assert_null(set(map, &b));
    assert_int_equal(sorted_map_count(map), 2);
    assert_ptr_equal(sorted_map_find(map, "a", 1), &a);
    assert_null(sorted_map_find(map, "aa", 2));
    assert_ptr_equal(sorted_map_remove(map, "a", 1), &a);
    assert_null(sorted_map_remove(map, "a", 1));
    assert_null(sorted_map_find(map, "a", 1));
    assert_ptr_equal(sorted_map_find(map, "b", 1), &b);
    assert_int_equal(sorted_map_count(map), 1);
    sorted_map_free(map);
}

static void replaced_item_takes_its_key_with_it(void **state)
{
    (void)state;
    struct sorted_map *map = sorted_map_new();
    struct item old = item_of("key"), new = item_of("key");
    assert_null(set(map, &old));
    assert_ptr_equal(set(map, &new), &old);
    memset(old.bytes, 0, sizeof old.bytes); // as if it were freed
    assert_int_equal(sorted_map_count(map), 1);
    assert_ptr_equal(sorted_map_find(map, "key", 3), &new);
    sorted_map_free(map);
}

static void order_is_that_of_bytes_with_shorter_keys_first(void **state)
{
    (void)state;
    struct sorted_map *map = sorted_map_new();
    struct item items[] = {item_of("b"),  item_of("ab"), item_of("\xff"),
                           item_of("aa"), item_of("a"),  item_of("\x7f")};
    struct item zeros = {.size = 2, .bytes = {'a', 0}};
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        set(map, &items[i]);
    set(map, &zeros);
    struct item *expected[] = {&items[4], &zeros,    &items[3], &items[1],
                               &items[0], &items[5], &items[2]};
    const struct sorted_node *node = sorted_map_seek(map, NULL, 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_non_null(node);
        assert_ptr_equal(sorted_node_item(node), expected[i]);
        node = sorted_node_next(node);
    }
    assert_null(node);
    sorted_map_free(map);
}

static void seek_finds_the_first_key_that_is_not_smaller(void **state)
{
    (void)state;
    struct sorted_map *map = sorted_map_new();
    struct item b = item_of("b"), d = item_of("d");
    set(map, &b);
    set(map, &d);
    assert_ptr_equal(sorted_node_item(sorted_map_seek(map, "a", 1)), &b);
    assert_ptr_equal(sorted_node_item(sorted_map_seek(map, "b", 1)), &b);
    assert_ptr_equal(sorted_node_item(sorted_map_seek(map, "ba", 2)), &d);
    assert_null(sorted_map_seek(map, "da", 2));
    sorted_map_free(map);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

// Against an array that is indexed by the key.
static void many_changes_leave_what_a_plain_array_holds(void **state)
{
    (void)state;
    enum { KEYS = 3000 };
    struct item *items = calloc(KEYS, sizeof *items);
    bool *is_in = calloc(KEYS, sizeof *is_in);
    assert_non_null(items);
    assert_non_null(is_in);
    struct sorted_map *map = sorted_map_new();
    uint64_t random = 7;
    for (unsigned i = 0; i < 100000; i++) {
        size_t n = next_random(&random) % KEYS;
        items[n] = (struct item){.size = 2, .bytes = {(uint8_t)(n >> 8), (uint8_t)n}};
        bool is_set = next_random(&random) % 3 != 0;
        void *old = is_set ? set(map, &items[n]) : sorted_map_remove(map, items[n].bytes, 2);
        assert_ptr_equal(old, is_in[n] ? &items[n] : NULL);
        is_in[n] = is_set;
    }
    const struct sorted_node *node = sorted_map_seek(map, NULL, 0);
    size_t count = 0;
    for (size_t n = 0; n < KEYS; n++) {
        if (!is_in[n])
            continue;
        assert_non_null(node);
        assert_ptr_equal(sorted_node_item(node), &items[n]);
        node = sorted_node_next(node);
        count++;
    }
    assert_null(node);
    assert_int_equal(sorted_map_count(map), count);
    sorted_map_free(map);
    free(items);
    free(is_in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_is_found_until_it_is_removed),
        cmocka_unit_test(replaced_item_takes_its_key_with_it),
        cmocka_unit_test(order_is_that_of_bytes_with_shorter_keys_first),
        cmocka_unit_test(seek_finds_the_first_key_that_is_not_smaller),
        cmocka_unit_test(many_changes_leave_what_a_plain_array_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
