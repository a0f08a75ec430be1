// All documents, and the parameters that they take.
#include "node/report_parts.h"

// What JSON readers keep exactly.
#define NUMBER_MAX (UINT64_C(1) << 53)

#define PARAMETERS(array)                                                                          \
    .parameters = (array), .parameters_count = sizeof(array) / sizeof(*(array))

#define LIMIT(most, usual)                                                                         \
    {                                                                                              \
        "limit", API_NUMBER, 1, most, usual, NULL, "How many at most."                             \
    }
#define FROM(meaning)                                                                              \
    {                                                                                              \
        "from", API_NUMBER, 0, NUMBER_MAX, 0, NULL, meaning                                        \
    }

static const struct api_parameter block_parameters[] = {
    {"id", API_HASH, 0, 0, 0, NULL, "The hash of the block, as explorers show it."},
};

static const struct api_parameter blocks_parameters[] = {
    LIMIT(500, 50),
    FROM("The number of the block to begin with; 0 is the newest."),
};

static const struct api_parameter links_parameters[] = {
    LIMIT(500, 60),
    FROM("The height of the link to begin with; 0 is the newest."),
};

#define ADDRESS(meaning)                                                                           \
    {                                                                                              \
        "address", API_NAME, 1, 90, 0, NULL, meaning                                               \
    }

static const struct api_parameter link_parameters[] = {
    {"id", API_HASH, 0, 0, 0, NULL, "The id of the link, in wire order as \"links\" shows it."},
};

static const struct api_parameter share_parameters[] = {
    {"id", API_HASH, 0, 0, 0, NULL, "The id of the share, in wire order as \"shares\" shows it."},
};

static const struct api_parameter shares_parameters[] = {
    LIMIT(500, 50),
    FROM("Where to begin: the \"next\" of the page before; 0 is the newest."),
    ADDRESS("Only shares that pay this address."),
};

static const struct api_parameter addresses_parameters[] = {
    LIMIT(500, 50),
    FROM("How many to leave out, the largest first."),
};

static const struct api_parameter address_parameters[] = {
    ADDRESS("A payout address of the pool's coin."),
};

static const struct api_parameter history_parameters[] = {
    LIMIT(100, 20), // each has all its outputs
    FROM("The height of the block to begin with; 0 is the newest."),
};

static const struct api_parameter credits_parameters[] = {
    FROM("The height of the link to begin with."),
    {"tip", API_HASH, 0, 0, 0, NULL,
     "The id of the link to end with: an error unless it is on the best chain."},
};

#define PERIOD                                                                                     \
    {                                                                                              \
        "period", API_WORD, 0, 0, 0, "day week all", "Over what time, back from the newest link."  \
    }

static const struct api_parameter standings_parameters[] = {
    {"kind", API_WORD, 0, 0, 0, "hashrate best_share streak blocks", "What they are compared by."},
    PERIOD,
    {"team", API_NAME, 1, 64, 0, NULL, "Only members of this team, by what they did for it."},
    LIMIT(500, 50),
    FROM("How many to leave out, the best first."),
};

static const struct api_parameter teams_parameters[] = {
    PERIOD,
    LIMIT(500, 50),
    FROM("How many to leave out, the largest first."),
};

static const struct api_parameter team_parameters[] = {
    {"name", API_NAME, 1, 64, 0, NULL, "The name of the team."},
    PERIOD,
    LIMIT(500, 50),
    FROM("How many members to leave out, the largest first."),
};

static const struct api_parameter milestones_parameters[] = {
    ADDRESS("Only milestones of this address."),
    LIMIT(500, 50),
    FROM("The number of the milestone to begin with; 0 is the newest."),
};

