// Answers and notifications as lines of JSON. An id comes back exactly as it was written; a message
// without an id, or with null, gets no answer at all.
#ifndef SHOAL_STRATUM_REPLY_H
#define SHOAL_STRATUM_REPLY_H

#include "node/base/bytes.h"
#include "stratum/line.h"

// The error codes of the dialect.
enum reply_code {
    REPLY_METHOD_NOT_FOUND = -3,
    REPLY_OTHER = 20,
    REPLY_JOB_UNKNOWN = 21,
    REPLY_DUPLICATE = 22,
    REPLY_LOW_DIFFICULTY = 23,
    REPLY_UNAUTHORIZED = 24,
    REPLY_NOT_SUBSCRIBED = 25,
};

bool reply_is_wanted(const struct line_value *id);
// `result` is JSON.
void reply_result(struct buffer *out, const struct line_value *id, const char *result);
// Opens an answer: write the result's JSON, then reply_end.
void reply_begin(struct buffer *out, const struct line_value *id);
void reply_end(struct buffer *out);
// `result` is "false" or "null"; the message is plain ASCII without quotes or backslashes.
void reply_error(struct buffer *out, const struct line_value *id, const char *result,
                 enum reply_code code, const char *message);
void reply_set_difficulty(struct buffer *out, double difficulty);
// Shown on the miner's display or in its log.
void reply_show_message(struct buffer *out, const char *message);
void reply_reconnect(struct buffer *out);

#endif
