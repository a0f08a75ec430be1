// accounts.json: every member must be there and right, and no other; a file that is not whole is
// refused, so that nobody's rights come from a guess.
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/api/access_state.h"
#include "node/api/private_file.h"
#include "node/base/hex.h"

#define VERSION         1
#define FILE_SIZE_MAX   (1u << 20)
#define TOKENS_MAX      16384 // of JSON
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

bool access_name_is_right(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size < ACCESS_NAME_SIZE && strspn(name, NAME_CHARACTERS) == size &&
           strchr("._-", name[0]) == NULL;
}

bool access_label_is_right(const char *label)
{
    size_t size = strlen(label);
    return size > 0 && size < ACCESS_LABEL_SIZE && json_text_is_plain(label, size);
}

void access_book_free(struct access_book *book)
{
    if (book != NULL)
        sodium_memzero(book, sizeof(*book));
    free(book);
}

// ---- Reading

struct place {
    const char *path;
    char *error;
};

// Returns false: the last line of whoever gives up.
static bool fail(const struct place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool fail(const struct place *place, const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    snprintf(place->error, API_PROBLEM_SIZE,
             "accounts: \"%.200s\": %s; mend it or bring back a copy. Without the file there are "
             "no accounts, and \"shoal account add\" makes a first one",
             place->path, what);
    return false;
}

static bool read_role(struct json_value value, enum api_role *role)
{
    char text[16];
    return json_to_text(value, text, sizeof(text)) && api_role_from_text(text, role) &&
           *role != API_PUBLIC;
}

// null, or {"secret", "step"}.
static bool read_totp(struct json_value value, struct access_account *account)
{
    char text[TOTP_TEXT_SIZE];
    if (json_is_null(value))
        return true;
    account->has_totp = true;
    bool is_right = json_size(value) == 2 &&
                    json_to_text(json_get(value, "secret"), text, sizeof(text)) &&
                    totp_secret_read(text, account->totp_secret) &&
                    json_to_i64(json_get(value, "step"), &account->totp_step);
    sodium_memzero(text, sizeof(text));
    return is_right;
}

static bool read_account(const struct place *place, struct json_value value,
                         struct access_book *book)
{
    struct access_account *account = &book->accounts[book->accounts_count];
    if (!json_is_object(value) || json_size(value) != 5 ||
        !json_to_text(json_get(value, "name"), account->name, sizeof(account->name)) ||
        !access_name_is_right(account->name) || strcmp(account->name, ACCESS_LOCAL_NAME) == 0)
        return fail(place, "account %zu is not one, or has a name that cannot be",
                    book->accounts_count + 1);
    if (access_account_find(book, account->name) != NULL)
        return fail(place, "account \"%s\" is there twice", account->name);
    if (!read_role(json_get(value, "role"), &account->role))
        return fail(place, "account \"%s\" has no role", account->name);
    if (!json_to_text(json_get(value, "password"), account->password, sizeof(account->password)) ||
        !password_hash_is_ours(account->password))
        return fail(place, "account \"%s\" has no password hash", account->name);
    if (!json_to_i64(json_get(value, "created_at"), &account->created_at))
        return fail(place, "account \"%s\" has no created_at", account->name);
    if (!read_totp(json_get(value, "totp"), account))
        return fail(place, "account \"%s\" has a second factor that is none", account->name);
    return true;
}

static bool read_token(const struct place *place, struct json_value value, struct access_book *book)
{
    struct access_token *token = &book->tokens[book->tokens_count];
    if (!json_is_object(value) || json_size(value) != 7 ||
        !json_to_text(json_get(value, "id"), token->id, sizeof(token->id)) ||
        strspn(token->id, "0123456789abcdef") != ACCESS_TOKEN_ID_SIZE - 1)
        return fail(place, "token %zu is not one", book->tokens_count + 1);
    if (access_token_find(book, token->id) != NULL)
        return fail(place, "token %s is there twice", token->id);
    if (!json_to_text(json_get(value, "label"), token->label, sizeof(token->label)) ||
        !access_label_is_right(token->label) || !read_role(json_get(value, "role"), &token->role))
        return fail(place, "token %s has no label or no role", token->id);
    if (!json_to_text(json_get(value, "owner"), token->owner, sizeof(token->owner)) ||
        !access_name_is_right(token->owner))
        return fail(place, "token %s has no owner", token->id);
    if (!json_to_hex(json_get(value, "hash"), token->hash, sizeof(token->hash)))
        return fail(place, "token %s has no hash", token->id);
    struct json_value expires = json_get(value, "expires_at");
    if (!json_to_i64(json_get(value, "created_at"), &token->created_at) ||
        (!json_is_null(expires) &&
         (!json_to_i64(expires, &token->expires_at) || token->expires_at <= 0)))
        return fail(place, "token %s has no created_at or expires_at", token->id);
    return true;
}

// A token whose owner is gone would be nobody's.
static bool check_owners(const struct place *place, struct access_book *book)
{
    for (size_t i = 0; i < book->tokens_count; i++) {
        const struct access_token *token = &book->tokens[i];
        if (strcmp(token->owner, ACCESS_LOCAL_NAME) != 0 &&
            access_account_find(book, token->owner) == NULL)
            return fail(place, "token %s belongs to \"%s\", who has no account", token->id,
                        token->owner);
    }
    return true;
}

static bool read_book(const struct place *place, struct json_value root, struct access_book *book)
{
    uint64_t version;
    struct json_value accounts = json_get(root, "accounts"), tokens = json_get(root, "tokens");
    if (!json_to_u64(json_get(root, "version"), &version) || version != VERSION)
        return fail(place, "it has no version that this program knows (%d)", VERSION);
    if (json_size(root) != 3 || !json_is_array(accounts) || !json_is_array(tokens))
        return fail(place, "it has not just version, accounts and tokens");
    if (json_size(accounts) > ACCESS_ACCOUNTS_MAX || json_size(tokens) > ACCESS_TOKENS_MAX)
        return fail(place, "it has more than %d accounts or %d tokens", ACCESS_ACCOUNTS_MAX,
                    ACCESS_TOKENS_MAX);
    for (struct json_value v = json_first(accounts); json_exists(v); v = json_next(v)) {
        if (!read_account(place, v, book))
            return false;
        book->accounts_count++;
    }
    for (struct json_value v = json_first(tokens); json_exists(v); v = json_next(v)) {
        if (!read_token(place, v, book))
            return false;
        book->tokens_count++;
    }
    return check_owners(place, book);
}

bool access_book_decode(const char *path, const struct buffer *text, struct access_book *book,
                        char error[API_PROBLEM_SIZE])
{
    const struct place at = {path, error}, *place = &at;
    if (text->failed)
        return fail(place, "it is larger than %u bytes", FILE_SIZE_MAX);
    struct json *json = json_parse((const char *)text->data, text->size, TOKENS_MAX);
    if (json == NULL)
        return fail(place, "it is no JSON");
    bool is_right = read_book(place, json_root(json), book);
    json_free(json);
    return is_right;
}

struct access_book *access_book_read(const char *path, char error[API_PROBLEM_SIZE])
{
    char reason[PRIVATE_FILE_ERROR_SIZE];
    struct access_book *book = calloc(1, sizeof(*book));
    if (book == NULL) {
        snprintf(error, API_PROBLEM_SIZE, "out of memory");
        return NULL;
    }
    struct buffer text;
    buffer_init(&text, FILE_SIZE_MAX);
    bool is_right = false;
    switch (private_file_read(path, "passwords' hashes", &text, reason)) {
    case PRIVATE_FILE_MISSING:
        is_right = true;
        break;
    case PRIVATE_FILE_READ:
        is_right = access_book_decode(path, &text, book, error);
        break;
    case PRIVATE_FILE_FAILED:
        snprintf(error, API_PROBLEM_SIZE, "accounts: %.480s", reason);
        break;
    }
    if (text.data != NULL)
        sodium_memzero(text.data, text.size);
    buffer_clear(&text);
    if (is_right)
        return book;
    access_book_free(book);
    return NULL;
}

// ---- Writing

static void write_account(const struct access_account *account, struct json_writer *writer)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "name", account->name);
    json_write_text(writer, "role", api_role_text(account->role));
    json_write_text(writer, "password", account->password);
    json_write_i64(writer, "created_at", account->created_at);
    if (account->has_totp) {
        char text[TOTP_TEXT_SIZE];
        totp_secret_write(account->totp_secret, text);
        json_begin_object(writer, "totp");
        json_write_text(writer, "secret", text);
        json_write_i64(writer, "step", account->totp_step);
        json_end_object(writer);
        sodium_memzero(text, sizeof(text));
    } else {
        json_write_null(writer, "totp");
    }
    json_end_object(writer);
}

