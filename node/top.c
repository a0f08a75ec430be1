#include "node/top.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "node/show_parts.h"
#include "node/text.h"
#include "node/units.h"

#define ROWS_MAX     400
#define COLUMNS_MAX  500
#define FRAME_MAX    (8u << 20)
#define DOCUMENT_MAX (32u << 20)
#define TOKENS_MAX   4000000
#define RATES_MAX    120 // samples of the hashrate, one a second
#define PROBLEM_MAX  512
#define WANTS_MAX    2
#define UNSORTED     SIZE_MAX

enum document { STATUS, MINERS, PEERS, BLOCKS, PAYOUTS };
#define DOCUMENTS_COUNT 5

static const char *const document_names[DOCUMENTS_COUNT] = {
    [STATUS] = "status", [MINERS] = "miners",   [PEERS] = "peers",
    [BLOCKS] = "blocks", [PAYOUTS] = "payouts",
};

enum view { VIEW_OVERVIEW, VIEW_MINERS, VIEW_PEERS, VIEW_BLOCKS, VIEW_PAYOUTS, VIEW_KEYS };
#define VIEWS_COUNT 6

struct view_row {
    const char *name;
    char key; // and its number
    enum document documents[WANTS_MAX];
    size_t documents_count;
    size_t sort; // by which column at first; UNSORTED: as they come
};

static const struct view_row views[VIEWS_COUNT] = {
    [VIEW_OVERVIEW] = {"Overview", 'o', {STATUS, MINERS}, 2, 5},
    [VIEW_MINERS] = {"Miners", 'm', {STATUS, MINERS}, 2, 5},
    [VIEW_PEERS] = {"Peers", 'p', {STATUS, PEERS}, 2, 6},
    [VIEW_BLOCKS] = {"Blocks", 'b', {STATUS, BLOCKS}, 2, UNSORTED},
    [VIEW_PAYOUTS] = {"Payouts", 'y', {STATUS, PAYOUTS}, 2, 1},
    [VIEW_KEYS] = {"Keys", 'h', {STATUS}, 1, UNSORTED},
};

struct top {
    bool has_colours;
    size_t columns, rows;
    enum view view;
    size_t sorts[VIEWS_COUNT];
    bool is_reversed[VIEWS_COUNT];
    size_t scroll;      // rows of the list that are above the screen
    size_t scroll_most; // as far as that goes, of the last drawing
    struct buffer texts[DOCUMENTS_COUNT];
    struct json *documents[DOCUMENTS_COUNT]; // NULL: none yet
    char problem[PROBLEM_MAX];               // "" if all is well
    double rates[RATES_MAX];                 // oldest first
    size_t rates_count;
    struct buffer frames[2]; // lines, each ended by a zero
    unsigned current;        // which of them is drawn next; the other is on the screen
    bool is_blank;           // nothing of what is on the screen counts
};

struct top *top_new(bool has_colours)
{
    struct top *top = calloc(1, sizeof(*top));
    if (top == NULL)
        return NULL;
    top->has_colours = has_colours;
    for (size_t i = 0; i < VIEWS_COUNT; i++)
        top->sorts[i] = views[i].sort;
    for (size_t i = 0; i < DOCUMENTS_COUNT; i++)
        buffer_init(&top->texts[i], DOCUMENT_MAX);
    for (size_t i = 0; i < 2; i++)
        buffer_init(&top->frames[i], FRAME_MAX);
    top_resize(top, 80, 24);
    return top;
}

void top_free(struct top *top)
{
    if (top == NULL)
        return;
    for (size_t i = 0; i < DOCUMENTS_COUNT; i++) {
        json_free(top->documents[i]);
        buffer_clear(&top->texts[i]);
    }
    for (size_t i = 0; i < 2; i++)
        buffer_clear(&top->frames[i]);
    free(top);
}

void top_resize(struct top *top, size_t columns, size_t rows)
{
    top->columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    top->rows = rows < ROWS_MAX ? rows : ROWS_MAX;
    top->is_blank = true;
}

// ---- Documents

const char *top_wants(const struct top *top, size_t i)
{
    const struct view_row *view = &views[top->view];
    return i < view->documents_count ? document_names[view->documents[i]] : NULL;
}

static struct json_value root_of(const struct top *top, enum document document)
{
    struct json_value none = {0};
    return top->documents[document] == NULL ? none : json_root(top->documents[document]);
}

static void remember_rate(struct top *top)
{
    struct json_value stratum = json_get(root_of(top, STATUS), "stratum");
    if (top->rates_count == RATES_MAX) {
        memmove(top->rates, top->rates + 1, (RATES_MAX - 1) * sizeof(*top->rates));
        top->rates_count--;
    }
    top->rates[top->rates_count] = show_get_double(stratum, "hashrate_1m");
    top->rates_count++;
}

