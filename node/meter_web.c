// The server of dashboard and API. Whoever reads these has asked it.
#include "node/meter_state.h"
#include "node/web_server.h"

enum { CONNECTIONS, STREAMS, REQUESTS, REFUSED, DROPPED, COUNT };

static const struct metric_spec specs[COUNT] = {
    [CONNECTIONS] = {METRIC_GAUGE, "shoal_http_connections",
                     "Connections to the dashboard and the API.", NULL, NULL, NULL, 0},
    [STREAMS] = {METRIC_GAUGE, "shoal_http_streams", "Those of them that read events.", NULL, NULL,
                 NULL, 0},
    [REQUESTS] = {METRIC_COUNTER, "shoal_http_requests_total",
                  "Requests to the dashboard and the API.", NULL, NULL, NULL, 0},
    [REFUSED] = {METRIC_COUNTER, "shoal_http_refused_total",
                 "Connections to them that were one too many.", NULL, NULL, NULL, 0},
    [DROPPED] = {METRIC_COUNTER, "shoal_http_streams_dropped_total",
                 "Readers of events that were too slow.", NULL, NULL, NULL, 0},
};

static void read_web(struct meter *meter, struct metric *const *metrics)
{
    struct http_server_counts counts = {.connections = 0};
    if (meter->node->web_server != NULL)
        web_server_counts(meter->node->web_server, &counts);
    metric_set(metrics[CONNECTIONS], 0, (double)counts.connections);
    metric_set(metrics[STREAMS], 0, (double)counts.streams);
    metric_set(metrics[REQUESTS], 0, (double)counts.requests);
    metric_set(metrics[REFUSED], 0, (double)counts.refused);
    metric_set(metrics[DROPPED], 0, (double)counts.dropped);
}

const struct meter_part meter_web = {specs, COUNT, read_web};
