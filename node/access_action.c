#include "node/access_action.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PAGE     50
#define PAGE_MAX 500
#define EXACT    (UINT64_C(1) << 53) // what JSON readers keep exactly

#define MEMBERS(array) .members = (array), .members_count = sizeof(array) / sizeof((array)[0])
#define NAME_MEMBER                                                                                \
    {                                                                                              \
        {"name", API_NAME, 1, ACCESS_NAME_SIZE - 1, 0, NULL, "The name of the account."}, true     \
    }
#define HASH_MEMBER                                                                                \
    {                                                                                              \
        {"hash", API_NAME, 1, PASSWORD_HASH_SIZE - 1, 0, NULL, "The password's argon2id hash."},   \
            true                                                                                   \
    }
#define ROLE_MEMBER                                                                                \
    {                                                                                              \
        {"role", API_WORD, 0, 0, 0, "viewer operator admin", "What it may do."}, true              \
    }

static void begin(const struct access_action *action, const struct access_call *call,
                  struct json_writer *answer)
{
    json_begin_object(answer, NULL);
    json_write_text(answer, "document", action->name);
    json_write_i64(answer, "now", wall_seconds(call->change.now.wall));
}

static enum api_role role_of(const struct api_value *value)
{
    enum api_role role = API_PUBLIC;
    api_role_from_text(value->text, &role); // a word of the list
    return role;
}

// ---- Accounts

static bool list_accounts(struct access_call *call, struct json_writer *answer)
{
    access_write_accounts(call->access, answer);
    return true;
}

static const struct api_member add_members[] = {NAME_MEMBER, ROLE_MEMBER, HASH_MEMBER};

static bool add_account(struct access_call *call, struct json_writer *answer)
{
    json_write_text(answer, "name", call->values[0].text);
    return access_account_add(call->access, &call->change, call->values[0].text,
                              role_of(&call->values[1]), call->values[2].text);
}

static const struct api_member name_members[] = {NAME_MEMBER};

static bool remove_account(struct access_call *call, struct json_writer *answer)
{
    json_write_text(answer, "name", call->values[0].text);
    return access_account_remove(call->access, &call->change, call->values[0].text);
}

static const struct api_member password_members[] = {NAME_MEMBER, HASH_MEMBER};

static bool set_password(struct access_call *call, struct json_writer *answer)
{
    struct password_job job = {.is_right = false};
    const char *hash = call->values[1].text;
    if (!password_hash_is_ours(hash))
        return api_problem_set(&call->change.problem, 400, "hash",
                               "hash: this is no hash of this program's kind (argon2id).");
    snprintf(job.hash, sizeof(job.hash), "%.127s", hash);
    json_write_text(answer, "name", call->values[0].text);
    return access_password_end(call->access, &call->change, call->values[0].text, &job);
}

static const struct api_member totp_members[] = {
    NAME_MEMBER,
    {{"code", API_NAME, 6, 6, 0, NULL, "A code of the new secret, which it comes in force with."},
     false},
};

static bool set_totp(struct access_call *call, struct json_writer *answer)
{
    uint8_t secret[TOTP_SECRET_SIZE];
    char text[TOTP_TEXT_SIZE], uri[TOTP_URI_SIZE];
    const char *name = call->values[0].text;
    bool is_confirmed = call->values[1].is_given;
    json_write_text(answer, "name", name);
    json_write_bool(answer, "is_in_force", is_confirmed);
    if (is_confirmed)
        return access_totp_confirm(call->access, &call->change, name, call->values[1].text);
    if (!access_totp_begin(call->access, &call->change, name, secret))
        return false;
    totp_secret_write(secret, text);
    totp_uri(secret, name, uri);
    json_write_text(answer, "secret", text);
    json_write_text(answer, "uri", uri);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(text, sizeof(text));
    sodium_memzero(uri, sizeof(uri));
    return true;
}

static bool remove_totp(struct access_call *call, struct json_writer *answer)
{
    json_write_text(answer, "name", call->values[0].text);
    return access_totp_remove(call->access, &call->change, call->values[0].text);
}

// ---- Tokens

static bool list_tokens(struct access_call *call, struct json_writer *answer)
{
    access_write_tokens(call->access, call->change.now, answer);
    return true;
}

static const struct api_member create_members[] = {
    {{"label", API_NAME, 1, ACCESS_LABEL_SIZE - 1, 0, NULL, "What the token is for."}, true},
    ROLE_MEMBER,
    {{"expires_s", API_NUMBER, 0, ACCESS_TOKEN_MAX_S, ACCESS_TOKEN_S, NULL,
      "Seconds until it ends, 0 for never; 90 days where nothing is said."},
     false},
};

