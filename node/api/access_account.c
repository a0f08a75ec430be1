// Changes of accounts: each is made in a copy of the book, which is put in force as a whole.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/api/access_state.h"
#include "node/api/private_file.h"

// ---- What all changes share

struct access_book *access_change_begin(const struct access *access, struct access_change *change)
{
    struct access_book *book = malloc(sizeof(*book));
    if (book == NULL)
        api_problem_set(&change->problem, 503, NULL, "Nothing was changed: out of memory.");
    else
        *book = *access->book;
    return book;
}

static bool drop(struct access_book *book)
{
    access_book_free(book);
    return false;
}

// First what can fail for want of space, the new file and the line; then the name, which does not.
bool access_change_end(struct access *access, struct access_change *change,
                       struct access_book *book, const char *action, const char *what)
{
    struct api_problem *problem = &change->problem;
    struct audit_entry entry = {change->who, action, what, "done"};
    if (!access_book_prepare(access->path, book, problem))
        return drop(book);
    if (!audit_write(access->audit, &entry, true, change->now, problem)) {
        private_file_abandon(access->path);
        return drop(book);
    }
    if (!access_book_commit(access->path, problem)) {
        struct api_problem second;
        entry.result = "failed: accounts.json could not be replaced; nothing was changed";
        (void)audit_write(access->audit, &entry, true, change->now, &second);
        return drop(book);
    }
    access_book_free(access->book);
    access->book = book;
    return true;
}

bool access_may_change(struct access_change *change, enum api_role role, const char *own)
{
    const struct api_identity *who = change->who;
    struct api_problem *problem = &change->problem;
    if (who->token[0] != '\0')
        return api_problem_set(problem, 403, NULL,
                               "A token changes no accounts and tokens: what it made would outlive "
                               "it. Sign in with a name and a password.");
    bool is_own = own != NULL && strcmp(who->name, own) == 0;
    return is_own || who->role >= role ||
           api_problem_set(problem, 403, NULL, "This needs the role %s; you have %s.",
                           api_role_text(role), api_role_text(who->role));
}

#define NAME_LINE_SIZE (5 + ACCESS_NAME_SIZE)

static void write_name(const char *name, char what[NAME_LINE_SIZE])
{
    snprintf(what, NAME_LINE_SIZE, "name=%.32s", name);
}

// NULL (404) if there is none of that name.
static struct access_account *account_get(struct access_book *book, const char *name,
                                          struct api_problem *problem)
{
    struct access_account *account = access_account_find(book, name);
    if (account == NULL)
        api_problem_set(problem, 404, "name",
                        "name: there is no account of that name; \"shoal account list\" shows "
                        "them.");
    return account;
}

// ---- Adding and removing

static bool check_new(const struct access *access, const char *name, enum api_role role,
                      const char *hash, struct api_problem *problem)
{
    if (!access_name_is_right(name) || strcmp(name, ACCESS_LOCAL_NAME) == 0)
        return api_problem_set(problem, 400, "name",
                               "name: not \"%.40s\"; right is 1 to 32 of the characters a-z 0-9 . "
                               "_ - with a letter or digit first, and not \"local\".",
                               name);
    if (role == API_PUBLIC)
        return api_problem_set(problem, 400, "role", "role: right is viewer, operator or admin.");
    if (!password_hash_is_ours(hash))
        return api_problem_set(problem, 400, "password",
                               "password: its hash is none of this program's kind (argon2id).");
    if (access_account_find(access->book, name) != NULL)
        return api_problem_set(problem, 409, "name", "name: there is an account \"%s\" already.",
                               name);
    if (access->book->accounts_count == ACCESS_ACCOUNTS_MAX)
        return api_problem_set(problem, 409, NULL,
                               "There are %d accounts, and no more are possible; remove one.",
                               ACCESS_ACCOUNTS_MAX);
    return true;
}

bool access_account_add(struct access *access, struct access_change *change, const char *name,
                        enum api_role role, const char *hash)
{
    if (!access_may_change(change, API_ADMIN, NULL) ||
        !check_new(access, name, role, hash, &change->problem))
        return false;
    struct access_book *book = access_change_begin(access, change);
    if (book == NULL)
        return false;
    struct access_account *account = &book->accounts[book->accounts_count];
    *account = (struct access_account){.role = role, .created_at = wall_seconds(change->now.wall)};
    snprintf(account->name, sizeof(account->name), "%s", name);
    snprintf(account->password, sizeof(account->password), "%s", hash);
    book->accounts_count++;
    char what[128];
    snprintf(what, sizeof(what), "name=%s role=%s", name, api_role_text(role));
    return access_change_end(access, change, book, "accounts/add", what);
}

