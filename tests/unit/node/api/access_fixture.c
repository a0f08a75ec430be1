#include "tests/unit/node/api/access_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void draw(void *context, void *out, size_t size)
{
    struct access_fixture *fixture = context;
    for (size_t i = 0; i < size; i++) {
        fixture->seed = fixture->seed * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)out)[i] = (uint8_t)(fixture->seed >> 33);
    }
}

int access_fixture_open(void **state)
{
    struct access_fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/shoal-access-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/accounts.json", fixture->folder);
    snprintf(fixture->audit_path, sizeof(fixture->audit_path), "%s/audit.log", fixture->folder);
    fixture->env = (struct env){.random = draw, .context = fixture};
    fixture->now = (struct now){.mono = {1000000}, .wall = {1700000010000}};
    fixture->local = access_local();
    access_fixture_reopen(fixture);
    *state = fixture;
    return 0;
}

int access_fixture_close(void **state)
{
    struct access_fixture *fixture = *state;
    static const char *const names[] = {"accounts.json", "accounts.json.new", "accounts.lock",
                                        "audit.log", "audit.log.1"};
    access_close(fixture->access);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, names[i]);
        unlink(path);
    }
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

void access_fixture_reopen(struct access_fixture *fixture)
{
    access_close(fixture->access);
    fixture->access = access_open(fixture->folder, &fixture->env, fixture->error);
    if (fixture->access == NULL)
        fail_msg("%s", fixture->error);
}

void access_fixture_pass(struct access_fixture *fixture, int64_t seconds)
{
    fixture->now.mono.ms += seconds * 1000;
    fixture->now.wall.ms += seconds * 1000;
}

struct access_change *access_fixture_as(struct access_fixture *fixture,
                                        const struct api_identity *who)
{
    fixture->change.who = who;
    fixture->change.now = fixture->now;
    return &fixture->change;
}

const char *access_fixture_hash(void)
{
    return "$argon2id$v=19$m=65536,t=2,p=1$FsIP5lSNTJR6bD0dBDGYrA$"
           "M7DkticXtqEzwFRXEvdMlsLP3nKlAjReaVd1bNStzek";
}

void access_fixture_add(struct access_fixture *fixture, const char *name, enum api_role role)
{
    if (!access_account_add(fixture->access, access_fixture_as(fixture, &fixture->local), name,
                            role, access_fixture_hash()))
        fail_msg("%s", fixture->change.problem.detail);
}

bool access_fixture_login(struct access_fixture *fixture, const char *name, bool is_right,
                          const char *code, struct access_session *session)
{
    struct access_login login;
    struct access_attempt attempt = {name, FIXTURE_PASSWORD, code, "192.0.2.1"};
    if (!access_login_begin(fixture->access, &attempt, fixture->now, &login,
                            &fixture->change.problem))
        return false;
    login.job.is_right = is_right;
    return access_login_end(fixture->access, &login, fixture->now, session,
                            &fixture->change.problem);
}

static enum access_result check(struct access_fixture *fixture,
                                const struct access_credentials *credentials,
                                struct api_identity *identity)
{
    return access_check(fixture->access, credentials, fixture->now, identity,
                        &fixture->retry_after_s);
}

enum access_result access_fixture_cookie(struct access_fixture *fixture, const char *id,
                                         const char *csrf, struct api_identity *identity)
{
    char cookie[512];
    snprintf(cookie, sizeof(cookie), "theme=dark; shoal_session=%s; other=1", id);
    struct access_credentials credentials = {"", cookie, "192.0.2.1", csrf != NULL,
                                             csrf != NULL ? csrf : ""};
    return check(fixture, &credentials, identity);
}

enum access_result access_fixture_token(struct access_fixture *fixture, const char *token,
                                        struct api_identity *identity)
{
    char header[512];
    snprintf(header, sizeof(header), "Bearer %s", token);
    struct access_credentials credentials = {header, "", "192.0.2.1", true, ""};
    return check(fixture, &credentials, identity);
}

char *access_fixture_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

bool access_fixture_has_line(const struct access_fixture *fixture, const char *text)
{
    char *log = access_fixture_read(fixture->audit_path);
    bool has = strstr(log, text) != NULL;
    free(log);
    return has;
}
