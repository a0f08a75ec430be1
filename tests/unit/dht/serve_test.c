#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dht/serve.h"

// A chain in which all ids whose second byte is 1 are here: a share of bytes[0] times 4 bytes and a
// body of bytes[0] times 500.
struct library {
    struct network_chain table;
    size_t locator_count;
    size_t count_max;
    bool was_branch;
};

static bool append_object(const struct hash256 *id, size_t unit, struct buffer *out)
{
    for (size_t i = 0; id->bytes[1] == 1 && i < id->bytes[0] * unit; i++)
        write_u8(out, id->bytes[2]);
    return id->bytes[1] == 1;
}

static bool share_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    (void)context;
    return append_object(id, 4, out);
}

static bool body_bytes(void *context, const struct hash256 *id, struct buffer *out)
{
    (void)context;
    return append_object(id, 500, out);
}

static size_t links_after( // NOLINT(readability-function-size)
    void *context, const struct hash256 *locator, size_t locator_count, size_t count_max,
    struct hash256 *from, struct buffer *out)
{
    struct library *library = context;
    library->locator_count = locator_count;
    library->count_max = count_max;
    *from = locator_count > 0 ? locator[locator_count - 1] : (struct hash256){{9}};
    for (size_t i = 0; i < count_max; i++)
        peer_item_write(PEER_LINKS, "skeleton", 8, out);
    return count_max;
}

static size_t headers_after(void *context, const struct hash256 *locator, size_t locator_count,
                            size_t count_max, struct buffer *out)
{
    static const uint8_t header[CHAIN_HEADER_SIZE] = {5};
    struct library *library = context;
    (void)locator;
    library->locator_count = locator_count;
    library->count_max = count_max;
    library->was_branch = false;
    for (size_t i = 0; i < count_max; i++)
        write_bytes(out, header, sizeof header);
    return count_max;
}

static size_t headers_to(void *context, const struct hash256 *wanted, const struct hash256 *locator,
                         size_t locator_count, struct buffer *out)
{
    struct library *library = context;
    assert_int_equal(wanted->bytes[0], 77);
    headers_after(context, locator, locator_count, 100, out);
    library->was_branch = true;
    return 100;
}

static struct library make_library(void)
{
    return (struct library){.table = {.share_bytes = share_bytes,
                                      .body_bytes = body_bytes,
                                      .links_after = links_after,
                                      .headers_after = headers_after,
                                      .headers_to = headers_to}};
}

static struct now at(int64_t ms)
{
    return (struct now){.mono = {ms}, .wall = {ms}};
}

// The decoded answer; its views are into *out.
static struct peer_message ask(struct library *library, const struct peer_message *request,
                               struct serve_bucket *bucket, struct buffer *out)
{
    struct peer_message answer;
    enum peer_message_type type;
    library->table.context = library;
    buffer_init(out, PEER_ANSWER_BYTES_MAX + 1024);
    assert_true(serve_answer(&library->table, request, bucket, &type, out));
    assert_false(out->failed);
    assert_true(peer_message_decode((uint8_t)type, out->data, out->size, &answer));
    assert_int_equal(answer.request, request->request);
    return answer;
}

static size_t count_items(const struct peer_message *message)
{
    struct peer_bytes item;
    size_t count = 0;
    for (size_t offset = 0; peer_item_next(message, &offset, &item);)
        count++;
    return count;
}

static void objects_that_are_here_are_answered_in_order(void **state)
{
    (void)state;
    struct library library = make_library();
    struct serve_bucket bucket;
    struct buffer out;
    struct peer_bytes item;
    size_t offset = 0;
    uint8_t ids[4 * 32] = {0};
    serve_bucket_init(&bucket, at(0));
    for (size_t i = 0; i < 4; i++) {
        ids[32 * i] = (uint8_t)(10 + i);
        ids[32 * i + 1] = i != 1; // the second is not here
        ids[32 * i + 2] = (uint8_t)(100 + i);
    }
    struct peer_message request = {.type = PEER_GET_SHARES, .request = 7, .ids = {ids, sizeof ids}};
    struct peer_message answer = ask(&library, &request, &bucket, &out);
    assert_int_equal(answer.type, PEER_SHARES);
    for (size_t i = 0; i < 4; i++) {
        if (i == 1)
            continue;
        assert_true(peer_item_next(&answer, &offset, &item));
        assert_int_equal(item.size, 4 * (10 + i));
        assert_int_equal(item.data[0], 100 + i);
    }
    assert_false(peer_item_next(&answer, &offset, &item));
    buffer_clear(&out);
    request.type = PEER_GET_BODIES;
    answer = ask(&library, &request, &bucket, &out);
    assert_int_equal(answer.type, PEER_BODIES);
    assert_int_equal(count_items(&answer), 3);
    assert_memory_equal(answer.ids.data, ids, 32);
    assert_memory_equal(answer.ids.data + 32, ids + 64, 64);
    buffer_clear(&out);
}

