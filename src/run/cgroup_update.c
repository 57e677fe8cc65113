/* SPDX-License-Identifier: Apache-2.0 */
/* update: new limits for a container that is there, all of them or none. */
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "host/bundle.h"
#include "oci_parts.h"
#include "plan/bundle_systemd.h"
#include "sys/cgroupfs.h"
#include "systemd.h"

#include <errno.h>
#include <string.h>

/* For another command to end. */
#define PATIENCE_MS 10000

/* A period alone leaves the quota as it is, which v2 has in the same file. */
static void keep_quota(struct nook_arena *a, const struct nook_bundle_resources *r,
		       struct nook_plan_cgroup *cg)
{
	for (size_t i = 0; i < cg->n_writes; i++) {
		struct nook_plan_cgroup_write *w = &cg->writes[i];
		const char *period = nook_after(w->value, "max ");
		char now[64];

		if (strcmp(w->file, "cpu.max") != 0 || !period ||
		    (r->cpu.quota.set && r->cpu.quota.value))
			continue;

		auto_close int fd = nook_cgroup_open_dir(&cg->dirs[w->dir]);

		if (fd >= 0 && nook_cgroupfs_read(fd, "cpu.max", now, sizeof(now)) > 0)
			w->value = nook_printf(a, "%.*s %s", (int)strcspn(now, " "), now, period);
	}
}

static int write_dir(const struct nook_plan_cgroup *cg, unsigned dir,
		     const struct nook_cgroup_old *old, struct nook_error *err)
{
	bool any = false;

	for (size_t i = 0; i < cg->n_writes; i++)
		any |= cg->writes[i].dir == dir;
	if (!any)
		return 0;

	auto_close int fd = nook_cgroup_open_dir(&cg->dirs[dir]);

	if (fd < 0)
		return nook_fail(err, -fd, "open %s%s", cg->dirs[dir].mount, cg->dirs[dir].path);
	return nook_cgroup_write_patiently(cg, dir, fd, old, err);
}

/* The last first: what was raised to make room for another goes down after that other. */
static void go_back(struct nook_arena *a, const struct nook_plan_cgroup *cg, const char **values)
{
	struct nook_plan_cgroup back = { .dirs = cg->dirs, .n_dirs = cg->n_dirs };

	for (size_t i = cg->n_writes; i--;) {
		struct nook_plan_cgroup_write *w;

		if (!values[i])
			continue;
		w = nook_append(a, back.writes, back.n_writes);
		*w = cg->writes[i];
		w->value = values[i];
		w->or_value = w->or_file ? values[i] : NULL;
		w->loose = w->optional = true;
		w->below_usage = false;
	}
	for (unsigned i = 0; i < back.n_dirs; i++)
		(void)write_dir(&back, i, NULL, NULL); /* the first failure is told */
}

static int update(struct nook_arena *a, const struct nook_record *record,
		  const struct nook_bundle_resources *r, const char *state_dir,
		  struct nook_error *err)
{
	const struct nook_bundle_wants wants = { .cgroups = true, .state_dir = state_dir };
	struct nook_plan_cgroup cg = { .dirs = record->cgroups, .n_dirs = record->n_cgroups };
	struct nook_host host = { 0 };
	int rc = nook_host_probe_bundle(a, &wants, &host, err);

	if (rc == 0)
		rc = nook_plan_bundle_limits(a, r, &host, &cg, err);
	if (rc < 0)
		return rc;
	keep_quota(a, r, &cg);

	struct nook_cgroup_old old = {
		.arena = a,
		.values = nook_alloc_array(a, cg.n_writes, sizeof(*old.values)),
	};

	for (unsigned i = 0; i < cg.n_dirs && rc == 0; i++)
		rc = write_dir(&cg, i, &old, err);
	if (rc == 0 && record->unit) {
		nook_bundle_systemd_limits(a, r, host.cgroup.layout == NOOK_CGROUP_UNIFIED, &cg);
		if (cg.n_properties)
			rc = nook_systemd_update(record->unit, cg.properties, cg.n_properties, err);
	}
	if (rc < 0)
		go_back(a, &cg, old.values);
	return rc;
}

int nook_oci_update(const char *state_dir, const char *id, const struct nook_bundle_resources *r,
		    struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_oci_state c = { 0 };
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	rc = nook_state_take(state_dir, id, PATIENCE_MS, &s, err);
	if (rc == -ENOENT)
		return nook_oci_no_such(id, err);
	if (rc == 0)
		rc = nook_oci_load_taken(&s, NOOK_RECORD_TEXT, &a, &c, err);
	if (rc == 0 && c.status == NOOK_OCI_STOPPED)
		rc = nook_refuse(err, EINVAL, "container not running: %s is stopped", id);
	if (rc == 0)
		rc = update(&a, &c.record, r, state_dir, err);
	nook_state_close(&s);
	return rc;
}
