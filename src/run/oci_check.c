/* SPDX-License-Identifier: Apache-2.0 */
/* What of a bundle this host can't do: the plan's parts one by one, and the paths of the host that
 * they name. */
#include "oci_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "host/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct check {
	void (*tell)(void *data, const struct nook_error *what);
	void *data;
	int n;
};

static void tell(struct check *c, const struct nook_error *err)
{
	c->tell(c->data, err);
	c->n++;
}

/* Each part is tried, also where one before it was refused: that is what makes it a list. */
static void check_parts(struct check *c, struct nook_bundle_planner *p)
{
	struct nook_error err;

	p->err = &err;
	for (size_t i = 0; i < NOOK_PLAN_BUNDLE_PARTS; i++) {
		err = (struct nook_error){ 0 };
		if (nook_plan_bundle_parts[i](p) < 0)
			tell(c, &err);
	}
	for (const char *const *w = p->plan->warnings; w && *w; w++) {
		err = (struct nook_error){ 0 };
		(void)nook_refuse(&err, EOPNOTSUPP, "%s", *w);
		tell(c, &err);
	}
	p->err = NULL;
}

/* With the caller's rights, as the container will be made. */
static void check_path(struct check *c, const char *path, int mode, const char *from)
{
	struct nook_error err = { 0 };

	if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0)
		return;
	if (from)
		nook_where(&err, "%s", from);
	(void)nook_fail(&err, errno, "access %s", path);
	tell(c, &err);
}

/* createContainer and startContainer are looked for inside. */
static void check_hooks(struct check *c, const struct nook_plan_hooks *hooks)
{
	static const int outside[] = { NOOK_HOOK_PRESTART, NOOK_HOOK_CREATE_RUNTIME,
				       NOOK_HOOK_POSTSTART, NOOK_HOOK_POSTSTOP };

	for (size_t k = 0; k < ARRAY_SIZE(outside); k++) {
		for (size_t i = 0; i < hooks->n[outside[k]]; i++) {
			const struct nook_plan_hook *h = &hooks->list[outside[k]][i];

			check_path(c, h->path, X_OK, h->from);
		}
	}
}

/* A cgroup of the container's own is made by `create`. */
static bool in_own_cgroup(const struct nook_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->cgroup.n_dirs; i++) {
		const struct nook_plan_cgroup_dir *d = &plan->cgroup.dirs[i];
		const char *below = nook_after(path, d->mount);

		below = below ? nook_after(below + strspn(below, "/"),
					   d->path + strspn(d->path, "/"))
			      : NULL;
		if (below && (!*below || *below == '/'))
			return true;
	}
	return false;
}

static void check_paths(struct check *c, const struct nook_plan *plan)
{
	for (size_t i = 0; i < plan->n_sources; i++) {
		const struct nook_plan_source *s = &plan->sources[i];

		if (!s->optional && s->path && !in_own_cgroup(plan, s->path))
			check_path(c, s->path, F_OK, s->from);
	}
	for (size_t i = 0; i < plan->n_joins; i++) {
		if (plan->joins[i].path)
			check_path(c, plan->joins[i].path, R_OK, plan->joins[i].from);
	}
}

int nook_oci_check(const struct nook_oci_create *c,
		   void (*tell_one)(void *data, const struct nook_error *what), void *data,
		   struct nook_error *err)
{
	struct nook_arena *a = c->arena;
	struct nook_bundle b = { 0 };
	struct nook_host host = { 0 };
	struct nook_plan plan = { .name = c->options.id,
				  .state_dir = c->options.state_dir,
				  .bundle = true };
	struct check check = { tell_one, data, 0 };
	int rc = nook_bundle_read_config(a, c->bundle, c->config, &b, err);

	const struct nook_bundle_wants wants = {
		.new_user_namespace = b.ns[NOOK_NS_USER].listed && !b.ns[NOOK_NS_USER].path,
		.cgroups = true,
		.state_dir = c->options.state_dir,
	};
	struct nook_bundle_planner p = { a, &b, &c->options, &host, &plan, NULL, 0 };

	if (rc == 0)
		rc = nook_host_probe_bundle(a, &wants, &host, err);
	if (rc < 0)
		return rc;
	check_parts(&check, &p);
	check_paths(&check, &plan);
	check_hooks(&check, &b.hooks);
	return check.n;
}
