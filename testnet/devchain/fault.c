#include "testnet/devchain/fault.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    [FAULT_OFF] = "off",
    [FAULT_HANG] = "hang",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_ERROR500] = "error500",
    [FAULT_EMPTY] = "empty",
    [FAULT_WARMUP] = "warmup",
    [FAULT_OTHER_CHAIN] = "other-chain",
};

bool fault_from_text(const char *text, enum fault_kind *kind)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], text) == 0) {
            *kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

const char *fault_text(enum fault_kind kind)
{
    return names[kind];
}

bool fault_hits(const struct fault *fault, const char *method)
{
    if (fault->kind == FAULT_OFF)
        return false;
    if (fault->method[0] != '\0')
        return strcmp(fault->method, method) == 0;
    return strcmp(method, "devfault") != 0 && strcmp(method, "stop") != 0;
}
