// Mischief on purpose, to try what a node does with a daemon that misbehaves.
#ifndef SHOAL_TESTNET_DEVCHAIN_FAULT_H
#define SHOAL_TESTNET_DEVCHAIN_FAULT_H

#include <stdbool.h>

#define FAULT_CHOICES     "off|hang|garbage|error500|empty|warmup|other-chain"
#define FAULT_METHOD_SIZE 32

enum fault_kind {
    FAULT_OFF,
    FAULT_HANG,        // takes the request and never answers
    FAULT_GARBAGE,     // HTTP 200 with bytes that are no JSON
    FAULT_ERROR500,    // HTTP 500 with a page for browsers
    FAULT_EMPTY,       // HTTP 200 with an empty body
    FAULT_WARMUP,      // RPC error -28, as bitcoind while it loads
    FAULT_OTHER_CHAIN, // says it is on "main", and builds templates on a block nobody knows
};

struct fault {
    enum fault_kind kind;
    char method[FAULT_METHOD_SIZE]; // only this RPC is hit; empty: all but devfault and stop
};

bool fault_from_text(const char *text, enum fault_kind *kind);
const char *fault_text(enum fault_kind kind);
// True if a call of this method is to be spoiled.
bool fault_hits(const struct fault *fault, const char *method);

#endif
