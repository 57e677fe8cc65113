/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a bundle: its root, its mounts and its devices. */
#include "bundle_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(propagation_of_root_and_sources),
		TEST(bind_mounts_are_opened_as_they_are_to_be),
		TEST(below_a_shared_mount_all_is_said),
		TEST(targets),
		TEST(kernel_file_systems),
		TEST(what_is_mounted_into_becomes_read_only_at_last),
		TEST(idmaps),
		TEST(devices),
		TEST(a_dev_of_the_engines_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
