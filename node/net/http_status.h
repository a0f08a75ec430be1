// The words that go with the numbers of HTTP answers.
#ifndef SHOAL_NODE_NET_HTTP_STATUS_H
#define SHOAL_NODE_NET_HTTP_STATUS_H

// "Not Found"; "Unknown" for a number that we never send.
const char *http_status_text(int status);

#endif
