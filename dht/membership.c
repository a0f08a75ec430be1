#include "dht/membership.h"

#include <sodium.h>

void membership_clear(struct membership *membership)
{
    sodium_memzero(membership, sizeof *membership);
}
