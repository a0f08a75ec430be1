#include "node/bitcoin/template_txs.h"

#include <stdlib.h>
#include "tests/unit/node/bitcoin/support.h"
#include "tests/unit/node/base/seeded.h"
#include "tests/unit/node/bitcoin/entries.h"

#define TXS_MAX     40
#define PARENTS_MAX (3 * TXS_MAX)

// Transactions that are no more than numbers: all that trimming looks at.
struct fake {
    struct template_tx txs[TXS_MAX];
    uint32_t parents[PARENTS_MAX];
    uint32_t parents_end[TXS_MAX];
    struct template_txs view;
};

static void fake_init(struct fake *fake)
{
    memset(fake, 0, sizeof *fake);
    fake->view.txs = fake->txs;
    fake->view.parents = fake->parents;
    fake->view.parents_end = fake->parents_end;
}

// Adds a transaction that spends `parent` (-1: none).
static void fake_add(struct fake *fake, uint32_t weight, uint32_t sigops, int parent)
{
    size_t i = fake->view.count++;
    uint32_t end = i == 0 ? 0 : fake->parents_end[i - 1];
    fake->txs[i].weight = weight;
    fake->txs[i].sigops = sigops;
    if (parent >= 0)
        fake->parents[end++] = (uint32_t)parent;
    fake->parents_end[i] = end;
}

// "#" for kept and "." for dropped, or "no room".
static const char *trim(const struct fake *fake, const struct template_room *room, char *out)
{
    bool is_kept[TXS_MAX];
    if (!template_txs_trim(&fake->view, room, is_kept))
        return "no room";
    for (size_t i = 0; i < fake->view.count; i++)
        out[i] = is_kept[i] ? '#' : '.';
    out[fake->view.count] = '\0';
    return out;
}

static void what_fits_stays_whole(void **state)
{
    (void)state;
    struct fake fake;
    char out[TXS_MAX + 1];
    fake_init(&fake);
    assert_string_equal(trim(&fake, &(struct template_room){0}, out), "");
    fake_add(&fake, 400, 4, -1);
    fake_add(&fake, 600, 0, 0);
    assert_string_equal(trim(&fake, &(struct template_room){.weight = 1000, .sigops = 4}, out),
                        "##");
    assert_string_equal(trim(&fake, &(struct template_room){.weight = 999, .sigops = 4}, out),
                        "#.");
    assert_string_equal(trim(&fake, &(struct template_room){.weight = 1000, .sigops = 3}, out),
                        "..");
}

static void weight_is_made_from_the_end(void **state)
{
    (void)state;
    struct fake fake;
    char out[TXS_MAX + 1];
    fake_init(&fake);
    for (int i = 0; i < 6; i++)
        fake_add(&fake, 100, 0, i == 0 ? -1 : 0);
    assert_string_equal(trim(&fake, &(struct template_room){.weight = 350}, out), "###...");
    assert_string_equal(trim(&fake, &(struct template_room){.weight = 99}, out), "......");
    assert_string_equal(trim(&fake, &(struct template_room){.weight = 0}, out), "......");
}

static void sigops_are_made_only_where_there_are_some(void **state)
{
    (void)state;
    struct fake fake;
    char out[TXS_MAX + 1];
    fake_init(&fake);
    fake_add(&fake, 100, 8, -1);
    fake_add(&fake, 100, 8, -1);
    fake_add(&fake, 100, 0, -1);
    fake_add(&fake, 100, 0, 1);
    fake_add(&fake, 100, 0, 3);
    fake_add(&fake, 100, 0, 0);
    struct template_room room = {.weight = 600, .sigops = 15};
    // Transaction 1 goes, with 3 that spends it and 4 that spends 3.
    assert_string_equal(trim(&fake, &room, out), "#.#..#");
    room.sigops = 7;
    assert_string_equal(trim(&fake, &room, out), "..#...");
}

