/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "base/own.h"
#include "base/text.h"
#include "caller.h"
#include "cgroup.h"
#include "cgroup_text.h"
#include "kernel.h"
#include "nook/container.h"
#include "prober.h"
#include "read.h"
#include "subid.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/nsfs.h>

/* A line for each hierarchy, some dozen, each with a path. */
#define OWN_MAX ((size_t)64 << 10)

static struct nook_hierarchy *add_hierarchy(struct nook_prober *p, bool v2)
{
	struct nook_hierarchy *h =
		nook_append(p->arena, p->host->hierarchies, p->host->n_hierarchies);

	h->v2 = v2;
	return h;
}

/* The names that "cgroup.controllers" of the hierarchy's root lists. */
static const char *offered_controllers(struct nook_prober *p, const char *mount)
{
	char *text = NULL;
	const char *file = nook_printf(p->arena, "%s/cgroup.controllers", mount);

	if (nook_read_proc(p->arena, file, OWN_MAX, &text) < 0)
		return "";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* "4:cpu,cpuacct:/a/b": the middle, and what follows it. */
static char *split_line(char *line, char **ret_path)
{
	char *list = strchr(line, ':');
	char *path = list ? strchr(list + 1, ':') : NULL;

	if (!path)
		return NULL;
	*list++ = '\0';
	*path++ = '\0';
	*ret_path = path;
	return list;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += n) {
		if ((at == list || at[-1] == ',') && (!at[n] || at[n] == ','))
			return true;
	}
	return false;
}

/* The mount that shows a hierarchy of v1: it has the same controllers among its options. Of several
 * the first that shows all of it. */
static const struct nook_mount *find_v1(const struct nook_mounts *m, const char *controllers)
{
	char first[64];
	const struct nook_mount *found = NULL;

	(void)nook_format(first, sizeof(first), "%.*s", (int)strcspn(controllers, ","),
			  controllers);
	for (size_t i = 0; i < m->n_visible; i++) {
		const struct nook_mount *one = m->visible[i];

		if (strcmp(one->fstype, "cgroup") != 0 || !has_word(one->super, first))
			continue;
		if (strcmp(one->root, "/") == 0)
			return one;
		if (!found)
			found = one;
	}
	return found;
}

static const struct nook_mount *find_v2(const struct nook_mounts *m)
{
	const struct nook_mount *found = NULL;

	for (size_t i = 0; i < m->n_visible; i++) {
		if (strcmp(m->visible[i]->fstype, "cgroup2") != 0)
			continue;
		if (strcmp(m->visible[i]->root, "/") == 0)
			return m->visible[i];
		if (!found)
			found = m->visible[i];
	}
	return found;
}

/* A cgroup outside of our cgroup namespace shows as "/../x": it is nowhere. */
static const char *own_below(const char *root, const char *own)
{
	return strncmp(own, "/..", 3) == 0 ? NULL : nook_cgroup_below(root, own);
}

static int note_v2(struct nook_prober *p, const char *own)
{
	struct nook_host_cgroup *cg = &p->host->cgroup;
	const char *root = "/";

	if (!cg->v2.mount) {
		int rc = nook_prober_mounts(p);
		const struct nook_mount *m = rc < 0 ? NULL : find_v2(&p->mounts);

		if (rc < 0 || !m)
			return rc;
		cg->v2.mount = m->point;
		root = m->root;
	}
	cg->v2.own = own_below(root, own);

	struct nook_hierarchy *h = add_hierarchy(p, true);

	h->mount = cg->v2.mount;
	h->own = cg->v2.own;
	h->controllers = offered_controllers(p, h->mount);
	return 0;
}

static int note_v1(struct nook_prober *p, const char *controllers, const char *own)
{
	struct nook_host_cgroup *cg = &p->host->cgroup;
	int rc = nook_prober_mounts(p);

	if (rc < 0)
		return rc;

	const struct nook_mount *m = find_v1(&p->mounts, controllers);
	struct nook_hierarchy *h = add_hierarchy(p, false);

	h->controllers = controllers;
	if (!m)
		return 0;
	h->mount = m->point;
	h->own = own_below(m->root, own);
	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++) {
		if (has_word(controllers, nook_controller_v1_name((enum nook_controller)c))) {
			cg->v1[c].mount = h->mount;
			cg->v1[c].own = h->own;
		}
	}
	return 0;
}

static bool any_mounted(const struct nook_host *host, bool v2)
{
	for (size_t i = 0; i < host->n_hierarchies; i++) {
		if (host->hierarchies[i].mount && host->hierarchies[i].v2 == v2)
			return true;
	}
	return false;
}

static int probe_hierarchies(struct nook_prober *p)
{
	struct nook_host_cgroup *cg = &p->host->cgroup;
	char *text, *line, *v2 = NULL, **v1 = NULL, *path;
	size_t n = 0;
	int rc = nook_read_proc(p->arena, "/proc/self/cgroup", OWN_MAX, &text);

	if (rc < 0)
		return nook_fail(p->err, -rc, "read /proc/self/cgroup");
	(void)nook_cgroup_known_layout(cg); /* the rest is found in mountinfo */

	while ((line = nook_next_line(&text))) {
		if (nook_starts(line, "0::"))
			v2 = line + 3;
		else if (cg->layout != NOOK_CGROUP_UNIFIED)
			*nook_append(p->arena, v1, n) = line;
	}
	rc = v2 ? note_v2(p, v2) : 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *controllers = split_line(v1[i], &path);

		if (controllers)
			rc = note_v1(p, controllers, path);
	}
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->host->n_hierarchies; i++)
		nook_hierarchy_look(p->arena, &p->host->hierarchies[i]);

	bool has_v2 = any_mounted(p->host, true), has_v1 = any_mounted(p->host, false);

	cg->layout = has_v2 && has_v1 ? NOOK_CGROUP_HYBRID
		     : has_v2         ? NOOK_CGROUP_UNIFIED
		     : has_v1         ? NOOK_CGROUP_V1
				      : NOOK_CGROUP_NONE;
	return 0;
}

/* Is our mount namespace owned by our user namespace? What can't be told is a no: then the stage
 * opens what is to be mounted, in its own copy. */
static bool owns_mounts(const struct nook_host *host)
{
	struct stat user, owner;

	if (host->initial_userns)
		return true;

	auto_close int mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	auto_close int fd = mnt < 0 ? NO_FD : ioctl(mnt, NS_GET_USERNS);

	return fd >= 0 && fstat(fd, &owner) == 0 && stat("/proc/self/ns/user", &user) == 0 &&
	       owner.st_dev == user.st_dev && owner.st_ino == user.st_ino;
}

int nook_host_probe_bundle(struct nook_arena *a, const struct nook_bundle_wants *wants,
			   struct nook_host *host, struct nook_error *err)
{
	struct nook_prober p = { .arena = a, .host = host, .err = err };
	auto_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return nook_fail(err, errno, "open /");
	p.root = root;
	*host = (struct nook_host){ .state_dir = wants->state_dir };

	int rc = nook_host_kernel(&p);

	if (rc == 0)
		rc = nook_caller_probe(&p);
	if (rc < 0)
		return rc;
	nook_host_lsm(host);
	host->pid = (uint32_t)getpid();
	host->owns_mounts = owns_mounts(host);
	host->kcore = access("/proc/kcore", F_OK) == 0;
	if (wants->new_user_namespace && host->euid != 0)
		nook_subid_find_helpers(&p);
	return wants->cgroups ? probe_hierarchies(&p) : 0;
}
