// The only scripts this daemon can see spent: "open" ones, which anybody may spend. It has no
// script interpreter, so it refuses to spend anything else rather than pretend to verify it. An
// open script is `02 n n OP_DROP OP_TRUE` with any two bytes n, bare or behind a P2WSH.
#ifndef SHOAL_TESTNET_DEVCHAIN_OPEN_SCRIPT_H
#define SHOAL_TESTNET_DEVCHAIN_OPEN_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node/bitcoin/script.h"
#include "testnet/devchain/tx_view.h"

#define OPEN_SCRIPT_SIZE 5

void open_script(uint16_t number, uint8_t out[OPEN_SCRIPT_SIZE]);
// The P2WSH script of an open script.
void open_script_witness(uint16_t number, struct script *script);
// True if the input spends an output with this script as an open one: bare with an empty scriptSig
// and no witness, P2WSH with the open script as the only witness item.
bool open_script_is_spent_by(const uint8_t *script, size_t script_size,
                             const struct tx_input *input);

#endif