void top_set_document(struct top *top, const char *name, const void *text, size_t size)
{
    size_t i = 0;
    while (i < DOCUMENTS_COUNT && strcmp(document_names[i], name) != 0)
        i++;
    if (i == DOCUMENTS_COUNT)
        return;
    json_free(top->documents[i]);
    buffer_reset(&top->texts[i]);
    write_bytes(&top->texts[i], text, size);
    top->documents[i] = top->texts[i].failed ? NULL
                                             : json_parse((const char *)top->texts[i].data,
                                                          top->texts[i].size, TOKENS_MAX);
    top->problem[0] = '\0';
    if (i == STATUS)
        remember_rate(top);
}

void top_set_problem(struct top *top, const char *problem)
{
    snprintf(top->problem, sizeof(top->problem), "%s", problem);
}

// ---- Keys

static enum top_action go_to(struct top *top, enum view view)
{
    top->view = view;
    top->scroll = 0;
    return TOP_ASK;
}

static enum top_action scroll_by(struct top *top, long rows)
{
    long to = (long)top->scroll + rows;
    top->scroll = to < 0 ? 0 : (size_t)to < top->scroll_most ? (size_t)to : top->scroll_most;
    return TOP_DRAW;
}

static struct text_table *make_table(const struct top *top)
{
    switch (top->view) {
    case VIEW_OVERVIEW:
    case VIEW_MINERS:
        return show_miners_table(root_of(top, MINERS));
    case VIEW_PEERS:
        return show_peers_table(root_of(top, PEERS));
    case VIEW_BLOCKS:
        return show_blocks_table(root_of(top, BLOCKS));
    case VIEW_PAYOUTS:
        return show_outputs_table(json_get(root_of(top, PAYOUTS), "next_block"));
    case VIEW_KEYS:
        return NULL;
    }
    abort();
}

static enum top_action sort_by_next(struct top *top, bool is_forward)
{
    struct text_table *table = make_table(top);
    size_t count = table == NULL ? 0 : text_table_columns(table);
    size_t *sort = &top->sorts[top->view];
    text_table_free(table);
    if (count == 0)
        return TOP_NOTHING;
    if (*sort == UNSORTED)
        *sort = is_forward ? 0 : count - 1;
    else
        *sort = (*sort + (is_forward ? 1 : count - 1)) % count;
    return TOP_DRAW;
}

static enum top_action type_letter(struct top *top, uint8_t key)
{
    for (size_t i = 0; i < VIEWS_COUNT; i++) {
        if (key == (uint8_t)views[i].key || key == '1' + i)
            return go_to(top, (enum view)i);
    }
    switch (key) {
    case 'q':
    case 'Q':
    case 3: // Ctrl-C
        return TOP_QUIT;
    case 26: // Ctrl-Z
        return TOP_SUSPEND;
    case 12: // Ctrl-L
        top->is_blank = true;
        return TOP_DRAW;
    case '?':
        return go_to(top, VIEW_KEYS);
    case '\t':
        return go_to(top, (enum view)((top->view + 1u) % VIEWS_COUNT));
    case '>':
    case '.':
        return sort_by_next(top, true);
    case '<':
    case ',':
        return sort_by_next(top, false);
    case 'r':
        top->is_reversed[top->view] = !top->is_reversed[top->view];
        return TOP_DRAW;
    case 'j':
        return scroll_by(top, 1);
    case 'k':
        return scroll_by(top, -1);
    case ' ':
        return scroll_by(top, (long)top->rows / 2);
    default:
        return TOP_NOTHING;
    }
}

// What stands behind the escape character and its bracket.
static enum top_action type_sequence(struct top *top, const uint8_t *keys, size_t size)
{
    long page = (long)top->rows / 2;
    uint8_t last = keys[size - 1];
    if (last == '~')
        last = keys[0];
    switch (last) {
    case 'A':
        return scroll_by(top, -1);
    case 'B':
        return scroll_by(top, 1);
    case '5':
        return scroll_by(top, -page);
    case '6':
        return scroll_by(top, page);
    case 'H':
    case '1':
        return scroll_by(top, -(long)top->scroll);
    case 'F':
    case '4':
        return scroll_by(top, (long)top->scroll_most);
    case 'C':
        return go_to(top, (enum view)((top->view + 1u) % VIEWS_COUNT));
    case 'D':
        return go_to(top, (enum view)((top->view + VIEWS_COUNT - 1u) % VIEWS_COUNT));
    default:
        return TOP_NOTHING;
    }
}

// Bytes of a sequence behind "ESC [" or "ESC O": up to a letter or ~.
static size_t sequence_size(const uint8_t *keys, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (keys[i] >= 0x40 && keys[i] <= 0x7e)
            return i + 1;
    }
    return size;
}

