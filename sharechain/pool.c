#include "sharechain/pool.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/limits.h"
#include "node/pow/sha256.h"
#include "node/pow/target.h"

#define VALUE_SIZE_MAX (2 * HEADER_SIZE) // characters of the longest value, the anchor header
#define ANCHOR_PERIOD  2016

enum key_kind { KEY_NUMBER, KEY_BITS, KEY_HEIGHT, KEY_NAME, KEY_CHAIN, KEY_HEADER };

// One row per key, in canonical order (section 1): everything that reads, checks, shows or hashes a
// key works from here.
struct key_row {
    const char *name;
    enum key_kind kind;
    size_t offset; // of the field in struct pool
    size_t size;   // bytes of the field, 1, 2, 4 or 8: also its canonical form
    const char *default_text;
    uint64_t min;
    uint64_t max;
    const char *range; // for people
    const char *meaning;
};

#define FIELD(field) offsetof(struct pool, field), sizeof(((struct pool *)NULL)->field)

static const struct key_row rows[] = {
    {"version", KEY_NUMBER, FIELD(version), "1", 1, 1, "1", "version of the protocol"},
    {"name", KEY_NAME, FIELD(name), "", 1, POOL_NAME_MAX, "1 to 32 of a-z, 0-9 and -",
     "shown to people"},
    {"chain", KEY_CHAIN, FIELD(chain), "", 0, 0,
     "bitcoin, testnet4, regtest, litecoin, litecoin-regtest, devchain or devchain-scrypt",
     "the coin"},
    {"link_spacing", KEY_NUMBER, FIELD(link_spacing), "30", 1, 3600, "1 to 3600",
     "wanted seconds between links"},
    {"half_life", KEY_NUMBER, FIELD(half_life), "600", 60, 86400, "60 to 86400",
     "half-life of the link retarget in seconds"},
    {"easiest_bits", KEY_BITS, FIELD(easiest_bits), "", 0, 0,
     "8 hex digits as in 1d00ffff, target at most 2^255",
     "first and easiest link target; within 100x of the expected hashrate"},
    {"grains_per_link", KEY_NUMBER, FIELD(grains_per_link), "120", 1, 1000, "1 to 1000",
     "the grain target is this many link targets"},
    {"body_grains_max", KEY_NUMBER, FIELD(body_grains_max), "480", 1, 4000, "1 to 4000",
     "most grains that one link includes"},
    {"horizon", KEY_NUMBER, FIELD(horizon), "240", 1, 2000, "1 to 2000",
     "links for which a grain stays includable"},
    {"inclusion_fee_bp", KEY_NUMBER, FIELD(inclusion_fee_bp), "100", 0, 1000, "0 to 1000",
     "basis points of a grain's weight for the miner of the including link"},
    {"window_multiple", KEY_NUMBER, FIELD(window_multiple), "8000", 1, 1000000000,
     "1 to 1000000000", "payout window in thousandths of the work of a block"},
    {"window_blocks", KEY_NUMBER, FIELD(window_blocks), "1008", 1, 100000, "1 to 100000",
     "most blocks that the payout window reaches back"},
    {"outputs", KEY_NUMBER, FIELD(outputs), "48", 1, 1000, "1 to 1000",
     "most payouts in one coinbase; 13 suits every device, 48 newer ones"},
    {"min_payout", KEY_NUMBER, FIELD(min_payout), "50000", 1, 10000000000, "1 to 10000000000",
     "no planned payout is smaller, in satoshi"},
    {"genesis_time", KEY_NUMBER, FIELD(genesis_time), "", 0, UINT32_MAX, "0 to 4294967295",
     "time of link 0, seconds since 1970"},
    {"anchor_height", KEY_HEIGHT, FIELD(anchor_height), "", 0, UINT32_MAX,
     "0 or a multiple of 2016", "height of the anchor header"},
    {"anchor_prev_time", KEY_NUMBER, FIELD(anchor_prev_time), "0", 0, UINT32_MAX,
     "0 but on litecoin above height 0", "time of the header before the anchor"},
    {"anchor_header", KEY_HEADER, FIELD(anchor_header), "", 0, 0,
     "80 bytes as 160 lower-case hex digits", "first header of the pool's view of the chain"},
};

#define ROWS_COUNT (sizeof(rows) / sizeof(rows[0]))

