// Quantities as people read them: hashrates, amounts, times. For terminals; documents and logs
// carry plain numbers.
#ifndef SHOAL_NODE_UNITS_H
#define SHOAL_NODE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define UNITS_TEXT_SIZE 48

// "12.3 TH/s"; "-" if it is not known (0, negative or no number).
void units_hashrate(double hashes_per_second, char out[UNITS_TEXT_SIZE]);
// "12.3M": a count without a unit.
void units_count(double count, char out[UNITS_TEXT_SIZE]);
// "45 s", "12 min", "3 h 20 min", "5 d 3 h".
void units_duration(int64_t seconds, char out[UNITS_TEXT_SIZE]);
// "45 s ago"; "never" if then is 0; "in 5 s" if it is ahead.
void units_ago(int64_t now_s, int64_t then_s, char out[UNITS_TEXT_SIZE]);
// Satoshi as coins with all eight digits: "0.00050000".
void units_coins(uint64_t sats, char out[UNITS_TEXT_SIZE]);
// "90d", "12h", "30m", "45s" or "45": seconds, more than 0 and at most ten years. False if it
// is none.
bool units_parse_duration(const char *text, int64_t *seconds);
// "500", "1.5T", "200 GH/s", "2e12": hashes a second, more than 0. False if it is no hashrate.
bool units_parse_hashrate(const char *text, double *hashes_per_second);

#endif
