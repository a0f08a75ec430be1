// Any bytes as a share and as a body: what decodes encodes to the same bytes.
#include <assert.h>
#include <string.h>
#include "sharechain/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_share(const uint8_t *data, size_t size)
{
    struct share share;
    uint8_t bytes[SHARE_SIZE_MAX];
    struct buffer out;
    if (!share_decode(data, size, &share))
        return;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    share_encode(&share, &out);
    assert(!out.failed && out.size == size && memcmp(bytes, data, size) == 0);
}

static void try_body(const uint8_t *data, size_t size)
{
    struct body body;
    if (!body_decode(data, size, 4000, &body))
        return;
    for (size_t i = 0; i < body.count; i++) {
        struct hash256 id;
        body_id_at(&body, i, &id);
        assert(body_contains(&body, &id));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_share(data, size);
    try_body(data, size);
    return 0;
}
