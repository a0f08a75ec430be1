// `shoal account`, `shoal token` and `shoal audit`: who may do what, and who did. Goes through the
// node, or with no node running through its files.
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/api/password.h"
#include "node/command_line.h"
#include "node/command_text.h"
#include "node/owner.h"
#include "node/password_prompt.h"
#include "node/console.h"
#include "node/text_table.h"
#include "node/units.h"

#define LINE_SIZE 1024
#define NAME_SIZE 64
#define SHOWN_MAX (1u << 24)

// ---- A line, and its answer

struct question {
    uint8_t bytes[LINE_SIZE];
    struct buffer line;
    struct json_writer writer;
};

static void question_begin(struct question *question, const char *command)
{
    buffer_init_fixed(&question->line, question->bytes, sizeof(question->bytes));
    json_writer_init(&question->writer, &question->line);
    json_begin_object(&question->writer, NULL);
    json_write_text(&question->writer, "command", command);
}

static void question_end(struct question *question)
{
    json_end_object(&question->writer);
}

static struct owner *open_owner(const struct command_line *line)
{
    char error[ASK_ERROR_SIZE];
    struct owner *owner = owner_open(line->config.data, false, error);
    if (owner == NULL)
        command_fail(EXIT_FAILED, "%s", error);
    return owner;
}

// NULL if it failed, which has been said.
static struct json *ask(struct owner *owner, const struct question *question)
{
    char error[ASK_ERROR_SIZE] = "this is too long";
    struct json *json = NULL;
    if (!question->line.failed)
        json = owner_ask(owner, &question->line, error);
    if (json == NULL)
        command_fail(EXIT_FAILED, "%s", error);
    return json;
}

static void text_of(struct json_value object, const char *name, char *out, size_t size)
{
    if (!json_to_text(json_get(object, name), out, size))
        snprintf(out, size, "-");
}

static int64_t time_of(struct json_value object, const char *name)
{
    int64_t at = 0;
    json_to_i64(json_get(object, name), &at);
    return at;
}

static int print_table(struct text_table *table, const char *empty)
{
    struct buffer text;
    buffer_init(&text, SHOWN_MAX);
    if (table == NULL)
        return command_fail(EXIT_FAILED, "out of memory");
    struct text_table_look look = {console_width(), console_has_colours(), empty};
    text_table_write(table, &look, &text);
    text_table_free(table);
    return command_print(&text);
}

// ---- Passwords

// The hash of a new password; false if there is none, which has been said.
static bool ask_password(char hash[PASSWORD_HASH_SIZE])
{
    char first[PASSWORD_PROMPT_SIZE], second[PASSWORD_PROMPT_SIZE] = "";
    struct password_job job = {.is_right = false};
    bool is_terminal = password_prompt_is_terminal();
    const char *wrong = "was not given; type it, or lead a line with it into standard input";
    if (password_prompt_read("New password: ", first))
        wrong = password_wrong(first);
    if (wrong == NULL && is_terminal &&
        (!password_prompt_read("Once more: ", second) || strcmp(first, second) != 0))
        wrong = "was not the same both times";
    if (wrong == NULL) {
        snprintf(job.fresh, sizeof(job.fresh), "%.128s", first);
        password_job_run(&job);
        wrong = job.hash[0] == '\0' ? "cannot be hashed: out of memory" : NULL;
    }
    sodium_memzero(first, sizeof(first));
    sodium_memzero(second, sizeof(second));
    if (wrong != NULL)
        command_fail(EXIT_FAILED, "the password %s", wrong);
    snprintf(hash, PASSWORD_HASH_SIZE, "%s", job.hash);
    return wrong == NULL;
}

// ---- Accounts

static int ask_and_say(struct owner *owner, struct question *question, const char *said)
{
    struct json *json = ask(owner, question);
    if (json == NULL)
        return EXIT_FAILED;
    json_free(json);
    printf("%s\n", said);
    return EXIT_OK;
}

static int account_add(const struct command_line *line, struct owner *owner)
{
    struct question question;
    char hash[PASSWORD_HASH_SIZE];
    const char *role = command_line_value(line, "role");
    if (role == NULL)
        return command_fail(EXIT_MISUSED, "say what the account may do: --role viewer, operator "
                                          "or admin");
    if (!ask_password(hash))
        return EXIT_FAILED;
    question_begin(&question, "accounts/add");
    json_write_text(&question.writer, "name", line->arguments[0]);
    json_write_text(&question.writer, "role", role);
    json_write_text(&question.writer, "hash", hash);
    question_end(&question);
    return ask_and_say(owner, &question, "added");
}

