/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the machine is looked at, and what a spec makes worth looking at. */
#include "host.h"

#include "accounts.h"
#include "base/own.h"
#include "base/text.h"
#include "caller.h"
#include "cgroup.h"
#include "idmap.h"
#include "kernel.h"
#include "nook/container.h"
#include "probe_net.h"
#include "prober.h"
#include "read.h"
#include "rootfs.h"
#include "state/state.h"
#include "subid.h"

#include <fcntl.h>
#include <linux/capability.h>

int nook_host_kernel(struct nook_prober *p)
{
	struct nook_host *host = p->host;
	int rc = nook_kernel_probe(p->arena, host, p->err);

	if (rc < 0)
		return rc;
	if (host->major > NOOK_KERNEL_MAJOR ||
	    (host->major == NOOK_KERNEL_MAJOR && host->minor >= NOOK_KERNEL_MINOR))
		return 0;

	nook_hint(p->err, "boot a newer kernel");
	return nook_refuse(p->err, ENOSYS, "nook needs Linux %u.%u or later; this is %s",
			   NOOK_KERNEL_MAJOR, NOOK_KERNEL_MINOR, host->release);
}

void nook_host_lsm(struct nook_host *host)
{
	char value = 'N';
	auto_close int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);

	/* No file, or none that can be read, is a kernel without AppArmor. */
	host->apparmor = fd >= 0 && read(fd, &value, 1) == 1 && value == 'Y';
	host->selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
}

static int probe_lsm(struct nook_prober *p)
{
	nook_host_lsm(p->host);
	return 0;
}

static int probe_state_dir(struct nook_prober *p)
{
	return nook_state_dir(&p->host->state_dir, p->err);
}

/* The caller's own account: for its ranges of ids, and for what of its home stays out. */
static int probe_own_account(struct nook_prober *p)
{
	bool ranges = p->host->euid != 0 && nook_wants_ids(p->spec);

	if (!ranges && !nook_wants_host_root(p->spec))
		return 0;

	int rc = nook_prober_passwd(p);

	if (rc < 0)
		return rc;

	const struct nook_passwd_line *own = nook_passwd_by_uid(&p->passwd, p->host->euid);

	if (own) {
		p->host->user_name = own->name;
		p->host->home = own->home;
	}
	return 0;
}

/* Where nook_range_find() looks. */
#define FIRST_OF_RANGES 0x70000000u
#define LAST_OF_RANGES  0x7fffffffu

/* Root of another user namespace has no more ids than that one was given. */
static bool has_range_ids(struct nook_prober *p)
{
	static const char *const maps[] = { "/proc/self/uid_map", "/proc/self/gid_map" };

	for (size_t i = 0; i < ARRAY_SIZE(maps) && !p->host->initial_userns; i++) {
		char *text = NULL;

		if (nook_read_proc(p->arena, maps[i], NOOK_READ_MAX, &text) < 0 ||
		    !nook_own_map_covers(text, FIRST_OF_RANGES, LAST_OF_RANGES))
			return false;
	}
	return true;
}

static int probe_ids(struct nook_prober *p)
{
	struct nook_host *host = p->host;

	if (!nook_wants_userns(p->spec))
		return 0;
	if (host->euid != 0)
		nook_subid_find_helpers(p);
	if (!nook_wants_ids(p->spec))
		return 0;
	if (host->euid != 0)
		return nook_subid_probe(p);
	if (host->caps & 1ull << CAP_SYS_ADMIN && has_range_ids(p))
		return nook_range_find(host->state_dir, &host->free_range, p->err);
	return 0;
}

static int probe_cgroup(struct nook_prober *p)
{
	return nook_host_cgroup_probe(p->arena, &p->spec->limits, p->host, p->err);
}

static int probe_rootfs(struct nook_prober *p)
{
	return nook_wants_host_root(p->spec) ? nook_rootfs_probe(p) : 0;
}

/* Each may use what those before it have set. */
static int (*const probes[])(struct nook_prober *p) = {
	nook_host_kernel, nook_caller_probe,   probe_lsm,    probe_state_dir, probe_own_account,
	probe_ids,        nook_accounts_probe, probe_cgroup, probe_rootfs,    nook_net_probe,
};

int nook_host_probe(struct nook_arena *a, const struct nook_spec *spec, struct nook_host *host,
		    struct nook_error *err)
{
	struct nook_prober p = { .arena = a, .spec = spec, .host = host, .err = err };
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return nook_fail(err, errno, "open /");

	p.root = root;
	*host = (struct nook_host){ .tries = host->tries, .plans_only = host->plans_only };
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int rc = probes[i](&p);

		if (rc < 0)
			return rc;
	}
	return 0;
}
