// The routes whose answer waits for a password (web_passwords.h): signing in, a new account,
// another password; and the session that is there. A part of web_access.
#ifndef SHOAL_NODE_WEB_LOGIN_H
#define SHOAL_NODE_WEB_LOGIN_H

#include "node/web_server.h"

struct web_login;

// NULL if out of memory.
struct web_login *web_login_new(struct node *node, struct web_server *web);
void web_login_free(struct web_login *login); // NULL is fine

// web_access.c: the reply is this problem.
void web_access_problem(struct api_reply *reply, const struct api_problem *problem);

#endif
