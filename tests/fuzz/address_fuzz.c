// Addresses from miners' user names. What decodes must encode to a text that decodes to the same
// script.
#include <stdlib.h>
#include <string.h>
#include "node/bitcoin/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct chain_params *params, const struct script *script)
{
    char text[ADDRESS_SIZE_MAX];
    struct script again;
    if (!address_encode(params, script, text) ||
        address_decode(params, text, strlen(text), &again) != ADDRESS_OK ||
        !script_equal(script, &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct chain_params *params;
    for (size_t i = 0; (params = chain_params_row(i)) != NULL; i++) {
        struct script script;
        enum address_result result = address_decode(params, (const char *)data, size, &script);
        if (address_result_text(result) == NULL || (result == ADDRESS_OK) != (script.size != 0))
            abort();
        if (result == ADDRESS_OK)
            check_round_trip(params, &script);
    }
    return 0;
}
