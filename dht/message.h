// What nodes of the DHT say to each other inside sealed datagrams (p2p.md, DHT): one shape for all
// requests and one for all answers, as msgpack arrays. Unknown trailing elements are skipped, and
// after the array come zeros up to any size: the padding of a first contact. Pure functions.
//
//   request = [method, flags, key bin(0|32), port, value bin]
//   answer  = [status, token, asker bin(6|18), record bin, nodes4 bin(46 n), nodes6 bin(58 n),
//              [value bin, ...]]
//   a node of nodes4 or nodes6 = u64 beginning of the id (most significant byte first),
//              bytes(32) dht key, bytes(4 or 16) address, u16 port
//
// Bits of flags: 1 the asker can be reached, 2 it wants our record, 4 nodes4, 8 nodes6.
#ifndef SHOAL_DHT_MESSAGE_H
#define SHOAL_DHT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dht/contact.h"
#include "dht/record.h"
#include "node/base/bytes.h"

#define MESSAGE_SIZE_MAX   1200
#define MESSAGE_NODES_MAX  16 // per family
#define MESSAGE_VALUES_MAX 4

enum dht_method {
    DHT_PING = 1,
    DHT_FIND,      // the nodes nearest to key
    DHT_GET,       // records under key, and the nodes nearest to it
    DHT_PUT,       // keep this record under key
    DHT_DIAL_BACK, // try to open a link to port at the address that asks
};

enum dht_status {
    DHT_OK,
    DHT_REFUSED,      // a record that does not hold, or does not belong under this key
    DHT_TOKEN_WANTED, // ask again with the token of this answer
    DHT_FULL,
    DHT_OLD,         // a record with a higher seq is there
    DHT_UNREACHABLE, // DHT_DIAL_BACK: the link did not open
    DHT_UNKNOWN,     // a method of a later version
};

// Flags of a request.
enum dht_flag {
    DHT_CAN_BE_REACHED = 1,
    DHT_WANTS_RECORD = 2,
    DHT_WANTS_IPV4 = 4,
    DHT_WANTS_IPV6 = 8
};

// A view into the message.
struct message_bytes {
    const uint8_t *data;
    size_t size;
};

struct dht_request {
    unsigned method; // enum dht_method, or one of a later version
    unsigned flags;
    struct hash256 key; // zeros if the request has none
    uint16_t port;
    struct message_bytes value;
};

struct dht_answer {
    unsigned status;
    uint64_t token;        // for the next request from where this one came
    struct endpoint asker; // as the answering node sees it; of no family if it did not say
    struct message_bytes record;
    struct hint nodes[2 * MESSAGE_NODES_MAX];
    size_t nodes_count;
    struct message_bytes values[MESSAGE_VALUES_MAX];
    size_t values_count;
};

// At most 512 bytes with a value of RECORD_SIZE_MAX.
void dht_request_encode(const struct dht_request *request, struct buffer *out);
bool dht_request_decode(const void *data, size_t size, struct dht_request *request);

// Leaves out what does not fit in size_max bytes: the last nodes first, then values, then the
// record. False if not even the rest fits; *out is then as it was.
bool dht_answer_encode(const struct dht_answer *answer, size_t size_max, struct buffer *out);
// Views in the answer are borrowed from data. Nodes whose port is 0 are left out.
bool dht_answer_decode(const void *data, size_t size, struct dht_answer *answer);

#endif
