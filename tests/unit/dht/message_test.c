#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/message.h"
#include "node/base/hex.h"

static size_t encode_request(const struct dht_request *request, uint8_t out[MESSAGE_SIZE_MAX])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, out, MESSAGE_SIZE_MAX);
    dht_request_encode(request, &buffer);
    assert_false(buffer.failed);
    return buffer.size;
}

// Bytes written by hand from the msgpack specification.
static void request_is_the_array_of_the_layout(void **state)
{
    (void)state;
    uint8_t bytes[MESSAGE_SIZE_MAX];
    struct dht_request request = {.method = DHT_PING, .flags = DHT_WANTS_RECORD};
    assert_int_equal(encode_request(&request, bytes), 8);
    assert_memory_equal(bytes, "\x95\x01\x02\xc4\x00\x00\xc4\x00", 8);
    request = (struct dht_request){.method = DHT_DIAL_BACK, .port = 8400};
    assert_int_equal(encode_request(&request, bytes), 10);
    assert_memory_equal(bytes, "\x95\x05\x00\xc4\x00\xcd\x20\xd0\xc4\x00", 10);
}

static void request_survives_with_padding_and_later_elements(void **state)
{
    (void)state;
    uint8_t bytes[MESSAGE_SIZE_MAX] = {0};
    uint8_t value[RECORD_SIZE_MAX];
    memset(value, 7, sizeof value);
    struct dht_request request = {.method = DHT_PUT, .flags = 5, .value = {value, sizeof value}};
    struct dht_request decoded;
    memset(request.key.bytes, 3, 32);
    size_t size = encode_request(&request, bytes);
    assert_true(dht_request_decode(bytes, size, &decoded));
    assert_int_equal(decoded.method, DHT_PUT);
    assert_int_equal(decoded.flags, 5);
    assert_memory_equal(decoded.key.bytes, request.key.bytes, 32);
    assert_int_equal(decoded.value.size, sizeof value);
    assert_memory_equal(decoded.value.data, value, sizeof value);
    assert_true(dht_request_decode(bytes, sizeof bytes, &decoded));
    bytes[sizeof bytes - 1] = 1;
    assert_false(dht_request_decode(bytes, sizeof bytes, &decoded));
    bytes[0] = 0x96; // a sixth element: the next zero byte, an integer
    bytes[sizeof bytes - 1] = 0;
    assert_true(dht_request_decode(bytes, sizeof bytes, &decoded));
}

static void requests_against_the_layout_are_refused(void **state)
{
    (void)state;
    static const char *const hex[] = {
        "",
        "94 01 02 c400 00",
        "95 cd0100 02 c400 00 c400", // method beyond a byte
        "95 01 ff c400 00 c400",     // flags below zero
        "95 01 02 c40111 00 c400",   // a key of one byte
        "95 01 02 c400 ce00010000 c400",
        "95 01 02 c400 00 00",
        "95 01 02 a0 00 c400", // a string is no key
        "01",
    };
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        char packed[64];
        uint8_t bytes[32];
        size_t length = 0;
        struct dht_request request;
        for (const char *c = hex[i]; *c != '\0'; c++) {
            if (*c != ' ')
                packed[length++] = *c;
        }
        assert_true(hex_decode(packed, length, bytes, length / 2));
        assert_false(dht_request_decode(bytes, length / 2, &request));
    }
}

static struct dht_answer make_answer(size_t ipv4_count, size_t ipv6_count)
{
    static const uint8_t record[RECORD_SIZE_MAX] = {1, 2, 3};
    struct dht_answer answer = {
        .status = DHT_OK, .token = 0x1122334455667788, .record = {record, 200}};
    uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8};
    for (size_t i = 0; i < ipv4_count + ipv6_count; i++) {
        struct hint *hint = &answer.nodes[i];
        hint->id_start.value = 0x0102030405060708 + i;
        memset(hint->key.bytes, (int)i, 32);
        ipv6[15] = (uint8_t)i;
        hint->endpoint.address = i < ipv4_count ? address_ipv4(ipv6 + 12) : address_ipv6(ipv6);
        hint->endpoint.port = (uint16_t)(1 + i);
    }
    answer.nodes_count = ipv4_count + ipv6_count;
    answer.asker = answer.nodes[0].endpoint;
    return answer;
}

static size_t encode_answer(const struct dht_answer *answer, size_t size_max,
                            uint8_t out[MESSAGE_SIZE_MAX])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, out, MESSAGE_SIZE_MAX);
    return dht_answer_encode(answer, size_max, &buffer) ? buffer.size : 0;
}

