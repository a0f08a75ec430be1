#include "tests/unit/node/report_ask.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

void ask(struct node *node, struct answer *answer, const char *request)
{
    buffer_init(&answer->text, REPORT_SIZE_MAX);
    report_answer(node, request, strlen(request), &answer->text);
    assert_false(answer->text.failed);
    answer->json = json_parse((const char *)answer->text.data, answer->text.size, 4000000);
    if (answer->json == NULL)
        fail_msg("no JSON: %.*s", (int)answer->text.size, answer->text.data);
    answer->root = json_root(answer->json);
}

void answer_clear(struct answer *answer)
{
    json_free(answer->json);
    buffer_clear(&answer->text);
}

struct u256 get_u256(struct json_value object, const char *name)
{
    char text[80];
    struct u256 value;
    assert_true(json_to_text(json_get(object, name), text, sizeof(text)));
    assert_true(u256_from_decimal(&value, text));
    return value;
}

uint64_t get_u64(struct json_value object, const char *name)
{
    uint64_t value;
    assert_true(json_to_u64(json_get(object, name), &value));
    return value;
}

void assert_text_has(struct json_value object, const char *name, const char *part)
{
    char text[512];
    assert_true(json_to_text(json_get(object, name), text, sizeof(text)));
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}
