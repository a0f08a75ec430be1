// The document "miners": every connection, and devices that were turned away.
#include "node/report_parts.h"

struct miners_context {
    const struct node *node;
    bool is_private; // addresses are shown
    struct json_writer *writer;
};

void report_write_verdicts(struct json_writer *writer, const uint64_t shares[])
{
    json_begin_object(writer, "shares");
    for (unsigned i = 0; i < STRATUM_VERDICTS_COUNT; i++) {
        if (shares[i] != 0 || i == STRATUM_ACCEPTED)
            json_write_u64(writer, stratum_verdict_text((enum stratum_verdict)i), shares[i]);
    }
    json_end_object(writer);
}

static void write_session(void *context, const struct stratum_session_view *session)
{
    const struct miners_context *miners = context;
    struct json_writer *writer = miners->writer;
    json_begin_object(writer, NULL);
    json_write_u64(writer, "session", session->session);
    json_write_text(writer, "peer", miners->is_private ? session->address : NULL);
    json_write_text(writer, "user", session->user);
    json_write_text(writer, "worker", session->worker);
    json_write_text(writer, "team", session->team[0] == '\0' ? NULL : session->team);
    if (session->payout != NULL)
        report_write_payee(writer, miners->node, session->payout);
    json_write_text(writer, "device", session->kind);
    json_write_text(writer, "user_agent", session->user_agent);
    json_write_bool(writer, "is_subscribed", session->is_subscribed);
    json_write_bool(writer, "is_authorized", session->is_authorized);
    json_write_bool(writer, "is_device_overridden", session->is_device_overridden);
    json_write_bool(writer, "is_resumed", session->is_resumed);
    json_write_u64(writer, "users", session->users_count);
    json_write_u64(writer, "coinbase_max", session->coinbase_max);
    json_write_u64(writer, "version_mask", session->version_mask);
    json_write_double(writer, "difficulty", session->difficulty);
    json_write_double(writer, "hashrate_1m", session->hashrate_1m);
    json_write_double(writer, "hashrate_10m", session->hashrate_10m);
    json_write_double(writer, "hashrate_1h", session->hashrate_1h);
    json_write_double(writer, "hashrate_estimate", session->hashrate_estimate);
    report_write_verdicts(writer, session->shares);
    json_write_u64(writer, "grains", session->grains);
    json_write_u64(writer, "blocks", session->blocks);
    json_write_double(writer, "work_accepted", session->work_accepted);
    json_write_i64(writer, "connected_at", wall_seconds(session->connected_at));
    json_write_i64(writer, "share_at", wall_seconds(session->share_at));
    json_write_u64(writer, "bytes_queued", session->bytes_queued);
    json_end_object(writer);
}

static void write_refused(void *context, const struct stratum_refused_device *device)
{
    const struct miners_context *miners = context;
    struct json_writer *writer = miners->writer;
    json_begin_object(writer, NULL);
    json_write_i64(writer, "at", wall_seconds(device->time));
    json_write_text(writer, "peer", miners->is_private ? device->address : NULL);
    json_write_text(writer, "user", device->user);
    json_write_text(writer, "device", device->kind);
    json_write_text(writer, "user_agent", device->user_agent);
    json_write_u64(writer, "coinbase_max", device->coinbase_max);
    json_write_text(writer, "reason", device->reason);
    json_end_object(writer);
}

void report_miners(struct node *node, struct report_call *call, struct json_writer *writer)
{
    struct miners_context context = {node, report_is_private(call), writer};
    json_begin_array(writer, "miners");
    stratum_each_session(node->stratum, net_loop_now(node->loop), write_session, &context);
    json_end_array(writer);
    json_begin_array(writer, "refused");
    stratum_each_refused(node->stratum, write_refused, &context);
    json_end_array(writer);
}
