#include "node/api/parameter.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "node/base/hex.h"

#define GIVEN_SHOWN_MAX 40

const struct api_parameter *api_parameter_find(const struct api_parameter *parameters, size_t count,
                                               const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(parameters[i].name, name) == 0)
            return &parameters[i];
    }
    return NULL;
}

void api_parameter_default(const struct api_parameter *parameter, struct api_value *value)
{
    *value = (struct api_value){.number = parameter->number};
    if (parameter->kind == API_WORD)
        snprintf(value->text, sizeof(value->text), "%.*s", (int)strcspn(parameter->words, " "),
                 parameter->words);
}

bool api_parameter_is_hash(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (hex_digit(text[i]) < 0)
            return false;
    }
    return size == 64;
}

static bool read_number(const char *text, size_t size, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return size > 0;
}

static bool is_one_of(const char *words, const char *text, size_t size)
{
    for (const char *word = words; *word != '\0';) {
        size_t word_size = strcspn(word, " ");
        if (word_size == size && memcmp(word, text, size) == 0)
            return true;
        word += word_size;
        word += strspn(word, " ");
    }
    return false;
}

// What would be right.
static void describe(const struct api_parameter *parameter, struct buffer *out)
{
    switch (parameter->kind) {
    case API_NUMBER:
        write_format(out, "a whole number from %" PRIu64 " to %" PRIu64, parameter->min,
                     parameter->max);
        return;
    case API_HASH:
        write_text(out, "64 hex digits");
        return;
    case API_WORD:
        write_format(out, "one of these words: %s", parameter->words);
        return;
    case API_NAME:
        write_format(out,
                     "text of %" PRIu64 " to %" PRIu64 " bytes, UTF-8 without control characters",
                     parameter->min == 0 ? 1 : parameter->min, parameter->max);
        return;
    }
}

static bool refuse(const struct api_parameter *parameter, const char *text, size_t size,
                   char detail[API_DETAIL_SIZE])
{
    char given[GIVEN_SHOWN_MAX + 1];
    size_t shown = size < GIVEN_SHOWN_MAX ? size : GIVEN_SHOWN_MAX;
    for (size_t i = 0; i < shown; i++)
        given[i] = (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
    given[shown] = '\0';
    struct buffer out;
    buffer_init_fixed(&out, detail, API_DETAIL_SIZE);
    write_format(&out, "\"%s\" is \"%s%s\", but must be ", parameter->name, given,
                 shown < size ? "..." : "");
    describe(parameter, &out);
    detail[out.size < API_DETAIL_SIZE ? out.size : API_DETAIL_SIZE - 1] = '\0';
    return false;
}

static bool is_right(const struct api_parameter *parameter, const char *text, size_t size,
                     struct api_value *value)
{
    switch (parameter->kind) {
    case API_NUMBER:
        return read_number(text, size, &value->number) && value->number >= parameter->min &&
               value->number <= parameter->max;
    case API_HASH:
        return api_parameter_is_hash(text, size);
    case API_WORD:
        return size > 0 && is_one_of(parameter->words, text, size);
    case API_NAME:
        return size > 0 && size >= parameter->min && size <= parameter->max &&
               json_text_is_plain(text, size);
    }
    return false;
}

bool api_parameter_read(const struct api_parameter *parameter, const char *text, size_t size,
                        struct api_value *value, char detail[API_DETAIL_SIZE])
{
    *value = (struct api_value){.is_given = true};
    if (size >= sizeof(value->text) || memchr(text, '\0', size) != NULL ||
        !is_right(parameter, text, size, value))
        return refuse(parameter, text, size, detail);
    memcpy(value->text, text, size);
    return true;
}
