// The insides of access, shared by its files: access.c (requests, sessions), access_login.c,
// access_account.c and access_token.c (changes), access_file.c (accounts.json).
#ifndef SHOAL_NODE_API_ACCESS_STATE_H
#define SHOAL_NODE_API_ACCESS_STATE_H

#include "node/api/access.h"
#include "node/api/lockout.h"

#define ACCESS_HASH_SIZE     32
#define ACCESS_TOKEN_ID_SIZE 17
#define ACCESS_SECRET_SIZE   32
#define ACCESS_PATH_SIZE     2048
#define ACCESS_TOTP_BEGUN_MS 900000 // a secret that nobody confirms is forgotten

struct access_account {
    char name[ACCESS_NAME_SIZE];
    enum api_role role;
    char password[PASSWORD_HASH_SIZE];
    int64_t created_at;
    bool has_totp;
    uint8_t totp_secret[TOTP_SECRET_SIZE];
    int64_t totp_step; // of the last code that was taken: none up to it is taken again
};

struct access_token {
    char id[ACCESS_TOKEN_ID_SIZE];
    char label[ACCESS_LABEL_SIZE];
    enum api_role role;
    char owner[ACCESS_NAME_SIZE];
    uint8_t hash[ACCESS_HASH_SIZE];
    int64_t created_at;
    int64_t expires_at; // s since 1970; ACCESS_TOKEN_NEVER
    int64_t used_at;    // not in the file; 0 if not since the start
};

// What accounts.json holds: changed as a whole.
struct access_book {
    struct access_account accounts[ACCESS_ACCOUNTS_MAX];
    size_t accounts_count;
    struct access_token tokens[ACCESS_TOKENS_MAX];
    size_t tokens_count;
};

struct session {
    uint64_t number; // 0: the place is free
    uint8_t hash[ACCESS_HASH_SIZE];
    char csrf[ACCESS_CSRF_SIZE];
    char name[ACCESS_NAME_SIZE];
    struct mono_time begun, used;
};

// A second factor that was begun and has not been confirmed.
struct totp_begun {
    char name[ACCESS_NAME_SIZE]; // "": the place is free
    uint8_t secret[TOTP_SECRET_SIZE];
    struct mono_time at;
};

struct access {
    const struct env *env;
    char path[ACCESS_PATH_SIZE]; // of accounts.json
    int lock;                    // a file that is locked as long as this lives
    struct access_book *book;
    struct audit *audit;
    struct lockout *logins, *tokens; // wrong attempts of the one and the other
    struct session sessions[ACCESS_SESSIONS_MAX];
    uint64_t next_session;
    struct totp_begun totp_begun[ACCESS_ACCOUNTS_MAX];
};

// ---- access_file.c

// An empty book where there is no file. NULL with a sentence.
struct access_book *access_book_read(const char *path, char error[API_PROBLEM_SIZE]);
void access_book_free(struct access_book *book); // wipes it
// The file's text into an empty book, and back. False with a sentence that names the path.
bool access_book_decode(const char *path, const struct buffer *text, struct access_book *book,
                        char error[API_PROBLEM_SIZE]);
void access_book_encode(const struct access_book *book, struct buffer *out);
// Writes the new file beside the old one, and gives it its name. False with the problem.
bool access_book_prepare(const char *path, const struct access_book *book,
                         struct api_problem *problem);
bool access_book_commit(const char *path, struct api_problem *problem);

// The name of an account: 1 to 32 of a-z 0-9 . _ -, the first a letter or digit.
bool access_name_is_right(const char *name);
bool access_label_is_right(const char *label);

// ---- access.c

struct access_account *access_account_find(struct access_book *book, const char *name);
struct access_token *access_token_find(struct access_book *book, const char *id);
// BLAKE2b of a secret's text.
void access_hash(const char *text, uint8_t hash[ACCESS_HASH_SIZE]);
struct session *access_session_find(struct access *access, uint64_t number);
// Ends those of the account, but for the one of that number.
void access_sessions_end(struct access *access, const char *name, uint64_t but);

// ---- access_login.c

// 429; returns false.
bool access_refuse_locked(struct api_problem *problem, int64_t wait_s);

// ---- access_account.c

// A copy of the book to be changed, or NULL (503).
struct access_book *access_change_begin(const struct access *access, struct access_change *change);
// Puts the copy in force: file, audit line, memory; either way the copy is no longer the caller's.
bool access_change_end(struct access *access, struct access_change *change,
                       struct access_book *book, const char *action, const char *what);
// 403 unless who asks signed in (or is local) and has the role, or `own` is his name.
bool access_may_change(struct access_change *change, enum api_role role, const char *own);

#endif