static void write_token(const struct access_token *token, struct json_writer *writer)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "id", token->id);
    json_write_text(writer, "label", token->label);
    json_write_text(writer, "role", api_role_text(token->role));
    json_write_text(writer, "owner", token->owner);
    json_write_hex(writer, "hash", token->hash, sizeof(token->hash));
    json_write_i64(writer, "created_at", token->created_at);
    if (token->expires_at == ACCESS_TOKEN_NEVER)
        json_write_null(writer, "expires_at");
    else
        json_write_i64(writer, "expires_at", token->expires_at);
    json_end_object(writer);
}

void access_book_encode(const struct access_book *book, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer, NULL);
    json_write_u64(&writer, "version", VERSION);
    json_begin_array(&writer, "accounts");
    for (size_t i = 0; i < book->accounts_count; i++)
        write_account(&book->accounts[i], &writer);
    json_end_array(&writer);
    json_begin_array(&writer, "tokens");
    for (size_t i = 0; i < book->tokens_count; i++)
        write_token(&book->tokens[i], &writer);
    json_end_array(&writer);
    json_end_object(&writer);
    write_u8(out, '\n');
}

static bool fail_write(struct api_problem *problem, const char *reason)
{
    return api_problem_set(problem, 503, NULL,
                           "Nothing was changed: %.400s. Free some space, or mend its rights.",
                           reason);
}

bool access_book_prepare(const char *path, const struct access_book *book,
                         struct api_problem *problem)
{
    char reason[PRIVATE_FILE_ERROR_SIZE] = "out of memory";
    struct buffer text;
    buffer_init(&text, FILE_SIZE_MAX);
    access_book_encode(book, &text);
    bool is_done = !text.failed && private_file_prepare(path, text.data, text.size, reason);
    if (text.data != NULL)
        sodium_memzero(text.data, text.size);
    buffer_clear(&text);
    return is_done || fail_write(problem, reason);
}

bool access_book_commit(const char *path, struct api_problem *problem)
{
    char reason[PRIVATE_FILE_ERROR_SIZE];
    return private_file_commit(path, reason) || fail_write(problem, reason);
}
