#include "testnet/common/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 16

static void *check(void *memory, size_t count, size_t size)
{
    if (memory == NULL) {
        fprintf(stderr, "out of memory: no room for %zu things of %zu bytes\n", count, size);
        exit(EXIT_FAILURE);
    }
    return memory;
}

void *memory_new(size_t count, size_t size)
{
    size_t count_min = count > 0 ? count : 1; // calloc may give NULL for nothing
    return check(calloc(count_min, size), count, size);
}

void *memory_copy(const void *data, size_t size)
{
    void *copy = memory_new(size, 1);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity == 0 ? CAPACITY_FIRST : *capacity * 2;
    void *grown = wanted > SIZE_MAX / size ? NULL : realloc(array, wanted * size);
    *capacity = wanted;
    return check(grown, wanted, size);
}
