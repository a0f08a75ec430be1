// Any text as a pool file: it is refused with a printable sentence, or reads back to the same pool
// after writing.
#include <assert.h>
#include <string.h>
#include "node/limits.h"
#include "sharechain/pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool pool;
    struct pool again;
    struct pool_error error;
    if (!pool_parse((const char *)data, size, &pool, &error)) {
        assert(strlen(error.text) > 0);
        return 0;
    }
    struct buffer text;
    buffer_init(&text, LIMIT_POOL_FILE_SIZE);
    pool_write_text(&pool, &text);
    bool is_read = pool_parse((const char *)text.data, text.size, &again, &error);
    assert(is_read && hash_equal(&pool.id, &again.id));
    buffer_clear(&text);
    return 0;
}
