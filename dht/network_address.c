// Our address as others see it (p2p.md, DHT, Outside address): votes of nodes that we asked, then a
// node dials back; in our record only after that. What the operator or a mapping says needs no
// votes.
#include "dht/network_state.h"

#define VOTE_MS        1200000 // how long one counts
#define VOTERS_MIN     3
#define YOUNG_MS       60000 // in a young pool there are no three: then nobody may disagree
#define ASKED_MAX      4     // nodes asked to dial back before a check has failed
#define REFUSED_MIN    2     // of them that have to say so
#define FAILURES_MAX   2     // checks in succession until the address is given up
#define ASK_AGAIN_MS   (DHT_DIAL_BACK_GIVE_UP_MS + 2000)
#define CLAIM_MS       1000    // the answer may overtake the connection that it tells of
#define CHECK_MS       1800000 // an address is checked again, if nobody came by himself
#define RETRY_FIRST_MS 60000   // after a failed check, doubling up to:
#define RETRY_MAX_MS   3600000

static struct own_address *address_of(struct network *network, enum address_family family)
{
    switch (family) {
    case ADDRESS_NONE:
        return NULL;
    case ADDRESS_IPV4:
        return &network->addresses[0];
    case ADDRESS_IPV6:
        return &network->addresses[1];
    }
    return NULL;
}

static bool is_set(const struct endpoint *endpoint)
{
    return endpoint->address.family != ADDRESS_NONE;
}

void network_fix_endpoint(struct network *network, const struct endpoint *endpoint, struct now now)
{
    if (!is_set(endpoint)) {
        // The mapping is gone; what the operator says, or else others see, holds again.
        for (unsigned i = 0; i < 2; i++)
            network->addresses[i] = (struct own_address){0};
        dht_set_endpoint(network->dht, endpoint, now);
        network_fix_configured(network, now);
        return;
    }
    struct own_address *own = address_of(network, endpoint->address.family);
    own->is_fixed = true;
    own->current = *endpoint;
    own->candidate = (struct endpoint){0};
    dht_set_endpoint(network->dht, endpoint, now);
}

void network_fix_configured(struct network *network, struct now now)
{
    if (is_set(&network->config.public_ipv4))
        network_fix_endpoint(network, &network->config.public_ipv4, now);
    if (is_set(&network->config.public_ipv6))
        network_fix_endpoint(network, &network->config.public_ipv6, now);
}

// ---- Votes

// Who votes: not an address but a network, as an attacker has many of the former.
static struct address_group voter_of(const struct network *network, const struct endpoint *teller)
{
    if (!network->config.is_crowded)
        return address_group_wide(&teller->address);
    uint64_t address = address_group(&teller->address, 32, 56).value;
    return (struct address_group){address * 65537 + teller->port};
}

static void keep_vote(struct own_address *own, const struct address_vote *vote)
{
    size_t oldest = 0;
    for (size_t i = 0; i < own->votes_count; i++) {
        if (own->votes[i].voter.value == vote->voter.value) {
            own->votes[i] = *vote;
            return;
        }
        if (own->votes[i].at.ms < own->votes[oldest].at.ms)
            oldest = i;
    }
    own->votes[own->votes_count < VOTES_MAX ? own->votes_count++ : oldest] = *vote;
}

static unsigned count_votes(const struct own_address *own, const struct address *address,
                            struct now now)
{
    unsigned count = 0;
    for (size_t i = 0; i < own->votes_count; i++)
        count += address_equal(&own->votes[i].address, address) &&
                 own->votes[i].at.ms + VOTE_MS > now.mono.ms;
    return count;
}

// "Agreement": of three, and of half as many again as for any other address; of fewer, if for a
// while nobody else was there to ask, or all live in one place anyway.
static bool has_won(const struct network *network, const struct own_address *own,
                    const struct address *address, struct now now)
{
    bool is_few = network->config.is_crowded || now.mono.ms >= own->first_vote.ms + YOUNG_MS;
    unsigned count = count_votes(own, address, now);
    unsigned rivals = 0;
    for (size_t i = 0; i < own->votes_count; i++) {
        const struct address *other = &own->votes[i].address;
        unsigned others = address_equal(other, address) ? 0 : count_votes(own, other, now);
        rivals = others > rivals ? others : rivals;
    }
    if (count >= VOTERS_MIN)
        return 2 * count > 3 * rivals;
    return is_few && count > 0 && rivals == 0;
}

void network_vote(struct network *network, const struct endpoint *teller,
                  const struct endpoint *own_endpoint)
{
    struct now now = network->now;
    struct own_address *own = address_of(network, own_endpoint->address.family);
    const struct endpoint candidate = {own_endpoint->address, network->config.port};
    if (own == NULL || own->is_fixed || candidate.port == 0 ||
        !(network->config.is_crowded || address_is_public(&candidate.address)))
        return;
    if (own->votes_count == 0)
        own->first_vote = now.mono;
    const struct address_vote vote = {voter_of(network, teller), candidate.address, now.mono};
    keep_vote(own, &vote);
    if (endpoint_equal(&candidate, &own->current) || endpoint_equal(&candidate, &own->candidate) ||
        !has_won(network, own, &candidate.address, now))
        return;
    own->candidate = candidate;
    own->failures = 0;
    own->check_at = now.mono;
}

// ---- Checks

static bool is_in_question(const struct own_address *own, struct now now)
{
    return !own->is_fixed && (is_set(&own->candidate) || is_set(&own->current)) &&
           own->check_at.ms <= now.mono.ms;
}

