#include "node/config_table.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "node/config_check.h"
#include "node/text.h"

#define FIELD(field) offsetof(struct config, field), sizeof(((struct config *)NULL)->field)
#define NO_RANGE     .min = 0, .max = 0

// One of node/config_check.h.
typedef bool config_check(const char *value, char wrong[CONFIG_MESSAGE_SIZE]);

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
    {"seed", "", CONFIG_SEEDS, FIELD(seed), "", NO_RANGE, .value_name = "HOST:PORT/KEY",
     .range = "a host, a port and the key of 64 hex digits that \"shoal dht\" shows there",
     .help =
         "nodes of the pool that are asked first for all the others; one that is reached will do"},
    {"found", "", CONFIG_SWITCH, FIELD(found), "0", NO_RANGE, .value_name = "0|1",
     .range = "0 or 1",
     .help = "this is the first node of its pool: it mines without having met another one"},
    {"secret", "", CONFIG_KEY, FIELD(secret), "", NO_RANGE, .value_name = "HEX",
     .range = "64 random hex digits (\"shoal pool secret\" makes them)",
     .help = "of a private pool, the same for all its nodes: without it nobody joins, nor sees who "
             "is there"},
    {"upnp", "", CONFIG_SWITCH, FIELD(upnp), "1", NO_RANGE, .value_name = "0|1", .range = "0 or 1",
     .help = "ask the home router (UPnP) to lead the port of peer-listen here"},
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
    {"peer-listen", "peer", CONFIG_SOCKETS, FIELD(peer_listen), "0.0.0.0:8400, [::]:8400", NO_RANGE,
     .value_name = "ADDRESS", .range = "an IP address and port as in 0.0.0.0:8400 or [::]:8400",
     .help = "where other nodes connect, TCP and UDP, all with one port; empty: nowhere, this node "
             "only connects to others"},
    {"peer-public", "peer", CONFIG_PUBLICS, FIELD(peer_public), "", NO_RANGE,
     .value_name = "IP[:PORT]", .range = "an IP address, with a port if it is another one outside",
     .help = "where others reach this node, one for IPv4 and one for IPv6; without it the node "
             "finds out"},
    {"peer-entry", "peer", CONFIG_SWITCH, FIELD(peer_entry), "0", NO_RANGE, .value_name = "0|1",
     .range = "0 or 1", .help = "be found by those who join: a node with an address that stays"},
    {"peer-inbound", "peer", CONFIG_COUNT, FIELD(peer_inbound), "64", .min = 1, .max = 80,
     .value_name = "N", .range = "1 to 80", .help = "most nodes connected to this one"},
    {"peer-outbound", "peer", CONFIG_COUNT, FIELD(peer_outbound), "8", .min = 1, .max = 16,
     .value_name = "N", .range = "1 to 16", .help = "nodes that this one connects to"},
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
     .help = "where the dashboard and its API are; empty for none"},
    {"http-host", "http", CONFIG_TEXTS, FIELD(http_host), "", NO_RANGE, .value_name = "NAME",
     .range = "a host name as in pool.example.org",
     .help = "names by which browsers may call the dashboard, besides addresses and localhost"},
    {"http-tls-cert", "http", CONFIG_PATH, FIELD(http_tls_cert), "", NO_RANGE, .value_name = "FILE",
     .range = "a PEM file: the certificate, then those between it and a root",
     .help = "serve the dashboard with TLS; with http-tls-key"},
    {"http-tls-key", "http", CONFIG_PATH, FIELD(http_tls_key), "", NO_RANGE, .value_name = "FILE",
     .range = "a PEM file without a passphrase", .help = "the key of http-tls-cert"},
    {"http-plain", "http", CONFIG_SWITCH, FIELD(http_plain), "0", NO_RANGE, .value_name = "0|1",
     .range = "0 or 1",
     .help = "serve without TLS although http-listen is no loopback address: passwords and tokens "
             "can be read on the way"},
    {"http-public", "http", CONFIG_SWITCH, FIELD(http_public), "1", NO_RANGE, .value_name = "0|1",
     .range = "0 or 1", .help = "whoever reaches the dashboard may read it; 0 asks for an account"},
    {"log-level", "log", CONFIG_LEVEL, FIELD(log_level), "info", NO_RANGE,
     .value_name = "error|warn|info|debug", .range = "error, warn, info or debug",
     .help = "how much is logged; SIGHUP reloads it"},
    {"log-format", "log", CONFIG_FORM, FIELD(log_form), "text", NO_RANGE, .value_name = "text|json",
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

const struct config_row *config_row_nearest(const char *name)
{
    const struct config_row *best = NULL;
    size_t best_distance = 2 + strlen(name) / 4;
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        size_t distance = text_distance(name, rows[i].name);
        if (distance > best_distance || (best != NULL && distance == best_distance))
            continue;
        best = &rows[i];
        best_distance = distance;
    }
    return best;
}

