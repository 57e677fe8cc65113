/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/ns_where.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "inside.h"
#include "sys/nsfs.h"
#include "translate.h"
#include "words.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAP_MAX ((size_t)16 << 10) /* 340 lines of three numbers */

/* Descriptors of a chain of namespaces, the process' own first. */
struct chain {
	int fds[NOOK_NS_WHERE_LEVELS];
	uint64_t inodes[NOOK_NS_WHERE_LEVELS];
	size_t n;
	bool ours; /* it ends with the caller's own; else above lies what may not be looked at */
};

static void chain_close(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		close_fd(&c->fds[i]);
}
#define auto_chain __attribute__((cleanup(chain_close)))

static void chain_open(struct chain *c, int dir, const char *kind)
{
	uint64_t own = nook_translate_own(kind), ino = 0;
	int fd = nook_translate_ns(dir, kind, &ino);

	while (fd >= 0 && c->n < NOOK_NS_WHERE_LEVELS) {
		struct stat st;

		c->inodes[c->n] = ino;
		c->fds[c->n++] = fd;
		c->ours = ino == own;
		if (c->ours)
			return;
		fd = nook_nsfs_parent(fd);
		if (fd >= 0 && fstat(fd, &st) < 0)
			close_fd(&fd);
		ino = fd >= 0 ? st.st_ino : 0;
	}
	close_fd(&fd);
}

/* ---- numbers ---- */

static void tell_pids(const struct nook_translate_status *s, const struct chain *c,
		      struct nook_ns_where *w)
{
	w->n_pids = s->n;
	for (size_t i = 0; i < s->n; i++) {
		/* The leader of a group or session may have ended while its number is still that of
		 * the others. Then the kernel's calls find nobody, and only the status tells. */
		w->pids[i] = (struct nook_ns_where_pid){
			.pid = s->pid[i], .tgid = s->tgid[i], .pgid = s->pgid[i], .sid = s->sid[i]
		};
		if (c->ours && c->n == s->n)
			w->pids[i].inode = c->inodes[s->n - 1 - i];
	}
}

/* ---- ids ---- */

static struct nook_ns_where_id translate(const char *map, struct nook_ns_where_id above)
{
	struct nook_ns_where_id below = { .mapped = false };

	/* A user namespace maps only ids that the one above has. */
	below.mapped = above.mapped && nook_translate_id(map, above.id, &below.id) == 0;
	return below;
}

static void translate_all(const char *uid_map, const char *gid_map,
			  const struct nook_ns_where_user *above, struct nook_ns_where_user *below)
{
	for (size_t i = 0; i < 4; i++) {
		below->uid[i] = translate(uid_map, above->uid[i]);
		below->gid[i] = translate(gid_map, above->gid[i]);
	}
	below->known = true;
}

/* In a child that has entered a user namespace: its maps as those inside read them, which is onto
 * the namespace above. */
