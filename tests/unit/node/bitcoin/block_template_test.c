#include "node/bitcoin/block_template.h"

#include "tests/unit/node/bitcoin/support.h"
#include "tests/unit/node/bitcoin/template_source.h"

static void fields_and_transactions_are_taken_over(void **state)
{
    (void)state;
    struct source source = usual();
    struct block_template *made = parse_good(&source);
    struct hash256 prev = shown_hash(PREV);
    assert_int_equal(made->height, 2);
    assert_hash_equal(&made->prev, &prev);
    assert_int_equal(made->version, 0x20000000);
    assert_int_equal(made->bits, 0x1d00ffff);
    assert_int_equal(made->time, 1700000600);
    assert_int_equal(made->min_time, 1700000001);
    assert_int_equal(made->coinbase_value, 5000001000);
    assert_string_equal(made->longpoll_id, PREV "17");
    assert_int_equal(made->txs_count, 2);
    assert_int_equal(made->txs_dropped, 0);
    assert_null(made->mweb);
    struct hash256 txid = shown_hash(BIP143_TXID);
    assert_hash_equal(&made->txs[1].txid, &txid);
    assert_int_equal(made->txs[1].weight, SECOND_WEIGHT);
    assert_int_equal(made->txs[0].weight, FIRST_WEIGHT);
    assert_int_equal(made->txs[1].fee, 300);
    assert_int_equal(made->txs[1].sigops, 5);
    block_template_release(made);
}

static void branch_and_commitment_are_over_the_transactions(void **state)
{
    (void)state;
    struct source source = usual();
    struct block_template *made = parse_good(&source);
    struct hash256 commitment = wire_hash(COMMITMENT_TWO);
    assert_true(made->has_witness);
    assert_hash_equal(&made->witness_commitment, &commitment);
    struct hash256 leaves[3] = {shown_hash(BLOCK_1_COINBASE_TXID), shown_hash(FIRST_PAYMENT_TXID),
                                shown_hash(BIP143_TXID)};
    struct hash256 expected;
    struct hash256 root;
    merkle_root(leaves, 3, &expected);
    merkle_branch_root(&made->branch, &leaves[0], &root);
    assert_hash_equal(&root, &expected);
    block_template_release(made);
}

static void empty_block_has_no_branch(void **state)
{
    (void)state;
    struct source source = usual();
    source.transactions = "[]";
    source.coinbasevalue = "5000000000";
    source.default_witness_commitment = "'" HEAD COMMITMENT_NONE "'";
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 0);
    assert_int_equal(made->branch.count, 0);
    assert_true(made->has_witness);
    block_template_release(made);
}

static bool has_witness(const char *rules, const char *commitment, const char *transactions)
{
    struct source source = usual();
    source.rules = rules;
    source.default_witness_commitment = commitment;
    source.transactions = transactions;
    struct block_template *made = parse_good(&source);
    bool answer = made->has_witness;
    block_template_release(made);
    return answer;
}

static void commitment_is_due_when_segwit_is_active(void **state)
{
    (void)state;
    const char *one_tx = LIST_1(FIRST("'depends':[],'fee':1000,'sigops':8"));
    const char *commitment = "'" HEAD COMMITMENT_ONE "'";
    assert_true(has_witness("['!segwit']", commitment, one_tx));
    assert_true(has_witness("['segwit']", commitment, one_tx));
    assert_true(has_witness(NULL, commitment, one_tx));
    assert_true(has_witness("null", commitment, one_tx));
    // bcoin sends a commitment before the rule is active; a block with a witness is invalid then.
    assert_false(has_witness("['csv']", commitment, one_tx));
    assert_false(has_witness("[]", commitment, one_tx));
    assert_false(has_witness("['!segwit']", NULL, one_tx));
    assert_false(has_witness(NULL, NULL, one_tx));
    // Without one no block with witnesses is valid.
    assert_true(has_witness("['!segwit']", NULL, TWO_TXS));
    assert_true(has_witness(NULL, "null", TWO_TXS));
}

