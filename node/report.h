// Answers to questions about a running node, as JSON documents: read-only views of the engines.
// Used by the control socket and by the status page, which therefore never disagree.
#ifndef SHOAL_NODE_REPORT_H
#define SHOAL_NODE_REPORT_H

#include <stdbool.h>
#include "node/base/bytes.h"

struct node;

// Writes the document `name` ("status", "miners", "blocks", "payouts", "credits", "daemons"); false
// if there is none.
bool report_write(struct node *node, const char *name, struct buffer *out);
// Name i of the documents with a sentence of what it holds; NULL past the end.
const char *report_name(unsigned i, const char **meaning);

#endif
