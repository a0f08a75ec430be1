#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/dht/link_fixture.h"

static void fill(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * i >> 3);
}

static void handshake_tells_each_side_who_the_other_is(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    assert_int_equal(a->opened, 1);
    assert_int_equal(b->opened, 1);
    assert_false(a->has_record);
    assert_true(b->has_record);
    assert_memory_equal(&b->record.sign_key, &a->identity.sign_key, 32);
    assert_memory_equal(link_peer(a->link), &b->identity.transport_key, 32);
    assert_memory_equal(link_peer(b->link), &a->identity.transport_key, 32);
    assert_true(link_is_open(a->link) && link_is_open(b->link));
    assert_int_equal(a->closed + b->closed, 0);
    end_free(a);
    end_free(b);
}

// What the caller puts on the wire, and how the listener takes it.
static void speak_as_the_other_implementation(struct end *a, struct end *b, const char *hash_hex)
{
    uint8_t body[300];
    uint8_t hash[32];
    char hex[65];
    uint8_t *big = malloc(40000);
    struct buffer wire;
    end_listen(b);
    end_call(a, &b->identity.transport_key);
    buffer_init(&wire, 1 << 20);
    link_pull(a->link, &wire, SIZE_MAX, end_now(0));
    link_receive(b->link, wire.data, wire.size, end_now(0));
    end_carry(b, a, SIZE_MAX, end_now(0));
    size_t before = wire.size;
    for (unsigned i = 0; i < 600; i++) {
        memset(body, (int)(i & 255), sizeof body);
        assert_true(
            link_send(a->link, LINK_LANE_SHARE, (uint8_t)(16 + i % 200), body, i * 7 % 300));
    }
    fill(big, 40000);
    struct shared_bytes *shared = shared_bytes_new(big, 40000);
    assert_true(link_send_shared(a->link, LINK_LANE_BULK, 77, shared));
    shared_bytes_release(shared);
    link_pull(a->link, &wire, SIZE_MAX, end_now(0));
    link_receive(b->link, wire.data + before, wire.size - before, end_now(0));
    crypto_generichash(hash, sizeof hash, wire.data, wire.size, NULL, 0);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(hex, hash_hex);
    assert_int_equal(b->messages_count, 601);
    assert_int_equal(b->last.size, 40000);
    assert_memory_equal(b->last.data, big, 40000);
    free(big);
    buffer_clear(&wire);
    end_free(a);
    end_free(b);
}

// Literals: another implementation, in Python over OpenSSL. Handshake, a ping, 600 messages, two
// rekeys, and one message in three chunks.
static void wire_is_that_of_another_implementation(void **state)
{
    (void)state;
    speak_as_the_other_implementation(
        end_new(1), end_new(2), "05e7df0b15399bb842a83556f1c6e22c275013dd6c16d658ac314738d31285e2");
    struct end *a = end_new(1);
    struct end *b = end_new(2);
    a->membership.is_private = b->membership.is_private = true;
    memset(a->membership.secret, 0x5c, MEMBERSHIP_SECRET_SIZE);
    memset(b->membership.secret, 0x5c, MEMBERSHIP_SECRET_SIZE);
    speak_as_the_other_implementation(
        a, b, "dcb268e96e76619c29c07b90f98882b94defaaeaefe87c76e8ba194542a5d3f0");
}

static void messages_arrive_whole_and_in_order_however_bytes_are_cut(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2, 3, 17, 400, 16404, 100000};
    static const size_t sizes[] = {0, 1, 100, 16384, 16385, 50000};
    uint8_t *data = malloc(50000);
    fill(data, 50000);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct end *a = end_new(1);
        struct end *b = end_new(2);
        end_listen(b);
        end_call(a, &b->identity.transport_key);
        end_settle(a, b, pieces[p], end_now(0));
        for (unsigned i = 0; i < 6; i++) {
            assert_true(link_send(a->link, LINK_LANE_ANSWER, (uint8_t)(100 + i), data, sizes[i]));
            assert_true(link_send(b->link, LINK_LANE_ANSWER, (uint8_t)(200 + i), data, sizes[i]));
        }
        end_settle(a, b, pieces[p], end_now(0));
        assert_int_equal(a->messages_count, 6);
        assert_int_equal(b->messages_count, 6);
        for (unsigned i = 0; i < 6; i++) {
            assert_int_equal(b->types[i], 100 + i);
            assert_int_equal(a->types[i], 200 + i);
            assert_int_equal(b->sizes[i], sizes[i]);
        }
        assert_memory_equal(b->last.data, data, 50000);
        end_free(a);
        end_free(b);
    }
    free(data);
}

