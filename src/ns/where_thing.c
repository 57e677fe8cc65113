/* SPDX-License-Identifier: Apache-2.0 */
#include "where_thing.h"

#include "base/own.h"
#include "base/text.h"
#include "host/path.h"
#include "sys/path.h"
#include "translate.h"
#include "words.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* ---- the two sides ---- */

static int read_side(struct nook_where_work *w, const char *proc, int dir,
		     struct nook_where_side *side)
{
	char *text = NULL;
	int rc;

	side->root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (side->root < 0) {
		rc = -errno;
		if (rc == -EACCES || rc == -EPERM)
			nook_hint(w->err, "It is another user's, or has more rights than you: ask "
					  "as root.");
		return nook_fail(w->err, -rc, "open %s/root", proc);
	}
	rc = nook_translate_read(w->a, dir, "mountinfo", NOOK_MOUNTINFO_MAX, &text);
	if (rc < 0)
		return nook_fail(w->err, -rc, "read %s/mountinfo", proc);
	return nook_mountinfo_parse(w->a, text, &side->mounts, w->err);
}

int nook_where_open_sides(struct nook_where_work *w, const char *state_dir, const char *target)
{
	auto_close int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int pid = nook_ns_words_inner(state_dir, target, w->err);

	if (pid < 0)
		return pid;
	if (self < 0)
		return nook_fail(w->err, errno, "open /proc/self");

	auto_close int dir = nook_translate_open(pid, w->err);
	int rc = dir < 0 ? dir : read_side(w, "/proc/self", self, &w->host);

	if (rc == 0)
		rc = read_side(w, nook_printf(w->a, "/proc/%d", pid), dir, &w->inside);
	return rc;
}

/* ---- things ---- */

/* What the kernel calls it. */
static const char *name_of(struct nook_arena *a, int fd)
{
	char link[32], path[PATH_MAX];
	ssize_t len;

	(void)nook_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0)
		return NULL;
	path[len] = '\0';
	return nook_strdup(a, path);
}

const char *nook_where_join(struct nook_arena *a, const char *dir, const char *below)
{
	below += strspn(below, "/");
	if (!*below)
		return dir;
	return nook_printf(a, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, below);
}

const char *nook_where_below(const char *path, const char *dir)
{
	return path + (strcmp(dir, "/") == 0 ? 0 : strlen(dir));
}

/* Where the thing lies, when it can be told: path and mount stay NULL otherwise. */
static void locate(struct nook_where_work *w, const struct nook_where_side *side,
		   struct nook_where_thing *t)
{
	const char *root = name_of(w->a, side->root), *path = name_of(w->a, t->fd);

	if (!root || !path || !nook_path_within(path, root))
		return;
	t->path = nook_where_below(path, root);
	if (!*t->path)
		t->path = "/";
	for (size_t i = 0; i < side->mounts.n; i++) {
		const struct nook_mount *m = &side->mounts.all[i];

		if (m->id == t->st.stx_mnt_id && nook_path_within(t->path, m->point)) {
			t->mount = m;
			t->fs_path =
				nook_where_join(w->a, m->root, nook_where_below(t->path, m->point));
		}
	}
}

int nook_where_open_thing(struct nook_where_work *w, const struct nook_where_side *side,
			  const char *path, struct nook_where_thing *ret, struct nook_error *err)
{
	struct nook_where_thing t = { .fd = nook_resolve(side->root, path, err) };

	if (t.fd < 0)
		return t.fd;
	if (statx(t.fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &t.st) < 0) {
		int rc = nook_fail(err, errno, "statx %s", path);

		close_fd(&t.fd);
		return rc;
	}
	locate(w, side, &t);
	*ret = t;
	return 0;
}

bool nook_where_same(const struct nook_where_thing *a, const struct nook_where_thing *b)
{
	return a->st.stx_ino == b->st.stx_ino && a->st.stx_dev_major == b->st.stx_dev_major &&
	       a->st.stx_dev_minor == b->st.stx_dev_minor;
}

bool nook_where_same_through_overlay(const struct nook_where_thing *a,
				     const struct nook_where_thing *b)
{
	return !S_ISDIR(a->st.stx_mode) && a->st.stx_ino == b->st.stx_ino &&
	       a->st.stx_size == b->st.stx_size && a->st.stx_mode == b->st.stx_mode &&
	       a->st.stx_mtime.tv_sec == b->st.stx_mtime.tv_sec &&
	       a->st.stx_mtime.tv_nsec == b->st.stx_mtime.tv_nsec;
}
