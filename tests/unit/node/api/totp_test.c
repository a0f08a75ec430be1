// Against the vectors of RFC 6238, appendix B (SHA-1; the last six of their eight digits).
#include "node/api/totp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t secret[TOTP_SECRET_SIZE] = "1234567890123456789"
                                                "0";

struct vector {
    int64_t seconds;
    const char *code;
};

static const struct vector vectors[] = {
    {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
    {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
};

static struct wall_time at(int64_t seconds)
{
    return (struct wall_time){seconds * 1000};
}

static void codes_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char code[TOTP_CODE_SIZE];
        totp_code(secret, vectors[i].seconds / TOTP_STEP_S, code);
        assert_string_equal(code, vectors[i].code);
        assert_int_equal(totp_check(secret, code, at(vectors[i].seconds), -1),
                         vectors[i].seconds / TOTP_STEP_S);
    }
}

static void code_is_taken_one_step_early_or_late(void **state)
{
    (void)state;
    // 1111111109 lies in step 37037036, whose last second it is.
    assert_int_equal(totp_check(secret, "081804", at(1111111109 + 30), -1), 37037036);
    assert_int_equal(totp_check(secret, "081804", at(1111111109 - 30), -1), 37037036);
    assert_int_equal(totp_check(secret, "081804", at(1111111110 + 30), -1), -1);
    assert_int_equal(totp_check(secret, "081804", at(1111111109 - 60), -1), -1);
}

static void code_of_a_step_that_was_used_is_none(void **state)
{
    (void)state;
    assert_int_equal(totp_check(secret, "081804", at(1111111109), 37037035), 37037036);
    assert_int_equal(totp_check(secret, "081804", at(1111111109), 37037036), -1);
    assert_int_equal(totp_check(secret, "081804", at(1111111109), 37037037), -1);
}

static void text_that_is_no_code_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "08180", "0818040", "081805", " 81804", "081804 "};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(totp_check(secret, texts[i], at(1111111109), -1), -1);
}

static void secret_is_base32_for_apps(void **state)
{
    (void)state;
    char text[TOTP_TEXT_SIZE], uri[TOTP_URI_SIZE];
    uint8_t read[TOTP_SECRET_SIZE];
    totp_secret_write(secret, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_true(totp_secret_read(text, read));
    assert_memory_equal(read, secret, sizeof(read));
    totp_uri(secret, "alice", uri);
    assert_string_equal(uri, "otpauth://totp/shoal:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                             "&issuer=shoal");
    assert_false(totp_secret_read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ", read));
    assert_false(totp_secret_read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQA", read));
    assert_false(totp_secret_read("gezdgnbvgy3tqojqgezdgnbvgy3tqojq", read));
    assert_false(totp_secret_read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_the_rfc),
        cmocka_unit_test(code_is_taken_one_step_early_or_late),
        cmocka_unit_test(code_of_a_step_that_was_used_is_none),
        cmocka_unit_test(text_that_is_no_code_is_refused),
        cmocka_unit_test(secret_is_base32_for_apps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