static void daemon_that_commits_to_something_else_is_refused(void **state)
{
    (void)state;
    struct source source = usual();
    source.default_witness_commitment = "'" HEAD COMMITMENT_ONE "'";
    assert_refused(&source, TEMPLATE_MALFORMED, "default_witness_commitment");
    source.default_witness_commitment = "'6a24aa21a9ee" COMMITMENT_TWO "'";
    assert_refused(&source, TEMPLATE_MALFORMED, "default_witness_commitment");
    source.default_witness_commitment = "'" COMMITMENT_TWO "'";
    assert_refused(&source, TEMPLATE_MALFORMED, "default_witness_commitment");
}

static void set_member(struct source *source, size_t offset, const char *value)
{
    memcpy((char *)source + offset, &value, sizeof value);
}

// Replaces one member of the usual template by each of the values, NULL at their end.
static void assert_refused_values(size_t member_offset, const char *field,
                                  const char *const *values)
{
    for (; *values != NULL; values++) {
        struct source source = usual();
        set_member(&source, member_offset, *values);
        assert_refused(&source, TEMPLATE_MALFORMED, field);
    }
}

#define ASSERT_REFUSED(member, ...)                                                                \
    assert_refused_values(offsetof(struct source, member), #member,                                \
                          (const char *const[]){__VA_ARGS__, NULL})

static void malformed_fields_are_refused_by_name(void **state)
{
    (void)state;
    ASSERT_REFUSED(version, "null", "'1'", "4294967296", "-2147483649", "1.5");
    ASSERT_REFUSED(previousblockhash, "null", "1", "''", "'" PREV "0'", "'0x" PREV "'");
    ASSERT_REFUSED(bits, "null", "486604799", "'1d00fff'", "'1d00ffff0'", "'00000000'",
                   "'1d80ffff'", "'ff00ffff'");
    ASSERT_REFUSED(curtime, "null", "'1'", "-1", "4294967296");
    ASSERT_REFUSED(height, "null", "0", "-1", "4294967296", "'2'");
    ASSERT_REFUSED(coinbasevalue, "null", "-1", "9007199254740993", "18446744073709551616", "50.0",
                   "'5000000000'");
    ASSERT_REFUSED(rules, "1", "'segwit'", "[1]", "{}");
    ASSERT_REFUSED(sigoplimit, "'80000'", "-1", "[]");
    ASSERT_REFUSED(weightlimit, "'4000000'", "-1", "1e6");
    ASSERT_REFUSED(transactions, "null", "{}", "''");
}

static void curtime_before_mintime_is_refused(void **state)
{
    (void)state;
    struct source source = usual();
    source.mintime = "1700000601";
    assert_refused(&source, TEMPLATE_MALFORMED, "mintime");
    source.mintime = "1700000600";
    block_template_release(parse_good(&source));
}

static void missing_fields_are_refused_but_for_the_optional_ones(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        bool is_optional;
    } members[] = {
        {offsetof(struct source, version), false},
        {offsetof(struct source, previousblockhash), false},
        {offsetof(struct source, bits), false},
        {offsetof(struct source, curtime), false},
        {offsetof(struct source, height), false},
        {offsetof(struct source, coinbasevalue), false},
        {offsetof(struct source, transactions), false},
        {offsetof(struct source, mintime), true},
        {offsetof(struct source, rules), true},
        {offsetof(struct source, default_witness_commitment), true},
        {offsetof(struct source, sigoplimit), true},
        {offsetof(struct source, weightlimit), true},
        {offsetof(struct source, longpollid), true},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct source source = usual();
        struct block_template *made;
        const char *field;
        set_member(&source, members[i].offset, NULL);
        assert_int_equal(parse(&source, &made, &field),
                         members[i].is_optional ? TEMPLATE_OK : TEMPLATE_MALFORMED);
        block_template_release(made);
    }
}

static void results_that_are_no_objects_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"null", "[]", "'busy'", "1"};
    static const struct coinbase_needs needs = {.weight = 1000, .sigops = 8};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json *json = json_parse(texts[i], strlen(texts[i]), 10);
        struct block_template *made;
        const char *field;
        assert_int_equal(block_template_parse(chain_params_by_name("bitcoin"), json_root(json),
                                              &needs, &made, &field),
                         TEMPLATE_MALFORMED);
        assert_string_equal(field, "result");
        json_free(json);
    }
}

