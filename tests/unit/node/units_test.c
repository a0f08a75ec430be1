#include "node/units.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void hashrate_has_three_digits_and_a_prefix(void **state)
{
    static const struct {
        double rate;
        const char *text;
    } cases[] = {
        {1, "1 H/s"},
        {999, "999 H/s"},
        {999.6, "1.00 kH/s"},
        {1000, "1.00 kH/s"},
        {12345, "12.3 kH/s"},
        {123456, "123 kH/s"},
        {9.996e6, "10.0 MH/s"},
        {99.96e6, "100 MH/s"},
        {999.4e6, "999 MH/s"},
        {1.5e12, "1.50 TH/s"},
        {5e20, "500 EH/s"},
        {0.25, "0.25 H/s"},
        {0, "-"},
        {-1, "-"},
        {NAN, "-"},
        {INFINITY, "-"},
        {1.5, "1.50 H/s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[UNITS_TEXT_SIZE];
        units_hashrate(cases[i].rate, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void count_has_no_unit(void **state)
{
    char text[UNITS_TEXT_SIZE];
    (void)state;
    units_count(0, text);
    assert_string_equal(text, "0");
    units_count(6.98e-7, text);
    assert_string_equal(text, "6.98e-07");
    units_count(65536, text);
    assert_string_equal(text, "65.5k");
}

static void time_is_told_by_its_two_largest_units(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {-3, "0 s"},           {0, "0 s"},          {59, "59 s"},           {60, "1 min"},
        {3599, "59 min"},      {3600, "1 h 0 min"}, {86399, "23 h 59 min"}, {86400, "1 d 0 h"},
        {1000000, "11 d 13 h"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[UNITS_TEXT_SIZE];
        units_duration(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void moment_is_told_from_now(void **state)
{
    char text[UNITS_TEXT_SIZE];
    (void)state;
    units_ago(1000, 940, text);
    assert_string_equal(text, "1 min ago");
    units_ago(1000, 1005, text);
    assert_string_equal(text, "in 5 s");
    units_ago(1000, 0, text);
    assert_string_equal(text, "never");
}

static void coins_have_all_eight_digits(void **state)
{
    char text[UNITS_TEXT_SIZE];
    (void)state;
    units_coins(0, text);
    assert_string_equal(text, "0.00000000");
    units_coins(1, text);
    assert_string_equal(text, "0.00000001");
    units_coins(312500000, text);
    assert_string_equal(text, "3.12500000");
    units_coins(UINT64_MAX, text);
    assert_string_equal(text, "184467440737.09551615");
}

static void hashrate_is_read_with_and_without_prefix(void **state)
{
    static const struct {
        const char *text;
        double rate;
    } cases[] = {{"500", 500},    {"1.5T", 1.5e12}, {"200 GH/s", 2e11}, {"2e12", 2e12},
                 {"7kH/s", 7000}, {"7K", 7000},     {"3E", 3e18},       {"1 H/s", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double rate;
        assert_true(units_parse_hashrate(cases[i].text, &rate));
        assert_true(fabs(rate / cases[i].rate - 1) < 1e-12);
    }
}

static void what_is_no_hashrate_is_refused(void **state)
{
    static const char *const texts[] = {"",    "T",   "0",     "-5T",  "1.5X", "1.5 T H/s x",
                                        "nan", "inf", "1e400", "0x10", " 5",   "5TB"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double rate;
        if (units_parse_hashrate(texts[i], &rate))
            fail_msg("\"%s\" was taken as %g", texts[i], rate);
    }
}

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"45", 45},     {"45s", 45},      {"30m", 1800},
                 {"12h", 43200}, {"90d", 7776000}, {"3650d", 315360000}};
    static const char *const wrong[] = {"",    "d",   "0",    "0d",    "-1",         "5y",
                                        "1dd", "1 d", "1.5h", "3651d", "9999999999", "1D"};
    (void)state;
    int64_t seconds;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(units_parse_duration(cases[i].text, &seconds));
        assert_int_equal(seconds, cases[i].seconds);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (units_parse_duration(wrong[i], &seconds))
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashrate_has_three_digits_and_a_prefix),
        cmocka_unit_test(count_has_no_unit),
        cmocka_unit_test(time_is_told_by_its_two_largest_units),
        cmocka_unit_test(moment_is_told_from_now),
        cmocka_unit_test(coins_have_all_eight_digits),
        cmocka_unit_test(hashrate_is_read_with_and_without_prefix),
        cmocka_unit_test(what_is_no_hashrate_is_refused),
        cmocka_unit_test(durations_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
