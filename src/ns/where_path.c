/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/ns_where.h"

#include "base/own.h"
#include "base/text.h"
#include "host/mountinfo.h"
#include "host/path.h"
#include "sys/path.h"
#include "translate.h"
#include "where_layers.h"
#include "words.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* One side of the question: the host, or a container. */
struct side {
	int root; /* O_PATH */
	struct nook_mounts mounts;
};

struct work {
	struct nook_arena *a;
	struct side host, inside;
	struct nook_ns_where_path *out;
	struct nook_error *err;
};

/* A thing that was opened. */
struct thing {
	int fd;
	struct statx st;
	const char *path; /* from the root of its side, no symlink in it */
	const struct nook_mount *mount;
	const char *fs_path; /* from the root of the file system */
};

/* ---- the two sides ---- */

static int read_side(struct work *w, const char *proc, int dir, struct side *side)
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

static int open_sides(struct work *w, const char *state_dir, const char *target)
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

static const char *join(struct nook_arena *a, const char *dir, const char *below)
{
	below += strspn(below, "/");
	if (!*below)
		return dir;
	return nook_printf(a, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, below);
}

/* @path without @dir, which it is within. */
static const char *below(const char *path, const char *dir)
{
	return path + (strcmp(dir, "/") == 0 ? 0 : strlen(dir));
}

/* Where the thing lies, when it can be told: path and mount stay NULL otherwise. */
static void locate(struct work *w, const struct side *side, struct thing *t)
{
	const char *root = name_of(w->a, side->root), *path = name_of(w->a, t->fd);

	if (!root || !path || !nook_path_within(path, root))
		return;
	t->path = below(path, root);
	if (!*t->path)
		t->path = "/";
	for (size_t i = 0; i < side->mounts.n; i++) {
		const struct nook_mount *m = &side->mounts.all[i];

		if (m->id == t->st.stx_mnt_id && nook_path_within(t->path, m->point)) {
			t->mount = m;
			t->fs_path = join(w->a, m->root, below(t->path, m->point));
		}
	}
}

static int open_thing(struct work *w, const struct side *side, const char *path, struct thing *ret,
		      struct nook_error *err)
{
	struct thing t = { .fd = nook_resolve(side->root, path, err) };

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

static bool same_file(const struct thing *a, const struct thing *b)
{
	return a->st.stx_ino == b->st.stx_ino && a->st.stx_dev_major == b->st.stx_dev_major &&
	       a->st.stx_dev_minor == b->st.stx_dev_minor;
}

/* Overlay shows a file under a device number of its own, but with all else of the layer's file. */
static bool same_through_overlay(const struct thing *a, const struct thing *b)
{
	return !S_ISDIR(a->st.stx_mode) && a->st.stx_ino == b->st.stx_ino &&
	       a->st.stx_size == b->st.stx_size && a->st.stx_mode == b->st.stx_mode &&
	       a->st.stx_mtime.tv_sec == b->st.stx_mtime.tv_sec &&
	       a->st.stx_mtime.tv_nsec == b->st.stx_mtime.tv_nsec;
}

/* ---- the answer ---- */

static void copy(char *out, size_t size, const char *text)
{
	(void)nook_format(out, size, "%s", text ? text : "");
}

static void answer(struct work *w, enum nook_ns_where_kind kind, const struct thing *inside,
		   const char *host, bool sure, const char *note)
{
	struct nook_ns_where_path *out = w->out;

	out->kind = kind;
	copy(out->inside, sizeof(out->inside), inside->path);
	copy(out->host, sizeof(out->host), host);
	out->sure = sure;
	copy(out->note, sizeof(out->note), note);
	if (!inside->mount)
		return;
	out->major = inside->mount->major;
	out->minor = inside->mount->minor;
	copy(out->point, sizeof(out->point), inside->mount->point);
	copy(out->fstype, sizeof(out->fstype), inside->mount->fstype);
}

/* A visible mount of @side that has the same thing in it: the path there, and it was opened.
 * NULL: none. */
static const char *find_same(struct work *w, const struct side *side, const struct thing *t)
{
	for (size_t i = 0; i < side->mounts.n_visible; i++) {
		const struct nook_mount *m = side->mounts.visible[i];
		struct thing there;
		const char *path;

		if (m->major != t->mount->major || m->minor != t->mount->minor ||
		    !nook_path_within(t->fs_path, m->root))
			continue;
		path = join(w->a, m->point, below(t->fs_path, m->root));
		if (open_thing(w, side, path, &there, NULL) < 0)
			continue;

		bool same = same_file(t, &there) && there.path && strcmp(there.path, path) == 0;

		close_fd(&there.fd);
		if (same)
			return path;
	}
	return NULL;
}

/* ---- from inside ---- */

/* A layer's directory, as it was written, that has the file at this path of the host. */
static bool in_layer(struct work *w, const struct thing *t, const char *layer,
		     enum nook_ns_where_kind kind)
{
	const char *path;
	struct thing there;

