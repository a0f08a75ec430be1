#include "testnet/common/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct filled {
    bool loud;
    const char *name;
    uint64_t rate;
    double share;
    const char *colour;
    struct option_list urls;
};

#define FIELD(name) offsetof(struct filled, name)

static const struct option options[] = {
    {.name = "loud", .kind = OPTION_FLAG, .offset = FIELD(loud), .help = "be loud"},
    {.name = "name", .kind = OPTION_TEXT, .offset = FIELD(name), .value_name = "TEXT", .help = "x"},
    {.name = "rate",
     .kind = OPTION_COUNT,
     .offset = FIELD(rate),
     .min = 1,
     .max = 5000000000,
     .fallback = "1.5k",
     .value_name = "N",
     .help = "how fast\nand how often"},
    {.name = "share",
     .kind = OPTION_NUMBER,
     .offset = FIELD(share),
     .min = 0,
     .max = 1,
     .fallback = "0.5",
     .value_name = "X",
     .help = "x"},
    {.name = "colour",
     .kind = OPTION_CHOICE,
     .offset = FIELD(colour),
     .choices = "red|green",
     .fallback = "red",
     .help = "x"},
    {.name = "url", .kind = OPTION_LIST, .offset = FIELD(urls), .value_name = "URL", .help = "x"},
};

static const struct option_set set = {.program = "tool",
                                      .purpose = "Does things.",
                                      .options = options,
                                      .count = sizeof options / sizeof options[0]};

static enum options_result parse(struct filled *filled, char error[OPTIONS_ERROR_SIZE],
                                 const char *a, const char *b, const char *c)
{
    // What is filled in points into the arguments.
    static char copies[4][64];
    memset(copies, 0, sizeof copies);
    memcpy(copies[0], "tool", sizeof "tool");
    char *argv[] = {copies[0], copies[1], copies[2], copies[3], NULL};
    const char *given[] = {a, b, c};
    int argc = 1;
    for (int i = 0; i < 3 && given[i] != NULL; i++)
        strncpy(copies[argc++], given[i], sizeof copies[0] - 1);
    *filled = (struct filled){0};
    error[0] = '\0';
    return options_parse(&set, argc, argv, filled, error);
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct filled filled;
    char error[OPTIONS_ERROR_SIZE];
    assert_int_equal(parse(&filled, error, NULL, NULL, NULL), OPTIONS_OK);
    assert_false(filled.loud);
    assert_null(filled.name);
    assert_int_equal(filled.rate, 1500);
    assert_true(filled.share > 0.49 && filled.share < 0.51);
    assert_string_equal(filled.colour, "red");
    assert_int_equal(filled.urls.count, 0);
}

static void counts_take_suffixes_and_fractions_of_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"1", 1},      {"600", 600},          {"2M", 2000000},
                {"0.5k", 500}, {"1.25G", 1250000000}, {"5G", 5000000000}};
    static const char *const bad[] = {
        "",          "0",       "6G",   "2m",    "-1",  "1.5",
        "k",         "1kk",     "0x10", " 5",    "1e6", "99999999999999999999",
        "20000000T", "1.2345k", ".k",   "1..5k", "nan"};
    struct filled filled;
    char error[OPTIONS_ERROR_SIZE];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(parse(&filled, error, "--rate", good[i].text, NULL), OPTIONS_OK);
        assert_int_equal(filled.rate, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(&filled, error, "--rate", bad[i], NULL), OPTIONS_BAD);
}

static void errors_name_option_value_and_what_would_be_right(void **state)
{
    (void)state;
    struct filled filled;
    char error[OPTIONS_ERROR_SIZE];
    parse(&filled, error, "--rate", "fast", NULL);
    assert_string_equal(error, "--rate fast: wanted a number from 1 to 5000000000, suffixes k, M, "
                               "G, T allowed");
    parse(&filled, error, "--colour=blue", NULL, NULL);
    assert_string_equal(error, "--colour blue: wanted one of red|green");
    parse(&filled, error, "--share", "1.5", NULL);
    assert_string_equal(error, "--share 1.5: wanted a number from 0 to 1");
    parse(&filled, error, "--loud=yes", NULL, NULL);
    assert_string_equal(error, "--loud=yes: takes no value, wanted --loud alone");
    parse(&filled, error, "--name", NULL, NULL);
    assert_string_equal(error, "--name: its value is missing, wanted --name TEXT; `tool --help` "
                               "lists all options");
    parse(&filled, error, "--nme", "x", NULL);
    assert_string_equal(error, "--nme: there is no such option; `tool --help` lists all options");
    parse(&filled, error, "file", NULL, NULL);
    assert_string_equal(error, "file: not an option, wanted --name value; `tool --help` lists all "
                               "options");
}

static void choice_must_be_a_whole_word(void **state)
{
    (void)state;
    struct filled filled;
    char error[OPTIONS_ERROR_SIZE];
    assert_int_equal(parse(&filled, error, "--colour", "re", NULL), OPTIONS_BAD);
    assert_int_equal(parse(&filled, error, "--colour", "red|green", NULL), OPTIONS_BAD);
    assert_int_equal(parse(&filled, error, "--colour", "green", NULL), OPTIONS_OK);
    assert_string_equal(filled.colour, "green");
}

static void lists_keep_their_order_up_to_their_limit(void **state)
{
    (void)state;
    struct filled filled = {0};
    char error[OPTIONS_ERROR_SIZE];
    char program[] = "tool";
    char item[] = "--url=a";
    char *argv[OPTION_LIST_MAX + 2];
    argv[0] = program;
    for (size_t i = 1; i < OPTION_LIST_MAX + 2; i++)
        argv[i] = item;
    assert_int_equal(options_parse(&set, OPTION_LIST_MAX + 1, argv, &filled, error), OPTIONS_OK);
    assert_int_equal(filled.urls.count, OPTION_LIST_MAX);
    filled = (struct filled){0};
    assert_int_equal(options_parse(&set, OPTION_LIST_MAX + 2, argv, &filled, error), OPTIONS_BAD);
    assert_int_equal(parse(&filled, error, "--url=a", "--url", "b"), OPTIONS_OK);
    assert_string_equal(filled.urls.items[0], "a");
    assert_string_equal(filled.urls.items[1], "b");
}

static void help_names_every_option_with_its_default(void **state)
{
    (void)state;
    struct buffer help;
    buffer_init(&help, 10000);
    options_write_help(&set, &help);
    write_u8(&help, 0);
    const char *text = (const char *)help.data;
    for (size_t i = 0; i < set.count; i++)
        assert_non_null(strstr(text, options[i].name));
    assert_non_null(strstr(text, "--rate N (default 1.5k)\n        how fast\n        and how"));
    assert_non_null(strstr(text, "--colour red|green (default red)"));
    buffer_clear(&help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(counts_take_suffixes_and_fractions_of_them),
        cmocka_unit_test(errors_name_option_value_and_what_would_be_right),
        cmocka_unit_test(choice_must_be_a_whole_word),
        cmocka_unit_test(lists_keep_their_order_up_to_their_limit),
        cmocka_unit_test(help_names_every_option_with_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
