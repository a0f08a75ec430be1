// Teams: what a team's name is, and how the node_tag of a share carries one (a convention of nodes
// and no consensus; docs/protocol.md, section 11). Stratum reads names from users, the node puts
// them into shares, whoever looks at the share-chain reads them there. Names come from strangers:
// whatever is no name is no team, never an error.
#ifndef SHOAL_NODE_BASE_TEAM_H
#define SHOAL_NODE_BASE_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEAM_NAME_MAX  11
#define TEAM_TAG_SIZE  16   // of a node_tag
#define TEAM_TAG_OWN   4    // bytes of it that stay the node's
#define TEAM_TAG_MARK  0x7e // the byte between those and the name
#define TEAM_NAME_RULE "a team is 1 to 11 of the characters a-z, 0-9 and -"

// "" is no team; else 1..TEAM_NAME_MAX characters of a-z 0-9 - and zeros.
struct team {
    char name[TEAM_NAME_MAX + 1];
};

// Reads a name, A-Z as a-z. False, and no team, if it is none.
bool team_from_text(const char *text, size_t size, struct team *team);
// The team that a node_tag carries. False, and no team, if it carries none.
bool team_from_tag(const uint8_t tag[TEAM_TAG_SIZE], struct team *team);
// Puts the team behind the first TEAM_TAG_OWN bytes of the tag; no team changes nothing.
void team_to_tag(const struct team *team, uint8_t tag[TEAM_TAG_SIZE]);
// The same in eight bytes, 0 for no team; and back, from what team_to_number gave.
uint64_t team_to_number(const struct team *team);
struct team team_of_number(uint64_t number);

#endif
