// Any bytes as a line of Stratum, and as what a miner sends over a connection: views stay inside
// the line, ids come back as they were, and whatever the engine answers is whole lines of JSON.
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/json.h"
#include "node/base/log.h"
#include "stratum/line.h"
#include "stratum/stratum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_value(const char *text, size_t size, const struct line_value *value, int depth)
{
    const char *raw;
    size_t raw_size;
    char copy[40];
    uint8_t bytes[8];
    uint32_t number;
    double real;
    struct line_value name;
    struct line_value inner;
    if (value->kind == LINE_ABSENT) {
        return;
    }
    line_raw(value, &raw, &raw_size);
    assert(raw >= text && raw + raw_size <= text + size && raw_size > 0);
    if (line_to_text(value, copy, sizeof(copy), &raw_size)) {
        assert(raw_size < sizeof(copy) && copy[raw_size] == '\0');
    }
    if (line_to_double(value, &real)) {
        assert(isfinite(real));
    }
    if (line_to_hex(value, bytes, sizeof(bytes))) {
        assert(value->size == 16);
    }
    if (line_to_hex_u32(value, &number)) {
        assert(value->size >= 1 && value->size <= 8);
    }
    assert(depth < LINE_DEPTH_MAX);
    struct line_cursor cursor = line_enter(value);
    while (line_next(&cursor, &name, &inner)) {
        try_value(text, size, &name, depth + 1);
        try_value(text, size, &inner, depth + 1);
    }
    assert(cursor.at == cursor.end || value->size > 0);
}

static void try_line(const char *text, size_t size)
{
    struct line line;
    if (!line_parse(text, size, &line)) {
        return;
    }
    assert(line.params_count <= LINE_PARAMS_MAX);
    assert(line.id.kind == LINE_ABSENT || line.id.size <= LINE_ID_SIZE_MAX);
    try_value(text, size, &line.id, 0);
    try_value(text, size, &line.method, 0);
    for (size_t i = 0; i < line.params_count; i++) {
        try_value(text, size, &line.params[i], 0);
    }
}

// ---- The engine with a miner already at work behind the bytes.

static void no_random(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0x5a, size);
}

// An id of the miner's comes back as it was; everything else in our lines is ours and must be
// sound.
static size_t on_send(void *context, uint64_t session, const void *bytes, size_t size)
{
    const char *text = bytes;
    (void)context;
    (void)session;
    assert(size > 0);
    if (memcmp(text, "HTTP/1.1 ", size < 9 ? size : 9) == 0) {
        return 0;
    }
    assert(text[size - 1] == '\n');
    for (const char *at = text; at < text + size;) {
        const char *end = memchr(at, '\n', (size_t)(text + size - at));
        if (memcmp(at, "{\"id\":null", 10) == 0) {
            struct json *json = json_parse(at, (size_t)(end - at), 200);
            assert(json != NULL);
            json_free(json);
        }
        at = end + 1;
    }
    return 0;
}

static void on_close(void *context, uint64_t session, enum stratum_close reason)
{
    (void)context;
    (void)session;
    (void)reason;
}

static bool on_job_commitment(void *context, const struct stratum_job_request *request,
                              struct stratum_commitment *commitment, struct buffer *own_prefix)
{
    (void)context;
    (void)request;
    (void)own_prefix;
    commitment->grain_target = u256_shift_right(&(struct u256){{0, 0, 0, UINT64_MAX}}, 20);
    commitment->link_target = commitment->grain_target;
    commitment->time_max = UINT32_MAX;
    return true;
}

static uint64_t on_share_found(void *context, const struct stratum_share *share)
{
    (void)context;
    (void)share;
    return 0;
}

static void on_share_judged(void *context, const struct stratum_judgement *judgement)
{
    (void)context;
    (void)judgement;
}

static uint64_t on_submit_arrived(void *context)
{
    (void)context;
    return 0;
}

static void on_submit_answered(void *context, uint64_t mark)
{
    (void)context;
    (void)mark;
}

static void on_hash_wanted(void *context, uint64_t token, const uint8_t header[HEADER_SIZE])
{
    (void)context;
    (void)token;
    (void)header;
}

static void on_work_released(void *context, void *owner)
{
    (void)context;
    (void)owner;
}

static void on_session(void *context, const struct stratum_session_view *session)
{
    (void)context;
    (void)session;
}

static void on_session_closed(void *context, const struct stratum_session_view *session,
                              enum stratum_close reason)
{
    (void)context;
    (void)session;
    (void)reason;
}

static void on_device_refused(void *context, const struct stratum_refused_device *device)
{
    (void)context;
    (void)device;
}

static double on_worker_rate_find(void *context, const char *user)
{
    (void)context;
    return user[0] == '\0' ? 0 : 1;
}

static void on_worker_rate_changed(void *context, const char *user, double hashrate)
{
    (void)context;
    (void)user;
    assert(hashrate >= 0);
}

static struct stratum *make_engine(const struct env *env, struct now now)
{
    static const uint8_t prefix[100] = {1};
    const struct stratum_events events = {
        .send = on_send,
        .close = on_close,
        .job_commitment = on_job_commitment,
        .share_found = on_share_found,
        .share_judged = on_share_judged,
        .submit_arrived = on_submit_arrived,
        .submit_answered = on_submit_answered,
        .hash_wanted = on_hash_wanted,
        .work_released = on_work_released,
        .session_authorized = on_session,
        .session_closed = on_session_closed,
        .device_refused = on_device_refused,
        .worker_rate_find = on_worker_rate_find,
        .worker_rate_changed = on_worker_rate_changed,
    };
    struct stratum_config config = stratum_config_default(chain_params_by_name("regtest"), 2000);
    struct stratum *stratum = stratum_new(env, &events, &config);
    struct stratum_work work = {
        .height = 5, .prefix = prefix, .prefix_size = sizeof(prefix), .is_clean = true};
    assert(stratum != NULL && stratum_set_work(stratum, &work, now));
    return stratum;
}

// Whether the miner has introduced itself already, and how its bytes are cut, is up to the first
// byte.
static void try_stream(const uint8_t *data, size_t size)
{
    static const char hello[] =
        "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"fuzz/1\"]}\n"
        "{\"id\":2,\"method\":\"mining.authorize\",\"params\":"
        "[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\",\"x\"]}\n";
    struct env env = {.random = no_random, .log = log_new_silent()};
    struct now now = {{1000}, {1700000000000}};
    struct stratum *stratum = make_engine(&env, now);
    struct stratum_peer peer = {.family = 4, .bytes = {192, 0, 2, 1}};
    uint64_t session;
    if (size > 0 && stratum_connected(stratum, &peer, now, &session) == STRATUM_CONNECTED) {
        size_t cut = (size_t)(data[0] >> 1) + 1;
        if (data[0] & 1) {
            stratum_receive(stratum, session, hello, sizeof(hello) - 1, now);
        }
        for (size_t at = 1; at < size; at += cut) {
            stratum_receive(stratum, session, data + at, size - at < cut ? size - at : cut, now);
        }
        now.mono.ms += 31000;
        stratum_tick(stratum, now);
    }
    stratum_free(stratum);
    log_free(env.log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_line((const char *)data, size);
    try_stream(data, size);
    return 0;
}
