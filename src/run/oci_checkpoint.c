/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint: a container's processes become files. */
#include "oci_restore.h"

#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "oci_parts.h"
#include "sys/process.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PATIENCE_MS 10000
#define LOG         "dump.log"

/* ---- what CRIU is told ---- */

/* By it, its processes are found and held still at once. */
static void put_freezer(const struct nook_record *r, struct nook_criu_message *options)
{
	for (size_t i = 0; i < r->n_cgroups; i++) {
		const struct nook_plan_cgroup_dir *d = &r->cgroups[i];
		const char *name = strrchr(d->mount, '/');
		char path[4096];

		if (!d->v2 && !(name && strcmp(name, "/freezer") == 0))
			continue;
		(void)nook_format(path, sizeof(path), "%s%s", d->mount, d->path);

		int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		bool can = fd >= 0 &&
			   faccessat(fd, d->v2 ? "cgroup.freeze" : "freezer.state", F_OK, 0) == 0;

		close_fd(&fd);
		if (can) {
			nook_criu_text(options, NOOK_CRIU_FREEZE_CGROUP, path);
			return;
		}
	}
}

/* A namespace that was there before the container is not its to save. */
static int put_joined(const struct nook_record *r, const char *name, const char *key,
		      struct nook_criu_message *options, struct nook_error *err)
{
	char path[40];
	struct stat st;

	(void)nook_format(path, sizeof(path), "/proc/%d/ns/%s", r->pid, name);
	if (stat(path, &st) < 0)
		return nook_fail(err, errno, "stat %s", path);
	nook_criu_text(
		options, NOOK_CRIU_EXTERNAL,
		nook_printf(options->arena, "%s[%lu]:%s", name, (unsigned long)st.st_ino, key));
	return 0;
}

static int put_all_joined(const struct nook_record *r, struct nook_arena *a,
			  struct nook_criu_message *options, struct nook_error *err)
{
	struct nook_bundle b = { 0 };
	int rc = nook_bundle_read(a, r->bundle, &b, err);

	if (rc == 0 && b.ns[NOOK_NS_NET].path)
		rc = put_joined(r, "net", "extRootNetNS", options, err);
	if (rc == 0 && b.ns[NOOK_NS_PID].path)
		rc = put_joined(r, "pid", "extRootPidNS", options, err);
	return rc;
}

/* ["/dev/null","pipe:[4711]",…]: pipes are given again when it is restored. */
static int write_streams(const struct nook_record *r, int images, struct nook_arena *a,
			 struct nook_error *err)
{
	struct nook_json_writer w;
	const char *text;
	size_t len;

	nook_json_to_arena(&w, a, false);
	nook_json_array(&w, NULL);
	for (int i = 0; i <= 2; i++) {
		char path[40], link[4096];
		ssize_t n;

		(void)nook_format(path, sizeof(path), "/proc/%d/fd/%d", r->pid, i);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		nook_json_put_text(&w, NULL, link);
	}
	nook_json_end(&w);

	int rc = nook_json_finish(&w, &text, &len);
	auto_close int fd = NO_FD;

	if (rc < 0)
		return nook_fail(err, -rc, "write JSON");
	fd = openat(images, NOOK_CRIU_STREAMS,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return nook_fail(err, errno, "write " NOOK_CRIU_STREAMS);
	return 0;
}

static int put_options(const struct nook_record *r, const struct nook_oci_criu *w,
		       const struct nook_criu_dirs *d, struct nook_criu_message *options,
		       struct nook_error *err)
{
	struct nook_arena *a = options->arena;
	int rc = nook_criu_common(w, d, LOG, options, err);

	if (rc < 0)
		return rc;
	nook_criu_number(options, NOOK_CRIU_PID, (uint64_t)r->pid);
	nook_criu_text(options, NOOK_CRIU_ROOT, r->rootfs);
	nook_criu_number(options, NOOK_CRIU_LEAVE_RUNNING, w->leave_running);
	put_freezer(r, options);
	if (w->parent_path && w->parent_path[0])
		nook_criu_text(options, NOOK_CRIU_PARENT_IMAGES, w->parent_path);
	if (w->pre_dump || (w->parent_path && w->parent_path[0]))
		nook_criu_number(options, NOOK_CRIU_TRACK_MEMORY, true);
	rc = put_all_joined(r, a, options, err);
	if (rc < 0 || w->pre_dump)
		return rc;
	rc = nook_criu_dump_mounts(a, r->pid, r->namespaces & CLONE_NEWCGROUP, options, err);
	return rc < 0 ? rc : write_streams(r, d->images, a, err);
}

/* ---- the dump ---- */

static int dump(const struct nook_oci_criu *w, const struct nook_criu_message *options,
		struct nook_error *err)
{
	auto_close int pidfd = NO_FD, sock = NO_FD;
	sigset_t signals;

	(void)sigprocmask(SIG_SETMASK, NULL, &signals); /* can't fail: it only asks */

	const struct nook_criu_start start = {
		.program = w->program,
		.cgroup = NO_FD,
		.signals = &signals,
	};
	int pid = nook_criu_start(&start, &sock, &pidfd, err);

	if (pid < 0)
		return pid;

	const struct nook_criu_talk talk = {
		.sock = sock,
		.interrupt = NO_FD,
		.what = w->pre_dump ? NOOK_CRIU_PRE_DUMP : NOOK_CRIU_DUMP,
		.options = options,
	};
	int rc = nook_criu_ask(&talk, NULL, err);

	close_fd(&sock);
	/* After a PRE_DUMP it waits for the next one. */
	nook_criu_end(pid, pidfd, w->pre_dump || rc < 0);
	return rc;
}

static int checkpoint_taken(struct nook_state *s, const struct nook_oci_criu *w,
			    struct nook_arena *a, struct nook_error *err)
{
	struct nook_criu_message options = { .arena = a };
	struct nook_criu_dirs dirs = NOOK_CRIU_NO_DIRS;
	struct nook_oci_state c;
	int rc = nook_oci_load_taken(s, NOOK_RECORD_TEXT, a, &c, err);

	if (rc < 0)
		return rc;
	if (c.status != NOOK_OCI_RUNNING && c.status != NOOK_OCI_PAUSED)
		return nook_refuse(err, EINVAL, "container cannot be checkpointed in %s state",
				   nook_oci_status_text(c.status));

	rc = nook_criu_dirs_open(w, true, &dirs, err);
	if (rc == 0)
		rc = put_options(&c.record, w, &dirs, &options, err);
	if (rc == 0) {
		rc = dump(w, &options, err);
		if (rc < 0 && err)
			nook_criu_log(dirs.work, dirs.work_path, LOG, err);
	}
	nook_criu_dirs_close(&dirs);
	return rc;
}

int nook_oci_checkpoint(const char *state_dir, const char *id, const struct nook_oci_criu *w,
			struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = nook_state_take(state_dir, id, PATIENCE_MS, &s, err);
	if (rc == -ENOENT)
		return nook_oci_no_such(id, err);
	if (rc == 0)
		rc = checkpoint_taken(&s, w, &a, err);
	nook_state_close(&s);
	return rc;
}
