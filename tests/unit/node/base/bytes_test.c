#include "node/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void integers_are_read_in_their_byte_order(void **state)
{
    (void)state;
    static const uint8_t source[] = {1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
                                     11, 12, 13, 14, 15, 16, 17, 18, 19};
    struct reader reader = reader_init(source, sizeof source);
    assert_int_equal(read_u8(&reader), 0x01);
    assert_int_equal(read_u16(&reader), 0x0302);
    assert_int_equal(read_u32(&reader), 0x07060504);
    assert_true(read_u64(&reader) == UINT64_C(0x0f0e0d0c0b0a0908));
    assert_int_equal(read_u32_be(&reader), 0x10111213);
    assert_true(reader_is_done(&reader));
}

static void written_integers_have_their_byte_order(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    write_u8(&buffer, 0x01);
    write_u16(&buffer, 0x0302);
    write_u32(&buffer, 0x07060504);
    write_u64(&buffer, UINT64_C(0x0f0e0d0c0b0a0908));
    write_u32_be(&buffer, 0x10111213);
    assert_int_equal(buffer.size, 19);
    for (uint8_t i = 0; i < 19; i++)
        assert_int_equal(buffer.data[i], i + 1);
    buffer_clear(&buffer);
}

static void reading_past_the_end_fails_for_good_and_gives_zeros(void **state)
{
    (void)state;
    static const uint8_t source[] = {1, 2, 3, 4, 5};
    struct reader reader = reader_init(source, sizeof source);
    assert_true(read_u64(&reader) == 0);
    assert_true(reader.failed);
    // Enough would be left for these.
    assert_int_equal(read_u8(&reader), 0);
    assert_int_equal(read_u32_be(&reader), 0);
    assert_int_equal(read_varint(&reader), 0);
    assert_null(read_view(&reader, 1));
    uint8_t out[2] = {9, 9};
    read_bytes(&reader, out, 2);
    assert_int_equal(out[0] | out[1], 0);
    assert_false(reader_is_done(&reader));
}

static void failure_on_the_last_byte_is_not_done(void **state)
{
    (void)state;
    static const uint8_t source[] = {1};
    struct reader reader = reader_init(source, 1);
    read_u8(&reader);
    assert_true(reader_is_done(&reader));
    read_u8(&reader);
    assert_int_equal(reader.left, 0);
    assert_false(reader_is_done(&reader));
}

static void trailing_bytes_are_not_done(void **state)
{
    (void)state;
    struct reader reader = reader_init("abc", 3);
    read_u16(&reader);
    assert_false(reader.failed);
    assert_false(reader_is_done(&reader));
}

static void views_of_huge_sizes_do_not_wrap(void **state)
{
    (void)state;
    struct reader reader = reader_init("abc", 3);
    assert_null(read_view(&reader, SIZE_MAX));
    assert_true(reader.failed);
}

static void empty_source_gives_empty_views_only(void **state)
{
    (void)state;
    struct reader reader = reader_init(NULL, 0);
    read_view(&reader, 0);
    read_bytes(&reader, NULL, 0);
    assert_true(reader_is_done(&reader));
    assert_int_equal(read_u8(&reader), 0);
    assert_true(reader.failed);
}

static void varints_round_trip_in_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        size_t size;
    } cases[] = {
        {0, 1},
        {0xfc, 1},
        {0xfd, 3},
        {0xffff, 3},
        {0x10000, 5},
        {0xffffffff, 5},
        {UINT64_C(0x100000000), 9},
        {UINT64_MAX, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t array[9];
        struct buffer buffer;
        buffer_init_fixed(&buffer, array, sizeof array);
        write_varint(&buffer, cases[i].value);
        assert_int_equal(buffer.size, cases[i].size);
        struct reader reader = reader_init(buffer.data, buffer.size);
        assert_true(read_varint(&reader) == cases[i].value);
        assert_true(reader_is_done(&reader));
        reader = reader_init(buffer.data, buffer.size - 1);
        assert_true(read_varint(&reader) == 0 && reader.failed);
    }
}

static void varints_longer_than_needed_are_refused(void **state)
{
    (void)state;
    static const uint8_t cases[][10] = {
        // size, then the bytes
        {3, 0xfd, 0xfc, 0x00},
        {3, 0xfd, 0x00, 0x00},
        {5, 0xfe, 0xff, 0xff, 0x00, 0x00},
        {5, 0xfe, 0xfc, 0x00, 0x00, 0x00},
        {9, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
        {9, 0xff, 0x01, 0, 0, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader reader = reader_init(cases[i] + 1, cases[i][0]);
        assert_true(read_varint(&reader) == 0);
        assert_true(reader.failed);
    }
}

static void growing_buffer_grows_to_its_cap_and_no_further(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    for (int i = 0; i < 1000; i++)
        write_u8(&buffer, (uint8_t)i);
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 1000);
    assert_true(buffer.capacity <= 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)i);
    write_u8(&buffer, 1);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 1000);
    buffer_clear(&buffer);
    assert_null(buffer.data);
}

