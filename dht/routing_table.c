#include "dht/routing_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_COUNT 256
#define SAVED_VERSION 1

// "eviction only after our own pings fail (3, at 0.25, 1, 4 s)"
static const int64_t ping_ms[ROUTING_PINGS] = {250, 1000, 4000};

struct node_list {
    struct routing_node *nodes;
    size_t count;
    size_t capacity;
};

struct bucket {
    struct node_list nodes;
    struct node_list replacements;
    struct mono_time looked_up;
};

struct routing_table {
    struct routing_config config;
    struct bucket buckets[BUCKETS_COUNT];
    size_t count;
    unsigned depth;              // no bucket from here on ever held a node
    struct mono_time answered;   // anybody's last answer
    struct mono_time next_check; // no suspect is due before
};

struct routing_table *routing_table_new(const struct routing_config *config)
{
    struct routing_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->config = *config;
    table->answered.ms = INT64_MIN;
    table->next_check = MONO_NEVER;
    for (unsigned i = 0; i < BUCKETS_COUNT; i++)
        table->buckets[i].looked_up.ms = INT64_MIN;
    return table;
}

void routing_table_free(struct routing_table *table)
{
    if (table == NULL)
        return;
    for (unsigned i = 0; i < BUCKETS_COUNT; i++) {
        free(table->buckets[i].nodes.nodes);
        free(table->buckets[i].replacements.nodes);
    }
    free(table);
}

size_t routing_bucket_places(unsigned bucket)
{
    if (bucket == 0)
        return ROUTING_BUCKET_0_MAX;
    return bucket == 1 ? ROUTING_BUCKET_1_MAX : ROUTING_BUCKET_MAX;
}

// Leading bits in common; BUCKETS_COUNT for our own id.
static unsigned bucket_of(const struct routing_table *table, const struct hash256 *id)
{
    for (unsigned i = 0; i < sizeof id->bytes; i++) {
        unsigned difference = id->bytes[i] ^ table->config.own.hash.bytes[i];
        if (difference != 0)
            return 8 * i + (unsigned)__builtin_clz(difference) - 24;
    }
    return BUCKETS_COUNT;
}

static bool list_add(struct node_list *list, const struct routing_node *node)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : 2 * list->capacity;
        struct routing_node *nodes = realloc(list->nodes, capacity * sizeof *nodes);
        if (nodes == NULL)
            return false;
        list->nodes = nodes;
        list->capacity = capacity;
    }
    list->nodes[list->count++] = *node;
    return true;
}

// Keeps the order: saved tables begin with those that are there for longest.
static void list_remove(struct node_list *list, size_t i)
{
    list->count--;
    memmove(&list->nodes[i], &list->nodes[i + 1], (list->count - i) * sizeof list->nodes[0]);
}

static struct routing_node *list_find(const struct node_list *list, const struct node_id *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (hash_equal(&list->nodes[i].contact.id.hash, &id->hash))
            return &list->nodes[i];
    }
    return NULL;
}

static bool is_suspect(const struct routing_node *node)
{
    return node->next_check.ms != MONO_NEVER.ms;
}

// Neighbours of a node, itself aside.
struct crowd {
    struct address_group near_group;
    struct address_group wide_group;
    size_t near;
    size_t wide;
};

static void count_crowd(const struct node_list *list, const struct node_id *id, struct crowd *crowd)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct routing_node *other = &list->nodes[i];
        if (other->wide.value != crowd->wide_group.value ||
            hash_equal(&other->contact.id.hash, &id->hash))
            continue;
        crowd->wide++;
        crowd->near += other->near.value == crowd->near_group.value;
    }
}

// "per bucket 2 per /24 and 4 per /16 (IPv6 /48, /32), per table 10 per /24"
static bool is_crowded(const struct routing_table *table, const struct bucket *bucket,
                       const struct contact *contact)
{
    const struct address *address = &contact->endpoint.address;
    struct crowd crowd = {address_group_near(address), address_group_wide(address), 0, 0};
    if (table->config.is_crowded)
        return false;
    count_crowd(&bucket->nodes, &contact->id, &crowd);
    if (crowd.near >= ROUTING_BUCKET_NEAR_MAX || crowd.wide >= ROUTING_BUCKET_WIDE_MAX)
        return true;
    crowd.near = 0;
    for (unsigned i = 0; i < table->depth; i++)
        count_crowd(&table->buckets[i].nodes, &contact->id, &crowd);
    return crowd.near >= ROUTING_TABLE_NEAR_MAX;
}

