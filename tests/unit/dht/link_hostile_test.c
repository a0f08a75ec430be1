#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/dht/link_fixture.h"

static void must_be_closed(const struct end *end, enum link_close reason)
{
    assert_int_equal(end->closed, 1);
    assert_int_equal(end->reason, reason);
    assert_int_equal(link_close_reason(end->link), reason);
    assert_false(link_has_output(end->link));
}

// Both ends, not linked; the caller has written message 1.
static void begin(struct end **caller, struct end **listener)
{
    *caller = end_new(1);
    *listener = end_new(2);
    end_listen(*listener);
    end_call(*caller, &(*listener)->identity.transport_key);
}

static void must_get_silence(struct end *caller, struct end *listener)
{
    end_listen(listener);
    end_call(caller, &listener->identity.transport_key);
    end_carry(caller, listener, 10, end_now(0));
    must_be_closed(listener, LINK_CLOSE_STRANGER);
    assert_int_equal(listener->opened, 0);
    struct link_stats stats;
    link_stats(listener->link, &stats);
    assert_int_equal(stats.bytes_sent, 0);
    end_free(caller);
    end_free(listener);
}

static void node_of_another_pool_gets_no_byte(void **state)
{
    (void)state;
    struct end *a = end_new(1);
    a->membership.pool_id.bytes[31] ^= 1;
    must_get_silence(a, end_new(2));
}

static void node_without_the_secret_or_with_another_gets_no_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct end *a = end_new(1);
        struct end *b = end_new(2);
        a->membership.is_private = i != 0;
        b->membership.is_private = i != 1;
        a->membership.secret[31] = 1;
        must_get_silence(a, b);
    }
}

static void caller_of_another_key_gets_no_byte(void **state)
{
    (void)state;
    struct end *a = end_new(1);
    struct end *b = end_new(2);
    end_listen(b);
    end_call(a, &a->identity.transport_key);
    end_carry(a, b, SIZE_MAX, end_now(0));
    must_be_closed(b, LINK_CLOSE_STRANGER);
    end_free(a);
    end_free(b);
}

static void web_browser_gets_no_byte(void **state)
{
    (void)state;
    static const char request[] = "GET / HTTP/1.1\r\nHost: 192.0.2.1:8400\r\nAccept: */*\r\n\r\n";
    struct end *b = end_new(2);
    end_listen(b);
    link_receive(b->link, request, sizeof request - 1, end_now(0));
    must_be_closed(b, LINK_CLOSE_STRANGER);
    link_receive(b->link, request, sizeof request - 1, end_now(0));
    assert_int_equal(b->closed, 1);
    end_free(b);
}

// One byte of handshake message 1..3 altered: who reads it closes, and is not opened.
static void alter_handshake(unsigned message, size_t at)
{
    struct end *ends[2];
    begin(&ends[0], &ends[1]);
    for (unsigned i = 1; i < message; i++)
        end_carry(ends[(i - 1) % 2], ends[i % 2], SIZE_MAX, end_now(0));
    struct end *reader = ends[message % 2];
    struct buffer out = end_pull(ends[(message - 1) % 2], end_now(0));
    out.data[at] ^= 0x04;
    link_receive(reader->link, out.data, out.size, end_now(0));
    must_be_closed(reader, message == 1 ? LINK_CLOSE_STRANGER : LINK_CLOSE_HANDSHAKE_FAILED);
    assert_int_equal(reader->opened, 0);
    buffer_clear(&out);
    end_free(ends[0]);
    end_free(ends[1]);
}

static void every_altered_byte_of_the_handshake_closes_in_silence(void **state)
{
    (void)state;
    static const size_t sizes[] = {LINK_HANDSHAKE_1, LINK_HANDSHAKE_2, LINK_HANDSHAKE_3};
    for (unsigned message = 1; message <= 3; message++) {
        for (size_t at = 0; at < sizes[message - 1]; at++)
            alter_handshake(message, at);
    }
}

