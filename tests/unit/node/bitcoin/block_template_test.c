#include "node/bitcoin/block_template.h"

#include "tests/unit/node/bitcoin/support.h"
#include "node/base/bytes.h"
#include "node/bitcoin/coinbase.h"
#include "node/bitcoin/tx.h"
#include "node/pow/sha256.h"

#define PREV "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"

// Commitments by an independent implementation over no transaction, FIRST_PAYMENT, and that with
// BIP143_TX.
#define COMMITMENT_NONE "e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
#define COMMITMENT_ONE  "6f66d7b6c928a3642da1b03267e90dba696c8a34c2cd4eb4c19d940d33d1e55d"
#define COMMITMENT_TWO  "70beb2b1ee49ee5c084aa82273d192eb420dadafc846433d76ea0a149b5176e8"
#define HEAD            "6a24aa21a9ed"

#define FIRST(more)  "{\"data\":\"" FIRST_PAYMENT "\",\"txid\":\"" FIRST_PAYMENT_TXID "\"," more "}"
#define SECOND(more) "{\"data\":\"" BIP143_TX "\",\"txid\":\"" BIP143_TXID "\"," more "}"
#define HOGEX(more)  "{\"data\":\"" HOGEX_TX "\",\"txid\":\"" HOGEX_TXID "\"," more "}"
#define TWO_TXS                                                                                    \
    "[" FIRST("\"depends\":[],\"fee\":700,\"sigops\":8") "," SECOND(                               \
        "\"depends\":[1],\"fee\":300,\"sigops\":5") "]"

// Weight of an empty block but for the coinbase: header and count.
#define FRAME_WEIGHT  324
#define FIRST_WEIGHT  1100
#define SECOND_WEIGHT 1042

// The members of a template as JSON text; NULL leaves one out.
struct source {
    const char *chain;
    const char *version;
    const char *previousblockhash;
    const char *bits;
    const char *curtime;
    const char *mintime;
    const char *height;
    const char *coinbasevalue;
    const char *rules;
    const char *default_witness_commitment;
    const char *transactions;
    const char *sigoplimit;
    const char *weightlimit;
    const char *longpollid;
    const char *mweb;
    uint32_t coinbase_weight;
    uint32_t coinbase_sigops;
};

// As Bitcoin Core writes them, with two transactions that pay 1000.
static struct source usual(void)
{
    return (struct source){
        .chain = "bitcoin",
        .version = "536870912",
        .previousblockhash = "\"" PREV "\"",
        .bits = "\"1d00ffff\"",
        .curtime = "1700000600",
        .mintime = "1700000001",
        .height = "2",
        .coinbasevalue = "5000001000",
        .rules = "[\"csv\",\"!segwit\",\"taproot\"]",
        .default_witness_commitment = "\"" HEAD COMMITMENT_TWO "\"",
        .transactions = TWO_TXS,
        .sigoplimit = "80000",
        .weightlimit = "4000000",
        .longpollid = "\"" PREV "17\"",
        .coinbase_weight = 1000,
        .coinbase_sigops = 8,
    };
}

static void write_member(struct buffer *text, const char *name, const char *value)
{
    if (value != NULL)
        write_format(text, "%s\"%s\":%s", text->size > 1 ? "," : "", name, value);
}

static void write_source(const struct source *source, struct buffer *text)
{
    buffer_init(text, 1u << 20);
    write_text(text, "{");
    write_member(text, "version", source->version);
    write_member(text, "previousblockhash", source->previousblockhash);
    write_member(text, "bits", source->bits);
    write_member(text, "curtime", source->curtime);
    write_member(text, "mintime", source->mintime);
    write_member(text, "height", source->height);
    write_member(text, "coinbasevalue", source->coinbasevalue);
    write_member(text, "rules", source->rules);
    write_member(text, "default_witness_commitment", source->default_witness_commitment);
    write_member(text, "transactions", source->transactions);
    write_member(text, "sigoplimit", source->sigoplimit);
    write_member(text, "weightlimit", source->weightlimit);
    write_member(text, "longpollid", source->longpollid);
    write_member(text, "mweb", source->mweb);
    write_text(text, "}");
    assert_false(text->failed);
}