static void last_transaction_stays_with_its_ancestors_where_it_must(void **state)
{
    (void)state;
    struct fake fake;
    char out[TXS_MAX + 1];
    fake_init(&fake);
    fake_add(&fake, 100, 4, -1);
    fake_add(&fake, 100, 4, -1);
    fake_add(&fake, 100, 4, 1);
    fake_add(&fake, 100, 4, 0);
    fake_add(&fake, 100, 4, 2);
    struct template_room room = {.weight = 400, .sigops = 100, .keeps_last = true};
    assert_string_equal(trim(&fake, &room, out), "###.#");
    room.weight = 300;
    assert_string_equal(trim(&fake, &room, out), ".##.#");
    room.weight = 299;
    assert_string_equal(trim(&fake, &room, out), "no room");
    room = (struct template_room){.weight = 500, .sigops = 12, .keeps_last = true};
    assert_string_equal(trim(&fake, &room, out), ".##.#");
    room.sigops = 11;
    assert_string_equal(trim(&fake, &room, out), "no room");
    room = (struct template_room){.weight = 300, .sigops = 100};
    assert_string_equal(trim(&fake, &room, out), "###..");
}

static void mark_ancestors(const struct fake *fake, size_t i, bool *is_marked)
{
    is_marked[i] = true;
    for (uint32_t j = i == 0 ? 0 : fake->parents_end[i - 1]; j < fake->parents_end[i]; j++)
        mark_ancestors(fake, fake->parents[j], is_marked);
}

struct sums {
    uint64_t weight;
    uint64_t sigops;
};

static struct sums sum(const struct fake *fake, const bool *is_counted)
{
    struct sums sums = {0};
    for (size_t i = 0; i < fake->view.count; i++) {
        if (!is_counted[i])
            continue;
        sums.weight += fake->txs[i].weight;
        sums.sigops += fake->txs[i].sigops;
    }
    return sums;
}

static bool is_within(struct sums sums, const struct template_room *room)
{
    return sums.weight <= room->weight && sums.sigops <= room->sigops;
}

// The same choice, said differently: as long as it does not fit, look for the last one whose going
// helps.
static void trim_slowly(const struct fake *fake, const struct template_room *room,
                        const bool *must_stay, bool *is_kept)
{
    for (size_t i = 0; i < fake->view.count; i++)
        is_kept[i] = true;
    while (!is_within(sum(fake, is_kept), room)) {
        bool needs_weight = sum(fake, is_kept).weight > room->weight;
        size_t i = fake->view.count - 1;
        while (!is_kept[i] || must_stay[i] || !(needs_weight || fake->txs[i].sigops > 0))
            i--;
        is_kept[i] = false;
    }
    for (size_t i = 0; i < fake->view.count; i++) {
        bool ancestors[TXS_MAX] = {false};
        mark_ancestors(fake, i, ancestors);
        for (size_t j = 0; j < i; j++)
            is_kept[i] = is_kept[i] && (is_kept[j] || !ancestors[j]);
    }
}

static void random_fake(uint64_t *seed, struct fake *fake)
{
    fake_init(fake);
    size_t count = seeded_next(seed) % TXS_MAX;
    for (size_t i = 0; i < count; i++) {
        uint32_t weight = (uint32_t)(seeded_next(seed) % 50 + 1);
        uint32_t sigops = seeded_next(seed) % 2 ? (uint32_t)(seeded_next(seed) % 5) : 0;
        fake_add(fake, weight, sigops, -1);
        for (size_t j = seeded_next(seed) % 3; i > 0 && j > 0; j--)
            fake->parents[fake->parents_end[i]++] = (uint32_t)(seeded_next(seed) % i);
    }
}

