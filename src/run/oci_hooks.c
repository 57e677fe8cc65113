/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_hooks.h"
#include "oci_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "stage/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

static int run_some(const struct nook_plan_hook *list, size_t n, struct nook_hooks_about *about,
		    struct nook_error *err)
{
	auto_close int interrupt = nook_open_interrupt();

	about->interrupt = interrupt;
	(void)sigemptyset(&about->mask); /* can't fail */
	return nook_hooks_run(list, n, about, err);
}

int nook_oci_hooks(const struct nook_plan_hooks *hooks, enum nook_hook_kind kind, int pid,
		   const char *status, const char *bundle, struct nook_error *err)
{
	if (!hooks || hooks->n[kind] == 0)
		return 0;

	struct nook_hooks_about about = {
		.state = hooks->state,
		.pid = pid,
		.status = status,
		.dir = bundle,
	};

	return run_some(hooks->list[kind], hooks->n[kind], &about, err);
}

void nook_oci_poststop(const struct nook_plan_hooks *hooks, const char *bundle,
		       const struct nook_oci_log *log)
{
	if (hooks->n[NOOK_HOOK_POSTSTOP] == 0)
		return;

	auto_close int there = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct nook_hooks_about about = {
		.state = hooks->state,
		.status = "stopped",
		.dir = there < 0 ? "/" : bundle,
	};

	for (size_t i = 0; i < hooks->n[NOOK_HOOK_POSTSTOP]; i++) {
		struct nook_error err = { 0 };
		char text[sizeof(err.where) + sizeof(err.why) + 4];

		if (run_some(&hooks->list[NOOK_HOOK_POSTSTOP][i], 1, &about, &err) == 0)
			continue;
		(void)nook_format(text, sizeof(text), "%s%s%s", err.where, err.where[0] ? ": " : "",
				  err.why); /* fits */
		nook_oci_warn(log, text);
	}
}

int nook_oci_hooks_of(struct nook_arena *a, const struct nook_record *r,
		      struct nook_plan_hooks *ret, struct nook_error *err)
{
	int rc;

	*ret = (struct nook_plan_hooks){ 0 };
	if (!r->hooks)
		return 0;
	rc = nook_bundle_parse_hooks(a, r->hooks, strlen(r->hooks), ret, err);
	ret->state = r->hook_state;
	return rc;
}

int run_outer_hooks(void *ctx, struct nook_error *err)
{
	const struct nook_create *c = ctx;
	const struct nook_plan_hooks *hooks = c->plan->hooks;
	struct nook_hooks_about about = {
		.state = hooks->state,
		.pid = c->pid,
		.status = "creating",
		.dir = c->record.bundle,
		.interrupt = c->walk.interrupt,
	};
	int rc;

	(void)sigemptyset(&about.mask); /* can't fail */
	rc = nook_hooks_run(hooks->list[NOOK_HOOK_PRESTART], hooks->n[NOOK_HOOK_PRESTART], &about,
			    err);
	return rc < 0 ? rc
		      : nook_hooks_run(hooks->list[NOOK_HOOK_CREATE_RUNTIME],
				       hooks->n[NOOK_HOOK_CREATE_RUNTIME], &about, err);
}

void run_outer_hooks_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_hooks_show(plan, NOOK_HOOK_PRESTART, "a prestart hook", rows);
	nook_hooks_show(plan, NOOK_HOOK_CREATE_RUNTIME, "a createRuntime hook", rows);
}
