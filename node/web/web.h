// The files of the status page as they were when the program was built. http_page serves them; the
// arrays are made by embed.cmake.
#ifndef SHOAL_NODE_WEB_WEB_H
#define SHOAL_NODE_WEB_WEB_H

#include <stddef.h>
#include <stdint.h>

struct web_file {
    const char *path; // "/" for index.html, else "/" and the file's name
    const char *content_type;
    const uint8_t *data;
    size_t size;
};

// File i; NULL past the end.
const struct web_file *web_file_get(size_t i);

#endif
