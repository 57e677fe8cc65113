/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: config.md, "POSIX-platform Hooks". */
#include "bundle_reader.h"

#define TIMEOUT_LAST 2147483 /* seconds; more passes poll(2)'s milliseconds */

static int read_timeout(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	int64_t seconds = 0;
	int rc = nook_json_as_i64(v, 1, TIMEOUT_LAST, &seconds, r->err);

	*(unsigned *)into = (unsigned)seconds;
	return rc;
}

#define STRUCT struct nook_plan_hook
static int read_hook(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("path", path, NOOK_BUNDLE_PATH, nook_bundle_check_absolute),
		ROW_TEXTS("args", args, NOOK_BUNDLE_ARG, NULL),
		ROW_TEXTS("env", env, NOOK_BUNDLE_ARG, NULL),
		ROW_PART("timeout", timeout, NOOK_JSON_NUMBER, read_timeout),
	};
	struct nook_plan_hook *hook = into;
	int rc = nook_bundle_members(r, v, hook, rows);

	hook->from = nook_bundle_from(r, v);
	if (hook->args && !hook->args[0])
		hook->args = NULL;
	if (hook->env && !hook->env[0])
		hook->env = NULL;
	return rc;
}
#undef STRUCT

#define STRUCT struct nook_plan_hooks
#define HOOKS(key, kind)                                                                           \
	ROW_ITEMS(key, list[kind], n[kind], NOOK_JSON_ARRAY, NOOK_JSON_OBJECT, read_hook)
int nook_bundle_read_hooks(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	static const struct nook_bundle_member rows[] = {
		HOOKS("prestart", NOOK_HOOK_PRESTART),
		HOOKS("createRuntime", NOOK_HOOK_CREATE_RUNTIME),
		HOOKS("createContainer", NOOK_HOOK_CREATE_CONTAINER),
		HOOKS("startContainer", NOOK_HOOK_START_CONTAINER),
		HOOKS("poststart", NOOK_HOOK_POSTSTART),
		HOOKS("poststop", NOOK_HOOK_POSTSTOP),
	};

	return nook_bundle_members(r, v, into, rows);
}
#undef HOOKS
#undef STRUCT
