// What a node does before and without others: what it refuses to start with, when work may be made,
// what it keeps, and the line by which others find it. Nodes that meet are in
// tests/e2e/cluster.mjs.
#include "node/swarm.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "node/config_check.h"
#include "node/identity_file.h"
#include "tests/unit/node/node_fixture.h"

#define KEY      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GUARD_MS 20000

struct test {
    struct node_fixture fixture;
    struct net_timer *guard;
    char error[NODE_ERROR_SIZE];
};

static void on_guard(void *context, struct now now)
{
    (void)now;
    struct test *test = context;
    net_loop_stop(test->fixture.node.loop);
}

static int set_up(void **state)
{
    struct test *test = calloc(1, sizeof(*test));
    node_fixture_open(&test->fixture);
    struct config *config = &test->fixture.config;
    snprintf(config->data, sizeof(config->data), "/tmp/shoal-swarm-XXXXXX");
    assert_non_null(mkdtemp(config->data));
    config->peer_inbound = 64;
    config->peer_outbound = 8;
    test->guard = net_timer_new(test->fixture.node.loop, on_guard, test);
    *state = test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    char path[CONFIG_TEXT_SIZE + 32];
    snprintf(path, sizeof(path), "%s/" IDENTITY_FILE_NAME, test->fixture.config.data);
    swarm_free(test->fixture.node.swarm);
    net_timer_free(test->guard);
    node_fixture_close(&test->fixture);
    unlink(path);
    rmdir(test->fixture.config.data);
    free(test);
    return 0;
}

static struct swarm *open_swarm(struct test *test)
{
    test->fixture.node.swarm = swarm_new(&test->fixture.node, test->error);
    if (test->fixture.node.swarm == NULL)
        fail_msg("%s", test->error);
    return test->fixture.node.swarm;
}

static void add_text(struct config_list *list, const char *text)
{
    snprintf(list->items[list->count], CONFIG_TEXT_SIZE, "%s", text);
    list->count++;
}

static void on_turn(void *context, struct now now)
{
    (void)now;
    struct test *test = context;
    struct swarm_view view;
    swarm_view(test->fixture.node.swarm, &view);
    if (view.network != NULL)
        net_loop_stop(test->fixture.node.loop);
}

// Runs until the engine has begun.
static void run_until_begun(struct test *test)
{
    struct net_loop *loop = test->fixture.node.loop;
    net_timer_start(test->guard, (struct mono_time){net_loop_now(loop).mono.ms + GUARD_MS});
    net_loop_each_turn(loop, on_turn, test);
    net_loop_run(loop);
    net_loop_each_turn(loop, NULL, NULL);
    struct swarm_view view;
    swarm_view(test->fixture.node.swarm, &view);
    assert_non_null(view.network);
}

static void node_that_knows_nobody_is_told_what_to_give(void **state)
{
    struct test *test = *state;
    assert_null(swarm_new(&test->fixture.node, test->error));
    assert_non_null(strstr(test->error, "seed: missing; give --seed HOST:PORT/KEY"));
    assert_non_null(strstr(test->error, "--found"));
}

static void first_node_of_its_pool_may_mint_as_soon_as_it_has_an_identity(void **state)
{
    struct test *test = *state;
    test->fixture.config.found = true;
    struct swarm *swarm = open_swarm(test);
    assert_non_null(strstr(swarm_refuses_work(swarm), "identity"));
    run_until_begun(test);
    assert_null(swarm_refuses_work(swarm));
    swarm_stop(swarm);
}

static void node_that_has_met_nobody_may_not_mint(void **state)
{
    struct test *test = *state;
    add_text(&test->fixture.config.seed, "127.0.0.1:9/" KEY);
    struct swarm *swarm = open_swarm(test);
    run_until_begun(test);
    assert_non_null(strstr(swarm_refuses_work(swarm), "no node of this pool was met"));
    struct swarm_view view;
    swarm_view(swarm, &view);
    assert_false(view.has_met_peers);
}

