// The status page over HTTP: the files of node/web, the documents of report.h as /api/v1/NAME, and
// two answers for whoever supervises the node: /healthz (it answers) and /readyz (it serves work).
// Read-only, as the server below it. Made by node.c.
#ifndef SHOAL_NODE_HTTP_PAGE_H
#define SHOAL_NODE_HTTP_PAGE_H

struct node;
struct http_page;

// NULL with a sentence (NODE_ERROR_SIZE characters at most).
struct http_page *http_page_new(struct node *node, char *error);
void http_page_free(struct http_page *page); // NULL is fine

#endif