static int account_list(const struct command_line *line, struct owner *owner)
{
    (void)line;
    struct question question;
    question_begin(&question, "accounts");
    question_end(&question);
    struct json *json = ask(owner, &question);
    if (json == NULL)
        return EXIT_FAILED;
    struct text_table *table = text_table_new("name|role|second factor|>sessions|made");
    struct json_value accounts = json_get(json_root(json), "accounts");
    int64_t now = time_of(json_root(json), "now");
    for (struct json_value v = json_first(accounts); json_exists(v) && table != NULL;
         v = json_next(v)) {
        char name[NAME_SIZE], role[NAME_SIZE], made[UNITS_TEXT_SIZE];
        bool has_totp = false;
        json_to_bool(json_get(v, "has_totp"), &has_totp);
        text_of(v, "name", name, sizeof(name));
        text_of(v, "role", role, sizeof(role));
        units_ago(now, time_of(v, "created_at"), made);
        text_table_add(table, name);
        text_table_add(table, role);
        text_table_add(table, has_totp ? "yes" : "no");
        text_table_add_format(table, "%" PRId64, time_of(v, "sessions"));
        text_table_add(table, made);
    }
    json_free(json);
    return print_table(table, "no accounts yet: shoal account add NAME --role admin");
}

static int account_remove(const struct command_line *line, struct owner *owner)
{
    struct question question;
    question_begin(&question, "accounts/remove");
    json_write_text(&question.writer, "name", line->arguments[0]);
    question_end(&question);
    return ask_and_say(owner, &question, "removed, with its sessions and tokens");
}

static int account_password(const struct command_line *line, struct owner *owner)
{
    struct question question;
    char hash[PASSWORD_HASH_SIZE];
    if (!ask_password(hash))
        return EXIT_FAILED;
    question_begin(&question, "accounts/password");
    json_write_text(&question.writer, "name", line->arguments[0]);
    json_write_text(&question.writer, "hash", hash);
    question_end(&question);
    return ask_and_say(owner, &question, "changed; its sessions have ended");
}

static void totp_question(struct question *question, const char *name, const char *code)
{
    question_begin(question, "accounts/totp");
    json_write_text(&question->writer, "name", name);
    if (code != NULL)
        json_write_text(&question->writer, "code", code);
    question_end(question);
}

static int account_totp(const struct command_line *line, struct owner *owner)
{
    struct question question;
    char secret[NAME_SIZE], uri[LINE_SIZE], code[PASSWORD_PROMPT_SIZE];
    const char *name = line->arguments[0];
    if (command_line_has(line, "remove")) {
        question_begin(&question, "accounts/totp-remove");
        json_write_text(&question.writer, "name", name);
        question_end(&question);
        return ask_and_say(owner, &question, "the second factor is gone");
    }
    totp_question(&question, name, NULL);
    struct json *json = ask(owner, &question);
    if (json == NULL)
        return EXIT_FAILED;
    text_of(json_root(json), "secret", secret, sizeof(secret));
    text_of(json_root(json), "uri", uri, sizeof(uri));
    json_free(json);
    printf("%s\n%s\nType this secret into the app that shows codes, or make a QR code of the "
           "second line.\n",
           secret, uri);
    fflush(stdout);
    if (!password_prompt_read("Code that it shows now: ", code))
        return command_fail(EXIT_FAILED, "no code was given: nothing was changed");
    totp_question(&question, name, code);
    return ask_and_say(owner, &question, "in force: a code is asked for from now on");
}

struct verb {
    const char *name;
    int (*run)(const struct command_line *line, struct owner *owner);
};

static int run_verb(const struct verb *verbs, const char *name, int argc, const char *const *argv)
{
    struct command_line *line = command_line_new(name, argc, argv);
    if (line == NULL)
        return EXIT_MISUSED;
    struct owner *owner = open_owner(line);
    int status = EXIT_FAILED;
    for (; owner != NULL && verbs->name != NULL; verbs++) {
        if (line->verb == NULL || strcmp(verbs->name, line->verb->name) == 0) {
            status = verbs->run(line, owner);
            break;
        }
    }
    owner_close(owner);
    command_line_free(line);
    return status;
}

int command_account(const char *name, int argc, const char *const *argv)
{
    static const struct verb verbs[] = {
        {"add", account_add},           {"list", account_list}, {"remove", account_remove},
        {"password", account_password}, {"totp", account_totp}, {NULL, NULL},
    };
    return run_verb(verbs, name, argc, argv);
}

// ---- Tokens

