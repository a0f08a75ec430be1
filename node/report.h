// Answers to questions about a running node, as JSON documents: read-only views of the engines.
// Used by the control socket and by the status page, which therefore never disagree. Each document
// is made in one go: those whose size has no natural end are answered in pages.
#ifndef SHOAL_NODE_REPORT_H
#define SHOAL_NODE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/bytes.h"
#include "node/base/hash.h"

struct node;

// No document is larger.
#define REPORT_SIZE_MAX (16u << 20)

// Writes the document `name` ("status", "miners", "blocks", "block", "payouts", "credits", "loose",
// "daemons", "links", "peers", "dht", "chain"); false if there is none. out->failed if it grew
// beyond out's cap.
bool report_write(struct node *node, const char *name, struct buffer *out);
// Name i of the documents with a sentence of what it holds; NULL past the end.
const char *report_name(unsigned i, const char **meaning);

// A request as a line of JSON: {"command":"status"}; "credits" and "blocks" also take "from" (a
// height of links, or the number of a block), "credits" takes "tip" (hex id of a link: the answer
// is an error unless it is still on the best chain) and "block" needs "id" (its hash). Writes one
// document without a newline: the answer, or {"error":"a sentence"}.
void report_answer(struct node *node, const void *request, size_t size, struct buffer *out);

#endif
