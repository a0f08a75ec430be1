#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <msgpack.h>
#include "dht/link.h"
#include "dht/peer_message.h"
#include "node/base/hex.h"

static const uint8_t hash_11[32] = {0x11, 1, 2, 3};

static struct buffer encode(const struct peer_message *message)
{
    struct buffer out;
    buffer_init(&out, LINK_MESSAGE_MAX);
    peer_message_encode(message, &out);
    assert_false(out.failed);
    return out;
}

static bool decode_text(uint8_t type, const char *hex, struct peer_message *message)
{
    static uint8_t bytes[4096]; // views point here
    size_t size = strlen(hex) / 2;
    assert_true(size <= sizeof bytes && hex_decode(hex, strlen(hex), bytes, size));
    return peer_message_decode(type, bytes, size, message);
}

// Bytes written by hand from the msgpack specification.
static void messages_are_the_arrays_of_the_layout(void **state)
{
    (void)state;
    static const struct {
        struct peer_message message;
        const char *hex;
    } cases[] = {
        {{.type = PEER_CHOKE}, "90"},
        {{.type = PEER_UNCHOKE}, "90"},
        {{.type = PEER_BYE, .bye = PEER_BYE_BANNED}, "9103"},
        {{.type = PEER_SHARE, .share = {(const uint8_t *)"abc", 3}}, "91c403616263"},
        {{.type = PEER_LINK,
          .share = {(const uint8_t *)"a", 1},
          .body = {(const uint8_t *)"bc", 2}},
         "92c40161c4026263"},
        {{.type = PEER_BLOCK,
          .share = {(const uint8_t *)"a", 1},
          .body = {(const uint8_t *)"bc", 2}},
         "92c40161c4026263"},
        {{.type = PEER_GET_LINKS, .request = 70000, .max = 512}, "93ce00011170cd0200c400"},
        {{.type = PEER_SHARES, .request = 1, .items = {(const uint8_t *)"\x01\x00z", 3}},
         "9201c40301007a"},
        {{.type = PEER_GET_LOOSE, .request = 3}, "9103"},
        {{.type = PEER_LOOSE, .request = 3}, "9203c400"},
        {{.type = PEER_BODIES, .request = 200}, "93ccc8c400c400"},
        {{.type = PEER_WANT, .ids = {hash_11, 32}},
         "91c4201101020300000000000000000000000000000000000000000000000000000000"},
        {{.type = PEER_GET_HEADERS, .request = 0, .max = 1},
         "940001c400c4200000000000000000000000000000000000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[256];
        struct buffer out = encode(&cases[i].message);
        assert_true(out.size < sizeof hex / 2);
        hex_encode(out.data, out.size, hex);
        assert_string_equal(hex, cases[i].hex);
        struct peer_message again;
        assert_true(
            peer_message_decode((uint8_t)cases[i].message.type, out.data, out.size, &again));
        assert_int_equal(again.type, cases[i].message.type);
        buffer_clear(&out);
    }
}

static void hello_says_tip_and_port(void **state)
{
    (void)state;
    struct peer_message again,
        hello = {.type = PEER_HELLO,
                 .version = PEER_VERSION,
                 .capabilities = 0x80000001,
                 .port = 40123,
                 .tip = {.height = 4000000000, .work = {{1, 2, 3, UINT64_C(1) << 63}}}};
    memcpy(hello.tip.id.bytes, hash_11, 32);
    struct buffer out = encode(&hello);
    assert_true(peer_message_decode(PEER_HELLO, out.data, out.size, &again));
    assert_int_equal(again.version, PEER_VERSION);
    assert_int_equal(again.capabilities, 0x80000001);
    assert_int_equal(again.port, 40123);
    assert_int_equal(again.tip.height, 4000000000);
    assert_true(hash_equal(&again.tip.id, &hello.tip.id));
    assert_memory_equal(&again.tip.work, &hello.tip.work, sizeof hello.tip.work);
    // The layout, read by msgpack-c.
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)out.data, out.size, &offset),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(offset, out.size);
    assert_int_equal(unpacked.data.via.array.size, 6);
    const msgpack_object *elements = unpacked.data.via.array.ptr;
    assert_int_equal(elements[1].via.u64, 4000000000);
    assert_memory_equal(elements[2].via.bin.ptr, hash_11, 32);
    assert_int_equal(elements[3].via.bin.size, 32);
    assert_int_equal((uint8_t)elements[3].via.bin.ptr[0], 1);
    assert_int_equal((uint8_t)elements[3].via.bin.ptr[31], 0x80);
    assert_int_equal(elements[5].via.u64, 40123);
    msgpack_unpacked_destroy(&unpacked);
    buffer_clear(&out);
}

