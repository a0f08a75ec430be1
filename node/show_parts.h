// What show.c and show_network.c have in common: members of a document in the form in which they
// are shown, and lines with a label.
#ifndef SHOAL_NODE_SHOW_PARTS_H
#define SHOAL_NODE_SHOW_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include "node/base/json.h"

#define SHOW_VALUE_SIZE 320

struct show_text {
    char value[SHOW_VALUE_SIZE];
};

// "", 0 or false if the member is not there.
struct show_text show_get_text(struct json_value object, const char *name);
int64_t show_get_number(struct json_value object, const char *name);
double show_get_double(struct json_value object, const char *name);
bool show_get_bool(struct json_value object, const char *name);
// Amounts come as decimal text.
struct show_text show_get_coins(struct json_value object, const char *name);
struct show_text show_get_hashrate(struct json_value object, const char *name);
struct show_text show_get_ago(struct json_value object, const char *name, int64_t now);
struct show_text show_get_part(struct json_value object, const char *name);
// The address, or the script where it has none.
struct show_text show_get_payee(struct json_value object);

// A line "label   text", made safe for a terminal.
void show_line(struct buffer *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The documents of show_network.c.
void show_peers(struct json_value document, struct buffer *out);
void show_dht(struct json_value document, struct buffer *out);
void show_chain_document(struct json_value document, struct buffer *out);

#endif
