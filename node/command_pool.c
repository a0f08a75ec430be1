// `shoal pool new|show|check|secret`: pool files without a running node, and secrets of private
// pools.
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "node/base/hex.h"
#include "node/command_pool.h"
#include "node/command_line.h"
#include "node/config_check.h"
#include "node/console.h"
#include "node/pool_file.h"
#include "node/pow/target.h"
#include "node/text.h"
#include "node/text_table.h"
#include "node/units.h"

// The easiest link target fits this part of the expected hashrate: room for bad days, and well
// within the factor of 100 that the protocol allows.
#define EASIEST_PART 10.0

// ---- show and check

static void show_pool(const struct pool *pool)
{
    struct text_table *table = text_table_new("key|meaning|value");
    if (table == NULL)
        return;
    struct pool_key_info key;
    for (size_t i = 0; pool_key_row(i, &key); i++) {
        char value[2 * HEADER_SIZE + 1];
        pool_get(pool, key.name, value, sizeof(value));
        text_table_add(table, key.name);
        text_table_add(table, key.meaning);
        text_table_add(table, value);
    }
    struct buffer text;
    buffer_init(&text, 65536);
    text_table_write(table, &(struct text_table_look){console_width(), console_has_colours(), NULL},
                     &text);
    fwrite(text.data, 1, text.size, stdout);
    buffer_clear(&text);
    text_table_free(table);
}

static int read_command(bool is_check, int argc, const char *const *argv)
{
    if (argc != 1)
        return command_fail(EXIT_MISUSED,
                            "give one pool file: shoal pool show FILE, shoal pool check FILE");
    struct pool pool;
    char error[POOL_FILE_ERROR_SIZE], id[65];
    if (!pool_file_read(argv[0], &pool, error)) {
        fprintf(stderr, "shoal: %s\n", error);
        return EXIT_FAILED;
    }
    hash_to_hex(&pool.id, id);
    if (!is_check)
        show_pool(&pool);
    printf(is_check ? "%s\n" : "\npool_id %s\n", id);
    return EXIT_OK;
}

// ---- secret

static int secret_command(int argc)
{
    uint8_t secret[CONFIG_SECRET_SIZE];
    char text[2 * CONFIG_SECRET_SIZE + 1];
    if (argc != 0)
        return command_fail(EXIT_MISUSED,
                            "shoal pool secret takes no arguments: it prints a new secret");
    if (sodium_init() < 0) {
        fprintf(stderr, "shoal: the system gives no randomness\n");
        return EXIT_FAILED;
    }
    randombytes_buf(secret, sizeof(secret));
    hex_encode(secret, sizeof(secret), text);
    printf("%s\n", text);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(text, sizeof(text));
    return EXIT_OK;
}

// ---- new

struct new_pool {
    struct pool pool;
    struct pool_daemon daemon;
    const char *path;
    double hashrate; // 0 if not given
    bool has_genesis_time, has_easiest_bits, has_anchor;
};

// Keys of pool files have underscores; flags are often typed with dashes.
static void key_of_flag(const char *flag, size_t size, char out[32])
{
    size_t i = 0;
    for (; i < size && i < 31; i++)
        out[i] = flag[i] == '-' ? '_' : flag[i];
    out[i] = '\0';
}

// Says that "new" has no such flag, and which one may be meant.
static bool refuse_flag(const char *key)
{
    struct pool_key_info row;
    const char *best = NULL;
    size_t least = 3 + strlen(key) / 4;
    for (size_t i = 0; pool_key_row(i, &row); i++) {
        size_t distance = text_distance(key, row.name);
        if (distance >= least)
            continue;
        least = distance;
        best = row.name;
    }
    if (best == NULL)
        command_fail(EXIT_MISUSED, "there is no flag --%s here; \"shoal pool --help\" lists them",
                     key);
    else
        command_fail(EXIT_MISUSED, "there is no flag --%s here; is --%s meant?", key, best);
    return false;
}

static bool has_key(const char *key)
{
    struct pool_key_info row;
    size_t i = 0;
    while (pool_key_row(i, &row) && strcmp(row.name, key) != 0)
        i++;
    return pool_key_row(i, &row);
}

static bool set_key(struct new_pool *made, const char *key, const char *value)
{
    struct pool_error error;
    if (!has_key(key))
        return refuse_flag(key);
    made->has_genesis_time = made->has_genesis_time || strcmp(key, "genesis_time") == 0;
    made->has_easiest_bits = made->has_easiest_bits || strcmp(key, "easiest_bits") == 0;
    made->has_anchor = made->has_anchor || strncmp(key, "anchor_", 7) == 0;
    if (pool_set(&made->pool, key, value, &error))
        return true;
    fprintf(stderr, "shoal: %s: %s\n", error.key, error.text);
    return false;
}

