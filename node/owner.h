// The owner of the machine asks about accounts, or acts: over the control socket of the node that
// runs on the data directory; what is about accounts also while no node runs, in its files, under
// the same lock. Used by the commands.
#ifndef SHOAL_NODE_OWNER_H
#define SHOAL_NODE_OWNER_H

#include <stdbool.h>
#include "node/ask.h"
#include "node/base/bytes.h"

struct owner;

// NULL with a sentence: no node runs, and it is needed (or the files cannot be had).
struct owner *owner_open(const char *data, bool needs_node, char error[ASK_ERROR_SIZE]);
void owner_close(struct owner *owner); // NULL is fine

// `line` is {"command": ...} without a newline. The answer, to be freed with json_free; NULL with
// a sentence, also if the answer is an error. Its text lives until the next question.
struct json *owner_ask(struct owner *owner, const struct buffer *line, char error[ASK_ERROR_SIZE]);

#endif