static void handshake_cut_at_any_byte_opens_nothing(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    begin(&a, &b);
    struct buffer first = end_pull(a, end_now(0));
    for (size_t i = 0; i < first.size; i++) {
        assert_false(link_has_output(b->link));
        link_receive(b->link, first.data + i, 1, end_now(0));
    }
    end_carry(b, a, SIZE_MAX, end_now(0));
    struct buffer third = end_pull(a, end_now(0));
    for (size_t i = 0; i < LINK_HANDSHAKE_3; i++) {
        assert_int_equal(b->opened, 0);
        link_receive(b->link, third.data + i, 1, end_now(0));
    }
    assert_int_equal(b->opened, 1);
    buffer_clear(&first);
    buffer_clear(&third);
    end_free(a);
    end_free(b);
}

// A frame, altered at one byte, arrives at an open link.
static void alter_frame(size_t at)
{
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    assert_true(
        link_send(a->link, LINK_LANE_SHARE, 20, "a share of forty bytes, with what follows", 40));
    struct buffer out = end_pull(a, end_now(0));
    out.data[at] ^= 0x80;
    link_receive(b->link, out.data, out.size, end_now(0));
    assert_int_equal(b->messages_count, 0);
    if (b->closed == 0) {
        // The length became larger than what came: silence, then whatever comes next is no tag.
        assert_true(at < FRAME_LENGTH_SIZE);
        uint8_t *more = calloc(1, FRAME_SIZE_MAX);
        link_receive(b->link, more, FRAME_SIZE_MAX, end_now(0));
        free(more);
    }
    assert_int_equal(b->closed, 1);
    assert_true(b->reason == LINK_CLOSE_TAMPERED ||
                (b->reason == LINK_CLOSE_OVERSIZE && at < FRAME_LENGTH_SIZE));
    assert_int_equal(b->messages_count, 0);
    buffer_clear(&out);
    end_free(a);
    end_free(b);
}

static void every_altered_byte_of_a_frame_closes(void **state)
{
    (void)state;
    for (size_t at = 0; at < 40 + FRAME_OVERHEAD; at++)
        alter_frame(at);
}

static void frame_cut_at_any_byte_is_not_delivered_before_its_end(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    end_pair(&a, &b);
    assert_true(link_send(a->link, LINK_LANE_SHARE, 20, "share", 5));
    struct buffer out = end_pull(a, end_now(0));
    for (size_t i = 0; i < out.size; i++) {
        assert_int_equal(b->messages_count, 0);
        link_receive(b->link, out.data + i, 1, end_now(0));
    }
    assert_int_equal(b->messages_count, 1);
    assert_int_equal(b->closed, 0);
    buffer_clear(&out);
    end_free(a);
    end_free(b);
}

static void replayed_reflected_and_left_out_frames_close(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        struct end *a;
        struct end *b;
        end_pair(&a, &b);
        assert_true(link_send(a->link, LINK_LANE_SHARE, 20, "first", 5));
        struct buffer first = end_pull(a, end_now(0));
        assert_true(link_send(a->link, LINK_LANE_SHARE, 20, "other", 5));
        struct buffer second = end_pull(a, end_now(0));
        struct end *victim = kind == 1 ? a : b;
        if (kind == 0)
            link_receive(b->link, first.data, first.size, end_now(0));
        link_receive(victim->link, kind == 2 ? second.data : first.data, first.size, end_now(0));
        // A wrong length may make it wait for more.
        uint8_t *more = calloc(1, FRAME_SIZE_MAX);
        link_receive(victim->link, more, FRAME_SIZE_MAX, end_now(0));
        free(more);
        assert_int_equal(victim->closed, 1);
        assert_true(victim->reason == LINK_CLOSE_TAMPERED || victim->reason == LINK_CLOSE_OVERSIZE);
        assert_int_equal(victim->messages_count, kind == 0);
        buffer_clear(&first);
        buffer_clear(&second);
        end_free(a);
        end_free(b);
    }
}

