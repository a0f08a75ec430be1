// Pool files on disk. Used by the commands.
#ifndef SHOAL_NODE_POOL_FILE_H
#define SHOAL_NODE_POOL_FILE_H

#include <stdbool.h>
#include "sharechain/pool.h"

#define POOL_FILE_ERROR_SIZE 512

// False with a sentence that names the file, the line and the key.
bool pool_file_read(const char *path, struct pool *pool, char error[POOL_FILE_ERROR_SIZE]);
// Writes a new file; one that exists is not touched. "-" is standard output. False with a sentence.
bool pool_file_write(const char *path, const struct pool *pool, char error[POOL_FILE_ERROR_SIZE]);

#endif
