#include <stdio.h>
#include <string.h>
#include "tests/vectors/vectors.h"
#include "tests/vectors/report.h"

#define TOKENS_MAX    20000000u
#define CASE_NAME_MAX 255

// What makes a case one of a kind: its `kind`, or that it has none, and fields. File names say
// nothing.
struct kind_row {
    const char *kind; // NULL: the case has no `kind`
    const char *fields[3];
    vector_runner *runner;
};

static const struct kind_row kind_rows[] = {
    {NULL, {"op"}, vector_compact_case},
    {NULL, {"a_link_bits", "a_time", "b_time"}, vector_retarget_case},
    {NULL, {"link_bits", "grains_per_link", "grain_shift"}, vector_grain_case},
    {NULL, {"headers", "orders", "anchor_header"}, vector_headers_case},
    {NULL, {"share_info", "extranonce", "height"}, vector_coinbase_case},
    {NULL, {"K", "R", "R0"}, vector_payout_case},
    {NULL, {"pool", "objects", "orders"}, vector_chain_case},
    {"retarget", {"scaled_bits"}, vector_coin_retarget_case},
    {"subsidy", {"height"}, vector_subsidy_case},
    {"headers", {"anchor_bits", "n"}, vector_coin_line_case},
    {"keys", {"pool"}, vector_pool_keys_case},
    {"text", {"text"}, vector_pool_text_case},
    {"share", {"hex"}, vector_share_case},
    {"body", {"hex", "body_grains_max"}, vector_body_case},
    {"varint", {"hex"}, vector_varint_case},
    {"encode", {"header", "share_info"}, vector_skeleton_encode_case},
    {"read", {"hex"}, vector_skeleton_read_case},
    {"follow", {"pool", "headers", "skeletons"}, vector_skeleton_follow_case},
};

static bool fits(const struct kind_row *row, struct json_value inputs)
{
    struct json_value kind = json_get(inputs, "kind");
    if (row->kind == NULL ? json_exists(kind) : !json_text_equals(kind, row->kind))
        return false;
    for (size_t i = 0; i < 3 && row->fields[i] != NULL; i++) {
        if (!json_exists(json_get(inputs, row->fields[i])))
            return false;
    }
    return true;
}

// The one kind that fits, or NULL.
static vector_runner *runner_of(struct json_value inputs)
{
    vector_runner *runner = NULL;
    for (size_t i = 0; i < sizeof(kind_rows) / sizeof(kind_rows[0]); i++) {
        if (!fits(&kind_rows[i], inputs))
            continue;
        if (runner != NULL)
            return NULL;
        runner = kind_rows[i].runner;
    }
    return runner;
}

static enum case_outcome run_case(const struct vector_case *c)
{
    if (c->name[0] == '\0')
        vector_malformed(c, "name", "the case has no name");
    if (!json_is_present(c->expect))
        vector_malformed(c, "expect", "the case expects nothing");
    vector_runner *runner = runner_of(c->inputs);
    if (runner == NULL) {
        vector_malformed(c, "case", "unknown kind of case");
        return CASE_FAILED;
    }
    if (!vector_is_clean(c))
        return CASE_FAILED;
    enum case_outcome outcome = runner(c);
    if (outcome == CASE_FAILED && vector_is_clean(c))
        vector_malformed(c, "case", "the runner gave up");
    return vector_outcome(c);
}

void vector_run_text(const char *file, const char *text, size_t size, const struct env *env,
                     struct vector_totals *totals)
{
    struct json *json = json_parse(text, size, TOKENS_MAX);
    struct json_value root = json_root(json);
    if (json == NULL || !json_is_array(root)) {
        printf("FAILED %s: it is no JSON array of cases\n", file);
        totals->failed++;
        json_free(json);
        return;
    }
    for (struct json_value value = json_first(root); json_exists(value); value = json_next(value)) {
        char name[CASE_NAME_MAX + 1] = "";
        struct vector_report report = {0};
        if (!json_to_text(json_get(value, "name"), name, sizeof(name)))
            name[0] = '\0';
        struct vector_case c = {
            .file = file,
            .name = name,
            .inputs = value,
            .expect = json_get(value, "expect"),
            .env = env,
            .report = &report,
        };
        if (run_case(&c) == CASE_PASSED)
            totals->passed++;
        else
            totals->failed++;
    }
    json_free(json);
}