static enum template_result parse(const struct source *source, struct block_template **made,
                                  const char **field)
{
    struct buffer text;
    write_source(source, &text);
    struct json *json = json_parse((const char *)text.data, text.size, 100000);
    assert_non_null(json);
    enum template_result result =
        block_template_parse(chain_params_by_name(source->chain), json_root(json),
                             source->coinbase_weight, source->coinbase_sigops, made, field);
    // Nothing of the text is needed afterwards.
    json_free(json);
    memset(text.data, '?', text.size);
    buffer_clear(&text);
    return result;
}

static struct block_template *parse_good(const struct source *source)
{
    struct block_template *made;
    const char *field;
    enum template_result result = parse(source, &made, &field);
    if (result != TEMPLATE_OK)
        fail_msg("%s (%s)", template_result_text(result), field);
    return made;
}

static void assert_refused(const struct source *source, enum template_result expected,
                           const char *expected_field)
{
    struct block_template *made;
    const char *field;
    assert_int_equal(parse(source, &made, &field), expected);
    assert_null(made);
    assert_string_equal(field, expected_field);
}

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
    source.default_witness_commitment = "\"" HEAD COMMITMENT_NONE "\"";
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
    const char *one_tx = "[" FIRST("\"depends\":[],\"fee\":1000,\"sigops\":8") "]";
    const char *commitment = "\"" HEAD COMMITMENT_ONE "\"";
    assert_true(has_witness("[\"!segwit\"]", commitment, one_tx));
    assert_true(has_witness("[\"segwit\"]", commitment, one_tx));
    assert_true(has_witness(NULL, commitment, one_tx));
    assert_true(has_witness("null", commitment, one_tx));
    // bcoin sends a commitment before the rule is active; a block with a witness is invalid then.
    assert_false(has_witness("[\"csv\"]", commitment, one_tx));
    assert_false(has_witness("[]", commitment, one_tx));
    assert_false(has_witness("[\"!segwit\"]", NULL, one_tx));
    assert_false(has_witness(NULL, NULL, one_tx));
    // Without one no block with witnesses is valid.
    assert_true(has_witness("[\"!segwit\"]", NULL, TWO_TXS));
    assert_true(has_witness(NULL, "null", TWO_TXS));
}

