#include "testnet/devchain/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define HEAD_SIZE (15 + HEADER_SIZE)

// A directory of its own for each test, and what was read from it.
struct fixture {
    char directory[64];
    char path[96];
    uint8_t genesis[HEADER_SIZE];
    struct store_report report;
    char error[STORE_ERROR_SIZE];
    uint8_t read[4096];
    size_t read_size;
    size_t blocks;
    size_t refuse_at; // the each-th block is refused, 0: none
};

static bool collect(void *context, const uint8_t *bytes, size_t size)
{
    struct fixture *f = context;
    assert_true(f->read_size + size <= sizeof f->read);
    memcpy(f->read + f->read_size, bytes, size);
    f->read_size += size;
    return ++f->blocks != f->refuse_at;
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.directory = "/tmp/shoal-store-test-XXXXXX", .genesis = {7, 8, 9}};
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/blocks.dat", f->directory);
}

static void tear_down(struct fixture *f)
{
    unlink(f->path);
    rmdir(f->directory);
}

static struct store *open_again(struct fixture *f)
{
    f->read_size = 0;
    f->blocks = 0;
    const struct store_options options = {f->directory, f->genesis, collect, f};
    return store_open(&options, &f->report, f->error);
}

static long file_size(const struct fixture *f)
{
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

static void change_byte(const struct fixture *f, long offset)
{
    FILE *file = fopen(f->path, "r+b");
    assert_non_null(file);
    fseek(file, offset, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, offset, SEEK_SET);
    fputc(byte ^ 0x40, file);
    fclose(file);
}

// "one", "second", "the third".
static void write_three(struct fixture *f)
{
    struct store *store = open_again(f);
    assert_non_null(store);
    assert_true(store_append(store, (const uint8_t *)"one", 3));
    assert_true(store_append(store, (const uint8_t *)"second", 6));
    assert_true(store_append(store, (const uint8_t *)"the third", 9));
    store_close(store);
}

static void blocks_come_back_in_order(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    write_three(&f);
    struct store *store = open_again(&f);
    assert_non_null(store);
    assert_int_equal(f.report.blocks, 3);
    assert_int_equal(f.report.cut_size, 0);
    assert_memory_equal(f.read, "onesecondthe third", 18);
    assert_true(store_append(store, (const uint8_t *)"4", 1));
    store_close(store);
    store_close(open_again(&f));
    assert_int_equal(f.report.blocks, 4);
    tear_down(&f);
}

// kill -9 in the middle of the last write, at every byte of it.
static void torn_end_is_cut_off_at_every_length(void **state)
{
    (void)state;
    const long third = HEAD_SIZE + (8 + 3) + (8 + 6);
    for (long size = third; size < third + 8 + 9; size++) {
        struct fixture f;
        set_up(&f);
        write_three(&f);
        assert_int_equal(truncate(f.path, size), 0);
        struct store *store = open_again(&f);
        assert_non_null(store);
        assert_int_equal(f.report.blocks, 2);
        assert_int_equal(f.report.cut_size, size - third);
        assert_int_equal(file_size(&f), third);
        // What is written then follows the whole blocks.
        assert_true(store_append(store, (const uint8_t *)"again", 5));
        store_close(store);
        store_close(open_again(&f));
        assert_memory_equal(f.read, "onesecondagain", 14);
        assert_int_equal(f.report.cut_size, 0);
        tear_down(&f);
    }
}

static void torn_head_is_written_anew(void **state)
{
    (void)state;
    for (long size = 0; size < HEAD_SIZE; size += 7) {
        struct fixture f;
        set_up(&f);
        store_close(open_again(&f));
        assert_int_equal(truncate(f.path, size), 0);
        struct store *store = open_again(&f);
        assert_non_null(store);
        assert_true(store_append(store, (const uint8_t *)"x", 1));
        store_close(store);
        store_close(open_again(&f));
        assert_int_equal(f.report.blocks, 1);
        tear_down(&f);
    }
}

static void last_record_with_a_wrong_content_is_cut_off(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    write_three(&f);
    change_byte(&f, file_size(&f) - 1);
    struct store *store = open_again(&f);
    assert_non_null(store);
    assert_int_equal(f.report.blocks, 2);
    assert_int_equal(f.report.cut_size, 17);
    store_close(store);
    tear_down(&f);
}

static void damage_before_the_end_is_refused_and_left_alone(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    write_three(&f);
    long size = file_size(&f);
    change_byte(&f, HEAD_SIZE + 8 + 3 + 8 + 1); // in "second"
    assert_null(open_again(&f));
    assert_non_null(strstr(f.error, f.path));
    assert_non_null(strstr(f.error, "damaged at byte 106"));
    assert_int_equal(file_size(&f), size);
    tear_down(&f);
}

static void block_that_the_chain_refuses_is_damage(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    write_three(&f);
    f.refuse_at = 2;
    assert_null(open_again(&f));
    assert_non_null(strstr(f.error, "damaged"));
    tear_down(&f);
}

static void other_files_are_not_touched(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    write_three(&f);
    long size = file_size(&f);
    f.genesis[5] = 1;
    assert_null(open_again(&f));
    assert_non_null(strstr(f.error, "another genesis block"));
    assert_int_equal(file_size(&f), size);
    change_byte(&f, 3);
    assert_null(open_again(&f));
    assert_non_null(strstr(f.error, "not a file of devchain"));
    FILE *file = fopen(f.path, "wb");
    fputs("notes", file);
    fclose(file);
    assert_null(open_again(&f));
    assert_int_equal(file_size(&f), 5);
    tear_down(&f);
}

static void second_daemon_on_the_same_directory_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct store *store = open_again(&f);
    assert_non_null(store);
    assert_null(open_again(&f));
    assert_non_null(strstr(f.error, "another devchain uses it"));
    store_close(store);
    store = open_again(&f);
    assert_non_null(store);
    store_close(store);
    tear_down(&f);
}

static void directory_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const struct store_options options = {"/proc/nowhere", f.genesis, collect, &f};
    struct store *store = store_open(&options, &f.report, f.error);
    assert_null(store);
    assert_non_null(strstr(f.error, "/proc/nowhere"));
    char endless[STORE_PATH_SIZE + 10];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    const struct store_options too_long = {endless, f.genesis, collect, &f};
    assert_null(store_open(&too_long, &f.report, f.error));
    assert_non_null(strstr(f.error, "too long"));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back_in_order),
        cmocka_unit_test(torn_end_is_cut_off_at_every_length),
        cmocka_unit_test(torn_head_is_written_anew),
        cmocka_unit_test(last_record_with_a_wrong_content_is_cut_off),
        cmocka_unit_test(damage_before_the_end_is_refused_and_left_alone),
        cmocka_unit_test(block_that_the_chain_refuses_is_damage),
        cmocka_unit_test(other_files_are_not_touched),
        cmocka_unit_test(second_daemon_on_the_same_directory_is_refused),
        cmocka_unit_test(directory_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
