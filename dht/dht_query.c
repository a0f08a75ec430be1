// Queries of ours: sent, late, lost, answered.
#include <string.h>
#include "dht/dht_state.h"

// A token of the node's table entry that it should still take.
static uint64_t token_for(const struct routing_node *node, struct now now)
{
    bool is_fresh = node != NULL && now.mono.ms - node->answered.ms < TOKEN_PERIOD_MS;
    return is_fresh ? node->token : TOKEN_NONE;
}

static unsigned flags_of(const struct dht *dht, const struct query *query)
{
    unsigned flags = dht_is_reachable(dht) ? DHT_CAN_BE_REACHED : 0;
    flags |= query->is_known ? 0 : (unsigned)DHT_WANTS_RECORD;
    flags |= dht->tables[0] != NULL ? (unsigned)DHT_WANTS_IPV4 : 0;
    flags |= dht->tables[1] != NULL ? (unsigned)DHT_WANTS_IPV6 : 0;
    return flags;
}

static bool send_query(struct dht *dht, const struct query *query, uint64_t token, struct now now)
{
    uint8_t message[MESSAGE_SIZE_MAX];
    uint8_t datagram[DATAGRAM_SIZE_MAX];
    struct pair_key key;
    struct buffer encoded;
    struct buffer out;
    struct dht_request request = {.method = query->method,
                                  .flags = flags_of(dht, query),
                                  .key = query->key,
                                  .port = query->port};
    struct datagram_head head = {.kind = DATAGRAM_REQUEST,
                                 .transaction = query->transaction,
                                 .token = token,
                                 .sign_key = dht->config.identity->sign_key,
                                 .pow_nonce = dht->config.identity->pow_nonce,
                                 .dht_key = dht->config.identity->dht_key};
    if (!pair_keys_get(dht->pair_keys, &query->to.key, &key))
        return false;
    if (query->method == DHT_PUT) {
        dht_renew_own(dht, now);
        request.value = (struct message_bytes){dht->own_bytes, dht->own_size};
    }
    buffer_init_fixed(&encoded, message, sizeof message);
    dht_request_encode(&request, &encoded);
    buffer_init_fixed(&out, datagram, sizeof datagram);
    // "First contact is padded so that no answer is larger than its request"
    struct datagram_sealing sealing = {&key, &dht->env,
                                       token == TOKEN_NONE ? DATAGRAM_SIZE_MAX : 0};
    if (!datagram_seal(&head, &sealing, encoded.data, encoded.size, &out))
        return false;
    dht->stats.requests_sent++;
    dht->events.send(dht->config.context, &query->to.endpoint, out.data, out.size);
    return true;
}

bool dht_query(struct dht *dht, const struct query *given, struct now now)
{
    size_t most = given->purpose == QUERY_SEARCH ? QUERIES_UPKEEP : QUERIES_MAX;
    struct routing_table *table = dht_table_of(dht, &given->to.endpoint);
    if (dht->queries_count >= most || table == NULL)
        return false;
    struct query *query = &dht->queries[dht->queries_count];
    const struct routing_node *node =
        given->has_id_start ? routing_table_find_hint(table, &given->to) : NULL;
    struct rtt unknown = {0};
    const struct rtt *rtt = node == NULL ? &unknown : &node->rtt;
    *query = *given;
    query->is_known = node != NULL;
    if (node != NULL)
        query->id = node->contact.id;
    bool is_dial_back = query->purpose == QUERY_DIAL_BACK;
    int64_t give_up_ms = is_dial_back ? DHT_DIAL_BACK_GIVE_UP_MS : RTT_GIVE_UP_MS;
    env_random_bytes(&dht->env, query->transaction.bytes, sizeof query->transaction.bytes);
    query->sent = now.mono;
    query->late_at.ms = now.mono.ms + rtt_timeout_ms(rtt);
    query->lost_at.ms = now.mono.ms + give_up_ms;
    dht->queries_count++;
    dht->probes_count += query->purpose == QUERY_PROBE;
    if (send_query(dht, query, token_for(node, now), now))
        return true;
    dht->queries_count--;
    dht->probes_count -= query->purpose == QUERY_PROBE;
    return false;
}

static struct query *find_query(struct dht *dht, const struct endpoint *from,
                                const struct transaction *transaction)
{
    for (size_t i = 0; i < dht->queries_count; i++) {
        struct query *query = &dht->queries[i];
        if (transaction_equal(&query->transaction, transaction) &&
            endpoint_equal(&query->to.endpoint, from))
            return query;
    }
    return NULL;
}

static void remove_query(struct dht *dht, struct query *query)
{
    dht->probes_count -= query->purpose == QUERY_PROBE;
    *query = dht->queries[--dht->queries_count];
}

static void lose(struct dht *dht, struct query *query, struct now now)
{
    struct query lost = *query;
    remove_query(dht, query);
    dht->stats.requests_lost++;
    if (lost.is_known && lost.purpose != QUERY_DIAL_BACK)
        routing_table_lost(dht_table_of(dht, &lost.to.endpoint), &lost.id, now.mono);
    if (lost.search != NULL)
        dht_search_lost(dht, &lost, now);
}

