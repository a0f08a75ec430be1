// Locators, headers and skeletons as others ask for them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/pow/pow.h"
#include "tests/support/share_maker.h"

struct scene {
    struct pool pool;
    struct maker_random random;
    struct env env;
    struct store *store;
    struct sharechain *chain;
    int64_t clock_s;
};

static void scene_open(struct scene *scene, uint64_t seed)
{
    maker_pool(&scene->pool, 30, 4);
    maker_env_init(&scene->env, &scene->random, seed);
    scene->store = store_memory_new();
    scene->chain = sharechain_new(&scene->env, &scene->pool, scene->store, NULL);
    scene->clock_s = scene->pool.genesis_time + 100;
    assert_non_null(scene->chain);
}

static void scene_close(struct scene *scene)
{
    sharechain_free(scene->chain);
    store_close(scene->store);
    maker_env_clear(&scene->env);
}

static const struct header_node *add_block(struct scene *scene, const struct header_node *prev)
{
    uint8_t header[HEADER_SIZE];
    struct hash256 id;
    maker_header(scene->chain, prev, (uint32_t)scene->clock_s, env_random_u64(&scene->env), header);
    assert_int_equal(sharechain_add_header(scene->chain, header), VERDICT_VALID);
    header_id(header, &id);
    return header_chain_find(sharechain_headers(scene->chain), &id);
}

static const struct header_node *best_header(const struct scene *scene)
{
    return header_chain_best(sharechain_headers(scene->chain));
}

static void add_links(struct scene *scene, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scene->clock_s += 30;
        if (i % 10 == 9)
            add_block(scene, best_header(scene));
        struct made_share made;
        struct maker_spec spec = {
            .prev = best_header(scene)->id,
            .now = {scene->clock_s * 1000},
            .script = maker_script((uint32_t)(i % 7)),
            .want = MAKER_LINK,
            .salt = i,
            .branch_count = i % 3,
        };
        assert_true(maker_share(scene->chain, &spec, &made));
        assert_int_equal(maker_add(scene->chain, &made, SHARECHAIN_OWN), VERDICT_VALID);
        made_share_clear(&made);
    }
}

static uint32_t height_of(const struct scene *scene, const struct hash256 *id)
{
    struct link_view view;
    assert_true(sharechain_link(scene->chain, id, &view));
    return view.height;
}

static void locator_is_dense_at_the_tip_and_ends_at_link_0(void **state)
{
    (void)state;
    struct scene scene;
    struct hash256 ids[64];
    scene_open(&scene, 1);
    assert_int_equal(sharechain_link_locator(scene.chain, ids, 64), 1);
    assert_memory_equal(&ids[0], &scene.pool.id, sizeof(ids[0]));
    add_links(&scene, 300);
    size_t count = sharechain_link_locator(scene.chain, ids, 64);
    assert_in_range(count, 12, 24);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(height_of(&scene, &ids[i]), 300 - i);
    for (size_t i = 2; i + 1 < count; i++) {
        uint32_t step = height_of(&scene, &ids[i - 1]) - height_of(&scene, &ids[i]);
        uint32_t before = height_of(&scene, &ids[i - 2]) - height_of(&scene, &ids[i - 1]);
        assert_true(step >= before && step <= 2 * before);
    }
    assert_memory_equal(&ids[count - 1], &scene.pool.id, sizeof(ids[0]));
    // As little room as there may be: the ends.
    assert_int_equal(sharechain_link_locator(scene.chain, ids, 2), 2);
    assert_int_equal(height_of(&scene, &ids[0]), 300);
    assert_memory_equal(&ids[1], &scene.pool.id, sizeof(ids[0]));
    scene_close(&scene);
}

static void headers_come_after_the_newest_that_is_known(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2);
    const struct header_node *nodes[31];
    nodes[0] = best_header(&scene);
    for (size_t i = 1; i <= 30; i++)
        nodes[i] = add_block(&scene, nodes[i - 1]);
    struct hash256 unknown = {{9}};
    struct hash256 ids[2] = {unknown, nodes[12]->id};
    struct locator locator = {ids, 2};
    struct buffer out;
    buffer_init(&out, 10 * HEADER_SIZE);
    assert_int_equal(sharechain_headers_after(scene.chain, NULL, &locator, 4, &out), 4);
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(out.data + i * HEADER_SIZE, nodes[13 + i]->bytes, HEADER_SIZE);
    // What has room goes out, without touching what is there.
    assert_int_equal(sharechain_headers_after(scene.chain, NULL, &locator, 100, &out), 6);
    assert_memory_equal(out.data + 9 * HEADER_SIZE, nodes[18]->bytes, HEADER_SIZE);
    assert_int_equal(sharechain_headers_after(scene.chain, NULL, &locator, 100, &out), 0);
    buffer_reset(&out);
    struct locator none = {NULL, 0};
    assert_int_equal(sharechain_headers_after(scene.chain, NULL, &none, 1, &out), 1);
    assert_memory_equal(out.data, nodes[1]->bytes, HEADER_SIZE);
    ids[1] = nodes[30]->id;
    assert_int_equal(sharechain_headers_after(scene.chain, NULL, &locator, 1, &out), 0);
    buffer_clear(&out);
    scene_close(&scene);
}