	if (layer[0] != '/')
		return false;
	path = join(w->a, layer, t->fs_path);
	if (open_thing(w, &w->host, path, &there, NULL) < 0)
		return false;

	bool same = same_through_overlay(t, &there);
	bool alike = (there.st.stx_mode & S_IFMT) == (t->st.stx_mode & S_IFMT);

	close_fd(&there.fd);
	if (!alike)
		return false;
	answer(w, kind, t, path, same,
	       same ? ""
	       : S_ISDIR(t->st.stx_mode)
		       ? "A directory of an overlay mount is made of all layers that have it: this "
			 "is the uppermost one."
		       : "By the order of the layers; the file inside has another inode number or "
			 "time, so it may be from elsewhere.");
	return true;
}

static void through_overlay(struct work *w, const struct thing *t)
{
	struct nook_where_layers layers;
	struct thing there;

	nook_where_layers_parse(w->a, t->mount->super, &layers);
	if (layers.upper && in_layer(w, t, layers.upper, NOOK_NS_WHERE_UPPER))
		return;
	for (size_t i = 0; i < layers.n_lowers; i++) {
		if (in_layer(w, t, layers.lowers[i], NOOK_NS_WHERE_LOWER))
			return;
	}

	/* The layers' names mean nothing to us. Where the host's own root is one of them, as nook
	 * makes it, the file is at the same path. */
	if (open_thing(w, &w->host, t->path, &there, NULL) == 0) {
		bool same = same_through_overlay(t, &there);

		close_fd(&there.fd);
		if (same) {
			answer(w, NOOK_NS_WHERE_LOWER, t, t->path, true,
			       "Inside it is seen through an overlay mount: what is written there "
			       "does not get here.");
			return;
		}
	}
	answer(w, NOOK_NS_WHERE_LAYERS, t, NULL, false,
	       S_ISDIR(t->st.stx_mode)
		       ? "A directory of an overlay mount is made of all layers that have it, and "
			 "no path of the host leads to these layers."
		       : "No path of the host leads to the layer that has it: it was written "
			 "inside, or is of a layer that was mounted by a name of its own.");
}

static const char *why_inside(const struct thing *t)
{
	static const struct {
		const char *fstype, *why;
	} rows[] = {
		{ "tmpfs", "It is in memory, in a tmpfs that is mounted nowhere on the host." },
		{ "proc", "The kernel makes up its files for those inside." },
		{ "sysfs", "The kernel makes up its files for those inside." },
		{ "devpts", "Its terminals are those of this container only." },
		{ "mqueue", "Its queues are those of its ipc namespace only." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].fstype, t->mount->fstype) == 0)
			return rows[i].why;
	}
	return "No mount of the host that you can see has this part of the file system in it.";
}

static int from_inside(struct work *w, const char *path)
{
	struct thing t;
	int rc = open_thing(w, &w->inside, path, &t, w->err);
	const char *host;

	if (rc < 0)
		return rc;
	close_fd(&t.fd);
	if (!t.path || !t.mount)
		return nook_refuse(
			w->err, EXDEV,
			"%s is in no mount of the container's table: a directory outside "
			"of its root",
			path);

	host = find_same(w, &w->host, &t);
	if (host)
		answer(w, NOOK_NS_WHERE_HOST, &t, host, true, "");
	else if (strcmp(t.mount->fstype, "overlay") == 0)
		through_overlay(w, &t);
	else
		answer(w, NOOK_NS_WHERE_INSIDE, &t, NULL, false, why_inside(&t));
	return 0;
}

