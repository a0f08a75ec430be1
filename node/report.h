// Answers to questions about a running node, as JSON documents: read-only views of the engines.
// Used by the control socket and by the HTTP API, which therefore never disagree. A document is a
// row of one table (report_table.c): its name, its path, its parameters, who may see it, and the
// function that writes it. Each is made in one go: those whose size has no natural end are answered
// in pages.
#ifndef SHOAL_NODE_REPORT_H
#define SHOAL_NODE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "node/api/parameter.h"
#include "node/base/bytes.h"
#include "node/base/json.h"

struct node;

// No document is larger.
#define REPORT_SIZE_MAX (16u << 20)

struct report_document;

// A question, and what became of it.
struct report_call {
    const struct report_document *document;
    struct api_value values[API_PARAMETERS_MAX]; // in the order of the document's parameters
    enum api_role role;                          // of who asks
    int status;                                  // 200, unless the document could not be made
    const char *parameter;                       // what was wrong with the question, or NULL
    char detail[API_DETAIL_SIZE];                // a sentence, unless status is 200
};

struct report_document {
    const char *name;    // of the command of the control socket; the member "document"
    const char *path;    // behind API_PREFIX: "links/{id}"; NULL: only over the control socket
    const char *meaning; // what it holds, for people
    int64_t life_ms;     // how long an answer may be given to others who ask the same
    enum api_role role;
    bool has_private_part;                  // viewers and up are shown more than the public
    const struct api_parameter *parameters; // those of the path first; those must be given
    size_t parameters_count;
    // Writes the members behind "document" and "now"; or calls report_fail, and what it wrote is
    // thrown away.
    void (*write)(struct node *node, struct report_call *call, struct json_writer *writer);
};

// Row i; NULL past the end.
const struct report_document *report_get(size_t i);
// The document of this name; NULL if there is none.
const struct report_document *report_find(const char *name);
// A call of this document with the values that count where nothing is given. Parameters are then
// set with report_set, or in `values` by who has checked them already.
void report_call_init(struct report_call *call, const struct report_document *document,
                      enum api_role role);
// Sets a parameter from text; false if there is no such, or the text is wrong: the call has failed
// then.
bool report_set(struct report_call *call, const char *name, const char *text, size_t size);
// Writes the document into `out`, which is empty. False if it cannot be made: call->status and
// ->detail say why, and out is empty.
bool report_write(struct node *node, struct report_call *call, struct buffer *out);
// How long the document may be kept now: those of the window for longer the longer it is.
int64_t report_life_ms(const struct node *node, const struct report_document *document);

// For writers: what was asked for. The parameter must be one of the document's.
const struct api_value *report_value(const struct report_call *call, const char *name);
uint64_t report_number(const struct report_call *call, const char *name);
// The document cannot be made: 404 there is no such thing, 409 not any more, 503 not now. The
// sentence says what, and what would be right; parameter may be NULL.
void report_fail(struct report_call *call, int status, const char *parameter, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

// A request as a line of JSON: {"command":"blocks","from":7}: the document's name, and parameters
// by theirs. Everything is answered, whatever the role. Writes one document without a newline: the
// answer, or {"error":"a sentence"}.
void report_answer(struct node *node, const void *request, size_t size, struct buffer *out);

#endif
