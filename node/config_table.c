#include "node/config_table.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"

#define FIELD(field) offsetof(struct config, field), sizeof(((struct config *)NULL)->field)
#define NO_RANGE     .min = 0, .max = 0
#define NAME_MAX     48

#define ADDRESS_RANGE "an IP address and port as in 0.0.0.0:3333 or [::]:3333, or unix:/path"

static const struct config_row rows[] = {
    {"config", "", CONFIG_PATH, FIELD(config_file), "", NO_RANGE, .value_name = "FILE",
     .range = "a file that can be read",
     .help = "INI file with values of these keys; cannot be set in the file itself"},
    {"pool", "", CONFIG_PATH, FIELD(pool), "", NO_RANGE, .is_required = true, .value_name = "FILE",
     .range = "the path of a pool file (\"shoal pool new\" makes one)",
     .help = "the pool file: all nodes of a pool have the same"},
    {"data", "", CONFIG_PATH, FIELD(data), "~/.shoal", NO_RANGE, .value_name = "DIR",
     .range = "a directory that can be written to",
     .help = "the share-chain, the blocks found and the control socket; one for each pool"},
    {"daemon", "", CONFIG_URLS, FIELD(daemon), "", NO_RANGE, .is_required = true,
     .value_name = "URL", .range = "a url as in http://127.0.0.1:8332",
     .help = "RPC of a coin daemon, http://[user:password@]host[:port]; several in order of "
             "preference"},
    {"daemon-user", "daemon", CONFIG_TEXT, FIELD(daemon_user), "", NO_RANGE, .value_name = "NAME",
     .range = "at most 255 characters", .help = "for daemons whose url names no user"},
    {"daemon-password", "daemon", CONFIG_SECRET, FIELD(daemon_password), "", NO_RANGE,
     .value_name = "TEXT", .range = "at most 255 characters",
     .help = "goes with daemon-user; better in the file than as a flag, which all users see"},
    {"daemon-cookie", "daemon", CONFIG_PATH, FIELD(daemon_cookie), "", NO_RANGE,
     .value_name = "FILE", .range = "the path of the daemon's .cookie",
     .help = "the daemon's cookie file, read again whenever the daemon has made a new one"},
    {"daemon-poll", "daemon", CONFIG_COUNT, FIELD(daemon_poll_s), "5", .min = 1, .max = 30,
     .value_name = "SECONDS", .range = "1 to 30",
     .help = "how often to ask for a new block beside long-polling"},
    {"stratum-listen", "stratum", CONFIG_ADDRESSES, FIELD(stratum_listen), "0.0.0.0:3333", NO_RANGE,
     .value_name = "ADDRESS", .range = ADDRESS_RANGE, .help = "where miners connect"},
    {"stratum-connections", "stratum", CONFIG_COUNT, FIELD(stratum_connections), "4096", .min = 1,
     .max = 1000000, .value_name = "N", .range = "1 to 1000000", .help = "most miners at a time"},
    {"stratum-connections-per-address", "stratum", CONFIG_COUNT,
     FIELD(stratum_connections_per_address), "1024", .min = 1, .max = 1000000, .value_name = "N",
     .range = "1 to 1000000", .help = "most miners of one IP address; this machine has no limit"},
    {"stratum-difficulty", "stratum", CONFIG_NUMBER, FIELD(stratum_difficulty), "0", .min = 1e-9,
     .max = 1e15, .zero_means = "by coin and device", .value_name = "NUMBER",
     .range = "0 or 1e-9 to 1e15",
     .help = "first difficulty of a miner of whom nothing is known yet"},
    {"stratum-difficulty-min", "stratum", CONFIG_NUMBER, FIELD(stratum_difficulty_min), "0",
     .min = 1e-9, .max = 1e15, .zero_means = "by coin", .value_name = "NUMBER",
     .range = "0 or 1e-9 to 1e15", .help = "no miner gets an easier one"},
    {"stratum-shares-per-minute", "stratum", CONFIG_NUMBER, FIELD(stratum_shares_per_minute), "15",
     .min = 0.1, .max = 600, .value_name = "NUMBER", .range = "0.1 to 600",
     .help = "shares a minute that each miner's difficulty aims at"},
    {"stratum-version-mask", "stratum", CONFIG_MASK, FIELD(stratum_version_mask), "1fffe000",
     NO_RANGE, .value_name = "HEX", .range = "8 hex digits as in 1fffe000",
     .help = "version bits that miners may roll (BIP 320)"},
    {"stratum-device-override", "stratum", CONFIG_TEXTS, FIELD(stratum_device_override), "",
     NO_RANGE, .value_name = "TEXT", .range = "the beginning of a user agent, or *",
     .help = "serve devices whose user agent begins so although their firmware is known not to "
             "take this pool's coinbase; * for all"},
    {"http-listen", "http", CONFIG_ADDRESS, FIELD(http_listen), "127.0.0.1:8080", NO_RANGE,
     .value_name = "ADDRESS", .range = "an IP address and port as in 127.0.0.1:8080, or empty",
     .help = "where the status page is; empty for none"},
    {"log-level", "log", CONFIG_LEVEL, FIELD(log_level), "info", NO_RANGE, .value_name = "LEVEL",
     .range = "error, warn, info or debug", .help = "how much is logged; SIGHUP reloads it"},
    {"log-format", "log", CONFIG_FORM, FIELD(log_form), "text", NO_RANGE, .value_name = "FORM",
     .range = "text or json", .help = "lines for people or for programs"},
};

