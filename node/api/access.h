// Who may do what over HTTP: accounts with roles, passwords (argon2id by libsodium), TOTP (RFC
// 6238), sessions, API tokens with scope and expiry, limits of attempts an address, lock-out, and
// the audit log. Kept in two files of the data directory that only their owner may read:
// accounts.json, written anew as a whole, and audit.log, one JSON object a line, appended. Tokens
// and session ids are kept as BLAKE2b hashes only. Time is passed in; checks of passwords take 50
// to 100 ms and are done on a worker thread by the caller (access_password_*).
#ifndef SHOAL_NODE_API_ACCESS_H
#define SHOAL_NODE_API_ACCESS_H

#include <stdbool.h>
#include "node/api/route.h"

struct access;

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
    ACCESS_WRONG,   // forged, expired, revoked, or not ours
    ACCESS_LIMITED, // too many attempts from this address; retry_after_s says how long
};

// Fills *identity; role API_PUBLIC unless ACCESS_GRANTED with valid credentials.
enum access_result access_check(struct access *access, const struct access_credentials *credentials,
                                struct now now, struct api_identity *identity,
                                int64_t *retry_after_s);

#endif
