// One conversation per kind of client, in the forms and the order in which the client really
// speaks. Lines of the client begin with "> ", what it must be answered with "< "; in the latter a
// '*' stands for anything. $JOB $EN2 $TIME $NONCE are those of a share mined on the latest job,
// $SHORT is the nonce without leading zeros, $BITS rolled version bits, $NAME the name of the
// session before. "~ n" lets n seconds pass, "#" connects anew.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "node/base/hex.h"
#include "node/pow/target.h"
#include "tests/unit/stratum/rig.h"

#define ROLLED_BITS 0x00c0e000u

struct talk {
    struct rig *rig;
    struct rig_miner miner;
    char old_name[25];
    uint32_t mask;
    char *answer; // not matched yet
    const char *at;
};

static bool matches(const char *pattern, size_t pattern_size, const char *text, size_t size)
{
    while (pattern_size > 0 && *pattern != '*') {
        if (size == 0 || *text != *pattern) {
            return false;
        }
        pattern++, pattern_size--, text++, size--;
    }
    if (pattern_size == 0) {
        return size == 0;
    }
    for (size_t skip = 0; skip <= size; skip++) {
        if (matches(pattern + 1, pattern_size - 1, text + skip, size - skip)) {
            return true;
        }
    }
    return false;
}

static void take_answer(struct talk *talk)
{
    free(talk->answer);
    talk->answer = strdup(rig_miner_read(&talk->miner));
    talk->at = talk->answer;
}

static void expect_nothing_more(const struct talk *talk, const char *before)
{
    if (*talk->at != '\0') {
        fail_msg("not expected before %s: %s", before, talk->at);
    }
}

static void learn_session(struct talk *talk, const char *line, size_t size)
{
    // The subscribe result: the name of the session, and extranonce1 as its beginning.
    static const char begin[] = "[[[\"mining.notify\",\"";
    const char *at = memmem(line, size, begin, sizeof(begin) - 1);
    if (at != NULL) {
        memcpy(talk->miner.name, at + sizeof(begin) - 1, 24);
        assert_true(hex_decode(talk->miner.name, 8, talk->miner.extranonce1, 4));
    }
}

static void expect(struct talk *talk, const char *pattern)
{
    size_t size = strcspn(talk->at, "\n");
    if (talk->at[0] == '\0' || !matches(pattern, strlen(pattern), talk->at, size)) {
        fail_msg("expected %s\ngot      %s", pattern, talk->at);
    }
    learn_session(talk, talk->at, size);
    talk->at += size + 1;
}

// A solution whose nonce has a leading zero digit, so that leaving it out shows.
static struct rig_solution mine(struct talk *talk, const char *line)
{
    struct rig_solution solution;
    bool wants_bits = strstr(line, "$BITS") != NULL;
    for (;;) {
        solution = rig_miner_mine(&talk->miner, talk->miner.difficulty);
        if (wants_bits) {
            uint8_t header[80];
            uint8_t hash[32];
            solution.has_version_bits = true;
            solution.version_bits = ROLLED_BITS;
            solution.version_mask = talk->mask;
            do {
                solution.nonce++;
                rig_header(&talk->miner, &talk->miner.job, &solution, header);
                rig_sha256d(header, 80, hash);
            } while (rig_hash_difficulty(hash) < talk->miner.difficulty);
        }
        if (solution.nonce < 0x10000000) {
            return solution;
        }
    }
}

struct placeholder {
    const char *name;
    char text[40];
};

// Copies the line with each placeholder's text in its place.
static void fill_in(const char *line, const struct placeholder *placeholders, size_t count,
                    char *out)
{
    while (*line != '\0') {
        size_t which = 0;
        while (which < count &&
               strncmp(line, placeholders[which].name, strlen(placeholders[which].name)) != 0) {
            which++;
        }
        if (which == count) {
            *out++ = *line++;
            continue;
        }
        size_t size = strlen(placeholders[which].text);
        memcpy(out, placeholders[which].text, size);
        out += size;
        line += strlen(placeholders[which].name);
    }
    *out = '\0';
}

