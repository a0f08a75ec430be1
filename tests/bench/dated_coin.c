// Makes the blocks of a devchain with times of its own choosing, for a share-chain with a past:
// dated_coin DIR GENESIS_TIME BITS BLOCKS SPACING writes them where `devchain --data DIR` finds
// them, and prints the header of each in hex, block 0 first.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "node/base/hex.h"
#include "node/base/log.h"
#include "testnet/common/random.h"
#include "testnet/devchain/daemon.h"
#include "testnet/devchain/open_script.h"

#define STATUS_USAGE 2
#define LUCK_MAX     100 // hashes for a block, in multiples of what it takes on average

static void print_header(const struct block_entry *entry)
{
    char text[2 * HEADER_SIZE + 1];
    hex_encode(entry->block.bytes, HEADER_SIZE, text);
    printf("%s\n", text);
}

static bool grow(struct daemon *daemon, uint64_t count, uint32_t spacing)
{
    struct script script;
    open_script_witness(0, &script);
    const struct mine_options mine = {script.bytes, script.size,
                                      (uint64_t)(LUCK_MAX * daemon_hashes_per_block(daemon))};
    print_header(chain_tip(daemon->chain));
    for (uint64_t i = 1; i <= count; i++) {
        struct wall_time at = {((int64_t)daemon->options.genesis_time + (int64_t)(i * spacing)) *
                               1000};
        struct hash256 id;
        if (!daemon_generate(daemon, &mine, at, &id))
            return false;
        print_header(chain_tip(daemon->chain));
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "dated_coin DIR GENESIS_TIME BITS BLOCKS SPACING\n");
        return STATUS_USAGE;
    }
    struct env env = {.random = random_system, .log = log_new_silent()};
    const struct daemon_options options = {
        .params = chain_params_by_name("devchain"),
        .genesis_time = (uint32_t)strtoul(argv[2], NULL, 10),
        .bits = (uint32_t)strtoul(argv[3], NULL, 16),
        .spacing = strtod(argv[5], NULL),
        .directory = argv[1],
    };
    struct now begin = {.wall = {(int64_t)options.genesis_time * 1000}};
    char error[STORE_ERROR_SIZE];
    struct daemon *daemon = daemon_new(&env, &options, begin, error);
    if (daemon == NULL) {
        fprintf(stderr, "dated_coin: %s\n", error);
        return EXIT_FAILURE;
    }
    bool is_done = grow(daemon, strtoull(argv[4], NULL, 10), (uint32_t)strtoul(argv[5], NULL, 10));
    daemon_free(daemon);
    log_free(env.log);
    return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
