// What a liar of the DHT answers (dht_net.h).
#ifndef SHOAL_TESTS_SIM_DHT_LIAR_H
#define SHOAL_TESTS_SIM_DHT_LIAR_H

#include "tests/sim/dht_net.h"

void dht_liar_answer(struct dht_node *liar, const struct endpoint *from, const uint8_t *data,
                     size_t size, struct now now);

#endif
