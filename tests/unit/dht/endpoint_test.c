#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/endpoint.h"
#include "dht/shared_bytes.h"

static struct endpoint v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct endpoint){address_ipv4((const uint8_t[4]){a, b, c, d}), 8400};
}

static struct endpoint v6(const uint16_t groups[8])
{
    uint8_t bytes[16];
    for (unsigned i = 0; i < 8; i++) {
        bytes[2 * i] = (uint8_t)(groups[i] >> 8);
        bytes[2 * i + 1] = (uint8_t)groups[i];
    }
    return (struct endpoint){address_ipv6(bytes), 8400};
}

static void must_read(struct endpoint endpoint, const char *expected)
{
    char text[ENDPOINT_TEXT_SIZE];
    endpoint_to_text(&endpoint, text);
    assert_string_equal(text, expected);
}

// The examples of RFC 5952, section 4, among them.
static void text_is_as_people_write_it(void **state)
{
    (void)state;
    must_read((struct endpoint){0}, "-");
    must_read(v4(255, 254, 253, 252), "255.254.253.252:8400");
    must_read(v6((const uint16_t[8]){0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}), "[2001:db8::1]:8400");
    must_read(v6((const uint16_t[8]){0x2001, 0xdb8, 0, 1, 1, 1, 1, 1}),
              "[2001:db8:0:1:1:1:1:1]:8400");
    must_read(v6((const uint16_t[8]){0x2001, 0, 0, 1, 0, 0, 0, 1}), "[2001:0:0:1::1]:8400");
    must_read(v6((const uint16_t[8]){0x2001, 0xdb8, 0, 0, 1, 0, 0, 1}), "[2001:db8::1:0:0:1]:8400");
    must_read(v6((const uint16_t[8]){0}), "[::]:8400");
    must_read(v6((const uint16_t[8]){[7] = 1}), "[::1]:8400");
    must_read(v6((const uint16_t[8]){0xfe80}), "[fe80::]:8400");
    struct endpoint longest =
        v6((const uint16_t[8]){0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff});
    longest.port = 65535;
    must_read(longest, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void ipv4_mapped_address_is_the_ipv4_address(void **state)
{
    (void)state;
    struct endpoint mapped = v6((const uint16_t[8]){0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201});
    struct endpoint plain = v4(192, 0, 2, 1);
    assert_true(endpoint_equal(&mapped, &plain));
    plain.port++;
    assert_false(endpoint_equal(&mapped, &plain));
}

static bool share(struct endpoint a, struct endpoint b, unsigned bits4, unsigned bits6)
{
    return address_group(&a.address, bits4, bits6).value ==
           address_group(&b.address, bits4, bits6).value;
}

static void groups_are_the_first_bits_of_a_family(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t other = 0x0a010203 ^ (uint32_t)1 << (31 - bit);
        struct endpoint a = v4(10, 1, 2, 3);
        struct endpoint b = v4((uint8_t)(other >> 24), (uint8_t)(other >> 16),
                               (uint8_t)(other >> 8), (uint8_t)other);
        for (unsigned bits = 0; bits <= 32; bits++)
            assert_int_equal(share(a, b, bits, 0), bits <= bit);
    }
    struct endpoint six = v6((const uint16_t[8]){0x0a01, 0x0203});
    assert_false(share(v4(10, 1, 2, 3), six, 32, 32));
    assert_false(share(v4(10, 1, 2, 3), six, 0, 0));
    assert_false(share((struct endpoint){0}, v4(0, 0, 0, 0), 0, 0));
    struct endpoint a = v6((const uint16_t[8]){0x2001, 0xdb8, 1, 0xff00});
    struct endpoint b = v6((const uint16_t[8]){0x2001, 0xdb8, 1, 0x0100});
    struct endpoint c = v6((const uint16_t[8]){0x2001, 0xdb8, 2, 0xff00});
    assert_int_equal(address_group_near(&a.address).value, address_group_near(&b.address).value);
    assert_int_not_equal(address_group_near(&a.address).value,
                         address_group_near(&c.address).value);
    assert_int_equal(address_group_wide(&a.address).value, address_group_wide(&c.address).value);
    assert_false(share(a, b, 0, 56));
}

static void shared_bytes_live_as_long_as_somebody_holds_them(void **state)
{
    (void)state;
    struct shared_bytes *bytes = shared_bytes_new("twelve bytes", 12);
    assert_ptr_equal(shared_bytes_hold(bytes), bytes);
    shared_bytes_release(bytes);
    assert_int_equal(shared_bytes_size(bytes), 12);
    assert_memory_equal(shared_bytes_data(bytes), "twelve bytes", 12);
    shared_bytes_release(bytes);
    shared_bytes_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_as_people_write_it),
        cmocka_unit_test(ipv4_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(groups_are_the_first_bits_of_a_family),
        cmocka_unit_test(shared_bytes_live_as_long_as_somebody_holds_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