static size_t count_inbound(const struct node_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->nodes[i].is_inbound;
    return count;
}

// Whether a node that is not in the bucket may enter it; ROUTING_REPLACEMENT: when a place is free.
static enum routing_result judge(const struct routing_table *table, unsigned i,
                                 const struct contact *contact, bool is_inbound)
{
    const struct bucket *bucket = &table->buckets[i];
    if (is_crowded(table, bucket, contact))
        return ROUTING_NEIGHBOURS;
    // "at most half of a bucket comes from inbound contacts"
    if (is_inbound && count_inbound(&bucket->nodes) >= routing_bucket_places(i) / 2)
        return ROUTING_INBOUND_ENOUGH;
    return bucket->nodes.count < routing_bucket_places(i) ? ROUTING_ADDED : ROUTING_REPLACEMENT;
}

// It answered: what we know of it is true again.
static void renew(struct routing_node *node, const struct routing_answer *answer,
                  struct mono_time now)
{
    node->contact = answer->contact;
    node->near = address_group_near(&answer->contact.endpoint.address);
    node->wide = address_group_wide(&answer->contact.endpoint.address);
    node->answered = now;
    node->token = answer->token;
    node->next_check = MONO_NEVER;
    node->pings_sent = 0;
    rtt_add(&node->rtt, answer->round_trip_ms);
}

// The quick stay: a full list gives up its slowest for a faster one.
static enum routing_result keep_replacement(struct bucket *bucket, const struct routing_node *node)
{
    struct node_list *list = &bucket->replacements;
    size_t slowest = 0;
    if (list->count < ROUTING_REPLACEMENTS_MAX)
        return list_add(list, node) ? ROUTING_REPLACEMENT : ROUTING_NO_PLACE;
    for (size_t i = 1; i < list->count; i++) {
        if (rtt_ms(&list->nodes[i].rtt) > rtt_ms(&list->nodes[slowest].rtt))
            slowest = i;
    }
    if (rtt_ms(&node->rtt) >= rtt_ms(&list->nodes[slowest].rtt))
        return ROUTING_NO_PLACE;
    list_remove(list, slowest);
    return list_add(list, node) ? ROUTING_REPLACEMENT : ROUTING_NO_PLACE;
}

static enum routing_result add(struct routing_table *table, unsigned i,
                               const struct routing_node *node)
{
    struct bucket *bucket = &table->buckets[i];
    enum routing_result result = judge(table, i, &node->contact, node->is_inbound);
    if (result == ROUTING_REPLACEMENT)
        return keep_replacement(bucket, node);
    if (result != ROUTING_ADDED)
        return result;
    if (!list_add(&bucket->nodes, node))
        return ROUTING_NO_PLACE;
    table->count++;
    if (table->depth <= i)
        table->depth = i + 1;
    return ROUTING_ADDED;
}

enum routing_result routing_table_answered(struct routing_table *table,
                                           const struct routing_answer *answer,
                                           struct mono_time now)
{
    unsigned i = bucket_of(table, &answer->contact.id.hash);
    if (i == BUCKETS_COUNT)
        return ROUTING_SELF;
    struct bucket *bucket = &table->buckets[i];
    struct routing_node *known = list_find(&bucket->nodes, &answer->contact.id);
    table->answered = now;
    if (known != NULL) {
        // A node that moved stays where it was if its new neighbourhood is crowded.
        bool has_moved = !endpoint_equal(&known->contact.endpoint, &answer->contact.endpoint);
        if (has_moved && is_crowded(table, bucket, &answer->contact))
            return ROUTING_NEIGHBOURS;
        renew(known, answer, now);
        return ROUTING_KNOWN;
    }
    struct routing_node node = {.is_inbound = answer->is_inbound};
    struct routing_node *waiting = list_find(&bucket->replacements, &answer->contact.id);
    if (waiting != NULL) {
        node = *waiting;
        list_remove(&bucket->replacements, (size_t)(waiting - bucket->replacements.nodes));
    }
    renew(&node, answer, now);
    return add(table, i, &node);
}

