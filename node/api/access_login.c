// Signing in and out.
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "node/api/access_state.h"
#include "node/base/hex.h"

bool access_refuse_locked(struct api_problem *problem, int64_t wait_s)
{
    api_problem_set(problem, 429, NULL,
                    "Too many wrong attempts for this name or from this address; try again in "
                    "%lld seconds.",
                    (long long)wait_s);
    problem->retry_after_s = wait_s;
    return false;
}

// ---- Beginning

bool access_login_begin(struct access *access, const struct access_attempt *attempt, struct now now,
                        struct access_login *login, struct api_problem *problem)
{
    *login = (struct access_login){.has_account = false};
    if (!access_name_is_right(attempt->name))
        return api_problem_set(problem, 400, "name",
                               "name: 1 to 32 of the characters a-z 0-9 . _ - are a name.");
    if (strlen(attempt->password) >= sizeof(login->job.old))
        return api_problem_set(problem, 400, "password",
                               "password: a password has at most %d bytes.", PASSWORD_SIZE_MAX);
    if (strlen(attempt->code) >= sizeof(login->code))
        return api_problem_set(problem, 400, "code", "code: a code has six digits.");
    int64_t wait_s = lockout_wait_s(access->logins, attempt->name, attempt->address, now);
    if (wait_s > 0)
        return access_refuse_locked(problem, wait_s);
    const struct access_account *account = access_account_find(access->book, attempt->name);
    login->has_account = account != NULL;
    snprintf(login->name, sizeof(login->name), "%s", attempt->name);
    snprintf(login->code, sizeof(login->code), "%s", attempt->code);
    snprintf(login->address, sizeof(login->address), "%s", attempt->address);
    snprintf(login->job.old, sizeof(login->job.old), "%s", attempt->password);
    snprintf(login->job.against, sizeof(login->job.against), "%s",
             account != NULL ? account->password : password_hash_of_nobody());
    return true;
}

// ---- Ending

static bool write_audit(struct access *access, const struct access_login *login, const char *result,
                        struct now now, struct api_problem *problem)
{
    // What is no account's name may be a password that was typed into the wrong field.
    struct api_identity who = {.role = API_PUBLIC};
    snprintf(who.name, sizeof(who.name), "%s", login->has_account ? login->name : "(unknown)");
    snprintf(who.address, sizeof(who.address), "%s", login->address);
    struct audit_entry entry = {&who, "session", "", result};
    return audit_write(access->audit, &entry, false, now, problem);
}

static bool refuse(struct access *access, const struct access_login *login, struct now now,
                   struct api_problem *problem)
{
    bool is_locked = lockout_wrong(access->logins, login->name, login->address, now);
    // A full disk changes nothing about the refusal.
    (void)write_audit(access, login, is_locked ? "refused; locked" : "refused", now, problem);
    return api_problem_set(problem, 401, NULL,
                           "The name, the password or the code is wrong. An account with a second "
                           "factor needs a new code each time.");
}

// A code is taken once, also by a process that begins anew within its time.
static bool take_code(struct access *access, struct access_account *account, int64_t step,
                      struct api_problem *problem)
{
    account->totp_step = step;
    return access_book_prepare(access->path, access->book, problem) &&
           access_book_commit(access->path, problem);
}

static struct session *place_take(struct access *access)
{
    struct session *oldest = &access->sessions[0];
    for (size_t i = 0; i < ACCESS_SESSIONS_MAX && oldest->number != 0; i++) {
        struct session *session = &access->sessions[i];
        if (session->number == 0 || session->used.ms < oldest->used.ms)
            oldest = session;
    }
    return oldest;
}

static void random_hex(const struct env *env, size_t size, char *out)
{
    uint8_t bytes[ACCESS_SECRET_SIZE];
    env_random_bytes(env, bytes, size);
    hex_encode(bytes, size, out);
    sodium_memzero(bytes, sizeof(bytes));
}

static void session_make(struct access *access, const struct access_account *account,
                         const struct access_login *login, struct now now,
                         struct access_session *out)
{
    struct session *session = place_take(access);
    *session =
        (struct session){.number = access->next_session, .begun = now.mono, .used = now.mono};
    access->next_session++;
    random_hex(access->env, ACCESS_SECRET_SIZE, out->id);
    random_hex(access->env, (ACCESS_CSRF_SIZE - 1) / 2, session->csrf);
    access_hash(out->id, session->hash);
    snprintf(session->name, sizeof(session->name), "%s", account->name);
    snprintf(out->csrf, sizeof(out->csrf), "%s", session->csrf);
    out->identity = (struct api_identity){.role = account->role, .session = session->number};
    snprintf(out->identity.name, sizeof(out->identity.name), "%s", account->name);
    snprintf(out->identity.address, sizeof(out->identity.address), "%s", login->address);
}

bool access_login_end(struct access *access, struct access_login *login, struct now now,
                      struct access_session *session, struct api_problem *problem)
{
    // The account may be gone, or have another password, since the job began.
    struct access_account *account = access_account_find(access->book, login->name);
    bool is_right = login->has_account && account != NULL && login->job.is_right &&
                    strcmp(account->password, login->job.against) == 0;
    int64_t step = 0;
    if (account != NULL && account->has_totp) {
        step = totp_check(account->totp_secret, login->code, now.wall, account->totp_step);
        is_right = is_right && step >= 0;
    }
    if (!is_right)
        return refuse(access, login, now, problem);
    lockout_right(access->logins, login->name);
    if (account->has_totp && !take_code(access, account, step, problem))
        return false;
    if (!write_audit(access, login, "done", now, problem))
        return false;
    session_make(access, account, login, now, session);
    return true;
}

// ---- Sessions that are there

const char *access_session_csrf(const struct access *access, uint64_t session)
{
    for (size_t i = 0; session != 0 && i < ACCESS_SESSIONS_MAX; i++) {
        if (access->sessions[i].number == session)
            return access->sessions[i].csrf;
    }
    return "";
}

bool access_session_end(struct access *access, struct access_change *change)
{
    struct session *session = access_session_find(access, change->who->session);
    struct audit_entry entry = {change->who, "session/end", "", "done"};
    if (session == NULL)
        return api_problem_set(&change->problem, 404, NULL,
                               "There is no session: nobody is signed in.");
    (void)audit_write(access->audit, &entry, false, change->now, &change->problem);
    sodium_memzero(session, sizeof(*session));
    return true;
}
