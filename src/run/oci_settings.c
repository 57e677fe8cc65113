/* SPDX-License-Identifier: Apache-2.0 */
/* What of a program's settings is done from outside when it joins a container. */
#include "create.h"

#include "base/bits.h"
#include "base/own.h"
#include "sys/call.h"
#include "sys/label.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>

/* What a caller passes on has outlived our execve(2); what is ours would not. */
int check_preserved(void *ctx, struct nook_error *err)
{
	unsigned n = ((struct nook_create *)ctx)->plan->process.preserve_fds;

	for (unsigned fd = 3; fd < 3 + n; fd++) {
		int flags = fcntl((int)fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			continue;
		nook_where(err, "--preserve-fds %u", n);
		nook_hint(err, "its number counts descriptors from 3 on, without a gap");
		return nook_refuse(err, EBADF,
				   "descriptor %u, which is to be passed on, is not "
				   "open",
				   fd);
	}
	return 0;
}

void check_preserved_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "are these open?", "fcntl(3 to %u, F_GETFD)",
		  2 + plan->process.preserve_fds);
}

/* No procfs in there is to be trusted, and the kernel may refuse one of our own: so we open the
 * file here, by the checked one, to which only the stage can then write. */
int open_label(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	bool apparmor = c->plan->process.apparmor;
	auto_close int task = nook_procfs_task(c->proc, c->pid, err);
	int fd = task < 0 ? task
			  : nook_label_open(
				    task, apparmor ? NOOK_LABEL_APPARMOR : NOOK_LABEL_SELINUX, err);

	if (fd < 0)
		return fd;
	c->walk.send_fd = fd;
	return 0;
}

void open_label_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "what takes its security label", "openat2(\"PID/attr/%s\")",
		  plan->process.apparmor ? "apparmor/exec" : "exec");
}

/* By our own: the child is born with them, and leaves them once it is in its cgroup. */
int set_first_cpus(void *ctx, struct nook_error *err)
{
	const char *list = ((struct nook_create *)ctx)->plan->process.affinity;
	struct nook_bits bits;
	int rc = nook_bits_parse(list, &bits);

	if (rc == 0)
		rc = (int)NOOK_CALL(SYS_sched_setaffinity, 0, sizeof(bits.word), bits.word);
	if (rc >= 0)
		return 0;
	nook_where(err, "/process/execCPUAffinity/initial");
	return nook_fail(err, -rc, "sched_setaffinity(%s)", list);
}

void set_first_cpus_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "until it is in its cgroup", "sched_setaffinity(%s)",
		  plan->process.affinity);
}
