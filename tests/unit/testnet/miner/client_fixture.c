#include "tests/unit/testnet/miner/client_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void say(void *context, const char *text)
{
    struct client_fixture *f = context;
    snprintf(f->said, sizeof f->said, "%s", text);
}

void client_set_up(struct client_fixture *f)
{
    *f = (struct client_fixture){.now_us = 1000 * SECOND_US};
    f->config = (struct client_config){.pow = POW_SHA256D,
                                       .user = "address.worker",
                                       .password = "x",
                                       .agent = "tester/1",
                                       .version_mask = 0x1fffe000,
                                       .stats = &f->stats,
                                       .say = say,
                                       .context = f};
    f->client = client_new(&f->config, 41);
}

void client_tear_down(struct client_fixture *f)
{
    client_free(f->client);
}

// The pool says a line.
bool pool_says(struct client_fixture *f, const char *line)
{
    char text[2000];
    snprintf(text, sizeof text, "%s\n", line);
    return client_receive(f->client, text, strlen(text), f->now_us);
}

// What the client has sent since last asked; one line or more, without the last newline.
const char *client_sent(struct client_fixture *f, char out[SENT_SIZE])
{
    struct buffer *output = client_output(f->client);
    snprintf(out, SENT_SIZE, "%.*s", (int)output->size, (const char *)output->data);
    if (output->size > 0)
        out[output->size - 1] = '\0';
    buffer_reset(output);
    return out;
}

void assert_sent(struct client_fixture *f, const char *expected)
{
    char text[SENT_SIZE];
    assert_string_equal(client_sent(f, text), expected);
}

void pool_notifies(struct client_fixture *f, const char *id, bool is_clean)
{
    char line[1000];
    snprintf(line, sizeof line,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"%s\","
             "\"4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000\","
             "\"0100000001\",\"072f\",[],\"20000000\",\"1c2ac4af\",\"504e86ed\",%s]}",
             id, is_clean ? "true" : "false");
    assert_true(pool_says(f, line));
}

// Logged in, with a job, nothing left to send.
void client_set_up_mining(struct client_fixture *f)
{
    char text[SENT_SIZE];
    client_set_up(f);
    client_begin(f->client, f->now_us);
    pool_says(f, "{\"id\":1,\"result\":{\"version-rolling\":true,\"version-rolling.mask\":"
                 "\"1fffe000\"},\"error\":null}");
    assert_true(pool_says(f, SUBSCRIBED));
    assert_true(pool_says(f, AUTHORIZED));
    assert_true(
        pool_says(f, "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[0.5]}"));
    pool_notifies(f, "j1", true);
    assert_true(client_has_work(f->client));
    client_sent(f, text);
}
