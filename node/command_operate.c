// The commands that change a running node: one row each, from the words of the command line to the
// members of an action (operate.h).
#include <stdio.h>
#include <string.h>
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/owner.h"
#include "node/units.h"

#define LINE_SIZE 2048

struct row {
    const char *command;
    const char *action;
    const char *argument; // what the first argument is; NULL: there is none
    const char *done;     // what is said; NULL: more than this
};

static const struct row rows[] = {
    {"ban", "peers/ban", "address", NULL},
    {"unban", "peers/unban", "address", "unbanned"},
    {"disconnect", "miners/disconnect", "session", "disconnected"},
    {"log-level", "log-level", "level", "in force until the next reload or restart"},
    {"reload", "config/reload", NULL, NULL},
    {"drain", "drain", NULL, NULL},
    {"undrain", "undrain", NULL, "miners are taken again"},
};

static const struct row *find_row(const char *command)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].command, command) == 0)
            return &rows[i];
    }
    return NULL;
}

// ---- The question

static bool write_ban(const struct command_line *line, struct json_writer *writer)
{
    const char *length = command_line_value(line, "for");
    const char *reason = command_line_value(line, "reason");
    int64_t seconds;
    if (length != NULL && !units_parse_duration(length, &seconds)) {
        command_fail(EXIT_MISUSED, "--for: \"%.60s\" is no time; right is 1d, 12h or 30m", length);
        return false;
    }
    if (length != NULL)
        json_write_i64(writer, "seconds", seconds);
    if (reason != NULL)
        json_write_text(writer, "reason", reason);
    return true;
}

static bool write_question(const struct row *row, const struct command_line *line,
                           struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", row->action);
    if (row->argument != NULL)
        json_write_text(&writer, row->argument, line->arguments[0]);
    if (strcmp(row->command, "ban") == 0 && !write_ban(line, &writer))
        return false;
    json_end_object(&writer);
    return true;
}

// ---- The answer

static void say_ban(struct json_value answer)
{
    uint64_t ended = 0;
    json_to_u64(json_get(answer, "links_ended"), &ended);
    printf("banned; %llu links with it have ended\n", (unsigned long long)ended);
}

static void say_drain(struct json_value answer)
{
    uint64_t sent = 0;
    json_to_u64(json_get(answer, "miners_sent_away"), &sent);
    printf("drained: %llu connections of miners were sent away; \"shoal undrain\" takes miners "
           "again\n",
           (unsigned long long)sent);
}

static void say_reload(struct json_value answer)
{
    struct json_value changed = json_get(answer, "changed");
    if (json_size(changed) == 0)
        printf("read again: nothing is new\n");
    for (struct json_value v = json_first(changed); json_exists(v); v = json_next(v)) {
        char key[64] = "";
        bool needs_restart = false;
        json_to_text(json_get(v, "key"), key, sizeof(key));
        json_to_bool(json_get(v, "needs_restart"), &needs_restart);
        printf("%s: %s\n", key, needs_restart ? "changed, but takes a restart" : "in force");
    }
    struct json_value warnings = json_get(answer, "warnings");
    for (struct json_value v = json_first(warnings); json_exists(v); v = json_next(v)) {
        char text[512] = "";
        json_to_text(v, text, sizeof(text));
        fprintf(stderr, "shoal: warning: %s\n", text);
    }
}

static void say(const struct row *row, struct json_value answer)
{
    if (row->done != NULL)
        printf("%s\n", row->done);
    else if (strcmp(row->command, "ban") == 0)
        say_ban(answer);
    else if (strcmp(row->command, "drain") == 0)
        say_drain(answer);
    else
        say_reload(answer);
}

static int run(const struct row *row, const struct command_line *line)
{
    char error[ASK_ERROR_SIZE] = "this is too long";
    uint8_t bytes[LINE_SIZE];
    struct buffer text;
    buffer_init_fixed(&text, bytes, sizeof(bytes));
    if (!write_question(row, line, &text))
        return EXIT_MISUSED;
    struct owner *owner = owner_open(line->config.data, true, error);
    if (owner == NULL)
        return command_fail(EXIT_UNREACHED, "%s", error);
    struct json *json = text.failed ? NULL : owner_ask(owner, &text, error);
    int status = json == NULL ? command_fail(EXIT_FAILED, "%s", error) : EXIT_OK;
    if (json != NULL)
        say(row, json_root(json));
    json_free(json);
    owner_close(owner);
    return status;
}

int command_operate(const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    int status = run(find_row(name), line);
    command_line_free(line);
    return status;
}