static void say(struct talk *talk, const char *line)
{
    char out[1024];
    struct rig_solution solution = {.nonce = 0};
    struct placeholder placeholders[] = {{.name = "$JOB"},   {.name = "$EN2"},   {.name = "$TIME"},
                                         {.name = "$NONCE"}, {.name = "$SHORT"}, {.name = "$BITS"},
                                         {.name = "$NAME"}};
    if (strstr(line, "$NONCE") != NULL || strstr(line, "$SHORT") != NULL) {
        solution = mine(talk, line);
    }
    snprintf(placeholders[0].text, 40, "%s", talk->miner.job.id);
    hex_encode(solution.extranonce2, 8, placeholders[1].text);
    snprintf(placeholders[2].text, 40, "%08x", solution.time);
    snprintf(placeholders[3].text, 40, "%08x", solution.nonce);
    snprintf(placeholders[4].text, 40, "%x", solution.nonce);
    snprintf(placeholders[5].text, 40, "%08x", ROLLED_BITS);
    snprintf(placeholders[6].text, 40, "%s", talk->old_name);
    fill_in(line, placeholders, sizeof(placeholders) / sizeof(placeholders[0]), out);
    rig_send(talk->rig, talk->miner.session, out);
    take_answer(talk);
}

static void connect_anew(struct talk *talk)
{
    if (talk->miner.session != 0) {
        stratum_disconnected(talk->rig->stratum, talk->miner.session, talk->rig->now);
    }
    memcpy(talk->old_name, talk->miner.name, sizeof(talk->old_name));
    talk->miner.session = rig_connect(talk->rig, "192.0.2.44");
    talk->miner.rig = talk->rig;
}

static void play(struct rig *rig, const char *const *lines, size_t count)
{
    struct talk talk = {.rig = rig, .mask = 0x1fffe000, .at = ""};
    connect_anew(&talk);
    for (size_t i = 0; i < count; i++) {
        const char *line = lines[i];
        if (line[0] == '<') {
            expect(&talk, line + 2);
            continue;
        }
        expect_nothing_more(&talk, line);
        if (line[0] == '>') {
            say(&talk, line + 2);
        } else if (line[0] == '~') {
            rig_run_ms(rig, strtol(line + 1, NULL, 10) * 1000);
            take_answer(&talk);
        } else {
            connect_anew(&talk);
        }
    }
    expect_nothing_more(&talk, "the end");
    rig_assert_open(rig, talk.miner.session);
    free(talk.answer);
}

#define PLAY(rig, ...)                                                                             \
    do {                                                                                           \
        static const char *const lines[] = {__VA_ARGS__};                                          \
        play(rig, lines, sizeof(lines) / sizeof(lines[0]));                                        \
    } while (0)

#define USER RIG_ADDRESS ".rig"
#define SUBSCRIBED(n)                                                                              \
    "< {\"id\":" n ",\"result\":[[[\"mining.notify\",\"*\"],[\"mining.set_difficulty\",\"*\"]],"   \
    "\"*\",8],\"error\":null}"
#define TRUE(n)       "< {\"id\":" n ",\"result\":true,\"error\":null}"
#define DIFFICULTY(d) "< {\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[" d "]}"
#define NOTIFY(clean)                                                                              \
    "< "                                                                                           \
    "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"*\",\"*\",\"*\",\"*\",[\"*\",\"*\","  \
    "\"*\"],\"20000000\",\"1d00ffff\",\"*\"," clean "]}"

// A pool whose coinbase suits the smallest device, where a share takes no time.
static struct rig *small_pool(void)
{
    struct rig *rig = rig_new("regtest");
    rig->config.coinbase_size_max = 250;
    rig->config.shares_per_minute = 0.1; // so that vardiff has no wish of its own
    rig->grain_target = target_from_difficulty(1e-7, pow_algorithm(POW_SHA256D));
    rig_start(rig);
    return rig;
}