enum top_action top_type(struct top *top, const uint8_t *keys, size_t size)
{
    enum top_action action = TOP_NOTHING;
    for (size_t i = 0; i < size && action != TOP_QUIT;) {
        enum top_action next = TOP_NOTHING;
        bool is_sequence =
            keys[i] == 0x1b && i + 2 < size && (keys[i + 1] == '[' || keys[i + 1] == 'O');
        if (is_sequence) {
            size_t taken = sequence_size(keys + i + 2, size - i - 2);
            next = type_sequence(top, keys + i + 2, taken);
            i += 2 + taken;
        } else {
            next = type_letter(top, keys[i]);
            i++;
        }
        action = next > action ? next : action;
    }
    return action;
}

// ---- Drawing: a frame is its lines

struct drawing {
    struct top *top;
    struct buffer *frame;
    size_t rows_left; // of the screen, but for the last line
};

static void add_text(struct drawing *drawing, const char *text, size_t size)
{
    if (drawing->rows_left == 0)
        return;
    write_bytes(drawing->frame, text, size);
    write_u8(drawing->frame, '\0');
    drawing->rows_left--;
}

// A line over the whole width: `style` is what SGR takes.
static void add_bar(struct drawing *drawing, const char *style, const char *text)
{
    struct buffer line, safe;
    buffer_init(&safe, 16384);
    buffer_init(&line, 16384);
    text_write_safe(&safe, text);
    write_u8(&safe, '\0');
    write_format(&line, "\x1b[%sm", style);
    if (!safe.failed)
        text_write_column(&line, (const char *)safe.data, drawing->top->columns);
    write_text(&line, "\x1b[m");
    if (!line.failed)
        add_text(drawing, (const char *)line.data, line.size);
    buffer_clear(&safe);
    buffer_clear(&line);
}

// The lines of a text from line `first` on.
static void add_lines(struct drawing *drawing, const struct buffer *text, size_t first)
{
    const char *at = (const char *)text->data, *end = at + text->size;
    for (size_t i = 0; !text->failed && at < end; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t size = newline == NULL ? (size_t)(end - at) : (size_t)(newline - at);
        if (i >= first)
            add_text(drawing, at, size);
        at += size + 1;
    }
}

static void add_title(struct drawing *drawing)
{
    const struct top *top = drawing->top;
    struct json_value status = root_of(top, STATUS), pool = json_get(status, "pool");
    int64_t now = show_get_number(status, "now");
    char title[768] = " shoal top", tabs[256] = "";
    if (json_is_object(status))
        snprintf(title, sizeof(title), " %s on %s   %02d:%02d:%02d UTC%s",
                 show_get_text(pool, "name").value, show_get_text(pool, "chain").value,
                 (int)(now / 3600 % 24), (int)(now / 60 % 60), (int)(now % 60),
                 top->problem[0] == '\0' ? "" : " (old)");
    add_bar(drawing, "7", title);
    for (size_t i = 0; i < VIEWS_COUNT; i++) {
        size_t used = strlen(tabs);
        bool is_here = i == top->view;
        snprintf(tabs + used, sizeof(tabs) - used, "%s%zu %s%s ", is_here ? "[" : " ", i + 1,
                 views[i].name, is_here ? "]" : " ");
    }
    add_bar(drawing, "1", tabs);
}

// How the hashrate went, in eighths of a line's height.
static void add_rates(struct drawing *drawing)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct top *top = drawing->top;
    struct buffer line;
    char rate[UNITS_TEXT_SIZE];
    double most = 0;
    size_t room = top->columns > 40 ? top->columns - 40 : 0;
    size_t first = top->rates_count > room ? top->rates_count - room : 0;
    for (size_t i = first; i < top->rates_count; i++)
        most = top->rates[i] > most ? top->rates[i] : most;
    if (most <= 0)
        return;
    buffer_init(&line, 4096);
    write_text(&line, "hashrate     ");
    for (size_t i = first; i < top->rates_count; i++) {
        int height = top->rates[i] <= 0 ? 0 : (int)(7 * top->rates[i] / most);
        write_text(&line, bars[height]);
    }
    units_hashrate(top->rates[top->rates_count - 1], rate);
    write_format(&line, " %s", rate);
    if (!line.failed)
        add_text(drawing, (const char *)line.data, line.size);
    buffer_clear(&line);
}

static void add_overview(struct drawing *drawing)
{
    struct buffer text;
    struct show_out out = {&text, drawing->top->columns, drawing->top->has_colours};
    buffer_init(&text, FRAME_MAX);
    add_rates(drawing);
    if (json_is_object(root_of(drawing->top, STATUS)))
        show_document("status", root_of(drawing->top, STATUS), &out);
    add_lines(drawing, &text, 0);
    buffer_clear(&text);
}

