#include "node/bitcoin/template_parse.h"

#include <stdlib.h>
#include <string.h>
#include "node/limits.h"
#include "node/pow/target.h"

#define WEIGHT_LIMIT_DEFAULT 4000000u // BIP 141, for daemons that do not say
#define SIGOP_LIMIT_DEFAULT  80000u
#define COINBASE_VALUE_MAX   ((uint64_t)1 << 53) // protocol section 5
#define COMMITMENT_HEAD_SIZE 6
#define COMMITMENT_SIZE      (COMMITMENT_HEAD_SIZE + 32)

static struct json_value get(struct template_parse *parse, const char *field)
{
    parse->field = field;
    return json_get(parse->source, field);
}

static bool get_u32(struct template_parse *parse, const char *field, uint32_t *out)
{
    uint64_t value;
    if (!json_to_u64(get(parse, field), &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

// A rule's name as in the text, without the "!" that some begin with.
struct rule {
    const char *name;
    size_t size;
    bool is_required; // "!": without knowing it nobody can build a valid block
};

static struct rule rule_of(struct json_value value)
{
    struct rule rule = {0};
    json_raw(value, &rule.name, &rule.size);
    rule.is_required = rule.size > 0 && rule.name[0] == '!';
    rule.name += rule.is_required;
    rule.size -= rule.is_required;
    return rule;
}

static bool rule_is(const struct rule *rule, const char *name)
{
    return rule->size == strlen(name) && memcmp(rule->name, name, rule->size) == 0;
}

static bool rule_is_known(const struct rule *rule)
{
    static const char *const known[] = {"csv", "segwit", "taproot", "mweb", "testdummy"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (rule_is(rule, known[i]))
            return true;
    }
    return false;
}

static enum template_result read_rules(struct template_parse *parse)
{
    struct json_value rules = get(parse, "rules");
    // Daemons that do not list rules have had segwit for long; they say so by
    // default_witness_commitment.
    parse->has_segwit = !json_is_present(rules);
    if (!json_is_present(rules))
        return TEMPLATE_OK;
    if (!json_is_array(rules))
        return TEMPLATE_MALFORMED;
    struct json_value value = json_first(rules);
    for (; json_exists(value); value = json_next(value)) {
        struct rule rule = rule_of(value);
        if (!json_is_text(value))
            return TEMPLATE_MALFORMED;
        if (rule.is_required && !rule_is_known(&rule))
            return TEMPLATE_RULES_UNKNOWN;
        parse->has_segwit = parse->has_segwit || rule_is(&rule, "segwit");
        parse->has_mweb = parse->has_mweb || rule_is(&rule, "mweb");
    }
    return TEMPLATE_OK;
}

static bool read_version(struct template_parse *parse)
{
    int64_t version;
    // Written as int32 by some daemons and as uint32 by others.
    if (!json_to_i64(get(parse, "version"), &version) || version < INT32_MIN ||
        version > UINT32_MAX)
        return false;
    parse->made->version = (uint32_t)version;
    return true;
}

static bool read_prev(struct template_parse *parse)
{
    char display[2 * sizeof parse->made->prev.bytes + 1];
    return json_to_text(get(parse, "previousblockhash"), display, sizeof display) &&
           hash_from_display(&parse->made->prev, display);
}

static bool read_bits(struct template_parse *parse)
{
    uint8_t bytes[4];
    struct u256 target;
    if (!json_to_hex(get(parse, "bits"), bytes, sizeof bytes))
        return false;
    struct reader reader = reader_init(bytes, sizeof bytes);
    parse->made->bits = read_u32_be(&reader);
    return target_expand(parse->made->bits, &target);
}

static bool read_times(struct template_parse *parse)
{
    struct block_template *made = parse->made;
    if (!get_u32(parse, "curtime", &made->time))
        return false;
    // Optional in BIP 23; curtime is valid, so it is late enough.
    made->min_time = made->time;
    if (!json_is_present(get(parse, "mintime")))
        return true;
    return get_u32(parse, "mintime", &made->min_time) && made->min_time <= made->time;
}

static bool read_height(struct template_parse *parse)
{
    uint32_t height;
    if (!get_u32(parse, "height", &height) || height == 0)
        return false;
    parse->made->height = height;
    return true;
}

static enum template_result read_value(struct template_parse *parse)
{
    struct block_template *made = parse->made;
    if (!json_to_u64(get(parse, "coinbasevalue"), &made->coinbase_value) ||
        made->coinbase_value > COINBASE_VALUE_MAX)
        return TEMPLATE_MALFORMED;
    if (made->coinbase_value < chain_subsidy(parse->params, made->height))
        return TEMPLATE_COINBASE_LOW;
    return TEMPLATE_OK;
}

// The script `6a24aa21a9ed` and the commitment itself (BIP 141, 145).
static bool read_commitment(struct template_parse *parse)
{
    static const uint8_t head[COMMITMENT_HEAD_SIZE] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    uint8_t script[COMMITMENT_SIZE];
    struct json_value text = get(parse, "default_witness_commitment");
    parse->has_commitment = json_is_present(text);
    if (!parse->has_commitment)
        return true;
    if (!json_to_hex(text, script, sizeof script) || memcmp(script, head, sizeof head) != 0)
        return false;
    memcpy(parse->commitment.bytes, script + sizeof head, sizeof parse->commitment.bytes);
    return true;
}

static enum template_result read_mweb(struct template_parse *parse)
{
    struct json_value text = get(parse, "mweb");
    if (!parse->params->has_mweb)
        return TEMPLATE_OK;
    // Once the rule is active no block is valid without its extension.
    if (!json_is_present(text))
        return parse->has_mweb ? TEMPLATE_MALFORMED : TEMPLATE_OK;
    const char *hex;
    size_t hex_size;
    json_raw(text, &hex, &hex_size);
    size_t size = hex_size / 2;
    if (size == 0 || size > LIMIT_RPC_REPLY_SIZE)
        return size == 0 ? TEMPLATE_MALFORMED : TEMPLATE_TOO_LARGE;
    struct block_template *made = parse->made;
    made->memory->mweb = malloc(size);
    if (made->memory->mweb == NULL)
        return TEMPLATE_OUT_OF_MEMORY;
    if (!json_to_hex(text, made->memory->mweb, size))
        return TEMPLATE_MALFORMED;
    made->mweb = made->memory->mweb;
    made->mweb_size = size;
    return TEMPLATE_OK;
}

static bool read_limit(struct template_parse *parse, const char *field, uint32_t absent,
                       uint64_t *limit)
{
    *limit = absent;
    struct json_value value = get(parse, field);
    return !json_is_present(value) || json_to_u64(value, limit);
}

static void read_longpoll_id(struct template_parse *parse)
{
    struct block_template *made = parse->made;
    if (!json_to_text(get(parse, "longpollid"), made->longpoll_id, sizeof made->longpoll_id))
        made->longpoll_id[0] = '\0';
}

enum template_result template_parse_fields(struct template_parse *parse)
{
    parse->field = "result";
    if (!json_is_object(parse->source))
        return TEMPLATE_MALFORMED;
    enum template_result result = read_rules(parse);
    if (result != TEMPLATE_OK)
        return result;
    if (!read_version(parse) || !read_prev(parse) || !read_bits(parse) || !read_times(parse) ||
        !read_height(parse) || !read_commitment(parse) ||
        !read_limit(parse, "sigoplimit", SIGOP_LIMIT_DEFAULT, &parse->sigop_limit) ||
        !read_limit(parse, "weightlimit", WEIGHT_LIMIT_DEFAULT, &parse->weight_limit))
        return TEMPLATE_MALFORMED;
    result = read_value(parse);
    if (result != TEMPLATE_OK)
        return result;
    read_longpoll_id(parse);
    return read_mweb(parse);
}
