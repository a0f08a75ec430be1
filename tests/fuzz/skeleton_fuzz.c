// Any bytes as a skeleton. Few inputs have right hashes, so the input is also read as share_info
// and extranonce of a skeleton that is then made right, and must read back.
#include <assert.h>
#include <string.h>
#include "sharechain/skeleton.h"

#define COINBASE_SIZE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_read_back(const struct skeleton *skeleton)
{
    uint8_t bytes[2048];
    uint8_t second[2048];
    struct buffer out;
    struct buffer again;
    struct skeleton decoded;
    buffer_init_fixed(&out, bytes, sizeof(bytes));
    buffer_init_fixed(&again, second, sizeof(second));
    skeleton_encode(skeleton, &out);
    bool is_read = skeleton_decode(out.data, out.size, &decoded);
    assert(is_read);
    skeleton_encode(&decoded, &again);
    assert(out.size == again.size && memcmp(bytes, second, out.size) == 0);
}

// What is left of the input after share_info stands before the SHL1 output.
static void try_made(const uint8_t *data, size_t size)
{
    struct reader reader = reader_init(data, size);
    struct share share = {.coinbase_value = 0};
    struct hash256 hash;
    struct hash256 txid;
    struct header header = {.version = 1};
    uint8_t coinbase[COINBASE_SIZE_MAX] = {0};
    struct buffer out;
    struct skeleton skeleton;
    static const uint8_t extranonce[COINBASE_EXTRANONCE_SIZE] = {1, 2, 3};
    static const uint8_t output[] = {0, 0, 0, 0, 0, 0, 0, 0, 0x32, 0x6a, 0x30, 'S', 'H', 'L', '1'};
    if (!share_info_decode(&reader, &share.info) || reader.left < 64 || reader.left > 3000)
        return;
    buffer_init_fixed(&out, coinbase, sizeof(coinbase));
    write_bytes(&out, reader.at, reader.left);
    write_bytes(&out, output, sizeof(output));
    share_info_hash(&share.info, &hash);
    coinbase_write_tail(&hash, extranonce, 1000, &out);
    sha256d(out.data, out.size, &txid);
    header.merkle_root = txid;
    header_encode(&header, share.header);
    skeleton_make(&share, out.data, out.size, &skeleton);
    must_read_back(&skeleton);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct skeleton skeleton;
    if (skeleton_decode(data, size, &skeleton))
        must_read_back(&skeleton);
    try_made(data, size);
    return 0;
}
