// Structured log: an event is a level, the part of the house it happened in, a sentence for people
// and named fields. Written as one line of text or of JSON to a sink; control characters in values
// are escaped. Called by everything; never blocks on more than its sink, never fails.
#ifndef SHOAL_NODE_BASE_LOG_H
#define SHOAL_NODE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/time.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_form { LOG_FORM_TEXT, LOG_FORM_JSON };

enum log_field_kind {
    LOG_FIELD_TEXT,
    LOG_FIELD_I64,
    LOG_FIELD_U64,
    LOG_FIELD_DOUBLE,
    LOG_FIELD_BOOL
};

struct log_field {
    const char *name; // lower-case words joined by _
    enum log_field_kind kind;
    union {
        const char *text; // NULL is written as empty
        int64_t i64;
        uint64_t u64;
        double number;
        bool truth;
    } value;
};

#define LOG_TEXT(field, x)   ((struct log_field){field, LOG_FIELD_TEXT, {.text = (x)}})
#define LOG_I64(field, x)    ((struct log_field){field, LOG_FIELD_I64, {.i64 = (x)}})
#define LOG_U64(field, x)    ((struct log_field){field, LOG_FIELD_U64, {.u64 = (x)}})
#define LOG_NUMBER(field, x) ((struct log_field){field, LOG_FIELD_DOUBLE, {.number = (x)}})
#define LOG_BOOL(field, x)   ((struct log_field){field, LOG_FIELD_BOOL, {.truth = (x)}})

// Some fields, borrowed.
struct log_fields {
    const struct log_field *first;
    size_t count;
};

struct log;
// Gets one finished line, with its newline; called from the thread that logs.
typedef void log_sink(void *context, enum log_level level, const char *line, size_t size);
// Gives the time for the line's stamp.
typedef struct wall_time log_clock(void *context);

// Sink and clock get `context` and outlive the log. NULL if out of memory.
struct log *log_new(enum log_level level_max, enum log_form form, log_sink *sink, log_clock *clock,
                    void *context);
// Drops everything: for tests and simulations.
struct log *log_new_silent(void);
void log_free(struct log *log);
void log_set_level(struct log *log, enum log_level level_max);
bool log_wants(const struct log *log, enum log_level level);
bool log_level_from_text(const char *text, enum log_level *level);
// Text values beyond 512 bytes are cut and fields that do not fit in a line of 4096 are left out;
// such a line ends with truncated=true. `part` is a room ("stratum"), `event` a short sentence
// without values ("miner connected").
void log_write(struct log *log, enum log_level level, const char *part, const char *event,
               struct log_fields fields);

// log_event(log, LOG_INFO, "stratum", "miner connected", LOG_TEXT("user", user), LOG_U64("id",
// id)); At least one field; log_plain for none.
#define log_event(log, level, part, event, ...)                                                    \
    log_write(log, level, part, event,                                                             \
              (struct log_fields){(const struct log_field[]){__VA_ARGS__},                         \
                                  sizeof((const struct log_field[]){__VA_ARGS__}) /                \
                                      sizeof(struct log_field)})
#define log_plain(log, level, part, event)                                                         \
    log_write(log, level, part, event, (struct log_fields){NULL, 0})

#endif
