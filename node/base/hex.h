// Hex text to bytes and back. Decoding takes both cases, whole bytes only.
#ifndef SHOAL_NODE_BASE_HEX_H
#define SHOAL_NODE_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Lower case; out has room for 2 * size + 1 characters.
void hex_encode(const void *data, size_t size, char *out);
// False if hex_size is not 2 * size or a digit is wrong; out is then undefined.
bool hex_decode(const char *hex, size_t hex_size, void *out, size_t size);
// -1 if it is no hex digit.
int hex_digit(char c);

#endif
