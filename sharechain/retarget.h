// Link bits, grain targets and weights: protocol section 4.
#ifndef SHOAL_SHARECHAIN_RETARGET_H
#define SHOAL_SHARECHAIN_RETARGET_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/u256.h"
#include "sharechain/pool.h"

// link_bits of a share anchored on a link with these bits and time whose own anchor had
// anchor_time.
uint32_t retarget_link_bits(const struct pool *pool, uint32_t bits, uint32_t time,
                            uint32_t anchor_time);
// The intermediate x of section 4, for the vectors.
int64_t retarget_x(const struct pool *pool, uint32_t time, uint32_t anchor_time);
// False if the shift brings the grain target below the link target.
bool retarget_grain_target(const struct pool *pool, const struct u256 *link_target,
                           uint8_t grain_shift, struct u256 *grain_target);

#endif