static void every_cut_and_every_byte_after_it_is_refused(void **state)
{
    (void)state;
    struct peer_message message, hello = {.type = PEER_HELLO, .version = 1};
    struct buffer out = encode(&hello);
    for (size_t size = 0; size < out.size; size++)
        assert_false(peer_message_decode(PEER_HELLO, out.data, size, &message));
    write_u8(&out, 0);
    assert_false(peer_message_decode(PEER_HELLO, out.data, out.size, &message));
    buffer_clear(&out);
}

static void later_elements_are_skipped(void **state)
{
    (void)state;
    struct peer_message message;
    assert_true(decode_text(PEER_CHOKE, "9101", &message));
    assert_true(decode_text(PEER_BYE, "9301a3616263920102", &message));
    assert_int_equal(message.bye, PEER_BYE_FULL);
    assert_true(decode_text(PEER_BYE, "91cf7fffffffffffffff", &message)); // a later reason
    assert_int_equal(message.bye, PEER_BYE_UNKNOWN);
    assert_false(decode_text(PEER_CHOKE, "9181", &message));           // a map is nothing of ours
    assert_false(decode_text(PEER_CHOKE, "91919191919190", &message)); // too deep
}

static void header_that_is_wanted_may_be_left_out(void **state)
{
    (void)state;
    struct peer_message message;
    assert_true(decode_text(PEER_GET_HEADERS, "930502c400", &message));
    assert_int_equal(message.request, 5);
    assert_int_equal(message.max, 2);
    assert_true(hash_is_zero(&message.wanted));
    assert_true(decode_text(
        PEER_GET_HEADERS,
        "940502c400c4204400000000000000000000000000000000000000000000000000000000000000",
        &message));
    assert_int_equal(message.wanted.bytes[0], 0x44);
    assert_false(decode_text(PEER_GET_HEADERS, "940502c400c40144", &message));
    assert_false(decode_text(PEER_GET_HEADERS, "920502", &message));
}

static void messages_against_the_layout_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *hex;
    } cases[] = {
        {PEER_SHARE, "90"},                             // no share
        {PEER_SHARE, "91c400"},                         // an empty one
        {PEER_SHARE, "91a161"},                         // text
        {PEER_SHARE, "9101"},                           // a number
        {PEER_LINK, "91c40161"},                        // no body
        {PEER_LINK, "92c40161c400"},                    // an empty one
        {PEER_BLOCK, "92c40161c400"},                   // the same of a block
        {PEER_HAVE, "91c400"},                          // no id
        {PEER_HAVE, "91c40161"},                        // a part of one
        {PEER_BYE, "91ff"},                             // -1
        {PEER_BYE, "91d003"},                           // 3, but signed
        {PEER_BYE, "91cd00"},                           // cut off
        {PEER_BYE, "dd"},                               // an array without a size
        {PEER_BYE, "03"},                               // no array
        {PEER_GET_LINKS, "930100c400"},                 // max 0
        {PEER_GET_LINKS, "9301cd0201c400"},             // one too many
        {PEER_GET_LINKS, "93cf000000010000000001c400"}, // a request number beyond 32 bits
        {PEER_GET_HEADERS, "9301cd07e1c400"},
        {PEER_GET_BODIES, "9201c400"},           // asks for nothing
        {PEER_SHARES, "9201c4020000"},           // an empty share
        {PEER_SHARES, "9201c4030200aa"},         // cut off
        {PEER_SHARES, "9201c40401006100"},       // half a size after it
        {PEER_SHARES, "9201c4020104"},           // over CHAIN_SHARE_MAX, and not there
        {PEER_HEADERS, "9201c40161"},            // no whole header
        {PEER_BODIES, "9301c400c4050100000061"}, // a body without an id
        {PEER_PEERS, "91c4020101"},              // 257 bytes of record
        {PEER_TYPES_END, "90"},
        {PEER_HELLO - 1, "90"},
        {0, "90"},
        {255, "90"},
    };
    struct peer_message message;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (decode_text(cases[i].type, cases[i].hex, &message))
            fail_msg("case %zu was taken", i);
    }
    assert_true(decode_text(PEER_GET_LINKS, "9301cd0200c400", &message));
    assert_true(decode_text(PEER_BYE, "dd0000000103", &message)); // a long form is fine
}

