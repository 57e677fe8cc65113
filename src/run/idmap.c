/* SPDX-License-Identifier: Apache-2.0 */
/* The container's ids: written to its user namespace, and given to the mounts that it is to see. */
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "mount_maps.h"
#include "sys/mount.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* newuidmap PID INSIDE OUTSIDE COUNT …: the map's words, one an argument. */
static int split_map(char *text, char **argv, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (n + 1 >= max)
			return -E2BIG;
		argv[n++] = w;
	}
	argv[n] = NULL;
	return 0;
}

/* What the helper says goes into the error: it knows best why /etc/subuid did not suffice. */
static int read_complaint(int fd, char *out, size_t size)
{
	ssize_t len = read(fd, out, size - 1);

	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return (int)len;
}

static int run_helper(const char *helper, int pid, const char *map, struct nook_error *err)
{
	char pid_text[16], text[4097], complaint[200];
	char *argv[3 * 340 + 3] = { (char *)(uintptr_t)helper, pid_text };
	char *env[] = { NULL };
	int pipe_fds[2];

	(void)nook_format(pid_text, sizeof(pid_text), "%d", pid);
	(void)nook_format(text, sizeof(text), "%s", map);
	if (split_map(text, argv + 2, ARRAY_SIZE(argv) - 2) < 0)
		return nook_fail(err, E2BIG, "%s: the map", helper);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	auto_close int from = pipe_fds[0];
	auto_close int to = pipe_fds[1];
	pid_t child = vfork();

	if (child == 0) {
		/* The helper's words go into the pipe; it gets no other descriptor of ours. */
		if (dup2(to, 1) < 0 || dup2(to, 2) < 0)
			_exit(126);
		(void)execve(helper, argv, env);
		_exit(127);
	}
	if (child < 0)
		return nook_fail(err, errno, "vfork for %s", helper);

	int status;

	close_fd(&to);
	(void)read_complaint(from, complaint, sizeof(complaint)); /* its exit status decides */
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid(%s)", helper);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;

	nook_cause(err, "setuid-helper-failed",
		   "%s must be setuid root or have file capabilities, on a file system that is not "
		   "nosuid, and "
		   "the ranges must be the caller's in /etc/subuid and /etc/subgid",
		   helper);
	nook_hint(err, "`nook check` shows which of these is not so");
	return nook_refuse(err, EPERM, "%s ended with status 0x%x: %s", helper, status, complaint);
}

int write_idmaps(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_plan_userns *u = &c->plan->userns;
	int rc = 0;

	if (u->deny_setgroups)
		rc = nook_procfs_write(c->proc, c->pid, "setgroups", "deny", err);
	if (rc < 0)
		return rc;

	if (u->writer == NOOK_IDMAP_HELPER) {
		rc = run_helper(u->newuidmap, c->pid, u->uid_map, err);
		return rc < 0 ? rc : run_helper(u->newgidmap, c->pid, u->gid_map, err);
	}
	rc = nook_procfs_write(c->proc, c->pid, "uid_map", u->uid_map, err);
	return rc < 0 ? rc : nook_procfs_write(c->proc, c->pid, "gid_map", u->gid_map, err);
}

/* The map's lines with @between in place of the newlines. */
static const char *join_lines(struct nook_rows *rows, const char *map, const char *between)
{
	const char *text = "";

	for (size_t len; *map; map += len + 1) {
		len = strcspn(map, "\n");
		text = nook_printf(rows->arena, "%s%s%.*s", text, *text ? between : "", (int)len,
				   map);
	}
	return text;
}

void write_idmaps_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	const struct nook_plan_userns *u = &plan->userns;

	if (u->deny_setgroups)
		nook_show(rows, "the price of an own map", "write(\"PID/setgroups\", \"deny\")");
	if (u->writer == NOOK_IDMAP_HELPER) {
		nook_show(rows, "its users' ids outside, by a setuid helper",
			  "execve(\"%s PID %s\")", u->newuidmap, join_lines(rows, u->uid_map, " "));
		nook_show(rows, "its groups' ids outside", "execve(\"%s PID %s\")", u->newgidmap,
			  join_lines(rows, u->gid_map, " "));
	} else {
		nook_show(rows, "its users' ids outside", "write(\"PID/uid_map\", \"%s\")",
			  join_lines(rows, u->uid_map, "\\n"));
		nook_show(rows, "its groups' ids outside", "write(\"PID/gid_map\", \"%s\")",
			  join_lines(rows, u->gid_map, "\\n"));
	}
}

