/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "base/own.h"
#include "kernel.h"

#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/utsname.h>

static const char *const feature_ids[NOOK_FEATURE_COUNT] = {
	[NOOK_FEATURE_IDMAP_MOUNT] = "kernel.idmap-mount",
	[NOOK_FEATURE_CGROUP_KILL] = "kernel.cgroup-kill",
	[NOOK_FEATURE_OVERLAY_IDMAP] = "kernel.overlay-idmap",
	[NOOK_FEATURE_TMPFS_IDMAP] = "kernel.tmpfs-idmap",
	[NOOK_FEATURE_CLONE3_TIME] = "kernel.clone3-time",
	[NOOK_FEATURE_OVERLAY_LOWERDIR_ADD] = "kernel.overlay-lowerdir-add",
	[NOOK_FEATURE_TMPFS_USER_XATTR] = "kernel.tmpfs-user-xattr",
	[NOOK_FEATURE_STATMOUNT] = "kernel.statmount",
	[NOOK_FEATURE_PIDFD_GET_NS] = "kernel.pidfd-get-namespace",
	[NOOK_FEATURE_DETACHED_CLONE] = "kernel.detached-clone",
};

void nook_probe_kernel(struct nook_probes *p, const struct nook_host *host)
{
	struct utsname name;

	if (uname(&name) < 0)
		return;
	nook_probe_add(p, "kernel", "kernel.release", "release", NOOK_VERDICT_FACT)->detail =
		nook_printf(p->arena, "%s %s %s", name.sysname, name.release, name.machine);
	if (!host)
		return;

	for (int f = 0; f < NOOK_FEATURE_COUNT; f++) {
		unsigned major, minor;

		nook_feature_version((enum nook_feature)f, &major, &minor);
		struct nook_probe *row = nook_probe_add(
			p, "kernel", feature_ids[f], nook_feature_name((enum nook_feature)f),
			host->feature[f] ? NOOK_VERDICT_YES : NOOK_VERDICT_PARTLY);

		row->detail = nook_printf(p->arena, "Linux %u.%u", major, minor);
		if (host->feature[f])
			continue;
		row->cause = "kernel-too-old";
		row->why = "nook goes another way without it.";
		row->fix = nook_printf(p->arena, "Boot Linux %u.%u or later.", major, minor);
	}
}

static int try_pty(void *data, struct nook_error *err)
{
	auto_close int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	if (master < 0)
		return nook_fail(err, errno, "open /dev/ptmx");
	if (unlockpt(master) < 0 || ptsname_r(master, name, sizeof(name)) != 0)
		return nook_fail(err, errno, "unlockpt");
	return 0;
}

static int try_memfd(void *data, struct nook_error *err)
{
	auto_close int fd = memfd_create("nook-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	if (fd < 0)
		return nook_fail(err, errno, "memfd_create");
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return nook_fail(err, errno, "fcntl (F_ADD_SEALS)");
	return 0;
}

static int try_tun(void *data, struct nook_error *err)
{
	auto_close int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? nook_fail(err, errno, "open /dev/net/tun") : 0;
}

static const struct {
	const char *id, *title, *use;
	int (*try)(void *data, struct nook_error *err);
} devices[] = {
	{ "device.pty", "terminals", "interactive containers", try_pty },
	{ "device.memfd", "sealed memory files", "the sealed copy of the program", try_memfd },
	{ "device.tun", "/dev/net/tun", "networks of ordinary users", try_tun },
};

void nook_probe_devices(struct nook_probes *p, const struct nook_host *host)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		struct nook_error err = { 0 };
		int rc = nook_attempt(devices[i].try, NULL, &err);
		struct nook_probe *row = nook_probe_outcome(p, "devices", devices[i].id,
							    devices[i].title, rc, &err, false);

		/* A container runs without any of them. */
		if (rc < 0)
			row->verdict = NOOK_VERDICT_PARTLY;
		else
			row->detail = devices[i].use;
	}
}
