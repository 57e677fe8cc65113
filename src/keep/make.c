/* SPDX-License-Identifier: Apache-2.0 */
/* nook ns new, nook ns keep. */
#include "names.h"

#include "base/text.h"
#include "host/host.h"
#include "ns/kinds.h"
#include "nook/plan.h"
#include "run/create.h"
#include "sys/procfs.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t clone_flags(uint32_t kinds)
{
	uint64_t flags = 0;

	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (kinds & NOOK_NS_BIT(k))
			flags |= nook_ns_kinds[k].clone_flag;
	}
	return flags;
}

/* The id map that `nook run` would give a container of this caller's. */
static int plan_userns(struct nook_arena *a, const char *name, struct nook_plan *plan,
		       struct nook_error *err)
{
	static const char *argv[] = { "true", NULL };
	struct nook_spec spec = {
		.name = name,
		.net = NOOK_NET_HOST,
		.argv = argv,
		.cwd = "/",
		.seccomp = NOOK_SECCOMP_OFF,
		.init = NOOK_NO,
		.terminal = NOOK_NO,
	};
	struct nook_host *host = nook_alloc(a, sizeof(*host));

	for (int k = 0; k < NOOK_NS_COUNT; k++)
		spec.ns[k].mode = k == NOOK_NS_USER ? NOOK_NS_NEW : NOOK_NS_SHARE;

	int rc = nook_host_probe(a, &spec, host, err);

	return rc < 0 ? rc : nook_plan_build(a, &spec, host, plan, err);
}

static int hold_range(struct nook_naming *n, const struct nook_plan *plan, struct nook_error *err)
{
	if (!plan->userns.range)
		return 0;
	n->name.range = plan->userns.range;

	int rc = nook_pins_write(&n->pins, &n->name, err);

	if (rc == 0)
		rc = nook_range_keep(n->pins.base, n->name.name, n->name.range, err);
	return rc;
}

static int write_maps(struct nook_naming *n, const struct nook_plan *plan, struct nook_error *err)
{
	struct nook_create c;

	nook_create_init(&c, plan, n->arena, NULL);
	c.pid = n->hold.pid;
	c.proc = nook_procfs_open(false, err);

	int rc = c.proc < 0 ? c.proc : write_idmaps(&c, err);

	close_fd(&c.proc);
	return rc;
}

static int make(struct nook_naming *n, const struct nook_ns_new_spec *spec, struct nook_error *err)
{
	uint32_t kinds = spec->kinds, left = 0;
	struct nook_plan *plan = nook_alloc(n->arena, sizeof(*plan));

	/* Only in a user namespace of its own may an ordinary user make the others. */
	if (!n->mounts && !(kinds & NOOK_NS_BIT(NOOK_NS_USER))) {
		n->name.implied = NOOK_NS_BIT(NOOK_NS_USER);
		kinds |= n->name.implied;
	}

	bool user = kinds & NOOK_NS_BIT(NOOK_NS_USER);
	int rc = user ? plan_userns(n->arena, n->name.name, plan, err) : 0;

	if (rc == 0)
		rc = hold_range(n, plan, err);
	if (rc < 0)
		return rc;

	const struct nook_hold_spec hold = {
		.clone_flags = clone_flags(kinds),
		.hostname = spec->hostname,
		.arena = n->arena,
	};

	rc = nook_hold_start(&hold, &n->hold, err);
	if (rc == 0 && user)
		rc = write_maps(n, plan, err);
	if (rc == 0)
		rc = nook_hold_ready(&n->hold, err);
	if (rc == 0)
		rc = nook_naming_open(n, n->hold.pid, kinds, NOOK_NS_HOLD_PROCESS, err);
	if (rc < 0 || !n->mounts)
		return rc;

	rc = nook_naming_mount(n, &left, err);
	if (rc == 0 && !left)
		nook_hold_end(&n->hold);
	return rc;
}

int nook_ns_new(const char *state_dir, const struct nook_ns_new_spec *spec, struct nook_arena *a,
		struct nook_ns_name *ret, struct nook_error *err)
{
	struct nook_naming n;

	if (!(spec->kinds & NOOK_NS_ALL)) {
		nook_hint(err, "Say which kinds: --net, --uts, …; --all for the eight.");
		return nook_refuse(err, EINVAL, "no kind of namespace was asked for");
	}
	if (spec->hostname && !(spec->kinds & NOOK_NS_BIT(NOOK_NS_UTS)))
		return nook_refuse(err, EINVAL, "a host name needs a uts namespace: add --uts");

