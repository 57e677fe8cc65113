/* SPDX-License-Identifier: Apache-2.0 */
/* Which file systems can be mounted with mapped ids. mount_setattr(2), "ID-mapped mounts" */
#include "probe.h"
#include "base/own.h"
#include "base/text.h"
#include "evidence.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define GROUP "idmapped mounts"
#define MAP   "0 1879048192 65536"

static int write_map(pid_t pid, const char *file, struct nook_error *err)
{
	char path[64];

	(void)nook_format(path, sizeof(path), "/proc/%d/%s", pid, file);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	return write(fd, MAP, strlen(MAP)) < 0 ? nook_fail(err, errno, "write %s", file) : 0;
}

/* A user namespace with a map of 65,536 ids, by descriptor: what a mount is mapped with. */
static int mapped_userns(int *ret_fd, struct nook_error *err)
{
	char path[64], byte;
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	auto_close int in = ready[0];
	auto_close int out = ready[1];
	pid_t pid = fork();

	if (pid < 0)
		return nook_fail(err, errno, "fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		byte = unshare(CLONE_NEWUSER) < 0 ? (char)errno : 0;
		if (write(out, &byte, 1) == 1)
			(void)pause();
		_exit(1);
	}

	close_fd(&out);

	int rc = 0;
	auto_close int fd = NO_FD;

	(void)nook_format(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (read(in, &byte, 1) != 1)
		rc = nook_fail(err, ECHILD, "a process for the map ended");
	else if (byte)
		rc = nook_fail(err, byte, "unshare (user)");
	rc = rc < 0 ? rc : write_map(pid, "uid_map", err);
	rc = rc < 0 ? rc : write_map(pid, "gid_map", err);
	if (rc == 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		rc = nook_fail(err, errno, "open %s", path);

	(void)kill(pid, SIGKILL); /* our own child, not reaped yet */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (rc == 0)
		*ret_fd = move_fd(&fd);
	return rc;
}

/* A detached copy of the mount at @path with mapped ids. */
static int map_clone(const char *path, int *ret_fd, struct nook_error *err)
{
	auto_close int userns = NO_FD;
	int rc = mapped_userns(&userns, err);

	if (rc < 0)
		return rc;

	auto_close int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open_tree %s", path);

	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return nook_fail(err, errno, "mount_setattr (idmap) %s", path);
	*ret_fd = move_fd(&fd);
	return 0;
}

static int try_path(void *data, struct nook_error *err)
{
	auto_close int fd = NO_FD;

	return map_clone(data, &fd, err);
}

static int enter_own_tmpfs(struct nook_error *err)
{
	return unshare(CLONE_NEWNS) < 0 ? nook_fail(err, errno, "unshare (mnt)")
					: nook_enter_tmpfs(err);
}

static int try_tmpfs(void *data, struct nook_error *err)
{
	auto_close int fd = NO_FD;
	int rc = enter_own_tmpfs(err);

	return rc < 0 ? rc : map_clone(".", &fd, err);
}

/* The copy-on-write root: / with mapped ids as an overlay's lower layer. */
static int try_overlay(void *data, struct nook_error *err)
{
	auto_close int fd = NO_FD;
	int rc = map_clone("/", &fd, err);

	rc = rc < 0 ? rc : enter_own_tmpfs(err);
	if (rc < 0)
		return rc;
	if (mkdir("low", 0755) < 0 || mkdir("up", 0755) < 0 || mkdir("work", 0755) < 0 ||
	    mkdir("merged", 0755) < 0)
		return nook_fail(err, errno, "mkdir");
	if (move_mount(fd, "", AT_FDCWD, "low", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return nook_fail(err, errno, "move_mount low");
	if (mount("overlay", "merged", "overlay", 0,
		  "lowerdir=low,upperdir=up,workdir=work,userxattr") < 0)
		return nook_fail(err, errno, "mount overlay (layer with mapped ids)");
	return 0;
}

/* The file systems that people put volumes and roots on, each once. */
static size_t pick_places(const struct nook_host *host, const char *out[static 8])
{
	const char *const places[] = { "/", "/home", "/var", "/tmp", "/srv", host->cwd };
	dev_t seen[8];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct stat st;
		bool again = false;

		if (!places[i] || stat(places[i], &st) < 0)
			continue;
		for (size_t j = 0; j < n; j++)
			again |= seen[j] == st.st_dev;
		if (again)
			continue;
		seen[n] = st.st_dev;
		out[n++] = places[i];
	}
	return n;
}

static void add_place(struct nook_probes *p, const char *id, const char *title, int rc,
		      struct nook_error *err)
{
	struct nook_probe *row = nook_probe_outcome(p, GROUP, id, title, rc, err, false);

	/* Volumes and the machine's root are there with the host's owners, as nobody's. */
	if (rc < 0)
		row->verdict = NOOK_VERDICT_PARTLY;
}

static void probe_place(struct nook_probes *p, const char *path)
{
	struct nook_error err = { 0 };
	char type[32] = "?";
	int rc = nook_attempt(try_path, (void *)path, &err);
	const char *title;

	(void)nook_evidence_fstype(path, type, sizeof(type)); /* "?" is honest, too */
	title = nook_printf(p->arena, "%s (%s)", path, type);

	add_place(p, nook_printf(p->arena, "idmap.%s", path), title, rc, &err);
}

void nook_probe_idmaps(struct nook_probes *p, const struct nook_host *host)
{
	const char *places[8];
	struct nook_error err = { 0 };

	if (!host)
		return;
	if (!host->initial_userns || !(host->caps & 1ull << CAP_SYS_ADMIN)) {
		nook_probe_add(p, GROUP, "idmap", "any file system", NOOK_VERDICT_FACT)->detail =
			"only root of the machine may map a mount's ids; containers of this user "
			"see files through its own id map";
		return;
	}

	size_t n = pick_places(host, places);

	for (size_t i = 0; i < n; i++)
		probe_place(p, places[i]);
	add_place(p, "idmap.tmpfs", "tmpfs", nook_attempt(try_tmpfs, NULL, &err), &err);

	err = (struct nook_error){ 0 };
	add_place(p, "idmap.overlay", "as an overlay's layer",
		  nook_attempt(try_overlay, NULL, &err), &err);
}