static void cgminer(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig,
         "> {\"id\": 0, \"method\": \"mining.configure\", \"params\": [[\"version-rolling\"], "
         "{\"version-rolling.mask\": \"ffffffff\"}]}",
         "< {\"id\":0,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\"},"
         "\"error\":null}",
         "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"cgminer/4.11.1\"]}",
         SUBSCRIBED("1"),
         "> {\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"x\"]}",
         TRUE("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 3, \"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"$BITS\"]}",
         TRUE("3"), //
         // Its connection breaks; it comes back with the name of its session and resubmits.
         "#",
         "> {\"id\": 4, \"method\": \"mining.configure\", \"params\": [[\"version-rolling\"], "
         "{\"version-rolling.mask\": \"ffffffff\"}]}",
         "< {\"id\":4,\"result\":{*},\"error\":null}",
         "> {\"id\": 5, \"method\": \"mining.subscribe\", \"params\": [\"cgminer/4.11.1\", "
         "\"$NAME\"]}",
         SUBSCRIBED("5"),
         "> {\"id\": 6, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"x\"]}",
         TRUE("6"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 7, \"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"$BITS\"]}",
         TRUE("7"));
    rig_free(rig);
}

static void cgminer_without_user_agent_after_a_failed_subscribe(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig, "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}", SUBSCRIBED("1"),
         "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}", SUBSCRIBED("1"),
         "> {\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", null]}",
         TRUE("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         // A server's ping, answered late, is no call.
         "> {\"id\": 9, \"result\": \"pong\", \"error\": null}");
    rig_free(rig);
}

static void bfgminer(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    uint64_t first = rig_connect(rig, "192.0.2.44");
    rig_send_bytes(rig, first, "\x16\x03\x01\x02\x00\x01", 6);
    rig_assert_closed(rig, first, STRATUM_CLOSE_NOT_STRATUM);
    rig_expect(rig, first, "");
    // The very next line that it reads after subscribe must be the answer: nothing to an id of
    // null.
    PLAY(rig,
         "> {\"method\": \"mining.capabilities\", \"params\": [{\"notify\": [], "
         "\"set_difficulty\": {}, \"set_goal\": [], \"suggested_target\": \"ff\"}], \"id\": null}",
         "> {\"id\": null, \"method\": \"mining.suggest_target\", \"params\": [\"00000000ffff0000"
         "000000000000000000000000000000000000000000000000\"]}",
         "> {\"id\": 0, \"method\": \"mining.subscribe\", \"params\": [\"bfgminer/5.5.0\"]}",
         SUBSCRIBED("0"),
         "> {\"id\": \"auth\", \"method\": \"mining.authorize\", \"params\": [\"" USER
         "\", \"x\"]}",
         TRUE("\"auth\""), DIFFICULTY("*"), NOTIFY("true"),
         "> {\"id\": \"xnsub\", \"method\": \"mining.extranonce.subscribe\", \"params\": []}",
         TRUE("\"xnsub\""),
         "> {\"id\": \"txlist1\", \"method\": \"mining.get_transactions\", \"params\": [\"$JOB\"]}",
         "< {\"id\":\"txlist1\",\"result\":[],\"error\":null}",
         "> {\"method\": \"mining.submit\", \"id\": 12, \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\"]}",
         TRUE("12"));
    rig_free(rig);
}

static void cpuminer(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig, "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"cpuminer/2.5.1\"]}",
         SUBSCRIBED("1"),
         "> {\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"\"]}",
         TRUE("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 3, \"method\": \"mining.extranonce.subscribe\", \"params\": []}", TRUE("3"),
         "> {\"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\"], \"id\":4}",
         TRUE("4"), //
         "~ 31", NOTIFY("false"));
    rig_free(rig);
}

static void bitaxe(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig,
         "> {\"id\": 1, \"method\": \"mining.configure\", \"params\": [[\"version-rolling\"], "
         "{\"version-rolling.mask\": \"ffffffff\"}]}",
         "< {\"id\":1,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\"},"
         "\"error\":null}",
         "> {\"id\": 2, \"method\": \"mining.subscribe\", \"params\": "
         "[\"bitaxe/BM1370/v2.11.0\"]}",
         SUBSCRIBED("2"),
         "> {\"id\": 3, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"x\"]}",
         TRUE("3"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 4, \"method\": \"mining.suggest_difficulty\", \"params\": [1000]}", TRUE("4"),
         NOTIFY("false"),
         "> {\"id\": 5, \"method\": \"mining.extranonce.subscribe\", \"params\": []}", TRUE("5"),
         "> {\"id\": 6, \"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"$BITS\"]}",
         TRUE("6"), "> {\"id\": 7, \"method\": \"pong\", \"params\": []}");
    rig_free(rig);
}

