/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a bundle: its namespaces, its process and the rest. Mounts: bundle_mounts_test.c */
#include "bundle_fixture.h"

/* ---- namespaces ---- */

static void namespaces_are_new_entered_or_the_callers(void **state)
{
	assert_int_equal(build("'linux':{'namespaces':[{'type':'mount'},{'type':'pid',"
			       "'path':'/p'},{'type':'network'},{'type':'user','path':'/u'}]}"),
			 0);
	assert_int_equal(plan.clone_flags, CLONE_NEWNS | CLONE_NEWNET);
	assert_true(plan.own_userns && plan.loopback_up);
	/* Who has the rights now enters the user namespace last. */
	assert_int_equal(plan.n_joins, 2);
	assert_string_equal(plan.joins[0].path, "/p");
	assert_int_equal(plan.joins[1].kind, NOOK_NS_USER);
	assert_int_equal(plan.userns.writer, NOOK_IDMAP_NONE);

	host.caps = 0;
	host.euid = 1000;
	assert_int_equal(build("'linux':{'namespaces':[{'type':'mount'},{'type':'pid',"
			       "'path':'/p'},{'type':'user','path':'/u'}]}"),
			 0);
	assert_int_equal(plan.joins[0].kind, NOOK_NS_USER);
	assert_false(plan.loopback_up);
}

static void a_network_namespace_is_made_beside(void **state)
{
	static const char alone[] = "{'type':'mount'},{'type':'network'}";
	const struct {
		const char *more; /* behind these two */
		uint64_t without; /* capabilities that we have not */
		bool beside;
	} rows[] = {
		{ "", 0, true },
		{ ",{'type':'pid'},{'type':'ipc'},{'type':'uts'}", 0, true },
		{ "", 1ull << CAP_NET_ADMIN, false },
		{ ",{'type':'pid','path':'/p'}", 0, false },
		{ ",{'type':'user','path':'/u'}", 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];

		host.caps = ~UINT64_C(0) & ~rows[i].without;
		(void)snprintf(text, sizeof(text), "'linux':{'namespaces':[%s%s]}", alone,
			       rows[i].more);
		assert_int_equal(build(text), 0);
		assert_true(plan.loopback_up);
		assert_int_equal(plan.net_beside, rows[i].beside);
		assert_int_equal(!(plan.clone_flags & CLONE_NEWNET), rows[i].beside);
	}

	/* Devices are moved into a process' namespace. */
	assert_int_equal(build("'linux':{'namespaces':[{'type':'mount'},{'type':'network'}],"
			       "'netDevices':{'eth7':{}}}"),
			 0);
	assert_false(plan.net_beside);
}

static void maps_have_a_writer(void **state)
{
	static const char own[] = "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}],"
				  "'gidMappings':[{'containerID':0,'hostID':100,'size':1}],";
	static const char two[] = "'uidMappings':[{'containerID':0,'hostID':1000,'size':1},"
				  "{'containerID':1,'hostID':100000,'size':5}],"
				  "'gidMappings':[{'containerID':0,'hostID':100,'size':1}],";
	const struct {
		const char *maps;
		uint64_t caps;
		int rc;
		enum nook_idmap_writer writer;
		bool deny;
		const char *uid_map;
	} cases[] = {
		{ "", ALL, 0, NOOK_IDMAP_DIRECT, false, "0 1000 1\n" },
		{ "", 0, 0, NOOK_IDMAP_DIRECT, true, "0 1000 1\n" },
		{ own, 0, 0, NOOK_IDMAP_DIRECT, true, "0 1000 1\n" },
		{ two, ALL, 0, NOOK_IDMAP_DIRECT, false, "0 1000 1\n1 100000 5\n" },
		{ two, 0, 0, NOOK_IDMAP_HELPER, false, "0 1000 1\n1 100000 5\n" },
	};

	host.euid = 1000;
	host.egid = 100;
	host.newuidmap = host.newgidmap = "/h";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		host.caps = cases[i].caps;
		assert_int_equal(build(nook_printf(&arena, WITH("user", "%s"), cases[i].maps)),
				 cases[i].rc);
		assert_int_equal(plan.userns.writer, cases[i].writer);
		assert_int_equal(plan.userns.deny_setgroups, cases[i].deny);
		assert_string_equal(plan.userns.uid_map, cases[i].uid_map);
		assert_true(plan.own_userns);
		/* Opened in the stage's copy, unless we may. */
		assert_int_equal(plan.sources_outside, cases[i].caps != 0);
	}
	host.newgidmap = NULL;
	assert_int_equal(build(nook_printf(&arena, WITH("user", "%s"), two)), -ENOENT);
	assert_string_equal(err.id, "setuid-helper-missing");
}

