/* SPDX-License-Identifier: Apache-2.0 */
/* restore: CRIU makes a container's processes of the files that `checkpoint` has written. */
#include "oci_restore.h"

#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "create.h"
#include "host/read.h"
#include "ns/kinds.h"
#include "oci_hooks.h"
#include "state/files.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define LOG         "restore.log"
#define STREAMS_MAX ((size_t)64 << 10)

/* ---- before anything is made ---- */

static int inherit(struct nook_restore *r, int fd, const char *key)
{
	r->fds[r->n_fds] = fd;
	r->keys[r->n_fds++] = key;
	return 0;
}

/* A namespace that it had joined, and is to be in again. */
static int inherit_ns(struct nook_restore *r, enum nook_ns_kind kind, const char *key,
		      struct nook_error *err)
{
	const struct nook_bundle_ns *ns = &r->bundle->ns[kind];

	if (!ns->path)
		return 0;

	int fd = open(ns->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		nook_where(err, "%s", ns->from);
		return nook_fail(err, errno, "open %s", ns->path);
	}
	return inherit(r, fd, key);
}

int nook_restore_open(struct nook_restore *r, const struct nook_oci_criu *w,
		      const struct nook_bundle *b, struct nook_error *err)
{
	*r = (struct nook_restore){ .words = w, .bundle = b, .dirs = NOOK_CRIU_NO_DIRS };

	int rc = nook_criu_dirs_open(w, false, &r->dirs, err);

	if (rc == 0)
		rc = inherit_ns(r, NOOK_NS_NET, "extRootNetNS", err);
	return rc < 0 ? rc : inherit_ns(r, NOOK_NS_PID, "extRootPidNS", err);
}

void nook_restore_close(struct nook_restore *r)
{
	nook_criu_dirs_close(&r->dirs);
	for (size_t i = 0; i < r->n_fds; i++)
		close_fd(&r->fds[i]);
	r->n_fds = 0;
}

/* ---- what CRIU sees: the root as a mount of its own, and what masks are made of ---- */

static int mount_failed(const char *what, struct nook_error *err)
{
	return nook_fail(err, errno, "%s", what);
}

/* The place is one of ours, hidden from nobody but CRIU. */
static int place(const struct nook_create *c, char *out, size_t size, const char *name)
{
	size_t len = nook_format(out, size, "%s/%s%s%s", c->plan->state_dir,
				 nook_folder_name(NOOK_FOLDER_NEW), name[0] ? "/" : "", name);

	return len < size ? 0 : -ENAMETOOLONG;
}

/*
 * In the child. CRIU wants a root that is a mount, on one that nothing else is mounted over. In a
 * mount namespace of its own, so that nothing is left of it whatever happens.
 */