// The largest that the bounds allow passes; one more is refused.
static void try_sizes(struct peer_message *message, struct peer_bytes *part, size_t max)
{
    struct peer_message again;
    uint8_t *bytes = calloc(1, max + 32);
    assert_non_null(bytes);
    *part = (struct peer_bytes){bytes, max};
    struct buffer out = encode(message);
    assert_true(peer_message_decode((uint8_t)message->type, out.data, out.size, &again));
    assert_true(out.size <= peer_message_size_max((uint8_t)message->type));
    buffer_reset(&out);
    part->size += part == &message->ids ? 32 : 1;
    peer_message_encode(message, &out);
    assert_false(out.failed);
    assert_false(peer_message_decode((uint8_t)message->type, out.data, out.size, &again));
    buffer_clear(&out);
    free(bytes);
}

static void sizes_end_where_the_bounds_say(void **state)
{
    (void)state;
    const struct peer_bytes small = {(const uint8_t *)"x", 1};
    struct peer_message message = {.type = PEER_SHARE};
    try_sizes(&message, &message.share, CHAIN_SHARE_MAX);
    message = (struct peer_message){.type = PEER_LINK, .share = small};
    try_sizes(&message, &message.body, CHAIN_BODY_MAX);
    message = (struct peer_message){.type = PEER_HAVE};
    try_sizes(&message, &message.ids, (size_t)PEER_IDS_MAX * 32);
    message = (struct peer_message){.type = PEER_GET_LINKS, .max = 1};
    try_sizes(&message, &message.ids, (size_t)CHAIN_LOCATOR_MAX * 32);
    message = (struct peer_message){.type = PEER_GET_SHARES};
    try_sizes(&message, &message.ids, (size_t)PEER_GET_IDS_MAX * 32);
    message = (struct peer_message){.type = PEER_HEADERS};
    try_sizes(&message, &message.items, (size_t)CHAIN_HEADERS_MAX * CHAIN_HEADER_SIZE);
}

static void largest_block_fits_a_link(void **state)
{
    (void)state;
    uint8_t *block = calloc(1, PEER_BLOCK_SIZE_MAX);
    assert_non_null(block);
    uint8_t share[CHAIN_SHARE_MAX] = {1};
    struct peer_message again, message = {.type = PEER_BLOCK,
                                          .share = {share, sizeof share},
                                          .body = {block, PEER_BLOCK_SIZE_MAX}};
    struct buffer out = encode(&message);
    assert_true(out.size <= LINK_MESSAGE_MAX);
    assert_int_equal(peer_message_size_max(PEER_BLOCK), LINK_MESSAGE_MAX);
    assert_true(peer_message_decode(PEER_BLOCK, out.data, out.size, &again));
    assert_int_equal(again.body.size, PEER_BLOCK_SIZE_MAX);
    buffer_clear(&out);
    free(block);
}