static bool fail(struct pool_error *error, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Fills key and text and returns false. Values may be foreign: what is not printable is shown as a
// question mark.
static bool fail(struct pool_error *error, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    snprintf(error->key, sizeof(error->key), "%s", key);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    for (char *c = error->key; *c != '\0'; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    for (char *c = error->text; *c != '\0'; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    return false;
}

static const struct key_row *row_find(const char *key)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (strcmp(rows[i].name, key) == 0)
            return &rows[i];
    }
    return NULL;
}

static const void *field_of(const struct key_row *row, const struct pool *pool)
{
    return (const uint8_t *)pool + row->offset;
}

// The integer fields differ in width only; their value is at most what fits, by the row's range.
static uint64_t number_get(const struct key_row *row, const struct pool *pool)
{
    const void *field = field_of(row, pool);
    switch (row->size) {
    case sizeof(uint8_t):
        return *(const uint8_t *)field;
    case sizeof(uint16_t):
        return *(const uint16_t *)field;
    case sizeof(uint32_t):
        return *(const uint32_t *)field;
    default:
        return *(const uint64_t *)field;
    }
}

static void number_put(const struct key_row *row, struct pool *pool, uint64_t value)
{
    void *field = (uint8_t *)pool + row->offset;
    switch (row->size) {
    case sizeof(uint8_t):
        *(uint8_t *)field = (uint8_t)value;
        break;
    case sizeof(uint16_t):
        *(uint16_t *)field = (uint16_t)value;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)field = (uint32_t)value;
        break;
    default:
        *(uint64_t *)field = value;
        break;
    }
}

static bool check_bits(const struct key_row *row, uint32_t bits, struct pool_error *error)
{
    struct u256 target;
    struct u256 one = u256_from_u64(1);
    struct u256 cap = u256_shift_left(&one, 255);
    if (!target_expand(bits, &target))
        return fail(error, row->name, "%08x is no target: negative, zero or too large", bits);
    if (!target_bits_are_canonical(bits))
        return fail(error, row->name, "%08x is not the shortest form: write %08x", bits,
                    target_compact(&target));
    if (u256_compare(&target, &cap) > 0)
        return fail(error, row->name, "%08x is easier than 2^255: at most 21008000", bits);
    return true;
}

static bool check_name(const struct key_row *row, const char *name, size_t size,
                       struct pool_error *error)
{
    if (size < row->min || size > row->max)
        return fail(error, row->name, "the name has %zu characters, it needs %s", size, row->range);
    for (size_t i = 0; i < size; i++) {
        bool is_allowed = (name[i] >= 'a' && name[i] <= 'z') ||
                          (name[i] >= '0' && name[i] <= '9') || name[i] == '-';
        if (!is_allowed)
            return fail(error, row->name, "'%.32s' is no name of a pool, it needs %s", name,
                        row->range);
    }
    return true;
}

// "its bits expand; no other check"
static bool check_header(const struct key_row *row, const uint8_t bytes[HEADER_SIZE],
                         struct pool_error *error)
{
    struct header header;
    struct u256 target;
    header_decode(bytes, &header);
    if (target_expand(header.bits, &target))
        return true;
    return fail(error, row->name,
                "its bits %08x are no target: is it the header as on the wire, not reversed?",
                header.bits);
}

static bool check_number(const struct key_row *row, uint64_t value, struct pool_error *error)
{
    if (value < row->min || value > row->max ||
        (row->kind == KEY_HEIGHT && value % ANCHOR_PERIOD != 0))
        return fail(error, row->name, "%llu is out of range: %s", (unsigned long long)value,
                    row->range);
    return true;
}

// The range check of one key of a pool in memory.
static bool row_check(const struct key_row *row, const struct pool *pool, struct pool_error *error)
{
    switch (row->kind) {
    case KEY_NUMBER:
    case KEY_HEIGHT:
        return check_number(row, number_get(row, pool), error);
    case KEY_BITS:
        return check_bits(row, (uint32_t)number_get(row, pool), error);
    case KEY_NAME:
        return check_name(row, pool->name, strnlen(pool->name, sizeof(pool->name)), error);
    case KEY_CHAIN:
        return pool->chain != NULL || fail(error, row->name, "missing: %s", row->range);
    case KEY_HEADER:
        return check_header(row, pool->anchor_header, error);
    }
    abort();
}

