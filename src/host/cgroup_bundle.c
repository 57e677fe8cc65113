/* SPDX-License-Identifier: Apache-2.0 */
/* Where an engine's container may go in a hierarchy, and whether it can have rules for devices. */
#include "base/own.h"
#include "cgroup.h"
#include "sys/bpf.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <string.h>

/* May we make a child of it and put processes in? */
static bool may_add(int mount, const char *path)
{
	auto_close int dir = nook_cgroupfs_walk(mount, path, O_PATH);

	return dir >= 0 && faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) == 0 &&
	       faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0;
}

/* "/a/b" to "/a"; "/a" and "/" to "/". */
static const char *above(struct nook_arena *a, const char *path)
{
	char *up = nook_strdup(a, path);
	char *slash = strrchr(up, '/');

	slash[slash == up] = '\0';
	return up;
}

void nook_hierarchy_look(struct nook_arena *a, struct nook_hierarchy *h)
{
	if (!h->mount)
		return;

	auto_close int mount = nook_cgroupfs_mount(h->mount, h->v2);

	if (mount < 0)
		return;
	if (h->own) {
		h->place = h->v2 ? above(a, h->own) : h->own;
		h->delegated = may_add(mount, h->place);
	}
	if (h->v2) {
		/* To ask takes the rights that attaching takes; for bpf(2) O_PATH is no
		 * descriptor. */
		auto_close int top = nook_cgroupfs_walk(mount, "/", O_RDONLY);

		h->device_bpf = top >= 0 && nook_bpf_device_count(top) >= 0;
	}
}
