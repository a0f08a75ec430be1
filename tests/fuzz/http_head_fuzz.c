// The head of a request: whatever comes is a head or a refusal; what it points to lies inside of it
// and holds no line end, and its end is found the same however it was cut.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "node/net/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    assert(strpbrk(text, "\r\n") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t end = http_head_end((const char *)data, size, 0);
    for (size_t from = 0; from < end; from += 7)
        assert(http_head_end((const char *)data, size, from) == end);
    if (end == 0)
        return 0;
    struct http_head head;
    const char *wrong = NULL;
    char *copy = malloc(end);
    if (copy == NULL)
        return 0;
    memcpy(copy, data, end);
    int status = http_head_parse(copy, end, &head, &wrong);
    assert(status == 0 || (status >= 400 && status < 600 && wrong != NULL));
    if (status == 0) {
        assert(head.path[0] == '/' && head.fields[HTTP_HOST][0] != '\0');
        check_text(head.path);
        check_text(head.query);
    }
    for (size_t i = 0; status == 0 && i < HTTP_FIELDS_COUNT; i++) {
        check_text(head.fields[i]);
        http_list_has(head.fields[i], "gzip");
    }
    free(copy);
    return 0;
}
