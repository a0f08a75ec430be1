// Tokens for programs, and what is shown of accounts and tokens.
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "node/api/access_state.h"
#include "node/base/hex.h"

// ---- Making

static bool check_wish(const struct api_identity *who, const struct access_token_wish *wish,
                       struct api_problem *problem)
{
    if (!access_label_is_right(wish->label))
        return api_problem_set(problem, 400, "label",
                               "label: right are 1 to 64 bytes of text without control characters: "
                               "what the token is for.");
    if (wish->role == API_PUBLIC)
        return api_problem_set(problem, 400, "role", "role: right is viewer, operator or admin.");
    if (wish->role > who->role)
        return api_problem_set(problem, 403, "role",
                               "role: a token has at most the role of who makes it, which is %s.",
                               api_role_text(who->role));
    if (wish->expires_s != ACCESS_TOKEN_NEVER &&
        (wish->expires_s < ACCESS_TOKEN_MIN_S || wish->expires_s > ACCESS_TOKEN_MAX_S))
        return api_problem_set(problem, 400, "expires_s",
                               "expires_s: %lld; right are %d to %d seconds, or 0 for never.",
                               (long long)wish->expires_s, ACCESS_TOKEN_MIN_S, ACCESS_TOKEN_MAX_S);
    return true;
}

static bool is_expired(const struct access_token *token, struct now now)
{
    return token->expires_at != ACCESS_TOKEN_NEVER && wall_seconds(now.wall) >= token->expires_at;
}

// Where no place is left, those go that are good for nothing.
static bool make_room(struct access_book *book, struct now now, struct api_problem *problem)
{
    size_t kept = 0;
    if (book->tokens_count < ACCESS_TOKENS_MAX)
        return true;
    for (size_t i = 0; i < book->tokens_count; i++) {
        if (is_expired(&book->tokens[i], now))
            continue;
        book->tokens[kept] = book->tokens[i];
        kept++;
    }
    book->tokens_count = kept;
    return kept < ACCESS_TOKENS_MAX ||
           api_problem_set(problem, 409, NULL,
                           "There are %d tokens, and no more are possible; revoke one.",
                           ACCESS_TOKENS_MAX);
}

static void token_make(const struct access *access, const struct access_change *change,
                       const struct access_token_wish *wish, struct access_token *token,
                       char text[ACCESS_TOKEN_TEXT])
{
    uint8_t random[(ACCESS_TOKEN_ID_SIZE - 1) / 2 + ACCESS_SECRET_SIZE];
    char secret[2 * ACCESS_SECRET_SIZE + 1];
    const size_t id_bytes = (ACCESS_TOKEN_ID_SIZE - 1) / 2;
    *token =
        (struct access_token){.role = wish->role, .created_at = wall_seconds(change->now.wall)};
    env_random_bytes(access->env, random, sizeof(random));
    hex_encode(random, id_bytes, token->id);
    hex_encode(random + id_bytes, ACCESS_SECRET_SIZE, secret);
    access_hash(secret, token->hash);
    if (wish->expires_s != ACCESS_TOKEN_NEVER)
        token->expires_at = token->created_at + wish->expires_s;
    snprintf(token->label, sizeof(token->label), "%s", wish->label);
    snprintf(token->owner, sizeof(token->owner), "%.32s", change->who->name);
    snprintf(text, ACCESS_TOKEN_TEXT, "shoal_%s_%s", token->id, secret);
    sodium_memzero(random, sizeof(random));
    sodium_memzero(secret, sizeof(secret));
}

bool access_token_create(struct access *access, struct access_change *change,
                         const struct access_token_wish *wish, char text[ACCESS_TOKEN_TEXT])
{
    if (!access_may_change(change, API_VIEWER, NULL) ||
        !check_wish(change->who, wish, &change->problem))
        return false;
    struct access_book *book = access_change_begin(access, change);
    if (book == NULL)
        return false;
    if (!make_room(book, change->now, &change->problem)) {
        access_book_free(book);
        return false;
    }
    struct access_token *token = &book->tokens[book->tokens_count];
    token_make(access, change, wish, token, text);
    book->tokens_count++;
    char what[256];
    snprintf(what, sizeof(what), "id=%s role=%s expires_s=%lld label=%s", token->id,
             api_role_text(wish->role), (long long)wish->expires_s, wish->label);
    if (access_change_end(access, change, book, "tokens/create", what))
        return true;
    sodium_memzero(text, ACCESS_TOKEN_TEXT);
    return false;
}

// ---- Revoking

bool access_token_revoke(struct access *access, struct access_change *change, const char *id)
{
    const struct access_token *token = access_token_find(access->book, id);
    const struct api_identity *who = change->who;
    if (!access_may_change(change, API_VIEWER, NULL))
        return false;
    // To others than admins the tokens of others are not there.
    if (token == NULL || (who->role < API_ADMIN && strcmp(token->owner, who->name) != 0))
        return api_problem_set(&change->problem, 404, "id",
                               "id: no such token of yours; an id is the 16 hex digits behind "
                               "\"shoal_\".");
    struct access_book *book = access_change_begin(access, change);
    if (book == NULL)
        return false;
    struct access_token *gone = access_token_find(book, id);
    char what[128];
    snprintf(what, sizeof(what), "id=%s label=%s", gone->id, gone->label);
    *gone = book->tokens[book->tokens_count - 1];
    book->tokens_count--;
    return access_change_end(access, change, book, "tokens/revoke", what);
}

// ---- Documents

static uint64_t sessions_count(const struct access *access, const char *name)
{
    uint64_t count = 0;
    for (size_t i = 0; i < ACCESS_SESSIONS_MAX; i++)
        count += strcmp(access->sessions[i].name, name) == 0 ? 1 : 0;
    return count;
}

void access_write_accounts(const struct access *access, struct json_writer *writer)
{
    json_begin_array(writer, "accounts");
    for (size_t i = 0; i < access->book->accounts_count; i++) {
        const struct access_account *account = &access->book->accounts[i];
        json_begin_object(writer, NULL);
        json_write_text(writer, "name", account->name);
        json_write_text(writer, "role", api_role_text(account->role));
        json_write_bool(writer, "has_totp", account->has_totp);
        json_write_i64(writer, "created_at", account->created_at);
        json_write_u64(writer, "sessions", sessions_count(access, account->name));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_at(struct json_writer *writer, const char *name, int64_t at)
{
    if (at == 0)
        json_write_null(writer, name);
    else
        json_write_i64(writer, name, at);
}

void access_write_tokens(const struct access *access, struct now now, struct json_writer *writer)
{
    json_begin_array(writer, "tokens");
    for (size_t i = 0; i < access->book->tokens_count; i++) {
        const struct access_token *token = &access->book->tokens[i];
        json_begin_object(writer, NULL);
        json_write_text(writer, "id", token->id);
        json_write_text(writer, "label", token->label);
        json_write_text(writer, "role", api_role_text(token->role));
        json_write_text(writer, "owner", token->owner);
        json_write_i64(writer, "created_at", token->created_at);
        write_at(writer, "expires_at", token->expires_at);
        json_write_bool(writer, "is_expired", is_expired(token, now));
        write_at(writer, "used_at", token->used_at);
        json_end_object(writer);
    }
    json_end_array(writer);
}
