// Small files that only their owner may read: identity.key and accounts.json of the data directory.
// Read as a whole, and replaced as a whole: a new one is written beside the old one, and takes its
// place when it is on disk. Blocks on the disk; for files that change a few times a day.
#ifndef SHOAL_NODE_API_PRIVATE_FILE_H
#define SHOAL_NODE_API_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "node/base/bytes.h"

#define PRIVATE_FILE_ERROR_SIZE 512
#define PRIVATE_FILE_PATH_SIZE  2048

enum private_file {
    PRIVATE_FILE_READ,
    PRIVATE_FILE_MISSING, // there is none yet
    PRIVATE_FILE_FAILED,  // the error says which file, why, and what to do
};

// Appends the file to `out`, which is failed if it is larger than its cap. `holds` is for the
// sentence about a file that others may read: "this node's keys".
enum private_file private_file_read(const char *path, const char *holds, struct buffer *out,
                                    char error[PRIVATE_FILE_ERROR_SIZE]);

// Writes PATH.new, mode 0600, and waits until it is on disk. False with a sentence; then there is
// none.
bool private_file_prepare(const char *path, const void *data, size_t size,
                          char error[PRIVATE_FILE_ERROR_SIZE]);
// Gives what was prepared its name. False with a sentence; then the old file stands.
bool private_file_commit(const char *path, char error[PRIVATE_FILE_ERROR_SIZE]);
// Drops what was prepared.
void private_file_abandon(const char *path);

#endif
