/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_hooks.h"
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "stage/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

int nook_oci_hooks(const struct nook_plan_hook *hooks, size_t n, const char *state_prefix, int pid,
		   const char *status, const char *bundle, struct nook_error *err)
{
	struct nook_hooks_about about = {
		.state = state_prefix,
		.pid = pid,
		.status = status,
		.dir = bundle,
	};

	if (n == 0)
		return 0;

	auto_close int interrupt = nook_open_interrupt();

	about.interrupt = interrupt;
	(void)sigemptyset(&about.mask); /* can't fail */
	return nook_hooks_run(hooks, n, &about, err);
}

void nook_oci_hooks_all(const struct nook_plan_hook *hooks, size_t n, const char *state_prefix,
			int pid, const char *status, const char *bundle, nook_oci_warn *warn,
			void *warn_data)
{
	auto_close int there = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *dir = there < 0 ? "/" : bundle;

	for (size_t i = 0; i < n; i++) {
		struct nook_error err = { 0 };
		char text[sizeof(err.where) + sizeof(err.why) + 4];

		if (nook_oci_hooks(&hooks[i], 1, state_prefix, pid, status, dir, &err) == 0)
			continue;
		(void)nook_format(text, sizeof(text), "%s%s%s", err.where, err.where[0] ? ": " : "",
				  err.why); /* fits */
		if (warn)
			warn(warn_data, text);
	}
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
