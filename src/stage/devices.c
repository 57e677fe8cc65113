/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes and FIFOs of a bundle. */
#include "mounts.h"

#include "base/own.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/procfs.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Owner and mode as the plan says, where the directory's setgid bit or default ACL has changed
 * them. */
static int correct_node(struct nook_stage *s, int node, const struct nook_plan_mount *m,
			struct nook_error *err)
{
	struct stat st;

	if (fstat(node, &st) < 0)
		return nook_fail(err, errno, "fstat %s", m->target);
	if (st.st_uid != m->uid || st.st_gid != m->gid) {
		int rc = nook_own_node(node, m->uid, m->gid);

		if (rc < 0)
			return nook_fail(err, -rc, "fchownat %s to %u:%u", m->target, m->uid,
					 m->gid);
		st.st_mode &= ~06000U; /* chown(2) has cleared them */
	}
	if ((st.st_mode & 07777) == (m->mode & 07777))
		return 0;

	int rc = nook_chmod_node(node, m->mode & 07777);

	if (rc == -ENOSYS) /* before Linux 6.6 */
		return nook_procfs_chmod(s->proc, node, m->mode & 07777, err);
	return rc < 0 ? nook_fail(err, -rc, "fchmodat2 %s to 0%o", m->target, m->mode & 07777) : 0;
}

/* The very node may be there already, with an owner and mode of its own; and what was mounted there
 * was meant to be there. */
static int check_existing(int node, const struct nook_plan_mount *m, struct nook_error *err)
{
	struct stat st;

	if (fstat(node, &st) < 0)
		return nook_fail(err, errno, "fstat %s", m->target);
	if ((st.st_mode & S_IFMT) == (m->mode & S_IFMT) &&
	    (S_ISFIFO(st.st_mode) || st.st_rdev == m->rdev))
		return 0;
	if (nook_is_mount_root(node) == 1)
		return 0;
	nook_hint(err, "remove it from the root file system, or mount a tmpfs on the directory");
	return nook_refuse(err, EEXIST,
			   "%s is there, and is not the device %u:%u that was asked for", m->target,
			   major(m->rdev), minor(m->rdev));
}

/* Without CAP_MKNOD, and in user namespaces: the host's node of the same name, when it is the same
 * device. */
static int bind_device(int dir, const char *name, const struct nook_plan_mount *m,
		       struct nook_error *err)
{
	auto_close int host = nook_open_device(m->target, m->mode & S_IFMT, m->rdev, err);

	if (host < 0) {
		nook_hint(err, "making device nodes takes CAP_MKNOD and the machine's own root");
		return host;
	}

	int rc =
		nook_mount_setattr(host, false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0, NO_FD);

	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr %s", m->target);

	auto_close int target = nook_create_below(dir, name, 0644);

	if (target < 0)
		return nook_fail(err, -target, "create %s", m->target);
	rc = nook_move_mount(host, target);
	return rc < 0 ? nook_fail(err, -rc, "move_mount to %s", m->target) : 0;
}

static int make_device_in(struct nook_stage *s, int dir, const char *name,
			  const struct nook_plan_mount *m, struct nook_error *err)
{
	int rc = nook_mknod_below(dir, name, m->mode, m->rdev);

	if (rc == -EPERM && !S_ISFIFO(m->mode))
		return bind_device(dir, name, m, err);
	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mknodat %s", m->target);

	auto_close int node = nook_open_node_below(dir, name);

	if (node < 0)
		return nook_fail(err, -node, "open %s", m->target);
	return rc == -EEXIST ? check_existing(node, m, err) : correct_node(s, node, m, err);
}

int nook_make_device(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	int dir;
	const char *name = nook_name_in_tmpfs(s, m->target, &dir);

	if (name)
		return make_device_in(s, dir, name, m, err);

	auto_close int parent = nook_open_target_parent(s, m, &name, err);

	return parent < 0 ? parent : make_device_in(s, parent, name, m, err);
}
