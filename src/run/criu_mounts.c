/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's mounts, as CRIU is told of them. It makes file systems anew and binds of what they
 * hold; what comes from outside it must be given again: "mnt[WHERE]:NAME" when it dumps,
 * "mnt[NAME]:SOURCE" when it restores.
 */
#include "criu.h"

#include "base/own.h"
#include "base/text.h"
#include "host/read.h"
#include "nook/plan.h"
#include "sys/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MOUNTINFO_MAX ((size_t)8 << 20)

/* No mountpoint is called so: those are absolute. */
#define MASK_DIR  "nook-mask-dir"
#define MASK_FILE "nook-mask-file"

struct mount {
	char *dev, *root, *point, *fstype;
	bool external;
};

/* ---- dump ---- */

/* proc_pid_mountinfo(5) writes space, tab, newline and \ as \ and three octal digits. */
static void unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++) {
		if (in[0] == '\\' && in[1] && in[2] && in[3]) {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

static bool parse(char *line, struct mount *ret)
{
	char *words[64];
	size_t n = nook_split(line, ' ', words, ARRAY_SIZE(words)), i = 6;

	if (n > ARRAY_SIZE(words))
		return false;
	while (i < n && strcmp(words[i], "-") != 0)
		i++;
	if (i + 1 >= n)
		return false;
	*ret = (struct mount){ words[2], words[3], words[4], words[i + 1], false };
	unescape(ret->root);
	unescape(ret->point);
	return true;
}

static int read_mounts(struct nook_arena *a, int pid, struct mount **ret, size_t *ret_n,
		       struct nook_error *err)
{
	char path[40];
	char *text;
	size_t n = 0;
	int rc;

	(void)nook_format(path, sizeof(path), "/proc/%d/mountinfo", pid);
	rc = nook_read_proc(a, path, MOUNTINFO_MAX, &text);
	if (rc < 0)
		return nook_fail(err, -rc, "read %s", path);
	*ret = NULL;
	for (char *line; (line = nook_next_line(&text));) {
		struct mount m;

		if (!parse(line, &m))
			return nook_refuse(err, EBADMSG, "%s has a line that can't be understood",
					   path);
		*nook_append(a, *ret, n) = m;
	}
	*ret_n = n;
	return 0;
}

/* Is @path @top, or below it? */
static bool within(const char *path, const char *top)
{
	const char *rest = strcmp(top, "/") == 0 ? path : nook_after(path, top);

	return rest && (rest[0] == '\0' || rest[0] == '/');
}

/* The kernel's views of itself: the same wherever they are mounted. */
static bool is_view(const struct mount *m)
{
	static const char *const views[] = { "proc",    "sysfs",      "devpts",     "mqueue",
					     "cgroup",  "cgroup2",    "securityfs", "debugfs",
					     "bpf",     "tracefs",    "configfs",   "pstore",
					     "fusectl", "binfmt_misc" };

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		if (strcmp(m->fstype, views[i]) == 0)
			return true;
	}
	return false;
}

static bool has_device(const struct mount *list, size_t n, const char *dev)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].dev, dev) == 0)
			return true;
	}
	return false;
}

static const struct mount *root_of(const struct mount *list, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		if (strcmp(list[i].point, "/") == 0)
			return &list[i];
	}
	return NULL;
}

/* A bind of what the container itself has mounted. */
static bool is_inner(const struct mount *m, const struct mount *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (&list[i] != m && !list[i].external && strcmp(list[i].dev, m->dev) == 0 &&
		    strlen(list[i].root) < strlen(m->root) && within(m->root, list[i].root))
			return true;
	}
	return false;
}

/* nook's own masks: src/stage/covers.c. They are binds from a tmpfs that nobody has mounted. */
static const char *mask_of(const struct mount *m)
{
	if (strcmp(m->fstype, "tmpfs") != 0)
		return NULL;
	if (strcmp(m->root, "/dir") == 0)
		return MASK_DIR;
	return strcmp(m->root, "/file") == 0 ? MASK_FILE : NULL;
}

int nook_criu_dump_mounts(struct nook_arena *a, int pid, bool cgroup_ns,
			  struct nook_criu_message *options, struct nook_error *err)
{
	struct mount *list, *ours;
	size_t n, n_ours;
	int rc = read_mounts(a, pid, &list, &n, err);

	if (rc == 0)
		rc = read_mounts(a, getpid(), &ours, &n_ours, err);
	if (rc < 0)
		return rc;

	const struct mount *root = root_of(list, n);

