/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's text files say of cgroups. What is not as cgroups(7) describes it is skipped:
 * it may come from a file that somebody mounted over. */
#ifndef NOOK_HOST_CGROUP_TEXT_H
#define NOOK_HOST_CGROUP_TEXT_H

#include "host.h"
#include "mountinfo.h"

/* Our cgroups from /proc/self/cgroup; NULL: none, or outside of our cgroup namespace. */
struct nook_cgroup_own {
	const char *v2;
	const char *v1[NOOK_CTL_COUNT];
};

/* "4:memory:/a/b" or "0::/a/b". */
void nook_cgroup_own_line(struct nook_arena *a, const char *line, struct nook_cgroup_own *own);

struct nook_cgroup_where {
	const char *mount; /* mount point; NULL: not mounted */
	const char *root;  /* the cgroup that shows there: "/" unless a part was bind-mounted */
};

/* The hierarchies, of the mounts that can be seen. Of several mounts the first that shows its whole
 * hierarchy is taken, else the first. */
struct nook_cgroup_mounts {
	struct nook_cgroup_where v2;
	struct nook_cgroup_where v1[NOOK_CTL_COUNT];
	bool any_v1; /* also one that has no controller, or none that nook knows */
};

void nook_cgroup_note_mount(const struct nook_mount *mount, struct nook_cgroup_mounts *m);

/* Where the cgroup @own shows below a mount of @root: "/x/y" below "/x" is "/y"; NULL: it does
 * not. */
const char *nook_cgroup_below(const char *root, const char *own);

/* Bits NOOK_CTL_* of the text of cgroup.controllers. */
uint32_t nook_cgroup_controllers(const char *text);

#endif
