#include "node/bitcoin/chain_params.h"

#include "tests/unit/node/bitcoin/support.h"

static void rows_are_found_by_their_names_and_codes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned code;
    } chains[] = {{"bitcoin", 1},         {"testnet4", 2},          {"regtest", 4},
                  {"litecoin", 17},       {"litecoin-regtest", 20}, {"devchain", 64},
                  {"devchain-scrypt", 80}};
    for (size_t i = 0; i < 7; i++) {
        const struct chain_params *row = chain_params_row(i);
        assert_non_null(row);
        assert_string_equal(row->name, chains[i].name);
        assert_int_equal(row->code, chains[i].code);
        assert_ptr_equal(chain_params_by_name(chains[i].name), row);
        assert_ptr_equal(chain_params_by_code(chains[i].code), row);
    }
    assert_null(chain_params_row(7));
}

static void unknown_names_and_codes_find_nothing(void **state)
{
    (void)state;
    assert_null(chain_params_by_name(""));
    assert_null(chain_params_by_name("Bitcoin"));
    assert_null(chain_params_by_name("bitcoin "));
    assert_null(chain_params_by_name("testnet3"));
    assert_null(chain_params_by_code(0));
    assert_null(chain_params_by_code(3));
    assert_null(chain_params_by_code(64 + 256));
}

static void every_row_names_a_daemon_and_a_chain_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; chain_params_row(i) != NULL; i++) {
        const struct chain_params *row = chain_params_row(i);
        assert_non_null(row->daemon_name);
        assert_non_null(row->bech32_prefix);
        assert_non_null(row->rpc_chain_names[0]);
        assert_null(row->rpc_chain_names[3]);
        assert_true(row->rpc_port != 0 && row->spacing != 0);
        assert_int_equal(row->bits_limit == 0, row->bits_rule == BITS_OF_ANCHOR);
    }
}

static uint32_t retarget(const char *chain, uint32_t bits, int64_t first_time, int64_t last_time)
{
    return chain_retarget_bits(chain_params_by_name(chain), bits, first_time, last_time);
}

static void retargets_of_bitcoins_history_are_met(void **state)
{
    (void)state;
    // Blocks 32256 (the first change), 2016 (held by the limit), 68544 (the largest rise).
    assert_int_equal(retarget("bitcoin", 0x1d00ffff, 1261130161, 1262152739), 0x1d00d86a);
    assert_int_equal(retarget("bitcoin", 0x1d00ffff, 1231006505, 1233061996), 0x1d00ffff);
    assert_int_equal(retarget("bitcoin", 0x1c05a3f4, 1279008237, 1279297671), 0x1c0168fd);
    assert_int_equal(retarget("testnet4", 0x1c387f6f, 1263163443, 1269211443), 0x1d00e1fd);
}

static void timespan_is_clamped_to_a_quarter_and_four_times(void **state)
{
    (void)state;
    int64_t timespan = 2016 * 600;
    uint32_t easier = retarget("bitcoin", 0x1b0404cb, 0, timespan * 4);
    uint32_t harder = retarget("bitcoin", 0x1b0404cb, 0, timespan / 4);
    assert_int_equal(easier, 0x1b10132c);
    assert_int_equal(harder, 0x1b010132);
    assert_int_equal(retarget("bitcoin", 0x1b0404cb, 0, timespan * 4 + 1), easier);
    assert_int_equal(retarget("bitcoin", 0x1b0404cb, 0, UINT32_MAX), easier);
    assert_int_equal(retarget("bitcoin", 0x1b0404cb, 0, timespan / 4 - 1), harder);
    assert_int_equal(retarget("bitcoin", 0x1b0404cb, UINT32_MAX, 0), harder);
    assert_int_not_equal(retarget("bitcoin", 0x1b0404cb, 0, timespan * 4 - 700), easier);
}

static void litecoin_retargets_whose_product_needs_257_bits(void **state)
{
    (void)state;
    int64_t timespan = 2016 * 150;
    assert_int_equal(retarget("litecoin", 0x1e0fffff, 0, timespan), 0x1e0fffff);
    // Products of 257 bits, which cut to 256 would give 1e08850c and 1e0884fc.
    assert_int_equal(retarget("litecoin", 0x1e0fffff, 0, timespan * 4), 0x1e0fffff);
    assert_int_equal(retarget("litecoin", 0x1e0ffffb, 0, timespan * 4), 0x1e0fffff);
    assert_int_equal(retarget("litecoin", 0x1e0fffff, 1500000000, 1500302097), 0x1e0ffbe4);
    assert_int_equal(retarget("litecoin", 0x1e055555, 1500000000, 1500302097), 0x1e0553f6);
    assert_int_equal(retarget("litecoin", 0x1e055555, 0, timespan / 4), 0x1e015555);
}

static void subsidy_halves_until_nothing_is_left(void **state)
{
    (void)state;
    const struct chain_params *bitcoin = chain_params_by_name("bitcoin");
    const struct chain_params *litecoin = chain_params_by_name("litecoin");
    const struct chain_params *regtest = chain_params_by_name("regtest");
    assert_int_equal(chain_subsidy(bitcoin, 0), 5000000000);
    assert_int_equal(chain_subsidy(bitcoin, 209999), 5000000000);
    assert_int_equal(chain_subsidy(bitcoin, 840000), 312500000);
    assert_int_equal(chain_subsidy(bitcoin, 6720000), 1);
    assert_int_equal(chain_subsidy(bitcoin, 6930000), 0);
    assert_int_equal(chain_subsidy(litecoin, 839999), 5000000000);
    assert_int_equal(chain_subsidy(litecoin, 840000), 2500000000);
    assert_int_equal(chain_subsidy(regtest, 150), 2500000000);
    // A shift by 64 and more would be the whole subsidy again on many processors.
    assert_int_equal(chain_subsidy(bitcoin, 64 * 210000), 0);
    assert_int_equal(chain_subsidy(bitcoin, INT64_MAX), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_by_their_names_and_codes),
        cmocka_unit_test(unknown_names_and_codes_find_nothing),
        cmocka_unit_test(every_row_names_a_daemon_and_a_chain_of_it),
        cmocka_unit_test(retargets_of_bitcoins_history_are_met),
        cmocka_unit_test(timespan_is_clamped_to_a_quarter_and_four_times),
        cmocka_unit_test(litecoin_retargets_whose_product_needs_257_bits),
        cmocka_unit_test(subsidy_halves_until_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
