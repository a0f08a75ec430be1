// Who may do what over HTTP: accounts with roles, passwords (argon2id by libsodium), TOTP (RFC
// 6238), sessions, API tokens with scope and expiry, lock-out, and the audit log. Kept in two files
// of the data directory that only their owner may read: accounts.json, written anew as a whole, and
// audit.log. Tokens and session ids are kept as BLAKE2b hashes only; sessions do not outlive the
// process. Time is passed in; passwords are checked by jobs that the caller runs on a worker thread
// (password.h). One process at a time: the node, or a command while the node is down.
#ifndef SHOAL_NODE_API_ACCESS_H
#define SHOAL_NODE_API_ACCESS_H

#include <stdbool.h>
#include "node/api/audit.h"
#include "node/api/password.h"
#include "node/api/problem.h"
#include "node/api/route.h"
#include "node/api/totp.h"
#include "node/base/env.h"

#define ACCESS_ACCOUNTS_MAX   64
#define ACCESS_TOKENS_MAX     256
#define ACCESS_SESSIONS_MAX   64 // the one that was not used for longest goes
#define ACCESS_NAME_SIZE      33 // with its zero, as the others
#define ACCESS_LABEL_SIZE     65
#define ACCESS_COOKIE         "shoal_session"
#define ACCESS_SESSION_TEXT   65 // 64 hex digits
#define ACCESS_CSRF_SIZE      33
#define ACCESS_TOKEN_TEXT     (6 + 16 + 1 + 64 + 1) // shoal_<id>_<secret>
#define ACCESS_SESSION_IDLE_S 1800
#define ACCESS_SESSION_MAX_S  43200
#define ACCESS_TOKEN_S        7776000 // 90 days, where nothing is said
#define ACCESS_TOKEN_MIN_S    60
#define ACCESS_TOKEN_MAX_S    315360000 // ten years
#define ACCESS_TOKEN_NEVER    0
#define ACCESS_LOCAL_NAME     "local" // who speaks through the control socket; no account's name

struct access;

// Reads accounts.json, if there is one, and takes the lock. NULL with a sentence: which file, what
// is wrong, what to do. `env` is borrowed.
struct access *access_open(const char *data, const struct env *env, char error[API_PROBLEM_SIZE]);
void access_close(struct access *access); // NULL is fine
// Whether there is an account that may do everything: before, nobody can sign in.
bool access_has_admin(const struct access *access);
struct audit *access_audit(struct access *access);

// The one who speaks through the control socket: may do everything.
struct api_identity access_local(void);

// ---- Requests

// What a request brought along; "" for what is not there.
struct access_credentials {
    const char *authorization; // header: "Bearer shoal_..."
    const char *cookie;        // header
    const char *address;       // whence, without port
    bool changes_something;    // then a cookie alone is not enough: its csrf text must be there
    const char *csrf;          // header X-Shoal-Csrf
};

enum access_result {
    ACCESS_GRANTED, // identity says who; API_PUBLIC where nothing was shown
    ACCESS_WRONG,   // forged, expired, revoked, or not ours; or a cookie without its csrf text
    ACCESS_LIMITED, // too many attempts from this address; retry_after_s says how long
};

// Fills *identity; role API_PUBLIC unless ACCESS_GRANTED with valid credentials. A cookie whose
// session is over counts as none: browsers keep them.
enum access_result access_check(struct access *access, const struct access_credentials *credentials,
                                struct now now, struct api_identity *identity,
                                int64_t *retry_after_s);

// ---- Signing in: begin, run the job elsewhere, end

struct access_login {
    struct password_job job;
    char name[ACCESS_NAME_SIZE];
    char code[TOTP_CODE_SIZE]; // "" for none
    char address[64];
    bool has_account;
};

struct access_attempt {
    const char *name, *password;
    const char *code; // "" for none
    const char *address;
};

// The secrets of a new session: shown once.
struct access_session {
    char id[ACCESS_SESSION_TEXT];
    char csrf[ACCESS_CSRF_SIZE];
    struct api_identity identity;
};

// Names that do not exist go the same way at the same cost. False (400, 429): there is nothing to
// run.
bool access_login_begin(struct access *access, const struct access_attempt *attempt, struct now now,
                        struct access_login *login, struct api_problem *problem);
// After password_job_run(&login->job). False (401): the name, the password or the code is wrong, or
// the code was used before; which of them is not said.
bool access_login_end(struct access *access, struct access_login *login, struct now now,
                      struct access_session *session, struct api_problem *problem);

// "" if the session is over.
const char *access_session_csrf(const struct access *access, uint64_t session);

// ---- Changes
//
// Each checks who asks, writes its line to the audit log and then accounts.json; false with the
// problem, and then nothing has changed. Nothing here is done with a token: what a token could make
// would outlive it.

struct access_change {
    const struct api_identity *who; // asks
    struct now now;
    struct api_problem problem; // the answer
};

// Signs out: never refused for want of space, as it takes rights away. 404 if nobody is signed in.
bool access_session_end(struct access *access, struct access_change *change);

// `hash` is that of a password_job. 409 if there is one of that name.
bool access_account_add(struct access *access, struct access_change *change, const char *name,
                        enum api_role role, const char *hash);
// Its sessions end and its tokens go with it. Not the last admin, unless it is done locally.
bool access_account_remove(struct access *access, struct access_change *change, const char *name);

struct access_password_wish {
    const char *name;
    const char *old; // of today; \"\" where an admin changes that of another
    const char *fresh;
};
// A new password, oneself or admin: whoever changes his own has to know the old one. Begin fills
// the job, from texts; end takes the hash from it. Its sessions end, but for the one that asked.
bool access_password_begin(struct access *access, struct access_change *change,
                           const struct access_password_wish *wish, struct password_job *job);
bool access_password_end(struct access *access, struct access_change *change, const char *name,
                         const struct password_job *job);

// A second factor, oneself or admin. Begin gives a new secret, which is in force once a code of it
// was shown; a further begin gives another one.
bool access_totp_begin(struct access *access, struct access_change *change, const char *name,
                       uint8_t secret[TOTP_SECRET_SIZE]);
bool access_totp_confirm(struct access *access, struct access_change *change, const char *name,
                         const char *code);
bool access_totp_remove(struct access *access, struct access_change *change, const char *name);

struct access_token_wish {
    const char *label;
    enum api_role role; // at most that of who asks
    int64_t expires_s;  // from now; ACCESS_TOKEN_NEVER
};
// `text` is the token itself: to be shown once.
bool access_token_create(struct access *access, struct access_change *change,
                         const struct access_token_wish *wish, char text[ACCESS_TOKEN_TEXT]);
// One's own, or any for an admin.
bool access_token_revoke(struct access *access, struct access_change *change, const char *id);

// ---- Documents (docs/api.md): the array `accounts` or `tokens`

void access_write_accounts(const struct access *access, struct json_writer *writer);
void access_write_tokens(const struct access *access, struct now now, struct json_writer *writer);

#endif