static void identity_and_mark_are_the_same_after_a_restart(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    struct swarm_view view;
    struct node_id id;
    uint8_t tag[SHARE_NODE_TAG_SIZE];
    test->fixture.config.found = true;
    open_swarm(test);
    run_until_begun(test);
    swarm_view(node->swarm, &view);
    id = view.identity->id;
    memcpy(tag, node->node_tag, sizeof(tag));
    swarm_free(node->swarm);
    memset(node->node_tag, 0, sizeof(node->node_tag));
    open_swarm(test);
    swarm_view(node->swarm, &view);
    assert_non_null(view.network); // nothing had to be made
    assert_memory_equal(&view.identity->id, &id, sizeof(id));
    assert_memory_equal(node->node_tag, tag, sizeof(tag));
    uint8_t salt[RECORD_SALT_SIZE], expected[16];
    struct buffer value;
    buffer_init_fixed(&value, salt, sizeof(salt));
    assert_true(store_get(node->store, STORE_META, "work_salt", 9, &value));
    record_node_tag(&view.identity->sign_key, salt, expected);
    assert_memory_equal(node->node_tag, expected, sizeof(expected));
}

static void damaged_identity_is_no_start(void **state)
{
    struct test *test = *state;
    char path[CONFIG_TEXT_SIZE + 32];
    snprintf(path, sizeof(path), "%s/" IDENTITY_FILE_NAME, test->fixture.config.data);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("nonsense", file);
    fclose(file);
    chmod(path, 0600);
    test->fixture.config.found = true;
    assert_null(swarm_new(&test->fixture.node, test->error));
    assert_non_null(strstr(test->error, path));
}

static void seed_line_names_the_best_address_that_is_known(void **state)
{
    struct test *test = *state;
    struct config *config = &test->fixture.config;
    char text[SWARM_SEED_TEXT_SIZE], error[NET_ERROR_SIZE], listen[64], expected[64];
    // A port that is free for both TCP and UDP, as far as one can know.
    struct net_udp *probe = net_udp_open(test->fixture.node.loop, "127.0.0.1:0", NULL, NULL, error);
    unsigned port = net_udp_port(probe);
    net_udp_close(probe);
    config->found = true;
    snprintf(listen, sizeof(listen), "127.0.0.1:%u", port);
    add_text(&config->peer_listen, listen);
    swarm_seed_text(open_swarm(test), text);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u/", port);
    assert_ptr_equal(strstr(text, expected), text);
    struct seed_name seed;
    const char *wrong;
    assert_true(seed_name_parse(text, &seed, &wrong)); // fit to be copied
    struct swarm_view view;
    swarm_view(test->fixture.node.swarm, &view);
    assert_memory_equal(seed.key, view.identity->dht_key.bytes, 32);
    swarm_free(test->fixture.node.swarm);
    add_text(&config->peer_public, "203.0.113.5");
    swarm_seed_text(open_swarm(test), text);
    snprintf(expected, sizeof(expected), "203.0.113.5:%u/", port);
    assert_ptr_equal(strstr(text, expected), text);
}

static void public_address_needs_a_port(void **state)
{
    struct test *test = *state;
    test->fixture.config.found = true;
    add_text(&test->fixture.config.peer_public, "203.0.113.5");
    assert_null(swarm_new(&test->fixture.node, test->error));
    assert_non_null(strstr(test->error, "peer-public: \"203.0.113.5\" without a port"));
}

// ---- Which shares prove this node's work