static const struct report_document documents[] = {
    {.name = "status",
     .path = "status",
     .meaning = "pool, share-chain, current job, daemons and miners at a glance",
     .life_ms = 250,
     .write = report_status},
    {.name = "miners",
     .path = "miners",
     .meaning = "every connection of a miner, and devices that were refused",
     .life_ms = 500,
     .has_private_part = true,
     .write = report_miners},
    {.name = "addresses",
     .path = "addresses",
     .meaning = "miners of this node by payout address, the largest first",
     .life_ms = 1000,
     PARAMETERS(addresses_parameters),
     .write = report_addresses},
    {.name = "address",
     .path = "addresses/{address}",
     .meaning = "one miner: what he does, what he is owed, what he was paid",
     .life_ms = 1000,
     PARAMETERS(address_parameters),
     .write = report_address},
    {.name = "shares",
     .path = "shares",
     .meaning = "shares of the share-chain, newest first; of one address, too",
     .life_ms = 500,
     PARAMETERS(shares_parameters),
     .write = report_shares},
    {.name = "share",
     .path = "shares/{id}",
     .meaning = "one share in full; by its id",
     .life_ms = 1000,
     PARAMETERS(share_parameters),
     .write = report_share},
    {.name = "blocks",
     .path = "blocks",
     .meaning = "blocks that this node's miners found, and what became of them, newest first",
     .life_ms = 250,
     PARAMETERS(blocks_parameters),
     .write = report_blocks},
    {.name = "block",
     .path = "blocks/{id}",
     .meaning = "whom one block paid; by its hash",
     .life_ms = 1000,
     PARAMETERS(block_parameters),
     .write = report_block},
    {.name = "payouts",
     .path = "payouts",
     .meaning = "whom the next block pays, and whom the blocks after it will pay",
     .life_ms = 250,
     .write = report_payouts},
    {.name = "payouts_history",
     .path = "payouts/history",
     .meaning = "what past blocks of the pool paid, output by output, newest first",
     .life_ms = 1000,
     PARAMETERS(history_parameters),
     .write = report_payouts_history},
    {.name = "luck",
     .path = "luck",
     .meaning = "blocks found, and how many the credited work finds on average",
     .life_ms = 2000,
     .write = report_luck},
    {.name = "template",
     .path = "template",
     .meaning = "the block that miners work on: value, fees, size, age",
     .life_ms = 500,
     .write = report_template},
    {.name = "credits",
     .meaning = "every link of the best chain with its credits, to recompute payouts from",
     PARAMETERS(credits_parameters),
     .write = report_credits},
    {.name = "loose",
     .meaning = "shares that no link has credited yet, as JSON",
     .write = report_loose},
    {.name = "daemons",
     .path = "daemons",
     .meaning = "the coin daemons and what is wrong with them",
     .life_ms = 500,
     .write = report_daemons},
    {.name = "links",
     .path = "links",
     .meaning = "links of the best chain, newest first, as JSON",
     .life_ms = 250,
     PARAMETERS(links_parameters),
     .write = report_links},
    {.name = "link",
     .path = "links/{id}",
     .meaning = "one link with what it includes and credits; by its id",
     .life_ms = 1000,
     PARAMETERS(link_parameters),
     .write = report_link},
    {.name = "peers",
     .path = "peers",
     .meaning = "the nodes that this one is connected to",
     .life_ms = 500,
     .has_private_part = true,
     .write = report_peers},
    {.name = "dht",
     .path = "dht",
     .meaning = "what it knows of the other nodes, and how they find this one",
     .life_ms = 500,
     .write = report_dht},
    {.name = "chain",
     .path = "chain",
     .meaning = "the share-chain, and how far it has caught up with the pool",
     .life_ms = 500,
     .write = report_chain},
    {.name = "standings",
     .path = "standings",
     .meaning = "leaders by address, from the share-chain alone",
     .life_ms = 1000,
     PARAMETERS(standings_parameters),
     .write = report_standings},
    {.name = "teams",
     .path = "teams",
     .meaning = "teams by credited work",
     .life_ms = 1000,
     PARAMETERS(teams_parameters),
     .write = report_teams},
    {.name = "team",
     .path = "teams/{name}",
     .meaning = "one team and its members",
     .life_ms = 1000,
     PARAMETERS(team_parameters),
     .write = report_team},
    {.name = "milestones",
     .path = "milestones",
     .meaning = "first grains, blocks, best shares and streaks, newest first",
     .life_ms = 1000,
     PARAMETERS(milestones_parameters),
     .write = report_milestones},
    {.name = "routes", .meaning = "what the HTTP API takes, as JSON", .write = report_routes},
    {.name = "config",
     .path = "config",
     .meaning = "the values in force, and where each is from",
     .life_ms = 1000,
     .role = API_VIEWER,
     .write = report_config},
};

const struct report_document *report_get(size_t i)
{
    return i < sizeof(documents) / sizeof(documents[0]) ? &documents[i] : NULL;
}
