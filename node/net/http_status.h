// The words that go with the numbers of HTTP answers, and the body of those that refuse.
#ifndef SHOAL_NODE_NET_HTTP_STATUS_H
#define SHOAL_NODE_NET_HTTP_STATUS_H

#include "node/base/bytes.h"

// "Not Found"; "Unknown" for a number that we never send.
const char *http_status_text(int status);
// A problem (RFC 9457) as application/problem+json: what, where, and what would be right.
// `parameter` (may be NULL) names what was wrong.
void http_problem_write(int status, const char *parameter, const char *detail, struct buffer *out);

#endif