static void random_templates_are_trimmed_as_the_slow_way_does(void **state)
{
    (void)state;
    uint64_t seed = 11;
    size_t trimmed = 0;
    size_t impossible = 0;
    for (size_t round = 0; round < 20000; round++) {
        struct fake fake;
        bool must_stay[TXS_MAX] = {false};
        bool expected[TXS_MAX] = {false};
        bool is_kept[TXS_MAX];
        random_fake(&seed, &fake);
        size_t count = fake.view.count;
        struct template_room room = {.weight = seeded_next(&seed) % 1200,
                                     .sigops = seeded_next(&seed) % 50,
                                     .keeps_last = seeded_next(&seed) % 2};
        if (room.keeps_last && count > 0)
            mark_ancestors(&fake, count - 1, must_stay);
        bool is_possible = is_within(sum(&fake, must_stay), &room);
        assert_int_equal(template_txs_trim(&fake.view, &room, is_kept), is_possible);
        impossible += !is_possible;
        if (!is_possible)
            continue;
        trim_slowly(&fake, &room, must_stay, expected);
        assert_memory_equal(is_kept, expected, count * sizeof *is_kept);
        assert_true(is_within(sum(&fake, is_kept), &room));
        for (size_t i = 0; i < count; i++)
            trimmed += !is_kept[i];
    }
    assert_true(trimmed > 10000 && impossible > 100);
}

// The list as JSON text in single quotes; what it is read to.
static enum template_result read_list(const char *text, struct template_txs *txs,
                                      const char **field)
{
    struct buffer quoted;
    struct json *json = json_parse_quoted(text, &quoted);
    enum template_result result = template_txs_read(json_root(json), true, txs, field);
    json_free(json);
    buffer_clear(&quoted);
    return result;
}

static void entries_are_read_with_what_the_daemon_says_of_them(void **state)
{
    (void)state;
    struct template_txs txs;
    const char *field;
    const char *text =
        LIST_3(ENTRY(FIRST_PAYMENT, "'txid':'" FIRST_PAYMENT_TXID "','hash':'" FIRST_PAYMENT_TXID
                                    "','depends':[],'fee':1000,'sigops':8,'weight':1100"),
               ENTRY(BIP143_TX,
                     "'txid':'" BIP143_TXID "','hash':'" BIP143_WTXID "','depends':[1],'sigops':5"),
               ENTRY(HOGEX_TX, "'depends':[2,1],'fee':0,'sigops':0"));
    assert_int_equal(read_list(text, &txs, &field), TEMPLATE_OK);
    assert_int_equal(txs.count, 3);
    assert_int_equal(txs.txs[0].fee, 1000);
    assert_true(txs.has_fee[0]);
    assert_int_equal(txs.txs[0].sigops, 8);
    assert_int_equal(txs.txs[0].weight, 1100);
    assert_int_equal(txs.parents_end[0], 0);
    assert_false(txs.has_fee[1]);
    assert_int_equal(txs.txs[1].size, 343);
    struct hash256 wtxid = shown_hash(BIP143_WTXID);
    assert_hash_equal(&txs.txs[1].wtxid, &wtxid);
    uint8_t bytes[400];
    unhex(BIP143_TX, bytes, sizeof bytes);
    assert_memory_equal(txs.txs[1].data, bytes, txs.txs[1].size);
    assert_int_equal(txs.parents_end[1], 1);
    assert_int_equal(txs.parents[0], 0);
    assert_int_equal(txs.parents_end[2], 3);
    assert_int_equal(txs.parents[1], 1);
    assert_int_equal(txs.parents[2], 0);
    template_txs_clear(&txs);
}