static int see_root(void *data, struct nook_error *err)
{
	const struct nook_create *c = data;
	char top[4096], root[4096], dir[4096], file[4096];

	if (place(c, top, sizeof(top), "") < 0 || place(c, root, sizeof(root), "root") < 0 ||
	    place(c, dir, sizeof(dir), "dir") < 0 || place(c, file, sizeof(file), "file") < 0)
		return nook_refuse(err, ENAMETOOLONG,
				   "the path of the state directory is too long");

	int rc = nook_unshare(CLONE_NEWNS);

	if (rc < 0)
		return nook_fail(err, -rc, "unshare(CLONE_NEWNS)");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return mount_failed("mount / as a slave", err);
	if (mount("tmpfs", top, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
		return mount_failed("mount a tmpfs for CRIU", err);
	if (mkdir(root, 0755) < 0 || mkdir(dir, 0555) < 0)
		return mount_failed("mkdir for CRIU", err);

	auto_close int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0)
		return mount_failed("create a file for CRIU", err);
	close_fd(&fd);
	if (mount(NULL, top, NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return mount_failed("remount the tmpfs for CRIU", err);
	if (mount(c->record.rootfs, root, NULL, MS_BIND | MS_REC, NULL) < 0) {
		nook_where(err, "/root/path");
		return nook_fail(err, errno, "bind %s", c->record.rootfs);
	}
	return 0;
}

int start_criu(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_criu_start start = {
		.program = c->restore->words->program,
		.cgroup = c->cgroup,
		.fds = c->restore->fds,
		.n_fds = c->restore->n_fds,
		.signals = &c->stage.signals,
		.dies_with_us = true,
		.prepare = see_root,
		.data = c,
	};
	int pid = nook_criu_start(&start, &c->walk.channel, &c->pidfd, err);

	if (pid < 0)
		return pid;
	c->pid = pid;
	/* What it restores lives on without it and us: from here on the cgroups are known to be the
	 * container's, with all that is in them. */
	c->record.phase = NOOK_PHASE_CREATED;
	return 0;
}

void start_criu_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "CRIU, in the container's cgroup", "clone3(), execve(\"criu\")");
}

/* ---- what CRIU is told ---- */

/* Its cgroups are ours, whatever they were called where it was saved. */
static int put_cgroups(const struct nook_create *c, struct nook_criu_message *options,
		       struct nook_error *err)
{
	char path[40];
	char *text;
	int rc;

	(void)nook_format(path, sizeof(path), "/proc/%d/cgroup", c->pid);
	rc = nook_read_proc(options->arena, path, (size_t)256 << 10, &text);
	if (rc < 0)
		return nook_fail(err, -rc, "read %s", path);
	for (char *line; (line = nook_next_line(&text));) {
		struct nook_criu_message root = { .arena = options->arena };
		char *words[3];

		if (nook_split(line, ':', words, 3) < 3)
			continue;
		if (words[1][0])
			nook_criu_text(&root, 1, words[1]);
		nook_criu_text(&root, 2, strchr(words[2], '/') ? words[2] : "/");
		nook_criu_part(options, NOOK_CRIU_CGROUP_ROOT, &root);
	}
	return 0;
}

static void put_fd(struct nook_criu_message *options, const char *key, int fd)
{
	struct nook_criu_message part = { .arena = options->arena };

	nook_criu_text(&part, 1, key);
	nook_criu_number(&part, 2, (uint64_t)fd);
	nook_criu_part(options, NOOK_CRIU_INHERIT_FD, &part);
}

/* Pipes that it had as its standard streams become ours. */
static int put_streams(const struct nook_restore *r, struct nook_criu_message *options,
		       struct nook_error *err)
{
	const struct nook_json_value none = { 0 };
	auto_json struct nook_json *tree = NULL;
	struct nook_json_value top = none, item;
	const char *stream;
	char *text;
	int rc = nook_read_text(options->arena, r->dirs.images, NOOK_CRIU_STREAMS, STREAMS_MAX,
				&text);

	if (rc < 0) {
		nook_where(err, "--image-path");
		return nook_fail(err, -rc, "read %s/" NOOK_CRIU_STREAMS, r->dirs.images_path);
	}
	rc = nook_json_parse(text, strlen(text), 2, &tree, err);
	if (rc < 0)
		return rc;
	top.json = tree;
	for (size_t i = 0; rc == 0 && i <= 2; i++) {
		rc = nook_json_element(&top, i, NOOK_JSON_TEXT, &item, err);
		if (rc == 0)
			rc = nook_json_as_text(&item, 4096, &stream, err);
		if (rc == 0 && nook_starts(stream, "pipe:"))
			put_fd(options, stream, (int)i);
	}
	return rc;
}

static void put_joined(const struct nook_bundle *b, struct nook_criu_message *options)
{
	static const enum nook_ns_kind kinds[] = { NOOK_NS_UTS, NOOK_NS_IPC };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct nook_criu_message join = { .arena = options->arena };

		if (!b->ns[kinds[i]].path)
			continue;
		nook_criu_text(&join, 1, nook_ns_kinds[kinds[i]].name);
		nook_criu_text(&join, 2, b->ns[kinds[i]].path);
		nook_criu_part(options, NOOK_CRIU_JOIN_NS, &join);
	}
}

/* CRIU mounts below its working directory, which must be one of its mount namespace. */
static int open_as_seen(int pid, int *fd, struct nook_error *err)
{
	char link[40], path[4096 + 40];
	int start, seen;
	ssize_t n;

	(void)nook_format(link, sizeof(link), "/proc/self/fd/%d", *fd);
	start = (int)nook_format(path, sizeof(path), "/proc/%d/root", pid);
	n = readlink(link, path + start, sizeof(path) - (size_t)start - 1);
	if (n < 0)
		return nook_fail(err, errno, "readlink %s", link);
	path[start + n] = '\0';

	seen = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (seen < 0)
		return nook_fail(err, errno, "open %s", path);
	close_fd(fd);
	*fd = seen;
	return 0;
}

