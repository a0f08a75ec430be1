#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/token.h"
#include "tests/unit/sharechain/seeded.h"

struct rig {
    struct seeded seeded;
    struct env env;
    struct token_keys keys;
    struct address address;
};

static struct rig make_rig(void)
{
    static const uint8_t ipv4[4] = {192, 0, 2, 1};
    struct rig rig = {.seeded = {1}, .address = address_ipv4(ipv4)};
    rig.env = seeded_env(&rig.seeded);
    token_keys_init(&rig.keys, &rig.env, (struct mono_time){0});
    return rig;
}

static void rotate(struct rig *rig, int64_t ms)
{
    rig->env.context = &rig->seeded;
    token_keys_rotate(&rig->keys, &rig->env, (struct mono_time){ms});
}

static void token_holds_for_its_own_address_only(void **state)
{
    (void)state;
    struct rig rig = make_rig();
    struct address other = rig.address;
    uint64_t token = token_make(&rig.keys, &rig.address);
    assert_true(token_is_valid(&rig.keys, &rig.address, token));
    other.bytes[3] ^= 1;
    assert_false(token_is_valid(&rig.keys, &other, token));
    assert_false(token_is_valid(&rig.keys, &rig.address, token ^ 1));
    assert_false(token_is_valid(&rig.keys, &rig.address, TOKEN_NONE));
    other = rig.address;
    other.family = ADDRESS_IPV6;
    assert_false(token_is_valid(&rig.keys, &other, token));
    seeded_env_clear(&rig.env);
}

static void token_holds_for_one_rotation_and_not_for_two(void **state)
{
    (void)state;
    struct rig rig = make_rig();
    uint64_t token = token_make(&rig.keys, &rig.address);
    rotate(&rig, TOKEN_PERIOD_MS - 1);
    assert_int_equal(token_make(&rig.keys, &rig.address), token);
    rotate(&rig, TOKEN_PERIOD_MS);
    assert_int_not_equal(token_make(&rig.keys, &rig.address), token);
    assert_true(token_is_valid(&rig.keys, &rig.address, token));
    rotate(&rig, 2 * TOKEN_PERIOD_MS);
    assert_false(token_is_valid(&rig.keys, &rig.address, token));
    seeded_env_clear(&rig.env);
}

static void long_sleep_ends_all_tokens(void **state)
{
    (void)state;
    struct rig rig = make_rig();
    uint64_t token = token_make(&rig.keys, &rig.address);
    rotate(&rig, 2 * TOKEN_PERIOD_MS);
    assert_false(token_is_valid(&rig.keys, &rig.address, token));
    seeded_env_clear(&rig.env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_holds_for_its_own_address_only),
        cmocka_unit_test(token_holds_for_one_rotation_and_not_for_two),
        cmocka_unit_test(long_sleep_ends_all_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
