// grain.json: grain targets and weights (protocol section 4).
#include "node/pow/target.h"
#include "sharechain/retarget.h"
#include "tests/vectors/vectors.h"

enum case_outcome vector_grain_case(const struct vector_case *c)
{
    struct pool pool;
    uint32_t bits;
    uint32_t grains_per_link;
    uint32_t shift;
    struct u256 link_target;
    struct u256 grain_target;
    pool_defaults(&pool);
    if (!vector_read_bits(c, c->inputs, "link_bits", &bits) ||
        !vector_read_u32(c, c->inputs, "grains_per_link", &grains_per_link) ||
        !vector_read_u32(c, c->inputs, "grain_shift", &shift))
        return CASE_FAILED;
    if (grains_per_link > UINT16_MAX || shift > UINT8_MAX) {
        vector_malformed(c, "case", "a number is wider than its field");
        return CASE_FAILED;
    }
    pool.grains_per_link = (uint16_t)grains_per_link;
    bool accepted = target_expand(bits, &link_target) &&
                    retarget_grain_target(&pool, &link_target, (uint8_t)shift, &grain_target);
    if (!vector_agrees_to_accept(c, accepted))
        return vector_outcome(c);
    struct u256 weight = target_work(&grain_target);
    vector_known_keys(c, c->expect, "grain_target weight");
    vector_check_target(c, c->expect, "grain_target", &grain_target);
    vector_check_u256(c, c->expect, "weight", &weight);
    return vector_outcome(c);
}