#define ROWS_COUNT (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS_COUNT <= CONFIG_ROWS_MAX, "CONFIG_ROWS_MAX is too small");

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
static const char *const form_names[] = {[LOG_FORM_TEXT] = "text", [LOG_FORM_JSON] = "json"};

const struct config_row *config_row(size_t i)
{
    return i < ROWS_COUNT ? &rows[i] : NULL;
}

size_t config_row_index(const struct config_row *row)
{
    return (size_t)(row - rows);
}

const struct config_row *config_row_find(const char *name)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

// How many characters must be put in, taken out or exchanged to come from one name to the other.
static size_t edit_distance(const char *a, const char *b)
{
    size_t costs[NAME_MAX + 1];
    size_t b_size = strnlen(b, NAME_MAX);
    for (size_t j = 0; j <= b_size; j++)
        costs[j] = j;
    for (size_t i = 0; a[i] != '\0' && i < NAME_MAX; i++) {
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

const struct config_row *config_row_nearest(const char *name)
{
    const struct config_row *best = NULL;
    size_t best_distance = 2 + strlen(name) / 4;
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        size_t distance = edit_distance(name, rows[i].name);
        if (distance > best_distance || (best != NULL && distance == best_distance))
            continue;
        best = &rows[i];
        best_distance = distance;
    }
    return best;
}

bool config_row_is_list(const struct config_row *row)
{
    return row->kind == CONFIG_URLS || row->kind == CONFIG_ADDRESSES || row->kind == CONFIG_TEXTS;
}

static void *field_of(const struct config_row *row, struct config *config)
{
    return (uint8_t *)config + row->offset;
}

static const void *field_view(const struct config_row *row, const struct config *config)
{
    return (const uint8_t *)config + row->offset;
}

void config_row_clear_list(const struct config_row *row, struct config *config)
{
    struct config_list *list = field_of(row, config);
    memset(list, 0, sizeof(*list));
}

// ---- Setting

static bool fail(char wrong[CONFIG_MESSAGE_SIZE], const char *text)
{
    snprintf(wrong, CONFIG_MESSAGE_SIZE, "%s", text);
    return false;
}

static bool set_text(char *field, size_t size, const char *value, char *wrong)
{
    size_t value_size = strlen(value);
    if (value_size >= size) {
        snprintf(wrong, CONFIG_MESSAGE_SIZE, "is too long: %zu characters", value_size);
        return false;
    }
    memset(field, 0, size);
    memcpy(field, value, value_size);
    return true;
}

static bool set_path(char *field, size_t size, const char *value, char *wrong)
{
    if (strncmp(value, "~/", 2) != 0)
        return set_text(field, size, value, wrong);
    const char *home = getenv("HOME");
    if (home == NULL || home[0] == '\0')
        return fail(wrong, "begins with ~/ but the environment has no HOME");
    char path[2 * CONFIG_TEXT_SIZE];
    int path_size = snprintf(path, sizeof(path), "%s%s", home, value + 1);
    if (path_size < 0 || (size_t)path_size >= sizeof(path))
        return fail(wrong, "is too long");
    return set_text(field, size, path, wrong);
}

static bool parse_count(const char *text, uint64_t max, uint64_t *value)
{
    *value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return false;
        *value = *value * 10 + (uint64_t)(*c - '0');
        if (*value > max)
            return false;
    }
    return text[0] != '\0';
}

