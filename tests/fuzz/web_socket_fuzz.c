// What a WebSocket client sends. The first byte says in pieces of which size it comes; the verdict
// and the answers must be those of one piece, and the answers whole frames no larger than what was
// asked for.
#include <assert.h>
#include <string.h>
#include "node/net/web_socket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned read_in(size_t piece, const uint8_t *data, size_t size, struct buffer *out)
{
    struct web_socket_reader reader;
    unsigned code = 0;
    memset(&reader, 0, sizeof(reader));
    for (size_t at = 0; at < size && code == 0; at += piece)
        code = web_socket_read(&reader, data + at, size - at < piece ? size - at : piece, out);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer whole, pieces;
    if (size < 2)
        return 0;
    buffer_init(&whole, 1 << 20);
    buffer_init(&pieces, 1 << 20);
    unsigned code = read_in(size, data + 1, size - 1, &whole);
    assert(code == read_in(data[0] % 16 + 1u, data + 1, size - 1, &pieces));
    assert(whole.size == pieces.size && whole.size <= size + 4);
    assert(whole.size == 0 || memcmp(whole.data, pieces.data, whole.size) == 0);
    buffer_clear(&whole);
    buffer_clear(&pieces);
    return 0;
}
