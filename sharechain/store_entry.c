#include "sharechain/store_entry.h"

#include <stdlib.h>
#include <string.h>

struct store_entry *store_entry_new(enum store_table table, const void *key, size_t key_size,
                                    const void *value, size_t value_size)
{
    if (value_size > SIZE_MAX - sizeof(struct store_entry) - key_size)
        abort();
    struct store_entry *entry = malloc(sizeof *entry + key_size + value_size);
    if (entry == NULL)
        abort();
    *entry = (struct store_entry){.table = table, .key_size = key_size, .value_size = value_size};
    memcpy(entry->bytes, key, key_size);
    if (value_size > 0) // value may be NULL
        memcpy(entry->bytes + key_size, value, value_size);
    return entry;
}
