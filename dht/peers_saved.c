// The book over a restart.
//
//   saved = u8 version=1, u16 count, count times (u8 flags, u16 size, record), bytes(8) checksum
//
// Bits of flags: 1 one of our best peers, 2 it was reached. Best first. The checksum is BLAKE2b of
// everything before it: the file is ours, so this is against damage, not against lies.
#include "dht/peers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "dht/peers_state.h"

#define VERSION       1
#define FLAG_BEST     1u
#define FLAG_REACHED  2u
#define CHECKSUM_SIZE 8

// A view into what is loaded.
struct peer_saved {
    bool is_best;
    bool is_reached;
    uint16_t size;
    const uint8_t *bytes;
};

// How much we want a node back.
struct worth {
    const struct book_node *node;
    unsigned class; // 0: linked, 1: of the last run's best, 2: reached, 3: heard of
    uint64_t delivered;
    int64_t since_ms; // of the link
};

static struct worth worth_of(const struct peers *peers, const struct book_node *node)
{
    struct worth worth = {.node = node, .class = 3};
    const struct peer_link *link = peers_find_node(peers, &node->id, &node->key);
    if (node->kept_rank != 0) {
        worth.class = 1;
        worth.since_ms = node->kept_rank;
    } else if (node->is_reached) {
        worth.class = 2;
        worth.since_ms = node->failures;
    }
    // Only those that we chose: to be kept, it must not be enough to call us.
    if (link != NULL && link->place != PEER_PLACE_NONE && id_equal(&link->link.id, &node->id)) {
        worth.class = 0;
        worth.delivered = link->delivered;
        worth.since_ms = link->since.ms;
    }
    return worth;
}

static int compare_worth(const void *a, const void *b)
{
    const struct worth *first = a;
    const struct worth *second = b;
    if (first->class != second->class)
        return first->class < second->class ? -1 : 1;
    if (first->delivered != second->delivered)
        return first->delivered > second->delivered ? -1 : 1;
    if (first->since_ms != second->since_ms)
        return first->since_ms < second->since_ms ? -1 : 1;
    return hash_compare(&first->node->id.hash, &second->node->id.hash);
}

static void checksum(const uint8_t *data, size_t size, uint8_t out[CHECKSUM_SIZE])
{
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, data, size, NULL, 0);
    memcpy(out, hash, CHECKSUM_SIZE);
}

void peers_save(const struct peers *peers, struct buffer *out)
{
    size_t start = out->size;
    size_t count = peers->book_count;
    uint8_t sum[CHECKSUM_SIZE];
    struct worth *worths = calloc(count + 1, sizeof *worths);
    if (worths == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        worths[i] = worth_of(peers, &peers->book[i]);
    qsort(worths, count, sizeof *worths, compare_worth);
    write_u8(out, VERSION);
    write_u16(out, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct book_node *node = worths[i].node;
        bool is_best = worths[i].class <= 1 && i < SAVED_BEST_MAX;
        write_u8(out, (uint8_t)((is_best ? FLAG_BEST : 0) | (node->is_reached ? FLAG_REACHED : 0)));
        write_u16(out, node->size);
        write_bytes(out, node->bytes, node->size);
    }
    free(worths);
    if (out->failed)
        return;
    checksum(out->data + start, out->size - start, sum);
    write_bytes(out, sum, sizeof sum);
}

// Of one of our best peers it is enough that the record was good once.
static bool is_acceptable(const struct peers *peers, const struct peer_saved *saved, struct now now,
                          struct node_record *record)
{
    const struct membership *membership = peers->config.membership;
    enum record_verdict verdict =
        record_verify(saved->bytes, saved->size, membership, now.wall, record);
    bool is_of_time = verdict != RECORD_EXPIRED && verdict != RECORD_EXPIRY_TOO_FAR;
    if (is_of_time || !saved->is_best)
        return verdict == RECORD_VALID;
    struct wall_time then = {((int64_t)record->expiry - 1) * 1000};
    return record_verify(saved->bytes, saved->size, membership, then, record) == RECORD_VALID;
}

// False at the end, or where the bytes are no record's.
static bool read_saved(struct reader *reader, struct peer_saved *saved)
{
    uint8_t flags = read_u8(reader);
    saved->is_best = flags & FLAG_BEST;
    saved->is_reached = flags & FLAG_REACHED;
    saved->size = read_u16(reader);
    saved->bytes = read_view(reader, saved->size);
    return !reader->failed && saved->size <= RECORD_SIZE_MAX && saved->size > 0;
}

static bool is_whole(const uint8_t *data, size_t size)
{
    uint8_t sum[CHECKSUM_SIZE];
    struct peer_saved saved;
    if (data == NULL || size < CHECKSUM_SIZE || size > PEERS_SAVED_SIZE_MAX)
        return false;
    size -= CHECKSUM_SIZE;
    checksum(data, size, sum);
    if (memcmp(sum, data + size, sizeof sum) != 0)
        return false;
    struct reader reader = reader_init(data, size);
    uint8_t version = read_u8(&reader);
    uint16_t count = read_u16(&reader);
    for (uint16_t i = 0; i < count; i++) {
        if (!read_saved(&reader, &saved))
            return false;
    }
    return version == VERSION && count <= PEERS_BOOK_MAX && reader_is_done(&reader);
}

bool peers_load(struct peers *peers, const void *data, size_t size, struct now now)
{
    struct peer_saved saved;
    struct node_record record;
    struct book_node node;
    uint8_t rank = 0;
    if (!is_whole(data, size))
        return false;
    struct reader reader = reader_init(data, size - CHECKSUM_SIZE);
    read_u8(&reader);
    uint16_t count = read_u16(&reader);
    for (uint16_t i = 0; i < count && read_saved(&reader, &saved); i++) {
        if (!is_acceptable(peers, &saved, now, &record) ||
            !book_make_node(peers, &record, saved.bytes, saved.size, &node))
            continue;
        node.is_reached = saved.is_reached;
        if (saved.is_best && rank < SAVED_BEST_MAX)
            node.kept_rank = ++rank;
        book_put(peers, &node, now);
    }
    return true;
}