static void headers_of_a_branch_that_lost_are_served(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    const struct header_node *common = add_block(&scene, best_header(&scene));
    const struct header_node *won = add_block(&scene, common);
    const struct header_node *lost = add_block(&scene, common);
    won = add_block(&scene, won);
    assert_ptr_equal(best_header(&scene), won);
    struct locator locator = {&won->id, 1}; // all that the asker has is on the other branch
    struct buffer out;
    buffer_init(&out, 10 * HEADER_SIZE);
    assert_int_equal(sharechain_headers_after(scene.chain, &lost->id, &locator, 9, &out), 2);
    assert_memory_equal(out.data + HEADER_SIZE, lost->bytes, HEADER_SIZE);
    struct hash256 ids[2] = {won->id, common->id};
    locator = (struct locator){ids, 2};
    buffer_reset(&out);
    assert_int_equal(sharechain_headers_after(scene.chain, &lost->id, &locator, 9, &out), 1);
    assert_memory_equal(out.data, lost->bytes, HEADER_SIZE);
    struct hash256 unknown = {{9}};
    assert_int_equal(sharechain_headers_after(scene.chain, &unknown, &locator, 9, &out), 0);
    buffer_clear(&out);
    scene_close(&scene);
}

// Every skeleton proves itself, and the walk over them arrives where the chain is.
static void walk_skeletons(struct scene *scene, struct skeleton_walk *walk, uint32_t height)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    size_t count = sharechain_skeletons_from(scene->chain, height, 10000, &out);
    struct reader reader = reader_init(out.data, out.size);
    for (size_t i = 0; i < count; i++) {
        struct skeleton skeleton;
        struct hash256 id;
        size_t size = read_u16(&reader);
        const uint8_t *bytes = read_view(&reader, size);
        assert_false(reader.failed);
        assert_true(skeleton_decode(bytes, size, &skeleton));
        header_id(skeleton.header, &id);
        assert_true(skeleton_walk_step(walk, &skeleton, &id));
    }
    assert_true(reader_is_done(&reader));
    buffer_clear(&out);
}

static void assert_walk_is_at_tip(const struct scene *scene, const struct skeleton_walk *walk)
{
    struct link_view tip;
    sharechain_tip(scene->chain, &tip);
    assert_memory_equal(&walk->id, &tip.id, sizeof(tip.id));
    assert_memory_equal(&walk->work, &tip.work, sizeof(tip.work));
    assert_memory_equal(&walk->tip->id, &tip.tip, sizeof(tip.tip));
    assert_int_equal(walk->height, tip.height);
}

static void skeletons_lead_from_any_link_to_the_tip(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 4);
    add_links(&scene, 150);
    struct skeleton_walk walk;
    assert_true(sharechain_walk_from(scene.chain, &scene.pool.id, &walk));
    walk_skeletons(&scene, &walk, 1);
    assert_walk_is_at_tip(&scene, &walk);
    for (uint32_t height = 1; height < 150; height += 31) {
        struct link_view view;
        assert_true(sharechain_link_at(scene.chain, height, &view));
        assert_true(sharechain_walk_from(scene.chain, &view.id, &walk));
        walk_skeletons(&scene, &walk, height + 1);
        assert_walk_is_at_tip(&scene, &walk);
    }
    struct hash256 unknown = {{9}};
    assert_false(sharechain_walk_from(scene.chain, &unknown, &walk));
    scene_close(&scene);
}

struct keys {
    uint8_t bytes[200][8];
    size_t count;
};

static bool note_key(void *context, const void *key, size_t key_size, const void *value,
                     size_t value_size)
{
    struct keys *keys = context;
    (void)value;
    (void)value_size;
    assert_int_equal(key_size, 8);
    memcpy(keys->bytes[keys->count], key, 8);
    keys->count++;
    return true;
}

static void lost_skeletons_are_made_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 5);
    add_links(&scene, 100);
    struct keys keys = {.count = 0};
    store_each(scene.store, STORE_SKELETONS, NULL, 0, note_key, &keys);
    assert_int_equal(keys.count, 100);
    for (size_t i = 0; i < keys.count; i++)
        store_remove(scene.store, STORE_SKELETONS, keys.bytes[i], 8);
    struct skeleton_walk walk;
    assert_true(sharechain_walk_from(scene.chain, &scene.pool.id, &walk));
    walk_skeletons(&scene, &walk, 1);
    assert_walk_is_at_tip(&scene, &walk);
    keys.count = 0;
    store_each(scene.store, STORE_SKELETONS, NULL, 0, note_key, &keys);
    assert_int_equal(keys.count, 100);
    scene_close(&scene);
}

static void skeletons_stop_where_the_room_ends(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 6);
    add_links(&scene, 20);
    struct buffer out;
    buffer_init(&out, 2000);
    size_t count = sharechain_skeletons_from(scene.chain, 1, 100, &out);
    assert_in_range(count, 3, 7);
    assert_false(out.failed);
    buffer_reset(&out);
    assert_int_equal(sharechain_skeletons_from(scene.chain, 1, 2, &out), 2);
    buffer_reset(&out);
    assert_int_equal(sharechain_skeletons_from(scene.chain, 21, 2, &out), 0);
    assert_int_equal(out.size, 0);
    buffer_clear(&out);
    scene_close(&scene);
}

static void credits_count_as_work_only_for_a_while(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 7);
    add_links(&scene, 50);
    struct link_view view;
    struct hash256 unknown = {{9}};
    assert_true(sharechain_link_at(scene.chain, 30, &view));
    assert_true(sharechain_is_credited(scene.chain, &view.id, 21));
    assert_false(sharechain_is_credited(scene.chain, &view.id, 20));
    assert_false(sharechain_is_credited(scene.chain, &unknown, 100));
    scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locator_is_dense_at_the_tip_and_ends_at_link_0),
        cmocka_unit_test(headers_come_after_the_newest_that_is_known),
        cmocka_unit_test(headers_of_a_branch_that_lost_are_served),
        cmocka_unit_test(skeletons_lead_from_any_link_to_the_tip),
        cmocka_unit_test(lost_skeletons_are_made_again),
        cmocka_unit_test(skeletons_stop_where_the_room_ends),
        cmocka_unit_test(credits_count_as_work_only_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