static void replayed_handshake_opens_nothing(void **state)
{
    (void)state;
    struct end *a;
    struct end *b;
    begin(&a, &b);
    struct buffer first = end_pull(a, end_now(0));
    link_receive(b->link, first.data, first.size, end_now(0));
    end_carry(b, a, SIZE_MAX, end_now(0));
    struct buffer third = end_pull(a, end_now(0));
    link_receive(b->link, third.data, third.size, end_now(0));
    assert_int_equal(b->opened, 1);
    struct end *again = end_new(2);
    again->seeded.state = 99; // other randomness than the first time
    end_listen(again);
    link_receive(again->link, first.data, first.size, end_now(0));
    link_receive(again->link, third.data, third.size, end_now(0));
    must_be_closed(again, LINK_CLOSE_HANDSHAKE_FAILED);
    assert_int_equal(again->opened, 0);
    buffer_clear(&first);
    buffer_clear(&third);
    end_free(a);
    end_free(b);
    end_free(again);
}

static void frame_over_the_largest_closes_before_it_came(void **state)
{
    (void)state;
    struct end *b = end_new(2);
    struct raw_end raw;
    struct identity identity;
    node_identity(&identity, 1);
    end_listen(b);
    raw_call_well(&raw, b, &identity);
    assert_int_equal(b->opened, 1);
    uint8_t length[3];
    size_t wanted = FRAME_PAYLOAD_MAX + 1;
    for (unsigned i = 0; i < 3; i++)
        length[i] = (uint8_t)(wanted >> 8 * i) ^ raw.sender.lengths[i];
    link_receive(b->link, length, 3, end_now(0));
    must_be_closed(b, LINK_CLOSE_OVERSIZE);
    end_free(b);
}

// A record that is wrong in one way, in a handshake that is right.
static void call_with_record(const struct node_record *record, const struct identity *signer,
                             const struct identity *caller, struct end *b)
{
    uint8_t payload[256] = {0};
    struct raw_end raw;
    struct buffer out;
    struct node_record copy = *record;
    record_sign(&copy, signer);
    buffer_init_fixed(&out, payload + 1, 255);
    record_encode(&copy, &out);
    payload[0] = (uint8_t)out.size;
    end_listen(b);
    raw_call(&raw, b, caller, payload);
}

static void caller_whose_record_is_wrong_is_closed_in_silence(void **state)
{
    (void)state;
    struct identity identity;
    struct node_record good;
    node_identity(&identity, 1);
    struct membership membership = node_membership();
    record_init(&good, &identity, &membership, 1, node_wall(0));
    struct node_record bad[4] = {good, good, good, good};
    static const enum record_verdict verdicts[4] = {RECORD_VALID, RECORD_OTHER_POOL, RECORD_EXPIRED,
                                                    RECORD_EXPIRY_TOO_FAR};
    bad[1].pool_prefix[0] ^= 1;
    bad[2].expiry = NODE_START_SECONDS;
    bad[3].expiry += RECORD_SLACK_SECONDS + 1;
    for (unsigned i = 0; i < 4; i++) {
        struct end *b = end_new(2);
        call_with_record(&bad[i], &identity, &identity, b);
        assert_int_equal(b->opened, i == 0);
        assert_int_equal(link_record_verdict(b->link), verdicts[i]);
        if (i > 0)
            must_be_closed(b, LINK_CLOSE_RECORD_REFUSED);
        end_free(b);
    }
}

static void somebody_elses_record_does_not_open(void **state)
{
    (void)state;
    struct identity identity;
    struct identity other;
    struct node_record record;
    struct membership membership = node_membership();
    struct end *b = end_new(2);
    node_identity(&identity, 1);
    node_identity(&other, 3);
    record_init(&record, &identity, &membership, 1, node_wall(0));
    call_with_record(&record, &identity, &other, b);
    must_be_closed(b, LINK_CLOSE_HANDSHAKE_FAILED);
    assert_int_equal(b->opened, 0);
    end_free(b);
}