static void bad_entries_are_refused_by_the_field_that_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum template_result result;
        const char *field;
    } bad[] = {
        {"{}", TEMPLATE_MALFORMED, "transactions"},
        {"[1]", TEMPLATE_MALFORMED, "transactions[].data"},
        {"[{}]", TEMPLATE_MALFORMED, "transactions[].data"},
        {LIST_1(ENTRY("", "'depends':[],'sigops':0")), TEMPLATE_TX_BAD, "transactions[].data"},
        {LIST_1(ENTRY(FIRST_PAYMENT "0", "'depends':[],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].data"},
        {LIST_1(ENTRY(FIRST_PAYMENT "xx", "'depends':[],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].data"},
        {LIST_1(ENTRY(FIRST_PAYMENT "00", "'depends':[],'sigops':0")), TEMPLATE_TX_BAD,
         "transactions[].data"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'sigops':0")), TEMPLATE_MALFORMED, "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':0,'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[0],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[1],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].depends"},
        {LIST_2(ENTRY(FIRST_PAYMENT, "'depends':[2],'sigops':0"),
                ENTRY(BIP143_TX, "'depends':[],'sigops':0")),
         TEMPLATE_MALFORMED, "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[-1],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[4294967297],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':['1'],'sigops':0")), TEMPLATE_MALFORMED,
         "transactions[].depends"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[]")), TEMPLATE_MALFORMED, "transactions[].sigops"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[],'sigops':-1")), TEMPLATE_MALFORMED,
         "transactions[].sigops"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[],'sigops':4294967296")), TEMPLATE_MALFORMED,
         "transactions[].sigops"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[],'sigops':0,'fee':-1")), TEMPLATE_MALFORMED,
         "transactions[].fee"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'depends':[],'sigops':0,'fee':1.5")), TEMPLATE_MALFORMED,
         "transactions[].fee"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'txid':'" BIP143_TXID "','depends':[],'sigops':0")),
         TEMPLATE_TX_BAD, "transactions[].txid"},
        {LIST_1(ENTRY(FIRST_PAYMENT, "'txid':7,'depends':[],'sigops':0")), TEMPLATE_TX_BAD,
         "transactions[].txid"},
        {LIST_1(ENTRY(BIP143_TX,
                      "'txid':'" BIP143_TXID "','hash':'" BIP143_TXID "','depends':[],'sigops':0")),
         TEMPLATE_TX_BAD, "transactions[].hash"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct template_txs txs;
        const char *field;
        assert_int_equal(read_list(bad[i].text, &txs, &field), bad[i].result);
        assert_string_equal(field, bad[i].field);
        assert_null(txs.txs);
        assert_int_equal(txs.count, 0);
    }
}

static void hogex_is_refused_where_the_chain_has_none(void **state)
{
    (void)state;
    struct buffer quoted;
    struct template_txs txs;
    const char *field;
    struct json *json =
        json_parse_quoted(LIST_1(ENTRY(HOGEX_TX, "'depends':[],'sigops':0")), &quoted);
    assert_int_equal(template_txs_read(json_root(json), false, &txs, &field), TEMPLATE_TX_BAD);
    assert_string_equal(field, "transactions[].data");
    json_free(json);
    buffer_clear(&quoted);
}

// A list of `count` times the same entry.
static void write_list(size_t count, const char *entry, struct buffer *text)
{
    buffer_init(text, 64u << 20);
    for (size_t i = 0; i < count; i++) {
        write_text(text, i == 0 ? "[" : ",");
        write_text(text, entry);
    }
    write_bytes(text, "]", 2);
    assert_false(text->failed);
}

static void most_transactions_are_read_and_one_more_is_too_large(void **state)
{
    (void)state;
    static const char entry[] = ENTRY(BLOCK_1_COINBASE, "'depends':[],'sigops':0");
    for (size_t over = 0; over < 2; over++) {
        struct buffer text;
        struct template_txs txs;
        const char *field;
        write_list(65535 + over, entry, &text);
        assert_int_equal(read_list((const char *)text.data, &txs, &field),
                         over ? TEMPLATE_TOO_LARGE : TEMPLATE_OK);
        assert_int_equal(txs.count, over ? 0 : 65535);
        template_txs_clear(&txs);
        buffer_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays_whole),
        cmocka_unit_test(weight_is_made_from_the_end),
        cmocka_unit_test(sigops_are_made_only_where_there_are_some),
        cmocka_unit_test(last_transaction_stays_with_its_ancestors_where_it_must),
        cmocka_unit_test(random_templates_are_trimmed_as_the_slow_way_does),
        cmocka_unit_test(entries_are_read_with_what_the_daemon_says_of_them),
        cmocka_unit_test(bad_entries_are_refused_by_the_field_that_is_wrong),
        cmocka_unit_test(hogex_is_refused_where_the_chain_has_none),
        cmocka_unit_test(most_transactions_are_read_and_one_more_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
