// Asking a running node over its control socket: used by the commands that show something.
#ifndef SHOAL_NODE_ASK_H
#define SHOAL_NODE_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/json.h"

#define ASK_ERROR_SIZE 512

struct ask; // an open conversation

// NULL with a sentence: no node runs on this data directory, or it is not ours to ask.
struct ask *ask_open(const char *data, char error[ASK_ERROR_SIZE]);
void ask_close(struct ask *ask); // NULL is fine

struct ask_request {
    const char *command;
    uint64_t from;   // 0: none
    const char *tip; // hex id of a link, or NULL
    const char *id;  // hash of a block, or NULL
};

// The answer's document, to be freed with json_free; its text lives in the conversation until the
// next question. NULL with a sentence, also if the node's answer is an error.
struct json *ask_question(struct ask *ask, const struct ask_request *request,
                          char error[ASK_ERROR_SIZE]);
// The same for a line that is JSON, without a newline.
struct json *ask_line(struct ask *ask, const struct buffer *line, char error[ASK_ERROR_SIZE]);
// An answer as text: NULL with a sentence if it is an error, or no JSON.
struct json *ask_read_answer(const char *answer, size_t size, char error[ASK_ERROR_SIZE]);
// The text of the last answer, without the newline.
const struct buffer *ask_text(const struct ask *ask);

#endif
