/* SPDX-License-Identifier: Apache-2.0 */
#include "net_hosts.h"

#include "base/own.h"
#include "net/outside.h"
#include "state/files.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* A detached mount of the file, as those inside may have it. */
static int open_mount(int base, const char *path, struct nook_error *err)
{
	auto_close int tree = nook_open_tree(base, path, false, false);

	if (tree < 0)
		return nook_fail(err, -tree, "open_tree(%s in the state directory)", path);

	int rc = nook_mount_setattr(tree, false,
				    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					    MOUNT_ATTR_NOEXEC,
				    0, MS_PRIVATE, NO_FD);

	return rc < 0 ? nook_fail(err, -rc, "mount_setattr(%s)", path) : move_fd(&tree);
}

/* In the container's mount namespace, where setns(2) has made its root ours. */
static int mount_inside(int pidfd, uint64_t namespaces, int tree)
{
	int rc = nook_setns(pidfd, CLONE_NEWNS | (namespaces & CLONE_NEWUSER));

	if (rc < 0)
		return -rc;

	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int target = root < 0 ? -errno : nook_resolve(root, "/etc/hosts", NULL);

	if (target == -ENOENT)
		return 0;
	if (target < 0)
		return -target;
	rc = nook_move_mount(tree, target);
	return rc < 0 ? -rc : 0;
}

/* The mount namespace of an ordinary user's networks is the machine's, of which nothing can be
 * mounted there: a copy of it is ours. Files that were open before are in the other one. */
static int open_in_copy(const char *state_dir, const char *path)
{
	int rc = nook_unshare(CLONE_NEWNS);
	auto_close int base = rc < 0 ? rc : nook_base_open(state_dir, false, NULL);

	return base < 0 ? base : open_mount(base, path, NULL);
}

/* @tree: NO_FD where it is to be opened here. Return: the exit status, an errno. */
static int be_child(const char *state_dir, const char *path, int tree, int pidfd,
		    uint64_t namespaces)
{
	auto_close int own = tree < 0 ? open_in_copy(state_dir, path) : NO_FD;

	if (tree < 0 && own < 0)
		return -own;
	return mount_inside(pidfd, namespaces, tree < 0 ? own : tree);
}

int nook_hosts_show(const char *state_dir, int base, const struct nook_record *record,
		    const struct nook_plan_link *links, size_t n, struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	auto_close int pidfd = NO_FD;
	const char *path = NULL;
	bool any = false;
	int rc, status = 0;

	for (size_t i = 0; i < n; i++)
		any |= links[i].network != NULL;
	if (!any || !(record->namespaces & CLONE_NEWNS))
		return 0;
	rc = nook_arena_open(&scratch, err);
	if (rc == 0)
		rc = nook_hosts_file(base, links, n, &scratch, &path, err);
	if (rc == 0)
		rc = nook_state_pidfd(record, &pidfd, err);
	if (rc < 0)
		return rc;

	bool apart = nook_net_apart();
	auto_close int tree = apart ? NO_FD : open_mount(base, path, err);

	if (tree < 0 && !apart)
		return tree;

	pid_t child = nook_clone(0, NO_FD, NULL);

	if (child == 0)
		_exit(be_child(state_dir, path, tree, pidfd, record->namespaces));
	if (child < 0)
		return nook_fail(err, -child, "clone3");
	if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return nook_fail(err, ECHILD, "waitpid of who mounts the hosts file inside");
	return WEXITSTATUS(status)
		       ? nook_fail(err, WEXITSTATUS(status),
				   "mount the hosts file over /etc/hosts of container %s",
				   record->name)
		       : 0;
}
