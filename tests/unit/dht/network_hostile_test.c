#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/peer_message.h"
#include "dht/serve.h"
#include "tests/unit/dht/network_fixture.h"

static void stranger_gets_silence(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(1);
    struct net_node *node = net_add(world);
    node->membership.is_private = true;
    memset(node->membership.secret, 3, sizeof node->membership.secret);
    node->config.public_ipv4 = node->endpoint;
    net_start(node);
    net_run(world, 1000);

    struct membership other = node->membership;
    other.secret[5] ^= 1;
    struct net_attacker *wrong_secret = net_attack(node, &other, NULL);
    struct net_attacker *no_secret = net_attack(node, &world->membership, NULL);
    other = node->membership;
    other.pool_id.bytes[0] ^= 1;
    struct net_attacker *other_pool = net_attack(node, &other, NULL);
    struct net_attacker *member = net_attack(node, &node->membership, NULL);
    assert_true(wrong_secret->is_closed && no_secret->is_closed && other_pool->is_closed);
    assert_int_equal(node->strangers, 3);
    assert_int_equal(wrong_secret->bytes_to_us, 0);
    assert_int_equal(no_secret->bytes_to_us, 0);
    assert_int_equal(other_pool->bytes_to_us, 0);
    assert_true(member->is_open);
    assert_true(member->bytes_to_us > 48);
    assert_int_equal(stats_of(node).half_open, 0);
    assert_int_equal(stats_of(node).inbound, 1);
    // No place was taken, nobody was at fault.
    assert_int_equal(stats_of(node).bans, 0);
    net_world_free(world);
}

static void malformed_message_bans(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(2);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    assert_int_equal(node->peers, 1);
    net_attacker_send(attacker, PEER_HAVE, "garbage", 7);
    assert_true(attacker->is_closed);
    assert_int_equal(attacker->messages[PEER_BYE], 1);
    assert_int_equal(node->banned, 1);
    assert_string_equal(node->reason, "it sent a malformed message");
    assert_int_equal(node->peers, 0);
    assert_int_equal(stats_of(node).bans, 1);
    // Its address is refused before anything is taken; another one is not.
    uint64_t refused = stats_of(node).refused;
    struct net_attacker *again = net_attack(node, NULL, &attacker->endpoint);
    assert_int_equal(again->stream, 0);
    assert_int_equal(stats_of(node).refused, refused + 1);
    greeted(node);
    // A ban ends.
    net_run(world, PEERS_BAN_MIN_MS + 1000);
    again = net_attack(node, NULL, &attacker->endpoint);
    assert_true(again->is_open);
    net_world_free(world);
}

static void speaking_before_hello_bans(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(3);
    struct net_node *node = &world->nodes[0];
    static const struct peer_message choke = {.type = PEER_CHOKE};
    struct net_attacker *attacker = net_attack(node, NULL, NULL);
    assert_true(attacker->is_open);
    assert_int_equal(attacker->messages[PEER_HELLO], 1);
    assert_int_equal(attacker->messages[PEER_PEERS], 1);
    net_attacker_say(attacker, &choke);
    assert_true(attacker->is_closed);
    assert_int_equal(node->banned, 1);
    assert_int_equal(node->opened, 0);
    net_world_free(world);
}

static void answer_that_nobody_asked_for_is_a_fault(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(4);
    struct net_node *node = &world->nodes[0];
    static const struct peer_message shares = {.type = PEER_SHARES, .request = 77};
    struct net_attacker *attacker = greeted(node);
    net_attacker_say(attacker, &shares);
    assert_false(attacker->is_closed);
    net_attacker_say(attacker, &shares);
    assert_true(attacker->is_closed);
    assert_int_equal(node->banned, 1);
    net_world_free(world);
}