static void absent_mintime_and_longpollid_have_safe_values(void **state)
{
    (void)state;
    struct source source = usual();
    source.mintime = NULL;
    source.longpollid = NULL;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->min_time, made->time);
    assert_string_equal(made->longpoll_id, "");
    block_template_release(made);
    char id[302];
    memset(id, 'x', sizeof id);
    id[0] = '"';
    id[300] = '"';
    id[301] = '\0';
    source.longpollid = id;
    made = parse_good(&source);
    assert_string_equal(made->longpoll_id, "");
    block_template_release(made);
}

static void negative_and_unsigned_versions_mean_the_same_bits(void **state)
{
    (void)state;
    struct source source = usual();
    source.version = "-536870912";
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->version, 0xe0000000);
    block_template_release(made);
    source.version = "3758096384";
    made = parse_good(&source);
    assert_int_equal(made->version, 0xe0000000);
    block_template_release(made);
}

static void rules_that_must_be_known_and_are_not_stop_the_work(void **state)
{
    (void)state;
    struct source source = usual();
    source.rules = "['!segwit','!signet']";
    assert_refused(&source, TEMPLATE_RULES_UNKNOWN, "rules");
    source.rules = "['!segwit','!']";
    assert_refused(&source, TEMPLATE_RULES_UNKNOWN, "rules");
    source.rules = "['!segwitt']";
    assert_refused(&source, TEMPLATE_RULES_UNKNOWN, "rules");
    source.rules = "['!segwit','signet','','a-rule-with-a-very-long-name-that-means-nothing']";
    block_template_release(parse_good(&source));
}

static void value_below_the_subsidy_is_another_chains(void **state)
{
    (void)state;
    struct source source = usual();
    source.coinbasevalue = "4999999999";
    assert_refused(&source, TEMPLATE_COINBASE_LOW, "coinbasevalue");
    source.coinbasevalue = "5000000000";
    block_template_release(parse_good(&source));
    source.height = "840000";
    source.coinbasevalue = "312500000";
    block_template_release(parse_good(&source));
    source.coinbasevalue = "9007199254740992";
    block_template_release(parse_good(&source));
}

static void template_lives_until_its_last_reference_is_released(void **state)
{
    (void)state;
    struct source source = usual();
    struct block_template *made = parse_good(&source);
    assert_ptr_equal(block_template_hold(made), made);
    block_template_release(made);
    assert_int_equal(made->txs_count, 2);
    struct hash256 txid = shown_hash(FIRST_PAYMENT_TXID);
    uint8_t bytes[300];
    size_t size = unhex(FIRST_PAYMENT, bytes, sizeof bytes);
    assert_hash_equal(&made->txs[0].txid, &txid);
    assert_memory_equal(made->txs[0].data, bytes, size);
    block_template_release(made);
    block_template_release(NULL);
}

static void every_result_has_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (int i = TEMPLATE_OK; i <= TEMPLATE_OUT_OF_MEMORY; i++) {
        for (int j = TEMPLATE_OK; j < i; j++)
            assert_string_not_equal(template_result_text((enum template_result)i),
                                    template_result_text((enum template_result)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_and_transactions_are_taken_over),
        cmocka_unit_test(branch_and_commitment_are_over_the_transactions),
        cmocka_unit_test(empty_block_has_no_branch),
        cmocka_unit_test(commitment_is_due_when_segwit_is_active),
        cmocka_unit_test(daemon_that_commits_to_something_else_is_refused),
        cmocka_unit_test(malformed_fields_are_refused_by_name),
        cmocka_unit_test(curtime_before_mintime_is_refused),
        cmocka_unit_test(missing_fields_are_refused_but_for_the_optional_ones),
        cmocka_unit_test(results_that_are_no_objects_are_refused),
        cmocka_unit_test(absent_mintime_and_longpollid_have_safe_values),
        cmocka_unit_test(negative_and_unsigned_versions_mean_the_same_bits),
        cmocka_unit_test(rules_that_must_be_known_and_are_not_stop_the_work),
        cmocka_unit_test(value_below_the_subsidy_is_another_chains),
        cmocka_unit_test(template_lives_until_its_last_reference_is_released),
        cmocka_unit_test(every_result_has_a_sentence_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
