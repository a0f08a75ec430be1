// Documents of a node (report.h) as text for terminals. Used by the command that asks for them.
#ifndef SHOAL_NODE_SHOW_H
#define SHOAL_NODE_SHOW_H

#include "node/base/json.h"

// False if there is no such document.
bool show_document(const char *name, struct json_value document, struct buffer *out);

#endif