	int rc;

	/* Somebody was faster with the range of ids that we saw: look again. */
	for (int tries = 0; tries < 16; tries++) {
		rc = nook_naming_begin(&n, state_dir, spec->name, a, err);
		bool begun = rc == 0;

		if (begun)
			rc = make(&n, spec, err);
		rc = nook_naming_end(&n, rc, ret, err);
		if (rc != -EEXIST || !begun || !nook_starts(err->why, "symlink ids/"))
			break;
		memset(err, 0, sizeof(*err));
	}
	return rc;
}

/* ---- keep ---- */

static bool is_own(enum nook_ns_kind kind, int proc, int pid)
{
	struct stat own, its;
	char path[64];

	(void)nook_format(path, sizeof(path), "self/ns/%s", nook_ns_kinds[kind].name);
	if (fstatat(proc, path, &own, 0) < 0)
		return false;
	(void)nook_format(path, sizeof(path), "%d/ns/%s", pid, nook_ns_kinds[kind].name);
	return fstatat(proc, path, &its, 0) == 0 && own.st_ino == its.st_ino &&
	       own.st_dev == its.st_dev;
}

/* What to keep of a process: what was asked, or all that isn't ours too. */
static int choose(struct nook_naming *n, int pid, uint32_t *kinds, struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);
	uint32_t differ = 0;

	if (proc < 0)
		return proc;
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (!is_own((enum nook_ns_kind)k, proc, pid))
			differ |= NOOK_NS_BIT(k);
	}
	if (!*kinds)
		*kinds = differ;
	if (!*kinds)
		return nook_refuse(err, ENOENT,
				   "process %d is in our own namespaces: there is nothing to keep",
				   pid);

	/* Without it an ordinary user could not enter the others again. */
	uint32_t user = NOOK_NS_BIT(NOOK_NS_USER);

	if (!n->mounts && differ & user && !(*kinds & user)) {
		n->name.implied = user;
		*kinds |= user;
	}
	return 0;
}

/* A process that has them open. */
static int hold_open(struct nook_naming *n, struct nook_error *err)
{
	int fds[NOOK_NS_COUNT];

	for (size_t i = 0; i < n->name.n_held; i++)
		fds[i] = n->ns[n->name.held[i].kind];

	const struct nook_hold_spec hold = { .fds = fds,
					     .n_fds = n->name.n_held,
					     .arena = n->arena };
	int rc = nook_hold_start(&hold, &n->hold, err);

	return rc < 0 ? rc : nook_hold_ready(&n->hold, err);
}

static int keep(struct nook_naming *n, int pid, uint32_t kinds, struct nook_error *err)
{
	uint32_t left = 0;
	auto_close int pidfd = nook_pidfd_open(pid, 0);

	if (pidfd == -ESRCH)
		nook_hint(err, "the process has ended; `ps` or `nook ps` shows those that live");
	if (pidfd < 0)
		return nook_fail(err, -pidfd, "pidfd_open %d", pid);

	int rc = choose(n, pid, &kinds, err);

	if (rc == 0)
		rc = nook_naming_open(n, pid, kinds, NOOK_NS_HOLD_FD, err);
	if (rc == -EACCES || rc == -EPERM)
		nook_cause(
			err, "ns-entry-denied",
			"process %d is another user's, or has hidden itself (it is not dumpable)",
			pid);
	if (rc == 0 && nook_pidfd_wait(pidfd, 0) == 0)
		return nook_refuse(err, ESRCH, "process %d has ended", pid);
	if (rc == 0 && n->mounts)
		rc = nook_naming_mount(n, &left, err);
	if (rc == 0 && (!n->mounts || left))
		rc = hold_open(n, err);
	return rc;
}

int nook_ns_keep(const char *state_dir, int pid, const char *name, uint32_t kinds,
		 struct nook_arena *a, struct nook_ns_name *ret, struct nook_error *err)
{
	struct nook_naming n;
	int rc = nook_naming_begin(&n, state_dir, name, a, err);

	if (rc == 0)
		rc = keep(&n, pid, kinds, err);
	return nook_naming_end(&n, rc, ret, err);
}
