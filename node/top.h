// What `shoal top` shows: views of a running node's documents, drawn into a terminal of any size,
// and what the keys do. Holds the documents; does no I/O, so that tests can look at the screen.
// Used by command_top.c.
#ifndef SHOAL_NODE_TOP_H
#define SHOAL_NODE_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/base/bytes.h"

struct top;

// NULL if out of memory.
struct top *top_new(bool has_colours);
void top_free(struct top *top);
// The next drawing begins from an empty screen.
void top_resize(struct top *top, size_t columns, size_t rows);

// The name of document i that the view needs, NULL past the end.
const char *top_wants(const struct top *top, size_t i);
// A document came, as JSON; the text is copied. Takes the problem away.
void top_set_document(struct top *top, const char *name, const void *text, size_t size);
// What keeps documents from coming; they stay, marked as old.
void top_set_problem(struct top *top, const char *problem);

enum top_action {
    TOP_NOTHING,
    TOP_DRAW,    // something is to be shown otherwise
    TOP_ASK,     // the view needs other documents, now
    TOP_SUSPEND, // Ctrl-Z
    TOP_QUIT,
};
// What was typed, as terminals send it. The last thing that is to be done of all that.
enum top_action top_type(struct top *top, const uint8_t *keys, size_t size);

// Appends what changes the screen from what was drawn last: only lines that differ.
void top_draw(struct top *top, struct buffer *out);

#endif