static int put_options(const struct nook_create *c, struct nook_criu_message *options,
		       struct nook_error *err)
{
	const struct nook_restore *r = c->restore;
	const struct nook_oci_criu *w = r->words;
	char masks[4096], root[4096];
	auto_close int rootfs = open(c->record.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (rootfs < 0) {
		nook_where(err, "/root/path");
		return nook_fail(err, errno, "open %s", c->record.rootfs);
	}
	(void)place(c, masks, sizeof(masks), ""); /* they fitted when they were made */
	(void)place(c, root, sizeof(root), "root");

	rc = nook_criu_common(w, &r->dirs, LOG, options, err);
	if (rc == 0)
		rc = nook_criu_restore_mounts(options->arena, c->plan, rootfs, masks, options, err);
	if (rc == 0 && !(w->cgroups_mode && strcmp(w->cgroups_mode, "ignore") == 0))
		rc = put_cgroups(c, options, err);
	if (rc == 0)
		rc = put_streams(r, options, err);
	if (rc < 0)
		return rc;

	nook_criu_text(options, NOOK_CRIU_ROOT, root);
	nook_criu_number(options, NOOK_CRIU_EVASIVE_DEVICES, true);
	nook_criu_number(options, NOOK_CRIU_SIBLING, true);
	for (size_t i = 0; i < r->n_fds; i++)
		put_fd(options, r->keys[i], NOOK_CRIU_FIRST_FD + (int)i);
	put_joined(r->bundle, options);
	if (w->lsm_profile && w->lsm_profile[0])
		nook_criu_text(options, NOOK_CRIU_LSM_PROFILE, w->lsm_profile);
	if (w->lsm_mount_context && w->lsm_mount_context[0])
		nook_criu_text(options, NOOK_CRIU_LSM_MOUNT_CONTEXT, w->lsm_mount_context);
	return 0;
}

/* ---- what it asks back ---- */

static int run_hooks(struct nook_create *c, int pid, struct nook_error *err)
{
	static const enum nook_hook_kind kinds[] = { NOOK_HOOK_PRESTART, NOOK_HOOK_CREATE_RUNTIME };
	const struct nook_plan_hooks *hooks = c->plan->hooks;
	int rc = 0;

	if (!hooks)
		return 0;
	c->hooked = true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++)
		rc = nook_oci_hooks(hooks, kinds[i], pid, "creating", c->record.bundle, err);
	return rc;
}

static int notified(void *data, const char *script, int pid, int fd, struct nook_error *err)
{
	struct nook_create *c = data;

	if (fd >= 0 && strcmp(script, "orphan-pts-master") == 0) {
		close_fd(&c->master);
		c->master = fd;
		return 0;
	}
	close_fd(&fd);
	return strcmp(script, "setup-namespaces") == 0 ? run_hooks(c, pid, err) : 0;
}

int restore_processes(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	struct nook_criu_message options = { .arena = c->stage.arena };
	int pid = 0, rc = open_as_seen(c->pid, &c->restore->dirs.images, err);

	if (rc == 0)
		rc = open_as_seen(c->pid, &c->restore->dirs.work, err);
	if (rc == 0)
		rc = put_options(c, &options, err);
	if (rc < 0)
		return rc;

	const struct nook_criu_talk talk = {
		.sock = c->walk.channel,
		.interrupt = c->walk.interrupt,
		.what = NOOK_CRIU_RESTORE,
		.options = &options,
		.notify = notified,
		.data = c,
	};

	rc = nook_criu_ask(&talk, &pid, err);
	if (rc < 0) {
		if (err)
			nook_criu_log(c->restore->dirs.work, c->restore->dirs.work_path, LOG, err);
		return rc;
	}

	/* From here on what is ours is the restored process: CRIU has cloned it as our child. */
	close_fd(&c->walk.channel);
	nook_criu_end(c->pid, c->pidfd, false);
	close_fd(&c->pidfd);
	c->pid = pid;
	c->pidfd = nook_pidfd_open(pid, 0);
	nook_create_close_pieces(c);
	return c->pidfd < 0 ? nook_fail(err, -c->pidfd, "pidfd_open %d", pid) : 0;
}

void restore_processes_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "what was saved", "criu: RESTORE");
}

/* Some may be there without the first one. */
int end_restored(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = kill_stage(c, err);

	return rc == 0 && c->cgroups_made
		       ? nook_cgroup_kill(c->record.cgroups, c->cgroups_made, err)
		       : rc;
}
