/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces of nobody's: the kernel takes the ids of a mount only in the shape of one. */
#include "mount_maps.h"

#include "base/own.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* A namespace is somebody's as long as it has no maps; this one does nothing else, and holds
 * nothing. */
static _Noreturn void be_holder(pid_t maker)
{
	(void)nook_close_range(0, ~0U, 0); /* what stays open does so for a moment */
	(void)nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	while (getppid() == maker)
		(void)pause();
	_exit(0);
}

static int end_holder(pid_t pid, int pidfd, struct nook_error *err)
{
	int rc = nook_pidfd_send_signal(pidfd, SIGKILL);

	/* Our child, not waited for yet: the pid can mean nobody else. */
	if (rc < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid %d", pid);
	}
	return 0;
}

static int open_mapped(int proc, pid_t pid, const struct nook_plan_maps *maps,
		       struct nook_error *err)
{
	int rc = nook_procfs_write(proc, pid, "uid_map", maps->uid_map, err);

	if (rc == 0)
		rc = nook_procfs_write(proc, pid, "gid_map", maps->gid_map, err);
	if (rc < 0)
		nook_hint(err,
			  "the maps of a mount are checked as those of a user namespace: no id "
			  "twice, on either side");
	return rc < 0 ? rc : nook_procfs_open_ns(proc, pid, "user", err);
}

int nook_mount_maps_open(int proc, const struct nook_plan_maps *maps, struct nook_error *err)
{
	pid_t maker = getpid();
	auto_close int pidfd = NO_FD;
	/* The files of a process that is not dumpable belong to the machine's root, whom we may not
	 * be. */
	int rc = nook_prctl(PR_SET_DUMPABLE, 1, 0);

	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_DUMPABLE)");

	pid_t pid = nook_clone(CLONE_NEWUSER, NO_FD, &pidfd);

	if (pid == 0)
		be_holder(maker);
	rc = nook_prctl(PR_SET_DUMPABLE, 0, 0);
	if (pid < 0)
		return nook_fail(err, -pid, "clone3(new user)");

	auto_close int ns = rc < 0 ? nook_fail(err, -rc, "prctl(PR_SET_DUMPABLE)")
				   : open_mapped(proc, pid, maps, err);

	rc = end_holder(pid, pidfd, ns < 0 ? NULL : err);
	return ns < 0 || rc == 0 ? move_fd(&ns) : rc;
}