// As many items as are allowed, and one more.
static void try_items(struct peer_message *message, size_t item_size, size_t items_max)
{
    uint8_t item[CHAIN_SKELETON_MAX] = {7};
    struct buffer items;
    struct peer_message again;
    buffer_init(&items, LINK_MESSAGE_MAX);
    for (size_t i = 0; i < items_max; i++)
        peer_item_write(message->type, item, item_size, &items);
    message->items = (struct peer_bytes){items.data, items.size};
    struct buffer out = encode(message);
    assert_true(peer_message_decode((uint8_t)message->type, out.data, out.size, &again));
    size_t offset = 0;
    size_t count = 0;
    for (struct peer_bytes got; peer_item_next(&again, &offset, &got); count++) {
        assert_int_equal(got.size, item_size);
        assert_memory_equal(got.data, item, item_size);
    }
    assert_int_equal(count, items_max);
    assert_int_equal(offset, again.items.size);
    peer_item_write(message->type, item, item_size, &items);
    message->items = (struct peer_bytes){items.data, items.size};
    buffer_reset(&out);
    peer_message_encode(message, &out);
    assert_false(peer_message_decode((uint8_t)message->type, out.data, out.size, &again));
    buffer_clear(&out);
    buffer_clear(&items);
}

static void items_are_walked_and_counted(void **state)
{
    (void)state;
    struct peer_message message = {.type = PEER_LINKS};
    try_items(&message, CHAIN_SKELETON_MAX, CHAIN_SKELETONS_MAX);
    message = (struct peer_message){.type = PEER_HEADERS};
    try_items(&message, CHAIN_HEADER_SIZE, CHAIN_HEADERS_MAX);
    message = (struct peer_message){.type = PEER_SHARES};
    try_items(&message, 300, PEER_GET_IDS_MAX);
    message = (struct peer_message){.type = PEER_PEERS};
    try_items(&message, 256, PEER_RECORDS_MAX);
    uint8_t ids[3 * 32] = {0};
    message = (struct peer_message){.type = PEER_BODIES, .ids = {ids, sizeof ids}};
    try_items(&message, 1000, 3);
    message.ids.size = sizeof ids - 32; // 4 bodies would have been one too many, 3 now are
    uint8_t bodies[3 * 5] = {1, 0, 0, 0, 9, 1, 0, 0, 0, 9, 1, 0, 0, 0, 9};
    message.items = (struct peer_bytes){bodies, sizeof bodies};
    struct buffer out = encode(&message);
    struct peer_message again;
    assert_false(peer_message_decode(PEER_BODIES, out.data, out.size, &again));
    buffer_clear(&out);
}

static void ids_are_found_by_position(void **state)
{
    (void)state;
    uint8_t bytes[3 * 32];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i / 32);
    struct peer_bytes ids = {bytes, sizeof bytes};
    assert_int_equal(peer_ids_count(&ids), 3);
    for (size_t i = 0; i < 3; i++) {
        struct hash256 id;
        peer_id_at(&ids, i, &id);
        assert_int_equal(id.bytes[0], i);
        assert_int_equal(id.bytes[31], i);
    }
}

static void types_have_labels_and_reasons_have_texts(void **state)
{
    (void)state;
    for (unsigned type = PEER_HELLO; type < PEER_TYPES_END; type++) {
        assert_non_null(peer_message_label((enum peer_message_type)type));
        assert_true(peer_message_size_max((uint8_t)type) > 0);
        assert_true(peer_message_size_max((uint8_t)type) <= LINK_MESSAGE_MAX);
    }
    assert_string_equal(peer_message_label(PEER_GET_HEADERS), "get_headers");
    assert_int_equal(peer_message_size_max(PEER_TYPES_END), 0);
    for (unsigned bye = 0; bye < PEER_BYE_UNKNOWN; bye++)
        assert_string_not_equal(peer_bye_text((enum peer_bye)bye), peer_bye_text(PEER_BYE_UNKNOWN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_the_arrays_of_the_layout),
        cmocka_unit_test(hello_says_tip_and_port),
        cmocka_unit_test(every_cut_and_every_byte_after_it_is_refused),
        cmocka_unit_test(later_elements_are_skipped),
        cmocka_unit_test(header_that_is_wanted_may_be_left_out),
        cmocka_unit_test(messages_against_the_layout_are_refused),
        cmocka_unit_test(sizes_end_where_the_bounds_say),
        cmocka_unit_test(largest_block_fits_a_link),
        cmocka_unit_test(items_are_walked_and_counted),
        cmocka_unit_test(ids_are_found_by_position),
        cmocka_unit_test(types_have_labels_and_reasons_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
