/* SPDX-License-Identifier: Apache-2.0 */
#include "probes.h"
#include "base/text.h"
#include "causes.h"
#include "cgroup.h"
#include "probe.h"

#include <string.h>

struct nook_probe *nook_probe_add(struct nook_probes *p, const char *group, const char *id,
				  const char *title, enum nook_verdict verdict)
{
	struct nook_probe *row = nook_append(p->arena, p->rows, p->n);

	*row = (struct nook_probe){ .group = group,
				    .id = id,
				    .title = title,
				    .verdict = verdict,
				    .detail = "",
				    .why = "",
				    .cause = "",
				    .fix = "" };
	return row;
}

struct nook_probe *nook_probe_outcome(struct nook_probes *p, const char *group, const char *id,
				      const char *title, int rc, struct nook_error *err,
				      bool new_userns)
{
	struct nook_probe *row =
		nook_probe_add(p, group, id, title, rc < 0 ? NOOK_VERDICT_NO : NOOK_VERDICT_YES);

	if (rc >= 0)
		return row;

	nook_explain(err, &(struct nook_explain_context){ .new_userns = new_userns });
	row->detail = nook_strdup(p->arena, err->why);
	row->why = nook_strdup(p->arena, err->cause);
	row->cause = nook_strdup(p->arena, err->id);
	row->fix = nook_strdup(p->arena, err->hint);
	return row;
}

struct nook_probe *nook_probe_cause(struct nook_probes *p, const char *group, const char *id,
				    const char *title, enum nook_verdict verdict, const char *cause)
{
	struct nook_probe *row = nook_probe_add(p, group, id, title, verdict);
	const struct nook_known_cause *known = nook_known_cause(cause);

	row->why = known->meaning;
	row->cause = known->id;
	row->fix = nook_strndup(p->arena, known->fix, strcspn(known->fix, "\n"));
	return row;
}

/* What nook_run() would know before it plans. The root is a directory here, so that the host's
 * files are not searched for secrets. */
static const struct nook_host *probe_host(struct nook_probes *p, struct nook_error *err)
{
	static const struct nook_spec spec = {
		.root = { .kind = NOOK_ROOT_DIR, .dir = { .path = "/", .from = "" } },
	};
	struct nook_host *host = nook_alloc(p->arena, sizeof(*host));

	if (nook_host_probe(p->arena, &spec, host, err) < 0 ||
	    nook_host_cgroup_probe(p->arena, NULL, host, err) < 0)
		return NULL;
	return host;
}

void nook_probe_machine(struct nook_arena *a, struct nook_probes *ret)
{
	static void (*const groups[])(struct nook_probes *, const struct nook_host *) = {
		nook_probe_namespaces, nook_probe_ids,      nook_probe_mounts, nook_probe_idmaps,
		nook_probe_cgroups,    nook_probe_security, nook_probe_kernel, nook_probe_devices,
	};
	struct nook_error err = { 0 };

	*ret = (struct nook_probes){ .arena = a };

	const struct nook_host *host = probe_host(ret, &err);

	if (!host) {
		struct nook_probe *row =
			nook_probe_outcome(ret, "machine", "machine", "machine", -1, &err, false);

		row->needed = true;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		groups[i](ret, host);
}

bool nook_probes_suffice(const struct nook_probes *probes)
{
	for (size_t i = 0; i < probes->n; i++) {
		if (probes->rows[i].needed && probes->rows[i].verdict == NOOK_VERDICT_NO)
			return false;
	}
	return true;
}
