// Entries of a template's transaction list as C literals. JSON in single quotes, which read better
// in C.
#ifndef SHOAL_TESTS_UNIT_NODE_BITCOIN_ENTRIES_H
#define SHOAL_TESTS_UNIT_NODE_BITCOIN_ENTRIES_H

#include "node/base/bytes.h"
#include "node/base/json.h"
#include "tests/unit/node/bitcoin/support.h"

#define ENTRY(data, more) "{'data':'" data "'," more "}"
#define LIST_1(a)         "[" a "]"
#define LIST_2(a, b)      "[" a "," b "]"
#define LIST_3(a, b, c)   "[" a "," b "," c "]"

// Parses text after doubling its quotes in a buffer of its own, which the document borrows.
static inline struct json *json_parse_quoted(const char *text, struct buffer *quoted)
{
    buffer_init(quoted, 64u << 20);
    write_text(quoted, text);
    assert_false(quoted->failed);
    for (size_t i = 0; i < quoted->size; i++)
        quoted->data[i] = quoted->data[i] == '\'' ? '"' : quoted->data[i];
    struct json *json = json_parse((const char *)quoted->data, quoted->size, 2000000);
    assert_non_null(json);
    return json;
}

#endif
