// Hashes and their check; each costs some 50 ms.
#include "node/api/password.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void hashed_password_is_right_and_another_is_not(void **state)
{
    (void)state;
    struct password_job make = {.fresh = "correct horse battery"};
    password_job_run(&make);
    assert_int_equal(strncmp(make.hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
    assert_true(password_hash_is_ours(make.hash));
    assert_string_equal(make.fresh, ""); // wiped
    struct password_job check = {.old = "correct horse battery"};
    snprintf(check.against, sizeof(check.against), "%s", make.hash);
    password_job_run(&check);
    assert_true(check.is_right);
    assert_string_equal(check.old, "");
    assert_string_equal(check.hash, "");
    snprintf(check.old, sizeof(check.old), "correct horse batterz");
    password_job_run(&check);
    assert_false(check.is_right);
}

static void new_password_is_not_hashed_where_the_old_one_is_wrong(void **state)
{
    (void)state;
    struct password_job job = {.old = "something else", .fresh = "correct horse battery"};
    snprintf(job.against, sizeof(job.against), "%s", password_hash_of_nobody());
    password_job_run(&job);
    assert_false(job.is_right);
    assert_string_equal(job.hash, "");
}

// Else a name that does not exist would be told from one that does by the time of the answer.
static void hash_of_nobody_is_one_of_ours(void **state)
{
    (void)state;
    assert_true(password_hash_is_ours(password_hash_of_nobody()));
}

static void hashes_of_other_kinds_are_not_ours(void **state)
{
    (void)state;
    static const char *const hashes[] = {
        "",
        "x",
        "$argon2i$v=19$m=65536,t=2,p=1$c2hvYWwtbm9ib2R5LTE2YQ$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$c2hvYWwtbm9ib2R5LTE2YQ$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=2,p=1$c2hvYWwtbm9ib2R5LTE2YQ",
        "$argon2id$v=19$m=65536,t=2,p=1$c2hvYWwtbm9ib2R5LTE2YQ$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xff",
        "$argon2id$v=19$m=65536,t=2,p=1$c2hvYWwtbm9ib2R5LTE2YQ$"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
        assert_false(password_hash_is_ours(hashes[i]));
}

static void passwords_have_a_size(void **state)
{
    (void)state;
    char text[PASSWORD_SIZE_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[PASSWORD_SIZE_MAX + 1] = '\0';
    assert_non_null(password_wrong(text));
    text[PASSWORD_SIZE_MAX] = '\0';
    assert_null(password_wrong(text));
    text[PASSWORD_SIZE_MIN] = '\0';
    assert_null(password_wrong(text));
    text[3] = '\n';
    assert_non_null(password_wrong(text));
    assert_non_null(password_wrong("nine byte"));
    assert_non_null(password_wrong(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashed_password_is_right_and_another_is_not),
        cmocka_unit_test(new_password_is_not_hashed_where_the_old_one_is_wrong),
        cmocka_unit_test(hash_of_nobody_is_one_of_ours),
        cmocka_unit_test(hashes_of_other_kinds_are_not_ours),
        cmocka_unit_test(passwords_have_a_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