// The node proves by its record that the key we sealed with is that of an id that solved the
// puzzle.
static bool prove_id(struct dht *dht, struct query *query, const struct dht_answer *answer,
                     struct now now)
{
    struct node_record record;
    if (query->is_known)
        return true;
    enum record_verdict verdict = record_verify(answer->record.data, answer->record.size,
                                                dht->config.membership, now.wall, &record);
    if (verdict != RECORD_VALID || !dht_key_equal(&record.dht_key, &query->to.key))
        return false;
    record_node_id(&record, &query->id);
    if (query->has_id_start && id_start_of(&query->id.hash).value != query->to.id_start.value)
        return false;
    if (dht->events.met != NULL)
        dht->events.met(dht->config.context, &record, answer->record.data, answer->record.size,
                        now);
    return true;
}

// Of a node that joins: who is named may fill a place.
static void take_hints(struct dht *dht, const struct dht_answer *answer)
{
    struct hint hints[2 * MESSAGE_NODES_MAX];
    size_t count = 0;
    for (size_t i = 0; dht->fill != NULL && i < answer->nodes_count; i++) {
        if (dht_is_usable(dht, &answer->nodes[i]))
            hints[count++] = answer->nodes[i];
    }
    dht_fill_take(dht, hints, count);
}

static void accept_answer(struct dht *dht, const struct query *query,
                          const struct dht_answer *answer, struct now now)
{
    struct routing_answer routing = {
        .contact = {query->id, query->to.key, query->to.endpoint},
        .round_trip_ms = now.mono.ms - query->sent.ms,
        .token = answer->token,
        .is_inbound = query->purpose == QUERY_PROBE,
    };
    if (query->purpose != QUERY_DIAL_BACK)
        routing_table_answered(dht_table_of(dht, &query->to.endpoint), &routing, now.mono);
    if (query->purpose != QUERY_PROBE && answer->asker.port != 0)
        dht->events.address_told(dht->config.context, &query->to.endpoint, &answer->asker);
    // A node that is busy has not tried: as if it had not answered.
    bool has_tried = answer->status == DHT_OK || answer->status == DHT_UNREACHABLE;
    if (query->purpose == QUERY_DIAL_BACK && has_tried)
        dht->events.dialled_back(dht->config.context, answer->status == DHT_OK, now);
    if (query->search != NULL)
        dht_search_answered(dht, query, &routing.contact, answer, now);
    take_hints(dht, answer);
}

// With the token that the node told; once.
static bool repeat(struct dht *dht, struct query *query, uint64_t token, struct now now)
{
    if (query->is_repeated || token == TOKEN_NONE)
        return false;
    query->is_repeated = true;
    query->sent = now.mono;
    query->lost_at.ms = now.mono.ms + (query->purpose == QUERY_DIAL_BACK ? DHT_DIAL_BACK_GIVE_UP_MS
                                                                         : RTT_GIVE_UP_MS);
    return send_query(dht, query, token, now);
}

void dht_take_answer(struct dht *dht, const struct endpoint *from, const struct datagram_head *head,
                     struct message_bytes datagram, struct now now)
{
    uint8_t message[DATAGRAM_SIZE_MAX];
    size_t size;
    struct pair_key key;
    struct dht_answer answer;
    struct query *query = find_query(dht, from, &head->transaction);
    if (query == NULL)
        return;
    // A forger who guessed no key must not end the query.
    if (!pair_keys_get(dht->pair_keys, &query->to.key, &key) ||
        !datagram_open(datagram.data, datagram.size, &key, message, &size)) {
        dht->stats.refused_sealing++;
        return;
    }
    if (!dht_answer_decode(message, size, &answer)) {
        dht->stats.refused_sealing++;
        lose(dht, query, now);
        return;
    }
    if (answer.status == DHT_TOKEN_WANTED && repeat(dht, query, answer.token, now))
        return;
    if (!prove_id(dht, query, &answer, now)) {
        dht->stats.refused_record++;
        lose(dht, query, now);
        return;
    }
    struct query answered = *query;
    remove_query(dht, query);
    accept_answer(dht, &answered, &answer, now);
}

void dht_take_retry(struct dht *dht, const struct endpoint *from, const struct datagram_head *head,
                    struct now now)
{
    struct query *query = find_query(dht, from, &head->transaction);
    if (query != NULL)
        repeat(dht, query, head->token, now);
}

void dht_queries_tick(struct dht *dht, struct now now)
{
    for (size_t i = dht->queries_count; i-- > 0;) {
        struct query *query = &dht->queries[i];
        if (query->lost_at.ms <= now.mono.ms) {
            lose(dht, query, now);
            continue;
        }
        if (query->is_late || query->late_at.ms > now.mono.ms)
            continue;
        query->is_late = true;
        if (query->search != NULL)
            dht_search_late(query);
    }
}

struct mono_time dht_queries_deadline(const struct dht *dht)
{
    struct mono_time deadline = MONO_NEVER;
    for (size_t i = 0; i < dht->queries_count; i++) {
        const struct query *query = &dht->queries[i];
        deadline = mono_min(deadline, query->is_late ? query->lost_at : query->late_at);
    }
    return deadline;
}
