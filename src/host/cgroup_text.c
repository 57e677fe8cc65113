/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup_text.h"
#include "base/text.h"
#include "cgroup.h"
#include "sys/cgroupfs.h"

#include <limits.h>
#include <string.h>

const char *nook_controller_name(enum nook_controller c)
{
	static const char *const names[NOOK_CTL_COUNT] = {
		[NOOK_CTL_MEMORY] = "memory", [NOOK_CTL_CPU] = "cpu",
		[NOOK_CTL_PIDS] = "pids",     [NOOK_CTL_IO] = "io",
		[NOOK_CTL_CPUSET] = "cpuset",
	};

	return names[c];
}

const char *nook_controller_v1_name(enum nook_controller c)
{
	return c == NOOK_CTL_IO ? "blkio" : nook_controller_name(c);
}

uint32_t nook_cgroup_controllers(const char *text)
{
	uint32_t bits = 0;

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if (nook_cgroupfs_has_word(text, nook_controller_name(c)))
			bits |= 1u << c;
	return bits;
}

/* Bits of a list as v1 has it: "cpu,cpuacct". */
static uint32_t v1_controllers(const char *list, size_t len)
{
	uint32_t bits = 0;

	while (len) {
		const char *comma = memchr(list, ',', len);
		size_t n = comma ? (size_t)(comma - list) : len;

		for (unsigned c = 0; c < NOOK_CTL_COUNT; c++) {
			const char *name = nook_controller_v1_name(c);

			if (strlen(name) == n && !memcmp(name, list, n))
				bits |= 1u << c;
		}
		list += n;
		len -= n;
		if (len) {
			list++;
			len--;
		}
	}
	return bits;
}

/* An absolute path that names each directory once: no "//", ".", "..", and no slash at its end. */
static bool clean_path(const char *path)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return false;
	if (!path[1])
		return true;

	for (const char *at = path; *at;) {
		size_t n = strcspn(++at, "/");

		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += n;
	}
	return true;
}

void nook_cgroup_own_line(struct nook_arena *a, const char *line, struct nook_cgroup_own *own)
{
	const char *list = strchr(line, ':');
	const char *path = list ? strchr(list + 1, ':') : NULL;

	/* A cgroup outside of our cgroup namespace shows as "/../x". */
	if (!path || !clean_path(path + 1))
		return;
	list++;
	path++;

	if (nook_starts(line, "0::")) {
		if (!own->v2)
			own->v2 = nook_strdup(a, path);
		return;
	}

	uint32_t bits = v1_controllers(list, (size_t)(path - 1 - list));

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if ((bits & 1u << c) && !own->v1[c])
			own->v1[c] = nook_strdup(a, path);
}

static void note_mount(struct nook_cgroup_where *where, const char *mount, const char *root)
{
	bool whole = !strcmp(root, "/");

	if (where->mount && (!whole || !strcmp(where->root, "/")))
		return;
	where->mount = mount;
	where->root = root;
}

void nook_cgroup_note_mount(const struct nook_mount *mount, struct nook_cgroup_mounts *m)
{
	bool v2 = !strcmp(mount->fstype, "cgroup2");

	if (!mount->visible || (!v2 && strcmp(mount->fstype, "cgroup")))
		return;
	/* Relative to a root outside of our cgroup namespace ("/..") nothing is ours. */
	if (!clean_path(mount->root) || !clean_path(mount->point))
		return;
	if (v2) {
		note_mount(&m->v2, mount->point, mount->root);
		return;
	}

	uint32_t bits = v1_controllers(mount->super, strlen(mount->super));

	m->any_v1 = true;
	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if (bits & 1u << c)
			note_mount(&m->v1[c], mount->point, mount->root);
}

const char *nook_cgroup_below(const char *root, const char *own)
{
	const char *rest;

	if (!own || !strcmp(root, "/"))
		return own;
	rest = nook_after(own, root);
	if (!rest || (*rest && *rest != '/'))
		return NULL;
	return *rest ? rest : "/";
}