bool routing_table_wants(const struct routing_table *table, const struct contact *contact,
                         bool is_inbound)
{
    unsigned i = bucket_of(table, &contact->id.hash);
    if (i == BUCKETS_COUNT || list_find(&table->buckets[i].nodes, &contact->id) != NULL)
        return false;
    if (table->buckets[i].nodes.count >= routing_bucket_places(i))
        return false;
    return judge(table, i, contact, is_inbound) == ROUTING_ADDED;
}

void routing_table_lost(struct routing_table *table, const struct node_id *id, struct mono_time now)
{
    unsigned i = bucket_of(table, &id->hash);
    struct routing_node *node = i == BUCKETS_COUNT ? NULL : list_find(&table->buckets[i].nodes, id);
    if (node == NULL || is_suspect(node))
        return;
    node->pings_sent = 0;
    node->suspect_since = now;
    node->next_check.ms = now.ms + ping_ms[0];
    table->next_check = mono_min(table->next_check, node->next_check);
}

// The time of the next ping, or of the verdict after the last.
static void plan_check(struct routing_node *node, struct mono_time now)
{
    if (node->pings_sent < ROUTING_PINGS)
        node->next_check.ms = node->suspect_since.ms + ping_ms[node->pings_sent];
    else
        node->next_check.ms = now.ms + RTT_GIVE_UP_MS;
    // A turn of the loop that came late must not send pings in a burst.
    if (node->next_check.ms < now.ms + ping_ms[0])
        node->next_check.ms = now.ms + ping_ms[0];
}

bool routing_table_next_ping(struct routing_table *table, struct mono_time now,
                             struct contact *contact)
{
    if (now.ms < table->next_check.ms)
        return false;
    for (unsigned i = 0; i < table->depth; i++) {
        struct node_list *list = &table->buckets[i].nodes;
        for (size_t k = 0; k < list->count; k++) {
            struct routing_node *node = &list->nodes[k];
            if (node->next_check.ms > now.ms || node->pings_sent >= ROUTING_PINGS)
                continue;
            node->pings_sent++;
            plan_check(node, now);
            *contact = node->contact;
            return true;
        }
    }
    return false;
}

// The replacement that answered last and may enter now.
static void promote(struct routing_table *table, unsigned i)
{
    struct node_list *list = &table->buckets[i].replacements;
    size_t best = list->count;
    for (size_t k = 0; k < list->count; k++) {
        const struct routing_node *node = &list->nodes[k];
        bool is_later = best == list->count || node->answered.ms > list->nodes[best].answered.ms;
        if (is_later && judge(table, i, &node->contact, node->is_inbound) == ROUTING_ADDED)
            best = k;
    }
    if (best == list->count)
        return;
    struct routing_node node = list->nodes[best];
    list_remove(list, best);
    add(table, i, &node);
}

static void judge_suspect(struct routing_table *table, unsigned i, size_t k, struct mono_time now)
{
    struct node_list *list = &table->buckets[i].nodes;
    struct routing_node *node = &list->nodes[k];
    if (table->answered.ms < node->suspect_since.ms) {
        node->pings_sent = ROUTING_PINGS - 1;
        node->next_check.ms = now.ms + ping_ms[ROUTING_PINGS - 1];
        return;
    }
    list_remove(list, k);
    table->count--;
    promote(table, i);
}

void routing_table_tick(struct routing_table *table, struct mono_time now)
{
    if (now.ms < table->next_check.ms)
        return;
    table->next_check = MONO_NEVER;
    for (unsigned i = 0; i < table->depth; i++) {
        struct node_list *list = &table->buckets[i].nodes;
        for (size_t k = list->count; k-- > 0;) {
            const struct routing_node *node = &list->nodes[k];
            if (node->pings_sent >= ROUTING_PINGS && node->next_check.ms <= now.ms)
                judge_suspect(table, i, k, now);
        }
        for (size_t k = 0; k < list->count; k++)
            table->next_check = mono_min(table->next_check, list->nodes[k].next_check);
    }
}

struct mono_time routing_table_next_deadline(const struct routing_table *table)
{
    return table->next_check;
}

const struct routing_node *routing_table_find(const struct routing_table *table,
                                              const struct node_id *id)
{
    unsigned i = bucket_of(table, &id->hash);
    return i == BUCKETS_COUNT ? NULL : list_find(&table->buckets[i].nodes, id);
}

