// What show.c, show_network.c and top.c have in common: members of a document in the form in which
// they are shown, and lines with a label.
#ifndef SHOAL_NODE_SHOW_PARTS_H
#define SHOAL_NODE_SHOW_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include "node/show.h"
#include "node/text_table.h"

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

// A cell of the value, sorted by what it stands for.
void show_add_number(struct text_table *table, int64_t number);
void show_add_hashrate(struct text_table *table, struct json_value object, const char *name);
void show_add_coins(struct text_table *table, struct json_value object, const char *name);
void show_add_ago(struct text_table *table, struct json_value object, const char *name,
                  int64_t now);

// A line "label   text", made safe for a terminal, and wrapped to its width.
void show_line(struct show_out *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The member, behind the words, as what is wrong: red where there are colours. Nothing if it is not
// there.
void show_problem_of(struct show_out *out, const char *label, const char *words,
                     struct json_value object, const char *name);
// The table, or the sentence `empty` (NULL: nothing) if it has no rows; frees it. NULL is fine.
void show_table(struct show_out *out, struct text_table *table, const char *empty);

// The documents of show_network.c.
void show_peers(struct json_value document, struct show_out *out);
void show_dht(struct json_value document, struct show_out *out);
void show_chain_document(struct json_value document, struct show_out *out);
// Of show_address.c.
void show_addresses(struct json_value document, struct show_out *out);
void show_address(struct json_value document, struct show_out *out);
void show_luck(struct json_value document, struct show_out *out);
void show_template(struct json_value document, struct show_out *out);
void show_standings(struct json_value document, struct show_out *out);

#endif
