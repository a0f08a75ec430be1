// Requests of others: judged from cheap to dear, then answered.
#include <sodium.h>
#include <string.h>
#include "dht/dht_state.h"

#define VALUES_GIVEN 3

// What is known of a request beside its bytes.
struct asked {
    const struct endpoint *from;
    const struct datagram_head *head;
    struct node_id id;
    struct pair_key key;
    bool has_token;
    size_t size; // of the datagram
};

// Whether one more datagram may come from this address, and if `is_stranger`, one more stranger.
static bool rate_allows(struct dht *dht, const struct address *address, bool is_stranger,
                        struct now now)
{
    struct rates *rates = &dht->rates;
    struct address_group host = address_group(address, 32, 56);
    uint8_t hash[crypto_shorthash_BYTES];
    if (now.mono.ms / 1000 != rates->second) {
        rates->second = now.mono.ms / 1000;
        rates->strangers = 0;
        memset(rates->slots, 0, sizeof rates->slots);
    }
    if (is_stranger)
        return rates->strangers++ < STRANGERS_SECOND;
    crypto_shorthash(hash, (const uint8_t *)&host.value, sizeof host.value, rates->hash_key);
    uint16_t *slot = &rates->slots[hash[0] % RATE_SLOTS];
    *slot = (uint16_t)(*slot + (*slot < UINT16_MAX));
    return *slot <= RATE_SLOT_SECOND;
}

// "a spoofed datagram costs a hash": where strangers without a token are many, they hear how to
// prove their address, and nothing at all from a private pool.
static void tell_retry(struct dht *dht, const struct asked *asked)
{
    uint8_t bytes[DATAGRAM_RETRY_SIZE];
    struct buffer out;
    if (dht->config.membership->is_private)
        return;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    datagram_retry(&asked->head->transaction, token_make(&dht->token_keys, &asked->from->address),
                   &out);
    dht->stats.retries_told++;
    dht->events.send(dht->config.context, asked->from, out.data, out.size);
}

static bool find_key(struct dht *dht, struct asked *asked, struct now now)
{
    if (pair_keys_find(dht->pair_keys, &asked->head->dht_key, &asked->key))
        return true;
    if (!asked->has_token && !rate_allows(dht, &asked->from->address, true, now)) {
        tell_retry(dht, asked);
        return false;
    }
    return pair_keys_get(dht->pair_keys, &asked->head->dht_key, &asked->key);
}

static void send_answer(struct dht *dht, const struct asked *asked, struct dht_answer *answer)
{
    uint8_t message[MESSAGE_SIZE_MAX];
    uint8_t datagram[DATAGRAM_SIZE_MAX];
    struct buffer encoded;
    struct buffer out;
    struct datagram_head head = {.kind = DATAGRAM_ANSWER, .transaction = asked->head->transaction};
    struct datagram_sealing sealing = {&asked->key, &dht->env, 0};
    // "amplification <= 1 until the address has returned a token"
    size_t room = asked->has_token ? DATAGRAM_SIZE_MAX : asked->size;
    answer->token = token_make(&dht->token_keys, &asked->from->address);
    answer->asker = *asked->from;
    buffer_init_fixed(&encoded, message, sizeof message);
    buffer_init_fixed(&out, datagram, sizeof datagram);
    if (!dht_answer_encode(answer, room - DATAGRAM_ANSWER_OVERHEAD, &encoded) ||
        !datagram_seal(&head, &sealing, encoded.data, encoded.size, &out))
        return;
    dht->stats.requests_answered++;
    dht->events.send(dht->config.context, asked->from, out.data, out.size);
}

// The nearest nodes of a family, but not the one that asks.
static void add_nodes(const struct dht *dht, unsigned table, const struct dht_request *request,
                      const struct asked *asked, struct dht_answer *answer)
{
    static const unsigned flags[TABLES_COUNT] = {DHT_WANTS_IPV4, DHT_WANTS_IPV6};
    struct contact contacts[MESSAGE_NODES_MAX];
    if (dht->tables[table] == NULL || (request->flags & flags[table]) == 0)
        return;
    size_t count =
        routing_table_closest(dht->tables[table], &request->key, contacts, MESSAGE_NODES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!dht_key_equal(&contacts[i].key, &asked->head->dht_key))
            answer->nodes[answer->nodes_count++] = hint_of(&contacts[i]);
    }
}

static enum dht_status put(struct dht *dht, const struct dht_request *request,
                           const struct asked *asked, struct now now)
{
    struct node_record record;
    if (!asked->has_token)
        return DHT_TOKEN_WANTED;
    enum record_verdict verdict = record_verify(request->value.data, request->value.size,
                                                dht->config.membership, now.wall, &record);
    if (verdict != RECORD_VALID || !dht_belongs(dht, &record, &request->key))
        return DHT_REFUSED;
    struct record_put kept = {.key = request->key,
                              .maker = record.sign_key,
                              .seq = record.seq,
                              .expiry = record.expiry,
                              .record = request->value,
                              .asker = asked->from->address};
    return record_store_put(dht->store, &kept, now);
}

