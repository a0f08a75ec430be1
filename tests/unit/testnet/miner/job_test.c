#include "testnet/miner/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"

// The example of the first description of the protocol: a job of a real pool and the share it was
// answered with.
static const char first_job[] =
    "[\"bf\",\"4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000\","
    "\"01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff20020862"
    "062f503253482f04b8864e5008\",\"072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e"
    "756a64a7a9688ef9903327048ed988ac00000000\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",false]";

// Bitcoin's block 170 as a job: seven bytes of its coinbase's script are the extranonce, its other
// transaction is the branch.
static const char block_170[] =
    "[\"170\",\"0a84bd55d08a7978683f85da183d4f97dbd12b3e1f2c846a2a22cfee00000000\","
    "\"01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff07\","
    "\"ffffffff0100f2052a01000000434104d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d"
    "64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac00000000\","
    "[\"169e1e83e930853391bc6f35f605c6754cfead57cf8387639d3b4096c54f18f4\"],"
    "\"00000001\",\"1d00ffff\",\"496ab951\",true]";

static bool read_job(const char *text, struct job *job, const char **what)
{
    struct json *json = json_parse(text, strlen(text), 10000);
    assert_non_null(json);
    bool is_job = job_read(job, json_root(json), what);
    json_free(json);
    return is_job;
}

static void assert_hash(const struct job *job, const char *first, const char *second,
                        uint32_t nonce, const char *expected)
{
    struct extranonce extranonce = {.first_size = strlen(first) / 2,
                                    .second_size = strlen(second) / 2};
    uint8_t second_bytes[16], bytes[HEADER_SIZE];
    assert_true(hex_decode(first, strlen(first), extranonce.first, extranonce.first_size));
    assert_true(hex_decode(second, strlen(second), second_bytes, extranonce.second_size));
    job_header(job, &extranonce, second_bytes, job->version, bytes);
    struct header header;
    struct hash256 hash;
    char text[65];
    header_decode(bytes, &header);
    header.nonce = nonce;
    header_encode(&header, bytes);
    sha256d_80(bytes, &hash);
    hash_to_display(&hash, text);
    assert_string_equal(text, expected);
}

static void share_of_a_real_pool_has_its_hash(void **state)
{
    (void)state;
    struct job job;
    const char *what;
    assert_true(read_job(first_job, &job, &what));
    assert_string_equal(job.id, "bf");
    assert_false(job.is_clean);
    assert_hash(&job, "08000002", "00000001", 0xb2957c02,
                "000000002076870fe65a2b6eeed84fa892c0db924f1482243a6247d931dcab32");
    job_clear(&job);
}

static void branches_lead_to_the_root_of_a_real_block(void **state)
{
    (void)state;
    struct job job;
    const char *what;
    assert_true(read_job(block_170, &job, &what));
    assert_int_equal(job.branches_count, 1);
    assert_true(job.is_clean);
    assert_hash(&job, "04ffff00", "1d0102", 0x709e3e28,
                "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee");
    job_clear(&job);
}

static void wrong_jobs_are_refused_by_the_name_of_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *what;
    } cases[] = {
        {"[]", "parameters"},
        {"[1,2,3,4,5,6,7,8]", "parameters"},
        {"{\"a\":1}", "parameters"},
        {"[5,\"P\",\"00\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]", "job id"},
        {"[\"\",\"P\",\"00\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]", "job id"},
        {"[\"a\",\"p\",\"00\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "previous hash"},
        {"[\"a\",null,\"00\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "previous hash"},
        {"[\"a\",\"P\",\"0\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "first half of the coinbase"},
        {"[\"a\",\"P\",\"0g\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "first half of the coinbase"},
        {"[\"a\",\"P\",\"00\",7,[],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "second half of the coinbase"},
        {"[\"a\",\"P\",\"00\",\"00\",\"x\",\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "merkle branches"},
        {"[\"a\",\"P\",\"00\",\"00\",[\"00\"],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]",
         "merkle branches"},
        {"[\"a\",\"P\",\"00\",\"00\",[],\"2\",\"1c2ac4af\",\"504e86ed\",true]", "version"},
        {"[\"a\",\"P\",\"00\",\"00\",[],\"00000002\",5,\"504e86ed\",true]", "bits"},
        {"[\"a\",\"P\",\"00\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed00\",true]", "time"},
        {"[\"a\",\"P\",\"00\",\"00\",[],\"00000002\",\"1c2ac4af\",\"504e86ed\",1]", "clean flag"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[400];
        struct job job;
        const char *what = NULL;
        // P stands for a good previous hash.
        const char *mark = strstr(cases[i].text, "\"P\"");
        if (mark == NULL)
            snprintf(text, sizeof text, "%s", cases[i].text);
        else
            snprintf(text, sizeof text, "%.*s\"%064d\"%s", (int)(mark - cases[i].text),
                     cases[i].text, 0, mark + 3);
        assert_false(read_job(text, &job, &what));
        assert_string_equal(what, cases[i].what);
        assert_null(job.coinbase1);
        assert_string_equal(job.id, "");
    }
}

static void sizes_beyond_the_bounds_are_refused(void **state)
{
    (void)state;
    struct buffer text;
    struct job job;
    const char *what;
    for (int too_much = 0; too_much < 4; too_much++) {
        size_t half = JOB_COINBASE_MAX + (too_much == 1);
        size_t branches = JOB_BRANCHES_MAX + (too_much == 2);
        size_t id = JOB_ID_MAX + (too_much == 3);
        buffer_init(&text, 1 << 20);
        write_text(&text, "[\"");
        for (size_t i = 0; i < id; i++)
            write_text(&text, "i");
        write_format(&text, "\",\"%064d\",\"", 0);
        for (size_t i = 0; i < half; i++)
            write_text(&text, "00");
        write_text(&text, "\",\"00\",[");
        for (size_t i = 0; i < branches; i++)
            write_format(&text, "%s\"%064d\"", i > 0 ? "," : "", 0);
        write_text(&text, "],\"00000002\",\"1c2ac4af\",\"504e86ed\",true]");
        write_u8(&text, 0);
        assert_int_equal(read_job((const char *)text.data, &job, &what), too_much == 0);
        job_clear(&job);
        buffer_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_of_a_real_pool_has_its_hash),
        cmocka_unit_test(branches_lead_to_the_root_of_a_real_block),
        cmocka_unit_test(wrong_jobs_are_refused_by_the_name_of_the_field),
        cmocka_unit_test(sizes_beyond_the_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