// "Integers decimal without sign or leading zeros"
static bool parse_number(const char *text, uint64_t *value)
{
    size_t size = strlen(text);
    if (size == 0 || (size > 1 && text[0] == '0'))
        return false;
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

// Lower-case hex of exactly this many bytes.
static bool parse_hex(const char *text, void *out, size_t size)
{
    if (strspn(text, "0123456789abcdef") != 2 * size)
        return false;
    return hex_decode(text, strlen(text), out, size);
}

static bool parse_bits(const char *text, uint64_t *value)
{
    uint8_t bytes[4];
    if (!parse_hex(text, bytes, sizeof(bytes)))
        return false;
    struct reader reader = reader_init(bytes, sizeof(bytes));
    *value = read_u32_be(&reader);
    return true;
}

static bool set_number(const struct key_row *row, const char *text, struct pool *pool,
                       struct pool_error *error)
{
    uint64_t value = 0;
    if (row->kind == KEY_BITS ? !parse_bits(text, &value) : !parse_number(text, &value))
        return fail(error, row->name, "'%.32s' is no value for it: %s", text, row->range);
    // Before it is narrowed to the width of the field.
    if (row->kind != KEY_BITS && !check_number(row, value, error))
        return false;
    number_put(row, pool, value);
    return true;
}

// Puts a value, of the right form for its kind; row_check looks at what it says.
static bool row_put(const struct key_row *row, const char *text, struct pool *pool,
                    struct pool_error *error)
{
    switch (row->kind) {
    case KEY_NUMBER:
    case KEY_BITS:
    case KEY_HEIGHT:
        return set_number(row, text, pool, error);
    case KEY_NAME:
        if (!check_name(row, text, strlen(text), error))
            return false;
        memset(pool->name, 0, sizeof(pool->name));
        memcpy(pool->name, text, strlen(text));
        return true;
    case KEY_CHAIN:
        pool->chain = chain_params_by_name(text);
        return pool->chain != NULL ||
               fail(error, row->name, "'%.24s' is no chain we know: %s", text, row->range);
    case KEY_HEADER:
        return parse_hex(text, pool->anchor_header, HEADER_SIZE) ||
               fail(error, row->name, "%zu characters that are not %s", strlen(text), row->range);
    }
    abort();
}

bool pool_set(struct pool *pool, const char *key, const char *value, struct pool_error *error)
{
    const struct key_row *row = row_find(key);
    if (row == NULL)
        return fail(error, key, "unknown key '%.24s': look for it in the table of keys", key);
    struct pool changed = *pool;
    if (!row_put(row, value, &changed, error) || !row_check(row, &changed, error))
        return false;
    *pool = changed;
    return true;
}

void pool_defaults(struct pool *pool)
{
    struct pool_error error;
    memset(pool, 0, sizeof(*pool));
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        bool is_set = rows[i].default_text[0] == '\0' ||
                      pool_set(pool, rows[i].name, rows[i].default_text, &error);
        assert(is_set);
    }
}

bool pool_finish(struct pool *pool, struct pool_error *error)
{
    error->line = 0;
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (!row_check(&rows[i], pool, error))
            return false;
    }
    bool has_prev_time = pool->chain->retarget_reaches_before && pool->anchor_height > 0;
    if (pool->anchor_prev_time != 0 && !has_prev_time)
        return fail(error, "anchor_prev_time", "%u, but it must be %s", pool->anchor_prev_time,
                    row_find("anchor_prev_time")->range);
    uint8_t bytes[256];
    struct buffer canonical;
    buffer_init_fixed(&canonical, bytes, sizeof(bytes));
    pool_write_canonical(pool, &canonical);
    sha256_tagged("shoal/pool", canonical.data, canonical.size, &pool->id);
    return true;
}

void pool_write_canonical(const struct pool *pool, struct buffer *out)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        const struct key_row *row = &rows[i];
        switch (row->kind) {
        case KEY_NUMBER:
        case KEY_BITS:
        case KEY_HEIGHT: {
            uint64_t value = number_get(row, pool);
            for (size_t byte = 0; byte < row->size; byte++)
                write_u8(out, (uint8_t)(value >> (8 * byte)));
            break;
        }
        case KEY_NAME:
            write_varint(out, strlen(pool->name));
            write_text(out, pool->name);
            break;
        case KEY_CHAIN:
            write_u8(out, (uint8_t)pool->chain->code);
            break;
        case KEY_HEADER:
            write_bytes(out, pool->anchor_header, HEADER_SIZE);
            break;
        }
    }
}

static void row_text(const struct key_row *row, const struct pool *pool,
                     char out[VALUE_SIZE_MAX + 1])
{
    switch (row->kind) {
    case KEY_NUMBER:
    case KEY_HEIGHT:
        snprintf(out, VALUE_SIZE_MAX + 1, "%llu", (unsigned long long)number_get(row, pool));
        return;
    case KEY_BITS:
        snprintf(out, VALUE_SIZE_MAX + 1, "%08llx", (unsigned long long)number_get(row, pool));
        return;
    case KEY_NAME:
        snprintf(out, VALUE_SIZE_MAX + 1, "%s", pool->name);
        return;
    case KEY_CHAIN:
        snprintf(out, VALUE_SIZE_MAX + 1, "%s", pool->chain != NULL ? pool->chain->name : "");
        return;
    case KEY_HEADER:
        hex_encode(pool->anchor_header, HEADER_SIZE, out);
        return;
    }
}

