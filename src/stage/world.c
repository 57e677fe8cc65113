/* SPDX-License-Identifier: Apache-2.0 */
/* What makes the container a host of its own: its name, its clocks, its loopback; and what it must
 * not inherit. */
#include "stage.h"

#include "base/own.h"
#include "sys/loopback.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/call.h"

/* By the links of a procfs that knows us. */
static int move_clocks(int proc, const struct nook_plan *plan, struct nook_error *err)
{
	auto_close int self = nook_procfs_self(proc, err);

	if (self < 0)
		return self;

	int rc = plan->time_offsets
			 ? nook_procfs_write_at(self, "timens_offsets", plan->time_offsets, err)
			 : 0;

	if (rc == -ERANGE)
		nook_hint(err, "the clocks inside may not run below zero or past 146 years");
	if (rc < 0)
		return rc;

	auto_close int ns = nook_procfs_open_ns_at(self, "time_for_children", err);

	if (ns < 0)
		return ns;
	rc = nook_setns(ns, CLONE_NEWTIME);
	return rc < 0 ? nook_fail(err, -rc, "setns(time_for_children)") : 0;
}

/*
 * clone3(CLONE_NEWTIME) would freeze the offsets at once. unshare(2) makes the namespace for
 * children only, takes its offsets, and then we enter it like any other. time_namespaces(7)
 */
int set_clock_offsets(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc = nook_unshare(CLONE_NEWTIME);

	if (rc < 0)
		return nook_fail(err, -rc, "unshare(CLONE_NEWTIME)");
	if (!s->plan->own_userns)
		return move_clocks(s->proc, s->plan, err);

	/*
	 * A non-dumpable process' files in /proc belong to the machine's root, whom we are not any
	 * more. Nobody is in this new user namespace yet who could use the moment.
	 */
	rc = nook_prctl(PR_SET_DUMPABLE, 1, 0);
	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_DUMPABLE)");
	rc = move_clocks(s->proc, s->plan, err);

	int back = nook_prctl(PR_SET_DUMPABLE, 0, 0);

	return rc == 0 && back < 0 ? nook_fail(err, -back, "prctl(PR_SET_DUMPABLE)") : rc;
}

/*
 * In a user namespace that was joined others are already, who may trace what is dumpable and has
 * their ids. So it is done while we have none of these: as who we came, these files are ours.
 */
int set_clock_offsets_first(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc = nook_unshare(CLONE_NEWTIME);

	if (rc < 0)
		return nook_fail(err, -rc, "unshare(CLONE_NEWTIME)");

	auto_close int proc = nook_procfs_open(false, err);

	return proc < 0 ? proc : move_clocks(proc, s->plan, err);
}

void set_clock_offsets_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "new clocks", "unshare(CLONE_NEWTIME)");
	for (const char *line = plan->time_offsets; line && *line; line += strcspn(line, "\n") + 1)
		nook_show(rows, "move one", "write(/proc/self/timens_offsets, \"%.*s\")",
			  (int)strcspn(line, "\n"), line);
	nook_show(rows, "enter them", "setns(/proc/self/ns/time_for_children)");
}

void set_clock_offsets_first_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	set_clock_offsets_show(plan, rows);
}

int set_hostname(void *ctx, struct nook_error *err)
{
	const struct nook_plan *plan = ((struct nook_stage *)ctx)->plan;

	if (plan->hostname && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return nook_fail(err, errno, "sethostname %s", plan->hostname);
	if (plan->domainname && setdomainname(plan->domainname, strlen(plan->domainname)) < 0)
		return nook_fail(err, errno, "setdomainname %s", plan->domainname);
	return 0;
}

void set_hostname_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (plan->hostname)
		nook_show(rows, "its own host name", "sethostname(\"%s\")", plan->hostname);
	if (plan->domainname)
		nook_show(rows, "its own NIS domain", "setdomainname(\"%s\")", plan->domainname);
}

int raise_loopback(void *ctx, struct nook_error *err)
{
	auto_close int socket = NO_FD;
	const char *call;
	int rc = nook_loopback_up(&socket, &call);

	(void)ctx;
	return rc < 0 ? nook_fail(err, -rc, "%s", call) : 0;
}

void raise_loopback_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "loopback up", "ioctl(SIOCSIFFLAGS, lo IFF_UP)");
}

int nook_enter_network(struct nook_stage *s, struct nook_error *err)
{
	auto_close int net = NO_FD;
	int *others = s->walk.ret_fd;

	if (!s->plan->net_beside || s->networked)
		return 0;
	s->walk.ret_fd = &net;

	int rc = nook_wait(&s->walk, NOOK_MSG_NETWORK, err);

	s->walk.ret_fd = others;
	if (rc == -EPIPE)
		return nook_refuse(err, EPIPE, "the runtime ended before the network was there");
	if (rc < 0)
		return rc;
	rc = nook_setns(net, CLONE_NEWNET);
	s->networked = rc == 0;
	return rc < 0 ? nook_fail(err, -rc, "setns(CLONE_NEWNET)") : 0;
}

int enter_network(void *ctx, struct nook_error *err)
{
	return nook_enter_network(ctx, err);
}

void enter_network_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "by now, or before what depends on it",
		  "recvmsg(from the outside), setns(CLONE_NEWNET)");
}

/* An engine's container runs where its config says, wherever the engine itself runs. The kernel
 * leaves what the cgroup allows. Where a filter forbids it for us, it stays as it is. */
static int forget_affinity(struct nook_error *err)
{
	unsigned long all[128];

	memset(all, 0xff, sizeof(all));

	long rc = NOOK_CALL(SYS_sched_setaffinity, 0, sizeof(all), all);

	return rc < 0 && rc != -EPERM && rc != -ENOSYS
		       ? nook_fail(err, (int)-rc, "sched_setaffinity(all)")
		       : 0;
}

/* The caller's session keyring may hold tickets and passwords. Without CONFIG_KEYS there are none.
 */
static int leave_keyring(struct nook_error *err)
{
	long rc = NOOK_CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);

	return rc < 0 && rc != -ENOSYS
		       ? nook_fail(err, (int)-rc, "keyctl(KEYCTL_JOIN_SESSION_KEYRING)")
		       : 0;
}

int detach_from_caller(void *ctx, struct nook_error *err)
{
	const struct nook_plan *plan = ((struct nook_stage *)ctx)->plan;

	/* SIG_IGN outlives execve: nohup's SIGHUP would be ignored inside as well. Gone at once for
	 * all that can be set. */
	for (int sig = 1; sig <= 64; sig++)
		nook_reset_signal(sig);

	if (personality(0) < 0)
		return nook_fail(err, errno, "personality(0)");

	if (!plan->bundle)
		return leave_keyring(err);
	return forget_affinity(err); /* join_keyring() does the other when it is to */
}

void detach_from_caller_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows,
		  plan->bundle ? "none of the caller's settings"
			       : "none of the caller's settings and keys",
		  "signal(all, SIG_DFL), personality(0), %s",
		  plan->bundle ? "sched_setaffinity(all)" : "keyctl(JOIN_SESSION_KEYRING)");
}
