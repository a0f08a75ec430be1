// Text for terminals: how wide it is, made safe, cut and wrapped. What came from outside cannot
// steer a terminal, nor turn its writing around: control characters, bytes that are no UTF-8 and
// marks without width become question marks.
#ifndef SHOAL_NODE_TEXT_H
#define SHOAL_NODE_TEXT_H

#include <stddef.h>
#include "node/base/bytes.h"

// Appends text, made safe.
void text_write_safe(struct buffer *out, const char *text);
// Columns of a terminal that safe text takes.
size_t text_width(const char *text);
// How many bytes of safe text fit into so many columns; whole characters with their accents.
size_t text_fit(const char *text, size_t columns);
// Appends safe text that takes exactly so many columns: filled with spaces, or cut with an
// ellipsis at its end.
void text_write_column(struct buffer *out, const char *text, size_t columns);
// Appends paragraphs (a line each, an empty line between), wrapped at spaces to `width` columns,
// each line behind `indent` spaces; lines that begin with a space stay as they are. Ends with a
// newline.
void text_wrap(struct buffer *out, const char *text, size_t indent, size_t width);
// Edits, i.e. letters put in, taken out or exchanged, between two names (to find what was meant);
// only the first 48 letters are looked at.
size_t text_distance(const char *a, const char *b);

#endif
