/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_parts.h"

#include "base/text.h"

#include <sched.h>
#include <stdarg.h>
#include <string.h>

void nook_plan_bundle_warn(struct nook_bundle_planner *p, const char *fmt, ...)
{
	const char **list = (const char **)(uintptr_t)p->plan->warnings;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)nook_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);

	*nook_append(p->arena, list, p->n_warnings) = nook_strdup(p->arena, text);
	*nook_append(p->arena, list, p->n_warnings) = NULL;
	p->n_warnings--;
	p->plan->warnings = list;
}

/* Takes the last part away from @path, of @len bytes. */
static size_t cut_last(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

const char *nook_bundle_clean_path(struct nook_arena *a, const char *path)
{
	char *out = nook_alloc(a, strlen(path) + 2);
	size_t len = 0;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			len = cut_last(out, len);
		} else if (n > 0 && !(n == 1 && p[0] == '.')) {
			out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n + (p[n] == '/');
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = '\0';
	return out;
}

const char *nook_bundle_host_path(const struct nook_bundle_planner *p, const char *path)
{
	return path[0] == '/' ? path : nook_printf(p->arena, "%s/%s", p->bundle->dir, path);
}

/* A cgroup of v1 can't be entered by the clone, and systemd's not before the process is there: a
 * namespace made by the clone would have its root above it. */
static void settle_cgroup_namespace(struct nook_plan *plan)
{
	bool late = plan->cgroup.unit != NULL;

	for (size_t i = 0; i < plan->cgroup.n_dirs; i++)
		late |= !plan->cgroup.dirs[i].v2;
	if (late && (plan->clone_flags & CLONE_NEWCGROUP)) {
		plan->clone_flags &= ~(uint64_t)CLONE_NEWCGROUP;
		plan->late_cgroup = true;
	}
}

/* Mounts of cgroups show the container's own, so these are decided before. */
int (*const nook_plan_bundle_parts[])(struct nook_bundle_planner *) = {
	nook_plan_bundle_namespaces, nook_plan_bundle_root,    nook_plan_bundle_cgroup,
	nook_plan_bundle_mounts,     nook_plan_bundle_process,
};

int nook_plan_bundle(struct nook_arena *a, const struct nook_bundle *b,
		     const struct nook_bundle_options *o, const struct nook_host *host,
		     struct nook_plan *plan, struct nook_error *err)
{
	struct nook_bundle_planner p = { a, b, o, host, plan, err, 0 };

	*plan = (struct nook_plan){
		.name = o->id,
		.state_dir = o->state_dir,
		.bundle = true,
		.start_later = o->start_later,
		.no_pivot = o->no_pivot,
	};
	for (size_t i = 0; i < NOOK_PLAN_BUNDLE_PARTS; i++) {
		int rc = nook_plan_bundle_parts[i](&p);

		if (rc < 0)
			return rc;
	}
	settle_cgroup_namespace(plan);
	return 0;
}