static int tell_maps(int out, void *arg)
{
	static const char *const files[] = { "/proc/self/uid_map", "/proc/self/gid_map" };
	char text[MAP_MAX];

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		auto_close int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		ssize_t len = 0, n;

		if (fd < 0)
			return -errno;
		while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
			len += n;
		if (n < 0)
			return -errno;
		text[len] = '\0'; /* goes out too: it stands between the two maps */

		int rc = nook_write_fd(out, text, (size_t)len + 1);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool read_maps_inside(struct nook_arena *a, int fd, const char **uid_map,
			     const char **gid_map)
{
	struct nook_inside_join join = { NOOK_NS_USER, fd };
	char *text = NULL;
	size_t len = 0;

	if (nook_inside_call(&join, 1, tell_maps, NULL, 2 * MAP_MAX, a, &text, &len, NULL) < 0)
		return false;

	char *second = memchr(text, '\0', len);

	if (!second || (size_t)(second - text) + 1 >= len || text[len - 1] != '\0')
		return false;
	*uid_map = text;
	*gid_map = second + 1;
	return true;
}

/* A process' maps, read by us: of a namespace below ours onto our own, of our own onto the one
 * above. */
static bool read_maps_direct(struct nook_arena *a, int dir, const char **uid_map,
			     const char **gid_map)
{
	char *uids = NULL, *gids = NULL;

	if (nook_translate_read(a, dir, "uid_map", MAP_MAX, &uids) < 0 ||
	    nook_translate_read(a, dir, "gid_map", MAP_MAX, &gids) < 0)
		return false;
	*uid_map = uids;
	*gid_map = gids;
	return true;
}

/* As the status shows them to us: an id that we have not reads 65534. */
static void tell_ours(struct nook_arena *a, const struct nook_translate_status *s,
		      struct nook_ns_where_user *user)
{
	const char *uid_map = NULL, *gid_map = NULL;
	auto_close int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool have = self >= 0 && read_maps_direct(a, self, &uid_map, &gid_map);

	for (size_t i = 0; i < 4; i++) {
		user->uid[i] =
			(struct nook_ns_where_id){ !have || nook_translate_has(uid_map, s->uid[i]),
						   s->uid[i] };
		user->gid[i] =
			(struct nook_ns_where_id){ !have || nook_translate_has(gid_map, s->gid[i]),
						   s->gid[i] };
	}
	user->known = true;
}

static void tell_users(struct nook_arena *a, int dir, const struct nook_translate_status *s,
		       const struct chain *c, struct nook_ns_where *w)
{
	const char *uid_map, *gid_map;

	tell_ours(a, s, &w->users[0]);
	w->users[0].inode = nook_translate_own("user");
	w->n_users = 1;
	w->users_hidden = !c->ours;
	if (!c->ours)
		return;

	w->n_users = c->n;
	for (size_t i = 1; i < c->n; i++) {
		struct nook_ns_where_user *user = &w->users[i];
		int fd = c->fds[c->n - 1 - i];

		user->inode = c->inodes[c->n - 1 - i];
		if (i + 1 == c->n && read_maps_direct(a, dir, &uid_map, &gid_map))
			translate_all(uid_map, gid_map, &w->users[0], user);
		else if (w->users[i - 1].known && read_maps_inside(a, fd, &uid_map, &gid_map))
			translate_all(uid_map, gid_map, &w->users[i - 1], user);
	}
}

/* ---- both ---- */

static int read_status(struct nook_arena *a, int dir, int pid, struct nook_translate_status *ret,
		       struct nook_error *err)
{
	char *text = NULL;
	int rc = nook_translate_read(a, dir, "status", NOOK_TRANSLATE_STATUS_MAX, &text);

	if (rc == -ESRCH)
		return nook_refuse(err, ESRCH, "process %d has ended meanwhile", pid);
	if (rc < 0)
		return nook_fail(err, -rc, "read /proc/%d/status", pid);
	return nook_translate_parse(text, ret, err);
}

static int look(struct nook_arena *a, int pid, bool users, struct nook_ns_where *w,
		struct nook_error *err)
{
	auto_close int dir = nook_translate_open(pid, err);
	auto_chain struct chain pids = { .n = 0 };
	auto_chain struct chain owners = { .n = 0 };
	struct nook_translate_status s = { .n = 0 };

	if (dir < 0)
		return dir;

	int rc = read_status(a, dir, pid, &s, err);

	if (rc < 0)
		return rc;
	(void)nook_format(w->name, sizeof(w->name), "%s", s.name);
	chain_open(&pids, dir, "pid");
	tell_pids(&s, &pids, w);
	if (users) {
		chain_open(&owners, dir, "user");
		tell_users(a, dir, &s, &owners, w);
	}
	/* What ended while it was looked at has lost its namespaces, and would look as if they were
	 * hidden. */
	return read_status(a, dir, pid, &s, err);
}

int nook_ns_where(const char *state_dir, const char *process, struct nook_ns_where *ret,
		  struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_where w = { .n_pids = 0 };
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	rc = nook_translate_check(err);
	if (rc == 0)
		rc = nook_ns_words_inner(state_dir, process, err);
	if (rc > 0)
		rc = look(&a, rc, true, &w, err);
	if (rc == 0)
		*ret = w;
	return rc;
}

/* A number of ours there, or 0. */
static int number_at(int ns, int pid)
{
	int there = pid > 0 ? nook_translate_in(ns, pid, NOOK_TRANSLATE_ANY) : 0;

	return there > 0 ? there : 0;
}

/* One level of @w, the one of namespace @ns. */
static int narrow(struct nook_ns_where *w, int ns, const char *at, struct nook_error *err)
{
	struct nook_ns_where_pid one = { .inode = 0 };
	struct stat st;
	int here = w->pids[0].pid;
	int there;

	if (fstat(ns, &st) < 0)
		return nook_fail(err, errno, "fstat %s", at);
	for (size_t i = 0; i < w->n_pids; i++) {
		if (w->pids[i].inode == st.st_ino)
			one = w->pids[i];
	}
	there = nook_translate_in(ns, here, NOOK_TRANSLATE_ANY);
	if (there == -ESRCH && one.inode == 0) {
		nook_hint(err, "nook ns where %d shows the namespaces that it is in.", here);
		return nook_refuse(err, ESRCH, "process %d is not in the pid namespace of %s", here,
				   at);
	}
	if (there < 0 && one.inode == 0)
		return nook_fail(err, -there, "translate pid %d into the pid namespace of %s", here,
				 at);
	if (one.inode == 0) /* above ours, or not to be looked at */
		one = (struct nook_ns_where_pid){ .inode = st.st_ino,
						  .pid = there,
						  .tgid = number_at(ns, w->pids[0].tgid),
						  .pgid = number_at(ns, w->pids[0].pgid),
						  .sid = number_at(ns, w->pids[0].sid) };
	w->pids[0] = one;
	w->n_pids = 1;
	return 0;
}

int nook_ns_where_at(const char *state_dir, const char *process, const char *at,
		     struct nook_ns_where *ret, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_where w = { .n_pids = 0 };
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	rc = nook_translate_check(err);
	if (rc < 0)
		return rc;

	int pid = nook_ns_words_inner(state_dir, process, err);

	if (pid < 0)
		return pid;

	auto_close int ns = nook_ns_words_pidns(state_dir, at, err);

	if (ns < 0)
		return ns;
	rc = look(&a, pid, false, &w, err);
	if (rc == 0)
		rc = narrow(&w, ns, at, err);
	if (rc == 0)
		*ret = w;
	return rc;
}
