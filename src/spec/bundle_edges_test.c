/* SPDX-License-Identifier: Apache-2.0 */
/* What config.json means: what 0 and "" mean, a process alone, bounds; engines' own. */
#include "bundle_fixture.h"

#include "sys/names.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>

/* ---- what is as if not said ---- */

static void test_unset(void **state)
{
	auto_fixture struct fixture f = { 0 };
	const struct nook_bundle *b = &f.b;
	const struct nook_bundle_resources *r = &b->resources;

	load_members(&f, "'hostname':'','domainname':'','hooks':{'poststop':[]},"
			 "'process':{'args':['x'],'cwd':'/','apparmorProfile':'',"
			 "'selinuxLabel':'','oomScoreAdj':0,'user':{'umask':0}},"
			 "'mounts':[{'destination':'/a','type':'','source':''}],"
			 "'linux':{'cgroupsPath':'','mountLabel':'','rootfsPropagation':'',"
			 "'resources':{'memory':{'limit':0,'reservation':0,'swap':0,'kernel':0,"
			 "'kernelTCP':0,'swappiness':18446744073709551615},"
			 "'cpu':{'shares':0,'quota':0,'period':0,'realtimeRuntime':0,"
			 "'realtimePeriod':0,'cpus':'','mems':''},'pids':{'limit':0},"
			 "'blockIO':{'weight':0,'leafWeight':0},'network':{'classID':0}}}");
	assert_true(!b->hostname && !b->domainname && !b->hooks.json && !b->rootfs);
	assert_true(!b->process.apparmor && !b->process.selinux);
	assert_true(b->process.oom_score_adj.set && b->process.has_umask);
	assert_true(!b->mounts[0].type && !b->mounts[0].source);
	assert_true(!b->cgroups_path && !b->mount_label && !b->rootfs_propagation);
	assert_true(r->set);
	assert_false(r->memory.limit.set || r->memory.reservation.set || r->memory.swap.set ||
		     r->memory.kernel.set || r->memory.kernel_tcp.set || r->memory.swappiness.set);
	assert_false(r->cpu.shares.set || r->cpu.quota.set || r->cpu.period.set ||
		     r->cpu.realtime_runtime.set || r->cpu.realtime_period.set);
	assert_true(!r->cpu.cpus && !r->cpu.mems && !r->cpu.cpus_from);
	assert_false(r->pids.set || r->blkio.weight.set || r->blkio.leaf_weight.set ||
		     r->class_id.set);
}

/* A bundle that says nothing: what is never NULL. */
static void test_nothing(void **state)
{
	auto_fixture struct fixture f = { 0 };

	load_members(&f, "'linux':{}");
	assert_false(f.b.process.set || f.b.resources.set || f.b.rdt.set || f.b.memory_policy.set);
	assert_texts(f.b.masked, "");
	assert_texts(f.b.read_only, "");
	assert_null(f.b.seccomp);
	assert_null(f.b.uid_map_from);
}

static void test_names(void **state)
{
	char words[1024];
	size_t n = 0;

	(void)snprintf(words, sizeof(words), "%s", nook_cap_words);
	for (char *save = NULL, *word = strtok_r(words, " ", &save); word;
	     word = strtok_r(NULL, " ", &save), n++) {
		auto_fixture struct fixture f = { 0 };
		char members[256];

		for (char *p = word; *p; p++)
			*p = (char)toupper(*p);
		(void)snprintf(members, sizeof(members),
			       "'process':{'args':['x'],'cwd':'/','capabilities':{'ambient':"
			       "['CAP_%s']}}",
			       word);
		load_members(&f, members);
		assert_true(f.b.process.caps.ambient == UINT64_C(1) << n);
		assert_true(f.b.process.caps.bounding == 0);
	}
	assert_int_equal(n, CAP_CHECKPOINT_RESTORE + 1);
}

/* ---- a process alone ---- */

static void test_process_alone(void **state)
{
	auto_fixture struct fixture f = { 0 };
	struct nook_bundle_process p = { 0 };
	struct nook_error err = { 0 };
	static const char bad[] = "{\"cwd\":\"/\",\"args\":[\"a\",1]}";

	load(&f, "every-member");
	const char *json = f.b.process.json;

	assert_int_equal(nook_bundle_parse_process(&f.arena, json, strlen(json), &p, &err), 0);
	assert_string_equal(p.json, json);
	assert_texts(p.args, "/bin/sh|-c|echo \xc3\xa4; exit \"$1\"||");
	assert_int_equal(p.ioprio, f.b.process.ioprio);
	assert_true(p.caps.bounding == f.b.process.caps.bounding);
	assert_string_equal(p.rlimits[1].from, "/rlimits/1");

	assert_int_equal(nook_bundle_parse_process(&f.arena, bad, strlen(bad), &p, &err), -EINVAL);
	assert_string_equal(err.where, "/args/1");
}

