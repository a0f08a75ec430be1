// Memory for the testnet programs: they have nothing sensible to do without it, so running out ends
// the program with a message instead of a NULL that every caller would have to pass on.
#ifndef SHOAL_TESTNET_COMMON_MEMORY_H
#define SHOAL_TESTNET_COMMON_MEMORY_H

#include <stddef.h>

// Zeroed; freed with free().
void *memory_new(size_t count, size_t size);
void *memory_copy(const void *data, size_t size);
// Grows an array that is full to twice its capacity (at least 16 entries).
void *memory_grow(void *array, size_t count, size_t *capacity, size_t size);

#endif