static void esp_miner_sends_version_bits_without_having_asked_for_them(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig, "> {\"id\": 2, \"method\": \"mining.subscribe\", \"params\": [\"ESP-Miner/1.0\"]}",
         SUBSCRIBED("2"),
         "> {\"id\": 3, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"x\"]}",
         TRUE("3"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 6, \"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"00000000\"]}",
         TRUE("6"),
         "> {\"id\": 7, \"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", null]}",
         TRUE("7"));
    rig_free(rig);
}

static void nerdminer(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig, "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"NerdMinerV2\"]}",
         SUBSCRIBED("1"),
         "> {\"params\": [\"" USER "\", \"x\"], \"id\": 2, \"method\": \"mining.authorize\"}",
         TRUE("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 3, \"method\": \"mining.suggest_difficulty\", \"params\": [0.00015]}",
         TRUE("3"), NOTIFY("false"),
         "> {\"id\":4,\"method\":\"mining.submit\",\"params\":[\"" USER
         "\",\"$JOB\",\"$EN2\",\"$TIME\",\"$SHORT\"]}",
         TRUE("4"), //
         "~ 31", NOTIFY("false"),
         // The suggestion again, to keep the connection alive: nothing changes.
         "> {\"id\": 5, \"method\": \"mining.suggest_difficulty\", \"params\": [0.00015]}",
         TRUE("5"));
    rig_free(rig);
}

static void antminer_with_stock_firmware(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(
        rig,
        "> {\"id\": 0, \"method\": \"mining.configure\", \"params\": [[\"version-rolling\"], "
        "{\"version-rolling.min-bit-count\": 2, \"version-rolling.mask\": \"00c0e000\"}]}",
        "< {\"id\":0,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"00c0e000\"},"
        "\"error\":null}",
        "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"Antminer S19 XP/Fri Apr 12 "
        "14:53:57 CST 2024\"]}",
        SUBSCRIBED("1"),
        "> {\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"123\"]}",
        TRUE("2"), // powers of two, below what a grain takes
        DIFFICULTY("5.96046447754e-08"), NOTIFY("true"),
        "> {\"id\": 3, \"method\": \"mining.multi_version\", \"params\": [1]}", TRUE("3"),
        "> {\"id\": 4, \"method\": \"mining.submit\", \"params\": [\"" USER
        "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"00c0e000\"]}",
        "< {\"id\":4,\"result\":false,\"error\":[23,\"Low difficulty share\",null]}",
        "> {\"id\": 5, \"method\": \"mining.submit\", \"params\": [\"" USER
        "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"00000000\"]}",
        TRUE("5"));
    rig_free(rig);
}

static void braiins(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig,
         "> {\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
         "{\"version-rolling.mask\":\"1fffe000\",\"version-rolling.min-bit-count\":{}}]}",
         "< {\"id\":1,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\"},"
         "\"error\":null}",
         "> {\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"2024-07-12-0-fc9fe388-24.06-"
         "plus;bosminer-plus-tuner 0.9.0-fc9fe388\",null,\"pool.example\",null]}",
         SUBSCRIBED("2"),
         "> {\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"" USER "\",\"\"]}", TRUE("3"),
         DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\":4,\"method\":\"mining.submit\",\"params\":[\"" USER
         "\",\"$JOB\",\"$EN2\",\"$TIME\",\"$NONCE\",\"$BITS\"]}",
         TRUE("4"));
    rig_free(rig);
}

