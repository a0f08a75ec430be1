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

// Some miners escape what they find odd in a name.
static size_t unescape_at(char *raw, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_at = size - i >= 3 && memcmp(raw + i, "%40", 3) == 0;
        raw[kept++] = is_at ? '@' : raw[i];
        i += is_at ? 2 : 0;
    }
    return kept;
}

static const char *find_last(const char *text, size_t size, char wanted)
{
    while (size > 0) {
        size--;
        if (text[size] == wanted) {
            return text + size;
        }
    }
    return NULL;
}

// Takes "@team" and "+number" off the end, in either order; what is left of the size.
static size_t take_wishes(const char *raw, size_t size, struct user_wishes *wishes)
{
    memset(wishes, 0, sizeof(*wishes));
    const char *at = find_last(raw, size, '@');
    const char *plus = memchr(raw, '+', size);
    const char *end = raw + size;
    if (plus != NULL) {
        const char *number_end = at != NULL && at > plus ? at : end;
        wishes->difficulty = number_of(plus + 1, (size_t)(number_end - plus - 1));
    }
    if (at != NULL) {
        const char *team_end = plus != NULL && plus > at ? plus : end;
        size_t team_size = (size_t)(team_end - at - 1);
        wishes->has_bad_team = !team_from_text(at + 1, team_size, &wishes->team);
    }
    if (at != NULL && !wishes->has_bad_team && (plus == NULL || at < plus)) {
        return (size_t)(at - raw);
    }
    return plus != NULL ? (size_t)(plus - raw) : size;
}

static size_t find_any(const char *text, size_t size, const char *wanted)
{
    size_t at = 0;
    while (at < size && strchr(wanted, text[at]) == NULL) {
        at++;
    }
    return at;
}

bool user_name_parse(const struct line_value *value, struct user_name *name,
                     struct user_wishes *wishes)
{
    char raw[RAW_SIZE_MAX];
    size_t size;
    memset(wishes, 0, sizeof(*wishes));
    if (!line_to_text(value, raw, sizeof(raw), &size)) {
        return false;
    }
    size = take_wishes(raw, unescape_at(raw, size), wishes);
    size = size < LIMIT_USER_NAME ? size : LIMIT_USER_NAME;
    memset(name, 0, sizeof(*name));
    for (size_t i = 0; i < size; i++) {
        name->text[i] = is_name_character(raw[i]) ? raw[i] : '-';
    }
    // No address has a '@': a team that is none must not spoil the address it is put to.
    size_t address_size = find_any(name->text, size, ".@");
    name->size = (uint8_t)size;
    name->address_size = (uint8_t)address_size;
    name->worker_at = (uint8_t)(address_size < size ? address_size + 1 : size);
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
    struct user_wishes wishes;
    if (value->kind != LINE_TEXT) {
        return false;
    }
    // Nearly always the name was plain, and comes back as it is.
    if (value->size == name->size) {
        if (memcmp(value->text, name->text, name->size) == 0) {
            return true;
        }
    }
    return user_name_parse(value, &other, &wishes) && other.size == name->size &&
           memcmp(other.text, name->text, name->size) == 0;
}

static void read_option(const char *text, size_t size, struct password_options *options)
{
    const char *equals = memchr(text, '=', size);
    if (equals == NULL) {
        return;
    }
    size_t key_size = (size_t)(equals - text);
    if (key_size == 4 && memcmp(text, "team", 4) == 0) {
        options->has_bad_team = !team_from_text(equals + 1, size - key_size - 1, &options->team);
        return;
    }
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
