/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define GROUP "mounts"

static int mount_proc(struct nook_error *err)
{
	auto_close int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0)
		return nook_fail(err, errno, "fsopen proc");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return nook_fail(err, errno, "fsconfig proc (create)");

	auto_close int mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);

	return mnt < 0 ? nook_fail(err, errno, "fsmount proc") : 0;
}

static int try_proc(void *data, struct nook_error *err)
{
	int rc = nook_enter_userns(CLONE_NEWNS | CLONE_NEWPID, err);

	return rc < 0 ? rc : nook_attempt_in_child(mount_proc, err);
}

static const struct new_fs {
	const char *id, *title, *type;
	unsigned long flag; /* the namespace that it shows, which must be ours */
	bool needed;
} new_fs[] = {
	{ "mount.tmpfs", "a tmpfs", "tmpfs", 0, true },
	{ "mount.sysfs", "a new /sys", "sysfs", CLONE_NEWNET, true },
	{ "mount.devpts", "a new /dev/pts", "devpts", 0, true },
	{ "mount.mqueue", "a new /dev/mqueue", "mqueue", CLONE_NEWIPC, false },
	{ "mount.cgroup2", "cgroup2 in a cgroup namespace", "cgroup2", CLONE_NEWCGROUP, false },
};

static int try_new_fs(void *data, struct nook_error *err)
{
	const struct new_fs *new = data;
	const char *type = new->type;
	int rc = nook_enter_userns(CLONE_NEWNS | new->flag, err);

	if (rc < 0)
		return rc;

	auto_close int fs = fsopen(type, FSOPEN_CLOEXEC);

	if (fs < 0)
		return nook_fail(err, errno, "fsopen %s", type);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return nook_fail(err, errno, "fsconfig %s (create)", type);

	auto_close int mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);

	return mnt < 0 ? nook_fail(err, errno, "fsmount %s", type) : 0;
}

static int make_dirs(struct nook_error *err)
{
	static const char *const names[] = { "low", "low2", "up", "work", "merged" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (mkdir(names[i], 0755) < 0)
			return nook_fail(err, errno, "mkdir %s", names[i]);
	}

	auto_close int fd = open("low/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 ? nook_fail(err, errno, "open low/file") : 0;
}

/* A file of the lower layer is copied up when it is written, and stays as it was below. */
static int use_overlay(struct nook_error *err)
{
	struct stat st;
	auto_close int fd = open("merged/file", O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open a file of the overlay");
	if (write(fd, "x", 1) != 1)
		return nook_fail(err, errno, "write a file of the overlay");
	if (stat("up/file", &st) < 0 || st.st_size != 1)
		return nook_refuse(err, EIO, "overlay: the file was not copied up");
	if (stat("low/file", &st) < 0 || st.st_size != 0)
		return nook_refuse(err, EIO, "overlay: the lower file was changed");
	return 0;
}

static int try_overlay(void *data, struct nook_error *err)
{
	int rc = nook_enter_userns(CLONE_NEWNS, err);

	rc = rc < 0 ? rc : nook_enter_tmpfs(err);
	rc = rc < 0 ? rc : make_dirs(err);
	if (rc < 0)
		return rc;
	if (mount("overlay", "merged", "overlay", 0,
		  "lowerdir=low,upperdir=up,workdir=work,userxattr") < 0)
		return nook_fail(err, errno, "mount overlay");
	return use_overlay(err);
}

static int try_lowerdir_add(void *data, struct nook_error *err)
{
	int rc = nook_enter_userns(CLONE_NEWNS, err);

	rc = rc < 0 ? rc : nook_enter_tmpfs(err);
	rc = rc < 0 ? rc : make_dirs(err);
	if (rc < 0)
		return rc;

	auto_close int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0)
		return nook_fail(err, errno, "fsopen overlay");
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", "low", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", "low2", 0) < 0)
		return nook_fail(err, errno, "fsconfig overlay lowerdir+");
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0
		       ? nook_fail(err, errno, "fsconfig overlay (create)")
		       : 0;
}

void nook_probe_mounts(struct nook_probes *p, const struct nook_host *host)
{
	struct nook_error err = { 0 };
	int rc = nook_attempt(try_proc, NULL, &err);

	nook_probe_outcome(p, GROUP, "mount.proc", "a new /proc", rc, &err, true)->needed = true;
	for (size_t i = 0; i < ARRAY_SIZE(new_fs); i++) {
		err = (struct nook_error){ 0 };
		rc = nook_attempt(try_new_fs, (void *)&new_fs[i], &err);

		struct nook_probe *row =
			nook_probe_outcome(p, GROUP, new_fs[i].id, new_fs[i].title, rc, &err, true);

		row->needed = new_fs[i].needed;
		if (!row->needed && rc < 0)
			row->verdict = NOOK_VERDICT_PARTLY;
	}

	err = (struct nook_error){ 0 };
	rc = nook_attempt(try_overlay, NULL, &err);

	struct nook_probe *row = nook_probe_outcome(p, GROUP, "mount.overlay",
						    "overlay in a user namespace", rc, &err, true);

	row->needed = true;
	if (rc < 0)
		return;
	row->detail = "a file was copied up";

	err = (struct nook_error){ 0 };
	rc = nook_attempt(try_lowerdir_add, NULL, &err);
	row = nook_probe_add(p, GROUP, "mount.lowerdir", "overlay layers one by one",
			     rc < 0 ? NOOK_VERDICT_PARTLY : NOOK_VERDICT_YES);
	row->detail = rc < 0 ? "Linux 6.5 brings lowerdir+; all layers have to fit in one page of "
			       "options"
			     : "lowerdir+: any number of layers that the kernel takes";
}