// IPv6 stands in brackets, so that the port is told apart from it.
static bool is_ip(const char *text, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    uint8_t bytes[sizeof(struct in6_addr)];
    bool is_v6 = size > 2 && text[0] == '[' && text[size - 1] == ']';
    if (is_v6) {
        text++;
        size -= 2;
    }
    if (size >= sizeof(ip))
        return false;
    memcpy(ip, text, size);
    ip[size] = '\0';
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, ip, bytes) == 1;
}

// Only the form: whether it can be listened on is found out by listening.
static bool check_address(const char *value, char *wrong)
{
    if (strncmp(value, "unix:", 5) == 0)
        return value[5] != '\0' || fail(wrong, "names no path behind unix:");
    const char *colon = strrchr(value, ':');
    uint64_t port;
    if (colon == NULL || colon == value)
        return fail(wrong, "is no address with a port");
    if (!parse_count(colon + 1, 65535, &port))
        return fail(wrong, "has no port from 0 to 65535");
    return is_ip(value, (size_t)(colon - value)) ||
           fail(wrong, "has no IP address before the port");
}

// http[s]://[user[:password]@]host[:port][/path]; only the form of host and port.
static bool check_url(const char *value, char *wrong)
{
    bool is_http = strncmp(value, "http://", 7) == 0;
    bool is_https = strncmp(value, "https://", 8) == 0;
    const char *host = value + (is_https ? 8 : 7);
    if ((!is_http && !is_https) || *host == '\0')
        return fail(wrong, "is no url that begins with http:// or https://");
    const char *end = host + strcspn(host, "/?#");
    const char *at = memrchr(host, '@', (size_t)(end - host));
    host = at == NULL ? host : at + 1;
    const char *colon = memrchr(host, ':', (size_t)(end - host));
    const char *bracket = memrchr(host, ']', (size_t)(end - host));
    bool has_port = colon != NULL && (bracket == NULL || colon > bracket);
    char port[6] = "";
    uint64_t number;
    if (host == (has_port ? colon : end))
        return fail(wrong, "names no host");
    if (has_port && end - colon - 1 < (ptrdiff_t)sizeof(port))
        memcpy(port, colon + 1, (size_t)(end - colon - 1));
    if (has_port && (!parse_count(port, 65535, &number) || number == 0))
        return fail(wrong, "has no port from 1 to 65535");
    return true;
}

