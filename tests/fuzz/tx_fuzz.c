// Transactions from templates. What is read must account for every byte and find every output in
// them.
#include <stdlib.h>
#include "node/bitcoin/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_init(data, size);
    struct tx_summary summary;
    if (!tx_read(&reader, &summary))
        return reader.failed ? 0 : (abort(), 0);
    if (summary.size + reader.left != size || summary.base_size > summary.size)
        abort();
    if (hash_equal(&summary.txid, &summary.wtxid) == summary.has_witness)
        abort();
    uint64_t weight = tx_weight(&summary);
    if (weight < 4 * (uint64_t)summary.base_size || weight > 4 * (uint64_t)summary.size)
        abort();
    // Reading an output walks over those before it: a few are enough.
    uint32_t step = summary.outputs_count / 16 + 1;
    for (uint32_t i = 0; i < summary.outputs_count; i += step) {
        struct tx_output output;
        if (!tx_output_at(data, &summary, i, &output) || output.script_size > size)
            abort();
    }
    return 0;
}
