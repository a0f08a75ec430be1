// compact.json: compact bits, targets and work (protocol section 0).
#include "node/pow/target.h"
#include "tests/vectors/vectors.h"

static enum case_outcome expand_case(const struct vector_case *c)
{
    uint32_t bits;
    struct u256 target;
    if (!vector_read_bits(c, c->inputs, "bits", &bits) ||
        !vector_agrees_to_accept(c, target_expand(bits, &target)))
        return vector_outcome(c);
    struct u256 work = target_work(&target);
    vector_known_keys(c, c->expect, "target work compact");
    vector_check_target(c, c->expect, "target", &target);
    vector_check_u256(c, c->expect, "work", &work);
    vector_check_bits(c, c->expect, "compact", target_compact(&target));
    return vector_outcome(c);
}

static enum case_outcome compact_case(const struct vector_case *c)
{
    struct u256 target;
    if (!vector_read_target(c, c->inputs, "target", &target))
        return CASE_FAILED;
    struct u256 work = target_work(&target);
    vector_known_keys(c, c->expect, "bits work");
    vector_check_bits(c, c->expect, "bits", target_compact(&target));
    vector_check_u256(c, c->expect, "work", &work);
    return vector_outcome(c);
}

enum case_outcome vector_compact_case(const struct vector_case *c)
{
    struct json_value op = json_get(c->inputs, "op");
    if (json_text_equals(op, "expand"))
        return expand_case(c);
    if (json_text_equals(op, "compact"))
        return compact_case(c);
    vector_malformed(c, "op", "unknown kind of case");
    return CASE_FAILED;
}
