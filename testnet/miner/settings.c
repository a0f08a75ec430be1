#include "testnet/miner/settings.h"

#include <stdio.h>
#include <string.h>

#define VERSION_MASK    0x1fffe000u // BIP 320
#define USER_ROOM       24          // for a number in place of %n
#define THREADS_MAX     256
#define CONNECTIONS_MAX 100000

// The command line as typed.
struct typed {
    struct option_list urls;
    struct option_list users;
    const char *password;
    const char *agent;
    bool scrypt;
    uint64_t threads;
    uint64_t connections;
    uint64_t hashrate;
    uint64_t shares;
    double seconds;
    double report;
    bool json;
    bool no_version_rolling;
    bool extranonce_subscribe;
    double suggest_difficulty;
};

#define FIELD(name) offsetof(struct typed, name)

static const struct option options[] = {
    {.name = "url",
     .kind = OPTION_LIST,
     .offset = FIELD(urls),
     .value_name = "HOST:PORT",
     .help = "the pool, also as stratum+tcp://HOST:PORT; give it several times for fail-over, best "
             "first"},
    {.name = "user",
     .kind = OPTION_LIST,
     .offset = FIELD(users),
     .value_name = "ADDRESS[.WORKER]",
     .help = "who is paid; %n becomes the connection's number. Given several times, the\n"
             "connections take turns"},
    {.name = "password",
     .kind = OPTION_TEXT,
     .offset = FIELD(password),
     .fallback = "x",
     .value_name = "TEXT",
     .help = "for pools that read options in it, such as d=0.001"},
    {.name = "agent",
     .kind = OPTION_TEXT,
     .offset = FIELD(agent),
     .fallback = "shoal-miner/" SHOAL_VERSION,
     .value_name = "TEXT",
     .help = "what to call ourselves: pools know devices by it"},
    {.name = "scrypt",
     .kind = OPTION_FLAG,
     .offset = FIELD(scrypt),
     .help = "proof of work by scrypt, else SHA-256d"},
    {.name = "threads",
     .kind = OPTION_COUNT,
     .offset = FIELD(threads),
     .min = 1,
     .max = THREADS_MAX,
     .fallback = "1",
     .value_name = "N",
     .help = "that hash"},
    {.name = "connections",
     .kind = OPTION_COUNT,
     .offset = FIELD(connections),
     .min = 1,
     .max = CONNECTIONS_MAX,
     .fallback = "1",
     .value_name = "N",
     .help = "to the pool, among which the hashes are divided evenly"},
    {.name = "hashrate",
     .kind = OPTION_COUNT,
     .offset = FIELD(hashrate),
     .max = 1000000000000,
     .fallback = "0",
     .value_name = "N",
     .help = "hashes per second of all threads together, such as 2M; 0: as fast as it goes"},
    {.name = "shares",
     .kind = OPTION_COUNT,
     .offset = FIELD(shares),
     .max = 1000000000000,
     .fallback = "0",
     .value_name = "N",
     .help = "stop after so many accepted shares; 0: never"},
    {.name = "seconds",
     .kind = OPTION_NUMBER,
     .offset = FIELD(seconds),
     .max = 1000000000,
     .fallback = "0",
     .value_name = "N",
     .help = "stop after so long; 0: never"},
    {.name = "report",
     .kind = OPTION_NUMBER,
     .offset = FIELD(report),
     .max = 86400,
     .fallback = "10",
     .value_name = "SECONDS",
     .help = "between two reports; 0: only at the end"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = FIELD(json),
     .help = "reports as JSON, one object per line"},
    {.name = "no-version-rolling",
     .kind = OPTION_FLAG,
     .offset = FIELD(no_version_rolling),
     .help = "do not ask for it (mining.configure)"},
    {.name = "extranonce-subscribe",
     .kind = OPTION_FLAG,
     .offset = FIELD(extranonce_subscribe),
     .help = "tell the pool that it may change our extranonce"},
    {.name = "suggest-difficulty",
     .kind = OPTION_NUMBER,
     .offset = FIELD(suggest_difficulty),
     .max = 1000000000000000,
     .fallback = "0",
     .value_name = "X",
     .help = "ask for this difficulty; 0: leave it to the pool"},
};