static void call_to_oneself_is_noticed(void **state)
{
    (void)state;
    struct end *a = end_new(2);
    struct end *b = end_new(2);
    end_listen(b);
    end_call(a, &b->identity.transport_key);
    end_settle(a, b, SIZE_MAX, end_now(0));
    must_be_closed(b, LINK_CLOSE_SELF);
    end_free(a);
    end_free(b);
}

static void padding_after_the_record_must_be_zeros(void **state)
{
    (void)state;
    struct identity identity;
    struct raw_end raw;
    struct end *b = end_new(2);
    uint8_t payload[1 + RECORD_SIZE_MAX] = {0};
    node_identity(&identity, 1);
    payload[0] = (uint8_t)node_record_bytes(&identity, &b->membership, 1, payload + 1);
    payload[255] = 1;
    end_listen(b);
    raw_call(&raw, b, &identity, payload);
    must_be_closed(b, LINK_CLOSE_HANDSHAKE_FAILED);
    end_free(b);
}

static void caller_with_a_useless_key_is_told_at_the_next_tick(void **state)
{
    (void)state;
    static const struct transport_key zero = {{0}};
    struct end *a = end_new(1);
    end_call(a, &zero);
    assert_int_equal(a->closed, 0);
    assert_false(link_has_output(a->link));
    assert_true(link_next_deadline(a->link).ms <= end_now(0).mono.ms);
    link_tick(a->link, end_now(0));
    must_be_closed(a, LINK_CLOSE_HANDSHAKE_FAILED);
    end_free(a);
}

// What a peer who is a member sends: frames of these types and sizes, first bytes as given.
struct foul {
    const char *name;
    uint8_t type;
    size_t size;
    uint8_t start[6];
    enum link_close reason; // LINK_OPEN: nothing happens
};

static const struct foul fouls[] = {
    {"short ping", 0, 7, {0}, LINK_CLOSE_MALFORMED},
    {"long ping", 0, 9, {0}, LINK_CLOSE_MALFORMED},
    {"short pong", 1, 0, {0}, LINK_CLOSE_MALFORMED},
    {"pong nobody asked for", 1, 8, {1, 2, 3}, LINK_OPEN},
    {"type for later", 4, 100, {0}, LINK_OPEN},
    {"type for later", 15, FRAME_PAYLOAD_MAX, {0}, LINK_OPEN},
    {"first without a head", 2, 5, {0}, LINK_CLOSE_MALFORMED},
    {"first of no lane", 2, FRAME_PAYLOAD_MAX, {4, 16, 0, 0, 1, 0}, LINK_CLOSE_MALFORMED},
    {"first of a type of the link",
     2,
     FRAME_PAYLOAD_MAX,
     {0, 15, 0, 0, 1, 0},
     LINK_CLOSE_MALFORMED},
    {"first of what is small", 2, FRAME_PAYLOAD_MAX, {0, 16, 0, 0x40, 0, 0}, LINK_CLOSE_MALFORMED},
    {"first that is not full", 2, FRAME_PAYLOAD_MAX - 1, {0, 16, 0, 0, 1, 0}, LINK_CLOSE_MALFORMED},
    {"first of the smallest", 2, FRAME_PAYLOAD_MAX, {0, 16, 1, 0x40, 0, 0}, LINK_OPEN},
    {"first of the largest", 2, FRAME_PAYLOAD_MAX, {3, 16, 0, 0, 0x80, 0}, LINK_OPEN},
    {"first of too much", 2, FRAME_PAYLOAD_MAX, {0, 16, 1, 0, 0x80, 0}, LINK_CLOSE_MESSAGE_REFUSED},
    {"first of 4 GiB",
     2,
     FRAME_PAYLOAD_MAX,
     {0, 16, 255, 255, 255, 255},
     LINK_CLOSE_MESSAGE_REFUSED},
    {"next without a lane", 3, 0, {0}, LINK_CLOSE_MALFORMED},
    {"next of no lane", 3, 10, {4}, LINK_CLOSE_MALFORMED},
    {"next without a first", 3, 10, {0}, LINK_CLOSE_MALFORMED},
};

