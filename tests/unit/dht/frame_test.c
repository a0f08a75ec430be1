#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "dht/frame.h"
#include "node/base/hex.h"

#define FRAMES_COUNT 600

// Another implementation, in Python over OpenSSL, wrote the first frame and all of them so.
static const char first_frame_hex[] = "f6a12c012703a88aa9ad44a25f70a2847a2b633f";
static const char stream_hash_hex[] =
    "8ea7f50aa2692bf3a38cd97b8f96cd1ce28d0e62a38906d06ae64a5b0b1cd5e3";

struct stream {
    struct buffer bytes;
    size_t starts[FRAMES_COUNT + 1];
};

static void init_cipher(struct frame_cipher *cipher)
{
    uint8_t key[32];
    uint8_t length_key[32];
    memset(key, 1, sizeof key);
    memset(length_key, 2, sizeof length_key);
    frame_cipher_init(cipher, key, length_key);
}

static size_t frame_size(size_t index)
{
    return index * 7 % 300;
}

static void seal_all(struct stream *stream)
{
    struct frame_cipher cipher;
    uint8_t body[300];
    init_cipher(&cipher);
    buffer_init(&stream->bytes, 1 << 20);
    for (size_t i = 0; i < FRAMES_COUNT; i++) {
        memset(body, (int)(i & 255), sizeof body);
        size_t size = frame_size(i);
        const struct frame_payload payload = {body, size / 3, body, size - size / 3};
        stream->starts[i] = stream->bytes.size;
        assert_true(frame_seal(&cipher, (uint8_t)i, &payload, &stream->bytes));
    }
    stream->starts[FRAMES_COUNT] = stream->bytes.size;
}

static bool open_frame(struct frame_cipher *cipher, const uint8_t *frame, uint8_t *plain)
{
    size_t size = frame_peek_length(cipher, frame);
    return size < 300 && frame_open(cipher, frame + FRAME_LENGTH_SIZE, size, plain);
}

static void frames_are_those_of_another_implementation_over_two_rekeys(void **state)
{
    (void)state;
    struct stream stream;
    uint8_t hash[32];
    char hex[65];
    seal_all(&stream);
    hex_encode(stream.bytes.data, strlen(first_frame_hex) / 2, hex);
    assert_string_equal(hex, first_frame_hex);
    crypto_generichash(hash, sizeof hash, stream.bytes.data, stream.bytes.size, NULL, 0);
    hex_encode(hash, sizeof hash, hex);
    assert_string_equal(hex, stream_hash_hex);
    buffer_clear(&stream.bytes);
}

static void frames_open_to_what_was_sealed_over_two_rekeys(void **state)
{
    (void)state;
    struct stream stream;
    struct frame_cipher cipher;
    uint8_t plain[301] = {0};
    uint8_t expected[300];
    seal_all(&stream);
    init_cipher(&cipher);
    for (size_t i = 0; i < FRAMES_COUNT; i++) {
        const uint8_t *frame = stream.bytes.data + stream.starts[i];
        assert_int_equal(frame_peek_length(&cipher, frame), frame_size(i));
        assert_true(open_frame(&cipher, frame, plain));
        assert_int_equal(plain[0], i & 255);
        memset(expected, (int)(i & 255), sizeof expected);
        assert_memory_equal(plain + 1, expected, frame_size(i));
    }
    buffer_clear(&stream.bytes);
}

static void keys_change_after_256_frames_and_not_before(void **state)
{
    (void)state;
    struct stream stream;
    struct frame_cipher cipher;
    struct frame_cipher first;
    uint8_t plain[301];
    seal_all(&stream);
    init_cipher(&cipher);
    first = cipher;
    for (size_t i = 0; i < FRAMES_COUNT; i++) {
        assert_int_equal(memcmp(cipher.key, first.key, 32) == 0, i < FRAME_REKEY);
        assert_int_equal(memcmp(cipher.length_key, first.length_key, 32) == 0, i < FRAME_REKEY);
        assert_true(open_frame(&cipher, stream.bytes.data + stream.starts[i], plain));
    }
    buffer_clear(&stream.bytes);
}

