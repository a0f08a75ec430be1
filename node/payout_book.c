#include "node/payout_book.h"
#include <stdlib.h>
#include <string.h>
#include "node/pow/target.h"

// A share may come after the header that it is: so far back is looked again.
#define LOOK_BACK 32
// In one turn.
#define HEADERS_AT_ONCE 2000
#define BLOCKS_AT_ONCE  1

#define RECORD_VERSION  1
#define RECORD_SIZE_MAX (256 + COINBASE_OUTPUTS_MAX * (SCRIPT_SIZE_MAX + 9))
#define KEY_NAME        "paid"
#define KEY_NAME_SIZE   (sizeof(KEY_NAME) - 1)
#define KEY_SIZE        (KEY_NAME_SIZE + 4 + 32)

struct payout_book {
    struct sharechain *chain;
    struct store *store;
    struct paid_block **blocks; // by height
    size_t count, capacity;
    const struct header_node *best; // as it was when it was last walked to
    struct hash256 tip;
    const struct header_node *walked; // up to here; NULL: from the beginning
};

// ---- In the store

static void make_key(const struct paid_block *block, uint8_t key[KEY_SIZE])
{
    struct buffer buffer;
    buffer_init_fixed(&buffer, key, KEY_SIZE);
    write_bytes(&buffer, KEY_NAME, KEY_NAME_SIZE);
    write_u32_be(&buffer, (uint32_t)block->height);
    write_bytes(&buffer, block->id.bytes, 32);
}

static void write_script(struct buffer *out, const struct script *script)
{
    write_u8(out, script->size);
    write_bytes(out, script->bytes, script->size);
}

static void keep(const struct payout_book *book, const struct paid_block *block)
{
    uint8_t key[KEY_SIZE];
    struct buffer out;
    if (book->store == NULL)
        return;
    buffer_init(&out, RECORD_SIZE_MAX);
    write_u8(&out, RECORD_VERSION);
    write_u32(&out, block->time);
    write_u32(&out, block->bits);
    write_script(&out, &block->payout_script);
    write_u32(&out, block->link_height);
    write_u8(&out, block->is_link);
    write_double(&out, block->work_expected);
    write_double(&out, block->work_done);
    write_varint(&out, block->outputs_count);
    for (size_t i = 0; i < block->outputs_count; i++) {
        write_u64(&out, block->outputs[i].amount);
        write_script(&out, &block->outputs[i].script);
    }
    make_key(block, key);
    if (!out.failed)
        store_put(book->store, STORE_META, key, KEY_SIZE, out.data, out.size);
    buffer_clear(&out);
}

static void read_script(struct reader *reader, struct script *script)
{
    size_t size = read_u8(reader);
    const uint8_t *bytes = read_view(reader, size);
    if (bytes == NULL || !script_from_bytes(script, bytes, size))
        reader->failed = true;
}

static void read_outputs(struct reader *reader, struct paid_block *block)
{
    uint64_t count = read_varint(reader);
    if (count > COINBASE_OUTPUTS_MAX) {
        reader->failed = true;
        return;
    }
    block->outputs = count == 0 ? NULL : calloc((size_t)count, sizeof(*block->outputs));
    for (size_t i = 0; i < count && block->outputs != NULL && !reader->failed; i++) {
        block->outputs[i].amount = read_u64(reader);
        read_script(reader, &block->outputs[i].script);
        block->value_sats += block->outputs[i].amount;
        block->outputs_count++;
    }
}

// ---- The list

static void block_free(struct paid_block *block)
{
    if (block != NULL)
        free(block->outputs);
    free(block);
}

static void drop_lowest(struct payout_book *book)
{
    uint8_t key[KEY_SIZE];
    make_key(book->blocks[0], key);
    if (book->store != NULL)
        store_remove(book->store, STORE_META, key, KEY_SIZE);
    block_free(book->blocks[0]);
    book->count--;
    memmove(&book->blocks[0], &book->blocks[1], book->count * sizeof(struct paid_block *));
}