static void bosminer_with_several_workers_on_one_connection(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig,
         "> {\"id\":0,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\",\"minimum-"
         "difficulty\",\"subscribe-extranonce\",\"info\",\"other\"],{\"version-rolling.mask\":"
         "\"1fffe000\",\"version-rolling.min-bit-count\":\"16\",\"minimum-difficulty.value\":2048,"
         "\"info.connection-url\":\"x\"}]}",
         "< {\"id\":0,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\","
         "\"minimum-difficulty\":true,\"subscribe-extranonce\":true,\"info\":true,\"other\":false},"
         "\"error\":null}",
         "> {\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"bosminer/23.08\",null,"
         "\"pool.example\",3333]}",
         SUBSCRIBED("1"),
         "> {\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".a\",\"x\"]}",
         TRUE("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".b\",\"x\"]}",
         TRUE("3"),
         "> {\"id\":4,\"method\":\"mining.authorize\",\"params\":[\"" RIG_ADDRESS ".b\",\"x\"]}",
         TRUE("4"),
         "> {\"id\":5,\"method\":\"mining.authorize\",\"params\":[\"" RIG_OTHER_ADDRESS
         ".c\",\"x\"]}",
         "< {\"id\":5,\"result\":false,\"error\":[24,\"This connection already mines for another "
         "address: open a second one\",null]}",
         "> {\"id\":6,\"method\":\"mining.submit\",\"params\":[\"" RIG_ADDRESS
         ".b\",\"$JOB\",\"$EN2\",\"$TIME\",\"$NONCE\"]}",
         TRUE("6"),
         "> {\"id\":7,\"method\":\"mining.submit\",\"params\":[\"" RIG_ADDRESS
         ".c\",\"$JOB\",\"$EN2\",\"$TIME\",\"$NONCE\"]}",
         "< {\"id\":7,\"result\":false,\"error\":[24,\"Unauthorized worker\",null]}");
    rig_free(rig);
}

static void whatsminer(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig,
         "> {\"id\": 3, \"method\": \"mining.configure\", \"params\": [[\"version-rolling\"], "
         "{\"version-rolling.mask\": \"1fffe000\"}]}",
         "< {\"id\":3,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\"},"
         "\"error\":null}",
         "> {\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"whatsminer/v1.0\"]}",
         SUBSCRIBED("1"),
         "> {\"id\": 2, \"method\": \"mining.authorize\", \"params\": [\"" USER "\", \"x\"]}",
         TRUE("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\": 4, \"method\": \"mining.submit\", \"params\": [\"" USER
         "\", \"$JOB\", \"$EN2\", \"$TIME\", \"$NONCE\", \"$BITS\"]}",
         TRUE("4"));
    rig_free(rig);
}

static void nicehash(void **state)
{
    (void)state;
    struct rig *rig = rig_new("regtest");
    rig->config.coinbase_size_max = 490;
    rig->grain_target = target_from_difficulty(5e6, pow_algorithm(POW_SHA256D));
    rig_start(rig);
    // Its typical hashrate gives a start far above its minimum; asked for less, the minimum holds.
    PLAY(rig, "> {\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"NiceHash/1.0.0\"]}",
         SUBSCRIBED("1"), "> {\"id\":2,\"method\":\"mining.extranonce.subscribe\",\"params\":[]}",
         TRUE("2"),
         "> {\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"" USER "\",\"sd=1000\"]}",
         TRUE("3"), DIFFICULTY("524288"), NOTIFY("true"));
    rig_free(rig);
}

static void ccminer_and_others_with_fused_arguments(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig, "> {\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"ccminer/2.3.1\"]}",
         SUBSCRIBED("1"),
         "> {\"id\":2,\"method\":\"mining.suggest_difficulty(2e-08)\",\"params\":[]}", TRUE("2"),
         "> {\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"" USER "\"]}", TRUE("3"),
         DIFFICULTY("2e-08"), NOTIFY("true"),
         "> {\"id\":4,\"method\":\"mining.get_transactions(0123abcd)\",\"params\":[]}",
         "< {\"id\":4,\"result\":[],\"error\":null}",
         "> {\"id\":5,\"method\":\"mining.ping\",\"params\":[]}",
         "< {\"id\":5,\"result\":\"pong\",\"error\":null}",
         "> {\"id\":6,\"method\":\"mining.set_goal\",\"params\":[]}",
         "< {\"id\":6,\"result\":null,\"error\":[-3,\"Method not found\",null]}",
         "> {\"id\":null,\"method\":\"mining.set_goal\",\"params\":[]}",
         "> {\"method\":\"mining.set_goal\",\"params\":[]}");
    rig_free(rig);
}

static void client_that_authorizes_before_it_subscribes(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(rig, "> {\"id\":1,\"method\":\"mining.authorize\",\"params\":[\"" USER "\",\"x\"]}",
         TRUE("1"), "> {\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"odd/1\"]}",
         SUBSCRIBED("2"), DIFFICULTY("1e-07"), NOTIFY("true"),
         "> {\"id\":4,\"method\":\"mining.submit\",\"params\":[\"" USER
         "\",\"$JOB\",\"$EN2\",\"$TIME\",\"$NONCE\"]}",
         TRUE("4"));
    rig_free(rig);
}

