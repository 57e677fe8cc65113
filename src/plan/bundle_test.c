/* SPDX-License-Identifier: Apache-2.0 */
/* config.json and host in, members of the plan or the refusal out. Whole plans: tests/plans. */
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

static int setup(void **state)
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

static int teardown(void **state)
{
	bundle = (struct nook_bundle){ 0 };
	return 0;
}

/* A bundle of these members and, unless they have it, root and process. Quotes are written as '. */
static int build(const char *members)
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

static const struct nook_plan_mount *mount_at(const char *target)
{
	for (size_t i = 0; i < plan.n_mounts; i++) {
		if (strcmp(plan.mounts[i].target, target) == 0)
			return &plan.mounts[i];
	}
	fail_msg("nothing is mounted on %s", target);
	return NULL;
}

static const struct nook_plan_source *source_at(const char *target)
{
	return &plan.sources[mount_at(target)->source];
}

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

/* ---- root and mounts ---- */

static void propagation_of_root_and_sources(void **state)
{
	static const struct {
		const char *said;
		unsigned long root, host, source;
	} cases[] = {
		{ "", 0, 0, MS_SLAVE },
		{ "'rootfsPropagation':'slave',", MS_SLAVE, MS_SLAVE | MS_REC, MS_SLAVE },
		{ "'rootfsPropagation':'private',", MS_PRIVATE, MS_PRIVATE | MS_REC, MS_PRIVATE },
		{ "'rootfsPropagation':'rshared',", MS_SHARED | MS_REC, MS_SHARED | MS_REC, 0 },
		{ "'rootfsPropagation':'unbindable',", MS_UNBINDABLE, MS_PRIVATE | MS_REC,
		  MS_PRIVATE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			build(nook_printf(&arena,
					  "'mounts':[{'destination':'/a','source':'/b','type':"
					  "'bind'}]," LINUX("%s"),
					  cases[i].said)),
			0);
		assert_int_equal(plan.root_propagation, cases[i].root);
		assert_int_equal(plan.host_propagation, cases[i].host);
		assert_int_equal(source_at("/a")->propagation, cases[i].source);
		assert_int_equal(mount_at("/a")->n_propagation, 0);
	}
}