static void large_answer_that_nobody_asked_for_is_not_taken(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(5);
    struct net_node *node = &world->nodes[0];
    static uint8_t large[1 << 20];
    struct net_attacker *attacker = greeted(node);
    struct buffer start;
    buffer_init(&start, 1u << 16);
    size_t before = stats_of(node).memory;
    link_send(attacker->link, LINK_LANE_BULK, PEER_SHARES, large, sizeof large);
    link_pull(attacker->link, &start, 1, world->now);
    net_attacker_write(attacker, start.data, start.size);
    assert_true(start.size < 20000);
    assert_true(attacker->is_closed);
    assert_int_equal(node->banned, 1);
    assert_true(stats_of(node).memory <= before);
    // Nor is anything of a type without a size.
    attacker = greeted(node);
    buffer_reset(&start);
    link_send(attacker->link, LINK_LANE_BULK, UNKNOWN_TYPE, large, sizeof large);
    link_pull(attacker->link, &start, 1, world->now);
    net_attacker_write(attacker, start.data, start.size);
    assert_true(attacker->is_closed);
    buffer_clear(&start);
    net_world_free(world);
}

static void small_messages_of_later_versions_are_skipped(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(6);
    struct net_attacker *attacker = greeted(&world->nodes[0]);
    net_attacker_send(attacker, UNKNOWN_TYPE, "news", 4);
    assert_false(attacker->is_closed);
    assert_int_equal(world->nodes[0].peers, 1);
    net_world_free(world);
}

static void invalid_shares_ban(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(10);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    uint8_t bytes[PLAIN_SHARE_SIZE] = {0xee};
    const struct peer_message share = {.type = PEER_SHARE, .share = {bytes, sizeof bytes}};
    net_attacker_say(attacker, &share);
    assert_false(attacker->is_closed);
    bytes[9] = 1;
    net_attacker_say(attacker, &share);
    assert_true(attacker->is_closed);
    assert_string_equal(node->reason, "it sent an invalid share");
    net_world_free(world);
}

static void who_says_no_hello_leaves(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(12);
    struct net_attacker *attacker = net_attack(&world->nodes[0], NULL, NULL);
    assert_true(attacker->is_open);
    net_run(world, 9000);
    assert_false(attacker->is_closed);
    net_run(world, 2000);
    assert_true(attacker->is_closed);
    assert_int_equal(world->nodes[0].opened, 0);
    assert_int_equal(world->nodes[0].closed, 0);
    assert_int_equal(stats_of(&world->nodes[0]).inbound, 0);
    net_world_free(world);
}

static void unread_answers_are_bounded(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(14);
    struct net_node *node = &world->nodes[0];
    struct hash256 ids[64];
    for (unsigned i = 0; i < 1200; i++) {
        struct hash256 id = net_mine(node, i % 2 == 1);
        ids[i % 64] = id;
    }
    net_run(world, 1000);
    struct net_attacker *attacker = greeted(node);
    size_t before = stats_of(node).memory;
    attacker->reads = false;
    struct peer_message request = {.type = PEER_GET_LINKS, .max = CHAIN_SKELETONS_MAX};
    size_t most = 0;
    for (unsigned i = 0; i < 200 && !attacker->is_closed; i++) {
        request.ids = (struct peer_bytes){ids[0].bytes, i % 2 == 0 ? sizeof ids : 0};
        if (i < SERVE_QUEUE_MAX)
            net_attacker_say(attacker, &request);
        net_attacker_send(attacker, UNKNOWN_TYPE, "", 0); // it is there
        // Links and grains go on meanwhile.
        net_mine(node, i % 3 == 0);
        net_run(world, 1000);
        size_t now = stats_of(node).memory;
        most = now > before + most ? now - before : most;
    }
    print_message("most memory: %u\n", (unsigned)most);
    assert_true(attacker->is_closed);
    assert_in_range(most, 40000, 512u << 10);
    assert_string_equal(node->reason, "it does not read what we send");
    net_world_free(world);
}

static void who_does_not_read_leaves(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(15);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    attacker->reads = false;
    attacker->unread = NETWORK_WRITE_QUEUED;
    unsigned seconds = 0;
    for (; !attacker->is_closed && seconds < 300; seconds++) {
        net_mine(node, false);
        net_attacker_send(attacker, UNKNOWN_TYPE, "", 0); // it is there
        net_run(world, 1000);
    }
    assert_in_range(seconds, 85, 130);
    net_world_free(world);
}

