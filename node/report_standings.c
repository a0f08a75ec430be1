// The documents "standings", "teams", "team" and "milestones": docs/standings.md says what each
// number means.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/pow/target.h"
#include "node/report_parts.h"
#include "node/standings.h"
#include "node/units.h"

#define TEXT_SIZE 96

// ---- What they have in common

static enum standings_period asked_period(const struct report_call *call)
{
    const char *word = report_value(call, "period")->text;
    if (strcmp(word, "week") == 0)
        return STANDINGS_WEEK;
    return strcmp(word, "all") == 0 ? STANDINGS_ALL : STANDINGS_DAY;
}

static enum standings_kind asked_kind(const struct report_call *call)
{
    const char *word = report_value(call, "kind")->text;
    if (strcmp(word, "best_share") == 0)
        return STANDINGS_BEST_SHARE;
    if (strcmp(word, "streak") == 0)
        return STANDINGS_STREAK;
    return strcmp(word, "blocks") == 0 ? STANDINGS_BLOCKS : STANDINGS_HASHRATE;
}

// False if no team can have this name: the call has failed then.
static bool asked_team(struct report_call *call, const char *name, struct team *team)
{
    const struct api_value *value = report_value(call, name);
    if (team_from_text(value->text, strlen(value->text), team))
        return true;
    report_fail(call, 400, name, "no team has this name: " TEAM_NAME_RULE);
    return false;
}

// Up to which link was counted, and from which on.
static bool write_view(const struct node *node, struct json_writer *writer)
{
    struct standings_view view;
    standings_view(node->standings, &view);
    if (!view.is_known) {
        json_write_null(writer, "tip");
        json_write_null(writer, "since_height");
        json_write_null(writer, "since_at");
        return false;
    }
    json_begin_object(writer, "tip");
    json_write_u64(writer, "height", view.height);
    report_write_id(writer, "id", &view.id);
    json_write_u64(writer, "at", view.time);
    json_end_object(writer);
    json_write_u64(writer, "since_height", view.since);
    json_write_u64(writer, "since_at", view.since_time);
    return true;
}

static void write_period(const struct node *node, const struct report_call *call,
                         struct json_writer *writer)
{
    json_write_text(writer, "period", report_value(call, "period")->text);
    uint32_t seconds;
    uint32_t start = standings_period_start(node->standings, asked_period(call), &seconds);
    bool is_known = write_view(node, writer);
    if (is_known)
        json_write_u64(writer, "begins_at", start);
    else
        json_write_null(writer, "begins_at");
    json_write_u64(writer, "seconds", is_known ? seconds : 0);
}

static double difficulty_of(const struct node *node, const struct hash256 *hash)
{
    struct u256 target = target_of_hash(hash);
    return target_to_difficulty(&target, pow_algorithm(node->pool->chain->pow));
}

static void write_at(struct json_writer *writer, const char *name, uint32_t time)
{
    if (time == 0)
        json_write_null(writer, name);
    else
        json_write_u64(writer, name, time);
}

// What a list needs to know of its period.
struct listing {
    const struct node *node;
    struct json_writer *writer;
    enum standings_period period;
    struct u256 work; // of all
};

static void write_numbers(const struct listing *listing, const struct standings_entry *entry)
{
    struct json_writer *writer = listing->writer;
    double all = u256_to_double(&listing->work);
    report_write_u256(writer, "work", &entry->work);
    json_write_double(writer, "part", all > 0 ? u256_to_double(&entry->work) / all : 0);
    json_write_double(writer, "hashrate", entry->hashrate);
    json_write_u64(writer, "shares", entry->shares);
    json_write_u64(writer, "blocks", entry->blocks);
    if (entry->shares == 0) {
        json_write_null(writer, "best_hash");
        json_write_null(writer, "best_difficulty");
    } else {
        report_write_block_id(writer, "best_hash", &entry->best);
        json_write_double(writer, "best_difficulty", difficulty_of(listing->node, &entry->best));
    }
    json_write_u64(writer, "streak_days", entry->streak_days);
    json_write_u64(writer, "streak_longest_days", entry->streak_longest_days);
    write_at(writer, "first_at", entry->first_at);
    write_at(writer, "last_at", entry->last_at);
}

static void write_address(const struct listing *listing, const struct standings_entry *entry)
{
    struct team team = entry->team;
    bool has_team = entry->subject == STANDINGS_MEMBERS ||
                    standings_main_team(listing->node->standings, &entry->script, &team);
    report_write_payee(listing->writer, listing->node, &entry->script);
    json_write_text(listing->writer, "team", has_team ? team.name : NULL);
}

static void write_team(const struct listing *listing, const struct standings_entry *entry)
{
    size_t members = standings_members(listing->node->standings, &entry->team);
    json_write_text(listing->writer, "name", entry->team.name);
    json_write_u64(listing->writer, "members_count", members);
}