static bool is_last_admin(const struct access_book *book, const struct access_account *account)
{
    size_t admins = 0;
    for (size_t i = 0; i < book->accounts_count; i++)
        admins += book->accounts[i].role == API_ADMIN ? 1 : 0;
    return account->role == API_ADMIN && admins == 1;
}

static void remove_account(struct access_book *book, struct access_account *account)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->tokens_count; i++) {
        if (strcmp(book->tokens[i].owner, account->name) == 0)
            continue;
        book->tokens[kept] = book->tokens[i];
        kept++;
    }
    book->tokens_count = kept;
    *account = book->accounts[book->accounts_count - 1];
    book->accounts_count--;
}

static bool is_local(const struct api_identity *who)
{
    return strcmp(who->name, ACCESS_LOCAL_NAME) == 0;
}

bool access_account_remove(struct access *access, struct access_change *change, const char *name)
{
    if (!access_may_change(change, API_ADMIN, NULL))
        return false;
    struct access_account *account = account_get(access->book, name, &change->problem);
    if (account == NULL)
        return false;
    if (is_last_admin(access->book, account) && !is_local(change->who))
        return api_problem_set(&change->problem, 409, "name",
                               "name: this is the last admin; make another one first, or remove it "
                               "on the machine itself (\"shoal account remove\").");
    struct access_book *book = access_change_begin(access, change);
    if (book == NULL)
        return false;
    remove_account(book, access_account_find(book, name));
    char what[NAME_LINE_SIZE];
    write_name(name, what);
    if (!access_change_end(access, change, book, "accounts/remove", what))
        return false;
    access_sessions_end(access, name, 0);
    return true;
}

// ---- Passwords

bool access_password_begin(struct access *access, struct access_change *change,
                           const struct access_password_wish *wish, struct password_job *job)
{
    struct api_problem *problem = &change->problem;
    *job = (struct password_job){.is_right = false};
    if (!access_may_change(change, API_ADMIN, wish->name))
        return false;
    const struct access_account *account = account_get(access->book, wish->name, problem);
    if (account == NULL)
        return false;
    const char *wrong = password_wrong(wish->fresh);
    if (wrong != NULL)
        return api_problem_set(problem, 400, "password", "password: it %s; right are 10 to 128.",
                               wrong);
    bool is_own = strcmp(change->who->name, wish->name) == 0;
    if (is_own && strlen(wish->old) >= sizeof(job->old))
        return api_problem_set(problem, 400, "old", "old: a password has at most %d bytes.",
                               PASSWORD_SIZE_MAX);
    int64_t wait_s = 0;
    if (is_own)
        wait_s = lockout_wait_s(access->logins, wish->name, change->who->address, change->now);
    if (wait_s > 0)
        return access_refuse_locked(problem, wait_s);
    snprintf(job->fresh, sizeof(job->fresh), "%s", wish->fresh);
    if (!is_own)
        return true;
    snprintf(job->old, sizeof(job->old), "%s", wish->old);
    snprintf(job->against, sizeof(job->against), "%s", account->password);
    return true;
}

static bool refuse_old(struct access *access, struct access_change *change, const char *what)
{
    const struct api_identity *who = change->who;
    bool is_locked = lockout_wrong(access->logins, who->name, who->address, change->now);
    struct audit_entry entry = {who, "accounts/password", what,
                                is_locked ? "refused; locked" : "refused"};
    // A full disk changes nothing about the refusal.
    (void)audit_write(access->audit, &entry, false, change->now, &change->problem);
    return api_problem_set(&change->problem, 403, "old",
                           "old: this is not your password of today.");
}

bool access_password_end(struct access *access, struct access_change *change, const char *name,
                         const struct password_job *job)
{
    char what[NAME_LINE_SIZE];
    write_name(name, what);
    if (job->against[0] != '\0' && !job->is_right)
        return refuse_old(access, change, what);
    if (job->hash[0] == '\0')
        return api_problem_set(&change->problem, 503, NULL, "Nothing was changed: out of memory.");
    // It may be gone since the job began.
    const struct access_account *account = account_get(access->book, name, &change->problem);
    struct access_book *book = account == NULL ? NULL : access_change_begin(access, change);
    if (book == NULL)
        return false;
    struct access_account *changed = access_account_find(book, name);
    snprintf(changed->password, sizeof(changed->password), "%s", job->hash);
    if (!access_change_end(access, change, book, "accounts/password", what))
        return false;
    access_sessions_end(access, name, change->who->session);
    return true;
}

