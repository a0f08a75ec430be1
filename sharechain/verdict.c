#include "sharechain/verdict.h"
#include <stdlib.h>

const char *verdict_text(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_UNKNOWN:
        return "unknown";
    case VERDICT_VALID:
        return "valid";
    case VERDICT_INVALID:
        return "invalid";
    }
    abort();
}