static void answer_ends_where_the_next_object_does_not_fit(void **state)
{
    (void)state;
    struct library library = make_library();
    struct serve_bucket bucket;
    struct buffer out;
    uint8_t ids[100 * 32];
    memset(ids, 1, sizeof ids);
    for (size_t i = 0; i < 100; i++)
        ids[32 * i] = 250; // 125 000 bytes: 16 of them fit
    serve_bucket_init(&bucket, at(0));
    struct peer_message request = {.type = PEER_GET_BODIES, .ids = {ids, sizeof ids}};
    struct peer_message answer = ask(&library, &request, &bucket, &out);
    assert_int_equal(count_items(&answer), 16);
    assert_int_equal(peer_ids_count(&answer.ids), 16);
    assert_true(out.size <= PEER_ANSWER_BYTES_MAX);
    buffer_clear(&out);
}

static void nothing_here_is_an_empty_answer(void **state)
{
    (void)state;
    struct library library = make_library();
    struct serve_bucket bucket;
    struct buffer out;
    uint8_t ids[PEER_GET_IDS_MAX * 32] = {0};
    serve_bucket_init(&bucket, at(0));
    struct peer_message request = {.type = PEER_GET_SHARES, .ids = {ids, sizeof ids}};
    struct peer_message answer = ask(&library, &request, &bucket, &out);
    assert_int_equal(answer.items.size, 0);
    assert_true(bucket.bytes < SERVE_BURST - PEER_GET_IDS_MAX * 32); // looking costs, too
    buffer_clear(&out);
}

static void links_and_headers_follow_the_locator(void **state)
{
    (void)state;
    struct library library = make_library();
    struct serve_bucket bucket;
    struct buffer out;
    uint8_t locator[3 * 32] = {0};
    locator[64] = 42;
    serve_bucket_init(&bucket, at(0));
    struct peer_message request = {
        .type = PEER_GET_LINKS, .request = 3, .max = 5, .ids = {locator, sizeof locator}};
    struct peer_message answer = ask(&library, &request, &bucket, &out);
    assert_int_equal(answer.type, PEER_LINKS);
    assert_int_equal(answer.from.bytes[0], 42);
    assert_int_equal(library.locator_count, 3);
    assert_int_equal(library.count_max, 5);
    assert_int_equal(count_items(&answer), 5);
    buffer_clear(&out);
    request.type = PEER_GET_HEADERS;
    request.max = 2016;
    answer = ask(&library, &request, &bucket, &out);
    assert_int_equal(answer.type, PEER_HEADERS);
    assert_int_equal(count_items(&answer), 2016);
    assert_false(library.was_branch);
    buffer_clear(&out);
    request.max = 30;
    request.wanted.bytes[0] = 77;
    answer = ask(&library, &request, &bucket, &out);
    assert_true(library.was_branch);
    assert_int_equal(count_items(&answer), 30); // of 100: no more than was asked for
    buffer_clear(&out);
}

static void other_messages_are_not_answered(void **state)
{
    (void)state;
    struct library library = make_library();
    struct serve_bucket bucket;
    struct buffer out;
    enum peer_message_type type;
    serve_bucket_init(&bucket, at(0));
    buffer_init(&out, 1024);
    for (unsigned i = PEER_HELLO; i < PEER_TYPES_END; i++) {
        struct peer_message request = {.type = (enum peer_message_type)i};
        if (peer_message_answer(request.type) != PEER_TYPES_END)
            continue;
        assert_false(serve_answer(&library.table, &request, &bucket, &type, &out));
    }
    assert_int_equal(out.size, 0);
}

static void bucket_runs_dry_and_fills_with_time(void **state)
{
    (void)state;
    struct library library = make_library();
    struct serve_bucket bucket;
    struct mono_time when = {0};
    uint8_t ids[100 * 32];
    memset(ids, 1, sizeof ids);
    for (size_t i = 0; i < 100; i++)
        ids[32 * i] = 250;
    struct peer_message request = {.type = PEER_GET_BODIES, .ids = {ids, sizeof ids}};
    serve_bucket_init(&bucket, at(5000));
    size_t answers = 0;
    size_t bytes = 0;
    for (; serve_is_allowed(&bucket, at(5000), &when); answers++) {
        struct buffer out;
        ask(&library, &request, &bucket, &out);
        bytes += out.size;
        buffer_clear(&out);
        assert_true(answers < 100);
    }
    assert_true(bytes >= SERVE_BURST - PEER_ANSWER_BYTES_MAX);
    assert_true(bytes <= SERVE_BURST + PEER_ANSWER_BYTES_MAX);
    assert_true(when.ms > 5000 && when.ms <= 5000 + 501); // one answer behind, at 4 MiB a second
    assert_false(serve_is_allowed(&bucket, at(when.ms - 2), &when));
    assert_true(serve_is_allowed(&bucket, at(when.ms), &when));
    assert_true(serve_is_allowed(&bucket, at(when.ms + INT64_C(1000000000000)), &when));
    assert_int_equal(bucket.bytes, SERVE_BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_that_are_here_are_answered_in_order),
        cmocka_unit_test(answer_ends_where_the_next_object_does_not_fit),
        cmocka_unit_test(nothing_here_is_an_empty_answer),
        cmocka_unit_test(links_and_headers_follow_the_locator),
        cmocka_unit_test(other_messages_are_not_answered),
        cmocka_unit_test(bucket_runs_dry_and_fills_with_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
