// getblocktemplate results for the tests of block templates, member by member, and their parsing.
#ifndef SHOAL_TESTS_UNIT_NODE_BITCOIN_TEMPLATE_SOURCE_H
#define SHOAL_TESTS_UNIT_NODE_BITCOIN_TEMPLATE_SOURCE_H

#include "node/bitcoin/block_template.h"
#include "tests/unit/node/bitcoin/entries.h"
#include "tests/unit/node/bitcoin/support.h"

#define PREV "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048"

// Commitments by an independent implementation over no transaction, FIRST_PAYMENT, and that with
// BIP143_TX.
#define COMMITMENT_NONE "e2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
#define COMMITMENT_ONE  "6f66d7b6c928a3642da1b03267e90dba696c8a34c2cd4eb4c19d940d33d1e55d"
#define COMMITMENT_TWO  "70beb2b1ee49ee5c084aa82273d192eb420dadafc846433d76ea0a149b5176e8"
#define HEAD            "6a24aa21a9ed"

#define FIRST(more)  ENTRY(FIRST_PAYMENT, "'txid':'" FIRST_PAYMENT_TXID "'," more)
#define SECOND(more) ENTRY(BIP143_TX, "'txid':'" BIP143_TXID "'," more)
#define HOGEX(more)  ENTRY(HOGEX_TX, "'txid':'" HOGEX_TXID "'," more)
#define TWO_TXS                                                                                    \
    LIST_2(FIRST("'depends':[],'fee':700,'sigops':8"), SECOND("'depends':[1],'fee':300,'sigops':"  \
                                                              "5"))

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
    struct coinbase_needs coinbase;
};

// As Bitcoin Core writes them, with two transactions that pay 1000.
static inline struct source usual(void)
{
    return (struct source){
        .chain = "bitcoin",
        .version = "536870912",
        .previousblockhash = "'" PREV "'",
        .bits = "'1d00ffff'",
        .curtime = "1700000600",
        .mintime = "1700000001",
        .height = "2",
        .coinbasevalue = "5000001000",
        .rules = "['csv','!segwit','taproot']",
        .default_witness_commitment = "'" HEAD COMMITMENT_TWO "'",
        .transactions = TWO_TXS,
        .sigoplimit = "80000",
        .weightlimit = "4000000",
        .longpollid = "'" PREV "17'",
        .coinbase = {.weight = 1000, .sigops = 8},
    };
}

static inline void write_member(struct buffer *text, const char *name, const char *value)
{
    if (value != NULL)
        write_format(text, "%s'%s':%s", text->size > 1 ? "," : "", name, value);
}

static inline void write_source(const struct source *source, struct buffer *text)
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
    write_u8(text, 0);
    assert_false(text->failed);
}

static inline enum template_result parse(const struct source *source, struct block_template **made,
                                         const char **field)
{
    struct buffer text;
    struct buffer quoted;
    write_source(source, &text);
    struct json *json = json_parse_quoted((const char *)text.data, &quoted);
    enum template_result result = block_template_parse(
        chain_params_by_name(source->chain), json_root(json), &source->coinbase, made, field);
    // Nothing of the text is needed afterwards.
    json_free(json);
    memset(quoted.data, '?', quoted.size);
    buffer_clear(&quoted);
    buffer_clear(&text);
    return result;
}

static inline struct block_template *parse_good(const struct source *source)
{
    struct block_template *made;
    const char *field;
    enum template_result result = parse(source, &made, &field);
    if (result != TEMPLATE_OK)
        fail_msg("%s (%s)", template_result_text(result), field);
    return made;
}

static inline void assert_refused(const struct source *source, enum template_result expected,
                                  const char *expected_field)
{
    struct block_template *made;
    const char *field;
    assert_int_equal(parse(source, &made, &field), expected);
    assert_null(made);
    assert_string_equal(field, expected_field);
}

#endif