static void thousands_of_frames_pass_both_ways_over_many_rekeys(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    for (unsigned i = 0; i < 4000; i++) {
        assert_true(link_send(a->link, LINK_LANE_SHARE, 20, &i, sizeof i));
        assert_true(link_send(b->link, LINK_LANE_SHARE, 20, &i, sizeof i));
        if (i % 100 == 99)
            end_settle(a, b, 1000, end_now(0));
        if (i % 100 == 99)
            assert_memory_equal(b->last.data, &i, sizeof i);
    }
    assert_int_equal(a->messages_count, 4000);
    assert_int_equal(b->messages_count, 4000);
    end_free(a);
    end_free(b);
}

static void urgent_message_overtakes_bulk_after_one_frame(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    uint8_t *bulk = calloc(1, 100000);
    struct buffer out;
    end_pair(&a, &b);
    buffer_init(&out, 1 << 20);
    assert_true(link_send(a->link, LINK_LANE_BULK, 30, bulk, 100000));
    link_pull(a->link, &out, 1, end_now(0));
    assert_int_equal(out.size, FRAME_SIZE_MAX);
    assert_true(link_send(a->link, LINK_LANE_SHARE, 31, "share", 5));
    assert_true(link_send(a->link, LINK_LANE_URGENT, 32, "block", 5));
    link_pull(a->link, &out, SIZE_MAX, end_now(0));
    link_receive(b->link, out.data, FRAME_SIZE_MAX + 2 * (FRAME_OVERHEAD + 5), end_now(0));
    assert_int_equal(b->messages_count, 2);
    assert_int_equal(b->types[0], 32);
    assert_int_equal(b->types[1], 31);
    link_receive(b->link, out.data + FRAME_SIZE_MAX + 2 * (FRAME_OVERHEAD + 5),
                 out.size - FRAME_SIZE_MAX - 2 * (FRAME_OVERHEAD + 5), end_now(0));
    assert_int_equal(b->types[2], 30);
    assert_int_equal(b->sizes[2], 100000);
    buffer_clear(&out);
    free(bulk);
    end_free(a);
    end_free(b);
}

static void large_messages_of_all_lanes_interleave(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    uint8_t *data = calloc(1, 60000);
    struct buffer out;
    end_pair(&a, &b);
    buffer_init(&out, 1 << 20);
    // Each begins when the one of the lane below has begun and is not done.
    for (unsigned lane = LINK_LANES_COUNT; lane-- > 0;) {
        struct shared_bytes *bytes = shared_bytes_new(data, 60000 - lane);
        assert_true(link_send_shared(a->link, (enum link_lane)lane, (uint8_t)(40 + lane), bytes));
        shared_bytes_release(bytes);
        link_pull(a->link, &out, 1, end_now(0));
    }
    link_pull(a->link, &out, SIZE_MAX, end_now(0));
    link_receive(b->link, out.data, out.size, end_now(0));
    assert_int_equal(b->messages_count, 4);
    for (unsigned lane = 0; lane < LINK_LANES_COUNT; lane++) {
        assert_int_equal(b->types[lane], 40 + lane);
        assert_int_equal(b->sizes[lane], 60000 - lane);
    }
    buffer_clear(&out);
    free(data);
    end_free(a);
    end_free(b);
}

static void full_queue_refuses_bulk_first_and_urgent_last(void **state)
{
    (void)state;
    static const unsigned eighths[LINK_LANES_COUNT] = {8, 7, 6, 4};
    struct end *a;
    struct end *b;
    struct link_stats stats;
    uint8_t data[976] = {0};
    end_pair(&a, &b);
    for (unsigned lane = LINK_LANES_COUNT; lane-- > 0;) {
        while (link_send(a->link, (enum link_lane)lane, 50, data, sizeof data))
            continue;
        link_stats(a->link, &stats);
        assert_int_equal(stats.queued_bytes, LINK_QUEUE_BYTES / 8 * eighths[lane]);
    }
    assert_false(link_send(a->link, LINK_LANE_URGENT, 50, NULL, 0));
    end_settle(a, b, SIZE_MAX, end_now(0));
    link_stats(a->link, &stats);
    assert_int_equal(stats.queued_bytes, 0);
    assert_int_equal(b->messages_count, LINK_QUEUE_BYTES / 1024);
    end_free(a);
    end_free(b);
}