static unsigned score_of(const struct net_node *node)
{
    struct network_peer_view view;
    uint32_t cursor = 0;
    bool is_there = network_next_peer(node->network, &cursor, &view);
    assert_true(is_there);
    return view.peer.score;
}

static void requests_wait_in_a_short_queue(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(24);
    struct net_node *node = &world->nodes[0];
    static uint8_t ids[PEER_GET_IDS_MAX * 32];
    const struct peer_message small = {.type = PEER_GET_LINKS, .max = 1};
    const struct peer_message large = {.type = PEER_GET_SHARES, .ids = {ids, sizeof ids}};
    struct net_attacker *attacker = greeted(node);
    attacker->reads = false;
    attacker->unread = NETWORK_WRITE_QUEUED;
    // One answer is on its way, so the next requests wait.
    for (unsigned i = 0; i < 1 + SERVE_QUEUE_MAX; i++)
        net_attacker_say(attacker, &small);
    assert_int_equal(score_of(node), 0);
    net_attacker_say(attacker, &small);
    assert_int_equal(score_of(node), 10);
    net_attacker_leave(attacker);

    attacker = greeted(node);
    attacker->reads = false;
    attacker->unread = NETWORK_WRITE_QUEUED;
    net_attacker_say(attacker, &small);
    net_attacker_say(attacker, &large);
    assert_int_equal(score_of(node), 0);
    net_attacker_say(attacker, &large);
    assert_int_equal(score_of(node), 10);
    net_world_free(world);
}

static void unfinished_message_ends_the_link(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(25);
    struct net_node *node = &world->nodes[0];
    struct net_attacker *attacker = greeted(node);
    static uint8_t body[CHAIN_BODY_MAX];
    uint8_t share[PLAIN_SHARE_SIZE] = {1};
    const struct peer_message message = {
        .type = PEER_LINK, .share = {share, sizeof share}, .body = {body, sizeof body}};
    struct buffer out;
    struct buffer start;
    buffer_init(&out, 1u << 18);
    buffer_init(&start, 1u << 18);
    peer_message_encode(&message, &out);
    link_send(attacker->link, LINK_LANE_BULK, PEER_LINK, out.data, out.size);
    link_pull(attacker->link, &start, 1u << 16, world->now);
    net_attacker_write(attacker, start.data, start.size);
    unsigned seconds = 0;
    for (; !attacker->is_closed && seconds < 300; seconds++) {
        buffer_reset(&start);
        link_send(attacker->link, LINK_LANE_URGENT, UNKNOWN_TYPE, "", 0); // it is there
        link_pull(attacker->link, &start, 1, world->now);
        net_attacker_write(attacker, start.data, start.size);
        net_run(world, 1000);
    }
    assert_in_range(seconds, 118, 122);
    assert_string_equal(node->reason, "it does not finish a message");
    buffer_clear(&out);
    buffer_clear(&start);
    net_world_free(world);
}

static void requests_are_answered(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(16);
    struct net_node *node = &world->nodes[0];
    struct hash256 id = net_mine(node, true);
    struct net_attacker *one = greeted(node);
    struct net_attacker *two = greeted(node);
    const struct peer_message get_links = {.type = PEER_GET_LINKS, .max = 10};
    const struct peer_message get_share = {.type = PEER_GET_SHARES, .ids = {id.bytes, 32}};
    for (unsigned i = 0; i < 12; i++) {
        net_attacker_say(one, &get_links);
        net_attacker_say(two, &get_share);
    }
    net_run(world, 100);
    assert_int_equal(one->messages[PEER_LINKS], 12);
    assert_int_equal(two->messages[PEER_SHARES], 12);
    net_world_free(world);
}

