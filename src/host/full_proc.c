/* SPDX-License-Identifier: Apache-2.0 */
#include "mountinfo.h"

#include "base/own.h"

#include <string.h>

/* Directories that procfs keeps empty for others to mount on: what lies over them hides nothing.
 * Made by proc_create_mount_point() and register_sysctl_mount_point(). */
static const char *const mount_points[] = { "/sys/fs/binfmt_misc", "/fs/nfsd", "/openprom" };

static bool hides_nothing(const struct nook_mount *proc, const struct nook_mount *child)
{
	size_t len = strcmp(proc->point, "/") == 0 ? 0 : strlen(proc->point);

	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++) {
		if (strncmp(child->point, proc->point, len) == 0 &&
		    strcmp(child->point + len, mount_points[i]) == 0)
			return true;
	}
	return false;
}

/* A user namespace's copies of mounts keep read-only and atime settings: a new procfs may not have
 * more than they allow. */
static bool is_open(const struct nook_mount *m)
{
	return strcmp(m->fstype, "proc") == 0 && strcmp(m->root, "/") == 0 &&
	       nook_mount_has_option(m->options, "rw") && nook_mount_has_option(m->super, "rw") &&
	       nook_mount_has_option(m->options, "relatime") &&
	       !nook_mount_has_option(m->options, "nodiratime");
}

static bool is_covered(const struct nook_mounts *mounts, const struct nook_mount *proc)
{
	for (size_t i = 0; i < mounts->n; i++) {
		if (mounts->all[i].parent == proc->id && !hides_nothing(proc, &mounts->all[i]))
			return true;
	}
	return false;
}

bool nook_mounts_full_proc(const struct nook_mounts *mounts)
{
	/* A machine has a few procfs mounts; one that has thousands is told no. */
	unsigned tries = 64;

	for (size_t i = 0; i < mounts->n && tries; i++) {
		if (!is_open(&mounts->all[i]))
			continue;
		if (!is_covered(mounts, &mounts->all[i]))
			return true;
		tries--;
	}
	return false;
}