const struct routing_node *routing_table_find_hint(const struct routing_table *table,
                                                   const struct hint *hint)
{
    struct hash256 start = {{0}};
    for (unsigned i = 0; i < 8; i++)
        start.bytes[i] = (uint8_t)(hint->id_start.value >> (56 - 8 * i));
    unsigned bucket = bucket_of(table, &start);
    if (bucket == BUCKETS_COUNT)
        return NULL;
    const struct node_list *list = &table->buckets[bucket].nodes;
    for (size_t i = 0; i < list->count; i++) {
        const struct contact *contact = &list->nodes[i].contact;
        if (dht_key_equal(&contact->key, &hint->key) &&
            id_start_of(&contact->id.hash).value == hint->id_start.value)
            return &list->nodes[i];
    }
    return NULL;
}

// The nearest found so far; distances beside the nodes, so that sorting touches only numbers.
struct nearest {
    struct id_start key;
    size_t count;
    size_t count_max;
    uint64_t distances[ROUTING_BUCKET_0_MAX];
    const struct routing_node *nodes[ROUTING_BUCKET_0_MAX];
};

static void nearest_add(struct nearest *nearest, const struct routing_node *node)
{
    uint64_t distance = id_distance(id_start_of(&node->contact.id.hash), nearest->key);
    size_t at = nearest->count;
    if (at == nearest->count_max && distance >= nearest->distances[at - 1])
        return;
    at -= at == nearest->count_max;
    for (; at > 0 && nearest->distances[at - 1] > distance; at--) {
        nearest->distances[at] = nearest->distances[at - 1];
        nearest->nodes[at] = nearest->nodes[at - 1];
    }
    nearest->distances[at] = distance;
    nearest->nodes[at] = node;
    nearest->count += nearest->count < nearest->count_max;
}

static void nearest_add_bucket(struct nearest *nearest, const struct bucket *bucket)
{
    for (size_t i = 0; i < bucket->nodes.count; i++) {
        if (!is_suspect(&bucket->nodes.nodes[i]))
            nearest_add(nearest, &bucket->nodes.nodes[i]);
    }
}

size_t routing_table_closest(const struct routing_table *table, const struct hash256 *key,
                             struct contact *out, size_t count_max)
{
    struct nearest nearest = {.key = id_start_of(key), .count_max = count_max};
    unsigned home = bucket_of(table, key);
    assert(count_max > 0 && count_max <= ROUTING_BUCKET_0_MAX);
    // A node of the key's own bucket agrees with the key where we do not: it is nearer than all
    // deeper ones, and these are nearer than those of lower buckets, the lower the further.
    if (home < table->depth)
        nearest_add_bucket(&nearest, &table->buckets[home]);
    if (nearest.count < count_max) {
        for (unsigned i = home + 1; i < table->depth; i++)
            nearest_add_bucket(&nearest, &table->buckets[i]);
    }
    for (unsigned i = home; i > 0 && nearest.count < count_max; i--)
        nearest_add_bucket(&nearest, &table->buckets[i - 1]);
    for (size_t i = 0; i < nearest.count; i++)
        out[i] = nearest.nodes[i]->contact;
    return nearest.count;
}

const struct routing_node *routing_table_next(const struct routing_table *table, size_t *cursor)
{
    size_t left = *cursor;
    for (unsigned i = 0; i < table->depth; i++) {
        const struct node_list *list = &table->buckets[i].nodes;
        if (left < list->count) {
            (*cursor)++;
            return &list->nodes[left];
        }
        left -= list->count;
    }
    return NULL;
}

const struct routing_node *routing_table_oldest(const struct routing_table *table)
{
    const struct routing_node *oldest = NULL;
    for (unsigned i = 0; i < table->depth; i++) {
        const struct node_list *list = &table->buckets[i].nodes;
        for (size_t k = 0; k < list->count; k++) {
            const struct routing_node *node = &list->nodes[k];
            if (!is_suspect(node) && (oldest == NULL || node->answered.ms < oldest->answered.ms))
                oldest = node;
        }
    }
    return oldest;
}

void routing_table_random_id(const struct routing_table *table, const struct env *env,
                             unsigned bucket, struct hash256 *out)
{
    const struct hash256 *own = &table->config.own.hash;
    assert(bucket < BUCKETS_COUNT);
    unsigned whole = bucket / 8;
    unsigned bit = 0x80u >> (bucket % 8);
    unsigned below = bit - 1;
    env_random_bytes(env, out->bytes, sizeof out->bytes);
    memcpy(out->bytes, own->bytes, whole);
    unsigned mixed = (own->bytes[whole] & ~below) | (out->bytes[whole] & below);
    out->bytes[whole] = (uint8_t)(mixed ^ bit);
}

