#include "tests/sim/dht_liar.h"

#include "dht/datagram.h"
#include "dht/message.h"
#include "dht/record.h"
#include "dht/sealing.h"

// Other liars, as if they were the nearest there are.
static void name_liars(const struct dht_node *liar, struct dht_answer *answer)
{
    const struct dht_net *net = liar->net;
    for (size_t i = 0; i < MESSAGE_NODES_MAX && net->liars_count > 0; i++) {
        size_t chosen = net->liars[random_below(&liar->host->random, net->liars_count)];
        const struct dht_node *named = net->nodes[chosen];
        struct contact contact = {named->identity.id, named->identity.dht_key,
                                  named->host->endpoint};
        answer->nodes[answer->nodes_count++] = hint_of(&contact);
    }
}

static void encode_record(const struct dht_node *liar, struct now now, struct buffer *out)
{
    struct node_record record;
    record_init(&record, &liar->identity, &liar->net->membership, 1, now.wall);
    record_set_endpoint(&record, &liar->host->endpoint);
    record_sign(&record, &liar->identity);
    record_encode(&record, out);
}

void dht_liar_answer(struct dht_node *liar, const struct endpoint *from, const uint8_t *data,
                     size_t size, struct now now)
{
    uint8_t bytes[DATAGRAM_SIZE_MAX];
    uint8_t record_bytes[RECORD_SIZE_MAX];
    uint8_t message[MESSAGE_SIZE_MAX];
    struct datagram_head head;
    struct pair_key key;
    struct buffer record;
    struct buffer encoded;
    struct buffer out;
    size_t opened;
    if (!datagram_head_decode(data, size, &head) || head.kind != DATAGRAM_REQUEST ||
        !pair_key_derive(&liar->identity, &liar->net->membership, &head.dht_key, &key) ||
        !datagram_open(data, size, &key, bytes, &opened))
        return;
    buffer_init_fixed(&record, record_bytes, sizeof record_bytes);
    encode_record(liar, now, &record);
    // Status DHT_OK: it says that it keeps what it is given, too.
    struct dht_answer answer = {.token = 1, .record = {record.data, record.size}};
    name_liars(liar, &answer);
    struct datagram_head answer_head = {.kind = DATAGRAM_ANSWER, .transaction = head.transaction};
    struct datagram_sealing sealing = {&key, &liar->host->env, 0};
    buffer_init_fixed(&encoded, message, sizeof message);
    dht_answer_encode(&answer, size - DATAGRAM_ANSWER_OVERHEAD, &encoded);
    buffer_init_fixed(&out, bytes, sizeof bytes);
    if (datagram_seal(&answer_head, &sealing, encoded.data, encoded.size, &out))
        host_send(liar->host, from, out.data, out.size);
}
