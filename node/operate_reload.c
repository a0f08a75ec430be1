// config/reload: file and environment again, with the arguments of the start. A configuration that
// is wrong changes nothing; of a right one those keys come in force that can, and the others are
// named.
#include <stdlib.h>
#include <string.h>
#include "node/operate_parts.h"
#include "node/state.h"

// Those that are looked at again, or given on at once.
static const char *const changeable[] = {
    "http-public",
    "log-level",
    "stratum-connections",
    "stratum-connections-per-address",
    "stratum-difficulty",
    "stratum-difficulty-min",
    "stratum-shares-per-minute",
};

static bool is_changeable(const char *key)
{
    for (size_t i = 0; i < sizeof(changeable) / sizeof(changeable[0]); i++) {
        if (strcmp(changeable[i], key) == 0)
            return true;
    }
    return false;
}

bool operate_reload_check(struct operation *operation)
{
    struct node *node = operation->node;
    struct config *fresh = malloc(sizeof(*fresh));
    struct config_error error;
    if (fresh == NULL || node->config_to_change == NULL) {
        free(fresh);
        return api_problem_set(&operation->problem, 503, NULL, "Nothing was changed: no memory.");
    }
    if (!config_read(node->argc, node->argv, fresh, &error)) {
        free(fresh);
        return api_problem_set(&operation->problem, 409, NULL, "Nothing was changed: %.480s",
                               error.text);
    }
    operation->prepared = fresh;
    return true;
}

struct reload {
    struct operation *operation;
    struct json_writer *answer;
};

static void take_key(void *context, const char *key)
{
    struct reload *reload = context;
    struct node *node = reload->operation->node;
    bool is_taken = is_changeable(key);
    if (strcmp(key, "config") == 0)
        return;
    if (is_taken)
        config_copy_key(node->config_to_change, reload->operation->prepared, key);
    log_event(node->log, is_taken ? LOG_INFO : LOG_WARN, "config",
              is_taken ? "changed" : "changed, but takes a restart", LOG_TEXT("key", key));
    json_begin_object(reload->answer, NULL);
    json_write_text(reload->answer, "key", key);
    json_write_bool(reload->answer, "needs_restart", !is_taken);
    json_end_object(reload->answer);
}

void operate_reload(struct operation *operation, struct json_writer *answer)
{
    struct node *node = operation->node;
    struct reload reload = {operation, answer};
    const struct config *fresh = operation->prepared;
    json_begin_array(answer, "changed");
    config_compare(node->config, fresh, take_key, &reload);
    json_end_array(answer);
    json_begin_array(answer, "warnings");
    for (size_t i = 0; i < fresh->warnings.count; i++)
        json_write_text(answer, NULL, fresh->warnings.items[i]);
    json_end_array(answer);
    struct stratum_limits limits = node_stratum_limits(node);
    log_set_level(node->log, node->config->log_level);
    stratum_set_limits(node->stratum, &limits);
    log_plain(node->log, LOG_INFO, "config", "read again");
}
