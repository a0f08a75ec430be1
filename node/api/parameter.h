// The check of one parameter of a route or a document against its row: the same whether it came in
// a query, in a path, or in a line to the control socket. No I/O.
#ifndef SHOAL_NODE_API_PARAMETER_H
#define SHOAL_NODE_API_PARAMETER_H

#include "node/api/route.h"

#define API_DETAIL_SIZE 320

// The row named `name` of the table; NULL if there is none.
const struct api_parameter *api_parameter_find(const struct api_parameter *parameters, size_t count,
                                               const char *name);
// What counts where nothing is given: the row's number, or its first word, or "".
void api_parameter_default(const struct api_parameter *parameter, struct api_value *value);
// Takes a value (percent-decoded, without escapes; size bytes, any of them). False with a sentence
// that names the parameter, what was given, and what would be right.
bool api_parameter_read(const struct api_parameter *parameter, const char *text, size_t size,
                        struct api_value *value, char detail[API_DETAIL_SIZE]);
// Hashes as they are given: 64 hex digits in either case.
bool api_parameter_is_hash(const char *text, size_t size);

#endif
