// The routes of the API by which people sign in and change something: sessions, accounts, tokens
// and the audit log (access_action.h), and the operator's actions (operate.h). Made by node.c after
// the server.
#ifndef SHOAL_NODE_WEB_ACCESS_H
#define SHOAL_NODE_WEB_ACCESS_H

#include "node/web_server.h"

struct web_access;

// Adds its routes to the server. NULL with a sentence
// (NODE_ERROR_SIZE characters at most).
struct web_access *web_access_new(struct node *node, struct web_server *web, char *error);
// After the server, which borrows the routes.
void web_access_free(struct web_access *access); // NULL is fine

#endif
