// The files of the dashboard as they were when the program was built, each also compressed. Whoever
// serves them chooses by the request's Accept-Encoding. The arrays are made by embed.cmake.
#ifndef SHOAL_NODE_WEB_WEB_H
#define SHOAL_NODE_WEB_WEB_H

#include <stddef.h>
#include <stdint.h>

struct web_file {
    const char *path; // "/" for index.html, else "/" and the file's name (behind /api/v1
                      // for openapi.json)
    const char *content_type;
    const uint8_t *data;
    size_t size;
    const uint8_t *gzip; // the same in gzip's format (RFC 1952)
    size_t gzip_size;
};

// File i; NULL past the end.
const struct web_file *web_file_get(size_t i);

#endif
