// What waiting objects lack: who is named, in which order, and that nobody is left out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/support/share_maker.h"

struct scene {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct store *store;
    struct sharechain *chain;
    struct made_share made;
};

static void scene_open(struct scene *scene, uint64_t seed)
{
    maker_pool(&scene->pool, 30, 4);
    maker_env_init(&scene->env, &scene->random, seed);
    scene->store = store_memory_new();
    scene->chain = sharechain_new(&scene->env, &scene->pool, scene->store, NULL);
    assert_non_null(scene->chain);
    struct maker_spec spec = {
        .prev = header_chain_best(sharechain_headers(scene->chain))->id,
        .now = {((int64_t)scene->pool.genesis_time + 100) * 1000},
        .script = maker_script(1),
        .want = MAKER_LINK,
    };
    assert_true(maker_share(scene->chain, &spec, &scene->made));
}

static void scene_close(struct scene *scene)
{
    made_share_clear(&scene->made);
    sharechain_free(scene->chain);
    store_close(scene->store);
    maker_env_clear(&scene->env);
}

// The made share with another anchor; what is altered under an id is judged when the anchor is
// here.
static void add_altered(struct scene *scene, const struct hash256 *anchor, uint32_t source)
{
    struct share share;
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    assert_true(share_decode(scene->made.bytes, scene->made.size, &share));
    share.info.anchor = *anchor;
    share_encode(&share, &out);
    struct share_arrival arrival = {.bytes = bytes, .size = out.size, .source = source};
    assert_int_equal(sharechain_add_share(scene->chain, &arrival), VERDICT_UNKNOWN);
}

static void every_missing_object_has_its_turn(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    static bool is_named[3000];
    memset(is_named, 0, sizeof(is_named));
    for (uint32_t i = 0; i < 3000; i++) {
        struct hash256 anchor = {{0}};
        memcpy(anchor.bytes, &i, sizeof(i));
        anchor.bytes[31] = 1;
        add_altered(&scene, &anchor, 100 + i % 3);
    }
    size_t named = 0;
    for (size_t calls = 0; calls < 400 && named < 3000; calls++) {
        struct lack_view lacks[16];
        size_t count = sharechain_lacking(scene.chain, LACK_SHARE, lacks, 16);
        assert_int_equal(count, 16);
        for (size_t i = 0; i < count; i++) {
            uint32_t number;
            memcpy(&number, lacks[i].id.bytes, sizeof(number));
            assert_int_equal(lacks[i].source, 100 + number % 3);
            named += is_named[number] ? 0 : 1;
            is_named[number] = true;
        }
    }
    assert_int_equal(named, 3000);
    sharechain_forget_source(scene.chain, 100);
    sharechain_forget_source(scene.chain, 101);
    sharechain_forget_source(scene.chain, 102);
    struct lack_view one;
    assert_int_equal(sharechain_lacking(scene.chain, LACK_SHARE, &one, 1), 0);
    scene_close(&scene);
}

static void altered_copy_does_not_hide_what_is_missing(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2);
    // Somebody waits for the made share; a liar sends an altered copy of it that waits itself.
    struct hash256 nowhere = {{7}};
    add_altered(&scene, &scene.made.id, 1);
    add_altered(&scene, &nowhere, 2);
    struct lack_view lacks[4];
    assert_int_equal(sharechain_lacking(scene.chain, LACK_SHARE, lacks, 4), 2);
    assert_memory_equal(&lacks[0].id, &nowhere, sizeof(nowhere));
    assert_memory_equal(&lacks[1].id, &scene.made.id, sizeof(nowhere));
    assert_int_equal(lacks[1].source, 1);
    assert_int_equal(maker_add(scene.chain, &scene.made, 3), VERDICT_VALID);
    assert_int_equal(sharechain_lacking(scene.chain, LACK_SHARE, lacks, 4), 1);
    scene_close(&scene);
}

static void nothing_is_lacking_at_first(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    struct lack_view lack;
    assert_int_equal(sharechain_lacking(scene.chain, LACK_SHARE, &lack, 1), 0);
    assert_int_equal(sharechain_lacking(scene.chain, LACK_BODY, &lack, 1), 0);
    assert_int_equal(sharechain_lacking(scene.chain, LACK_HEADER, &lack, 1), 0);
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_missing_object_has_its_turn),
        cmocka_unit_test(altered_copy_does_not_hide_what_is_missing),
        cmocka_unit_test(nothing_is_lacking_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
