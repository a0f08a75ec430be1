#include "node/web_login.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/api/body.h"
#include "node/state.h"
#include "node/web_passwords.h"

#define ROUTES_COUNT 5

struct web_login {
    struct node *node;
    struct web_server *web;
    struct web_passwords *passwords;
    struct api_route routes[ROUTES_COUNT];
};

// A request that waits for its password.
struct held {
    struct web_login *login;
    uint64_t ticket;
    bool is_secure;
    struct api_identity who;
    struct access_login attempt; // its job is used by all three
    char name[ACCESS_NAME_SIZE];
    enum api_role role;
    // What came of it.
    bool is_done;
    struct api_problem problem;
    struct access_session session;
    void (*end)(struct held *held, struct access_change *change);
    void (*write)(const struct held *held, struct api_reply *reply);
};

// ---- Documents

static void begin(const struct held *held, const char *document, struct json_writer *writer)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "document", document);
    json_write_i64(writer, "now", wall_seconds(net_loop_now(held->login->node->loop).wall));
}

static void write_session(const struct api_identity *who, const char *csrf, struct now now,
                          struct api_reply *reply)
{
    struct json_writer writer;
    reply->is_kept_back = true;
    json_writer_init(&writer, reply->body);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "document", "session");
    json_write_i64(&writer, "now", wall_seconds(now.wall));
    json_write_text(&writer, "role", api_role_text(who->role));
    json_write_text(&writer, "name", who->name);
    json_write_text(&writer, "token", who->token[0] != '\0' ? who->token : NULL);
    json_write_text(&writer, "csrf", csrf);
    json_end_object(&writer);
}

static void set_cookie(struct api_reply *reply, const char *id, int64_t age_s, bool is_secure)
{
    snprintf(reply->set_cookie, sizeof(reply->set_cookie),
             ACCESS_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", id,
             (long long)age_s, is_secure ? "; Secure" : "");
}

static void write_entered(const struct held *held, struct api_reply *reply)
{
    set_cookie(reply, held->session.id, ACCESS_SESSION_MAX_S, held->is_secure);
    write_session(&held->session.identity, held->session.csrf,
                  net_loop_now(held->login->node->loop), reply);
}

static void write_named(const struct held *held, struct api_reply *reply, const char *document)
{
    struct json_writer writer;
    reply->is_kept_back = true;
    json_writer_init(&writer, reply->body);
    begin(held, document, &writer);
    json_write_text(&writer, "name", held->name);
    json_end_object(&writer);
}

static void write_added(const struct held *held, struct api_reply *reply)
{
    write_named(held, reply, "accounts/add");
}

static void write_changed(const struct held *held, struct api_reply *reply)
{
    write_named(held, reply, "accounts/password");
}

// ---- Holding a request

static void fill(void *context, struct api_reply *reply)
{
    const struct held *held = context;
    if (held->is_done)
        held->write(held, reply);
    else
        web_access_problem(reply, &held->problem);
}

static void free_held(struct held *held)
{
    sodium_memzero(held, sizeof(*held));
    free(held);
}

// What follows from the password happens whether or not the client is still there.
static void on_password(void *context, bool was_run)
{
    struct held *held = context;
    if (was_run) {
        struct web_login *login = held->login;
        struct access_change change = {.who = &held->who, .now = net_loop_now(login->node->loop)};
        held->end(held, &change);
        held->problem = change.problem;
        web_server_answer(login->web, held->ticket, fill, held);
    }
    free_held(held);
}

static struct held *held_new(struct web_login *login, const struct api_call *call)
{
    struct held *held = calloc(1, sizeof(*held));
    if (held == NULL)
        return NULL;
    held->login = login;
    held->ticket = call->ticket;
    held->is_secure = call->is_secure;
    held->who = call->identity;
    return held;
}