static void daemon_that_commits_to_something_else_is_refused(void **state)
{
    (void)state;
    struct source source = usual();
    source.default_witness_commitment = "\"" HEAD COMMITMENT_ONE "\"";
    assert_refused(&source, TEMPLATE_MALFORMED, "default_witness_commitment");
    source.default_witness_commitment = "\"6a24aa21a9ee" COMMITMENT_TWO "\"";
    assert_refused(&source, TEMPLATE_MALFORMED, "default_witness_commitment");
    source.default_witness_commitment = "\"" COMMITMENT_TWO "\"";
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
    ASSERT_REFUSED(version, "null", "\"1\"", "4294967296", "-2147483649", "1.5");
    ASSERT_REFUSED(previousblockhash, "null", "1", "\"\"", "\"" PREV "0\"", "\"0x" PREV "\"");
    ASSERT_REFUSED(bits, "null", "486604799", "\"1d00fff\"", "\"1d00ffff0\"", "\"00000000\"",
                   "\"1d80ffff\"", "\"ff00ffff\"");
    ASSERT_REFUSED(curtime, "null", "\"1\"", "-1", "4294967296");
    ASSERT_REFUSED(height, "null", "0", "-1", "4294967296", "\"2\"");
    ASSERT_REFUSED(coinbasevalue, "null", "-1", "9007199254740993", "18446744073709551616", "50.0",
                   "\"5000000000\"");
    ASSERT_REFUSED(rules, "1", "\"segwit\"", "[1]", "{}");
    ASSERT_REFUSED(sigoplimit, "\"80000\"", "-1", "[]");
    ASSERT_REFUSED(weightlimit, "\"4000000\"", "-1", "1e6");
    ASSERT_REFUSED(transactions, "null", "{}", "\"\"");
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
    static const char *const texts[] = {"null", "[]", "\"busy\"", "1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct json *json = json_parse(texts[i], strlen(texts[i]), 10);
        struct block_template *made;
        const char *field;
        assert_int_equal(block_template_parse(chain_params_by_name("bitcoin"), json_root(json),
                                              1000, 8, &made, &field),
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
    source.rules = "[\"!segwit\",\"!signet\"]";
    assert_refused(&source, TEMPLATE_RULES_UNKNOWN, "rules");
    source.rules = "[\"!segwit\",\"!\"]";
    assert_refused(&source, TEMPLATE_RULES_UNKNOWN, "rules");
    source.rules = "[\"!segwitt\"]";
    assert_refused(&source, TEMPLATE_RULES_UNKNOWN, "rules");
    source.rules =
        "[\"!segwit\",\"signet\",\"\",\"a-rule-with-a-very-long-name-that-means-nothing\"]";
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

static void tight_weight_drops_the_last_transaction_and_its_fee(void **state)
{
    (void)state;
    struct source source = usual();
    source.coinbase_weight = 4000000 - FRAME_WEIGHT - FIRST_WEIGHT - SECOND_WEIGHT;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 0);
    block_template_release(made);

    source.coinbase_weight++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    assert_int_equal(made->txs_count, 1);
    assert_int_equal(made->coinbase_value, 5000000700);
    // The daemon's commitment is over both; ours over what is left.
    struct hash256 commitment = wire_hash(COMMITMENT_ONE);
    assert_hash_equal(&made->witness_commitment, &commitment);
    assert_true(made->has_witness);
    struct hash256 txid = shown_hash(FIRST_PAYMENT_TXID);
    assert_int_equal(made->branch.count, 1);
    assert_hash_equal(&made->branch.hashes[0], &txid);
    block_template_release(made);
}

static void tight_sigops_drop_what_has_them_and_its_dependants(void **state)
{
    (void)state;
    struct source source = usual();
    source.transactions = "[" FIRST("\"depends\":[],\"fee\":700,\"sigops\":8") "," SECOND(
        "\"depends\":[1],\"fee\":300,\"sigops\":0") "]";
    source.coinbase_sigops = 80000 - 8;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 0);
    block_template_release(made);
    source.coinbase_sigops++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 2);
    assert_int_equal(made->coinbase_value, 5000000000);
    block_template_release(made);
    // Without the dependence only the one with sigops goes.
    source.transactions = "[" FIRST("\"depends\":[],\"fee\":700,\"sigops\":8") "," SECOND(
        "\"depends\":[],\"fee\":300,\"sigops\":0") "]";
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    struct hash256 txid = shown_hash(BIP143_TXID);
    assert_hash_equal(&made->txs[0].txid, &txid);
    assert_int_equal(made->coinbase_value, 5000000300);
    block_template_release(made);
}

static void limits_of_consensus_hold_where_none_are_named(void **state)
{
    (void)state;
    struct source source = usual();
    source.weightlimit = NULL;
    source.sigoplimit = "null";
    source.coinbase_weight = 4000000 - FRAME_WEIGHT - FIRST_WEIGHT - SECOND_WEIGHT;
    source.coinbase_sigops = 80000 - 13;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 0);
    block_template_release(made);
    source.coinbase_sigops++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    block_template_release(made);
    source.coinbase_sigops--;
    source.coinbase_weight++;
    made = parse_good(&source);
    assert_int_equal(made->txs_dropped, 1);
    block_template_release(made);
}

static void coinbase_that_fits_no_block_is_refused(void **state)
{
    (void)state;
    struct source source = usual();
    source.coinbase_weight = 4000000 - FRAME_WEIGHT;
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 0);
    assert_int_equal(made->coinbase_value, 5000000000);
    block_template_release(made);
    source.coinbase_weight++;
    assert_refused(&source, TEMPLATE_TOO_LARGE, "weightlimit");
    source = usual();
    source.coinbase_sigops = 80001;
    assert_refused(&source, TEMPLATE_TOO_LARGE, "sigoplimit");
}