/* What one call at the opening can do is not left for later. */
static void bind_mounts_are_opened_as_they_are_to_be(void **state)
{
	static const struct {
		const char *options;
		uint64_t attrs, set, clear;
		unsigned long propagation;
		size_t n_left;
	} cases[] = {
		{ "'bind'", 0, 0, 0, MS_SLAVE, 0 },
		{ "'bind','ro','nosuid'", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, MS_SLAVE,
		  0 },
		{ "'bind','rw'", 0, 0, MOUNT_ATTR_RDONLY, MS_SLAVE, 0 },
		{ "'rbind','ro'", 0, MOUNT_ATTR_RDONLY, 0, MS_SLAVE, 0 },
		{ "'rbind','rprivate'", 0, 0, 0, MS_PRIVATE, 0 },
		{ "'rbind','private'", 0, 0, 0, MS_SLAVE, 1 },
		{ "'bind','private'", 0, 0, 0, MS_PRIVATE, 0 },
		{ "'bind','rshared'", 0, 0, 0, MS_SLAVE, 1 },
		{ "'bind','private','slave'", 0, 0, 0, MS_SLAVE, 2 },
		{ "'bind','noatime'", 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, MS_SLAVE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(build(nook_printf(&arena, MOUNT("'source':'b','options':[%s]"),
						   cases[i].options)),
				 0);
		assert_string_equal(source_at("/a")->path, "/bundle/b");
		assert_int_equal(source_at("/a")->attrs, cases[i].attrs);
		assert_int_equal(source_at("/a")->propagation, cases[i].propagation);
		assert_int_equal(mount_at("/a")->change.set, cases[i].set);
		assert_int_equal(mount_at("/a")->change.clear, cases[i].clear);
		assert_int_equal(mount_at("/a")->n_propagation, cases[i].n_left);
	}
	/* The kernel says EPERM to who takes such a flag off a mount of another's. */
	host.initial_userns = false;
	assert_int_equal(build(MOUNT("'source':'b','options':['rbind','rw','dev']")), 0);
	assert_int_equal(mount_at("/a")->change.clear, 0);
}

/* Once something in the container is shared, what is mounted there may be, too. */
static void below_a_shared_mount_all_is_said(void **state)
{
	assert_int_equal(
		build("'mounts':[{'destination':'/a','type':'bind','source':'/a','options':["
		      "'rshared']},{'destination':'/a/b','type':'bind','source':'/b','options':["
		      "'bind','private']},{'destination':'/a/c','type':'tmpfs','source':'t',"
		      "'options':['private']}]," LINUX("")),
		0);
	assert_int_equal(mount_at("/a/b")->n_propagation, 1);
	assert_int_equal(mount_at("/a/c")->n_propagation, 1);
}

static void targets(void **state)
{
	static const struct {
		const char *destination, *target; /* NULL: refused */
	} cases[] = {
		{ "/a/b", "/a/b" },
		{ "a//b/", "/a/b" },
		{ "/a/../../b/.", "/b" },
		{ "/..a/...", "/..a/..." },
		{ "/", NULL },
		{ "/a/..", NULL },
		{ "/proc", NULL },
		{ "/proc/", NULL },
		{ "/x/../proc/sys", NULL },
		{ "/procx", "/procx" },
		{ "/proc/uptime", "/proc/uptime" },
		{ "/proc/uptime/x", NULL },
		{ "/proc/net/dev", "/proc/net/dev" },
		{ "/sys/kernel", "/sys/kernel" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int rc = build(nook_printf(&arena,
					   "'mounts':[{'destination':'%s','type':'tmpfs',"
					   "'source':'t'}]," LINUX(""),
					   cases[i].destination));

		if (rc != (cases[i].target ? 0 : -EINVAL))
			fail_msg("%s: %d %s", cases[i].destination, rc, err.why);
		if (cases[i].target)
			assert_string_equal(plan.mounts[0].target, cases[i].target);
		else
			assert_string_equal(err.where, "/mounts/0");
	}
	assert_int_equal(
		build("'mounts':[{'destination':'/proc','type':'bind','source':'/proc'}]," LINUX(
			"")),
		0);
	assert_int_equal(
		build("'mounts':[{'destination':'/proc','type':'bind','source':'/tmp'}]," LINUX(
			"")),
		-EINVAL);
}

static void kernel_file_systems(void **state)
{
	static const char proc[] = "'mounts':[{'destination':'/proc','type':'proc','source':"
				   "'proc','options':[%s]}],";

	assert_int_equal(build(nook_printf(&arena, "%s" WITH("pid", ""),
					   nook_printf(&arena, proc, "'nosuid'"))),
			 0);
	assert_int_equal(mount_at("/proc")->kind, NOOK_PLAN_PROC);
	assert_int_equal(mount_at("/proc")->attrs, MOUNT_ATTR_NOSUID);
	/* One with options, or of another's processes, is none that the stage has. */
	assert_int_equal(build(nook_printf(&arena, "%s" WITH("pid", ""),
					   nook_printf(&arena, proc, "'hidepid=2'"))),
			 0);
	assert_int_equal(mount_at("/proc")->kind, NOOK_PLAN_FS);
	assert_int_equal(build(nook_printf(&arena, "%s" LINUX(""), nook_printf(&arena, proc, ""))),
			 0);
	assert_int_equal(mount_at("/proc")->kind, NOOK_PLAN_FS);
	/* A user namespace may mount none of another's. */
	assert_int_equal(
		build(nook_printf(&arena, "%s" WITH("user", ""), nook_printf(&arena, proc, ""))),
		0);
	assert_int_equal(mount_at("/proc")->kind, NOOK_PLAN_BIND);
	assert_string_equal(source_at("/proc")->path, "/proc");

	assert_int_equal(build("'mounts':[{'destination':'/dev/pts','type':'devpts','source':'d'},"
			       "{'destination':'/p','type':'devpts','source':'d'}]," LINUX("")),
			 0);
	assert_int_equal(mount_at("/dev/pts")->kind, NOOK_PLAN_DEVPTS);
	assert_int_equal(mount_at("/p")->kind, NOOK_PLAN_FS);
}

static void what_is_mounted_into_becomes_read_only_at_last(void **state)
{
	assert_int_equal(build("'mounts':[{'destination':'/dev','type':'tmpfs','source':'t',"
			       "'options':['ro']},{'destination':'/d','type':'ext4','source':"
			       "'/dev/sda','options':['ro']}]," LINUX("")),
			 0);
	assert_int_equal(mount_at("/dev")->attrs, 0);
	assert_int_equal(mount_at("/d")->attrs, MOUNT_ATTR_RDONLY);
	assert_string_equal(mount_at("/d")->options[1].key, "ro");

	const struct nook_plan_mount *last = &plan.mounts[plan.n_mounts - 1];

	assert_int_equal(last->kind, NOOK_PLAN_REMOUNT);
	assert_string_equal(last->target, "/dev");
	assert_int_equal(last->change.set, MOUNT_ATTR_RDONLY);
}

static void idmaps(void **state)
{
	static const char maps[] = "'uidMappings':[{'containerID':0,'hostID':9,'size':1}],"
				   "'gidMappings':[{'containerID':0,'hostID':8,'size':1}],";

	assert_int_equal(build(nook_printf(&arena, MOUNT("%s'source':'b','type':'bind'"), maps)),
			 0);
	assert_int_equal(source_at("/a")->own_maps, 1);
	assert_true(source_at("/a")->idmap_top && !source_at("/a")->idmap);
	assert_string_equal(plan.mount_maps[0].uid_map, "0 9 1\n");
	assert_string_equal(plan.mount_maps[0].gid_map, "0 8 1\n");

	assert_int_equal(build("'mounts':[{'destination':'/a','source':'b','options':['rbind',"
			       "'ridmap']}]," WITH("user", "")),
			 0);
	assert_true(source_at("/a")->idmap && !source_at("/a")->idmap_top);
	assert_int_equal(source_at("/a")->own_maps, 0);
}

/* ---- devices ---- */

static void devices(void **state)
{
	static const char said[] =
		LINUX("'devices':[{'type':'c','path':'/dev/null','major':1,'minor':3,'fileMode':"
		      "384},{'type':'b','path':'/x/../b','major':7,'minor':1,'uid':5},{'type':'p',"
		      "'path':'/f'},{'type':'c','path':'/dev/ptmx','major':5,'minor':2}],");

	assert_int_equal(build(said), 0);
	assert_int_equal(mount_at("/dev/null")->kind, NOOK_PLAN_DEVICE);
	assert_int_equal(mount_at("/dev/null")->mode, S_IFCHR | 0600);
	assert_int_equal(mount_at("/dev/zero")->mode, S_IFCHR | 0666);
	assert_int_equal(mount_at("/b")->mode, S_IFBLK | 0666);
	assert_int_equal(mount_at("/b")->rdev, makedev(7, 1));
	assert_int_equal(mount_at("/b")->uid, 5);
	assert_int_equal(mount_at("/f")->mode, S_IFIFO | 0666);
	assert_int_equal(mount_at("/dev/ptmx")->kind, NOOK_PLAN_SYMLINK);

	size_t n = 0;

	for (size_t i = 0; i < plan.n_mounts; i++)
		n += strcmp(plan.mounts[i].target, "/dev/null") == 0;
	assert_int_equal(n, 1);

	host.caps &= ~BIT(CAP_MKNOD);
	assert_int_equal(build(said), 0);
	assert_int_equal(mount_at("/dev/null")->kind, NOOK_PLAN_BIND);
	assert_int_equal(source_at("/dev/null")->rdev, makedev(1, 3));
	assert_int_equal(mount_at("/f")->kind, NOOK_PLAN_DEVICE);
}

static void a_dev_of_the_engines_is_left_alone(void **state)
{
	assert_int_equal(build("'process':{'cwd':'/','args':['sh'],'terminal':true},"
			       "'mounts':[{'destination':'/dev/','source':'/dev','options':["
			       "'rbind']}]," LINUX("")),
			 0);
	assert_int_equal(plan.n_mounts, 2);
	assert_string_equal(plan.mounts[1].target, "/dev/console");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(namespaces_are_new_entered_or_the_callers),
		TEST(maps_have_a_writer),
		TEST(a_cgroup_namespace_may_have_to_wait),
		TEST(clocks),
		TEST(propagation_of_root_and_sources),
		TEST(bind_mounts_are_opened_as_they_are_to_be),
		TEST(below_a_shared_mount_all_is_said),
		TEST(targets),
		TEST(kernel_file_systems),
		TEST(what_is_mounted_into_becomes_read_only_at_last),
		TEST(idmaps),
		TEST(devices),
		TEST(a_dev_of_the_engines_is_left_alone),
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