/* The clone's own would have its root above the cgroup of v1. */
static void a_cgroup_namespace_may_have_to_wait(void **state)
{
	static struct nook_hierarchy v1 = { .mount = "/sys/fs/cgroup/devices",
					    .own = "/",
					    .place = "/",
					    .delegated = true,
					    .controllers = "devices" };

	assert_int_equal(build(WITH("cgroup", "'cgroupsPath':'/x',")), 0);
	assert_true(plan.clone_flags & CLONE_NEWCGROUP);
	assert_false(plan.late_cgroup);

	host.hierarchies = &v1;
	host.cgroup = (struct nook_host_cgroup){ .layout = NOOK_CGROUP_V1 };
	assert_int_equal(build(WITH("cgroup", "'cgroupsPath':'/x',")), 0);
	assert_true(plan.late_cgroup);
	assert_false(plan.clone_flags & CLONE_NEWCGROUP);
}

static void clocks(void **state)
{
	assert_int_equal(build(WITH("time", "")), 0);
	assert_true(plan.clone_flags & CLONE_NEWTIME);
	assert_int_equal(build(WITH("time", "'timeOffsets':{'boottime':{'secs':-3}},")), 0);
	assert_true(plan.late_time && !(plan.clone_flags & CLONE_NEWTIME));
	assert_string_equal(plan.time_offsets, "boottime -3 0\n");
	host.feature[NOOK_FEATURE_CLONE3_TIME] = false;
	assert_int_equal(build(WITH("time", "")), 0);
	assert_true(plan.late_time && !plan.time_offsets);
}

/* ---- process ---- */

static void capabilities_that_can_be_had(void **state)
{
	static const char process[] =
		"'process':{'cwd':'/','args':['sh'],'capabilities':{'bounding':['CAP_KILL',"
		"'CAP_SYS_TIME'],'permitted':['CAP_KILL','CAP_SYS_TIME'],'effective':['CAP_KILL',"
		"'CAP_CHOWN'],'inheritable':['CAP_KILL'],'ambient':['CAP_KILL','CAP_CHOWN']}},";
	const struct nook_plan_caps *c = &plan.process.caps;

	host.caps = host.bounding = ALL & ~BIT(CAP_SYS_TIME);
	assert_int_equal(build(nook_printf(&arena, "%s" LINUX(""), process)), 0);
	assert_int_equal(c->bounding, BIT(CAP_KILL));
	assert_int_equal(c->permitted, BIT(CAP_KILL));
	assert_int_equal(c->effective, BIT(CAP_KILL));
	assert_int_equal(c->ambient, BIT(CAP_KILL));
	assert_string_equal(plan.warnings[0], "/process/capabilities: can't be had here: sys_time");
	assert_null(plan.warnings[1]);

	/* In a user namespace of its own all can be had. */
	assert_int_equal(build(nook_printf(&arena, "%s" WITH("user", ""), process)), 0);
	assert_int_equal(c->permitted, BIT(CAP_KILL) | BIT(CAP_SYS_TIME));
	assert_null(plan.warnings);

	assert_int_equal(build(LINUX("")), 0);
	assert_int_equal(c->bounding | c->permitted | c->ambient, 0);
}

static void a_service_managers_descriptors_are_passed_on(void **state)
{
	static const char *const with[] = { "LISTEN_FDS=2", "LISTEN_PID=77", NULL };
	static const char *const others[] = { "LISTEN_FDS=2", "LISTEN_PID=78", NULL };

	options.preserve_fds = 3;
	host.env = others;
	assert_int_equal(build(LINUX("")), 0);
	assert_int_equal(plan.process.preserve_fds, 3);
	host.env = with;
	assert_int_equal(build(LINUX("")), 0);
	assert_int_equal(plan.process.preserve_fds, 5);
	assert_string_equal(plan.process.env[0], "LISTEN_FDS=2");
	assert_string_equal(plan.process.env[1], "LISTEN_PID=1");
	assert_null(plan.process.env[2]);
}

static void groups(void **state)
{
	static const char process[] = "'process':{'cwd':'/','args':['sh'],'user':{'uid':0,'gid':0,"
				      "'additionalGids':[5]}},%s" LINUX("");

	assert_int_equal(build(nook_printf(&arena, process, "")), 0);
	assert_int_equal(plan.process.n_groups, 1);
	assert_false(plan.process.keep_groups);
	assert_int_equal(build(nook_printf(&arena, process,
					   "'annotations':{'run.oci.keep_original_groups':'1'},")),
			 0);
	assert_true(plan.process.keep_groups);
	assert_int_equal(plan.process.n_groups, 0);
	host.caps &= ~BIT(CAP_SETGID);
	assert_int_equal(build(nook_printf(&arena, process, "")), 0);
	assert_true(plan.process.keep_groups);
}

static void a_bundle_without_a_process_is_not_refused(void **state)
{
	assert_int_equal(build("'process':null," LINUX("")), 0);
	assert_true(plan.process.no_program);
	assert_non_null(plan.process.argv);
	assert_non_null(plan.process.env);
}

