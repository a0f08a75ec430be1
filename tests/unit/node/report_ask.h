// Questions to a node under test, and what its answers hold.
#ifndef SHOAL_TESTS_UNIT_NODE_REPORT_ASK_H
#define SHOAL_TESTS_UNIT_NODE_REPORT_ASK_H

#include "node/base/json.h"
#include "node/base/u256.h"
#include "node/report.h"

// An answer, kept with its text.
struct answer {
    struct buffer text;
    struct json *json;
    struct json_value root;
};

// Asks as over the control socket; what comes back must be JSON.
void ask(struct node *node, struct answer *answer, const char *request);
void answer_clear(struct answer *answer);

// Members that must be there.
struct u256 get_u256(struct json_value object, const char *name);
uint64_t get_u64(struct json_value object, const char *name);
void assert_text_has(struct json_value object, const char *name, const char *part);

#endif