static void transactions_with_unknown_or_false_fees_cannot_be_dropped(void **state)
{
    (void)state;
    struct source source = usual();
    source.transactions = "[" FIRST("\"depends\":[],\"sigops\":8") "," SECOND(
        "\"depends\":[],\"fee\":1001,\"sigops\":0") "]";
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 2);
    block_template_release(made);
    // The second one's fee alone is more than all fees together.
    source.weightlimit = "3000";
    assert_refused(&source, TEMPLATE_COINBASE_LOW, "transactions[].fee");
    source.weightlimit = "1400";
    assert_refused(&source, TEMPLATE_MALFORMED, "transactions[].fee");
}

static struct source litecoin(void)
{
    struct source source = usual();
    source.chain = "litecoin";
    source.bits = "\"1e0fffff\"";
    source.rules = "[\"csv\",\"!segwit\",\"taproot\",\"mweb\"]";
    source.default_witness_commitment = NULL;
    source.transactions = "[" FIRST("\"depends\":[],\"fee\":700,\"sigops\":8") "," SECOND(
        "\"depends\":[],\"fee\":300,\"sigops\":5") "," HOGEX("\"depends\":[],\"fee\":0,\"sigops\":"
                                                             "0") "]";
    source.mweb = "\"c0ffee\"";
    return source;
}

static void extension_block_keeps_its_hogex_and_what_that_spends(void **state)
{
    (void)state;
    struct source source = litecoin();
    struct block_template *made = parse_good(&source);
    assert_int_equal(made->txs_count, 3);
    assert_int_equal(made->mweb_size, 3);
    assert_memory_equal(made->mweb, "\xc0\xff\xee", 3);
    block_template_release(made);

    struct hash256 hogex = shown_hash(HOGEX_TXID);
    struct hash256 second = shown_hash(BIP143_TXID);
    source.weightlimit = "3000";
    made = parse_good(&source);
    assert_int_equal(made->txs_count, 2);
    assert_hash_equal(&made->txs[1].txid, &hogex);
    block_template_release(made);
    // A transaction that pegs in, which the HogEx spends, stays, too.
    source.transactions = "[" FIRST("\"depends\":[],\"fee\":700,\"sigops\":8") "," SECOND(
        "\"depends\":[],\"fee\":300,\"sigops\":5") "," HOGEX("\"depends\":[2],\"fee\":0,\"sigops\":"
                                                             "0") "]";
    made = parse_good(&source);
    assert_int_equal(made->txs_count, 2);
    assert_hash_equal(&made->txs[0].txid, &second);
    assert_hash_equal(&made->txs[1].txid, &hogex);
    assert_int_equal(made->coinbase_value, 5000000300);
    block_template_release(made);
    source.weightlimit = "2700";
    assert_refused(&source, TEMPLATE_TOO_LARGE, "weightlimit");
}

static void extension_block_must_be_there_when_its_rule_is(void **state)
{
    (void)state;
    struct source source = litecoin();
    source.mweb = NULL;
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source.mweb = "\"\"";
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source.mweb = "\"c0ffe\"";
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source.mweb = "7";
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    source = litecoin();
    source.transactions = "[]";
    source.default_witness_commitment = NULL;
    assert_refused(&source, TEMPLATE_MALFORMED, "mweb");
    // Before the rule is active, and with daemons that do not know it, there is none.
    source = litecoin();
    source.rules = "[\"!segwit\"]";
    source.mweb = NULL;
    struct block_template *made = parse_good(&source);
    assert_null(made->mweb);
    block_template_release(made);
}

static void chains_without_extension_blocks_ignore_one(void **state)
{
    (void)state;
    struct source source = usual();
    source.mweb = "\"c0ffee\"";
    struct block_template *made = parse_good(&source);
    assert_null(made->mweb);
    block_template_release(made);
    source.transactions = "[" HOGEX("\"depends\":[],\"fee\":0,\"sigops\":0") "]";
    assert_refused(&source, TEMPLATE_TX_BAD, "transactions[].data");
}

static void assert_tx_at(struct reader *reader, const char *hex)
{
    uint8_t expected[400];
    size_t size = unhex(hex, expected, sizeof expected);
    const uint8_t *found = read_view(reader, size);
    assert_non_null(found);
    assert_memory_equal(found, expected, size);
}