bool pool_get(const struct pool *pool, const char *key, char *out, size_t capacity)
{
    const struct key_row *row = row_find(key);
    if (row == NULL)
        return false;
    char text[VALUE_SIZE_MAX + 1];
    row_text(row, pool, text);
    snprintf(out, capacity, "%s", text);
    return true;
}

bool pool_key_row(size_t i, struct pool_key_info *info)
{
    if (i >= ROWS_COUNT)
        return false;
    *info = (struct pool_key_info){
        .name = rows[i].name,
        .default_text = rows[i].default_text,
        .range = rows[i].range,
        .meaning = rows[i].meaning,
    };
    return true;
}

void pool_write_text(const struct pool *pool, struct buffer *out)
{
    char id[65];
    hash_to_hex(&pool->id, id);
    write_format(
        out, "# A shoal pool. All who mine in it need this file, unchanged.\n# pool_id %s\n", id);
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        char value[VALUE_SIZE_MAX + 1];
        row_text(&rows[i], pool, value);
        write_format(out, "\n# %s: %s\n%s = %s\n", rows[i].meaning, rows[i].range, rows[i].name,
                     value);
    }
}

// A piece of the text of the file.
struct span {
    const char *at;
    size_t size;
};

static struct span trim(struct span span)
{
    while (span.size > 0 && (span.at[0] == ' ' || span.at[0] == '\t')) {
        span.at++;
        span.size--;
    }
    while (span.size > 0 && (span.at[span.size - 1] == ' ' || span.at[span.size - 1] == '\t'))
        span.size--;
    return span;
}

static struct span cut_before(struct span span, char c)
{
    const char *found = memchr(span.at, c, span.size);
    if (found != NULL)
        span.size = (size_t)(found - span.at);
    return span;
}

// False if it does not fit or holds a zero byte, which would hide what stands behind it.
static bool span_to_text(struct span span, char *out, size_t capacity)
{
    if (span.size >= capacity || memchr(span.at, '\0', span.size) != NULL)
        return false;
    memcpy(out, span.at, span.size);
    out[span.size] = '\0';
    return true;
}

// One line without its end. *seen holds a bit for each row that had its line.
static bool parse_line(struct span line, struct pool *pool, uint32_t *seen,
                       struct pool_error *error)
{
    line = trim(cut_before(line, '#'));
    if (line.size == 0)
        return true;
    struct span key_span = trim(cut_before(line, '='));
    const char *equals = memchr(line.at, '=', line.size);
    char key[sizeof(error->key)];
    char value[VALUE_SIZE_MAX + 16];
    if (equals == NULL)
        return fail(error, "", "no = in '%.*s': a line is key = value, or a comment behind #",
                    line.size < 32 ? (int)line.size : 32, line.at);
    struct span value_span =
        trim((struct span){equals + 1, (size_t)(line.at + line.size - equals - 1)});
    if (!span_to_text(key_span, key, sizeof(key)))
        return fail(error, "", "the key is too long or has a zero byte");
    const struct key_row *row = row_find(key);
    if (!span_to_text(value_span, value, sizeof(value)))
        return fail(error, key, "the value has %zu characters, too many, or a zero byte",
                    value_span.size);
    if (row != NULL && (*seen >> (row - rows) & 1) != 0)
        return fail(error, key, "the key is given twice");
    if (!pool_set(pool, key, value, error))
        return false;
    *seen |= (uint32_t)1 << (row - rows);
    return true;
}

static bool require_keys(uint32_t seen, struct pool_error *error)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (rows[i].default_text[0] == '\0' && (seen >> i & 1) == 0)
            return fail(error, rows[i].name, "the key is missing: %s", rows[i].range);
    }
    return true;
}

bool pool_parse(const char *text, size_t size, struct pool *pool, struct pool_error *error)
{
    uint32_t seen = 0;
    memset(error, 0, sizeof(*error));
    pool_defaults(pool);
    if (size > LIMIT_POOL_FILE_SIZE)
        return fail(error, "", "%zu bytes are no pool file: at most %d", size,
                    LIMIT_POOL_FILE_SIZE);
    struct span rest = {text, size};
    while (rest.size > 0) {
        struct span line = cut_before(rest, '\n');
        size_t taken = line.size < rest.size ? line.size + 1 : line.size;
        // "LF or CRLF": a CR belongs to the end of the line only where an LF follows.
        if (taken > line.size && line.size > 0 && line.at[line.size - 1] == '\r')
            line.size--;
        rest = (struct span){rest.at + taken, rest.size - taken};
        error->line++;
        if (!parse_line(line, pool, &seen, error))
            return false;
    }
    error->line = 0;
    return require_keys(seen, error) && pool_finish(pool, error);
}
