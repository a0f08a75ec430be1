// The ledger of blocks that this node's miners found and of their fate, in STORE_BLOCKS.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/meter.h"
#include "node/state.h"
#include "node/web_events.h"

#define RECORD_VERSION  1
#define RECORD_SIZE_MAX 512

// With several daemons the best answer counts: one that took the block is enough.
static bool is_better_fate(enum block_fate a, enum block_fate b)
{
    static const int rank[] = {
        [BLOCK_ACCEPTED] = 5, [BLOCK_KNOWN] = 4,    [BLOCK_INCONCLUSIVE] = 3,
        [BLOCK_STALE] = 2,    [BLOCK_REJECTED] = 1, [BLOCK_UNREACHABLE] = 0,
    };
    return rank[a] > rank[b];
}

static void write_record_text(struct buffer *out, const char *text)
{
    size_t size = strlen(text);
    write_varint(out, size);
    write_bytes(out, text, size);
}

static void read_record_text(struct reader *reader, char *out, size_t capacity)
{
    size_t size = (size_t)read_varint(reader);
    const uint8_t *bytes = size < capacity ? read_view(reader, size) : NULL;
    if (bytes == NULL) {
        reader->failed = true;
        return;
    }
    memcpy(out, bytes, size);
    out[size] = '\0';
}

static void record_encode(const struct found_block *block, struct buffer *out)
{
    write_u8(out, RECORD_VERSION);
    write_bytes(out, block->id.bytes, 32);
    write_u64(out, (uint64_t)block->height);
    write_u64(out, (uint64_t)block->found_at);
    write_u64(out, block->coinbase_value);
    write_u8(out, block->payout_script.size);
    write_bytes(out, block->payout_script.bytes, block->payout_script.size);
    write_record_text(out, block->user);
    write_u8(out, block->is_link);
    write_u8(out, block->has_fate);
    write_u8(out, (uint8_t)block->fate);
    write_u8(out, (uint8_t)block->place);
    write_u64(out, (uint64_t)block->confirmations);
    write_record_text(out, block->reason);
}

static bool record_decode(const uint8_t *bytes, size_t size, struct found_block *block)
{
    struct reader reader = reader_init(bytes, size);
    bool is_known = read_u8(&reader) == RECORD_VERSION;
    read_bytes(&reader, block->id.bytes, 32);
    block->height = (int64_t)read_u64(&reader);
    block->found_at = (int64_t)read_u64(&reader);
    block->coinbase_value = read_u64(&reader);
    uint8_t script_size = read_u8(&reader);
    const uint8_t *script = read_view(&reader, script_size);
    bool has_script =
        script != NULL && script_from_bytes(&block->payout_script, script, script_size);
    read_record_text(&reader, block->user, sizeof(block->user));
    block->is_link = read_u8(&reader) != 0;
    block->has_fate = read_u8(&reader) != 0;
    block->fate = (enum block_fate)read_u8(&reader);
    block->place = (enum block_place)read_u8(&reader);
    block->confirmations = (int64_t)read_u64(&reader);
    read_record_text(&reader, block->reason, sizeof(block->reason));
    return is_known && has_script && reader_is_done(&reader) && block->fate <= BLOCK_UNREACHABLE &&
           block->place <= BLOCK_PLACE_MATURE;
}

// A block's own bytes stand behind its record, under a key that is one byte longer.
#define RECORD_KEY_SIZE 8
#define BYTES_KEY_SIZE  9

static void block_key(uint64_t number, uint8_t key[BYTES_KEY_SIZE])
{
    for (size_t i = 0; i < RECORD_KEY_SIZE; i++)
        key[i] = (uint8_t)(number >> (56 - 8 * i));
    key[RECORD_KEY_SIZE] = 0;
}

static void block_save(struct node *node, const struct found_block *block)
{
    uint8_t key[BYTES_KEY_SIZE];
    block_key(block->number, key);
    uint8_t bytes[RECORD_SIZE_MAX];
    struct buffer value;
    buffer_init_fixed(&value, bytes, sizeof(bytes));
    record_encode(block, &value);
    store_put(node->store, STORE_BLOCKS, key, RECORD_KEY_SIZE, value.data, value.size);
}

void blocks_keep(struct node *node, struct found_block *block, const void *bytes, size_t size)
{
    uint8_t key[BYTES_KEY_SIZE];
    block_key(block->number, key);
    store_put(node->store, STORE_BLOCKS, key, BYTES_KEY_SIZE, bytes, size);
    block->is_kept = true;
}

static void block_drop_bytes(struct node *node, struct found_block *block)
{
    uint8_t key[BYTES_KEY_SIZE];
    if (!block->is_kept)
        return;
    block_key(block->number, key);
    store_remove(node->store, STORE_BLOCKS, key, BYTES_KEY_SIZE);
    block->is_kept = false;
}

static struct found_block *block_append(struct node *node, const struct found_block *block)
{
    if (node->blocks == NULL || node->blocks_count == node->blocks_capacity) {
        size_t capacity = node->blocks_capacity == 0 ? 64 : node->blocks_capacity * 2;
        struct found_block *grown = realloc(node->blocks, capacity * sizeof(*grown));
        if (grown == NULL)
            return NULL;
        node->blocks = grown;
        node->blocks_capacity = capacity;
    }
    struct found_block *added = &node->blocks[node->blocks_count];
    *added = *block;
    node->blocks_count++;
    return added;
}