static bool add_item(const struct config_row *row, const char *item, size_t item_size,
                     struct config_list *list, char *wrong)
{
    if (item_size == 0)
        return fail(wrong, "holds an empty item");
    if (list->count == CONFIG_LIST_MAX) {
        snprintf(wrong, CONFIG_MESSAGE_SIZE, "makes more than %d items", CONFIG_LIST_MAX);
        return false;
    }
    char *place = list->items[list->count];
    if (item_size >= CONFIG_TEXT_SIZE)
        return fail(wrong, "is too long");
    memset(place, 0, CONFIG_TEXT_SIZE);
    memcpy(place, item, item_size);
    if ((row->kind == CONFIG_URLS && !check_url(place, wrong)) ||
        (row->kind == CONFIG_ADDRESSES && !check_address(place, wrong)))
        return false;
    list->count++;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool add_items(const struct config_row *row, const char *value, struct config_list *list,
                      char *wrong)
{
    if (value[strspn(value, " \t")] == '\0')
        return true; // none
    for (;;) {
        size_t size = strcspn(value, ",");
        const char *end = value + size;
        const char *begin = value;
        while (begin < end && is_blank(*begin))
            begin++;
        const char *last = end;
        while (last > begin && is_blank(last[-1]))
            last--;
        if (!add_item(row, begin, (size_t)(last - begin), list, wrong))
            return false;
        if (*end == '\0')
            return true;
        value = end + 1;
    }
}

static bool set_count(const struct config_row *row, const char *value, uint32_t *field, char *wrong)
{
    uint64_t count;
    if (!parse_count(value, UINT32_MAX, &count))
        return fail(wrong, "is no whole number that fits");
    if ((double)count < row->min || (double)count > row->max)
        return fail(wrong, "is out of range");
    *field = (uint32_t)count;
    return true;
}

static bool set_number(const struct config_row *row, const char *value, double *field, char *wrong)
{
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    // strtod also takes hexadecimal numbers, infinities and spaces in front; none is meant here.
    if (value[0] == '\0' || *end != '\0' || strspn(value, "0123456789.eE+-") != strlen(value))
        return fail(wrong, "is no number");
    bool is_zero_fine = row->zero_means != NULL && number == 0;
    if (errno != 0 || (!is_zero_fine && !(number >= row->min && number <= row->max)))
        return fail(wrong, "is out of range");
    *field = number;
    return true;
}

static bool set_mask(const char *value, uint32_t *field, char *wrong)
{
    uint8_t bytes[4];
    if (!hex_decode(value, strlen(value), bytes, sizeof(bytes)))
        return fail(wrong, "is not 8 hex digits");
    struct reader reader = reader_init(bytes, sizeof(bytes));
    *field = read_u32_be(&reader);
    return true;
}

static bool set_form(const char *value, enum log_form *field, char *wrong)
{
    for (unsigned i = 0; i < sizeof(form_names) / sizeof(form_names[0]); i++) {
        if (strcmp(value, form_names[i]) != 0)
            continue;
        *field = (enum log_form)i;
        return true;
    }
    return fail(wrong, "is no form of the log");
}

bool config_row_set(const struct config_row *row, const char *value, struct config *config,
                    char wrong[CONFIG_MESSAGE_SIZE])
{
    void *field = field_of(row, config);
    switch (row->kind) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return set_text(field, row->size, value, wrong);
    case CONFIG_PATH:
        return set_path(field, row->size, value, wrong);
    case CONFIG_ADDRESS:
        return (value[0] == '\0' || check_address(value, wrong)) &&
               set_text(field, row->size, value, wrong);
    case CONFIG_URLS:
    case CONFIG_ADDRESSES:
    case CONFIG_TEXTS:
        return add_items(row, value, field, wrong);
    case CONFIG_COUNT:
        return set_count(row, value, field, wrong);
    case CONFIG_NUMBER:
        return set_number(row, value, field, wrong);
    case CONFIG_MASK:
        return set_mask(value, field, wrong);
    case CONFIG_LEVEL:
        return log_level_from_text(value, field) || fail(wrong, "is no level");
    case CONFIG_FORM:
        return set_form(value, field, wrong);
    }
    abort();
}

// ---- Writing

// What stands between // and @ is user and password.
static void write_url(const char *url, struct buffer *out)
{
    const char *host = strstr(url, "//") + 2;
    const char *at = strrchr(url, '@');
    if (at != NULL && at > host)
        write_format(out, "%.*s***%s", (int)(host - url), url, at);
    else
        write_text(out, url);
}

static void write_list(const struct config_row *row, const struct config_list *list,
                       struct buffer *out)
{
    for (size_t i = 0; i < list->count; i++) {
        write_text(out, i == 0 ? "" : ", ");
        if (row->kind == CONFIG_URLS)
            write_url(list->items[i], out);
        else
            write_text(out, list->items[i]);
    }
}

void config_row_write(const struct config_row *row, const struct config *config, struct buffer *out)
{
    const void *field = field_view(row, config);
    switch (row->kind) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
    case CONFIG_ADDRESS:
        write_text(out, field);
        return;
    case CONFIG_SECRET:
        write_text(out, *(const char *)field == '\0' ? "" : "***");
        return;
    case CONFIG_URLS:
    case CONFIG_ADDRESSES:
    case CONFIG_TEXTS:
        write_list(row, field, out);
        return;
    case CONFIG_COUNT:
        write_format(out, "%u", *(const uint32_t *)field);
        return;
    case CONFIG_NUMBER:
        write_format(out, "%.15g", *(const double *)field);
        return;
    case CONFIG_MASK:
        write_format(out, "%08x", *(const uint32_t *)field);
        return;
    case CONFIG_LEVEL:
        write_text(out, level_names[*(const enum log_level *)field]);
        return;
    case CONFIG_FORM:
        write_text(out, form_names[*(const enum log_form *)field]);
        return;
    }
    abort();
}

bool config_row_is_empty(const struct config_row *row, const struct config *config)
{
    uint8_t bytes[2];
    struct buffer text; // a value does not fit: then it is there
    buffer_init_fixed(&text, bytes, sizeof(bytes));
    config_row_write(row, config, &text);
    return text.size == 0 && !text.failed;
}

void config_row_variable(const struct config_row *row, char out[64])
{
    int size = snprintf(out, 64, "SHOAL_%s", row->name);
    assert(size > 0 && size < 64);
    for (char *c = out; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
        else if (*c == '-')
            *c = '_';
    }
}
