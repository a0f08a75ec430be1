// Codes of a second factor that follow from the time (RFC 6238): HMAC-SHA1, steps of 30 s, six
// digits. Kept pure: who remembers that a code was used is the caller.
#ifndef SHOAL_NODE_API_TOTP_H
#define SHOAL_NODE_API_TOTP_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/time.h"

#define TOTP_SECRET_SIZE 20
#define TOTP_TEXT_SIZE   33 // base32 of it, and the zero
#define TOTP_CODE_SIZE   7  // six digits, and the zero
#define TOTP_URI_SIZE    256
#define TOTP_STEP_S      30

// The code of one step, six digits.
void totp_code(const uint8_t secret[TOTP_SECRET_SIZE], int64_t step, char code[TOTP_CODE_SIZE]);
// The step that `code` belongs to: the one of `now`, the one before or the one after, and later
// than `last_step`; -1 if it is none of them. Takes as long for a wrong code as for a right one.
int64_t totp_check(const uint8_t secret[TOTP_SECRET_SIZE], const char *code, struct wall_time now,
                   int64_t last_step);

void totp_secret_write(const uint8_t secret[TOTP_SECRET_SIZE], char text[TOTP_TEXT_SIZE]);
// False unless it is 32 characters of base32 in upper case.
bool totp_secret_read(const char *text, uint8_t secret[TOTP_SECRET_SIZE]);
// What apps read from a QR code: otpauth://totp/...; `account` holds no characters to be escaped.
void totp_uri(const uint8_t secret[TOTP_SECRET_SIZE], const char *account, char uri[TOTP_URI_SIZE]);

#endif
