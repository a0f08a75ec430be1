#include "stratum/miner_kind.h"

#include <string.h>
#include <strings.h>

#define KILO 1e3
#define MEGA 1e6
#define GIGA 1e9
#define TERA 1e12

// The first row that matches counts: narrower patterns stand first.
// clang-format off
static const struct miner_kind kinds[] = {
    // name               match         pattern         bytes  known  pow2    least hashrate
    {"shoal miner",        MINER_PREFIX, "shoal-miner/",      0, true,  false,      0, 0},
    {"NiceHash",           MINER_PREFIX, "NiceHash/",       500, true,  false, 524288, 500 * TERA},
    {"Antminer S21",       MINER_PREFIX, "Antminer S21/",  2250, true,  true,       0, 200 * TERA},
    {"Antminer (stock)",   MINER_PREFIX, "Antminer",        755, true,  true,       0, 100 * TERA},
    {"Antminer (bmminer)", MINER_PREFIX, "bmminer/",        755, true,  true,       0, 50 * TERA},
    {"Braiins OS",         MINER_CONTAINS, "bosminer-plus", 2250, true,  false,      0, 80 * TERA},
    {"bosminer",           MINER_PREFIX, "bosminer",       2250, true,  false,      0, 80 * TERA},
    {"Whatsminer",         MINER_PREFIX, "whatsminer/",    6500, true,  false,      0, 100 * TERA},
    {"ePIC",               MINER_PREFIX, "PowerPlay-BM",  16000, true,  false,      0, 100 * TERA},
    {"Vnish",              MINER_PREFIX, "xminer-",       16000, true,  false,      0, 100 * TERA},
    {"bitaxe",             MINER_PREFIX, "bitaxe",         6500, true,  false,      0, 1 * TERA},
    {"NerdMiner",          MINER_PREFIX, "NerdMiner",       255, true,  false,      0, 70 * KILO},
    {"SparkMiner",         MINER_PREFIX, "SparkMiner",      255, true,  false,      0, 70 * KILO},
    // The ESP-Miner family under other names.
    {"NerdAxe family",     MINER_PREFIX, "Nerd",           6500, true,  false,      0, 2 * TERA},
    {"ESP-Miner",          MINER_PREFIX, "ESP-Miner",      6500, true,  false,      0, 1 * TERA},
    {"LuckyMiner",         MINER_PREFIX, "LuckyMiner",     6500, true,  false,      0, 0.5 * TERA},
    // Avalon controllers call themselves plain cgminer and take 6 KiB and a little.
    {"cgminer",            MINER_PREFIX, "cgminer",        6200, true,  false,      0, 0},
    {"bfgminer",           MINER_PREFIX, "bfgminer",          0, true,  false,      0, 0},
    {"cpuminer",           MINER_PREFIX, "cpuminer",          0, true,  false,      0, 20 * MEGA},
    {"minerd",             MINER_PREFIX, "minerd",            0, true,  false,      0, 20 * MEGA},
    {"ccminer",            MINER_PREFIX, "ccminer",           0, true,  false,      0, 1 * GIGA},
    {"unknown",            MINER_PREFIX, "",                  0, false, false,      0, 0},
};
// clang-format on

bool miner_kind_matches(enum miner_match match, const char *pattern, const char *user_agent)
{
    switch (match) {
    case MINER_PREFIX:
        return strncasecmp(user_agent, pattern, strlen(pattern)) == 0;
    case MINER_CONTAINS:
        return strcasestr(user_agent, pattern) != NULL;
    }
    return false;
}

const struct miner_kind *miner_kind_find(const char *user_agent)
{
    const struct miner_kind *kind = kinds;
    while (!miner_kind_matches(kind->match, kind->pattern, user_agent)) {
        kind++;
    }
    return kind;
}

const struct miner_kind *miner_kind_row(uint32_t i)
{
    return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}
