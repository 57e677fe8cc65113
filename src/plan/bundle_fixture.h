/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of plans: config.json and host in, members of the plan or the refusal out. Whole
 * plans: tests/plans. */
#ifndef NOOK_PLAN_BUNDLE_FIXTURE_H
#define NOOK_PLAN_BUNDLE_FIXTURE_H

#include "bundle.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/mount.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#define BIT(cap) (1ULL << (cap))
#define ALL      (BIT(41) - 1)

static struct nook_arena arena;
static struct nook_error err;
static struct nook_plan plan;
static struct nook_bundle bundle;
static struct nook_host host;
static struct nook_bundle_options options;

static const char *const no_env[] = { NULL };

static inline int setup(void **state)
{
	static struct nook_hierarchy v2;

	v2 = (struct nook_hierarchy){
		.v2 = true,
		.mount = "/sys/fs/cgroup",
		.own = "/",
		.place = "/",
		.delegated = true,
		.device_bpf = true,
		.controllers = "",
	};
	nook_arena_free(&arena);
	host = (struct nook_host){
		.caps = ALL,
		.bounding = ALL,
		.initial_userns = true,
		.owns_mounts = true,
		.env = no_env,
		.release = "6.18.0",
		.last_cap = 40,
		.feature = { [NOOK_FEATURE_CLONE3_TIME] = true,
			     [NOOK_FEATURE_DETACHED_CLONE] = true },
		.cgroup = { .layout = NOOK_CGROUP_UNIFIED, .v2 = { .mount = "/sys/fs/cgroup" } },
		.hierarchies = &v2,
		.n_hierarchies = 1,
		.pid = 77,
	};
	options = (struct nook_bundle_options){ .id = "c", .state_dir = "/run/x" };
	return nook_arena_init(&arena);
}

static inline int teardown(void **state)
{
	bundle = (struct nook_bundle){ 0 };
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A bundle of these members and, unless they have it, root and process. Quotes are written as '. */
static inline int build(const char *members)
{
	char *text = nook_printf(
		&arena, "{'ociVersion':'1.2.0',%s%s%s}",
		strstr(members, "'root'") ? "" : "'root':{'path':'rootfs'},",
		strstr(members, "'process'") ? "" : "'process':{'cwd':'/','args':['sh']},",
		members);

	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	err = (struct nook_error){ 0 };

	int rc = nook_bundle_parse(&arena, text, strlen(text), &bundle, &err);

	if (rc < 0)
		fail_msg("%s: %s: %s", text, err.where, err.why);
	bundle.dir = "/bundle";
	return nook_plan_bundle(&arena, &bundle, &options, &host, &plan, &err);
}

#define LINUX(rest)      "'linux':{" rest "'namespaces':[{'type':'mount'}]}"
#define WITH(kind, rest) "'linux':{" rest "'namespaces':[{'type':'mount'},{'type':'" kind "'}]}"
#define MOUNT(rest)      "'mounts':[{'destination':'/a'," rest "}]," LINUX("")

static inline const struct nook_plan_mount *mount_at(const char *target)
{
	for (size_t i = 0; i < plan.n_mounts; i++) {
		if (strcmp(plan.mounts[i].target, target) == 0)
			return &plan.mounts[i];
	}
	fail_msg("nothing is mounted on %s", target);
	return NULL;
}

static inline const struct nook_plan_source *source_at(const char *target)
{
	return &plan.sources[mount_at(target)->source];
}

#endif
