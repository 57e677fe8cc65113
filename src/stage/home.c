/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"
#include "stage.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/openat2.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_BYTES (4 << 20)

static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t value = 0;

	/* 4294967295 is nobody's: "no change" to chown(2). */
	if (nook_parse_u64(text, UINT32_MAX - 1, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Seven fields, of which the third and the fourth are numbers; the sixth is it. Others name nobody,
 * as for src/host/passwd.c. */
static bool take_line(struct nook_home *h)
{
	char *field[7], *p = h->line;
	uint32_t uid = 0, gid = 0;
	size_t n = 0;

	h->line[h->len] = '\0';
	if (strlen(h->line) != h->len)
		return false;
	for (; p && n < 7; n++) {
		field[n] = p;
		p = strchr(p, ':');
		if (p)
			*p++ = '\0';
	}
	if (n != 7 || p || !*field[0] || strchr("#+-", *field[0]) || !parse_id(field[2], &uid) ||
	    !parse_id(field[3], &gid) || uid != h->uid || strlen(field[5]) >= sizeof(h->home))
		return false;
	(void)nook_format(h->home, sizeof(h->home), "%s", field[5][0] == '/' ? field[5] : "/");
	return true;
}

bool nook_home_feed(struct nook_home *h, const char *text, size_t len)
{
	bool ends = len == 0;

	while (!h->found && (len > 0 || ends)) {
		const char *newline = len ? memchr(text, '\n', len) : NULL;
		size_t n = newline ? (size_t)(newline - text) : len;

		if (n >= sizeof(h->line) - h->len)
			h->too_long = true;
		else if (n)
			memcpy(h->line + h->len, text, n);
		h->len = h->too_long ? 0 : h->len + n;
		if (!newline && !ends)
			return false;

		h->found = !h->too_long && take_line(h);
		h->too_long = false;
		h->len = 0;
		if (ends)
			break;
		text = newline + 1;
		len -= n + 1;
	}
	return h->found;
}

/* What an image calls its passwd must not be a device or a pipe to us, nor lead elsewhere. */
static int open_passwd(void)
{
	auto_close int etc =
		nook_openat2(AT_FDCWD, "/etc", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);

	if (etc < 0)
		return etc;

	auto_close int name = nook_openat2(etc, "passwd", O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH);
	struct stat st;

	if (name < 0)
		return name;
	if (fstat(name, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;

	auto_close int fd =
		nook_openat2(etc, "passwd", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? move_fd(&fd) : -EINVAL;
}

/* A container without the file, or with one that is none, is one in which nobody has a home. What
 * says nothing of the file is a failure. */
static int search(struct nook_home *h)
{
	auto_close int fd = open_passwd();
	char piece[4096];

	if (fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE || fd == -EIO)
		return fd;
	for (size_t total = 0; fd >= 0 && total < MAX_BYTES;) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (nook_home_feed(h, piece, (size_t)n) || n == 0)
			return 0;
		total += (size_t)n;
	}
	return 0;
}

/* The plan's environment with this home, in the place of one that it may have. */
static const char *const *with_home(struct nook_stage *s, const char *home)
{
	static const char name[] = "HOME=";
	const char *const *given = s->plan->process.env;
	size_t n = 0, kept = 0, size = sizeof(name) + strlen(home);

	while (given[n])
		n++;

	const char **env = nook_alloc_array(s->arena, n + 2, sizeof(*env));
	char *word = nook_alloc(s->arena, size);

	for (size_t i = 0; i < n; i++) {
		if (!nook_starts(given[i], name))
			env[kept++] = given[i];
	}
	(void)nook_format(word, size, "%s%s", name, home);
	env[kept] = word;
	return env;
}

int find_home(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	struct nook_home h = { .uid = s->plan->process.uid, .home = "/" };
	int rc = search(&h);

	if (rc < 0)
		return nook_fail(err, -rc, "read /etc/passwd in the container");
	s->env = with_home(s, h.home);
	return 0;
}

void find_home_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, nook_printf(rows->arena, "the home of user %u, else /", plan->process.uid),
		  "openat2(\"/etc/passwd\"), read");
}