static void add_keys(struct drawing *drawing)
{
    static const char text[] =
        "1..6, o m p b y h   the views; Tab, left and right: the next one, the one before\n"
        "up, down, j, k      the list, line by line; Page Up, Page Down, Home, End\n"
        "< >                 sort by the column to the left or right (marked with *)\n"
        "r                   sort the other way round\n"
        "Ctrl-L              draw all anew\n"
        "Ctrl-Z              back to the shell; fg comes here again\n"
        "q, Ctrl-C           end\n";
    struct buffer lines;
    buffer_init(&lines, sizeof(text));
    write_text(&lines, text);
    add_lines(drawing, &lines, 0);
    buffer_clear(&lines);
}

static const char *empty_text(enum view view)
{
    static const char *const texts[VIEWS_COUNT] = {
        [VIEW_OVERVIEW] = "No miner is connected.\n",
        [VIEW_MINERS] = "No miner is connected.\n",
        [VIEW_PEERS] = "No node is connected.\n",
        [VIEW_BLOCKS] = "No block was found yet.\n",
        [VIEW_PAYOUTS] = "No block is being worked on.\n",
        [VIEW_KEYS] = ""};
    return texts[view];
}

// The list of the view, as far as there are rows.
static void add_list(struct drawing *drawing)
{
    struct top *top = drawing->top;
    struct text_table *table = make_table(top);
    struct buffer text;
    if (table == NULL || drawing->rows_left < 2) {
        text_table_free(table);
        return;
    }
    struct text_table_look look = {top->columns, top->has_colours, empty_text(top->view)};
    size_t rows = text_table_rows(table), shown = drawing->rows_left - 1;
    top->scroll_most = rows > shown ? rows - shown : 0;
    if (top->scroll > top->scroll_most)
        top->scroll = top->scroll_most;
    if (top->sorts[top->view] != UNSORTED)
        text_table_sort(table, top->sorts[top->view], top->is_reversed[top->view]);
    buffer_init(&text, FRAME_MAX);
    text_table_write(table, &look, &text);
    const char *newline = text.size == 0 ? NULL : memchr(text.data, '\n', text.size);
    if (newline != NULL) // the headings stay
        add_text(drawing, (const char *)text.data, (size_t)(newline - (const char *)text.data));
    add_lines(drawing, &text, 1 + top->scroll);
    buffer_clear(&text);
    text_table_free(table);
}

static void add_body(struct drawing *drawing)
{
    struct top *top = drawing->top;
    if (top->view == VIEW_KEYS) {
        add_keys(drawing);
        return;
    }
    if (top->view == VIEW_OVERVIEW) {
        add_overview(drawing);
        add_text(drawing, "", 0);
    }
    if (json_is_object(root_of(top, views[top->view].documents[1])))
        add_list(drawing);
}

static void add_footer(struct drawing *drawing)
{
    const struct top *top = drawing->top;
    char text[256];
    while (drawing->rows_left > 0)
        add_text(drawing, "", 0);
    drawing->rows_left = 1;
    snprintf(text, sizeof(text), " q end   h keys   < > r sort%s%s",
             top->scroll_most > 0 ? "   up down more" : "", top->scroll > 0 ? " (scrolled)" : "");
    add_bar(drawing, "7", text);
}

static void make_frame(struct top *top, struct buffer *frame)
{
    struct drawing drawing = {top, frame, top->rows > 0 ? top->rows - 1 : 0};
    buffer_reset(frame);
    top->scroll_most = 0;
    add_title(&drawing);
    if (top->problem[0] != '\0')
        add_bar(&drawing, top->has_colours ? "1;31" : "1", top->problem);
    add_body(&drawing);
    add_footer(&drawing);
}

// The line at *at, which goes on to the next; "" past the end.
static const char *next_line(const struct buffer *frame, size_t *at)
{
    if (*at >= frame->size)
        return NULL;
    const char *line = (const char *)frame->data + *at;
    *at += strlen(line) + 1;
    return line;
}

void top_draw(struct top *top, struct buffer *out)
{
    struct buffer *fresh = &top->frames[top->current], *shown = &top->frames[1 - top->current];
    size_t at_fresh = 0, at_shown = 0;
    make_frame(top, fresh);
    if (fresh->failed)
        return;
    if (top->is_blank) {
        buffer_reset(shown);
        write_text(out, "\x1b[2J");
    }
    for (size_t row = 1; row <= top->rows; row++) {
        const char *line = next_line(fresh, &at_fresh), *old = next_line(shown, &at_shown);
        if (line == NULL || (old != NULL && strcmp(line, old) == 0))
            continue;
        write_format(out, "\x1b[%zu;1H%s\x1b[m\x1b[K", row, line);
    }
    top->is_blank = false;
    top->current = 1 - top->current;
}
