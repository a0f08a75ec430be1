#include "tests/bench/node_bench_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/target.h"
#include "testnet/common/memory.h"
#include "tests/bench/node_bench_process.h"

#define LINE_MAX_SIZE 512
#define SCAN_COUNT    65536
#define ID_FIRST      100000 // six digits each
#define ID_COUNT      900000

static void append(struct work_lines *lines, const struct work_search *search, uint32_t nonce)
{
    char line[LINE_MAX_SIZE];
    int size =
        snprintf(line, sizeof line,
                 "{\"id\":%zu,\"method\":\"mining.submit\",\"params\":[\"%s\",\"%s\",\"%0*d\","
                 "\"%08x\",\"%08x\"]}\n",
                 ID_FIRST + lines->count % ID_COUNT, search->user, search->job->id,
                 (int)(2 * search->extranonce.second_size), 0, search->job->time, nonce);
    size_t begin = lines->count == 0 ? 0 : lines->ends[lines->count - 1];
    char *text = realloc(lines->text, begin + (size_t)size);
    size_t *ends = realloc(lines->ends, (lines->count + 1) * sizeof *ends);
    if (size < 0 || size >= LINE_MAX_SIZE || text == NULL || ends == NULL)
        process_fail("out of memory, or a line of %d bytes", size);
    memcpy(text + begin, line, (size_t)size);
    lines->text = text;
    lines->ends = ends;
    lines->ends[lines->count++] = begin + (size_t)size;
}

// Takes from the hits what lies in the band, until there is enough.
static size_t take_hits(const struct work_search *search, const struct scan_hits *hits,
                        const struct work_band *band, size_t wanted, struct work_lines *lines)
{
    size_t taken = 0;
    for (size_t i = 0; i < hits->count && taken < wanted; i++) {
        if (target_is_met(&hits->hits[i].hash, &band->above))
            continue;
        append(lines, search, hits->hits[i].nonce);
        taken++;
    }
    return taken;
}

void work_find(struct work_search *search, const struct work_band *band, size_t count,
               struct work_lines *lines)
{
    struct scan_work work = {.target = band->most};
    struct scan_hits *hits = memory_new(1, sizeof *hits);
    uint8_t second[JOB_EXTRANONCE2_MAX] = {0};
    job_header(search->job, &search->extranonce, second, search->job->version, work.header);
    scan_work_prepare(&work);
    while (count > 0) {
        uint64_t left = (UINT64_C(1) << 32) - search->nonce;
        if (left == 0)
            process_fail("no more nonces");
        search->nonce += scanner_scan(search->scanner, &work, (uint32_t)search->nonce,
                                      left < SCAN_COUNT ? left : SCAN_COUNT, hits);
        count -= take_hits(search, hits, band, count, lines);
    }
    free(hits);
}

// Moves the next line of one set behind the last of another, which has room.
static void move_line(struct work_lines *from, struct work_lines *to)
{
    size_t begin = from->next == 0 ? 0 : from->ends[from->next - 1];
    size_t size = from->ends[from->next++] - begin;
    size_t end = to->count == 0 ? 0 : to->ends[to->count - 1];
    memcpy(to->text + end, from->text + begin, size);
    to->ends[to->count++] = end + size;
}

void work_lines_mix(struct work_lines *many, struct work_lines *few, size_t every,
                    struct work_lines *mixed)
{
    size_t count = many->count + few->count;
    *mixed = (struct work_lines){
        .text = memory_new(many->ends[many->count - 1] + few->ends[few->count - 1], 1),
        .ends = memory_new(count, sizeof *mixed->ends)};
    for (size_t i = 1; i <= count; i++)
        move_line(i % every == 0 ? few : many, mixed);
    work_lines_clear(many);
    work_lines_clear(few);
}

void work_lines_clear(struct work_lines *lines)
{
    free(lines->text);
    free(lines->ends);
    *lines = (struct work_lines){.count = 0};
}
