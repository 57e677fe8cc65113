/* SPDX-License-Identifier: Apache-2.0 */
#include "netdevs_home.h"

#include "base/own.h"
#include "create.h"
#include "net/move_note.h"
#include "oci_parts.h"
#include "sys/netlink.h"
#include "sys/procfs.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_ours(uint64_t *ret_ino, struct nook_error *err)
{
	struct stat st;
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;

	auto_close int ours = nook_procfs_open_ns(proc, getpid(), "net", err);

	if (ours < 0)
		return ours;
	if (fstat(ours, &st) < 0)
		return nook_fail(err, errno, "fstat of our network namespace");
	*ret_ino = st.st_ino;
	return move_fd(&ours);
}

/* Return: -ENOENT, nothing noted: it has ended, and sent home what there was. */
static int open_there(const struct nook_record_netdevs *d, struct nook_error *err)
{
	const struct nook_plan_join join = { .kind = NOOK_NS_NET, .path = d->path, .ino = d->ino };
	struct nook_error why = { 0 };
	int fd = nook_join_open(&join, &why);

	/* EINVAL: it is a namespace no more; ESTALE: it is another one. */
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EINVAL || fd == -ESTALE)
		return -ENOENT;
	if (fd < 0 && err)
		*err = why;
	return fd;
}

static int bring_all(const struct nook_record_netdevs *d, const struct nook_link_doors *doors,
		     struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	int rc = nook_arena_open(&a, err), first = rc;

	for (size_t i = 0; rc >= 0 && d->links[i]; i++) {
		struct nook_error why = { 0 };
		int one = nook_link_bring_home(doors, d->links[i], &a, &why);

		/* The others can come all the same. */
		if (one < 0 && first == 0) {
			first = one;
			if (err)
				*err = why;
		}
	}
	return first;
}

/* From here they can't be brought home, and that may be gone for good: once somebody has taken them
 * out of there, nothing is left to do. */
static int refuse_elsewhere(const struct nook_record_netdevs *d, int there, uint64_t ours,
			    struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	int rc = nook_arena_open(&a, err);

	for (size_t i = 0; rc == 0 && d->links[i]; i++)
		rc = nook_link_is_there(there, d->links[i], &a, err);
	if (rc <= 0)
		return rc;
	nook_hint(err, "do this in the network namespace that they come from, or move them out of "
		       "there by hand");
	return nook_refuse(err, EXDEV,
			   "its network devices, in %s now, come from another network namespace "
			   "(%lu) than ours (%lu)",
			   d->path, d->home, ours);
}

/* Once it has run they are the namespace's, whoever it belongs to: config-linux.md. `start` takes
 * the socket away by which it is started, and `run` its mark. */
static bool never_started(const struct nook_record *r, int starts)
{
	return r->phase == NOOK_PHASE_CREATING || nook_oci_start_waits(starts, r->start);
}

int nook_netdevs_bring_home(const struct nook_record *r, int starts, struct nook_error *err)
{
	const struct nook_record_netdevs *d = r->netdevs;
	auto_close int there = NO_FD, ours = NO_FD, here_nl = NO_FD, there_nl = NO_FD;
	uint64_t ino = 0;

	if (!d || !never_started(r, starts))
		return 0;
	there = open_there(d, err);
	if (there < 0)
		return there == -ENOENT ? 0 : there;
	ours = open_ours(&ino, err);
	if (ours < 0)
		return ours;
	there_nl = nook_link_open_in(ours, there, err);
	if (there_nl < 0)
		return there_nl;
	if (ino != d->home)
		return refuse_elsewhere(d, there_nl, ino, err);
	here_nl = nook_nl_open();
	if (here_nl < 0)
		return nook_fail(err, -here_nl, "socket NETLINK_ROUTE");
	return bring_all(d,
			 &(struct nook_link_doors){
				 .here = here_nl, .there = there_nl, .home = ours, .ns = there },
			 err);
}