static bool fits(struct payout_book *book)
{
    if (book->count < book->capacity)
        return true;
    size_t capacity = book->capacity == 0 ? 32 : book->capacity * 2;
    struct paid_block **grown = realloc(book->blocks, capacity * sizeof(struct paid_block *));
    if (grown == NULL)
        return false;
    book->blocks = grown;
    book->capacity = capacity;
    return true;
}

// Takes the block over. False if there is no memory, and it is freed.
static bool insert(struct payout_book *book, struct paid_block *block)
{
    if (!fits(book)) {
        block_free(block);
        return false;
    }
    size_t place = book->count;
    while (place > 0 && book->blocks[place - 1]->height > block->height)
        place--;
    memmove(&book->blocks[place + 1], &book->blocks[place],
            (book->count - place) * sizeof(struct paid_block *));
    book->blocks[place] = block;
    book->count++;
    return true;
}

// The first of the list at this height or above.
static size_t lower_bound(const struct payout_book *book, int64_t height)
{
    size_t low = 0, high = book->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (book->blocks[middle]->height < height)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct paid_block *find_at(const struct payout_book *book, const struct hash256 *id,
                                        int64_t height)
{
    for (size_t i = lower_bound(book, height); i < book->count && book->blocks[i]->height == height;
         i++) {
        if (hash_equal(&book->blocks[i]->id, id))
            return book->blocks[i];
    }
    return NULL;
}

static bool load_block(void *context, const void *key, size_t key_size, const void *value,
                       size_t value_size)
{
    struct payout_book *book = context;
    if (key_size < KEY_NAME_SIZE || memcmp(key, KEY_NAME, KEY_NAME_SIZE) != 0)
        return false; // past the last
    struct reader names =
        reader_init((const uint8_t *)key + KEY_NAME_SIZE, key_size - KEY_NAME_SIZE);
    struct reader reader = reader_init(value, value_size);
    struct paid_block *block = calloc(1, sizeof(*block));
    if (block == NULL)
        return false;
    block->height = read_u32_be(&names);
    read_bytes(&names, block->id.bytes, 32);
    bool is_known = read_u8(&reader) == RECORD_VERSION;
    block->time = read_u32(&reader);
    block->bits = read_u32(&reader);
    read_script(&reader, &block->payout_script);
    block->link_height = read_u32(&reader);
    block->is_link = read_u8(&reader) != 0;
    block->work_expected = read_double(&reader);
    block->work_done = read_double(&reader);
    read_outputs(&reader, block);
    if (is_known && reader_is_done(&names) && reader_is_done(&reader))
        return insert(book, block);
    block_free(block);
    return true;
}

struct payout_book *payout_book_new(struct sharechain *chain, struct store *store)
{
    struct payout_book *book = calloc(1, sizeof(*book));
    if (book == NULL)
        return NULL;
    book->chain = chain;
    book->store = store;
    if (store != NULL)
        store_each(store, STORE_META, KEY_NAME, KEY_NAME_SIZE, load_block, book);
    return book;
}

void payout_book_free(struct payout_book *book)
{
    if (book == NULL)
        return;
    for (size_t i = 0; i < book->count; i++)
        block_free(book->blocks[i]);
    free(book->blocks);
    free(book);
}

size_t payout_book_count(const struct payout_book *book)
{
    return book->count;
}

const struct paid_block *payout_book_get(const struct payout_book *book, size_t i)
{
    return book->blocks[i];
}

const struct paid_block *payout_book_find(const struct payout_book *book, const struct hash256 *id)
{
    const struct header_node *node = header_chain_find(sharechain_headers(book->chain), id);
    if (node != NULL)
        return find_at(book, id, node->height);
    for (size_t i = book->count; i > 0; i--) {
        if (hash_equal(&book->blocks[i - 1]->id, id))
            return book->blocks[i - 1];
    }
    return NULL;
}

// ---- Following

// What the pool credited between the block before on this branch and this one; below 0 if that is
// not known any more.
static double work_since_last(const struct payout_book *book, const struct header_node *node,
                              const struct pool_block *block)
{
    for (size_t i = lower_bound(book, node->height); i > 0; i--) {
        const struct paid_block *last = book->blocks[i - 1];
        struct pool_block there;
        if (last->height < header_chain_anchor(sharechain_headers(book->chain))->height)
            return -1;
        if (!hash_equal(&header_node_ancestor(node, last->height)->id, &last->id))
            continue;
        if (!sharechain_block(book->chain, &last->id, &there) ||
            u256_compare(&there.credits_before, &block->credits_before) > 0)
            return -1;
        struct u256 since = u256_subtract(&block->credits_before, &there.credits_before);
        return u256_to_double(&since);
    }
    return sharechain_root_height(book->chain) == 0 ? u256_to_double(&block->credits_before) : -1;
}

static double expected_work(uint32_t bits)
{
    struct u256 target;
    if (!target_expand(bits, &target))
        return 0;
    struct u256 work = target_work(&target);
    return u256_to_double(&work);
}

static void copy_outputs(struct payout_book *book, struct paid_block *block)
{
    struct coinbase_output *outputs = calloc(COINBASE_OUTPUTS_MAX, sizeof(*outputs));
    size_t count = 0;
    if (outputs != NULL && sharechain_share_outputs(book->chain, &block->id, outputs, &count) &&
        count > 0)
        block->outputs = calloc(count, sizeof(*outputs));
    for (size_t i = 0; i < count && block->outputs != NULL; i++) {
        block->outputs[i] = outputs[i];
        block->value_sats += outputs[i].amount;
        block->outputs_count++;
    }
    free(outputs);
}

// True if it was new.
static bool take_header(struct payout_book *book, const struct header_node *node)
{
    struct pool_block found;
    if (!sharechain_block(book->chain, &node->id, &found) ||
        find_at(book, &node->id, node->height) != NULL)
        return false;
    struct paid_block *block = calloc(1, sizeof(*block));
    if (block == NULL)
        return false;
    *block = (struct paid_block){
        .id = found.id,
        .height = found.height,
        .time = found.time,
        .bits = found.bits,
        .payout_script = found.payout_script,
        .link_height = found.link_height,
        .is_link = found.is_link,
        .work_expected = expected_work(found.bits),
        .work_done = work_since_last(book, node, &found),
    };
    copy_outputs(book, block);
    if (!insert(book, block))
        return false;
    keep(book, block);
    if (book->count > PAYOUT_BLOCKS_MAX)
        drop_lowest(book);
    return true;
}

// Where the walk goes on: after what was walked, less what may have been too early, or where the
// branches part.
static int64_t next_height(const struct payout_book *book, const struct header_node *best)
{
    struct link_view root;
    int64_t lowest = header_chain_anchor(sharechain_headers(book->chain))->height;
    uint32_t root_height = sharechain_root_height(book->chain);
    if (root_height > 0 && sharechain_link_at(book->chain, root_height, &root) &&
        root.tip_height > lowest)
        lowest = root.tip_height;
    const struct header_node *walked = book->walked;
    while (walked != NULL &&
           (walked->height > best->height || header_node_ancestor(best, walked->height) != walked))
        walked = walked->parent;
    int64_t height = walked == NULL ? lowest : walked->height - LOOK_BACK;
    return height > lowest ? height : lowest;
}

void payout_book_follow(struct payout_book *book)
{
    const struct header_node *best = header_chain_best(sharechain_headers(book->chain));
    struct link_view tip;
    sharechain_tip(book->chain, &tip);
    if (best == book->best && hash_equal(&tip.id, &book->tip))
        return;
    int64_t height = next_height(book, best);
    size_t taken = 0;
    for (size_t i = 0; i < HEADERS_AT_ONCE && taken < BLOCKS_AT_ONCE && height <= best->height;
         i++) {
        book->walked = header_node_ancestor(best, height);
        taken += take_header(book, book->walked) ? 1 : 0;
        height++;
    }
    if (height <= best->height)
        return; // the rest in the next turn
    book->best = best;
    book->tip = tip.id;
}
