// The documents of report.h as routes of the API, each answer kept for as long as it may be given
// to others who ask the same. Made by web_server.c.
#ifndef SHOAL_NODE_WEB_DOCUMENTS_H
#define SHOAL_NODE_WEB_DOCUMENTS_H

#include "node/api/route.h"

struct node;

struct web_documents;
struct web_documents *web_documents_new(struct node *node); // NULL if out of memory
void web_documents_free(struct web_documents *documents);
// A route for each document that has a path.
const struct api_route *web_documents_routes(const struct web_documents *documents, size_t *count);

#endif
