/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs_mounts.h"

#include "base/own.h"
#include "idmap_fs.h"
#include "path.h"

#include <string.h>

static const char *const own_places[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

/* File systems that show the kernel or a session, and hold nobody's files. tmpfs is none of them:
 * outside of the places above somebody keeps files in it. */
static const char *const interfaces[] = {
	"autofs",
	"bdev",
	"binder",
	"binfmt_misc",
	"bpf",
	"cgroup",
	"cgroup2",
	"configfs",
	"debugfs",
	"devpts",
	"devtmpfs",
	"efivarfs",
	"functionfs",
	"fusectl",
	"hugetlbfs",
	"mqueue",
	"nfsd",
	"nsfs",
	"proc",
	"pstore",
	"ramfs",
	"resctrl",
	"rpc_pipefs",
	"securityfs",
	"selinuxfs",
	"smackfs",
	"sysfs",
	"tracefs",
	"fuse.gvfsd-fuse",
	"fuse.lxcfs",
	"fuse.portal",
};

enum nook_mount_use nook_mount_use(const struct nook_mount *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_places); i++) {
		if (nook_path_within(m->point, own_places[i]))
			return NOOK_MOUNT_REPLACE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		if (strcmp(m->fstype, interfaces[i]) == 0)
			return NOOK_MOUNT_HIDE;
	}
	return NOOK_MOUNT_TAKE;
}

/* The root of a mount that answers: a FUSE server that has died or serves another user alone does
 * not. */
static bool find_root(struct nook_prober *p, const struct nook_mount *m, bool *ret_is_dir)
{
	struct nook_place place = { 0 };

	if (nook_place_find(p, m->point, &place) < 0)
		return false;
	*ret_is_dir = place.is_dir;
	return true;
}

void nook_rootfs_hide_mounts(struct nook_prober *p, struct nook_hidden_set *set)
{
	for (size_t i = 0; i < p->mounts.n_visible; i++) {
		const struct nook_mount *m = p->mounts.visible[i];
		enum nook_mount_use use = nook_mount_use(m);
		bool is_dir = true;

		if (strcmp(m->point, "/") == 0 || use == NOOK_MOUNT_REPLACE)
			continue;
		/* What automount(8) serves is mounted on top: an empty place meanwhile. */
		if (strcmp(m->fstype, "autofs") == 0)
			continue;
		if (find_root(p, m, &is_dir) && use == NOOK_MOUNT_TAKE)
			continue;
		*nook_append(p->arena, set->items, set->n) = (struct nook_hidden){
			.path = m->point, .why = "not a file system to copy", .is_dir = is_dir
		};
	}
}

void nook_rootfs_probe_mounts(struct nook_prober *p)
{
	struct nook_host *host = p->host;

	for (size_t i = 0; i < p->mounts.n_visible; i++) {
		const struct nook_mount *m = p->mounts.visible[i];
		bool is_dir = true;

		if (strcmp(m->point, "/") == 0)
			host->root_idmap = nook_fs_takes_idmap(m->fstype, host->major, host->minor);
		if (strcmp(m->point, "/") == 0 || nook_mount_use(m) != NOOK_MOUNT_TAKE ||
		    nook_host_hides(host, m->point) || !find_root(p, m, &is_dir))
			continue;
		*nook_append(p->arena, host->mounts, host->n_mounts) = (struct nook_host_mount){
			.path = m->point,
			.fstype = m->fstype,
			.is_dir = is_dir,
			.idmap = nook_fs_takes_idmap(m->fstype, host->major, host->minor),
		};
	}
}

bool nook_host_hides(const struct nook_host *host, const char *path)
{
	size_t low = 0, high = host->n_secrets;

	/* Sorted, and none lies in another: it is the last one that does not come after @path. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (nook_path_compare(host->secrets[mid].path, path) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && nook_path_within(path, host->secrets[low - 1].path);
}
