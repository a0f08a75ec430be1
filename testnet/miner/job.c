#include "testnet/miner/job.h"

#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"
#include "testnet/common/memory.h"

#define PARAMS_COUNT 9

// A string of hex digits of any even size up to size_max bytes.
static bool read_hex(struct json_value value, size_t size_max, uint8_t **out, size_t *size)
{
    const char *text;
    size_t text_size;
    if (!json_is_text(value))
        return false;
    json_raw(value, &text, &text_size);
    if (text_size % 2 != 0 || text_size / 2 > size_max)
        return false;
    *size = text_size / 2;
    *out = memory_new(*size, 1);
    return hex_decode(text, text_size, *out, *size);
}

// Numbers are eight hex digits, most significant first.
static bool read_number(struct json_value value, uint32_t *number)
{
    uint8_t bytes[4];
    if (!json_to_hex(value, bytes, sizeof bytes))
        return false;
    *number =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

// The hash with the bytes of each of its eight words reversed, by an old habit.
static bool read_prev(struct json_value value, struct hash256 *prev)
{
    uint8_t bytes[32];
    if (!json_to_hex(value, bytes, sizeof bytes))
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        prev->bytes[i] = bytes[i ^ 3];
    return true;
}

static bool read_branches(struct json_value value, struct job *job)
{
    if (!json_is_array(value) || json_size(value) > JOB_BRANCHES_MAX)
        return false;
    for (struct json_value v = json_first(value); json_exists(v); v = json_next(v)) {
        struct hash256 *branch = &job->branches[job->branches_count++];
        if (!json_to_hex(v, branch->bytes, sizeof branch->bytes))
            return false;
    }
    return true;
}

// The name of the first parameter that is wrong, NULL if all are right.
static const char *read_params(struct job *job, const struct json_value *params)
{
    char id[JOB_ID_MAX + 1];
    if (!json_to_text(params[0], id, sizeof id) || id[0] == '\0')
        return "job id";
    if (!read_prev(params[1], &job->prev))
        return "previous hash";
    if (!read_hex(params[2], JOB_COINBASE_MAX, &job->coinbase1, &job->coinbase1_size))
        return "first half of the coinbase";
    if (!read_hex(params[3], JOB_COINBASE_MAX, &job->coinbase2, &job->coinbase2_size))
        return "second half of the coinbase";
    if (!read_branches(params[4], job))
        return "merkle branches";
    if (!read_number(params[5], &job->version))
        return "version";
    if (!read_number(params[6], &job->bits))
        return "bits";
    if (!read_number(params[7], &job->time))
        return "time";
    if (!json_to_bool(params[8], &job->is_clean))
        return "clean flag";
    memcpy(job->id, id, sizeof id);
    return NULL;
}

bool job_read(struct job *job, struct json_value params, const char **what)
{
    struct json_value values[PARAMS_COUNT];
    size_t count = 0;
    *job = (struct job){0};
    for (struct json_value v = json_first(params); json_exists(v); v = json_next(v)) {
        if (count < PARAMS_COUNT)
            values[count++] = v;
    }
    *what = "parameters";
    if (count == PARAMS_COUNT)
        *what = read_params(job, values);
    if (*what == NULL)
        return true;
    job_clear(job);
    return false;
}

void job_clear(struct job *job)
{
    free(job->coinbase1);
    free(job->coinbase2);
    *job = (struct job){0};
}

void job_header(const struct job *job, const struct extranonce *extranonce, const uint8_t *second,
                uint32_t version, uint8_t header[HEADER_SIZE])
{
    struct header fields = {
        .version = version, .prev = job->prev, .time = job->time, .bits = job->bits};
    struct sha256 sha;
    sha256_init(&sha);
    sha256_update(&sha, job->coinbase1, job->coinbase1_size);
    sha256_update(&sha, extranonce->first, extranonce->first_size);
    sha256_update(&sha, second, extranonce->second_size);
    sha256_update(&sha, job->coinbase2, job->coinbase2_size);
    sha256d_final(&sha, &fields.merkle_root);
    for (size_t i = 0; i < job->branches_count; i++) {
        uint8_t pair[64];
        memcpy(pair, fields.merkle_root.bytes, 32);
        memcpy(pair + 32, job->branches[i].bytes, 32);
        sha256d_64(pair, &fields.merkle_root);
    }
    header_encode(&fields, header);
}