static void client_that_sends_all_at_once(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    static const char bytes[] =
        "\r\n  \n{\"id\":1,\"method\":\"mining.configure\",\"params\":[[],{}]}\r\n"
        "{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[]}\n"
        "{\"id\":3,\"method\":\"mining.authorize\",\"params\":[\"" USER "\",\"x\"]}  \n";
    // However the stream is cut, the answers are the same and in this order.
    for (size_t cut = 1; cut < sizeof(bytes) - 1; cut += 7) {
        uint64_t session = rig_connect(rig, "192.0.2.9");
        for (size_t at = 0; at < sizeof(bytes) - 1; at += cut) {
            size_t left = sizeof(bytes) - 1 - at;
            rig_send_bytes(rig, session, bytes + at, left < cut ? left : cut);
        }
        static const char pattern[] = "{\"id\":1,\"result\":{},\"error\":null}\n{\"id\":2,"
                                      "\"result\":[[[*,8],\"error\":null}\n"
                                      "{\"id\":3,\"result\":true,\"error\":null}\n"
                                      "{\"id\":null,\"method\":\"mining.set_difficulty\"*}\n"
                                      "{\"id\":null,\"method\":\"mining.notify\"*true]}\n";
        const char *text = rig_take(rig, session);
        if (!matches(pattern, sizeof(pattern) - 1, text, strlen(text))) {
            fail_msg("cut every %zu bytes: %s", cut, text);
        }
        stratum_disconnected(rig->stratum, session, rig->now);
    }
    rig_free(rig);
}

// The forms of the field that other servers choke on, BIP 310.
static void configure_is_lenient(void **state)
{
    (void)state;
    struct rig *rig = small_pool();
    PLAY(
        rig, "> {\"id\":1,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"]]}",
        "< {\"id\":1,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":\"1fffe000\"},"
        "\"error\":null}",
        "> {\"id\":2,\"method\":\"mining.configure\",\"params\":[[\"minimum-difficulty\"],"
        "{\"minimum-difficulty.value\":\"16\"}]}",
        "< {\"id\":2,\"result\":{\"minimum-difficulty\":true},\"error\":null}",
        "> {\"id\":3,\"method\":\"mining.configure\",\"params\":[[\"minimum-difficulty\"],"
        "{\"minimum-difficulty.value\":-1}]}",
        "< {\"id\":3,\"result\":{\"minimum-difficulty\":false},\"error\":null}",
        "> {\"id\":4,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],"
        "{\"version-rolling.mask\":\"00001fff\"}]}",
        "< {\"id\":4,\"result\":{\"version-rolling\":false,\"version-rolling.mask\":\"00000000\"},"
        "\"error\":null}",
        "> {\"id\":5,\"method\":\"mining.configure\",\"params\":[[\"a\\\"b\",5,null,[],\"info\"]]}",
        "< {\"id\":5,\"result\":{\"info\":true},\"error\":null}",
        "> {\"id\":6,\"method\":\"mining.configure\",\"params\":[]}",
        "< {\"id\":6,\"result\":null,\"error\":[20,\"mining.configure needs a list of extensions\","
        "null]}",
        "> {\"id\":null,\"method\":\"mining.configure\",\"params\":[[\"version-rolling\"],{}]}");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cgminer),
        cmocka_unit_test(cgminer_without_user_agent_after_a_failed_subscribe),
        cmocka_unit_test(bfgminer),
        cmocka_unit_test(cpuminer),
        cmocka_unit_test(bitaxe),
        cmocka_unit_test(esp_miner_sends_version_bits_without_having_asked_for_them),
        cmocka_unit_test(nerdminer),
        cmocka_unit_test(antminer_with_stock_firmware),
        cmocka_unit_test(braiins),
        cmocka_unit_test(bosminer_with_several_workers_on_one_connection),
        cmocka_unit_test(whatsminer),
        cmocka_unit_test(nicehash),
        cmocka_unit_test(ccminer_and_others_with_fused_arguments),
        cmocka_unit_test(client_that_authorizes_before_it_subscribes),
        cmocka_unit_test(client_that_sends_all_at_once),
        cmocka_unit_test(configure_is_lenient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