static bool create_token(struct access_call *call, struct json_writer *answer)
{
    char text[ACCESS_TOKEN_TEXT], id[17];
    struct access_token_wish wish = {
        .label = call->values[0].text,
        .role = role_of(&call->values[1]),
        .expires_s = (int64_t)call->values[2].number,
    };
    if (!access_token_create(call->access, &call->change, &wish, text))
        return false;
    snprintf(id, sizeof(id), "%.16s", text + sizeof("shoal_") - 1);
    json_write_text(answer, "id", id);
    json_write_text(answer, "token", text);
    sodium_memzero(text, sizeof(text));
    return true;
}

static const struct api_member id_members[] = {
    {{"id", API_NAME, 16, 16, 0, NULL, "The id of the token: 16 hex digits."}, true},
};

static bool revoke_token(struct access_call *call, struct json_writer *answer)
{
    json_write_text(answer, "id", call->values[0].text);
    return access_token_revoke(call->access, &call->change, call->values[0].text);
}

// ---- The audit log

static const struct api_member audit_members[] = {
    {{"limit", API_NUMBER, 1, PAGE_MAX, PAGE, NULL, "How many at most."}, false},
    {{"from", API_NUMBER, 0, EXACT, 0, NULL,
      "The number of the entry to begin with; 0 is the newest."},
     false},
};

static bool list_audit(struct access_call *call, struct json_writer *answer)
{
    audit_list(access_audit(call->access), call->values[1].number, call->values[0].number, answer);
    return true;
}

// ---- All of them

static const struct access_action actions[] = {
    {"accounts", API_GET, "accounts", API_ADMIN, "All accounts.", NULL, 0, false, list_accounts},
    {.name = "accounts/add",
     .meaning = "Make an account from a name, a role and a password's hash.",
     MEMBERS(add_members),
     .run = add_account},
    {.name = "accounts/remove",
     .method = API_DELETE,
     .path = "accounts/{name}",
     .role = API_ADMIN,
     .meaning = "Remove an account: its sessions end, its tokens go with it.",
     MEMBERS(name_members),
     .run = remove_account},
    {.name = "accounts/password",
     .meaning = "Give an account another password, by its hash.",
     MEMBERS(password_members),
     .run = set_password},
    {.name = "accounts/totp",
     .method = API_POST,
     .path = "accounts/{name}/totp",
     .role = API_VIEWER,
     .meaning =
         "A second factor: without a code a new secret is made, with a code of it the secret "
         "comes in force. Oneself or admin.",
     MEMBERS(totp_members),
     .has_secret = true,
     .run = set_totp},
    {.name = "accounts/totp-remove",
     .method = API_DELETE,
     .path = "accounts/{name}/totp",
     .role = API_VIEWER,
     .meaning = "Take away the second factor. Oneself or admin.",
     MEMBERS(name_members),
     .run = remove_totp},
    {"tokens", API_GET, "tokens", API_ADMIN, "All tokens, without their secrets.", NULL, 0, false,
     list_tokens},
    {.name = "tokens/create",
     .method = API_POST,
     .path = "tokens",
     .role = API_VIEWER,
     .meaning = "Make a token of at most one's own role; it is shown this once.",
     MEMBERS(create_members),
     .has_secret = true,
     .run = create_token},
    {.name = "tokens/revoke",
     .method = API_DELETE,
     .path = "tokens/{id}",
     .role = API_VIEWER,
     .meaning = "Revoke a token of one's own; admins any.",
     MEMBERS(id_members),
     .run = revoke_token},
    {.name = "audit",
     .method = API_GET,
     .path = "audit",
     .role = API_ADMIN,
     .meaning = "Who did what, newest first.",
     MEMBERS(audit_members),
     .run = list_audit},
};

const struct access_action *access_action_get(size_t i)
{
    return i < sizeof(actions) / sizeof(actions[0]) ? &actions[i] : NULL;
}

bool access_action_run(const struct access_action *action, struct access_call *call,
                       struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    begin(action, call, &writer);
    if (!action->run(call, &writer)) {
        buffer_reset(out);
        return false;
    }
    json_end_object(&writer);
    return true;
}

void access_action_error(const struct api_problem *problem, struct buffer *out)
{
    struct json_writer writer;
    buffer_reset(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "error", problem->detail);
    json_end_object(&writer);
}

static const struct access_action *find(struct json_value line)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (json_text_equals(json_get(line, "command"), actions[i].name))
            return &actions[i];
    }
    return NULL;
}

bool access_action_answer(struct access *access, struct json_value line, struct now now,
                          struct buffer *out)
{
    const struct access_action *action = find(line);
    struct api_identity owner = access_local();
    struct access_call call = {.access = access, .change = {.who = &owner, .now = now}};
    if (action == NULL)
        return false;
    struct api_body body = {action->members, action->members_count, "command"};
    if (!api_body_read(&body, line, call.values, &call.change.problem) ||
        !access_action_run(action, &call, out))
        access_action_error(&call.change.problem, out);
    return true;
}
