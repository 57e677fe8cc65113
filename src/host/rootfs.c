/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs.h"

#include "base/own.h"
#include "path.h"
#include "rootfs_mounts.h"
#include "rootfs_parts.h"
#include "secrets.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Files that nook writes anew for the container. */
static const char *const replaced[] = { "/etc/hostname", "/etc/hosts", "/etc/shadow" };

/*
 * Directories in which an installer writes. An ordinary user's container maps no more than the
 * user's own ids, so that these would belong to nobody in there; in the copy they belong to root.
 * So too where the root's file system can't be mounted with mapped ids.
 */
static const char *const written[] = {
	"/",
	"/etc",
	"/etc/alternatives",
	"/etc/apt",
	"/etc/apt/sources.list.d",
	"/etc/profile.d",
	"/etc/ssl",
	"/etc/ssl/certs",
	"/home",
	"/media",
	"/mnt",
	"/opt",
	"/srv",
	"/usr",
	"/usr/bin",
	"/usr/include",
	"/usr/lib",
	"/usr/lib64",
	"/usr/libexec",
	"/usr/local",
	"/usr/local/bin",
	"/usr/local/etc",
	"/usr/local/include",
	"/usr/local/lib",
	"/usr/local/sbin",
	"/usr/local/share",
	"/usr/sbin",
	"/usr/share",
	"/var",
	"/var/cache",
	"/var/cache/apt",
	"/var/cache/apt/archives",
	"/var/lib",
	"/var/lib/apt",
	"/var/lib/apt/lists",
	"/var/lib/dpkg",
	"/var/lib/dpkg/info",
	"/var/lib/dpkg/updates",
	"/var/lib/rpm",
	"/var/local",
	"/var/log",
	"/var/log/apt",
	"/var/opt",
	"/var/spool",
	"/var/tmp",
};

struct path_list {
	const char **items;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return nook_path_compare(*(const char *const *)a, *(const char *const *)b);
}

/* "/" and every directory on the way to @path. Paths come sorted, so that what the last one has
 * added is not added again. */
static void add_ancestors(struct nook_arena *a, struct path_list *list, const char *path,
			  const char *last)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);

		if (last && strncmp(path, last, len + 1) == 0)
			continue;
		*nook_append(a, list->items, list->n) = nook_strndup(a, path, len);
	}
}

static struct path_list list_dirs(struct nook_prober *p)
{
	struct nook_host *host = p->host;
	struct path_list below = { 0 }, dirs = { 0 };
	const char *last = NULL;

	for (size_t i = 0; i < host->n_secrets; i++)
		*nook_append(p->arena, below.items, below.n) = host->secrets[i].path;
	for (size_t i = 0; i < host->n_mounts; i++)
		*nook_append(p->arena, below.items, below.n) = host->mounts[i].path;
	for (size_t i = 0; i < ARRAY_SIZE(replaced); i++)
		*nook_append(p->arena, below.items, below.n) = replaced[i];
	qsort(below.items, below.n, sizeof(*below.items), compare);

	*nook_append(p->arena, dirs.items, dirs.n) = "/";
	for (size_t i = 0; i < below.n; i++) {
		add_ancestors(p->arena, &dirs, below.items[i], last);
		last = below.items[i];
	}
	for (size_t i = 0; (host->euid != 0 || !host->root_idmap) && i < ARRAY_SIZE(written); i++) {
		*nook_append(p->arena, dirs.items, dirs.n) = written[i];
		add_ancestors(p->arena, &dirs, written[i], NULL);
	}
	qsort(dirs.items, dirs.n, sizeof(*dirs.items), compare);
	return dirs;
}

/*
 * Only facts are taken here, of places that were resolved just before; whoever opens one of them
 * later walks anew. A directory that isn't there or is a symlink (/bin) is left out.
 */
static void probe_dirs(struct nook_prober *p)
{
	struct nook_host *host = p->host;
	struct path_list list = list_dirs(p);
	const char *last = NULL;
	struct stat st;

	for (size_t i = 0; i < list.n; i++) {
		const char *path = list.items[i];

		if ((last && strcmp(path, last) == 0) || nook_host_hides(host, path))
			continue;
		if (fstatat(p->root, nook_path_below_root(path), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		last = path;
		*nook_append(p->arena, host->dirs, host->n_dirs) = (struct nook_host_dir){
			.path = path,
			.mode = st.st_mode & 07777,
			.uid = st.st_uid,
			.gid = st.st_gid,
		};
	}
}

/* Locked: no password opens any of these accounts. 19000 is a day in 2022: not "must be changed
 * now". */
static void probe_shadow(struct nook_prober *p)
{
	static const char rest[] = ":*:19000:0:99999:7:::\n";
	struct stat st;
	size_t size = 1;

	if (fstatat(p->root, "etc/shadow", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !nook_host_hides(p->host, "/etc/shadow"))
		return;

	for (size_t i = 0; i < p->passwd.n; i++)
		size += strlen(p->passwd.lines[i].name) + sizeof(rest) - 1;

	char *text = nook_alloc(p->arena, size);
	char *at = text;

	for (size_t i = 0; i < p->passwd.n; i++)
		at = stpcpy(stpcpy(at, p->passwd.lines[i].name), rest);
	p->host->shadow = text;
}

/* Our mounts are not locked: they are those of the user namespace in which we have rights over
 * them. */
static bool owns_mounts(const struct nook_host *host)
{
	return host->initial_userns && (host->caps & (1ULL << CAP_SYS_ADMIN));
}

int nook_rootfs_probe(struct nook_prober *p)
{
	int rc = nook_prober_passwd(p);

	if (rc == 0)
		rc = nook_prober_mounts(p);
	if (rc == 0)
		rc = nook_secrets_probe(p);
	if (rc < 0)
		return rc;

	nook_rootfs_probe_mounts(p);
	if (!owns_mounts(p->host)) {
		rc = nook_rootfs_probe_parts(p);
		if (rc < 0)
			return rc;
	}
	probe_dirs(p);
	probe_shadow(p);
	return 0;
}
