#include "dht/shared_bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct shared_bytes {
    size_t references_count;
    size_t size;
    uint8_t data[];
};

struct shared_bytes *shared_bytes_new(const void *data, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct shared_bytes))
        return NULL;
    struct shared_bytes *bytes = malloc(sizeof *bytes + size);
    if (bytes == NULL)
        return NULL;
    bytes->references_count = 1;
    bytes->size = size;
    if (size > 0)
        memcpy(bytes->data, data, size);
    return bytes;
}

struct shared_bytes *shared_bytes_hold(struct shared_bytes *bytes)
{
    bytes->references_count++;
    return bytes;
}

void shared_bytes_release(struct shared_bytes *bytes)
{
    if (bytes == NULL)
        return;
    assert(bytes->references_count > 0);
    if (--bytes->references_count == 0)
        free(bytes);
}

const uint8_t *shared_bytes_data(const struct shared_bytes *bytes)
{
    return bytes->data;
}

size_t shared_bytes_size(const struct shared_bytes *bytes)
{
    return bytes->size;
}
