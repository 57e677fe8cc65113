/* SPDX-License-Identifier: Apache-2.0 */
#include "base/own.h"
#include "cgroup.h"
#include "nook/container.h"
#include "state/state.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <signal.h>

int nook_kill(const char *state_dir, const char *name, int signal, bool all, struct nook_error *err)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_record record;
	enum nook_life life;

	if (nook_arena_init(&arena) < 0)
		return nook_fail(err, ENOMEM, "mmap of %zu MiB of address space",
				 NOOK_ARENA_SIZE >> 20);

	int rc = nook_state_read(state_dir, name, &arena, &record, &life, err);

	if (rc < 0)
		return rc;
	if (life != NOOK_LIFE_RUNNING)
		return nook_refuse(err, ESRCH, "the container %s is not running", name);

	auto_close int pidfd = NO_FD;

	rc = nook_state_pidfd(&record, &pidfd, err);
	if (rc < 0)
		return rc;
	if (all && record.n_cgroups)
		return nook_cgroup_signal(record.cgroups, record.n_cgroups, signal, err);

	rc = nook_pidfd_send_signal(pidfd, signal);
	return rc < 0 ? nook_fail(err, -rc, "pidfd_send_signal(%d, %d)", record.pid, signal) : 0;
}