// A grain that the chain has, as bytes, with this node_tag.
static struct hash256 grain_with_tag(struct test *test, const uint8_t tag[SHARE_NODE_TAG_SIZE],
                                     struct buffer *out)
{
    struct sharechain *chain = test->fixture.node.sharechain;
    struct link_view link;
    struct buffer bytes;
    struct share share;
    struct hash256 id = {{0}};
    bool is_grain = false;
    sharechain_tip(chain, &link);
    for (uint32_t height = link.height; !is_grain && height > 0; height--) {
        struct body body;
        buffer_init(&bytes, 1 << 16);
        assert_true(sharechain_link_at(chain, height, &link));
        assert_true(sharechain_body_bytes(chain, &link.id, &bytes));
        assert_true(body_decode(bytes.data, bytes.size, 4000, &body));
        for (size_t i = 0; !is_grain && i < body.count; i++) {
            body_id_at(&body, i, &id);
            sharechain_link_verdict(chain, &id, &is_grain);
        }
        buffer_clear(&bytes);
    }
    assert_true(is_grain);
    buffer_init(&bytes, SHARE_SIZE_MAX);
    assert_true(sharechain_share_bytes(chain, &id, &bytes));
    assert_true(share_decode(bytes.data, bytes.size, &share));
    memcpy(share.info.node_tag, tag, SHARE_NODE_TAG_SIZE);
    share_encode(&share, out);
    buffer_clear(&bytes);
    return id;
}

static void tell_own_grain(struct test *test, const uint8_t tag[SHARE_NODE_TAG_SIZE])
{
    struct buffer bytes;
    buffer_init(&bytes, SHARE_SIZE_MAX);
    struct hash256 id = grain_with_tag(test, tag, &bytes);
    swarm_share_became_valid(test->fixture.node.swarm, &id, bytes.data, bytes.size);
    buffer_clear(&bytes);
}

// The job that a miner of team "reef" gets now: its team, by what its shares will say.
static bool job_is_of_team(struct test *test)
{
    struct node *node = &test->fixture.node;
    struct work work = {.mint = node->mint};
    struct script payout = maker_script(1);
    struct team team = {.name = "reef"}, read;
    struct stratum_job_request request = {
        .owner = &work, .payout = &payout, .team = &team, .hashrate = 1};
    struct stratum_commitment commitment;
    struct share_info info;
    struct hash256 hash;
    struct buffer prefix;
    buffer_init(&prefix, 4096);
    assert_true(work_job_commitment(node, &request, &commitment, &prefix));
    buffer_clear(&prefix);
    work_share_info(&work, &payout, &commitment, &info);
    share_info_hash(&info, &hash);
    assert_true(hash_equal(&hash, &commitment.share_info_hash));
    assert_memory_equal(info.node_tag, node->mint->info.node_tag, TEAM_TAG_OWN);
    if (!team_from_tag(info.node_tag, &read)) {
        assert_memory_equal(info.node_tag, node->mint->info.node_tag, SHARE_NODE_TAG_SIZE);
        return false;
    }
    assert_string_equal(read.name, "reef");
    return true;
}

static void share_of_a_team_proves_nothing_and_one_job_in_eight_makes_up_for_it(void **state)
{
    struct test *test = *state;
    struct node *node = &test->fixture.node;
    test->fixture.config.found = true;
    node_fixture_grow(&test->fixture, 80, 7);
    node_fixture_mint(&test->fixture);
    assert_true(job_is_of_team(test)); // without other nodes there is nobody to prove it to
    open_swarm(test);
    run_until_begun(test);
    uint8_t of_team[SHARE_NODE_TAG_SIZE];
    struct team team = {.name = "reef"};
    memcpy(of_team, node->node_tag, sizeof(of_team));
    team_to_tag(&team, of_team);
    tell_own_grain(test, of_team);
    assert_true(swarm_wants_proof(node->swarm));
    size_t of_none = 0;
    for (size_t i = 0; i < 80; i++)
        of_none += job_is_of_team(test) ? 0 : 1;
    assert_int_equal(of_none, 10);
    tell_own_grain(test, node->node_tag);
    assert_false(swarm_wants_proof(node->swarm));
    for (size_t i = 0; i < 80; i++)
        assert_true(job_is_of_team(test));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(node_that_knows_nobody_is_told_what_to_give, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            first_node_of_its_pool_may_mint_as_soon_as_it_has_an_identity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(node_that_has_met_nobody_may_not_mint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identity_and_mark_are_the_same_after_a_restart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(damaged_identity_is_no_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(seed_line_names_the_best_address_that_is_known, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(public_address_needs_a_port, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            share_of_a_team_proves_nothing_and_one_job_in_eight_makes_up_for_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
