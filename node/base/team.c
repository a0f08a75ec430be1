#include "node/base/team.h"
#include <string.h>

#define NAME_AT (TEAM_TAG_OWN + 1)

// A name as a number: its characters are digits of this base, from 1 on, the last one lowest.
#define BASE 38
static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
_Static_assert(sizeof(digits) == BASE, "with the 0 that no character is");

static bool is_name_character(char c)
{
    return c != '\0' && strchr(digits, c) != NULL;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool team_from_text(const char *text, size_t size, struct team *team)
{
    memset(team, 0, sizeof(*team));
    if (size == 0 || size > TEAM_NAME_MAX)
        return false;
    struct team read = {.name = ""};
    for (size_t i = 0; i < size; i++) {
        read.name[i] = fold(text[i]);
        if (!is_name_character(read.name[i]))
            return false;
    }
    *team = read;
    return true;
}

bool team_from_tag(const uint8_t tag[TEAM_TAG_SIZE], struct team *team)
{
    memset(team, 0, sizeof(*team));
    struct team read = {.name = ""};
    size_t size = 0;
    memcpy(read.name, tag + NAME_AT, TEAM_NAME_MAX);
    while (is_name_character(read.name[size]))
        size++;
    // One form only: after the name nothing but zeros.
    for (size_t i = size; i < TEAM_NAME_MAX; i++) {
        if (read.name[i] != '\0')
            return false;
    }
    if (size == 0 || tag[TEAM_TAG_OWN] != TEAM_TAG_MARK)
        return false;
    *team = read;
    return true;
}

void team_to_tag(const struct team *team, uint8_t tag[TEAM_TAG_SIZE])
{
    if (team->name[0] == '\0')
        return;
    tag[TEAM_TAG_OWN] = TEAM_TAG_MARK;
    memset(tag + NAME_AT, 0, TEAM_NAME_MAX);
    memcpy(tag + NAME_AT, team->name, strlen(team->name));
}

uint64_t team_to_number(const struct team *team)
{
    uint64_t number = 0;
    for (const char *at = team->name; *at != '\0'; at++)
        number = number * BASE + (uint64_t)(strchr(digits, *at) - digits) + 1;
    return number;
}

struct team team_of_number(uint64_t number)
{
    char backwards[TEAM_NAME_MAX];
    struct team team = {.name = ""};
    size_t size = 0;
    for (; number != 0 && size < TEAM_NAME_MAX; number /= BASE)
        backwards[size++] = digits[number % BASE - 1];
    for (size_t i = 0; i < size; i++)
        team.name[i] = backwards[size - 1 - i];
    return team;
}
