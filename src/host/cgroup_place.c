/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup_place.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_text.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool writable(int dir, const char *file, int mode)
{
	return faccessat(dir, file, mode, AT_EACCESS) == 0;
}

/* May we make a child of it and put processes in? */
static bool may_add(int dir)
{
	return writable(dir, ".", W_OK | X_OK) && writable(dir, "cgroup.procs", W_OK);
}

static void refuse(struct nook_cgroup_mount *m, const char *why)
{
	m->place = NULL;
	m->delegated = false;
	m->why_not = why;
}

static void accept_place(struct nook_cgroup_mount *m, const char *place)
{
	m->place = place;
	m->delegated = true;
	m->why_not = NULL;
}

/* Our own cgroup, when it needs no controller enabled. */
static void place_at_own(struct nook_arena *a, struct nook_cgroup_mount *m, int mount)
{
	auto_close int dir = nook_cgroupfs_walk(mount, m->own, O_PATH);

	if (dir < 0)
		refuse(m, nook_printf(a, "our own cgroup %s%s can't be opened: %s", m->mount,
				      m->own, strerrordesc_np(-dir)));
	else if (!may_add(dir))
		refuse(m,
		       nook_printf(a, "our own cgroup %s%s may not be written", m->mount, m->own));
	else
		accept_place(m, m->own);
}

static int open_mount(struct nook_arena *a, struct nook_cgroup_mount *m, bool v2)
{
	if (!m->own) {
		refuse(m, nook_printf(a, "our own cgroup does not show below %s", m->mount));
		return -ENOENT;
	}

	int fd = nook_cgroupfs_mount(m->mount, v2);

	if (fd < 0)
		refuse(m, nook_printf(a, "%s can't be opened: %s", m->mount, strerrordesc_np(-fd)));
	return fd;
}

void nook_cgroup_place_v1(struct nook_arena *a, struct nook_cgroup_mount *m)
{
	auto_close int mount = open_mount(a, m, false);

	if (mount >= 0)
		place_at_own(a, m, mount);
}

/* The first limit that a cgroup sets, or NULL. */
static const char *limit_of(int dir)
{
	static const struct {
		const char *file;
		const char *unlimited; /* what it begins with when there is no limit */
	} limits[] = {
		{ "memory.max", "max" },      { "memory.high", "max" }, { "cpu.max", "max " },
		{ "pids.max", "max" },        { "io.max", NULL },       { "cpuset.cpus", NULL },
		{ "memory.swap.max", "max" }, { "cpuset.mems", NULL },
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		ssize_t len = nook_cgroupfs_read(dir, limits[i].file, text, sizeof(text));

		if (len == -ENOENT)
			continue; /* the controller is not enabled here: nothing is limited */
		if (len < 0 ||
		    (limits[i].unlimited ? !nook_starts(text, limits[i].unlimited) : len > 0))
			return limits[i].file;
	}
	return NULL;
}

enum crowd { EMPTY, ONLY_US, OTHERS };

static enum crowd crowd_of(int dir)
{
	char text[32];
	uint64_t pid;
	ssize_t len = nook_cgroupfs_read(dir, "cgroup.procs", text, sizeof(text));

	if (len == 0)
		return EMPTY;
	/* A threaded cgroup answers EOPNOTSUPP: no place for processes. A process outside of our
	 * pid namespace shows as 0. */
	if (len < 0 || nook_parse_u64(text, INT_MAX, &pid) < 0 || (pid_t)pid != getpid())
		return OTHERS;
	return ONLY_US;
}

struct candidate {
	int dir;
	const char *path;
	bool own;
};

enum verdict { PLACE, PLACE_ALONE, NO_PLACE };

/* Can a cgroup get children with the controllers @wanted? */
static enum verdict judge(struct nook_arena *a, const struct candidate *c, uint32_t wanted,
			  struct nook_host_cgroup *cg)
{
	char text[4096];
	const char *name = nook_printf(a, "%s%s", cg->v2.mount, c->path);

	if (nook_cgroupfs_read(c->dir, "cgroup.controllers", text, sizeof(text)) < 0)
		text[0] = '\0';
	cg->v2_controllers = nook_cgroup_controllers(text);
	if (wanted & ~cg->v2_controllers) {
		refuse(&cg->v2, nook_printf(a, "%s has only the controllers \"%s\"", name, text));
		return NO_PLACE;
	}

	if (!may_add(c->dir) || !writable(c->dir, "cgroup.subtree_control", W_OK)) {
		refuse(&cg->v2, nook_printf(a, "%s may not be written", name));
		return NO_PLACE;
	}

	/* The root has no cgroup.type, and is free of the rule about processes. */
	if (faccessat(c->dir, "cgroup.type", F_OK, 0) < 0 && errno == ENOENT)
		return PLACE;

	enum crowd crowd = crowd_of(c->dir);

	if (crowd == EMPTY)
		return PLACE;
	if (crowd == ONLY_US && c->own)
		return PLACE_ALONE;
	refuse(&cg->v2, nook_printf(a, "other processes live in %s", name));
	return NO_PLACE;
}

/* "/a/b" to "/a", "/a" to "/"; false at "/". */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!path[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

static void place_with_controllers(struct nook_arena *a, uint32_t wanted, int mount,
				   struct nook_host_cgroup *cg)
{
	char *path = nook_strdup(a, cg->v2.own);
	const char *why = NULL;

	do {
		auto_close int dir = nook_cgroupfs_walk(mount, path, O_PATH);
		struct candidate c = { dir, path, !strcmp(path, cg->v2.own) };

		if (dir < 0) {
			refuse(&cg->v2, nook_printf(a, "%s%s can't be opened: %s", cg->v2.mount,
						    path, strerrordesc_np(-dir)));
			return;
		}

		enum verdict verdict = judge(a, &c, wanted, cg);

		if (verdict != NO_PLACE) {
			accept_place(&cg->v2, path);
			cg->v2_alone = verdict == PLACE_ALONE;
			return;
		}
		if (!why)
			why = cg->v2.why_not; /* what our own cgroup lacks says most */

		const char *limit = limit_of(dir);

		if (limit) {
			refuse(&cg->v2, nook_printf(a,
						    "%s, and a container beside it would "
						    "escape its %s",
						    why, limit));
			return;
		}
	} while (go_up(path));

	refuse(&cg->v2, why);
}

static uint32_t controllers_of(int dir)
{
	char text[4096];

	if (dir < 0 || nook_cgroupfs_read(dir, "cgroup.controllers", text, sizeof(text)) < 0)
		return 0;
	return nook_cgroup_controllers(text);
}

void nook_cgroup_place_v2(struct nook_arena *a, uint32_t wanted, bool just_look,
			  struct nook_host_cgroup *cg)
{
	auto_close int mount = open_mount(a, &cg->v2, true);

	if (mount < 0)
		return;
	if (wanted)
		cg->v2_present = controllers_of(mount);

	wanted &= cg->v2_present;
	if (just_look) {
		auto_close int own = nook_cgroupfs_walk(mount, cg->v2.own, O_PATH);
		uint32_t some = wanted & controllers_of(own);

		wanted = some ? some : wanted;
	}
	if (wanted)
		place_with_controllers(a, wanted, mount, cg);
	else
		place_at_own(a, &cg->v2, mount);
}