static void small_cap_is_kept_from_the_first_allocation(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 3);
    assert_true(buffer_reserve(&buffer, 3));
    assert_int_equal(buffer.capacity, 3);
    assert_false(buffer_reserve(&buffer, 4));
    assert_true(buffer.failed);
    buffer_clear(&buffer);
}

static void requests_of_huge_sizes_do_not_wrap(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    write_u8(&buffer, 1);
    assert_false(buffer_reserve(&buffer, SIZE_MAX));
    buffer_reset(&buffer);
    write_u8(&buffer, 1);
    assert_false(buffer_reserve(&buffer, SIZE_MAX - 1));
    buffer_clear(&buffer);
}

static void failed_buffer_takes_nothing_until_reset(void **state)
{
    (void)state;
    uint8_t array[4];
    struct buffer buffer;
    buffer_init_fixed(&buffer, array, sizeof array);
    write_u8(&buffer, 7);
    write_u32(&buffer, 0xffffffff);
    assert_true(buffer.failed);
    write_u8(&buffer, 8); // this one would fit
    write_text(&buffer, "x");
    write_format(&buffer, "%d", 1);
    assert_int_equal(buffer.size, 1);
    buffer_reset(&buffer);
    assert_false(buffer.failed);
    write_u32(&buffer, 0x04030201);
    assert_int_equal(buffer.size, 4);
    assert_int_equal(array[3], 4);
}

static void fixed_buffer_never_writes_behind_its_array(void **state)
{
    (void)state;
    uint8_t array[16];
    memset(array, 0xee, sizeof array);
    struct buffer buffer;
    buffer_init_fixed(&buffer, array, 8);
    write_varint(&buffer, UINT64_MAX); // needs 9
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 0);
    buffer_reset(&buffer);
    write_bytes(&buffer, "123456789", 9);
    assert_true(buffer.failed);
    buffer_reset(&buffer);
    write_format(&buffer, "%s", "12345678"); // no room for the zero
    assert_true(buffer.failed);
    for (size_t i = 0; i < sizeof array; i++)
        assert_int_equal(array[i], 0xee);
    buffer_reset(&buffer);
    write_u64(&buffer, 1);
    assert_false(buffer.failed);
    assert_int_equal(array[8], 0xee);
    buffer_clear(&buffer);
    assert_ptr_equal(buffer.data, array);
    assert_int_equal(buffer.capacity, 8);
}

static void formatted_text_is_appended_with_a_zero_behind_it(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    write_text(&buffer, "a");
    write_format(&buffer, "%s-%05d", "b", 42);
    assert_int_equal(buffer.size, 8);
    assert_string_equal((const char *)buffer.data, "ab-00042");
    write_format(&buffer, "%500d", 7); // more than the first allocation
    assert_int_equal(buffer.size, 508);
    assert_string_equal((const char *)buffer.data + 507, "7");
    buffer_clear(&buffer);
}

static void consuming_keeps_the_rest(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    write_text(&buffer, "abcdef");
    buffer_consume(&buffer, 0);
    buffer_consume(&buffer, 4);
    assert_int_equal(buffer.size, 2);
    assert_memory_equal(buffer.data, "ef", 2);
    write_text(&buffer, "g");
    buffer_consume(&buffer, 3);
    assert_int_equal(buffer.size, 0);
    buffer_clear(&buffer);
}

static void clearing_a_zeroed_buffer_is_fine(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_clear(&buffer);
    buffer_consume(&buffer, 0);
    write_u8(&buffer, 1); // its cap is 0
    assert_true(buffer.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_in_their_byte_order),
        cmocka_unit_test(written_integers_have_their_byte_order),
        cmocka_unit_test(reading_past_the_end_fails_for_good_and_gives_zeros),
        cmocka_unit_test(failure_on_the_last_byte_is_not_done),
        cmocka_unit_test(trailing_bytes_are_not_done),
        cmocka_unit_test(views_of_huge_sizes_do_not_wrap),
        cmocka_unit_test(empty_source_gives_empty_views_only),
        cmocka_unit_test(varints_round_trip_in_their_shortest_form),
        cmocka_unit_test(varints_longer_than_needed_are_refused),
        cmocka_unit_test(growing_buffer_grows_to_its_cap_and_no_further),
        cmocka_unit_test(small_cap_is_kept_from_the_first_allocation),
        cmocka_unit_test(requests_of_huge_sizes_do_not_wrap),
        cmocka_unit_test(failed_buffer_takes_nothing_until_reset),
        cmocka_unit_test(fixed_buffer_never_writes_behind_its_array),
        cmocka_unit_test(formatted_text_is_appended_with_a_zero_behind_it),
        cmocka_unit_test(consuming_keeps_the_rest),
        cmocka_unit_test(clearing_a_zeroed_buffer_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
