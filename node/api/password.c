#include "node/api/password.h"
#include <sodium.h>
#include <string.h>

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_argon2id_STRBYTES, "hashes do not fit");

// Verification takes its limits from the text, so these must be the interactive ones, too.
static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$c2hvYWwtbm9ib2R5LTE2YQ$"
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

void password_job_run(struct password_job *job)
{
    bool has_check = job->against[0] != '\0';
    job->hash[0] = '\0';
    job->is_right = has_check && crypto_pwhash_argon2id_str_verify(job->against, job->old,
                                                                   strlen(job->old)) == 0;
    if (job->fresh[0] != '\0' && (job->is_right || !has_check) &&
        crypto_pwhash_argon2id_str(job->hash, job->fresh, strlen(job->fresh),
                                   crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
                                   crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) != 0)
        job->hash[0] = '\0';
    sodium_memzero(job->old, sizeof(job->old));
    sodium_memzero(job->fresh, sizeof(job->fresh));
}

const char *password_wrong(const char *password)
{
    size_t size = strlen(password);
    if (size < PASSWORD_SIZE_MIN)
        return "has fewer than 10 bytes";
    if (size > PASSWORD_SIZE_MAX)
        return "has more than 128 bytes";
    for (const char *c = password; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return "has a control character in it";
    }
    return NULL;
}

bool password_hash_is_ours(const char *hash)
{
    // libsodium looks no further than at the limits.
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789+/$=,";
    return strlen(hash) == sizeof(nobody) - 1 && strspn(hash, characters) == sizeof(nobody) - 1 &&
           crypto_pwhash_argon2id_str_needs_rehash(
               hash, crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
               crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) == 0;
}

const char *password_hash_of_nobody(void)
{
    return nobody;
}
