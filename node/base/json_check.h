// The grammar of JSON (RFC 8259), checked before jsmn cuts the text into tokens: jsmn itself lets
// much pass that is no JSON, and is slow on some of it. Used by json.c only. Bytes of 128 and more
// are taken as they are.
#ifndef SHOAL_NODE_BASE_JSON_CHECK_H
#define SHOAL_NODE_BASE_JSON_CHECK_H

#include <stddef.h>

#define JSON_DEPTH_MAX 32

// The number of tokens (values and names) of one document, 0 if the text is no JSON, nests deeper
// than JSON_DEPTH_MAX or has more than tokens_max of them. One pass, linear in size.
size_t json_check(const char *text, size_t size, size_t tokens_max);

#endif
