// getblocktemplate results. The first four bytes choose the chain and what the coinbase needs; the
// rest is JSON. What parses must hold to its limits and write a block of the size that it says.
#include <stdlib.h>
#include "node/bitcoin/block_template.h"
#include "node/bitcoin/coinbase.h"
#include "node/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_block(const struct block_template *made)
{
    static const uint8_t header[HEADER_SIZE];
    static const uint8_t coinbase[100];
    size_t size = sizeof header + sizeof coinbase + (made->has_witness ? 36 : 0);
    size += made->txs_count + 1 < 0xfd ? 1 : 3;
    for (size_t i = 0; i < made->txs_count; i++)
        size += made->txs[i].size;
    size += made->mweb != NULL ? 1 + made->mweb_size : 0;

    struct buffer out;
    buffer_init(&out, LIMIT_RPC_REPLY_SIZE);
    if (!block_template_write_block(made, header, coinbase, sizeof coinbase, &out) ||
        out.size != size)
        abort();
    buffer_clear(&out);
}

static void check_template(const struct chain_params *params, struct json_value source,
                           const struct coinbase_needs *needs)
{
    struct block_template *made;
    const char *field;
    enum template_result result = block_template_parse(params, source, needs, &made, &field);
    if ((result == TEMPLATE_OK) != (made != NULL) || template_result_text(result) == NULL)
        abort();
    if (made == NULL)
        return;
    if (made->coinbase_value < chain_subsidy(params, made->height) || made->min_time > made->time)
        abort();
    check_block(made);
    block_template_release(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_init(data, size);
    const struct chain_params *params = chain_params_row(read_u8(&reader) % 7);
    struct coinbase_needs needs = {.sigops = read_u8(&reader)};
    needs.weight = 64u * read_u16(&reader);
    if (reader.failed || params == NULL)
        return 0;
    struct json *json = json_parse((const char *)reader.at, reader.left, LIMIT_RPC_TOKENS);
    if (json == NULL)
        return 0;
    check_template(params, json_root(json), &needs);
    json_free(json);
    return 0;
}