static int fail_idmap(const struct nook_plan_source *src, int rc, struct nook_error *err)
{
	if (src->from)
		nook_where(err, "%s", src->from);
	if (rc == -EINVAL || rc == -EOPNOTSUPP) {
		nook_cause(err, "no-idmap",
			   "the file system of %s, or of something mounted below it, can't show "
			   "its files with other "
			   "owners (idmapped mounts)",
			   src->path);
		nook_hint(err, "%s",
			  src->from && nook_starts(src->from, "--volume")
				  ? "add :noidmap to the volume (its files then belong to nobody "
				    "inside), or use "
				    "--userns host"
				  : "use another file system for it, or --userns host");
	}
	return nook_fail(err, -rc, "mount_setattr(%s, MOUNT_ATTR_IDMAP)", src->path);
}

/* Those that are to have the ids of @userns: the container's (@own_maps 0), or of own maps. */
static int idmap_each(struct nook_create *c, unsigned own_maps, int userns, struct nook_error *err)
{
	for (size_t i = 0; i < c->plan->n_sources; i++) {
		const struct nook_plan_source *src = &c->plan->sources[i];

		if (src->own_maps != own_maps || (!own_maps && !src->idmap) || c->sources[i] < 0)
			continue;
		int rc = nook_mount_setattr(c->sources[i], src->recursive && !src->idmap_top, 0, 0,
					    0, userns);

		if (rc < 0)
			return fail_idmap(src, rc, err);
	}
	return 0;
}

static const struct nook_plan_source *first_idmapped(const struct nook_plan *plan,
						     unsigned own_maps)
{
	for (size_t i = 0; i < plan->n_sources; i++) {
		const struct nook_plan_source *src = &plan->sources[i];

		if (src->own_maps == own_maps && (own_maps || src->idmap))
			return src;
	}
	return NULL;
}

/* Opened inside, by a caller who has no power over the file systems, they can't be. */
static int refuse_inside(const struct nook_plan_source *src, struct nook_error *err)
{
	if (src->from)
		nook_where(err, "%s", src->from);
	nook_hint(err, "it takes CAP_SYS_ADMIN outside of the container");
	return nook_refuse(err, EPERM, "%s can't be shown with other owners here", src->path);
}

int idmap_sources(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	for (unsigned k = 0; k <= c->plan->n_mount_maps; k++) {
		const struct nook_plan_source *first = first_idmapped(c->plan, k);

		if (!first)
			continue;
		if (!c->plan->sources_outside)
			return refuse_inside(first, err);

		auto_close int userns =
			k ? nook_mount_maps_open(c->proc, &c->plan->mount_maps[k - 1], err)
			  : nook_procfs_open_ns(c->proc, c->pid, "user", err);

		if (userns < 0) {
			if (k && first->from)
				nook_where(err, "%s", first->from);
			return userns;
		}
		int rc = idmap_each(c, k, userns, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void show_idmap(const struct nook_plan *plan, const struct nook_plan_source *src,
		       struct nook_rows *rows)
{
	const char *below = src->recursive && !src->idmap_top ? ", RECURSIVE" : "";

	if (src->own_maps) {
		const struct nook_plan_maps *maps = &plan->mount_maps[src->own_maps - 1];

		nook_show(rows, "its files' owners by maps of its own",
			  "mount_setattr(\"%s\"%s, IDMAP, uids %s, gids %s)", src->path, below,
			  join_lines(rows, maps->uid_map, "\\n"),
			  join_lines(rows, maps->gid_map, "\\n"));
	} else if (src->idmap) {
		nook_show(rows, "its files' owners as the container sees them",
			  "mount_setattr(\"%s\"%s, IDMAP)", src->path, below);
	}
}

void idmap_sources_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_sources; i++)
		show_idmap(plan, &plan->sources[i], rows);
}
