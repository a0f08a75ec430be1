// Any bytes as a datagram, and as the message that was sealed in one: what decodes encodes to what
// decodes to the same again.
#include <assert.h>
#include <string.h>
#include "dht/datagram.h"
#include "dht/routing_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_datagram(const uint8_t *data, size_t size)
{
    static const struct pair_key key = {{1}};
    struct datagram_head head;
    uint8_t message[DATAGRAM_SIZE_MAX];
    size_t message_size;
    datagram_head_decode(data, size, &head);
    datagram_open(data, size, &key, message, &message_size);
}

static void try_request(const uint8_t *data, size_t size)
{
    struct dht_request request;
    struct dht_request again;
    uint8_t bytes[2 * MESSAGE_SIZE_MAX];
    struct buffer out;
    if (!dht_request_decode(data, size, &request))
        return;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    dht_request_encode(&request, &out);
    assert(!out.failed && dht_request_decode(bytes, out.size, &again));
    assert(again.method == request.method && again.flags == request.flags);
    assert(hash_equal(&again.key, &request.key) && again.port == request.port);
    assert(again.value.size == request.value.size);
}

static void try_answer(const uint8_t *data, size_t size)
{
    struct dht_answer answer;
    struct dht_answer again;
    uint8_t bytes[2 * MESSAGE_SIZE_MAX];
    struct buffer out;
    if (!dht_answer_decode(data, size, &answer))
        return;
    buffer_init_fixed(&out, bytes, sizeof bytes);
    bool is_encoded = dht_answer_encode(&answer, MESSAGE_SIZE_MAX, &out);
    assert(is_encoded && dht_answer_decode(bytes, out.size, &again));
    assert(again.status == answer.status && again.token == answer.token);
    assert(again.nodes_count <= answer.nodes_count);
}

static void try_saved(const uint8_t *data, size_t size)
{
    struct contact contacts[4];
    size_t count;
    if (routing_contacts_decode(data, size, contacts, 4, &count))
        assert(count <= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_datagram(data, size);
    try_request(data, size);
    try_answer(data, size);
    try_saved(data, size);
    return 0;
}