static void shared_bytes_are_not_copied(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    struct link_stats stats;
    uint8_t *data = malloc(4 << 20);
    fill(data, 4 << 20);
    struct shared_bytes *bytes = shared_bytes_new(data, 4 << 20);
    end_pair(&a, &b);
    assert_false(link_send(a->link, LINK_LANE_URGENT, 60, data, 4 << 20));
    assert_true(link_send_shared(a->link, LINK_LANE_URGENT, 60, bytes));
    shared_bytes_release(bytes);
    link_stats(a->link, &stats);
    assert_int_equal(stats.queued_bytes, LINK_QUEUED_OVERHEAD);
    end_settle(a, b, SIZE_MAX, end_now(0));
    assert_int_equal(b->sizes[0], 4 << 20);
    assert_memory_equal(b->last.data, data, 4 << 20);
    assert_int_equal(b->large_asked, 1);
    assert_int_equal(b->large.size, 4 << 20);
    assert_int_equal(b->large.type, 60);
    assert_int_equal(b->large.lane, LINK_LANE_URGENT);
    assert_int_equal(b->large_first_byte, data[0]);
    free(data);
    end_free(a);
    end_free(b);
}

static void handshake_ends_after_six_seconds(void **state)
{
    (void)state;
    struct end *b = end_new(2);
    end_listen(b);
    assert_int_equal(link_next_deadline(b->link).ms, end_now(6000).mono.ms);
    link_receive(b->link, "half a message", 14, end_now(5000));
    link_tick(b->link, end_now(5999));
    assert_int_equal(b->closed, 0);
    link_tick(b->link, end_now(6000));
    assert_int_equal(b->closed, 1);
    assert_int_equal(b->reason, LINK_CLOSE_HANDSHAKE_TIMEOUT);
    assert_int_equal(link_next_deadline(b->link).ms, MONO_NEVER.ms);
    assert_false(link_has_output(b->link));
    link_tick(b->link, end_now(7000));
    assert_int_equal(b->closed, 1);
    end_free(b);
}

static void pings_measure_the_round_trip_and_keep_the_link(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    struct link_stats stats;
    end_pair(&a, &b);
    for (int64_t minute = 1; minute <= 5; minute++) {
        assert_int_equal(link_next_deadline(a->link).ms, end_now(minute * 60000).mono.ms);
        link_tick(a->link, end_now(minute * 60000));
        assert_true(link_has_output(a->link));
        end_carry(a, b, SIZE_MAX, end_now(minute * 60000));
        end_carry(b, a, SIZE_MAX, end_now(minute * 60000 + 80));
        assert_false(link_has_output(a->link));
    }
    link_stats(a->link, &stats);
    // From 1 ms, by eighths, five times towards 80.
    assert_in_range(stats.round_trip_ms, 38, 40);
    assert_in_range(stats.round_trip_variation_ms, 30, 60);
    assert_int_equal(a->closed, 0);
    end_free(a);
    end_free(b);
}

static void peer_that_answers_no_ping_is_left_after_thirty_seconds(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    link_tick(a->link, end_now(60000));
    struct buffer out = end_pull(a, end_now(60000));
    assert_int_equal(out.size, FRAME_OVERHEAD + 8);
    assert_int_equal(link_next_deadline(a->link).ms, end_now(90000).mono.ms);
    link_tick(a->link, end_now(89999));
    assert_int_equal(a->closed, 0);
    link_tick(a->link, end_now(90000));
    assert_int_equal(a->reason, LINK_CLOSE_SILENT);
    buffer_clear(&out);
    end_free(a);
    end_free(b);
}

static void a_byte_a_second_is_silence(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    uint8_t *data = calloc(1, 16000);
    assert_true(link_send(b->link, LINK_LANE_BULK, 70, data, 16000));
    struct buffer slow = end_pull(b, end_now(0));
    link_tick(a->link, end_now(60000));
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(a->closed, 0);
        link_receive(a->link, slow.data + i, 1, end_now(60000 + (int64_t)i * 1000));
        link_tick(a->link, end_now(60000 + (int64_t)i * 1000));
    }
    link_tick(a->link, end_now(90000));
    assert_int_equal(a->reason, LINK_CLOSE_SILENT);
    buffer_clear(&slow);
    free(data);
    end_free(a);
    end_free(b);
}

static void whole_frames_are_no_silence_even_if_no_ping_is_answered(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    for (int64_t seconds = 20; seconds <= 400; seconds += 20) {
        struct buffer lost = end_pull(b, end_now(seconds * 1000));
        buffer_clear(&lost);
        assert_true(link_send(a->link, LINK_LANE_SHARE, 71, "share", 5));
        end_carry(a, b, SIZE_MAX, end_now(seconds * 1000));
        link_tick(b->link, end_now(seconds * 1000));
        assert_int_equal(b->closed, 0);
    }
    link_tick(b->link, end_now(429999));
    assert_int_equal(b->closed, 0);
    link_tick(b->link, end_now(430000));
    assert_int_equal(b->reason, LINK_CLOSE_SILENT);
    end_free(a);
    end_free(b);
}