static void block_is_written_as_submitblock_wants_it(void **state)
{
    (void)state;
    struct source source = litecoin();
    struct block_template *made = parse_good(&source);
    uint8_t header[HEADER_SIZE];
    uint8_t coinbase[200];
    memset(header, 0xab, sizeof header);
    size_t coinbase_size = unhex(BLOCK_1_COINBASE, coinbase, sizeof coinbase);
    struct buffer out;
    buffer_init(&out, 10000);
    write_text(&out, "before");
    assert_true(block_template_write_block(made, header, coinbase, coinbase_size, &out));

    struct reader reader = reader_init(out.data, out.size);
    assert_memory_equal(read_view(&reader, 6), "before", 6);
    assert_memory_equal(read_view(&reader, HEADER_SIZE), header, HEADER_SIZE);
    assert_int_equal(read_varint(&reader), 4);
    const uint8_t *written = reader.at;
    struct tx_summary summary;
    assert_true(tx_read(&reader, &summary));
    struct hash256 txid = shown_hash(BLOCK_1_COINBASE_TXID);
    assert_hash_equal(&summary.txid, &txid);
    assert_true(summary.has_witness);
    assert_int_equal(summary.size, coinbase_size + 36);
    // One item of 32 zero bytes, before the locktime.
    uint8_t witness[34] = {1, 32};
    assert_memory_equal(written + summary.size - 38, witness, sizeof witness);
    assert_tx_at(&reader, FIRST_PAYMENT);
    assert_tx_at(&reader, BIP143_TX);
    assert_tx_at(&reader, HOGEX_TX);
    assert_tx_at(&reader, "01c0ffee");
    assert_true(reader_is_done(&reader));
    buffer_clear(&out);
    block_template_release(made);
}

static void block_without_witnesses_has_the_coinbase_as_it_is(void **state)
{
    (void)state;
    struct source source = usual();
    source.rules = "[]";
    source.transactions = "[" FIRST("\"depends\":[],\"fee\":1000,\"sigops\":8") "]";
    struct block_template *made = parse_good(&source);
    uint8_t header[HEADER_SIZE] = {0};
    uint8_t coinbase[200];
    size_t coinbase_size = unhex(BLOCK_1_COINBASE, coinbase, sizeof coinbase);
    struct buffer out;
    buffer_init(&out, 10000);
    assert_true(block_template_write_block(made, header, coinbase, coinbase_size, &out));
    struct reader reader = reader_init(out.data, out.size);
    read_view(&reader, HEADER_SIZE);
    assert_int_equal(read_varint(&reader), 2);
    assert_tx_at(&reader, BLOCK_1_COINBASE);
    assert_tx_at(&reader, FIRST_PAYMENT);
    assert_true(reader_is_done(&reader));
    size_t size = out.size;
    buffer_clear(&out);

    // One byte too few is no block.
    buffer_init(&out, size - 1);
    assert_false(block_template_write_block(made, header, coinbase, coinbase_size, &out));
    buffer_clear(&out);
    block_template_release(made);
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
        cmocka_unit_test(tight_weight_drops_the_last_transaction_and_its_fee),
        cmocka_unit_test(tight_sigops_drop_what_has_them_and_its_dependants),
        cmocka_unit_test(limits_of_consensus_hold_where_none_are_named),
        cmocka_unit_test(coinbase_that_fits_no_block_is_refused),
        cmocka_unit_test(transactions_with_unknown_or_false_fees_cannot_be_dropped),
        cmocka_unit_test(extension_block_keeps_its_hogex_and_what_that_spends),
        cmocka_unit_test(extension_block_must_be_there_when_its_rule_is),
        cmocka_unit_test(chains_without_extension_blocks_ignore_one),
        cmocka_unit_test(block_is_written_as_submitblock_wants_it),
        cmocka_unit_test(block_without_witnesses_has_the_coinbase_as_it_is),
        cmocka_unit_test(template_lives_until_its_last_reference_is_released),
        cmocka_unit_test(every_result_has_a_sentence_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
