// A folder with accounts, a clock that is set by hand, and shorter ways to ask.
#ifndef SHOAL_TESTS_UNIT_NODE_API_ACCESS_FIXTURE_H
#define SHOAL_TESTS_UNIT_NODE_API_ACCESS_FIXTURE_H

#include "node/api/access.h"

#define FIXTURE_PASSWORD "correct horse battery"

struct access_fixture {
    char folder[64];
    char path[128], audit_path[128]; // accounts.json, audit.log
    uint64_t seed;
    struct env env;
    struct access *access;
    struct now now;
    struct api_identity local;
    struct access_change change;
    int64_t retry_after_s;
    char error[API_PROBLEM_SIZE];
};

int access_fixture_open(void **state);
int access_fixture_close(void **state);
void access_fixture_reopen(struct access_fixture *fixture);
void access_fixture_pass(struct access_fixture *fixture, int64_t seconds);

// A change that he asks for now; its problem stays in the fixture.
struct access_change *access_fixture_as(struct access_fixture *fixture,
                                        const struct api_identity *who);

// The hash of FIXTURE_PASSWORD, made beforehand.
const char *access_fixture_hash(void);
void access_fixture_add(struct access_fixture *fixture, const char *name, enum api_role role);
// Signs in without the cost of argon2: as if the job had said that the password is right or wrong.
bool access_fixture_login(struct access_fixture *fixture, const char *name, bool is_right,
                          const char *code, struct access_session *session);
// Who a request is that shows this session, or this token; changes something if csrf is given.
enum access_result access_fixture_cookie(struct access_fixture *fixture, const char *id,
                                         const char *csrf, struct api_identity *identity);
enum access_result access_fixture_token(struct access_fixture *fixture, const char *token,
                                        struct api_identity *identity);
// Whether the audit log has this text.
bool access_fixture_has_line(const struct access_fixture *fixture, const char *text);
// A whole file, with a zero behind it; to be freed.
char *access_fixture_read(const char *path);

#endif
