// Unsigned integers of 256 bits for targets, work and weights, and the one name for the 128-bit
// type. Everything wraps modulo 2^256 unless a function says otherwise.
#ifndef SHOAL_NODE_BASE_U256_H
#define SHOAL_NODE_BASE_U256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

struct u256 {
    uint64_t limbs[4]; // least significant first
};

struct u256 u256_from_u64(uint64_t value);
struct u256 u256_from_u128(u128 value);
struct u256 u256_from_bytes_le(const uint8_t bytes[32]);
void u256_to_bytes_le(const struct u256 *value, uint8_t bytes[32]);
struct u256 u256_max(void);
// -1, 0 or 1.
int u256_compare(const struct u256 *a, const struct u256 *b);
bool u256_is_zero(const struct u256 *value);
// Position of the highest set bit plus one; 0 for zero.
unsigned u256_bit_length(const struct u256 *value);
struct u256 u256_add(const struct u256 *a, const struct u256 *b);
struct u256 u256_subtract(const struct u256 *a, const struct u256 *b);
struct u256 u256_shift_left(const struct u256 *value, unsigned bits);
struct u256 u256_shift_right(const struct u256 *value, unsigned bits);
struct u256 u256_not(const struct u256 *value);
// The low 256 bits; *overflowed (may be NULL) is set if more were needed.
struct u256 u256_multiply(const struct u256 *a, const struct u256 *b, bool *overflowed);
struct u256 u256_multiply_u64(const struct u256 *a, uint64_t b, bool *overflowed);
// Floor division; the divisor is not zero (asserted). remainder may be NULL.
struct u256 u256_divide(const struct u256 *a, const struct u256 *b, struct u256 *remainder);
struct u256 u256_divide_u64(const struct u256 *a, uint64_t b);
// The low 64 and 128 bits.
uint64_t u256_low_u64(const struct u256 *value);
u128 u256_low_u128(const struct u256 *value);
double u256_to_double(const struct u256 *value);
// Decimal without leading zeros; out has room for 79 characters.
void u256_to_decimal(const struct u256 *value, char out[80]);
bool u256_from_decimal(struct u256 *out, const char *text);
// 64 hex digits, most significant first.
void u256_to_hex(const struct u256 *value, char out[65]);
bool u256_from_hex(struct u256 *out, const char *hex);

#endif