// NULL: any text will do, or the kind is no list.
static config_check *item_check(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_URLS:
        return config_check_url;
    case CONFIG_ADDRESSES:
        return config_check_address;
    case CONFIG_SOCKETS:
        return config_check_socket;
    case CONFIG_PUBLICS:
        return config_check_public;
    case CONFIG_SEEDS:
        return config_check_seed;
    case CONFIG_TEXT:
    case CONFIG_SECRET:
    case CONFIG_KEY:
    case CONFIG_PATH:
    case CONFIG_ADDRESS:
    case CONFIG_TEXTS:
    case CONFIG_SWITCH:
    case CONFIG_COUNT:
    case CONFIG_NUMBER:
    case CONFIG_MASK:
    case CONFIG_LEVEL:
    case CONFIG_FORM:
        return NULL;
    }
    abort();
}

bool config_row_is_list(const struct config_row *row)
{
    return row->kind == CONFIG_TEXTS || item_check(row->kind) != NULL;
}

bool config_row_is_secret(const struct config_row *row)
{
    return row->kind == CONFIG_SECRET || row->kind == CONFIG_KEY;
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
    config_check *check = item_check(row->kind);
    if (check != NULL && !check(place, wrong))
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
    if (!config_parse_count(value, UINT32_MAX, &count))
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

static bool set_switch(const char *value, bool *field, char *wrong)
{
    *field = strcmp(value, "1") == 0;
    return *field || strcmp(value, "0") == 0 || fail(wrong, "is neither 0 nor 1");
}

static bool set_key(char *field, size_t size, const char *value, char *wrong)
{
    uint8_t secret[CONFIG_SECRET_SIZE];
    if (value[0] != '\0' && !config_parse_secret(value, secret))
        return fail(wrong, "is not made of 64 random hex digits");
    return set_text(field, size, value, wrong);
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
    case CONFIG_KEY:
        return set_key(field, row->size, value, wrong);
    case CONFIG_PATH:
        return set_path(field, row->size, value, wrong);
    case CONFIG_ADDRESS:
        return (value[0] == '\0' || config_check_address(value, wrong)) &&
               set_text(field, row->size, value, wrong);
    case CONFIG_URLS:
    case CONFIG_ADDRESSES:
    case CONFIG_SOCKETS:
    case CONFIG_PUBLICS:
    case CONFIG_SEEDS:
    case CONFIG_TEXTS:
        return add_items(row, value, field, wrong);
    case CONFIG_SWITCH:
        return set_switch(value, field, wrong);
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
    case CONFIG_KEY:
        write_text(out, *(const char *)field == '\0' ? "" : "***");
        return;
    case CONFIG_URLS:
    case CONFIG_ADDRESSES:
    case CONFIG_SOCKETS:
    case CONFIG_PUBLICS:
    case CONFIG_SEEDS:
    case CONFIG_TEXTS:
        write_list(row, field, out);
        return;
    case CONFIG_SWITCH:
        write_text(out, *(const bool *)field ? "1" : "0");
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