// What an answer may be at most: DATAGRAM_SIZE_MAX - DATAGRAM_ANSWER_OVERHEAD.
#define ROOM (1200 - 41)

static void sixteen_nodes_and_a_record_fit_in_one_answer(void **state)
{
    (void)state;
    uint8_t bytes[MESSAGE_SIZE_MAX];
    struct dht_answer answer = make_answer(16, 0);
    struct dht_answer decoded;
    size_t size = encode_answer(&answer, ROOM, bytes);
    assert_in_range(size, 1, ROOM);
    assert_true(dht_answer_decode(bytes, size, &decoded));
    assert_int_equal(decoded.token, answer.token);
    assert_int_equal(decoded.record.size, 200);
    assert_memory_equal(decoded.record.data, answer.record.data, 200);
    assert_true(endpoint_equal(&decoded.asker, &answer.asker));
    assert_int_equal(decoded.nodes_count, 16);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(decoded.nodes[i].id_start.value, answer.nodes[i].id_start.value);
        assert_true(dht_key_equal(&decoded.nodes[i].key, &answer.nodes[i].key));
        assert_true(endpoint_equal(&decoded.nodes[i].endpoint, &answer.nodes[i].endpoint));
    }
}

static void what_does_not_fit_is_left_out_nodes_first_and_record_last(void **state)
{
    (void)state;
    uint8_t bytes[MESSAGE_SIZE_MAX];
    struct dht_answer answer = make_answer(8, 16);
    struct dht_answer decoded;
    answer.values[0] = answer.values[1] = answer.record;
    answer.values_count = 2;
    for (size_t room = 0; room <= ROOM; room++) {
        size_t size = encode_answer(&answer, room, bytes);
        assert_in_range(size, 0, room);
        if (size == 0) {
            assert_true(room < 40);
            continue;
        }
        assert_true(dht_answer_decode(bytes, size, &decoded));
        assert_true(decoded.values_count == 2 || decoded.nodes_count == 0);
        assert_true(decoded.record.size == 200 || decoded.values_count == 0);
        if (room == 40)
            assert_int_equal(decoded.record.size, 0);
    }
    assert_int_equal(decoded.values_count, 2);
    assert_in_range(decoded.nodes_count, 8, 12);
}

static void answers_against_the_layout_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[MESSAGE_SIZE_MAX];
    struct dht_answer answer = make_answer(2, 1);
    struct dht_answer decoded;
    answer.record.size = 0;
    size_t size = encode_answer(&answer, ROOM, bytes);
    for (size_t i = 0; i < size; i++)
        assert_false(dht_answer_decode(bytes, i, &decoded));
    assert_true(dht_answer_decode(bytes, size, &decoded));
    assert_false(dht_answer_decode(bytes, MESSAGE_SIZE_MAX + 1, &decoded));
    // [0, token, asker of 6 bytes, no record, ...: nodes4 begins at the 22nd byte.
    assert_int_equal(bytes[21], 0xc4);
    assert_int_equal(bytes[22], 92);
    bytes[22] = 91;
    assert_false(dht_answer_decode(bytes, size, &decoded));
}

static void nodes_without_a_port_or_of_the_other_family_are_left_out(void **state)
{
    (void)state;
    uint8_t bytes[MESSAGE_SIZE_MAX];
    struct dht_answer answer = make_answer(1, 2);
    struct dht_answer decoded;
    answer.record.size = 0;
    answer.nodes[0].endpoint.port = 0;
    memset(answer.nodes[1].endpoint.address.bytes, 0, 10);
    memset(answer.nodes[1].endpoint.address.bytes + 10, 0xff, 2); // ::ffff:0:0 as if IPv6
    size_t size = encode_answer(&answer, ROOM, bytes);
    assert_true(dht_answer_decode(bytes, size, &decoded));
    assert_int_equal(decoded.nodes_count, 1);
    assert_int_equal(decoded.nodes[0].endpoint.port, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_the_array_of_the_layout),
        cmocka_unit_test(request_survives_with_padding_and_later_elements),
        cmocka_unit_test(requests_against_the_layout_are_refused),
        cmocka_unit_test(sixteen_nodes_and_a_record_fit_in_one_answer),
        cmocka_unit_test(what_does_not_fit_is_left_out_nodes_first_and_record_last),
        cmocka_unit_test(answers_against_the_layout_are_refused),
        cmocka_unit_test(nodes_without_a_port_or_of_the_other_family_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