// At a place of the stream: this frame comes, that one is expected. Only the one may pass.
static void repeated_left_out_and_swapped_frames_are_refused(void **state)
{
    (void)state;
    static const size_t places[] = {1, 63, 64, 65, 128, 254, 255, 256, 257, 511, 512};
    struct stream stream;
    struct frame_cipher cipher;
    uint8_t plain[301];
    seal_all(&stream);
    init_cipher(&cipher);
    for (size_t i = 0, k = 0; k < sizeof places / sizeof *places; i++) {
        if (i == places[k]) {
            const struct frame_cipher before = cipher;
            assert_false(open_frame(&cipher, stream.bytes.data + stream.starts[i - 1], plain));
            assert_false(open_frame(&cipher, stream.bytes.data + stream.starts[i + 1], plain));
            // Nor if their lengths were known.
            assert_false(frame_open(&cipher, stream.bytes.data + stream.starts[i - 1] + 3,
                                    frame_size(i - 1), plain));
            assert_false(frame_open(&cipher, stream.bytes.data + stream.starts[i + 1] + 3,
                                    frame_size(i + 1), plain));
            assert_memory_equal(&cipher, &before, sizeof cipher);
            k++;
        }
        assert_true(open_frame(&cipher, stream.bytes.data + stream.starts[i], plain));
    }
    buffer_clear(&stream.bytes);
}

static void every_altered_bit_of_a_frame_is_refused(void **state)
{
    (void)state;
    struct stream stream;
    struct frame_cipher cipher;
    uint8_t plain[301];
    seal_all(&stream);
    init_cipher(&cipher);
    for (size_t i = 0; i < 20; i++)
        assert_true(open_frame(&cipher, stream.bytes.data + stream.starts[i], plain));
    uint8_t *frame = stream.bytes.data + stream.starts[20];
    size_t bits = 8 * (stream.starts[21] - stream.starts[20]);
    for (size_t bit = 0; bit < bits; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(open_frame(&cipher, frame, plain));
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(open_frame(&cipher, frame, plain));
    buffer_clear(&stream.bytes);
}

static void frame_without_room_uses_nothing_up(void **state)
{
    (void)state;
    struct frame_cipher cipher;
    uint8_t room[FRAME_OVERHEAD + 10];
    struct buffer out;
    const struct frame_payload payload = {.body = "eleven byte", .body_size = 11};
    init_cipher(&cipher);
    const struct frame_cipher before = cipher;
    buffer_init_fixed(&out, room, sizeof room);
    assert_false(frame_seal(&cipher, 1, &payload, &out));
    assert_memory_equal(&cipher, &before, sizeof cipher);
    assert_int_equal(out.size, 0);
}

static void largest_and_smallest_frame_pass(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, FRAME_PAYLOAD_MAX};
    uint8_t *body = calloc(1, FRAME_SIZE_MAX);
    for (unsigned i = 0; i < 3; i++) {
        struct frame_cipher sender;
        struct frame_cipher receiver;
        struct buffer out;
        const struct frame_payload payload = {.body = body, .body_size = sizes[i]};
        init_cipher(&sender);
        init_cipher(&receiver);
        buffer_init(&out, FRAME_SIZE_MAX);
        assert_true(frame_seal(&sender, 200, &payload, &out));
        assert_int_equal(out.size, sizes[i] + FRAME_OVERHEAD);
        assert_int_equal(frame_peek_length(&receiver, out.data), sizes[i]);
        // In place, as links do.
        assert_true(frame_open(&receiver, out.data + 3, sizes[i], out.data + 3));
        assert_int_equal(out.data[3], 200);
        assert_memory_equal(out.data + 4, body, sizes[i]);
        buffer_clear(&out);
    }
    free(body);
}

static void cipher_ends_after_its_last_frame(void **state)
{
    (void)state;
    struct frame_cipher cipher;
    init_cipher(&cipher);
    cipher.count = FRAME_COUNT_MAX - 1;
    assert_false(frame_cipher_is_used_up(&cipher));
    cipher.count = FRAME_COUNT_MAX;
    assert_true(frame_cipher_is_used_up(&cipher));
    frame_cipher_clear(&cipher);
    assert_true(sodium_is_zero((const uint8_t *)&cipher, sizeof cipher));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_of_another_implementation_over_two_rekeys),
        cmocka_unit_test(frames_open_to_what_was_sealed_over_two_rekeys),
        cmocka_unit_test(keys_change_after_256_frames_and_not_before),
        cmocka_unit_test(repeated_left_out_and_swapped_frames_are_refused),
        cmocka_unit_test(every_altered_bit_of_a_frame_is_refused),
        cmocka_unit_test(frame_without_room_uses_nothing_up),
        cmocka_unit_test(largest_and_smallest_frame_pass),
        cmocka_unit_test(cipher_ends_after_its_last_frame),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
