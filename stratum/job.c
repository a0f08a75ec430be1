#include "stratum/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/base/hex.h"

#define TAIL_SIZE_MAX (64 + MERKLE_BRANCH_MAX * 67 + 32)

// prevhash travels with the bytes of each 4-byte word reversed.
static void write_prev_text(const struct hash256 *prev, char out[64])
{
    uint8_t swapped[32];
    char text[65];
    for (size_t i = 0; i < sizeof(swapped); i++) {
        swapped[i] = prev->bytes[i ^ 3];
    }
    hex_encode(swapped, sizeof(swapped), text);
    memcpy(out, text, 64);
}

// `","coinb2",[branches],"version","nbits","`
static void write_tail(const struct stratum_work *source, struct buffer *out)
{
    char hex[65];
    uint32_t locktime = (uint32_t)(source->height - 1);
    write_format(out, "\",\"%08x\",[", __builtin_bswap32(locktime));
    for (size_t i = 0; i < source->branch.count; i++) {
        hash_to_hex(&source->branch.hashes[i], hex);
        write_format(out, "%s\"%s\"", i == 0 ? "" : ",", hex);
    }
    write_format(out, "],\"%08x\",\"%08x\",\"", source->version, source->bits);
}

struct work *work_new(const struct stratum_work *source, uint64_t era, struct mono_time now)
{
    char tail[TAIL_SIZE_MAX];
    struct buffer out;
    buffer_init_fixed(&out, tail, sizeof(tail));
    write_tail(source, &out);
    // One more byte for the zero that hex_encode writes.
    struct work *work =
        malloc(sizeof(*work) + source->prefix_size + 2 * source->prefix_size + 1 + out.size);
    if (work == NULL) {
        return NULL;
    }
    *work = (struct work){.refs = 1,
                          .era = era,
                          .made = now,
                          .prev = source->prev,
                          .height = source->height,
                          .version = source->version,
                          .bits = source->bits,
                          .time = source->time,
                          .min_time = source->min_time,
                          .branch = source->branch,
                          .network_target = source->network_target,
                          .owner = source->owner,
                          .prefix_size = source->prefix_size,
                          .tail_size = out.size};
    work->prefix = (uint8_t *)(work + 1);
    work->prefix_hex = (char *)work->prefix + source->prefix_size;
    work->tail = work->prefix_hex + 2 * source->prefix_size + 1;
    memcpy(work->prefix, source->prefix, source->prefix_size);
    hex_encode(source->prefix, source->prefix_size, work->prefix_hex);
    memcpy(work->tail, tail, out.size);
    write_prev_text(&source->prev, work->prev_text);
    sha256_init(&work->prefix_state);
    sha256_update(&work->prefix_state, source->prefix, source->prefix_size);
    return work;
}

void work_free(struct work *work)
{
    free(work);
}

static struct own_prefix *own_prefix_new(const struct buffer *bytes)
{
    struct own_prefix *prefix = malloc(sizeof(*prefix) + bytes->size);
    if (prefix == NULL) {
        return NULL;
    }
    prefix->size = bytes->size;
    memcpy(prefix->bytes, bytes->data, bytes->size);
    sha256_init(&prefix->state);
    sha256_update(&prefix->state, bytes->data, bytes->size);
    return prefix;
}

// A refreshed job of an old work goes with the clock, not with the time at which the work was made.
static uint32_t header_time(const struct work *work, struct mono_time now)
{
    int64_t passed = (now.ms - work->made.ms) / 1000;
    return work->time + (uint32_t)(passed > 0 ? passed : 0);
}

struct job *job_new(struct work *work, const struct job_options *options, struct mono_time now)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    if (options->own_prefix->size > 0) {
        job->own_prefix = own_prefix_new(options->own_prefix);
        if (job->own_prefix == NULL) {
            free(job);
            return NULL;
        }
    }
    job->refs = 1;
    job->id = options->id;
    job->work = work;
    job->target = options->target;
    job->difficulty = options->difficulty;
    job->made = now;
    job->time = header_time(work, now);
    job->commitment = *options->commitment;
    job->payout = *options->payout;
    if (job->time > job->commitment.time_max) {
        job->time = job->commitment.time_max;
    }
    work->refs++;
    return job;
}

struct work *job_free(struct job *job)
{
    struct work *work = job->work;
    duplicates_clear(&job->seen);
    free(job->own_prefix);
    free(job);
    return work;
}

size_t job_notify_size_max(const struct work *work)
{
    size_t prefix =
        work->prefix_size > STRATUM_OWN_PREFIX_MAX ? work->prefix_size : STRATUM_OWN_PREFIX_MAX;
    return 2 * prefix + work->tail_size + 256;
}

// The digits of `bytes` go straight into the line.
static void write_hex(struct buffer *out, const uint8_t *bytes, size_t size)
{
    if (buffer_reserve(out, 2 * size + 1)) {
        hex_encode(bytes, size, (char *)out->data + out->size);
        out->size += 2 * size;
    }
}

void job_write_notify(const struct job *job, bool is_clean, struct buffer *out)
{
    const struct work *work = job->work;
    if (!buffer_reserve(out, job_notify_size_max(work))) {
        return;
    }
    write_format(out, "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"%08x\",\"", job->id);
    write_bytes(out, work->prev_text, sizeof(work->prev_text));
    write_bytes(out, "\",\"", 3);
    if (job->own_prefix != NULL) {
        write_hex(out, job->own_prefix->bytes, job->own_prefix->size);
    } else {
        write_bytes(out, work->prefix_hex, 2 * work->prefix_size);
    }
    write_hex(out, job->commitment.share_info_hash.bytes, 32);
    write_bytes(out, work->tail, work->tail_size);
    write_format(out, "%08x\",%s]}\n", job->time, is_clean ? "true" : "false");
}

void job_header(const struct job *job, const struct job_solution *solution,
                uint8_t header_bytes[HEADER_SIZE])
{
    const struct work *work = job->work;
    const struct sha256 *state =
        job->own_prefix != NULL ? &job->own_prefix->state : &work->prefix_state;
    struct header header = {.version = solution->version,
                            .prev = work->prev,
                            .time = solution->time,
                            .bits = work->bits,
                            .nonce = solution->nonce};
    struct hash256 txid;
    coinbase_txid(state, &job->commitment.share_info_hash, solution->extranonce, work->height,
                  &txid);
    merkle_branch_root(&work->branch, &txid, &header.merkle_root);
    header_encode(&header, header_bytes);
}
