#include "node/api/access.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>
#include "node/api/access_state.h"
#include "node/base/hex.h"

#define TOKEN_BEGIN "shoal_"
#define SCHEME      "Bearer "

// ---- Opening

static bool take_lock(struct access *access, const char *data, char error[API_PROBLEM_SIZE])
{
    char path[ACCESS_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/accounts.lock", data);
    access->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (access->lock >= 0 && flock(access->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (access->lock >= 0 && errno == EWOULDBLOCK)
        snprintf(error, API_PROBLEM_SIZE,
                 "accounts: another process has locked \"%.300s\": a node that starts or stops, or "
                 "another command; wait for it",
                 path);
    else
        snprintf(error, API_PROBLEM_SIZE, "accounts: cannot lock \"%.300s\": %s", path,
                 strerror(errno));
    return false;
}

static bool open_parts(struct access *access, const char *data, char error[API_PROBLEM_SIZE])
{
    char path[AUDIT_PATH_SIZE];
    if (!take_lock(access, data, error))
        return false;
    snprintf(access->path, sizeof(access->path), "%s/accounts.json", data);
    access->book = access_book_read(access->path, error);
    if (access->book == NULL)
        return false;
    snprintf(path, sizeof(path), "%s/audit.log", data);
    access->audit = audit_open(path, AUDIT_SIZE_MAX, error);
    if (access->audit == NULL)
        return false;
    access->logins = lockout_new(access->env);
    access->tokens = lockout_new(access->env);
    if (access->logins != NULL && access->tokens != NULL)
        return true;
    snprintf(error, API_PROBLEM_SIZE, "out of memory");
    return false;
}

struct access *access_open(const char *data, const struct env *env, char error[API_PROBLEM_SIZE])
{
    struct access *access = calloc(1, sizeof(*access));
    if (access == NULL) {
        snprintf(error, API_PROBLEM_SIZE, "out of memory");
        return NULL;
    }
    access->env = env;
    access->lock = -1;
    access->next_session = 1;
    if (open_parts(access, data, error))
        return access;
    access_close(access);
    return NULL;
}

void access_close(struct access *access)
{
    if (access == NULL)
        return;
    access_book_free(access->book);
    audit_close(access->audit);
    lockout_free(access->logins);
    lockout_free(access->tokens);
    if (access->lock >= 0)
        close(access->lock);
    sodium_memzero(access, sizeof(*access));
    free(access);
}

bool access_has_admin(const struct access *access)
{
    for (size_t i = 0; i < access->book->accounts_count; i++) {
        if (access->book->accounts[i].role == API_ADMIN)
            return true;
    }
    return false;
}

struct audit *access_audit(struct access *access)
{
    return access->audit;
}

struct api_identity access_local(void)
{
    return (struct api_identity){
        .role = API_ADMIN, .name = ACCESS_LOCAL_NAME, .address = "this machine"};
}

// ---- Finding

struct access_account *access_account_find(struct access_book *book, const char *name)
{
    for (size_t i = 0; i < book->accounts_count; i++) {
        if (strcmp(book->accounts[i].name, name) == 0)
            return &book->accounts[i];
    }
    return NULL;
}

struct access_token *access_token_find(struct access_book *book, const char *id)
{
    for (size_t i = 0; i < book->tokens_count; i++) {
        if (strcmp(book->tokens[i].id, id) == 0)
            return &book->tokens[i];
    }
    return NULL;
}

void access_hash(const char *text, uint8_t hash[ACCESS_HASH_SIZE])
{
    crypto_generichash(hash, ACCESS_HASH_SIZE, (const uint8_t *)text, strlen(text), NULL, 0);
}

// ---- Sessions

static bool session_is_over(const struct session *session, struct now now)
{
    return now.mono.ms - session->used.ms >= (int64_t)ACCESS_SESSION_IDLE_S * 1000 ||
           now.mono.ms - session->begun.ms >= (int64_t)ACCESS_SESSION_MAX_S * 1000;
}

struct session *access_session_find(struct access *access, uint64_t number)
{
    for (size_t i = 0; number != 0 && i < ACCESS_SESSIONS_MAX; i++) {
        if (access->sessions[i].number == number)
            return &access->sessions[i];
    }
    return NULL;
}

void access_sessions_end(struct access *access, const char *name, uint64_t but)
{
    for (size_t i = 0; i < ACCESS_SESSIONS_MAX; i++) {
        struct session *session = &access->sessions[i];
        if (session->number != but && strcmp(session->name, name) == 0)
            sodium_memzero(session, sizeof(*session));
    }
}

// Looks at every place whatever it finds, so that the time says nothing about the places.
static struct session *session_of_id(struct access *access, const char *id, struct now now)
{
    uint8_t hash[ACCESS_HASH_SIZE];
    struct session *found = NULL;
    access_hash(id, hash);
    for (size_t i = 0; i < ACCESS_SESSIONS_MAX; i++) {
        struct session *session = &access->sessions[i];
        bool is_it = sodium_memcmp(session->hash, hash, sizeof(hash)) == 0;
        found = is_it && session->number != 0 ? session : found;
    }
    if (found == NULL || !session_is_over(found, now))
        return found;
    sodium_memzero(found, sizeof(*found));
    return NULL;
}

// Several cookies of that name may come from other servers of the same host.
static struct session *session_of_cookie(struct access *access, const char *cookie, struct now now)
{
    static const char name[] = ACCESS_COOKIE "=";
    struct session *session = NULL;
    while (session == NULL && *cookie != '\0') {
        char id[ACCESS_SESSION_TEXT];
        cookie += strspn(cookie, " ;");
        size_t size = strcspn(cookie, ";");
        if (size == sizeof(name) - 1 + sizeof(id) - 1 &&
            strncmp(cookie, name, sizeof(name) - 1) == 0) {
            snprintf(id, sizeof(id), "%s", cookie + sizeof(name) - 1);
            session = session_of_id(access, id, now);
        }
        cookie += size;
    }
    return session;
}

static bool csrf_is_right(const struct session *session, const char *csrf)
{
    return strlen(csrf) == ACCESS_CSRF_SIZE - 1 &&
           sodium_memcmp(csrf, session->csrf, ACCESS_CSRF_SIZE - 1) == 0;
}

static enum access_result check_cookie(struct access *access,
                                       const struct access_credentials *credentials, struct now now,
                                       struct api_identity *identity)
{
    struct session *session = session_of_cookie(access, credentials->cookie, now);
    if (session == NULL)
        return ACCESS_GRANTED;
    const struct access_account *account = access_account_find(access->book, session->name);
    if (account == NULL)
        return ACCESS_GRANTED;
    if (credentials->changes_something && !csrf_is_right(session, credentials->csrf))
        return ACCESS_WRONG;
    session->used = now.mono;
    identity->role = account->role;
    identity->session = session->number;
    snprintf(identity->name, sizeof(identity->name), "%s", account->name);
    return ACCESS_GRANTED;
}

// ---- Tokens

// shoal_<16 hex digits>_<64 hex digits>
static bool token_split(const char *text, char id[ACCESS_TOKEN_ID_SIZE], const char **secret)
{
    static const char digits[] = "0123456789abcdef";
    const size_t begin = sizeof(TOKEN_BEGIN) - 1, id_size = ACCESS_TOKEN_ID_SIZE - 1;
    if (strlen(text) != ACCESS_TOKEN_TEXT - 1 || strncmp(text, TOKEN_BEGIN, begin) != 0 ||
        strspn(text + begin, digits) != id_size || text[begin + id_size] != '_' ||
        strspn(text + begin + id_size + 1, digits) != 2 * ACCESS_SECRET_SIZE)
        return false;
    memcpy(id, text + begin, id_size);
    id[id_size] = '\0';
    *secret = text + begin + id_size + 1;
    return true;
}

// An id that does not exist costs what a wrong secret costs.
static struct access_token *token_of_text(struct access *access, const char *text, struct now now)
{
    static const uint8_t nobody[ACCESS_HASH_SIZE];
    char id[ACCESS_TOKEN_ID_SIZE];
    const char *secret;
    uint8_t hash[ACCESS_HASH_SIZE];
    if (!token_split(text, id, &secret))
        return NULL;
    access_hash(secret, hash);
    struct access_token *token = access_token_find(access->book, id);
    const uint8_t *right = token != NULL ? token->hash : nobody;
    if (sodium_memcmp(hash, right, sizeof(hash)) != 0 || token == NULL)
        return NULL;
    bool is_expired =
        token->expires_at != ACCESS_TOKEN_NEVER && wall_seconds(now.wall) >= token->expires_at;
    return is_expired ? NULL : token;
}

static void say_locked(struct access *access, const char *address, struct now now)
{
    struct api_identity who = {.name = "(unknown)"};
    struct api_problem problem;
    snprintf(who.address, sizeof(who.address), "%s", address);
    struct audit_entry entry = {&who, "token", "ten wrong tokens", "refused; address locked"};
    // A full disk changes nothing about the refusal.
    (void)audit_write(access->audit, &entry, false, now, &problem);
}

static enum access_result check_token(struct access *access,
                                      const struct access_credentials *credentials, struct now now,
                                      struct api_identity *identity, int64_t *retry_after_s)
{
    const char *address = credentials->address;
    struct access_token *token =
        token_of_text(access, credentials->authorization + sizeof(SCHEME) - 1, now);
    if (token != NULL) {
        token->used_at = wall_seconds(now.wall);
        identity->role = token->role;
        snprintf(identity->name, sizeof(identity->name), "%s", token->owner);
        snprintf(identity->token, sizeof(identity->token), "%s", token->id);
        return ACCESS_GRANTED;
    }
    // Right tokens are served meanwhile: behind a proxy everybody has the same address.
    *retry_after_s = lockout_wait_s(access->tokens, NULL, address, now);
    if (*retry_after_s > 0)
        return ACCESS_LIMITED;
    if (lockout_wrong(access->tokens, NULL, address, now))
        say_locked(access, address, now);
    return ACCESS_WRONG;
}

enum access_result access_check(struct access *access, const struct access_credentials *credentials,
                                struct now now, struct api_identity *identity,
                                int64_t *retry_after_s)
{
    *identity = (struct api_identity){.role = API_PUBLIC};
    *retry_after_s = 0;
    snprintf(identity->address, sizeof(identity->address), "%s", credentials->address);
    // Other schemes are between the browser and a proxy.
    if (strncasecmp(credentials->authorization, SCHEME, sizeof(SCHEME) - 1) == 0)
        return check_token(access, credentials, now, identity, retry_after_s);
    return check_cookie(access, credentials, now, identity);
}