// A block's bytes come right behind its record; false if they do not.
static bool block_note_kept(struct node *node, uint64_t number)
{
    if (node->blocks_count == 0 || node->blocks[node->blocks_count - 1].number != number)
        return false;
    node->blocks[node->blocks_count - 1].is_kept = true;
    return true;
}

static bool load_block(void *context, const void *key, size_t key_size, const void *value,
                       size_t value_size)
{
    struct node *node = context;
    struct found_block block = {0};
    struct reader reader = reader_init(key, key_size);
    block.number = (uint64_t)read_u32_be(&reader) << 32;
    block.number |= read_u32_be(&reader);
    if (key_size == BYTES_KEY_SIZE && block_note_kept(node, block.number))
        return true;
    if (reader_is_done(&reader) && record_decode(value, value_size, &block))
        return block_append(node, &block) != NULL;
    log_event(node->log, LOG_WARN, "blocks", "a record of a found block cannot be read; left out",
              LOG_U64("number", block.number));
    return true;
}

bool blocks_load(struct node *node)
{
    return store_each(node->store, STORE_BLOCKS, NULL, 0, load_block, node);
}

struct found_block *blocks_add(struct node *node, const struct found_block *block)
{
    struct found_block *added = block_append(node, block);
    if (added == NULL)
        return NULL;
    added->number = node->blocks_count < 2 ? 1 : added[-1].number + 1;
    block_save(node, added);
    return added;
}

struct found_block *blocks_find(struct node *node, const struct hash256 *id)
{
    for (size_t i = node->blocks_count; i > 0; i--) {
        if (hash_equal(&node->blocks[i - 1].id, id))
            return &node->blocks[i - 1];
    }
    return NULL;
}

static void block_offer_again(struct node *node, const struct found_block *block)
{
    uint8_t key[BYTES_KEY_SIZE];
    struct buffer bytes;
    block_key(block->number, key);
    buffer_init(&bytes, LIMIT_RPC_REPLY_SIZE);
    if (store_get(node->store, STORE_BLOCKS, key, BYTES_KEY_SIZE, &bytes) && !bytes.failed) {
        log_event(node->log, LOG_WARN, "blocks",
                  "a block found earlier was never judged: it goes to the daemons again",
                  LOG_I64("height", block->height), LOG_TEXT("user", block->user));
        backend_submit_block(node->backend, &block->id, bytes.data, bytes.size);
    }
    buffer_clear(&bytes);
}

void blocks_resume(struct node *node)
{
    for (size_t i = 0; i < node->blocks_count; i++) {
        const struct found_block *block = &node->blocks[i];
        if (block->place != BLOCK_PLACE_MATURE)
            backend_watch_block(node->backend, &block->id);
        if (block->is_kept)
            block_offer_again(node, block);
    }
}

void blocks_result(void *context, const struct block_report *report)
{
    struct node *node = context;
    char hash[65];
    hash_to_display(&report->hash, hash);
    bool is_good = report->fate == BLOCK_ACCEPTED || report->fate == BLOCK_KNOWN;
    struct found_block *block = blocks_find(node, &report->hash);
    log_event(node->log, is_good ? LOG_INFO : LOG_WARN, "blocks",
              block != NULL ? "a daemon judged a found block"
                            : "a daemon judged a block of another node",
              LOG_TEXT("hash", hash), LOG_U64("daemon", report->daemon + 1),
              LOG_TEXT("fate", block_fate_text(report->fate)), LOG_TEXT("reason", report->reason));
    if (block == NULL)
        return;
    meter_block_judged(node->meter, block, report->fate);
    if (report->fate != BLOCK_UNREACHABLE)
        block_drop_bytes(node, block);
    if (block->has_fate && !is_better_fate(report->fate, block->fate))
        return;
    block->has_fate = true;
    block->fate = report->fate;
    snprintf(block->reason, sizeof(block->reason), "%s", report->reason);
    block_save(node, block);
    web_events_block(node->web_events, block);
}

void blocks_moved(void *context, const struct hash256 *hash, enum block_place place,
                  int64_t confirmations)
{
    struct node *node = context;
    struct found_block *block = blocks_find(node, hash);
    if (block == NULL)
        return;
    if (place == BLOCK_PLACE_ORPHANED && block->place != BLOCK_PLACE_ORPHANED)
        log_event(node->log, LOG_WARN, "blocks", "a found block is not on the best chain",
                  LOG_I64("height", block->height), LOG_TEXT("user", block->user));
    // The answer to submitblock was lost with an earlier life of this node.
    if (place != BLOCK_PLACE_ORPHANED && !block->has_fate) {
        block->has_fate = true;
        block->fate = BLOCK_KNOWN;
        block_drop_bytes(node, block);
    }
    bool is_news = block->place != place;
    block->place = place;
    block->confirmations = confirmations;
    block_save(node, block);
    if (is_news)
        web_events_block(node->web_events, block);
}