static void blocks_reach_all(void **state)
{
    (void)state;
    struct net_world *world = net_world_new(18);
    static uint8_t block[200000];
    world->is_crowded = true;
    net_fill(world, 4);
    net_run(world, 20000);
    struct net_node *finder = &world->nodes[2];
    struct hash256 id = net_mine(finder, true);
    const struct plain_share *share = &finder->chain.shares[finder->chain.count - 1];
    const struct gossip_share told = {
        .id = id, .bytes = share->bytes, .size = PLAIN_SHARE_SIZE, .is_own = true};
    memcpy(block, share->bytes + 1, CHAIN_HEADER_SIZE);
    network_block_found(finder->network, &told, block, sizeof block, world->now);
    net_run(world, 1000);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(world->nodes[i].blocks, i != 2);
    assert_int_equal(net_count_having(world, &id), 4);
    net_world_free(world);
}

static void block_without_work_is_not_taken(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(19);
    struct net_node *node = &world->nodes[0];
    static uint8_t block[1 << 20];
    uint8_t bytes[PLAIN_SHARE_SIZE];
    plain_share_make(bytes, true, 1, &node->chain.pool_id, 5);
    memcpy(block, bytes + 1, CHAIN_HEADER_SIZE);
    const struct peer_message message = {
        .type = PEER_BLOCK, .share = {bytes, sizeof bytes}, .body = {block, sizeof block}};
    struct net_attacker *attacker = greeted(node);
    net_attacker_say(attacker, &message);
    assert_false(attacker->is_closed);
    assert_int_equal(node->chain.judged, 1);
    node->chain.is_strict = true;
    attacker = greeted(node);
    net_attacker_say(attacker, &message);
    assert_true(attacker->is_closed);
    assert_int_equal(node->banned, 1);
    assert_int_equal(node->chain.judged, 1);
    net_world_free(world);
}

static void goodbye_is_taken(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(20);
    struct net_node *node = &world->nodes[0];
    static const struct peer_message bye = {.type = PEER_BYE, .bye = PEER_BYE_STOPPING};
    struct net_attacker *attacker = greeted(node);
    net_attacker_say(attacker, &bye);
    assert_true(attacker->is_closed);
    assert_string_equal(node->reason, "it is being stopped");
    assert_int_equal(node->banned, 0);
    // And said.
    attacker = greeted(node);
    network_stop(node->network, world->now);
    assert_true(attacker->is_closed);
    assert_int_equal(attacker->messages[PEER_BYE], 1);
    assert_int_equal(node->peers, 0);
    net_world_free(world);
}

static void lost_connections_are_forgotten(void **state)
{
    (void)state;
    struct net_world *world = lonely_world(21);
    struct net_node *node = &world->nodes[0];
    uint8_t bytes[PLAIN_SHARE_SIZE];
    struct hash256 nobody = seeded_hash(&world->seeded);
    struct net_attacker *attacker = greeted(node);
    // A link on a link that is not there waits at its sender's expense.
    plain_share_make(bytes, true, 2, &nobody, 1);
    const struct peer_message share = {.type = PEER_SHARE, .share = {bytes, sizeof bytes}};
    net_attacker_say(attacker, &share);
    assert_int_equal(node->chain.count, 1);
    size_t before = stats_of(node).inbound;
    net_attacker_leave(attacker);
    assert_int_equal(node->chain.count, 0);
    assert_int_equal(before, 1);
    assert_int_equal(stats_of(node).inbound, 0);
    assert_int_equal(node->closed, 1);
    net_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stranger_gets_silence),
        cmocka_unit_test(malformed_message_bans),
        cmocka_unit_test(speaking_before_hello_bans),
        cmocka_unit_test(answer_that_nobody_asked_for_is_a_fault),
        cmocka_unit_test(large_answer_that_nobody_asked_for_is_not_taken),
        cmocka_unit_test(small_messages_of_later_versions_are_skipped),
        cmocka_unit_test(invalid_shares_ban),
        cmocka_unit_test(who_says_no_hello_leaves),
        cmocka_unit_test(unread_answers_are_bounded),
        cmocka_unit_test(who_does_not_read_leaves),
        cmocka_unit_test(requests_wait_in_a_short_queue),
        cmocka_unit_test(unfinished_message_ends_the_link),
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(blocks_reach_all),
        cmocka_unit_test(block_without_work_is_not_taken),
        cmocka_unit_test(goodbye_is_taken),
        cmocka_unit_test(lost_connections_are_forgotten),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
