// The miner's sockets: one thread, one epoll. Connects, reconnects and fails over, carries bytes
// between the sockets and the clients, and writes the reports.
#ifndef SHOAL_TESTNET_MINER_NETWORK_H
#define SHOAL_TESTNET_MINER_NETWORK_H

#include <stdbool.h>
#include <signal.h>
#include "testnet/miner/miner.h"

struct network;

// `signals` (blocked) end the run. NULL with a message on standard error if epoll cannot be had.
struct network *network_open(struct miner *miner, const sigset_t *signals);
void network_close(struct network *network);
// Mines until the settings' end or a signal, then waits a little for the last answers.
void network_run(struct network *network);

#endif
