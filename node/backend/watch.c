// Whether found blocks are still in the best chain: asked by height at each new tip, because some
// daemons tell confirmations of blocks that have left it.
#include <string.h>
#include "node/backend/internal.h"

#define MATURE_CONFIRMATIONS 100
#define UNKNOWN_MAX          3 // times in a row before a block counts as gone
#define UNKNOWN_FORGET       100

static struct watched_block *find(struct watch_state *watch, const struct hash256 *hash)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (hash_equal(&watch->blocks[i].hash, hash)) {
            return &watch->blocks[i];
        }
    }
    return NULL;
}

static void remove_at(struct watch_state *watch, size_t i)
{
    watch->count--;
    memmove(&watch->blocks[i], &watch->blocks[i + 1],
            (watch->count - i) * sizeof(watch->blocks[0]));
}

void watch_add(struct backend *backend, const struct hash256 *hash)
{
    struct watch_state *watch = &backend->watch;
    if (find(watch, hash) != NULL) {
        return;
    }
    if (watch->many.is_running) { // its indices would not fit any more: asked again right after
        many_cancel(&watch->many);
    }
    if (watch->count == WATCHED_MAX) {
        remove_at(watch, 0);
    }
    watch->blocks[watch->count++] = (struct watched_block){.hash = *hash, .height = -1};
    watch->is_wanted = true;
    backend_wake(backend);
}

void backend_watch_block(struct backend *backend, const struct hash256 *hash)
{
    watch_add(backend, hash);
}

static void write_call(void *context, size_t i, struct json_writer *writer)
{
    struct backend *backend = context;
    const struct watched_block *block = &backend->watch.blocks[i];
    char text[65];
    if (block->height >= 0) {
        rpc_begin_call(writer, i, "getblockhash");
        json_write_i64(writer, NULL, block->height);
    } else {
        hash_to_display(&block->hash, text);
        rpc_begin_call(writer, i, "getblockheader");
        json_write_text(writer, NULL, text);
        json_write_bool(writer, NULL, true);
    }
    rpc_end_call(writer);
}

static void set_place(struct backend *backend, struct watched_block *block, enum block_place place)
{
    int64_t confirmations =
        place == BLOCK_PLACE_ORPHANED ? -1 : backend->watch.tip_height - block->height + 1;
    if (block->has_place && block->place == place) {
        return;
    }
    block->has_place = true;
    block->place = place;
    struct hash256 hash = block->hash;
    backend->events.block_moved(backend->events.context, &hash, place, confirmations);
}

static void take_hash(struct backend *backend, struct watched_block *block,
                      const struct rpc_reply *reply)
{
    char text[65] = "";
    struct hash256 hash;
    if (block->height > backend->watch.tip_height) {
        return; // our template is older than the block: asked again with the next one
    }
    if (reply->is_error || !json_to_text(reply->result, text, sizeof(text)) ||
        !hash_from_display(&hash, text)) {
        return; // the daemon's chain does not reach so high any more
    }
    bool is_in_chain = hash_equal(&hash, &block->hash);
    bool is_mature = backend->watch.tip_height - block->height + 1 >= MATURE_CONFIRMATIONS;
    set_place(backend, block,
              !is_in_chain ? BLOCK_PLACE_ORPHANED
              : is_mature  ? BLOCK_PLACE_MATURE
                           : BLOCK_PLACE_IN_CHAIN);
}

static void take_height(struct backend *backend, struct watched_block *block,
                        const struct rpc_reply *reply)
{
    int64_t height = -1;
    if (!reply->is_error && json_to_i64(json_get(reply->result, "height"), &height) &&
        height >= 0 && height <= UINT32_MAX) {
        block->height = height;
        block->unknown_count = 0;
        backend->watch.is_wanted = true; // whether it is the one at this height
        return;
    }
    if (++block->unknown_count >= UNKNOWN_MAX) {
        set_place(backend, block, BLOCK_PLACE_ORPHANED);
    }
}

static bool take_reply(void *context, size_t i, const struct rpc_reply *reply)
{
    struct backend *backend = context;
    struct watched_block *block = &backend->watch.blocks[i];
    if (block->height >= 0) {
        take_hash(backend, block, reply);
    } else {
        take_height(backend, block, reply);
    }
    return true;
}

static bool is_settled(const struct watch_state *watch, const struct watched_block *block)
{
    if (!block->has_place || block->place == BLOCK_PLACE_IN_CHAIN) {
        return false;
    }
    return block->place == BLOCK_PLACE_MATURE || block->unknown_count >= UNKNOWN_FORGET ||
           (block->height >= 0 && watch->tip_height - block->height >= MATURE_CONFIRMATIONS);
}

static void on_ended(void *context, const char *error)
{
    struct backend *backend = context;
    struct watch_state *watch = &backend->watch;
    for (size_t i = watch->count; i > 0; i--) {
        if (is_settled(watch, &watch->blocks[i - 1])) {
            remove_at(watch, i - 1);
        }
    }
    (void)error; // asked again at the next tip
    backend_wake(backend);
}

void watch_tick(struct backend *backend, struct now now)
{
    struct watch_state *watch = &backend->watch;
    (void)now;
    if (!watch->is_wanted || watch->many.is_running || backend->active == NO_DAEMON ||
        backend->work.current == NULL) {
        return;
    }
    watch->is_wanted = false;
    if (watch->count == 0) {
        return;
    }
    struct coin_daemon *daemon = &backend->daemons[backend->active];
    char error[DAEMON_ERROR_SIZE];
    watch->tip_height = backend->work.current->height - 1;
    const struct many_spec spec = {.link = &daemon->link,
                                   .has_batch = &daemon->has_batch,
                                   .count = watch->count,
                                   .timeout_ms = backend->config.request_timeout_ms,
                                   .write = write_call,
                                   .take = take_reply,
                                   .ended = on_ended,
                                   .context = backend};
    many_start(&watch->many, &spec, error);
}