// Takes `held`.
static void hold(struct held *held, struct api_reply *reply)
{
    struct api_problem full = {.status = 429, .retry_after_s = 1};
    snprintf(full.detail, sizeof(full.detail),
             "Several passwords are being checked; try again in a second.");
    reply->is_held =
        web_passwords_add(held->login->passwords, &held->attempt.job, on_password, held);
    if (reply->is_held)
        return;
    web_access_problem(reply, &full);
    free_held(held);
}

static void fail_memory(struct api_reply *reply)
{
    api_fail(reply, 503, NULL, "Nothing was changed: out of memory.");
}

// ---- Sessions

static void answer_who(void *context, const struct api_call *call, struct api_reply *reply)
{
    const struct web_login *login = context;
    write_session(&call->identity, access_session_csrf(login->node->access, call->identity.session),
                  call->now, reply);
}

#define NAME_MEMBER                                                                                \
    {                                                                                              \
        {"name", API_NAME, 1, ACCESS_NAME_SIZE - 1, 0, NULL, "The name of the account."}, true     \
    }
#define PASSWORD_MEMBER(meaning)                                                                   \
    {                                                                                              \
        {"password", API_NAME, 1, PASSWORD_SIZE_MAX, 0, NULL, meaning}, true                       \
    }

static const struct api_member enter_members[] = {
    NAME_MEMBER,
    PASSWORD_MEMBER("Its password."),
    {{"code", API_NAME, 6, 6, 0, NULL, "The code of the second factor, if it has one."}, false},
};

static void end_enter(struct held *held, struct access_change *change)
{
    held->is_done = access_login_end(held->login->node->access, &held->attempt, change->now,
                                     &held->session, &change->problem);
}

static void answer_enter(void *context, const struct api_call *call, struct api_reply *reply)
{
    struct web_login *login = context;
    struct api_value values[3];
    struct api_problem problem;
    struct api_body body = {enter_members, 3, NULL};
    struct held *held = held_new(login, call);
    if (held == NULL) {
        fail_memory(reply);
        return;
    }
    held->end = end_enter;
    held->write = write_entered;
    bool is_read = api_body_read(&body, call->body, values, &problem);
    struct access_attempt attempt = {values[0].text, values[1].text, values[2].text,
                                     call->identity.address};
    if (is_read &&
        access_login_begin(login->node->access, &attempt, call->now, &held->attempt, &problem)) {
        hold(held, reply);
    } else {
        web_access_problem(reply, &problem);
        free_held(held);
    }
    sodium_memzero(values, sizeof(values));
}

static void answer_leave(void *context, const struct api_call *call, struct api_reply *reply)
{
    struct web_login *login = context;
    struct access_change change = {.who = &call->identity, .now = call->now};
    struct api_identity nobody = {.role = API_PUBLIC};
    if (access_session_end(login->node->access, &change))
        write_session(&nobody, "", call->now, reply);
    else
        web_access_problem(reply, &change.problem);
    set_cookie(reply, "", 0, call->is_secure);
}

// ---- Accounts

static const struct api_member add_members[] = {
    NAME_MEMBER,
    {{"role", API_WORD, 0, 0, 0, "viewer operator admin", "What it may do."}, true},
    PASSWORD_MEMBER("10 to 128 bytes."),
};

static void end_add(struct held *held, struct access_change *change)
{
    const char *hash = held->attempt.job.hash;
    if (hash[0] == '\0') {
        api_problem_set(&change->problem, 503, NULL, "Nothing was changed: out of memory.");
        return;
    }
    held->is_done =
        access_account_add(held->login->node->access, change, held->name, held->role, hash);
}

static bool begin_add(struct held *held, const struct api_value *values,
                      struct api_problem *problem)
{
    const char *wrong = password_wrong(values[2].text);
    snprintf(held->name, sizeof(held->name), "%.32s", values[0].text);
    api_role_from_text(values[1].text, &held->role);
    snprintf(held->attempt.job.fresh, sizeof(held->attempt.job.fresh), "%.128s", values[2].text);
    return wrong == NULL || api_problem_set(problem, 400, "password",
                                            "password: it %s; right are 10 to 128.", wrong);
}

