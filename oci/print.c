/* SPDX-License-Identifier: Apache-2.0 */
#include "oci.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int unwritable(const struct oci *o, int errnum)
{
	struct nook_error err = { 0 };

	(void)nook_fail(&err, errnum, "write to stdout");
	return oci_failed(o, &err);
}

int oci_print(const struct oci *o, const char *text, size_t len)
{
	int rc = nook_write_fd(STDOUT_FILENO, text, len);

	return rc < 0 ? unwritable(o, -rc) : 0;
}

int oci_print_end(const struct oci *o)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return unwritable(o, errno ? errno : EIO);
	return 0;
}

/* Without the C library's gmtime_r(3), which reads the machine's time zone first. The calendar
 * repeats after 400 years; a year that begins in March has its leap day at the end. */
void oci_time_text(int64_t seconds, unsigned nanoseconds, char out[40])
{
	int64_t days = seconds / 86400, rest = seconds % 86400;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	days += 719468; /* from 1 March of the year 0 to 1970 */

	int64_t era = (days >= 0 ? days : days - 146096) / 146097, day = days - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;

	day -= 365 * year + year / 4 - year / 100;

	unsigned month = (unsigned)(5 * day + 2) / 153; /* 0: March */
	unsigned mday = (unsigned)day - (153 * month + 2) / 5 + 1;
	unsigned clock = (unsigned)rest;

	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;

	/* Years of four digits fit. */
	size_t at = nook_format(out, 40, "%04ld-%02u-%02uT%02u:%02u:%02u", (long)year, month, mday,
				clock / 3600, clock / 60 % 60, clock % 60);

	if (nanoseconds) {
		at += nook_format(out + at, 40 - at, ".%09u", nanoseconds);
		while (out[at - 1] == '0')
			at--;
	}
	out[at] = 'Z';
	out[at + 1] = '\0';
}

/* The number before a unit, in billionths. */
static int read_decimal(const char **at, uint64_t *ret)
{
	const char *p = *at;
	uint64_t whole = 0, part = 0, scale = 1000000000;
	bool any = false;

	for (; *p >= '0' && *p <= '9'; p++, any = true) {
		if (whole > 1000000000)
			return -EINVAL;
		whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++, any = true) {
			scale /= 10;
			part += (uint64_t)(*p - '0') * scale;
		}
	}
	*at = p;
	*ret = whole * 1000000000 + part;
	return any ? 0 : -EINVAL;
}

int oci_duration(const char *text, int64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t nanoseconds;
	} units[] = { { "ns", 1 },           { "us", 1000 },      { "µs", 1000 },
		      { "ms", 1000000 },     { "s", 1000000000 }, { "m", 60000000000 },
		      { "h", 3600000000000 } };
	uint64_t sum = 0;

	if (strcmp(text, "0") == 0) {
		*ret = 0;
		return 0;
	}
	if (!text[0])
		return -EINVAL;
	while (*text) {
		uint64_t number, product;
		size_t i = 0, len;

		if (read_decimal(&text, &number) < 0)
			return -EINVAL;
		len = strcspn(text, "0123456789.");
		while (i < sizeof(units) / sizeof(units[0]) &&
		       (strlen(units[i].name) != len || strncmp(units[i].name, text, len) != 0))
			i++;
		if (i == sizeof(units) / sizeof(units[0]))
			return -EINVAL;

		/* In 128 bits: 9 hours in billionths of hours are past 64. */
		unsigned __int128 exact =
			(unsigned __int128)number * units[i].nanoseconds / 1000000000;

		product = (uint64_t)exact;
		if (exact > INT64_MAX || sum + product > INT64_MAX)
			return -EINVAL;
		sum += product;
		text += len;
	}
	*ret = (int64_t)sum;
	return 0;
}

const char *oci_absolute(struct nook_arena *a, const char *path)
{
	char cwd[PATH_MAX];

	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
		return path;
	return nook_printf(a, "%s/%s", cwd, path);
}