// DHT_OK: the answer is sent when the dial has ended.
static enum dht_status dial_back(struct dht *dht, const struct dht_request *request,
                                 const struct asked *asked, struct now now)
{
    if (!asked->has_token)
        return DHT_TOKEN_WANTED;
    if (request->port == 0)
        return DHT_REFUSED;
    struct dial *place = NULL;
    for (size_t i = 0; i < DIALS_MAX; i++) {
        struct dial *dial = &dht->dials[i];
        bool is_running = dial->ticket != 0 && dial->expires.ms > now.mono.ms;
        // One at a time for an address, which nodes may share.
        bool is_same = dht->config.is_crowded
                           ? endpoint_equal(&dial->asker, asked->from)
                           : address_equal(&dial->asker.address, &asked->from->address);
        if (is_running && is_same)
            return DHT_FULL;
        if (!is_running)
            place = dial;
    }
    if (place == NULL)
        return DHT_FULL;
    *place = (struct dial){.ticket = ++dht->next_number,
                           .asker = *asked->from,
                           .transaction = asked->head->transaction,
                           .key = asked->key,
                           .expires.ms = now.mono.ms + DHT_DIAL_BACK_GIVE_UP_MS};
    struct endpoint to = {asked->from->address, request->port};
    dht->events.dial_asked(dht->config.context, place->ticket, &to, now);
    return DHT_OK;
}

void dht_dialled(struct dht *dht, uint64_t ticket, bool is_reachable, struct now now)
{
    struct dht_answer answer = {.status = is_reachable ? DHT_OK : DHT_UNREACHABLE};
    for (size_t i = 0; i < DIALS_MAX; i++) {
        struct dial *dial = &dht->dials[i];
        if (ticket == 0 || dial->ticket != ticket)
            continue;
        struct datagram_head head = {.transaction = dial->transaction};
        struct asked asked = {
            .from = &dial->asker, .head = &head, .key = dial->key, .has_token = true};
        if (dial->expires.ms > now.mono.ms)
            send_answer(dht, &asked, &answer);
        sodium_memzero(dial, sizeof *dial);
        return;
    }
}

// "A node enters the table only after it answered us": one that came by itself is asked, if there
// is a place for it.
static void probe(struct dht *dht, const struct contact *contact, struct now now)
{
    const struct routing_table *table = dht_table_of(dht, &contact->endpoint);
    if (table == NULL || dht->probes_count >= PROBES_MAX ||
        !routing_table_wants(table, contact, true))
        return;
    for (size_t i = 0; i < dht->queries_count; i++) {
        if (endpoint_equal(&dht->queries[i].to.endpoint, &contact->endpoint))
            return;
    }
    struct query query = {
        .purpose = QUERY_PROBE, .to = hint_of(contact), .has_id_start = true, .method = DHT_PING};
    dht_query(dht, &query, now);
}

void dht_hear_of(struct dht *dht, const struct contact *contact, struct now now)
{
    bool is_usable = dht->config.is_crowded || address_is_public(&contact->endpoint.address);
    if (is_usable && !dht_key_equal(&contact->key, &dht->config.identity->dht_key))
        probe(dht, contact, now);
    dht_plan(dht);
}

static void answer_request(struct dht *dht, const struct dht_request *request,
                           const struct asked *asked, struct now now)
{
    struct dht_answer answer = {.status = DHT_OK};
    if (request->flags & DHT_WANTS_RECORD) {
        dht_renew_own(dht, now);
        answer.record = (struct message_bytes){dht->own_bytes, dht->own_size};
    }
    if (request->method == DHT_GET)
        answer.values_count =
            record_store_get(dht->store, &request->key, &dht->env, answer.values, VALUES_GIVEN);
    if (request->method == DHT_GET || request->method == DHT_FIND) {
        add_nodes(dht, 0, request, asked, &answer);
        add_nodes(dht, 1, request, asked, &answer);
    } else if (request->method == DHT_PUT) {
        answer.status = put(dht, request, asked, now);
    } else if (request->method == DHT_DIAL_BACK) {
        answer.status = dial_back(dht, request, asked, now);
        if (answer.status == DHT_OK)
            return;
    } else if (request->method != DHT_PING) {
        answer.status = DHT_UNKNOWN;
    }
    send_answer(dht, asked, &answer);
}

void dht_take_request(struct dht *dht, const struct endpoint *from,
                      const struct datagram_head *head, struct message_bytes datagram,
                      struct now now)
{
    uint8_t message[DATAGRAM_SIZE_MAX];
    size_t size;
    struct dht_request request;
    struct asked asked = {.from = from, .head = head, .size = datagram.size};
    asked.has_token = token_is_valid(&dht->token_keys, &from->address, head->token);
    if (!rate_allows(dht, &from->address, false, now)) {
        dht->stats.refused_rate++;
        return;
    }
    // "Token and identity puzzle are checked before any X25519"
    if (!node_puzzle_is_solved(&head->sign_key, head->pow_nonce,
                               dht->config.membership->puzzle_bits)) {
        dht->stats.refused_puzzle++;
        return;
    }
    if (dht_key_equal(&head->dht_key, &dht->config.identity->dht_key) ||
        !find_key(dht, &asked, now))
        return;
    if (!datagram_open(datagram.data, datagram.size, &asked.key, message, &size) ||
        !dht_request_decode(message, size, &request)) {
        dht->stats.refused_sealing++;
        return;
    }
    node_id_of(&head->sign_key, head->pow_nonce, &asked.id);
    answer_request(dht, &request, &asked, now);
    struct contact contact = {asked.id, head->dht_key, *from};
    if (asked.has_token && (request.flags & DHT_CAN_BE_REACHED) != 0)
        probe(dht, &contact, now);
}
