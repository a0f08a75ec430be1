// Fuzzer of accounts.json. Any bytes: refused with a sentence that names the file, or taken; what
// is taken is written again, and read from there as the same.
#include <stdlib.h>
#include <string.h>
#include "node/api/access_state.h"

#define TEXT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct access_book *decode(const struct buffer *text)
{
    char error[API_PROBLEM_SIZE] = "";
    struct access_book *book = calloc(1, sizeof(*book));
    require(book != NULL);
    if (access_book_decode("/a/file", text, book, error))
        return book;
    require(strstr(error, "/a/file") != NULL);
    access_book_free(book);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer text, again, third;
    buffer_init(&text, TEXT_MAX);
    buffer_init(&again, TEXT_MAX);
    buffer_init(&third, TEXT_MAX);
    write_bytes(&text, data, size);
    struct access_book *book = decode(&text);
    if (book != NULL) {
        access_book_encode(book, &again);
        struct access_book *same = decode(&again);
        require(same != NULL);
        access_book_encode(same, &third);
        require(again.size == third.size && memcmp(again.data, third.data, third.size) == 0);
        access_book_free(same);
    }
    access_book_free(book);
    buffer_clear(&text);
    buffer_clear(&again);
    buffer_clear(&third);
    return 0;
}
