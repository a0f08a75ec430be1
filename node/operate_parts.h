// What the files of operate share: operate.c (the table), operate_actions.c, operate_reload.c.
#ifndef SHOAL_NODE_OPERATE_PARTS_H
#define SHOAL_NODE_OPERATE_PARTS_H

#include "node/operate.h"

// In the order of each action's members.
enum { BAN_ADDRESS, BAN_SECONDS, BAN_REASON };

bool operate_ban_check(struct operation *operation);
void operate_ban(struct operation *operation, struct json_writer *answer);
bool operate_unban_check(struct operation *operation);
void operate_unban(struct operation *operation, struct json_writer *answer);
bool operate_disconnect_check(struct operation *operation);
void operate_disconnect(struct operation *operation, struct json_writer *answer);
void operate_log_level(struct operation *operation, struct json_writer *answer);
bool operate_drain_check(struct operation *operation);
void operate_drain(struct operation *operation, struct json_writer *answer);
bool operate_undrain_check(struct operation *operation);
void operate_undrain(struct operation *operation, struct json_writer *answer);

bool operate_reload_check(struct operation *operation);
void operate_reload(struct operation *operation, struct json_writer *answer);

#endif
