/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine's own files give away of the ids that nook's containers draw from. subuid(5),
 * passwd(5), group(5). */
#include "files.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILE_BYTES (64u << 20)
#define COLUMNS    4u

enum column { TEXT, ID, FIRST, COUNT };

static const struct {
	const char *name;
	enum column columns[COLUMNS];
} sources[] = {
	{ "subuid", { TEXT, FIRST, COUNT } },
	{ "subgid", { TEXT, FIRST, COUNT } },
	{ "passwd", { TEXT, TEXT, ID, ID } },
	{ "group", { TEXT, TEXT, ID } },
};

/* Where the scan stands in a line. */
struct scan {
	const enum column *columns;
	uint64_t *taken;
	unsigned column;
	uint64_t value; /* of this column; past 2^32: too large to matter */
	bool number;    /* nothing but digits so far, and one at least */
	bool other;
	uint64_t first;
	bool have_first;
};

static void mark(uint64_t *taken, uint64_t first, uint64_t count)
{
	const uint64_t low = NOOK_RANGE_FIRST,
		       high = low + (uint64_t)NOOK_RANGE_SLOTS * NOOK_RANGE_SIZE;
	uint64_t end = first + count;

	if (first < low)
		first = low;
	if (end > high)
		end = high;

	for (uint64_t id = first; id < end; id = (id / NOOK_RANGE_SIZE + 1) * NOOK_RANGE_SIZE) {
		uint64_t slot = (id - low) / NOOK_RANGE_SIZE;

		taken[slot / 64] |= UINT64_C(1) << slot % 64;
	}
}

static void end_column(struct scan *s)
{
	enum column what = s->column < COLUMNS ? s->columns[s->column] : TEXT;
	bool number = s->number && !s->other;

	if (number && what == ID)
		mark(s->taken, s->value, 1);
	if (number && what == COUNT && s->have_first)
		mark(s->taken, s->first, s->value);
	s->have_first = number && what == FIRST;
	s->first = s->value;

	s->column++;
	s->value = 0;
	s->number = s->other = false;
}

static void scan_text(struct scan *s, const char *text, size_t len)
{
	for (const char *p = text; p < text + len; p++) {
		if (*p == '\n' || *p == ':') {
			end_column(s);
			if (*p == '\n') {
				s->column = 0;
				s->have_first = false;
			}
		} else if (*p < '0' || *p > '9') {
			s->other = true;
		} else {
			s->number = true;
			if (s->value <= UINT32_MAX)
				s->value = s->value * 10 + (uint64_t)(*p - '0');
		}
	}
}

static int mark_file(int fd, const char *name, struct scan *s, struct nook_error *err)
{
	char buf[8192];

	for (size_t total = 0; total <= FILE_BYTES;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nook_fail(err, errno, "read /etc/%s", name);
		if (n == 0) {
			end_column(s);
			return 0;
		}
		scan_text(s, buf, (size_t)n);
		total += (size_t)n;
	}
	return nook_refuse(err, EFBIG, "/etc/%s has more than %u bytes", name, FILE_BYTES);
}

int nook_range_mark_etc(int etc, uint64_t taken[NOOK_RANGE_SLOTS / 64], struct nook_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct scan scan = { .columns = sources[i].columns, .taken = taken };
		auto_close int fd =
			openat(etc, sources[i].name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return nook_fail(err, errno, "open /etc/%s", sources[i].name);

		int rc = mark_file(fd, sources[i].name, &scan, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}