bool routing_table_refresh(struct routing_table *table, const struct env *env, int64_t age_ms,
                           struct mono_time now, struct hash256 *target)
{
    unsigned oldest = table->depth;
    for (unsigned i = 0; i < table->depth; i++) {
        bool is_due = table->buckets[i].looked_up.ms <= now.ms - age_ms;
        bool is_older = oldest == table->depth ||
                        table->buckets[i].looked_up.ms < table->buckets[oldest].looked_up.ms;
        if (is_due && is_older)
            oldest = i;
    }
    if (oldest == table->depth)
        return false;
    table->buckets[oldest].looked_up = now;
    routing_table_random_id(table, env, oldest, target);
    return true;
}

void routing_table_looked_up(struct routing_table *table, unsigned bucket, struct mono_time now)
{
    assert(bucket < BUCKETS_COUNT);
    table->buckets[bucket].looked_up = now;
}

size_t routing_table_count(const struct routing_table *table)
{
    return table->count;
}

size_t routing_table_bucket_count(const struct routing_table *table, unsigned bucket)
{
    assert(bucket < BUCKETS_COUNT);
    return table->buckets[bucket].nodes.count;
}

static void encode_contact(const struct contact *contact, struct buffer *out)
{
    bool is_ipv4 = contact->endpoint.address.family == ADDRESS_IPV4;
    write_bytes(out, contact->id.hash.bytes, sizeof contact->id.hash.bytes);
    write_bytes(out, contact->key.bytes, sizeof contact->key.bytes);
    write_u8(out, is_ipv4 ? 4 : 6);
    write_bytes(out, contact->endpoint.address.bytes, is_ipv4 ? 4 : 16);
    write_u16(out, contact->endpoint.port);
}

// The k-th of every bucket; the count of those that were written.
static size_t encode_round(const struct routing_table *table, size_t k, size_t count_max,
                           struct buffer *out)
{
    size_t count = 0;
    for (unsigned i = 0; i < table->depth && count < count_max; i++) {
        const struct node_list *list = &table->buckets[i].nodes;
        if (k >= list->count || is_suspect(&list->nodes[k]))
            continue;
        encode_contact(&list->nodes[k].contact, out);
        count++;
    }
    return count;
}

void routing_table_encode(const struct routing_table *table, struct buffer *out)
{
    uint8_t bytes[ROUTING_SAVED_SIZE_MAX];
    struct buffer nodes;
    size_t count = 0;
    buffer_init_fixed(&nodes, bytes, sizeof bytes);
    for (size_t k = 0; k < ROUTING_BUCKET_0_MAX; k++)
        count += encode_round(table, k, ROUTING_SAVED_MAX - count, &nodes);
    assert(!nodes.failed);
    write_u8(out, SAVED_VERSION);
    write_u16(out, (uint16_t)count);
    write_bytes(out, nodes.data, nodes.size);
}

static bool decode_contact(struct reader *reader, struct contact *contact)
{
    uint8_t bytes[16] = {0};
    read_bytes(reader, contact->id.hash.bytes, sizeof contact->id.hash.bytes);
    read_bytes(reader, contact->key.bytes, sizeof contact->key.bytes);
    uint8_t family = read_u8(reader);
    if (family != 4 && family != 6)
        return false;
    read_bytes(reader, bytes, family == 4 ? 4 : 16);
    contact->endpoint.address = family == 4 ? address_ipv4(bytes) : address_ipv6(bytes);
    contact->endpoint.port = read_u16(reader);
    return !reader->failed && contact->endpoint.port != 0;
}

bool routing_contacts_decode(const void *data, size_t size, struct contact *out, size_t count_max,
                             size_t *count)
{
    struct reader reader = reader_init(data, size);
    struct contact contact;
    uint8_t version = read_u8(&reader);
    size_t announced = read_u16(&reader);
    *count = 0;
    if (version != SAVED_VERSION || announced > ROUTING_SAVED_MAX)
        return false;
    for (size_t i = 0; i < announced; i++) {
        if (!decode_contact(&reader, &contact))
            return false;
        if (*count < count_max)
            out[(*count)++] = contact;
    }
    return reader_is_done(&reader);
}
