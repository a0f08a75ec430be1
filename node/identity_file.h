// The file in the data directory that holds this node's keys (p2p.md, Identity): mode 0600, written
// whole or not at all. Read at every start, made at the first.
#ifndef SHOAL_NODE_IDENTITY_FILE_H
#define SHOAL_NODE_IDENTITY_FILE_H

#include <stdbool.h>
#include "dht/identity.h"

#define IDENTITY_FILE_NAME       "identity.key"
#define IDENTITY_FILE_ERROR_SIZE 512

enum identity_file {
    IDENTITY_FILE_READ,
    IDENTITY_FILE_MISSING, // there is none yet
    IDENTITY_FILE_FAILED,  // the error says why and what to do
};

// `data` is the data directory.
enum identity_file identity_file_read(const char *data, unsigned puzzle_bits,
                                      struct identity *identity,
                                      char error[IDENTITY_FILE_ERROR_SIZE]);
// False with a sentence.
bool identity_file_write(const char *data, const struct identity *identity,
                         char error[IDENTITY_FILE_ERROR_SIZE]);

#endif
