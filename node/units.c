#include "node/units.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefixes[] = "kMGTPEZY";

// Three significant digits and a prefix: 999.6 is 1.00 of the next one.
static void write_scaled(double value, const char *unit, char out[UNITS_TEXT_SIZE])
{
    if (value < 0.995 && value != 0) {
        snprintf(out, UNITS_TEXT_SIZE, "%.3g%s%s", value, unit[0] == '\0' ? "" : " ", unit);
        return;
    }
    size_t prefix = 0;
    while (value >= 999.5 && prefix < strlen(prefixes)) {
        value /= 1000;
        prefix++;
    }
    int decimals = value >= 99.95 || (prefix == 0 && value == floor(value)) ? 0
                   : value >= 9.995                                         ? 1
                                                                            : 2;
    char letter[2] = {prefix == 0 ? '\0' : prefixes[prefix - 1], '\0'};
    snprintf(out, UNITS_TEXT_SIZE, "%.*f%s%s%s", decimals, value, unit[0] == '\0' ? "" : " ",
             letter, unit);
}

void units_hashrate(double hashes_per_second, char out[UNITS_TEXT_SIZE])
{
    if (!(hashes_per_second > 0) || !isfinite(hashes_per_second))
        snprintf(out, UNITS_TEXT_SIZE, "-");
    else
        write_scaled(hashes_per_second, "H/s", out);
}

void units_count(double count, char out[UNITS_TEXT_SIZE])
{
    if (!(count >= 0) || !isfinite(count))
        snprintf(out, UNITS_TEXT_SIZE, "-");
    else
        write_scaled(count, "", out);
}

void units_duration(int64_t seconds, char out[UNITS_TEXT_SIZE])
{
    if (seconds < 0)
        seconds = 0;
    if (seconds < 60)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRId64 " s", seconds);
    else if (seconds < 3600)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRId64 " min", seconds / 60);
    else if (seconds < 86400)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRId64 " h %" PRId64 " min", seconds / 3600,
                 seconds / 60 % 60);
    else
        snprintf(out, UNITS_TEXT_SIZE, "%" PRId64 " d %" PRId64 " h", seconds / 86400,
                 seconds / 3600 % 24);
}

void units_ago(int64_t now_s, int64_t then_s, char out[UNITS_TEXT_SIZE])
{
    char duration[UNITS_TEXT_SIZE];
    bool is_ahead = then_s > now_s;
    units_duration(is_ahead ? then_s - now_s : now_s - then_s, duration);
    if (then_s == 0)
        snprintf(out, UNITS_TEXT_SIZE, "never");
    else
        snprintf(out, UNITS_TEXT_SIZE, "%s%.40s%s", is_ahead ? "in " : "", duration,
                 is_ahead ? "" : " ago");
}

void units_coins(uint64_t sats, char out[UNITS_TEXT_SIZE])
{
    snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 ".%08" PRIu64, sats / 100000000, sats % 100000000);
}

bool units_parse_hashrate(const char *text, double *hashes_per_second)
{
    char *rest;
    double value = strtod(text, &rest);
    if (strchr("0123456789.", text[0]) == NULL || text[0] == '\0' || rest == text ||
        strspn(text, "0123456789.eE+-") < (size_t)(rest - text))
        return false;
    while (*rest == ' ')
        rest++;
    const char *prefix = *rest == '\0' ? NULL : strchr(prefixes, *rest == 'K' ? 'k' : *rest);
    if (prefix != NULL) {
        for (const char *c = prefixes; c <= prefix; c++)
            value *= 1000;
        rest++;
    }
    if (strcmp(rest, "") != 0 && strcmp(rest, "H/s") != 0 && strcmp(rest, "h/s") != 0 &&
        strcmp(rest, "H") != 0)
        return false;
    *hashes_per_second = value;
    return value > 0 && isfinite(value);
}

bool units_parse_duration(const char *text, int64_t *seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const int64_t most = (int64_t)3650 * 86400;
    int64_t value = 0, unit = 1;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    if (text[digits] != '\0') {
        unit = 0;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
            unit = units[i].letter == text[digits] ? units[i].seconds : unit;
    }
    if (unit == 0 || (text[digits] != '\0' && text[digits + 1] != '\0') || value == 0 ||
        value > most / unit)
        return false;
    *seconds = value * unit;
    return true;
}
