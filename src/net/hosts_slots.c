/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts_slots.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLOT      NOOK_HOSTS_SLOT
#define MAX_SLOTS 65536u /* 16 MiB: more than the addresses of any network with a sane size */
#define CHUNK     64u    /* slots that are read at once */
/* A freed slot says when, in milliseconds since boot: somebody may be reading its line just now,
 * and must not get half of the next. */
#define STAMP_DIGITS NOOK_HOSTS_STAMP
#define STAMP_AT     (SLOT - 1 - STAMP_DIGITS)
#define GRACE_MS     1000

/* ---- reading and writing ---- */

/* What is done with each slot, by its number. Positive: enough. */
typedef int each_slot(void *data, int fd, uint64_t index, const struct nook_hosts_slot *slot,
		      struct nook_error *err);

static int read_at(int fd, void *out, size_t size, uint64_t at, struct nook_error *err)
{
	ssize_t n;

	do
		n = pread(fd, out, size, (off_t)at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? nook_fail(err, errno, "pread a hosts file of the state directory") : (int)n;
}

static int write_at(int fd, const void *data, size_t size, uint64_t at, struct nook_error *err)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const char *)data + done, size - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return nook_fail(err, n < 0 ? errno : EIO,
					 "pwrite a hosts file of the state directory");
		done += (size_t)n;
	}
	return 0;
}

/* A slot that is cut short, by a file system that was full, counts as none. */
static int scan(int fd, each_slot *each, void *data, uint64_t *ret_n, struct nook_error *err)
{
	struct nook_hosts_slot slots[CHUNK];
	uint64_t index = 0;

	while (index < MAX_SLOTS) {
		int n = read_at(fd, slots, sizeof(slots), index * SLOT, err);

		if (n < 0)
			return n;
		for (int i = 0; i < n / SLOT; i++) {
			int rc = each(data, fd, index++, &slots[i], err);

			if (rc != 0)
				return rc < 0 ? rc : 0;
		}
		if ((size_t)n < sizeof(slots))
			break;
	}
	if (ret_n)
		*ret_n = index;
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now); /* fails only for a bad clock or address */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int stamp(int fd, uint64_t index, struct nook_error *err)
{
	char text[STAMP_DIGITS + 1];

	(void)nook_format(text, sizeof(text), "%011lu", now_ms() % UINT64_C(100000000000));
	return write_at(fd, text, STAMP_DIGITS, index * SLOT + STAMP_AT, err);
}

static int free_slot(int fd, uint64_t index, struct nook_error *err)
{
	int rc = write_at(fd, "#", 1, index * SLOT, err);

	return rc < 0 ? rc : stamp(fd, index, err);
}

static int fill_slot(int fd, uint64_t index, const struct nook_hosts_slot *line,
		     struct nook_error *err)
{
	int rc = write_at(fd, line->bytes + 1, SLOT - 1, index * SLOT + 1, err);

	return rc < 0 ? rc : write_at(fd, line->bytes, 1, index * SLOT, err);
}

/* A new slot comes as a whole: the file ends before it till it is there. */
static int append_slot(int fd, uint64_t index, const struct nook_hosts_slot *line,
		       struct nook_error *err)
{
	struct nook_hosts_slot comment = *line;

	if (index >= MAX_SLOTS)
		return nook_refuse(err, E2BIG, "a hosts file of the state directory has %u lines",
				   MAX_SLOTS);
	comment.bytes[0] = '#';

	int rc = write_at(fd, comment.bytes, SLOT, index * SLOT, err);

	return rc < 0 ? rc : write_at(fd, line->bytes, 1, index * SLOT, err);
}

/* ---- the file ---- */