static int token_create(const struct command_line *line, struct owner *owner)
{
    struct question question;
    char token[LINE_SIZE];
    int64_t seconds = 0;
    const char *role = command_line_value(line, "role"), *label = command_line_value(line, "label");
    const char *expires = command_line_value(line, "expires");
    if (role == NULL || label == NULL)
        return command_fail(EXIT_MISUSED, "say what the token may do (--role) and what it is for "
                                          "(--label TEXT)");
    if (expires != NULL && strcmp(expires, "never") != 0 &&
        !units_parse_duration(expires, &seconds))
        return command_fail(EXIT_MISUSED,
                            "--expires: \"%.60s\" is no time; right is 90d, 12h, 30m or never",
                            expires);
    question_begin(&question, "tokens/create");
    json_write_text(&question.writer, "label", label);
    json_write_text(&question.writer, "role", role);
    if (expires != NULL)
        json_write_i64(&question.writer, "expires_s", seconds);
    question_end(&question);
    struct json *json = ask(owner, &question);
    if (json == NULL)
        return EXIT_FAILED;
    text_of(json_root(json), "token", token, sizeof(token));
    json_free(json);
    printf("%s\n", token);
    fprintf(stderr, "This is shown once. It goes into the header: Authorization: Bearer TOKEN\n");
    sodium_memzero(token, sizeof(token));
    return EXIT_OK;
}

static void write_until(struct json_value token, int64_t now, char out[UNITS_TEXT_SIZE])
{
    bool is_expired = false;
    json_to_bool(json_get(token, "is_expired"), &is_expired);
    if (is_expired)
        snprintf(out, UNITS_TEXT_SIZE, "over");
    else if (!json_is_present(json_get(token, "expires_at")))
        snprintf(out, UNITS_TEXT_SIZE, "never");
    else
        units_ago(now, time_of(token, "expires_at"), out);
}

static int token_list(const struct command_line *line, struct owner *owner)
{
    (void)line;
    struct question question;
    question_begin(&question, "tokens");
    question_end(&question);
    struct json *json = ask(owner, &question);
    if (json == NULL)
        return EXIT_FAILED;
    struct text_table *table = text_table_new("id|label|role|made by|expires|used");
    struct json_value tokens = json_get(json_root(json), "tokens");
    static const char *const names[] = {"id", "label", "role", "owner"};
    int64_t now = time_of(json_root(json), "now");
    for (struct json_value v = json_first(tokens); json_exists(v) && table != NULL;
         v = json_next(v)) {
        char text[LINE_SIZE], until[UNITS_TEXT_SIZE], used[UNITS_TEXT_SIZE];
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            text_of(v, names[i], text, sizeof(text));
            text_table_add(table, text);
        }
        write_until(v, now, until);
        units_ago(now, time_of(v, "used_at"), used);
        text_table_add(table, until);
        text_table_add(table, used);
    }
    json_free(json);
    return print_table(table, "no tokens: shoal token create --role R --label TEXT");
}

static int token_revoke(const struct command_line *line, struct owner *owner)
{
    struct question question;
    question_begin(&question, "tokens/revoke");
    json_write_text(&question.writer, "id", line->arguments[0]);
    question_end(&question);
    return ask_and_say(owner, &question, "revoked");
}

int command_token(const char *name, int argc, const char *const *argv)
{
    static const struct verb verbs[] = {
        {"create", token_create}, {"list", token_list}, {"revoke", token_revoke}, {NULL, NULL}};
    return run_verb(verbs, name, argc, argv);
}

// ---- The audit log

static int audit_show(const struct command_line *line, struct owner *owner)
{
    struct question question;
    const char *limit = command_line_value(line, "limit");
    question_begin(&question, "audit");
    json_write_text(&question.writer, "limit", limit != NULL ? limit : "50");
    question_end(&question);
    struct json *json = ask(owner, &question);
    if (json == NULL)
        return EXIT_FAILED;
    struct text_table *table = text_table_new(">number|when|who|from|action|what|result");
    struct json_value entries = json_get(json_root(json), "entries");
    static const char *const names[] = {"who", "from", "action", "what", "result"};
    int64_t now = time_of(json_root(json), "now");
    for (struct json_value v = json_first(entries); json_exists(v) && table != NULL;
         v = json_next(v)) {
        char text[LINE_SIZE * 4], when[UNITS_TEXT_SIZE];
        units_ago(now, time_of(v, "at"), when);
        text_table_add_format(table, "%" PRId64, time_of(v, "number"));
        text_table_add(table, when);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            text_of(v, names[i], text, sizeof(text));
            text_table_add(table, text);
        }
    }
    json_free(json);
    return print_table(table, "nothing has been done yet");
}

int command_audit(const char *name, int argc, const char *const *argv)
{
    static const struct verb verbs[] = {{"", audit_show}, {NULL, NULL}};
    return run_verb(verbs, name, argc, argv);
}