// True if it was one of the flags that are no keys; *is_good tells whether its value is right.
static bool set_option(struct new_pool *made, const char *key, const char *value, bool *is_good)
{
    const struct {
        const char *name;
        const char **place;
    } texts[] = {{"daemon", &made->daemon.url},
                 {"daemon_user", &made->daemon.user},
                 {"daemon_password", &made->daemon.password},
                 {"daemon_cookie", &made->daemon.cookie_file}};
    *is_good = true;
    if (strcmp(key, "hashrate") == 0) {
        *is_good = units_parse_hashrate(value, &made->hashrate);
        if (!*is_good)
            fprintf(stderr, "shoal: hashrate: \"%s\" is no hashrate; right is 500T or 2e15\n",
                    value);
        return true;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(key, texts[i].name) != 0)
            continue;
        *texts[i].place = value;
        return true;
    }
    return false;
}

static bool read_flags(struct new_pool *made, int argc, const char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (made->path != NULL) {
                fprintf(stderr, "shoal: \"%s\" is one file too many\n", argv[i]);
                return false;
            }
            made->path = argv[i];
            continue;
        }
        size_t size = strcspn(argv[i] + 2, "=");
        const char *value = argv[i][2 + size] == '=' ? argv[i] + 3 + size : NULL;
        char key[32];
        key_of_flag(argv[i] + 2, size, key);
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL) {
            fprintf(stderr, "shoal: %s: the flag has no value\n", key);
            return false;
        }
        bool is_good;
        if (!set_option(made, key, value, &is_good))
            is_good = set_key(made, key, value);
        if (!is_good)
            return false;
    }
    return true;
}

uint32_t pool_easiest_bits(double hashrate, uint32_t link_spacing)
{
    // Times of links differ by a second at least, which a spacing of one second never finds too
    // fast: there the target cannot become harder, and the easiest one must fit from the start.
    double hashes = hashrate * link_spacing / (link_spacing == 1 ? 1 : EASIEST_PART);
    // The protocol's easiest target is 2^255: two hashes.
    struct u256 one = u256_from_u64(1), target = u256_shift_left(&one, 255);
    if (hashes > 2) {
        struct u256 divisor = u256_from_u64((uint64_t)(hashes < 1e19 ? hashes : 1e19));
        struct u256 max = u256_max();
        target = u256_divide(&max, &divisor, NULL);
    }
    return target_compact(&target);
}

// EXIT_OK, or what went wrong, which has been said.
static int fill_in(struct new_pool *made)
{
    char error[POOL_FILE_ERROR_SIZE];
    if (made->daemon.url != NULL && made->has_anchor)
        return command_fail(EXIT_MISUSED, "give --daemon or the anchor_ keys, not both");
    if (made->daemon.url != NULL && made->pool.chain == NULL)
        return command_fail(EXIT_MISUSED,
                            "chain: give --chain, so that the daemon's can be checked");
    if (made->hashrate > 0 && made->has_easiest_bits)
        return command_fail(EXIT_MISUSED, "give --hashrate or --easiest-bits, not both");
    if (made->daemon.url != NULL && !pool_daemon_anchor(&made->daemon, &made->pool, error)) {
        fprintf(stderr, "shoal: %s\n", error);
        return EXIT_FAILED;
    }
    if (made->hashrate > 0)
        made->pool.easiest_bits = pool_easiest_bits(made->hashrate, made->pool.link_spacing);
    if (!made->has_genesis_time)
        made->pool.genesis_time = (uint32_t)wall_seconds(net_wall_clock(NULL));
    return EXIT_OK;
}

static int new_command(int argc, const char *const *argv)
{
    struct new_pool made = {0};
    pool_defaults(&made.pool);
    if (!read_flags(&made, argc, argv))
        return EXIT_MISUSED;
    if (made.path == NULL)
        return command_fail(EXIT_MISUSED,
                            "give a file to write: shoal pool new [--key value ...] FILE");
    int status = fill_in(&made);
    if (status != EXIT_OK)
        return status;
    struct pool_error wrong;
    if (!pool_finish(&made.pool, &wrong)) {
        fprintf(stderr, "shoal: %s: %s\n", wrong.key, wrong.text);
        return EXIT_MISUSED;
    }
    char error[POOL_FILE_ERROR_SIZE], id[65];
    if (!pool_file_write(made.path, &made.pool, error)) {
        fprintf(stderr, "shoal: %s\n", error);
        return EXIT_FAILED;
    }
    hash_to_hex(&made.pool.id, id);
    if (strcmp(made.path, "-") != 0)
        printf("pool_id %s\n", id);
    return EXIT_OK;
}

int command_pool(const char *name, int argc, const char *const *argv)
{
    (void)name;
    if (argc > 0 && strcmp(argv[0], "new") == 0)
        return new_command(argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "show") == 0)
        return read_command(false, argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "check") == 0)
        return read_command(true, argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "secret") == 0)
        return secret_command(argc - 1);
    return command_fail(EXIT_MISUSED, "say what to do: shoal pool new, show, check or secret");
}
