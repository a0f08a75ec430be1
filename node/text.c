#include "node/text.h"
#include <stdint.h>
#include <string.h>

#define ACCENTS_MAX  2 // on one character; more would run over the lines around it
#define DISTANCE_MAX 48

struct range {
    uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}

// What moves the cursor, turns the writing around, or cannot be seen.
static bool is_hostile(uint32_t code)
{
    static const struct range ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f}, {0xe000, 0xf8ff},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};
    return is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), code);
}

static bool is_accent(uint32_t code)
{
    static const struct range ranges[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                          {0x64b, 0x65f},   {0x93c, 0x93c},   {0x1ab0, 0x1aff},
                                          {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f}};
    return is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), code);
}

// Characters of two columns: East Asian ones and pictures.
static bool is_wide(uint32_t code)
{
    static const struct range ranges[] = {
        {0x1100, 0x115e},   {0x231a, 0x231b},   {0x23e9, 0x23f3},  {0x2614, 0x2615},
        {0x26a1, 0x26a1},   {0x2705, 0x2705},   {0x2728, 0x2728},  {0x2e80, 0x303e},
        {0x3041, 0xa4cf},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},  {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},  {0x1f300, 0x1f64f},
        {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    return is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), code);
}

struct character {
    size_t size; // bytes; at least 1, unless the text is at its end
    uint32_t code;
    bool is_valid;
};

// The shortest form only, and no halves of pairs, as RFC 3629 wants it.
static struct character next_character(const char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    struct character character = {.size = 1, .code = bytes[0], .is_valid = bytes[0] < 0x80};
    size_t size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
        return character;
    uint32_t code = bytes[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return character;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return character;
    return (struct character){.size = size, .code = code, .is_valid = true};
}

void text_write_safe(struct buffer *out, const char *text)
{
    size_t accents = ACCENTS_MAX; // the first character is none
    while (*text != '\0') {
        struct character character = next_character(text);
        accents = is_accent(character.code) ? accents + 1 : 0;
        if (!character.is_valid || is_hostile(character.code) || accents > ACCENTS_MAX)
            write_u8(out, '?');
        else
            write_bytes(out, text, character.size);
        text += character.size;
    }
}

static size_t character_width(struct character character)
{
    return is_accent(character.code) ? 0 : is_wide(character.code) ? 2 : 1;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        struct character character = next_character(text);
        width += character_width(character);
        text += character.size;
    }
    return width;
}

size_t text_fit(const char *text, size_t columns)
{
    size_t size = 0, width = 0;
    while (text[size] != '\0') {
        struct character character = next_character(text + size);
        width += character_width(character);
        if (width > columns)
            break;
        size += character.size;
    }
    return size;
}

static void write_spaces(struct buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_u8(out, ' ');
}

void text_write_column(struct buffer *out, const char *text, size_t columns)
{
    size_t width = text_width(text);
    if (width <= columns) {
        write_text(out, text);
        write_spaces(out, columns - width);
        return;
    }
    if (columns == 0)
        return;
    size_t size = text_fit(text, columns - 1);
    char cut[512];
    size = size < sizeof(cut) ? size : 0;
    memcpy(cut, text, size);
    cut[size] = '\0';
    write_text(out, cut);
    write_text(out, "…");
    write_spaces(out, columns - 1 - text_width(cut)); // a wide character may have not fitted
}

// ---- Paragraphs

// One line of the source, wrapped.
static void wrap_line(struct buffer *out, const char *text, size_t size, size_t indent,
                      size_t width)
{
    size_t column = 0; // 0: nothing is in this line yet
    while (size > 0) {
        size_t word = 0;
        while (word < size && text[word] != ' ')
            word++;
        if (column > 0 && column + 1 + word > width) {
            write_text(out, "\n");
            column = 0;
        }
        if (column == 0)
            write_spaces(out, indent);
        write_text(out, column == 0 ? "" : " ");
        write_bytes(out, text, word);
        column += word + (column == 0 ? indent : 1);
        text += word;
        size -= word;
        while (size > 0 && *text == ' ') {
            text++;
            size--;
        }
    }
    write_text(out, "\n");
}

void text_wrap(struct buffer *out, const char *text, size_t indent, size_t width)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        if (*text == ' ') {
            write_spaces(out, indent);
            write_bytes(out, text, size);
            write_text(out, "\n");
        } else {
            wrap_line(out, text, size, indent, width);
        }
        text += size + (text[size] == '\n' ? 1 : 0);
    }
}

// ---- What was meant

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
    size_t costs[DISTANCE_MAX + 1];
    size_t b_size = strnlen(b, DISTANCE_MAX);
    for (size_t j = 0; j <= b_size; j++)
        costs[j] = j;
    for (size_t i = 0; a[i] != '\0' && i < DISTANCE_MAX; i++) {
        size_t diagonal = costs[0];
        costs[0] = i + 1;
        for (size_t j = 0; j < b_size; j++) {
            size_t exchanged = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = costs[j + 1];
            costs[j + 1] = min_of(exchanged, 1 + min_of(costs[j], costs[j + 1]));
        }
    }
    return costs[b_size];
}