int nook_ns_where_path(const char *state_dir, const char *target, const char *path,
		       struct nook_ns_where_path *ret, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_where_path out = { .kind = NOOK_NS_WHERE_INSIDE };
	struct work w = {
		.a = &a, .host = { NO_FD }, .inside = { NO_FD }, .out = &out, .err = err
	};
	int rc = nook_arena_init(&a);

	if (rc < 0)
		return nook_fail(err, -rc, "mmap of %zu bytes of address space", NOOK_ARENA_SIZE);
	rc = open_sides(&w, state_dir, target);
	if (rc == 0)
		rc = from_inside(&w, path);
	close_fd(&w.host.root);
	close_fd(&w.inside.root);
	if (rc == 0)
		*ret = out;
	return rc;
}

/* ---- from the host ---- */

/* The place of the container that shows the host's @t, where an overlay mount is in between. */
static bool through_layer(struct work *w, const struct thing *t, const char *path,
			  enum nook_ns_where_kind kind)
{
	struct thing there;

	if (open_thing(w, &w->inside, path, &there, NULL) < 0)
		return false;
	close_fd(&there.fd);

	bool is_overlay = there.mount && strcmp(there.mount->fstype, "overlay") == 0;
	bool same = is_overlay && same_through_overlay(t, &there);

	if (!is_overlay || (kind == NOOK_NS_WHERE_LAYERS && !same))
		return false;
	answer(w, kind == NOOK_NS_WHERE_LAYERS ? NOOK_NS_WHERE_LOWER : kind, &there, t->path, same,
	       same ? ""
	       : S_ISDIR(t->st.stx_mode)
		       ? "A directory of an overlay mount is made of all layers that have it: this "
			 "is one of them."
		       : "Another file than the host's shows there: a layer above has one of that "
			 "name, or it was changed inside.");
	return true;
}

static bool through_layers(struct work *w, const struct thing *t)
{
	for (size_t i = 0; i < w->inside.mounts.n_visible; i++) {
		const struct nook_mount *m = w->inside.mounts.visible[i];
		struct nook_where_layers layers;

		if (strcmp(m->fstype, "overlay") != 0 || strcmp(m->root, "/") != 0)
			continue;
		nook_where_layers_parse(w->a, m->super, &layers);
		if (layers.upper && layers.upper[0] == '/' &&
		    nook_path_within(t->path, layers.upper) &&
		    through_layer(w, t, join(w->a, m->point, below(t->path, layers.upper)),
				  NOOK_NS_WHERE_UPPER))
			return true;
		for (size_t k = 0; k < layers.n_lowers; k++) {
			const char *lower = layers.lowers[k];

			if (lower[0] == '/' && nook_path_within(t->path, lower) &&
			    through_layer(w, t, join(w->a, m->point, below(t->path, lower)),
					  NOOK_NS_WHERE_LOWER))
				return true;
		}
	}
	/* As in through_overlay(): the host's root may be a layer. */
	return through_layer(w, t, t->path, NOOK_NS_WHERE_LAYERS);
}

static int from_host(struct work *w, const char *target, const char *path)
{
	struct thing t, there;
	int rc = open_thing(w, &w->host, path, &t, NULL);
	const char *inside;

	if (rc < 0)
		return nook_fail(w->err, -rc, "open %s", path);
	close_fd(&t.fd);
	if (!t.path || !t.mount)
		return nook_refuse(w->err, EXDEV, "%s is in no mount of the host's table", path);

	inside = find_same(w, &w->inside, &t);
	if (inside && open_thing(w, &w->inside, inside, &there, NULL) == 0) {
		close_fd(&there.fd);
		answer(w, NOOK_NS_WHERE_HOST, &there, t.path, true, "");
		return 0;
	}
	if (through_layers(w, &t))
		return 0;
	nook_hint(w->err, "--volume %s:/PATH of nook run shows it in a new container.", path);
	return nook_refuse(w->err, ENOENT, "no place in %s shows %s of the host", target, path);
}

int nook_ns_where_host(const char *state_dir, const char *target, const char *path,
		       struct nook_ns_where_path *ret, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_where_path out = { .kind = NOOK_NS_WHERE_INSIDE };
	struct work w = {
		.a = &a, .host = { NO_FD }, .inside = { NO_FD }, .out = &out, .err = err
	};
	int rc = nook_arena_init(&a);

	if (rc < 0)
		return nook_fail(err, -rc, "mmap of %zu bytes of address space", NOOK_ARENA_SIZE);
	rc = open_sides(&w, state_dir, target);
	if (rc == 0)
		rc = from_host(&w, target, path);
	close_fd(&w.host.root);
	close_fd(&w.inside.root);
	if (rc == 0)
		*ret = out;
	return rc;
}
