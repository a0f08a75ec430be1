#include "stratum/user_name.h"

#include <stdlib.h>
#include <string.h>

#define RAW_SIZE_MAX     256
#define DIFFICULTY_LEAST 1e-12
#define DIFFICULTY_MOST  1e18

bool difficulty_is_sane(double difficulty)
{
    return difficulty >= DIFFICULTY_LEAST && difficulty <= DIFFICULTY_MOST;
}

static bool is_name_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("._:~@=-", c) != NULL);
}

static double number_of(const char *text, size_t size)
{
    struct line_value value = {.kind = LINE_TEXT, .text = text, .size = (uint32_t)size};
    double number;
    return line_to_double(&value, &number) && difficulty_is_sane(number) ? number : 0;
}

bool user_name_parse(const struct line_value *value, struct user_name *name, double *difficulty)
{
    char raw[RAW_SIZE_MAX];
    size_t size;
    *difficulty = 0;
    if (!line_to_text(value, raw, sizeof(raw), &size)) {
        return false;
    }
    const char *plus = memchr(raw, '+', size);
    if (plus != NULL) {
        *difficulty = number_of(plus + 1, strlen(plus + 1));
        size = (size_t)(plus - raw);
    }
    size = size < LIMIT_USER_NAME ? size : LIMIT_USER_NAME;
    memset(name, 0, sizeof(*name));
    for (size_t i = 0; i < size; i++) {
        name->text[i] = is_name_character(raw[i]) ? raw[i] : '-';
    }
    const char *dot = memchr(name->text, '.', size);
    name->size = (uint8_t)size;
    name->address_size = (uint8_t)(dot != NULL ? (size_t)(dot - name->text) : size);
    name->worker_at = (uint8_t)(dot != NULL ? name->address_size + 1u : size);
    return size > 0;
}

bool user_name_split_at_underscore(struct user_name *name)
{
    const char *underscore = memchr(name->text, '_', name->address_size);
    if (underscore == NULL) {
        return false;
    }
    name->address_size = (uint8_t)(underscore - name->text);
    name->worker_at = (uint8_t)(name->address_size + 1);
    return true;
}

bool user_name_matches(const struct user_name *name, const struct line_value *value)
{
    struct user_name other;
    double difficulty;
    if (value->kind != LINE_TEXT) {
        return false;
    }
    // Nearly always the name was plain, and comes back as it is.
    if (value->size == name->size) {
        if (memcmp(value->text, name->text, name->size) == 0) {
            return true;
        }
    }
    return user_name_parse(value, &other, &difficulty) && other.size == name->size &&
           memcmp(other.text, name->text, name->size) == 0;
}

static void read_option(const char *text, size_t size, struct password_options *options)
{
    const char *equals = memchr(text, '=', size);
    if (equals == NULL) {
        return;
    }
    size_t key_size = (size_t)(equals - text);
    double number = number_of(equals + 1, size - key_size - 1);
    if (number <= 0) {
        return;
    }
    if ((key_size == 1 && text[0] == 'd') || (key_size == 4 && memcmp(text, "diff", 4) == 0)) {
        options->fixed = number;
    } else if (key_size == 2 && memcmp(text, "sd", 2) == 0) {
        options->start = number;
    } else if (key_size == 2 && memcmp(text, "md", 2) == 0) {
        options->min = number;
    }
}

void password_parse(const struct line_value *value, struct password_options *options)
{
    char text[RAW_SIZE_MAX];
    *options = (struct password_options){.fixed = 0};
    if (!line_to_text(value, text, sizeof(text), NULL)) {
        return;
    }
    const char *at = text;
    while (*at != '\0') {
        size_t size = strcspn(at, ",; ");
        read_option(at, size, options);
        at += size;
        at += strspn(at, ",; ");
    }
}