static struct end *open_raw(struct raw_end *raw)
{
    struct identity identity;
    struct end *b = end_new(2);
    node_identity(&identity, 1);
    end_listen(b);
    raw_call_well(raw, b, &identity);
    assert_int_equal(b->opened, 1);
    return b;
}

static void every_foul_has_its_reason(void **state)
{
    (void)state;
    uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX);
    for (size_t i = 0; i < sizeof fouls / sizeof *fouls; i++) {
        struct raw_end raw;
        struct end *b = open_raw(&raw);
        memcpy(payload, fouls[i].start, sizeof fouls[i].start);
        raw_send(&raw, b, fouls[i].type, payload, fouls[i].size);
        if (link_close_reason(b->link) != fouls[i].reason)
            fail_msg("%s: %s", fouls[i].name, link_close_text(link_close_reason(b->link)));
        assert_int_equal(b->closed, fouls[i].reason != LINK_OPEN);
        assert_int_equal(b->messages_count, 0);
        end_free(b);
    }
    free(payload);
}

static void chunks_that_are_not_full_or_begin_twice_close(void **state)
{
    (void)state;
    uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX);
    // Of 16384 + 6 + 16383 + 5: full, full, five left. Sizes of the third frame; 5 is right.
    static const size_t sizes[] = {1, 5, 6, 7, FRAME_PAYLOAD_MAX};
    for (size_t i = 0; i < 5; i++) {
        struct raw_end raw;
        struct end *b = open_raw(&raw);
        uint32_t total = FRAME_PAYLOAD_MAX - 6 + FRAME_PAYLOAD_MAX - 1 + 5;
        memcpy(payload, (uint8_t[]){1, 99, (uint8_t)total, (uint8_t)(total >> 8)}, 4);
        raw_send(&raw, b, 2, payload, FRAME_PAYLOAD_MAX);
        raw_send(&raw, b, 3, payload, FRAME_PAYLOAD_MAX);
        assert_int_equal(b->closed, 0);
        raw_send(&raw, b, i == 4 ? 2 : 3, payload, sizes[i]);
        assert_int_equal(b->messages_count, sizes[i] == 6);
        assert_int_equal(link_close_reason(b->link),
                         sizes[i] == 6 ? LINK_OPEN : LINK_CLOSE_MALFORMED);
        end_free(b);
    }
    free(payload);
}

static void large_message_nobody_wants_closes_before_memory_is_taken(void **state)
{
    (void)state;
    struct link_stats stats;
    struct raw_end raw;
    struct end *b = open_raw(&raw);
    uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX);
    memcpy(payload, (uint8_t[]){0, 50, 0, 0, 0x40, 0, 0xab}, 7);
    b->refuses_large = true;
    raw_send(&raw, b, 2, payload, FRAME_PAYLOAD_MAX);
    must_be_closed(b, LINK_CLOSE_MESSAGE_REFUSED);
    assert_int_equal(b->large.size, 4 << 20);
    assert_int_equal(b->large.start_size, FRAME_PAYLOAD_MAX - 6);
    assert_int_equal(b->large_first_byte, 0xab);
    link_stats(b->link, &stats);
    assert_in_range(stats.memory, 1, 2048);
    free(payload);
    end_free(b);
}

static void claim_of_megabytes_costs_what_has_come(void **state)
{
    (void)state;
    struct link_stats stats;
    struct raw_end raw;
    struct end *b = open_raw(&raw);
    uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX);
    for (unsigned lane = 0; lane < LINK_LANES_COUNT; lane++) {
        memcpy(payload, (uint8_t[]){(uint8_t)lane, 50, 0, 0, 0x80, 0}, 6);
        raw_send(&raw, b, 2, payload, FRAME_PAYLOAD_MAX);
    }
    assert_int_equal(b->closed, 0);
    link_stats(b->link, &stats);
    assert_in_range(stats.memory, 4 * 16000, 4 * 2 * FRAME_PAYLOAD_MAX + 2048);
    free(payload);
    end_free(b);
}

