// What a service manager is told of the program that it runs (systemd's protocol, sd_notify(3): one
// datagram to the socket that the environment names). Without one every call does nothing. Called
// by command_node.c.
#ifndef SHOAL_NODE_NET_SERVICE_H
#define SHOAL_NODE_NET_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

// Sends lines as in "READY=1\nSTATUS=serving". True if they were sent, or nobody wants to know.
bool net_service_tell(const char *lines);
// Within this time "WATCHDOG=1" must be told, again and again, or the manager ends the program; 0:
// it does not look.
int64_t net_service_watchdog_ms(void);

#endif
