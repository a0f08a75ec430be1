// Asking a running node over its control socket: one question at a time, waiting for the answer
// (the commands that show something), or on a loop of the caller's (`shoal top`).
#ifndef SHOAL_NODE_ASK_H
#define SHOAL_NODE_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/json.h"
#include "node/net/loop.h"

#define ASK_ERROR_SIZE 512

struct ask; // an open conversation

struct ask_request {
    const char *command;
    uint64_t from;       // 0: none
    const char *tip;     // hex id of a link, or NULL
    const char *id;      // hash of a block, or NULL
    const char *address; // payout address, or NULL
};

// NULL with a sentence: no node runs on this data directory, or it is not ours to ask.
struct ask *ask_open(const char *data, char error[ASK_ERROR_SIZE]);
void ask_close(struct ask *ask); // NULL is fine
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

// The answer (to be freed, its text until the next question), or NULL with a sentence. From a later
// turn of the loop; the next question may be asked from inside, and the conversation closed.
typedef void ask_answered(void *context, struct json *answer, const char *error);
// For a loop of the caller's. NULL if out of memory.
struct ask *ask_new(struct net_loop *loop, const char *data, ask_answered *answered, void *context);
// Only when the last question was answered. Connects first where there is no connection (any
// more).
void ask_begin(struct ask *ask, const struct ask_request *request);

#endif
