// Documents of a node (report.h) as text for terminals. Used by the commands that ask for them.
#ifndef SHOAL_NODE_SHOW_H
#define SHOAL_NODE_SHOW_H

#include "node/base/json.h"
#include "node/text_table.h"

struct show_out {
    struct buffer *text;
    size_t width; // columns of the terminal; 0: there is none, nothing is cut or wrapped
    bool has_colours;
};

// False if there is no such document, or it is one for programs only.
bool show_document(const char *name, struct json_value document, struct show_out *out);

// The lists of some documents as tables, in the document's order; with keys to sort them by. NULL
// if out of memory.
struct text_table *show_miners_table(struct json_value document);
struct text_table *show_blocks_table(struct json_value document);
struct text_table *show_peers_table(struct json_value document);
// Whom the next block pays.
struct text_table *show_outputs_table(struct json_value block);

#endif
