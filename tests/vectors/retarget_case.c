// retarget.json: link bits (protocol section 4).
#include "node/pow/target.h"
#include "sharechain/retarget.h"
#include "tests/vectors/vectors.h"

enum case_outcome vector_retarget_case(const struct vector_case *c)
{
    struct pool pool;
    uint32_t bits;
    uint32_t time;
    uint32_t anchor_time;
    struct u256 target;
    pool_defaults(&pool);
    if (!vector_read_u32(c, c->inputs, "link_spacing", &pool.link_spacing) ||
        !vector_read_u32(c, c->inputs, "half_life", &pool.half_life) ||
        !vector_read_bits(c, c->inputs, "easiest_bits", &pool.easiest_bits) ||
        !vector_read_bits(c, c->inputs, "a_link_bits", &bits) ||
        !vector_read_u32(c, c->inputs, "a_time", &time) ||
        !vector_read_u32(c, c->inputs, "b_time", &anchor_time))
        return CASE_FAILED;
    if (!target_expand(bits, &target) || !target_expand(pool.easiest_bits, &target) ||
        pool.half_life == 0) {
        vector_malformed(c, "case", "no link can have these bits");
        return CASE_FAILED;
    }
    vector_known_keys(c, c->expect, "link_bits x");
    vector_check_i64(c, c->expect, "x", retarget_x(&pool, time, anchor_time));
    vector_check_bits(c, c->expect, "link_bits",
                      retarget_link_bits(&pool, bits, time, anchor_time));
    return vector_outcome(c);
}
