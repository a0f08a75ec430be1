// The blocks of a devchain on disk: one append-only file, DIR/blocks.dat. A block is written before
// it counts, so kill -9 at any moment loses at most the block being written; its torn record at the
// end of the file is cut off at the next start. A record that is wrong with others behind it is
// refused, never repaired.
//
// Layout: "shoal devchain\n" and the 80-byte genesis header, then per block: u32 size, 4 bytes of
// the SHA256d of the bytes, the bytes.
#ifndef SHOAL_TESTNET_DEVCHAIN_STORE_H
#define SHOAL_TESTNET_DEVCHAIN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/bitcoin/header.h"

struct store;

struct store_report {
    uint64_t blocks;   // read
    uint64_t cut_size; // bytes of a torn record that were cut off
};

// Gets each block in the order in which they were appended; false: it is none of this chain.
typedef bool store_block(void *context, const uint8_t *bytes, size_t size);

struct store_options {
    const char *directory;  // made if missing
    const uint8_t *genesis; // HEADER_SIZE bytes
    store_block *each;
    void *context;
};

#define STORE_PATH_SIZE  4096
#define STORE_ERROR_SIZE (STORE_PATH_SIZE + 512)
// Opens or makes the file, locks it and reads it through. NULL if that fails: `error` says what to
// do. The directory's name is borrowed until this returns.
struct store *store_open(const struct store_options *options, struct store_report *report,
                         char error[STORE_ERROR_SIZE]);
void store_close(struct store *store);
// False (errno set) if the block could not be written; the file is then as before.
bool store_append(struct store *store, const uint8_t *bytes, size_t size);

#endif