static void confirm(struct network *network, struct own_address *own, struct now now)
{
    own->failures = 0;
    own->check_at.ms = now.mono.ms + CHECK_MS;
    if (!is_set(&own->candidate))
        return;
    own->current = own->candidate;
    own->candidate = (struct endpoint){0};
    dht_set_endpoint(network->dht, &own->current, now);
    network_tell_record(network, now);
    network_discover_soon(network, now);
    network->events.address_learned(network->events.context, &own->current, true, now);
}

// Takes what cannot be reached any more out of our record.
static void give_up(struct network *network, struct own_address *own, struct now now)
{
    const struct endpoint none = {0};
    own->candidate = own->current; // it is tried again
    own->current = none;
    dht_set_endpoint(network->dht, &none, now);
    for (unsigned i = 0; i < 2; i++) {
        if (is_set(&network->addresses[i].current))
            dht_set_endpoint(network->dht, &network->addresses[i].current, now);
    }
}

static void fail(struct network *network, struct own_address *own, struct now now)
{
    int64_t wait_ms = RETRY_FIRST_MS;
    if (network->check.refused < REFUSED_MIN && network->check.refused < network->check.asked) {
        own->check_at.ms = now.mono.ms + RETRY_FIRST_MS; // nobody answered: nothing is known
        return;
    }
    own->failures++;
    if (is_set(&own->current) && !is_set(&own->candidate) && own->failures >= FAILURES_MAX)
        give_up(network, own, now);
    for (unsigned i = 1; i < own->failures && wait_ms < RETRY_MAX_MS; i++)
        wait_ms *= 2;
    own->check_at.ms = now.mono.ms + wait_ms;
    if (is_set(&own->candidate))
        network->events.address_learned(network->events.context, &own->candidate, false, now);
}

static void end_check(struct network *network, struct now now)
{
    network->check.is_running = false;
    for (unsigned i = 0; i < 2; i++) {
        if (is_in_question(&network->addresses[i], now))
            fail(network, &network->addresses[i], now);
    }
}

// A node dials the address that asked: one of a family in question, in turns if both are; first of
// what was not reached yet.
static enum address_family family_to_ask(const struct network *network, struct now now)
{
    static const enum address_family families[2] = {ADDRESS_IPV4, ADDRESS_IPV6};
    enum address_family reached = ADDRESS_NONE;
    for (unsigned i = 0; i < 2; i++) {
        unsigned turn = (network->check.asked + i) % 2;
        const struct own_address *own = &network->addresses[turn];
        if (!is_in_question(own, now))
            continue;
        if (own->reached.ms < network->check.since.ms)
            return families[turn];
        reached = families[turn];
    }
    return reached;
}

static void ask_next(struct network *network, struct now now)
{
    if (network->check.asked == ASKED_MAX ||
        !dht_ask_dial_back(network->dht, family_to_ask(network, now), network->config.port, now)) {
        end_check(network, now);
        return;
    }
    network->check.asked++;
    network->check.is_claimed = false;
    network->check.again_at.ms = now.mono.ms + ASK_AGAIN_MS;
}

// Confirms what is in question and was reached since the check began; true if nothing is left.
static bool confirm_reached(struct network *network, struct now now)
{
    bool is_left = false;
    for (unsigned i = 0; i < 2; i++) {
        struct own_address *own = &network->addresses[i];
        if (!is_in_question(own, now))
            continue;
        if (own->reached.ms >= network->check.since.ms)
            confirm(network, own, now);
        else
            is_left = true;
    }
    return !is_left;
}

void network_reached(struct network *network, const struct endpoint *from, struct now now)
{
    struct own_address *own = address_of(network, from->address.family);
    // A neighbour in our own network proves nothing.
    if (own == NULL || !(network->config.is_crowded || address_is_public(&from->address)))
        return;
    own->reached = now.mono;
    if (network->check.is_running && network->check.is_claimed)
        network->check.again_at = now.mono;
}

void network_dialled_back(struct network *network, bool is_reachable, struct now now)
{
    if (!network->check.is_running)
        return;
    network->check.refused += !is_reachable;
    // The node's word is not enough: the connection must have come.
    if (is_reachable && confirm_reached(network, now)) {
        network->check.is_running = false;
        return;
    }
    if (is_reachable) {
        network->check.is_claimed = true;
        network->check.again_at.ms = now.mono.ms + CLAIM_MS;
    } else {
        ask_next(network, now);
    }
}

void network_address_tick(struct network *network, struct now now)
{
    bool is_due = false;
    if (network->check.is_running) {
        if (network->check.again_at.ms > now.mono.ms)
            return;
        if (network->check.is_claimed && confirm_reached(network, now))
            network->check.is_running = false;
        else
            ask_next(network, now);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct own_address *own = &network->addresses[i];
        bool was_reached = own->reached.ms != 0 && own->reached.ms + CHECK_MS > now.mono.ms;
        // Who was called from outside lately need not ask.
        if (is_in_question(own, now) && !is_set(&own->candidate) && was_reached)
            confirm(network, own, now);
        is_due = is_due || is_in_question(own, now);
    }
    if (!is_due)
        return;
    network->check = (struct address_check){.is_running = true, .since = now.mono};
    ask_next(network, now);
}

struct mono_time network_address_deadline(const struct network *network)
{
    struct mono_time deadline = MONO_NEVER;
    if (network->check.is_running)
        return network->check.again_at;
    for (unsigned i = 0; i < 2; i++) {
        const struct own_address *own = &network->addresses[i];
        if (!own->is_fixed && (is_set(&own->candidate) || is_set(&own->current)))
            deadline = mono_min(deadline, own->check_at);
    }
    return deadline;
}