static const struct option_set option_set = {
    .program = "miner",
    .purpose =
        "A Stratum CPU miner for trying a pool, and a load generator: any number of connections\n"
        "at a hashrate of your choice.",
    .epilogue =
        "Reports go to standard output, messages to standard error. It ends with status 0 if the\n"
        "pool accepted a share, 1 if it accepted none, 2 if the command line is wrong.",
    .options = options,
    .count = sizeof options / sizeof options[0],
};

static bool read_urls(const struct typed *typed, struct settings *settings,
                      char error[OPTIONS_ERROR_SIZE])
{
    if (typed->urls.count == 0) {
        snprintf(error, OPTIONS_ERROR_SIZE, "--url is missing: wanted --url HOST:PORT of the pool");
        return false;
    }
    if (typed->urls.count > POOLS_MAX) {
        snprintf(error, OPTIONS_ERROR_SIZE, "--url %s: given too often, wanted at most %d times",
                 typed->urls.items[POOLS_MAX], POOLS_MAX);
        return false;
    }
    for (size_t i = 0; i < typed->urls.count; i++) {
        if (pools_add(&settings->pools, typed->urls.items[i]))
            continue;
        snprintf(error, OPTIONS_ERROR_SIZE,
                 "--url %s: wanted HOST:PORT or stratum+tcp://HOST:PORT with a port of 1 to 65535, "
                 "IPv6 addresses in [ ]",
                 typed->urls.items[i]);
        return false;
    }
    return true;
}

static bool read_users(const struct typed *typed, struct settings *settings,
                       char error[OPTIONS_ERROR_SIZE])
{
    settings->users = typed->users;
    if (typed->users.count == 0) {
        snprintf(error, OPTIONS_ERROR_SIZE,
                 "--user is missing: wanted --user ADDRESS or ADDRESS.WORKER, who is to be paid");
        return false;
    }
    for (size_t i = 0; i < typed->users.count; i++) {
        if (strlen(typed->users.items[i]) <= SETTINGS_USER_MAX)
            continue;
        snprintf(error, OPTIONS_ERROR_SIZE, "--user %.40s...: wanted at most %d characters",
                 typed->users.items[i], SETTINGS_USER_MAX);
        return false;
    }
    return true;
}

enum settings_result settings_read(int argc, char *const *argv, struct settings *settings,
                                   char error[OPTIONS_ERROR_SIZE])
{
    struct typed typed = {0};
    switch (options_parse(&option_set, argc, argv, &typed, error)) {
    case OPTIONS_HELP:
        return SETTINGS_HELP;
    case OPTIONS_BAD:
        return SETTINGS_BAD;
    case OPTIONS_OK:
        break;
    }
    *settings = (struct settings){
        .password = typed.password,
        .agent = typed.agent,
        .pow = typed.scrypt ? POW_SCRYPT : POW_SHA256D,
        .threads = (size_t)typed.threads,
        .connections = (size_t)typed.connections,
        .hashrate = typed.hashrate,
        .shares = typed.shares,
        .seconds = typed.seconds,
        .report = typed.report,
        .is_json = typed.json,
        .version_mask = typed.no_version_rolling ? 0 : VERSION_MASK,
        .wants_extranonce = typed.extranonce_subscribe,
        .suggest_difficulty = typed.suggest_difficulty,
    };
    bool is_good = read_urls(&typed, settings, error) && read_users(&typed, settings, error);
    return is_good ? SETTINGS_OK : SETTINGS_BAD;
}

void settings_write_help(struct buffer *out)
{
    options_write_help(&option_set, out);
}

void settings_user(const struct settings *settings, size_t connection, char *out)
{
    const char *user = settings->users.items[connection % settings->users.count];
    const char *mark = strstr(user, "%n");
    size_t capacity = SETTINGS_USER_MAX + USER_ROOM;
    if (mark == NULL)
        snprintf(out, capacity, "%s", user);
    else
        snprintf(out, capacity, "%.*s%zu%s", (int)(mark - user), user, connection + 1, mark + 2);
}