int nook_hosts_begin(int fd, struct nook_error *err)
{
	static const char *const lines[] = { "127.0.0.1\tlocalhost",
					     "::1\tlocalhost ip6-localhost ip6-loopback" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct nook_hosts_slot s;
		int rc;

		memset(s.bytes, ' ', SLOT);
		s.bytes[SLOT - 1] = '\n';
		memcpy(s.bytes, lines[i], strlen(lines[i]));
		rc = append_slot(fd, i, &s, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Free slots that the first look notes; the second takes others, where these don't do. */
#define NOTED 16

struct adding {
	const struct nook_hosts_slot *lines;
	size_t n;
	struct nook_hosts_names names;
	bool there[NOOK_HOSTS_MOST];
	uint64_t after; /* behind the last line with one of the same names */
	uint64_t now;
	uint64_t usable[NOTED]; /* free slots, and for so long that nobody reads their old line */
	size_t n_usable;        /* more than NOTED: some were not noted */
	size_t done;
};

/* Return: 1: it is free, and has been for long enough; 0: not yet. */
static int is_usable(const struct adding *a, int fd, uint64_t index,
		     const struct nook_hosts_slot *s, struct nook_error *err)
{
	char text[STAMP_DIGITS + 1] = "";
	uint64_t since = 0;

	memcpy(text, s->bytes + STAMP_AT, STAMP_DIGITS);
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9') /* its writer died: from now on, then */
			return stamp(fd, index, err);
		since = since * 10 + (uint64_t)(*p - '0');
	}
	return since > a->now || a->now - since >= GRACE_MS;
}

static int note_free(struct adding *a, int fd, uint64_t index, const struct nook_hosts_slot *s,
		     struct nook_error *err)
{
	int rc = is_usable(a, fd, index, s, err);

	if (rc == 1 && a->n_usable++ < NOTED)
		a->usable[a->n_usable - 1] = index;
	return rc < 0 ? rc : 0;
}

static int look(void *data, int fd, uint64_t index, const struct nook_hosts_slot *s,
		struct nook_error *err)
{
	struct adding *a = data;

	if (nook_hosts_is_free(s))
		return note_free(a, fd, index, s, err);
	for (size_t i = 0; i < a->n; i++) {
		if (memcmp(s->bytes, a->lines[i].bytes, SLOT) == 0) {
			a->there[i] = true;
			return 0;
		}
	}
	for (size_t i = 0; i < a->n; i++) {
		if (nook_hosts_same_place(s, &a->lines[i]))
			return free_slot(fd, index, err);
	}
	if (nook_hosts_has_name(s, &a->names))
		a->after = index + 1;
	return 0;
}

/* Are there lines yet to be written? a->done is the next. */
static bool has_more(struct adding *a)
{
	while (a->done < a->n && a->there[a->done])
		a->done++;
	return a->done < a->n;
}

static int use_noted(struct adding *a, int fd, struct nook_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < NOTED && i < a->n_usable && rc == 0 && has_more(a); i++) {
		if (a->usable[i] >= a->after)
			rc = fill_slot(fd, a->usable[i], &a->lines[a->done++], err);
	}
	return rc;
}

static int use_other(void *data, int fd, uint64_t index, const struct nook_hosts_slot *s,
		     struct nook_error *err)
{
	struct adding *a = data;
	int rc;

	if (!has_more(a))
		return 1;
	if (!nook_hosts_is_free(s) || index < a->after)
		return 0;
	rc = is_usable(a, fd, index, s, err);
	return rc == 1 ? fill_slot(fd, index, &a->lines[a->done++], err) : rc;
}

int nook_hosts_add(int fd, const struct nook_hosts_slot *lines, size_t n, struct nook_error *err)
{
	struct adding a = { .lines = lines, .n = n, .now = now_ms() % UINT64_C(100000000000) };
	uint64_t slots = 0;
	int rc;

	if (n == 0)
		return 0;
	nook_hosts_names_of(lines, n, &a.names);
	rc = scan(fd, look, &a, &slots, err);
	if (rc == 0)
		rc = use_noted(&a, fd, err);
	if (rc == 0 && has_more(&a) && a.n_usable > NOTED)
		rc = scan(fd, use_other, &a, NULL, err);
	while (rc == 0 && has_more(&a))
		rc = append_slot(fd, slots++, &lines[a.done++], err);
	return rc;
}

struct dropping {
	const char *container, *network;
};

static int drop(void *data, int fd, uint64_t index, const struct nook_hosts_slot *s,
		struct nook_error *err)
{
	const struct dropping *d = data;

	return !nook_hosts_is_free(s) && nook_hosts_has_tag(s, d->network, d->container)
		       ? free_slot(fd, index, err)
		       : 0;
}

int nook_hosts_drop(int fd, const char *container, const char *network, struct nook_error *err)
{
	struct dropping d = { .container = container, .network = network };

	return scan(fd, drop, &d, NULL, err);
}

struct copying {
	int to;
	uint64_t at;
	const char *network;
};

static int copy(void *data, int fd, uint64_t index, const struct nook_hosts_slot *s,
		struct nook_error *err)
{
	struct copying *c = data;

	(void)fd;
	(void)index;
	if (nook_hosts_is_free(s) || !nook_hosts_has_tag(s, c->network, NULL))
		return 0;
	return append_slot(c->to, c->at++, s, err);
}

int nook_hosts_copy(int from, int to, const char *network, struct nook_error *err)
{
	struct copying c = { .to = to, .network = network };
	struct stat st;

	if (fstat(to, &st) < 0)
		return nook_fail(err, errno, "fstat a hosts file of the state directory");
	c.at = (uint64_t)st.st_size / SLOT;
	return scan(from, copy, &c, NULL, err);
}

static int note_use(void *data, int fd, uint64_t index, const struct nook_hosts_slot *s,
		    struct nook_error *err)
{
	bool *used = data;

	(void)fd;
	(void)index;
	(void)err;
	*used = !nook_hosts_is_free(s) && nook_hosts_has_tag(s, NULL, NULL);
	return *used;
}

int nook_hosts_used(int fd, bool *ret, struct nook_error *err)
{
	*ret = false;
	return scan(fd, note_use, ret, NULL, err);
}
