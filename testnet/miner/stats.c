#include "testnet/miner/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "node/base/json.h"

#define OTHER_REASON "other reasons"

static void clean(const char *text, char out[STATS_REASON_SIZE])
{
    size_t i = 0;
    for (; text[i] != '\0' && i < STATS_REASON_SIZE - 1; i++)
        out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    out[i] = '\0';
}

void stats_reject(struct stats *stats, const char *reason)
{
    char text[STATS_REASON_SIZE];
    clean(reason, text);
    stats->rejected++;
    for (size_t i = 0; i < stats->reasons_count; i++) {
        if (strcmp(stats->reasons[i].text, text) == 0) {
            stats->reasons[i].count++;
            return;
        }
    }
    if (stats->reasons_count < STATS_REASONS_MAX - 1) {
        struct stats_reason *added = &stats->reasons[stats->reasons_count++];
        memcpy(added->text, text, sizeof text);
        added->count = 1;
        return;
    }
    struct stats_reason *other = &stats->reasons[STATS_REASONS_MAX - 1];
    stats->reasons_count = STATS_REASONS_MAX;
    memcpy(other->text, OTHER_REASON, sizeof OTHER_REASON);
    other->count++;
}

void stats_answer(struct stats *stats, int64_t latency_us)
{
    size_t i = 0;
    while (i + 1 < STATS_LATENCIES && (INT64_C(1) << i) <= latency_us)
        i++;
    stats->latencies[i]++;
}

double stats_latency_ms(const struct stats *stats, double part)
{
    uint64_t total = 0;
    for (size_t i = 0; i < STATS_LATENCIES; i++)
        total += stats->latencies[i];
    uint64_t seen = 0;
    for (size_t i = 0; i < STATS_LATENCIES; i++) {
        seen += stats->latencies[i];
        if (seen > 0 && (double)seen >= part * (double)total)
            return (double)(INT64_C(1) << i) / 1000;
    }
    return 0;
}

static double per_second(double count, double seconds)
{
    return seconds > 0 ? count / seconds : 0;
}

static void write_rate(struct buffer *out, double rate)
{
    static const char *const units[] = {"H/s", "kH/s", "MH/s", "GH/s", "TH/s"};
    size_t unit = 0;
    for (; rate >= 1000 && unit < 4; unit++)
        rate /= 1000;
    write_format(out, "%.2f %s", rate, units[unit]);
}

static void write_text_line(const struct stats *stats, const struct stats_moment *moment,
                            struct buffer *out)
{
    write_format(out, "%s %.0f s: ", moment->event, moment->seconds);
    write_rate(out, per_second((double)moment->recent_hashes, moment->recent_seconds));
    write_text(out, " hashed, ");
    write_rate(out, per_second(stats->accepted_work, moment->seconds));
    write_format(out,
                 " by accepted shares; shares %" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64
                 " unanswered, %" PRIu64 " discarded",
                 stats->accepted, stats->rejected, stats->unanswered, stats->discarded);
    write_format(out, "; %" PRIu64 " blocks; difficulty %g; %zu of %zu connections", stats->blocks,
                 stats->difficulty, moment->connections, moment->connections_wanted);
    write_format(out, "; answers within %g ms (half), %g ms (99 %%)", stats_latency_ms(stats, 0.5),
                 stats_latency_ms(stats, 0.99));
    for (size_t i = 0; i < stats->reasons_count; i++)
        write_format(out, "; rejected %" PRIu64 "x \"%s\"", stats->reasons[i].count,
                     stats->reasons[i].text);
    write_text(out, "\n");
}

static void write_json_line(const struct stats *stats, const struct stats_moment *moment,
                            struct buffer *out)
{
    struct json_writer json;
    json_writer_init(&json, out);
    json_begin_object(&json, NULL);
    json_write_text(&json, "event", moment->event);
    json_write_double(&json, "seconds", moment->seconds);
    json_write_double(&json, "hashrate",
                      per_second((double)moment->recent_hashes, moment->recent_seconds));
    json_write_double(&json, "hashrate_average",
                      per_second((double)stats->hashes, moment->seconds));
    json_write_double(&json, "hashrate_accepted",
                      per_second(stats->accepted_work, moment->seconds));
    json_write_u64(&json, "hashes", stats->hashes);
    json_write_u64(&json, "submitted", stats->submitted);
    json_write_u64(&json, "accepted", stats->accepted);
    json_write_u64(&json, "rejected", stats->rejected);
    json_write_u64(&json, "unanswered", stats->unanswered);
    json_write_u64(&json, "discarded", stats->discarded);
    json_write_u64(&json, "blocks", stats->blocks);
    json_write_double(&json, "difficulty", stats->difficulty);
    json_write_u64(&json, "connections", moment->connections);
    json_write_u64(&json, "connections_wanted", moment->connections_wanted);
    json_write_u64(&json, "connects", stats->connects);
    json_write_u64(&json, "disconnects", stats->disconnects);
    json_write_u64(&json, "failures", stats->failures);
    json_write_double(&json, "latency_p50_ms", stats_latency_ms(stats, 0.5));
    json_write_double(&json, "latency_p99_ms", stats_latency_ms(stats, 0.99));
    json_begin_object(&json, "reasons");
    for (size_t i = 0; i < stats->reasons_count; i++)
        json_write_u64(&json, stats->reasons[i].text, stats->reasons[i].count);
    json_end_object(&json);
    json_end_object(&json);
    write_text(out, "\n");
}

void stats_write(const struct stats *stats, const struct stats_moment *moment, bool is_json,
                 struct buffer *out)
{
    if (is_json)
        write_json_line(stats, moment, out);
    else
        write_text_line(stats, moment, out);
}
