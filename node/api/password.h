// Passwords: argon2id by libsodium with its limits for interactive use, which takes 50 to 100 ms
// and 64 MiB. So it is a job that the owner runs on a worker thread, one at a time.
#ifndef SHOAL_NODE_API_PASSWORD_H
#define SHOAL_NODE_API_PASSWORD_H

#include <stdbool.h>

#define PASSWORD_SIZE_MIN  10
#define PASSWORD_SIZE_MAX  128
#define PASSWORD_HASH_SIZE 128 // with its zero
#define PASSWORD_TEXT_SIZE (PASSWORD_SIZE_MAX + 1)

// Checks a password, or hashes a new one, or both: the new one only if the old one is right.
struct password_job {
    char old[PASSWORD_TEXT_SIZE];     // to be checked
    char against[PASSWORD_HASH_SIZE]; // its hash; "": there is nothing to check
    char fresh[PASSWORD_TEXT_SIZE];   // to be hashed; "": there is nothing to hash
    bool is_right;                    // the answers
    char hash[PASSWORD_HASH_SIZE];    // "" if it was not made: wrong, or no memory for it
};

// On any thread. Wipes both passwords.
void password_job_run(struct password_job *job);

// NULL if it may be a password, else what is wrong with it: "has fewer than 10 bytes".
const char *password_wrong(const char *password);
// Whether the text is a hash as the job makes them: of this algorithm and these limits.
bool password_hash_is_ours(const char *hash);
// A hash that costs as much to check as any other and that no password is known for.
const char *password_hash_of_nobody(void);

#endif