static void homes(void **state)
{
	static const struct {
		const char *env;
		bool own;
	} cases[] = {
		{ "", true }, { "'HOME='", true }, { "'HOME=/x'", false }, { "'HOMEX=/x'", true }
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(build(nook_printf(&arena,
						   "'process':{'cwd':'/','args':['sh'],'env':[%s]}"
						   "," LINUX(""),
						   cases[i].env)),
				 0);
		assert_int_equal(plan.process.own_home, cases[i].own);
	}
}

static void security_labels(void **state)
{
	static const char process[] =
		"'process':{'cwd':'/','args':['sh'],'apparmorProfile':'%s','selinuxLabel':'%s'}"
		"," LINUX("'mountLabel':'l',");

	assert_int_equal(build(nook_printf(&arena, process, "unconfined", "")), 0);
	assert_null(plan.process.apparmor);
	assert_int_equal(build(nook_printf(&arena, process, "p", "")), -EOPNOTSUPP);
	assert_string_equal(err.where, "/process/apparmorProfile");
	host.apparmor = host.selinux = true;
	assert_int_equal(build(nook_printf(&arena, process, "unconfined", "l")), 0);
	assert_string_equal(plan.process.apparmor, "unconfined");
	assert_string_equal(plan.process.selinux, "l");
	assert_int_equal(build("'mounts':[{'destination':'/a','type':'tmpfs','source':'t'}]," LINUX(
				 "'mountLabel':'u:r:t:s0:c1,c2',")),
			 0);
	assert_string_equal(mount_at("/a")->options[1].key, "context");
	assert_string_equal(mount_at("/a")->options[1].value, "u:r:t:s0:c1,c2");
}

/* ---- the rest ---- */

static void sysctls(void **state)
{
	static const struct {
		const char *name, *kind, *path; /* path NULL: refused */
	} cases[] = {
		{ "net.ipv4.ip_forward", "network", "net/ipv4/ip_forward" },
		{ "net.ipv4.ip_forward", "ipc", NULL },
		{ "net/ipv4/conf/eth0.1/forwarding", "network", "net/ipv4/conf/eth0.1/forwarding" },
		{ "net.ipv4.conf.eth0/1.forwarding", "network", "net/ipv4/conf/eth0.1/forwarding" },
		{ "net", "network", NULL },
		{ "net.", "network", NULL },
		{ "net..x", "network", NULL },
		{ "net/../vm/swappiness", "network", NULL },
		{ "/net/x", "network", NULL },
		{ "kernel.shmmax", "ipc", "kernel/shmmax" },
		{ "kernel.shmmaxx", "ipc", NULL },
		{ "kernel.shmmax", "uts", NULL },
		{ "fs.mqueue.msg_max", "ipc", "fs/mqueue/msg_max" },
		{ "fs.file-max", "ipc", NULL },
		{ "kernel.domainname", "uts", "kernel/domainname" },
		{ "kernel.hostname", "uts", NULL },
		{ "user.max_net_namespaces", "user", "user/max_net_namespaces" },
		{ "vm.swappiness", "user", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int rc = build(nook_printf(&arena, WITH("%s", "'sysctl':{'%s':'1'},"),
					   cases[i].name, cases[i].kind));

		if (rc != (cases[i].path ? 0 : -EINVAL))
			fail_msg("%s in %s: %d %s", cases[i].name, cases[i].kind, rc, err.why);
		if (cases[i].path)
			assert_string_equal(plan.sysctls[0].path, cases[i].path);
	}
}

static void hooks_read_what_does_not_change(void **state)
{
	assert_int_equal(
		build("'annotations':{'a\\n':'b'},'hooks':{'poststop':[{'path':'/h'}]}," LINUX("")),
		0);
	assert_string_equal(plan.hooks->state,
			    "{\"ociVersion\":\"1.2.0\",\"id\":\"c\",\"bundle\":\"/bundle\","
			    "\"annotations\":{\"a\\n\":\"b\"},");
	assert_int_equal(build(LINUX("")), 0);
	assert_null(plan.hooks);
}

static void warnings_end(void **state)
{
	struct nook_bundle_planner p = { .arena = &arena, .plan = &plan };

	plan = (struct nook_plan){ 0 };
	for (int i = 0; i < 20; i++) {
		nook_plan_bundle_warn(&p, "%d", i);
		assert_null(plan.warnings[i + 1]);
	}
	assert_string_equal(plan.warnings[0], "0");
	assert_string_equal(plan.warnings[19], "19");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(namespaces_are_new_entered_or_the_callers),
		TEST(a_network_namespace_is_made_beside),
		TEST(maps_have_a_writer),
		TEST(a_cgroup_namespace_may_have_to_wait),
		TEST(clocks),
		TEST(capabilities_that_can_be_had),
		TEST(a_service_managers_descriptors_are_passed_on),
		TEST(groups),
		TEST(a_bundle_without_a_process_is_not_refused),
		TEST(homes),
		TEST(security_labels),
		TEST(sysctls),
		TEST(hooks_read_what_does_not_change),
		TEST(warnings_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