// The page of a list that was asked for: members "count", `name` and "next".
static void write_list(const struct listing *listing, const struct report_call *call,
                       const struct standings_query *query, const char *name)
{
    struct json_writer *writer = listing->writer;
    size_t count;
    struct standings_entry *entries = standings_rank(listing->node->standings, query, &count);
    uint64_t from = report_number(call, "from");
    uint64_t end = from + report_number(call, "limit");
    json_write_u64(writer, "count", count);
    json_begin_array(writer, name);
    for (uint64_t i = from; i < end && i < count; i++) {
        json_begin_object(writer, NULL);
        json_write_u64(writer, "place", i + 1);
        if (query->subject == STANDINGS_TEAMS)
            write_team(listing, &entries[i]);
        else
            write_address(listing, &entries[i]);
        write_numbers(listing, &entries[i]);
        json_end_object(writer);
    }
    json_end_array(writer);
    report_write_next(writer, end < count, end);
    free(entries);
}

static struct listing listing_of(const struct node *node, const struct report_call *call,
                                 struct json_writer *writer)
{
    enum standings_period period = asked_period(call);
    return (struct listing){
        .node = node,
        .writer = writer,
        .period = period,
        .work = standings_work(node->standings, period),
    };
}

// ---- Standings and teams

void report_standings(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct listing listing = listing_of(node, call, writer);
    struct standings_query query = {
        .subject = STANDINGS_ADDRESSES,
        .kind = asked_kind(call),
        .period = listing.period,
    };
    if (report_value(call, "team")->is_given) {
        query.subject = STANDINGS_MEMBERS;
        if (!asked_team(call, "team", &query.team))
            return;
    }
    json_write_text(writer, "kind", report_value(call, "kind")->text);
    json_write_text(writer, "team", query.subject == STANDINGS_MEMBERS ? query.team.name : NULL);
    write_period(node, call, writer);
    write_list(&listing, call, &query, "standings");
}

void report_teams(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct listing listing = listing_of(node, call, writer);
    struct standings_query query = {
        .subject = STANDINGS_TEAMS, .kind = STANDINGS_HASHRATE, .period = listing.period};
    write_period(node, call, writer);
    write_list(&listing, call, &query, "teams");
}

void report_team(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct listing listing = listing_of(node, call, writer);
    struct standings_query query = {
        .subject = STANDINGS_MEMBERS, .kind = STANDINGS_HASHRATE, .period = listing.period};
    struct standings_entry team = {.subject = STANDINGS_TEAMS};
    if (!asked_team(call, "name", &query.team))
        return;
    team.team = query.team;
    if (!standings_find(node->standings, &team, listing.period, &team)) {
        report_fail(call, 404, "name", "the share-chain credits no share of a team \"%s\"",
                    query.team.name);
        return;
    }
    write_team(&listing, &team);
    write_period(node, call, writer);
    write_numbers(&listing, &team);
    write_list(&listing, call, &query, "members");
}

// ---- Milestones

static void milestone_text(const struct node *node, const struct milestone *milestone,
                           char out[TEXT_SIZE])
{
    char number[UNITS_TEXT_SIZE];
    switch (milestone->kind) {
    case MILESTONE_FIRST_GRAIN:
        snprintf(out, TEXT_SIZE, "first grain");
        return;
    case MILESTONE_GRAINS:
        snprintf(out, TEXT_SIZE, "%llu grains", (unsigned long long)milestone->value);
        return;
    case MILESTONE_BLOCK:
        snprintf(out, TEXT_SIZE, "block number %llu", (unsigned long long)milestone->value);
        return;
    case MILESTONE_BEST_SHARE:
        units_count(difficulty_of(node, &milestone->pow), number);
        snprintf(out, TEXT_SIZE, "best share of all so far, difficulty %s", number);
        return;
    case MILESTONE_STREAK:
        snprintf(out, TEXT_SIZE, "%llu days in a row", (unsigned long long)milestone->value);
        return;
    }
}

static void write_milestone(const struct node *node, const struct milestone *milestone,
                            struct json_writer *writer)
{
    char text[TEXT_SIZE] = "";
    milestone_text(node, milestone, text);
    json_begin_object(writer, NULL);
    json_write_u64(writer, "number", milestone->number);
    json_write_text(writer, "kind", milestone_kind_text(milestone->kind));
    json_write_text(writer, "text", text);
    report_write_payee(writer, node, &milestone->script);
    json_write_u64(writer, "value", milestone->value);
    report_write_id(writer, "share", &milestone->share);
    json_write_double(writer, "difficulty", difficulty_of(node, &milestone->pow));
    json_write_u64(writer, "link_height", milestone->height);
    json_write_u64(writer, "at", milestone->time);
    json_end_object(writer);
}

void report_milestones(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct milestone milestone;
    struct script script = {.size = 0};
    bool has_address = report_value(call, "address")->is_given;
    if (has_address && !report_script(node, call, "address", &script))
        return;
    uint64_t from = report_number(call, "from"), limit = report_number(call, "limit");
    uint64_t next = 0, written = 0;
    write_view(node, writer);
    json_begin_array(writer, "milestones");
    for (size_t i = 0; standings_milestone(node->standings, i, &milestone) && next == 0; i++) {
        if ((from != 0 && milestone.number > from) ||
            (has_address && !script_equal(&milestone.script, &script)))
            continue;
        if (written == limit)
            next = milestone.number;
        else
            write_milestone(node, &milestone, writer);
        written++;
    }
    json_end_array(writer);
    report_write_next(writer, next != 0, next);
}