// ---- The second factor

static struct totp_begun *begun_find(struct access *access, const char *name)
{
    for (size_t i = 0; i < ACCESS_ACCOUNTS_MAX; i++) {
        if (strcmp(access->totp_begun[i].name, name) == 0)
            return &access->totp_begun[i];
    }
    return NULL;
}

// There are as many places as accounts, but some may hold names that are gone: the oldest goes.
static struct totp_begun *begun_take(struct access *access, const char *name)
{
    struct totp_begun *begun = begun_find(access, name);
    if (begun == NULL)
        begun = begun_find(access, "");
    for (size_t i = 0; begun == NULL && i < ACCESS_ACCOUNTS_MAX; i++) {
        if (access_account_find(access->book, access->totp_begun[i].name) == NULL)
            begun = &access->totp_begun[i];
    }
    return begun != NULL ? begun : &access->totp_begun[0];
}

bool access_totp_begin(struct access *access, struct access_change *change, const char *name,
                       uint8_t secret[TOTP_SECRET_SIZE])
{
    if (!access_may_change(change, API_ADMIN, name) ||
        account_get(access->book, name, &change->problem) == NULL)
        return false;
    struct totp_begun *begun = begun_take(access, name);
    snprintf(begun->name, sizeof(begun->name), "%s", name);
    env_random_bytes(access->env, begun->secret, sizeof(begun->secret));
    begun->at = change->now.mono;
    memcpy(secret, begun->secret, TOTP_SECRET_SIZE);
    return true;
}

static bool totp_change(struct access *access, struct access_change *change,
                        const struct access_account *from, const char *action)
{
    struct access_book *book = access_change_begin(access, change);
    if (book == NULL)
        return false;
    struct access_account *account = access_account_find(book, from->name);
    account->has_totp = from->has_totp;
    account->totp_step = from->totp_step;
    memcpy(account->totp_secret, from->totp_secret, TOTP_SECRET_SIZE);
    char what[NAME_LINE_SIZE];
    write_name(from->name, what);
    if (!access_change_end(access, change, book, action, what))
        return false;
    access_sessions_end(access, from->name, change->who->session);
    return true;
}

bool access_totp_confirm(struct access *access, struct access_change *change, const char *name,
                         const char *code)
{
    struct api_problem *problem = &change->problem;
    if (!access_may_change(change, API_ADMIN, name) ||
        account_get(access->book, name, problem) == NULL)
        return false;
    struct totp_begun *begun = begun_find(access, name);
    if (begun == NULL || change->now.mono.ms - begun->at.ms > ACCESS_TOTP_BEGUN_MS)
        return api_problem_set(problem, 409, "code",
                               "code: there is no new secret to confirm, or it is older than 15 "
                               "minutes; ask for one first.");
    struct access_account fresh = {.has_totp = true};
    fresh.totp_step = totp_check(begun->secret, code, change->now.wall, -1);
    if (fresh.totp_step < 0)
        return api_problem_set(problem, 400, "code",
                               "code: not the code of the new secret now; look at the clocks of "
                               "this machine and of the device that shows codes.");
    snprintf(fresh.name, sizeof(fresh.name), "%s", name);
    memcpy(fresh.totp_secret, begun->secret, TOTP_SECRET_SIZE);
    bool is_done = totp_change(access, change, &fresh, "accounts/totp");
    if (is_done)
        sodium_memzero(begun, sizeof(*begun));
    sodium_memzero(&fresh, sizeof(fresh));
    return is_done;
}

bool access_totp_remove(struct access *access, struct access_change *change, const char *name)
{
    if (!access_may_change(change, API_ADMIN, name))
        return false;
    const struct access_account *account = account_get(access->book, name, &change->problem);
    if (account == NULL)
        return false;
    if (!account->has_totp)
        return api_problem_set(&change->problem, 404, "name",
                               "name: this account has no second factor.");
    struct access_account none = {.has_totp = false};
    snprintf(none.name, sizeof(none.name), "%s", name);
    return totp_change(access, change, &none, "accounts/totp-remove");
}