static void answer_add(void *context, const struct api_call *call, struct api_reply *reply)
{
    struct api_value values[3];
    struct api_problem problem;
    struct api_body body = {add_members, 3, NULL};
    struct held *held = held_new(context, call);
    if (held == NULL) {
        fail_memory(reply);
        return;
    }
    held->end = end_add;
    held->write = write_added;
    if (api_body_read(&body, call->body, values, &problem) && begin_add(held, values, &problem)) {
        hold(held, reply);
    } else {
        web_access_problem(reply, &problem);
        free_held(held);
    }
    sodium_memzero(values, sizeof(values));
}

static const struct api_parameter name_parameter = {
    "name", API_NAME, 1, ACCESS_NAME_SIZE - 1, 0, NULL, "The name of the account."};
static const struct api_member password_members[] = {
    PASSWORD_MEMBER("The new one, 10 to 128 bytes."),
    {{"old", API_NAME, 1, PASSWORD_SIZE_MAX, 0, NULL,
      "The one of today: of whoever changes his own."},
     false},
};

static void end_password(struct held *held, struct access_change *change)
{
    held->is_done =
        access_password_end(held->login->node->access, change, held->name, &held->attempt.job);
}

static void answer_password(void *context, const struct api_call *call, struct api_reply *reply)
{
    struct web_login *login = context;
    struct api_value values[2];
    struct api_body body = {password_members, 2, NULL};
    struct access_change change = {.who = &call->identity, .now = call->now};
    struct held *held = held_new(login, call);
    if (held == NULL) {
        fail_memory(reply);
        return;
    }
    held->end = end_password;
    held->write = write_changed;
    snprintf(held->name, sizeof(held->name), "%.32s", call->values[0].text);
    bool is_read = api_body_read(&body, call->body, values, &change.problem);
    struct access_password_wish wish = {held->name, values[1].text, values[0].text};
    if (is_read && access_password_begin(login->node->access, &change, &wish, &held->attempt.job)) {
        hold(held, reply);
    } else {
        web_access_problem(reply, &change.problem);
        free_held(held);
    }
    sodium_memzero(values, sizeof(values));
}

// ---- Making it

struct web_login *web_login_new(struct node *node, struct web_server *web)
{
    struct web_login *login = calloc(1, sizeof(*login));
    if (login == NULL)
        return NULL;
    *login = (struct web_login){
        .node = node,
        .web = web,
        .passwords = web_passwords_new(node->loop),
        .routes =
            {
                {.method = API_GET,
                 .path = "session",
                 .summary = "Who asks, and the csrf text.",
                 .answer = answer_who,
                 .is_open = true},
                {.method = API_POST,
                 .path = "session",
                 .summary = "Sign in: sets the cookie.",
                 .has_body = true,
                 .answer = answer_enter,
                 .is_open = true},
                {.method = API_DELETE,
                 .path = "session",
                 .summary = "Sign out.",
                 .answer = answer_leave,
                 .is_open = true},
                {.method = API_POST,
                 .path = "accounts",
                 .role = API_ADMIN,
                 .summary = "Make an account.",
                 .has_body = true,
                 .answer = answer_add},
                {.method = API_PUT,
                 .path = "accounts/{name}/password",
                 .role = API_VIEWER,
                 .summary = "Another password, of oneself or by an admin; its sessions end.",
                 .has_body = true,
                 .parameters = &name_parameter,
                 .parameters_count = 1,
                 .answer = answer_password},
            },
    };
    for (size_t i = 0; i < ROUTES_COUNT; i++)
        login->routes[i].context = login;
    if (login->passwords != NULL && web_server_add(web, login->routes, ROUTES_COUNT))
        return login;
    web_login_free(login);
    return NULL;
}

void web_login_free(struct web_login *login)
{
    if (login == NULL)
        return;
    web_passwords_free(login->passwords);
    free(login);
}
