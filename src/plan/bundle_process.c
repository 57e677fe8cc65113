/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to the container and is no mount: its process, sysctls, hooks, devices of the
 * network, resctrl. */
#include "bundle_parts.h"

#include "base/json.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

/* What hooks read, up to the members that change: `{"ociVersion":…,"annotations":{…},`. */
static const char *hook_state(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	struct nook_json_writer w;
	const char *text;
	size_t len;

	nook_json_to_arena(&w, p->arena, false);
	nook_json_object(&w, NULL);
	nook_json_put_text(&w, "ociVersion", b->oci_version);
	nook_json_put_text(&w, "id", p->plan->name);
	nook_json_put_text(&w, "bundle", b->dir);
	if (b->n_annotations) {
		nook_json_object(&w, "annotations");
		for (size_t i = 0; i < b->n_annotations; i++)
			nook_json_put_text(&w, b->annotations[i].key, b->annotations[i].value);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	(void)nook_json_finish(&w, &text, &len); /* into memory that can't run out */

	/* "…}\n" */
	return nook_printf(p->arena, "%.*s,", (int)len - 2, text);
}

static void plan_hooks(struct nook_bundle_planner *p)
{
	size_t n = 0;

	for (int kind = 0; kind < NOOK_HOOK_KINDS; kind++)
		n += p->bundle->hooks.n[kind];
	if (!n)
		return;

	struct nook_plan_hooks *hooks = nook_alloc(p->arena, sizeof(*hooks));

	*hooks = p->bundle->hooks;
	hooks->state = hook_state(p);
	p->plan->hooks = hooks;
}

int nook_plan_bundle_process(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	struct nook_plan *plan = p->plan;
	int rc = nook_plan_bundle_program(p, &b->process);

	if (rc == 0)
		rc = nook_bundle_seccomp(p);
	if (rc == 0)
		rc = nook_bundle_sysctls(p);
	if (rc < 0)
		return rc;

	plan_hooks(p);
	plan->netdevs = b->netdevs;
	plan->n_netdevs = b->n_netdevs;
	if (b->n_netdevs && !nook_bundle_may(p, CAP_NET_ADMIN))
		return nook_bundle_refuse(p, b->netdevs[0].from, EPERM,
					  "network devices are moved by who has CAP_NET_ADMIN");
	if (b->rdt.set)
		plan->rdt = &b->rdt;
	if (b->has_personality) {
		plan->process.set_personality = true;
		plan->process.personality = b->personality;
	}
	if (b->memory_policy.set)
		plan->process.memory_policy = &b->memory_policy;
	plan->process.keep_keyring = p->options->no_new_keyring;
	/* execCPUAffinity is for those that join, config.md, "Linux Process". */
	plan->process.affinity = plan->process.affinity_final = NULL;
	return 0;
}