static void flood_of_pings_makes_one_answer_wait(void **state)
{
    (void)state;
    struct raw_end raw;
    struct end *b = open_raw(&raw);
    uint8_t value[8] = {0};
    for (unsigned i = 0; i < 1000; i++) {
        value[0] = (uint8_t)i;
        raw_send(&raw, b, 0, value, sizeof value);
    }
    struct buffer out = end_pull(b, end_now(0));
    assert_int_equal(out.size, 2 * (FRAME_OVERHEAD + 8)); // the pong, and its own first ping
    assert_true(frame_open(&raw.receiver, out.data + 3, 8, out.data + 3));
    assert_int_equal(out.data[3], 1);
    assert_memory_equal(out.data + 4, value, sizeof value);
    buffer_clear(&out);
    end_free(b);
}

static void only_the_first_right_pong_is_measured(void **state)
{
    (void)state;
    struct raw_end raw;
    struct link_stats stats;
    struct end *b = open_raw(&raw);
    struct buffer out = end_pull(b, end_now(0));
    assert_true(frame_open(&raw.receiver, out.data + 3, 8, out.data + 3));
    assert_int_equal(out.data[3], 0);
    uint8_t *ping = out.data + 4;
    ping[7] ^= 1;
    raw_send(&raw, b, 1, ping, 8);
    link_stats(b->link, &stats);
    assert_int_equal(stats.round_trip_ms, 0);
    ping[7] ^= 1;
    raw_send(&raw, b, 1, ping, 8);
    link_stats(b->link, &stats);
    assert_int_equal(stats.round_trip_ms, 1);
    assert_int_equal(stats.round_trip_variation_ms, 1); // half a millisecond, rounded
    raw_send(&raw, b, 1, ping, 8);
    link_stats(b->link, &stats);
    assert_int_equal(stats.round_trip_variation_ms, 1);
    buffer_clear(&out);
    end_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_of_another_pool_gets_no_byte),
        cmocka_unit_test(node_without_the_secret_or_with_another_gets_no_byte),
        cmocka_unit_test(caller_of_another_key_gets_no_byte),
        cmocka_unit_test(web_browser_gets_no_byte),
        cmocka_unit_test(every_altered_byte_of_the_handshake_closes_in_silence),
        cmocka_unit_test(handshake_cut_at_any_byte_opens_nothing),
        cmocka_unit_test(every_altered_byte_of_a_frame_closes),
        cmocka_unit_test(frame_cut_at_any_byte_is_not_delivered_before_its_end),
        cmocka_unit_test(replayed_reflected_and_left_out_frames_close),
        cmocka_unit_test(replayed_handshake_opens_nothing),
        cmocka_unit_test(frame_over_the_largest_closes_before_it_came),
        cmocka_unit_test(caller_whose_record_is_wrong_is_closed_in_silence),
        cmocka_unit_test(somebody_elses_record_does_not_open),
        cmocka_unit_test(call_to_oneself_is_noticed),
        cmocka_unit_test(padding_after_the_record_must_be_zeros),
        cmocka_unit_test(caller_with_a_useless_key_is_told_at_the_next_tick),
        cmocka_unit_test(every_foul_has_its_reason),
        cmocka_unit_test(chunks_that_are_not_full_or_begin_twice_close),
        cmocka_unit_test(large_message_nobody_wants_closes_before_memory_is_taken),
        cmocka_unit_test(claim_of_megabytes_costs_what_has_come),
        cmocka_unit_test(only_the_first_right_pong_is_measured),
        cmocka_unit_test(flood_of_pings_makes_one_answer_wait),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