static void idle_peer_costs_little_and_half_a_frame_within_the_bar(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    struct link_stats stats;
    uint8_t *data = calloc(1, FRAME_PAYLOAD_MAX);
    end_pair(&a, &b);
    link_stats(b->link, &stats);
    assert_in_range(stats.memory, 1, 2048);
    assert_true(link_send(a->link, LINK_LANE_BULK, 80, data, FRAME_PAYLOAD_MAX));
    struct buffer out = end_pull(a, end_now(0));
    link_receive(b->link, out.data, out.size - 1, end_now(0));
    link_stats(b->link, &stats);
    assert_in_range(stats.memory, FRAME_PAYLOAD_MAX, 24 * 1024);
    link_receive(b->link, out.data + out.size - 1, 1, end_now(0));
    assert_int_equal(b->messages_count, 1);
    link_stats(b->link, &stats);
    assert_in_range(stats.memory, 1, 2048);
    buffer_clear(&out);
    free(data);
    end_free(a);
    end_free(b);
}

static void handler_may_close_while_a_message_is_read(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    uint8_t *data = calloc(1, 20000);
    for (size_t size = 10; size <= 20000; size += 19990) {
        end_pair(&a, &b);
        b->closes_on_message = true;
        for (unsigned i = 0; i < 3; i++)
            assert_true(link_send(a->link, LINK_LANE_ANSWER, 90, data, size));
        end_carry(a, b, size / 3, end_now(0));
        assert_int_equal(b->messages_count, 1);
        assert_memory_equal(b->last.data, data, size);
        assert_int_equal(b->closed, 0);
        assert_int_equal(link_close_reason(b->link), LINK_CLOSE_OWNER);
        assert_false(link_send(b->link, LINK_LANE_URGENT, 90, data, 1));
        end_free(a);
        end_free(b);
    }
    free(data);
}

static void messages_queued_before_the_handshake_arrive_after_it(void **state)
{
    (void)state;
    struct end *a = end_new(1);
    struct end *b = end_new(2);
    end_listen(b);
    end_call(a, &b->identity.transport_key);
    assert_true(link_send(a->link, LINK_LANE_SHARE, 16, "hello", 5));
    assert_true(link_send(b->link, LINK_LANE_SHARE, 16, "hello", 5));
    end_settle(a, b, 7, end_now(0));
    assert_int_equal(a->messages_count, 1);
    assert_int_equal(b->messages_count, 1);
    end_free(a);
    end_free(b);
}

static void receiving_nothing_changes_nothing(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    link_receive(b->link, NULL, 0, end_now(0));
    assert_true(link_send(a->link, LINK_LANE_SHARE, 20, "share", 5));
    end_carry(a, b, SIZE_MAX, end_now(0));
    link_receive(b->link, NULL, 0, end_now(0));
    assert_int_equal(b->messages_count, 1);
    assert_int_equal(b->closed, 0);
    end_free(a);
    end_free(b);
}

static void every_reason_has_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LINK_CLOSES_COUNT; i++) {
        assert_non_null(link_close_text((enum link_close)i));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(link_close_label((enum link_close)i),
                                    link_close_label((enum link_close)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_tells_each_side_who_the_other_is),
        cmocka_unit_test(wire_is_that_of_another_implementation),
        cmocka_unit_test(messages_arrive_whole_and_in_order_however_bytes_are_cut),
        cmocka_unit_test(thousands_of_frames_pass_both_ways_over_many_rekeys),
        cmocka_unit_test(urgent_message_overtakes_bulk_after_one_frame),
        cmocka_unit_test(large_messages_of_all_lanes_interleave),
        cmocka_unit_test(full_queue_refuses_bulk_first_and_urgent_last),
        cmocka_unit_test(shared_bytes_are_not_copied),
        cmocka_unit_test(handshake_ends_after_six_seconds),
        cmocka_unit_test(pings_measure_the_round_trip_and_keep_the_link),
        cmocka_unit_test(peer_that_answers_no_ping_is_left_after_thirty_seconds),
        cmocka_unit_test(a_byte_a_second_is_silence),
        cmocka_unit_test(whole_frames_are_no_silence_even_if_no_ping_is_answered),
        cmocka_unit_test(idle_peer_costs_little_and_half_a_frame_within_the_bar),
        cmocka_unit_test(handler_may_close_while_a_message_is_read),
        cmocka_unit_test(messages_queued_before_the_handshake_arrive_after_it),
        cmocka_unit_test(receiving_nothing_changes_nothing),
        cmocka_unit_test(every_reason_has_words),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