/* ---- bounds ---- */

/* "[X,X,…]" */
static char *repeat(struct nook_arena *a, const char *item, size_t n)
{
	size_t len = strlen(item);
	char *text = nook_alloc(a, n * (len + 1) + 3), *p = text;

	*p++ = '[';
	for (size_t i = 0; i < n; i++) {
		p = mempcpy(p, item, len);
		*p++ = i + 1 < n ? ',' : ']';
	}
	return text;
}

static void test_bounds(void **state)
{
	static const char line[] = "{\"containerID\":0,\"hostID\":0,\"size\":1}";
	const struct {
		const char *head, *item, *tail, *place;
		size_t n; /* too many by one */
	} cases[] = {
		{ "\"process\":{\"cwd\":\"/\",\"args\":", "\"x\"", "}", "/process/args", 65537 },
		{ "\"process\":{\"cwd\":\"/\",\"args\":[\"x\"],\"env\":", "\"A=\"", "}",
		  "/process/env", 65537 },
		{ "\"process\":{\"cwd\":\"/\",\"args\":[\"x\"],\"user\":{\"additionalGids\":", "7",
		  "}}", "/process/user/additionalGids", 65537 },
		{ "\"mounts\":", "{\"destination\":\"/\"}", "", "/mounts", 65537 },
		{ "\"linux\":{\"uidMappings\":", line, "}", "/linux/uidMappings", 341 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t less = 0; less < 2; less++) {
			auto_arena struct nook_arena a = { 0 };
			struct nook_bundle b = { 0 };
			struct nook_error err = { 0 };

			assert_int_equal(nook_arena_init(&a), 0);
			const char *list = repeat(&a, cases[i].item, cases[i].n - less);
			const char *text = nook_printf(&a, "{\"ociVersion\":\"1.0.0\",%s%s%s}",
						       cases[i].head, list, cases[i].tail);

			assert_int_equal(nook_bundle_parse(&a, text, strlen(text), &b, &err),
					 less ? 0 : -EINVAL);
			assert_string_equal(err.where, less ? "" : cases[i].place);
		}
	}
}

/* Many lists, each short enough. */
static void test_bound_of_all(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };
	struct nook_error err = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	const char *options = repeat(&a, "\"\"", 60000);
	const char *mount = nook_printf(&a, "{\"destination\":\"/\",\"options\":%s}", options);
	const char *text =
		nook_printf(&a, "{\"ociVersion\":\"1.0.0\",\"mounts\":%s}", repeat(&a, mount, 5));

	assert_int_equal(nook_bundle_parse(&a, text, strlen(text), &b, &err), -EINVAL);
	assert_string_equal(err.where, "/mounts/4/options");
}

/* ---- engines' own ---- */

static void test_engines(void **state)
{
	static const struct {
		const char *name;
		size_t mounts, rules, masked, rlimits, uid_lines, prestart;
		bool seccomp, user_ns;
	} cases[] = {
		{ "podman", 11, 1, 11, 2, 1, 0, true, true },          /* --userns=auto */
		{ "podman-rootless", 10, 0, 11, 2, 3, 0, true, true }, /* --userns=keep-id */
		{ "docker", 10, 8, 10, 0, 0, 1, true, false },
		{ "cri", 10, 1, 0, 0, 0, 0, false, false }, /* privileged */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_fixture struct fixture f = { 0 };

		load(&f, cases[i].name);
		assert_int_equal(f.b.n_mounts, cases[i].mounts);
		assert_int_equal(f.b.resources.n_devices, cases[i].rules);
		assert_int_equal(f.b.n_masked, cases[i].masked);
		assert_int_equal(f.b.process.n_rlimits, cases[i].rlimits);
		assert_int_equal(f.b.n_uid_map, cases[i].uid_lines);
		assert_int_equal(f.b.hooks.n[NOOK_HOOK_PRESTART], cases[i].prestart);
		assert_true(!f.b.seccomp == !cases[i].seccomp);
		assert_true(f.b.ns[NOOK_NS_USER].listed == cases[i].user_ns);
		assert_true(f.b.process.caps.set && f.b.process.args[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unset),   cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_names),   cmocka_unit_test(test_process_alone),
		cmocka_unit_test(test_bounds),  cmocka_unit_test(test_bound_of_all),
		cmocka_unit_test(test_engines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