	/* First those that are outside's for certain: a bind of them is no inner one. */
	for (size_t i = 0; i < n; i++) {
		struct mount *m = &list[i];

		if (m == root || is_view(m))
			continue;
		if (root && strcmp(m->dev, root->dev) == 0 && within(m->root, root->root))
			continue;
		m->external = has_device(ours, n_ours, m->dev);
	}
	for (size_t i = 0; i < n; i++) {
		struct mount *m = &list[i];
		bool cgroup = nook_starts(m->fstype, "cgroup");
		const char *mask;

		if (m == root)
			continue;
		/* CRIU knows what the root of a cgroup namespace looks like from outside. */
		if (!m->external &&
		    (strcmp(m->root, "/") == 0 || (cgroup && cgroup_ns) || is_inner(m, list, n)))
			continue;
		if (root && !m->external && strcmp(m->dev, root->dev) == 0 &&
		    within(m->root, root->root))
			continue;
		mask = m->external ? NULL : mask_of(m);
		nook_criu_text(options, NOOK_CRIU_EXTERNAL,
			       nook_printf(a, "mnt[%s]:%s", m->point, mask ? mask : m->point));
	}
	return 0;
}

/* ---- restore ---- */

static bool is_new(const struct nook_plan_mount *m)
{
	return m->kind == NOOK_PLAN_FS || m->kind == NOOK_PLAN_PROC || m->kind == NOOK_PLAN_DEVPTS;
}

/* Does an earlier mount hide what the root has at the target? */
static bool hidden(const struct nook_plan *plan, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		const struct nook_plan_mount *over = &plan->mounts[j];

		if ((is_new(over) || over->kind == NOOK_PLAN_BIND) &&
		    strcmp(over->target, plan->mounts[i].target) != 0 &&
		    within(plan->mounts[i].target, over->target))
			return true;
	}
	return false;
}

/* Where @target leads to below the root: the kernel's name of the mountpoint. */
static const char *real_target(struct nook_arena *a, int root, int target)
{
	char link[32], top[4096], path[4096];
	ssize_t top_len, len;

	(void)nook_format(link, sizeof(link), "/proc/self/fd/%d", root);
	top_len = readlink(link, top, sizeof(top) - 1);
	(void)nook_format(link, sizeof(link), "/proc/self/fd/%d", target);
	len = readlink(link, path, sizeof(path) - 1);
	if (top_len <= 0 || len <= 0)
		return NULL;
	top[top_len] = path[len] = '\0';
	return within(path, top) ? nook_strdup(a, strcmp(top, "/") == 0 ? path : path + top_len)
				 : NULL;
}

/* What the image is to be mounted on may be missing in a fresh root. */
static int make_target(const struct nook_plan_mount *m, int root, struct nook_error *err)
{
	enum nook_path_make make = m->make == NOOK_MAKE_DIR    ? NOOK_PATH_DIR
				   : m->make == NOOK_MAKE_FILE ? NOOK_PATH_FILE
							       : NOOK_PATH_EXISTS;
	int fd = make == NOOK_PATH_EXISTS ? nook_resolve(root, m->target, NULL)
					  : nook_resolve_make(root, m->target, make, err);

	if (fd < 0 && fd != -ENOENT && m->from)
		nook_where(err, "%s", m->from);
	return fd;
}

int nook_criu_restore_mounts(struct nook_arena *a, const struct nook_plan *plan, int root,
			     const char *masks, struct nook_criu_message *options,
			     struct nook_error *err)
{
	for (size_t i = 0; i < plan->n_mounts; i++) {
		const struct nook_plan_mount *m = &plan->mounts[i];
		const char *real = NULL;

		if (!is_new(m) && m->kind != NOOK_PLAN_BIND)
			continue;
		if (!hidden(plan, i)) {
			auto_close int target = make_target(m, root, err);

			if (target < 0 && target != -ENOENT)
				return target;
			real = target < 0 ? NULL : real_target(a, root, target);
		}
		if (m->kind == NOOK_PLAN_BIND)
			nook_criu_text(options, NOOK_CRIU_EXTERNAL,
				       nook_printf(a, "mnt[%s]:%s",
						   real && real[0] ? real : m->target,
						   plan->sources[m->source].path));
	}
	nook_criu_text(options, NOOK_CRIU_EXTERNAL,
		       nook_printf(a, "mnt[" MASK_DIR "]:%s/dir", masks));
	nook_criu_text(options, NOOK_CRIU_EXTERNAL,
		       nook_printf(a, "mnt[" MASK_FILE "]:%s/file", masks));
	return 0;
}
