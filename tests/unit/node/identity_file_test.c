// The key file: made with the right mode, read back the same, and every way to be wrong.
#include "node/identity_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "node/net/loop.h"

struct fixture {
    char folder[64];
    char path[128];
    struct identity identity;
    char error[IDENTITY_FILE_ERROR_SIZE];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct env env;
    struct log *log = log_new_silent();
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/shoal-identity-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/" IDENTITY_FILE_NAME, fixture->folder);
    assert_true(net_env_init(&env, log));
    identity_begin(&fixture->identity, &env);
    while (!identity_search(&fixture->identity, IDENTITY_PUZZLE_BITS_TEST, 1000)) {
    }
    log_free(log);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static enum identity_file read_file(struct fixture *fixture, unsigned bits, struct identity *read)
{
    fixture->error[0] = '\0';
    return identity_file_read(fixture->folder, bits, read, fixture->error);
}

static void written_identity_is_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct identity read;
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_MISSING);
    assert_true(identity_file_write(fixture->folder, &fixture->identity, fixture->error));
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_READ);
    assert_memory_equal(&read.id, &fixture->identity.id, sizeof(read.id));
    assert_memory_equal(read.sign_secret, fixture->identity.sign_secret, 64);
    assert_memory_equal(read.transport_secret, fixture->identity.transport_secret, 32);
    assert_memory_equal(read.dht_secret, fixture->identity.dht_secret, 32);
    // Over an older one, too.
    assert_true(identity_file_write(fixture->folder, &fixture->identity, fixture->error));
}

static void file_is_for_its_user_alone(void **state)
{
    struct fixture *fixture = *state;
    struct identity read;
    struct stat status;
    mode_t mask = umask(0);
    assert_true(identity_file_write(fixture->folder, &fixture->identity, fixture->error));
    umask(mask);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    chmod(fixture->path, 0640);
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_FAILED);
    assert_non_null(strstr(fixture->error, "chmod 600"));
    assert_non_null(strstr(fixture->error, fixture->path));
}

static void harder_puzzle_is_not_solved_by_an_easier_one(void **state)
{
    struct fixture *fixture = *state;
    struct identity read;
    assert_true(identity_file_write(fixture->folder, &fixture->identity, fixture->error));
    assert_int_equal(read_file(fixture, 60, &read), IDENTITY_FILE_FAILED);
    assert_non_null(strstr(fixture->error, "test pool"));
}

static void change(const struct fixture *fixture, long offset, const char *byte, size_t size)
{
    FILE *file = fopen(fixture->path, "r+b");
    assert_non_null(file);
    fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
    assert_int_equal(fwrite(byte, 1, size, file), size);
    fclose(file);
}

static void damage_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct identity read;
    assert_true(identity_file_write(fixture->folder, &fixture->identity, fixture->error));
    change(fixture, 50, "\x5a\xa5\x5a\xa5", 4);
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_FAILED);
    assert_non_null(strstr(fixture->error, "checksum"));
    assert_non_null(strstr(fixture->error, "remove it"));
    change(fixture, 0, "x", 1);
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_FAILED);
    assert_non_null(strstr(fixture->error, "no key file"));
}

static void file_of_another_size_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct identity read;
    assert_true(identity_file_write(fixture->folder, &fixture->identity, fixture->error));
    change(fixture, IDENTITY_KEY_FILE_SIZE, "x", 1);
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_FAILED);
    assert_int_equal(truncate(fixture->path, IDENTITY_KEY_FILE_SIZE - 1), 0);
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_FAILED);
    assert_int_equal(truncate(fixture->path, 0), 0);
    assert_int_equal(read_file(fixture, IDENTITY_PUZZLE_BITS_TEST, &read), IDENTITY_FILE_FAILED);
}

static void folder_that_is_not_there_is_said(void **state)
{
    struct fixture *fixture = *state;
    assert_false(identity_file_write("/nowhere/at/all", &fixture->identity, fixture->error));
    assert_non_null(strstr(fixture->error, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_identity_is_read_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_is_for_its_user_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(harder_puzzle_is_not_solved_by_an_easier_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(damage_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_of_another_size_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_that_is_not_there_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
