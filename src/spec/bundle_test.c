/* SPDX-License-Identifier: Apache-2.0 */
/* What config.json means: every member once. */
#include "bundle_fixture.h"

#include "base/json_tree.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

#define assert_opt(member, number, place)                                                          \
	do {                                                                                       \
		assert_true((member).set);                                                         \
		assert_true((member).value == (number));                                           \
		assert_string_equal((member).from, place);                                         \
	} while (0)

static void test_process(void **state)
{
	auto_fixture struct fixture f = { 0 };
	const struct nook_bundle_process *p = &f.b.process;

	load(&f, "every-member");
	assert_true(p->set && p->terminal && p->no_new_privs && p->has_umask);
	assert_int_equal(p->rows, 25);
	assert_int_equal(p->columns, 132);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->gid, 1001);
	assert_int_equal(p->umask, 077);
	assert_int_equal(p->n_groups, 2);
	assert_int_equal(p->groups[0], 5);
	assert_int_equal(p->groups[1], 4294967294u);
	assert_texts(p->args, "/bin/sh|-c|echo \xc3\xa4; exit \"$1\"||");
	assert_texts(p->env, "PATH=/bin|EMPTY=|TWO=a=b|");
	assert_string_equal(p->cwd, "/home/x");
	assert_true(p->caps.set);
	assert_true(p->caps.bounding == (CAP(CHOWN) | CAP(NET_ADMIN) | CAP(CHECKPOINT_RESTORE)));
	assert_true(p->caps.effective == CAP(CHOWN));
	assert_true(p->caps.permitted == (CAP(CHOWN) | CAP(NET_ADMIN)));
	assert_true(p->caps.inheritable == CAP(KILL));
	assert_true(p->caps.ambient == CAP(SETUID));
	assert_int_equal(p->n_rlimits, 2);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_string_equal(p->rlimits[0].name, "RLIMIT_NOFILE");
	assert_int_equal(p->rlimits[0].soft, 1024);
	assert_int_equal(p->rlimits[0].hard, 4096);
	assert_string_equal(p->rlimits[1].from, "/process/rlimits/1");
	assert_true(p->rlimits[1].hard == (uint64_t)RLIM_INFINITY);
	assert_string_equal(p->apparmor, "acme_secure_profile");
	assert_string_equal(p->selinux, "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
	assert_opt(p->oom_score_adj, -500, "/process/oomScoreAdj");
	assert_true(p->scheduler.set);
	assert_int_equal(p->scheduler.policy, SCHED_DEADLINE);
	assert_int_equal(p->scheduler.nice, -3);
	assert_int_equal(p->scheduler.flags, SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM);
	assert_int_equal(p->scheduler.runtime, 1000000);
	assert_int_equal(p->scheduler.deadline, 2000000);
	assert_int_equal(p->scheduler.period, 3000000);
	assert_true(p->has_ioprio);
	assert_int_equal(p->ioprio, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
	assert_string_equal(p->affinity_initial, "0-3,7");
	assert_string_equal(p->affinity_final, "1");
}

static void test_files(void **state)
{
	auto_fixture struct fixture f = { 0 };
	const struct nook_bundle *b = &f.b;

	load(&f, "every-member");
	assert_string_equal(b->oci_version, "1.3.0");
	assert_string_equal(b->rootfs, "rootfs");
	assert_true(b->root_read_only);
	assert_string_equal(b->hostname, "box");
	assert_string_equal(b->domainname, "example.org");
	assert_null(b->dir);

	assert_int_equal(b->n_mounts, 2);
	assert_string_equal(b->mounts[0].destination, "/proc");
	assert_string_equal(b->mounts[0].type, "proc");
	assert_texts(b->mounts[0].options, "");
	assert_string_equal(b->mounts[1].destination, "data");
	assert_null(b->mounts[1].type);
	assert_string_equal(b->mounts[1].source, "/srv/data");
	assert_texts(b->mounts[1].options, "rbind|ro|idmap|");
	assert_string_equal(b->mounts[1].from, "/mounts/1");
	assert_int_equal(b->mounts[1].n_uid_map, 1);
	assert_int_equal(b->mounts[1].uid_map[0].outside, 100000);
	assert_int_equal(b->mounts[1].uid_map[0].count, 65536);
	assert_int_equal(b->mounts[1].n_gid_map, 2);
	assert_int_equal(b->mounts[1].gid_map[1].inside, 1);

	assert_int_equal(b->n_devices, 4);
	assert_int_equal(b->devices[0].type, 'c');
	assert_string_equal(b->devices[0].path, "/dev/fuse");
	assert_int_equal(b->devices[0].major, 10);
	assert_int_equal(b->devices[0].minor, 229);
	assert_true(b->devices[0].has_mode);
	assert_int_equal(b->devices[0].mode, 0666); /* 020666 in the file */
	assert_int_equal(b->devices[0].uid, 1);
	assert_int_equal(b->devices[0].gid, 2);
	assert_int_equal(b->devices[1].type, 'b');
	assert_false(b->devices[1].has_mode);
	assert_int_equal(b->devices[2].type, 'c');
	assert_true(b->devices[2].has_mode);
	assert_int_equal(b->devices[2].mode, 0);
	assert_int_equal(b->devices[3].type, 'p');
	assert_string_equal(b->devices[3].from, "/linux/devices/3");

	assert_texts(b->masked, "/proc/kcore|/proc/keys|");
	assert_int_equal(b->n_masked, 2);
	assert_texts(b->read_only, "/proc/sys|");
	assert_int_equal(b->n_read_only, 1);
	assert_string_equal(b->rootfs_propagation, "rslave");
	assert_string_equal(b->mount_label, "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811");
}

static void test_hooks(void **state)
{
	static const char *const paths[] = {
		[NOOK_HOOK_PRESTART] = "/h/prestart",   [NOOK_HOOK_CREATE_RUNTIME] = "/h/cr",
		[NOOK_HOOK_CREATE_CONTAINER] = "/h/cc", [NOOK_HOOK_START_CONTAINER] = "/h/sc",
		[NOOK_HOOK_POSTSTART] = "/h/pst",       [NOOK_HOOK_POSTSTOP] = "/h/pstop",
	};
	auto_fixture struct fixture f = { 0 };
	const struct nook_plan_hooks *hooks = &f.b.hooks;

	load(&f, "every-member");
	for (size_t i = 0; i < NOOK_HOOK_KINDS; i++) {
		assert_int_equal(hooks->n[i], i == NOOK_HOOK_CREATE_RUNTIME ? 2 : 1);
		assert_string_equal(hooks->list[i][0].path, paths[i]);
	}

	const struct nook_plan_hook *cr = hooks->list[NOOK_HOOK_CREATE_RUNTIME];

	assert_texts(cr[0].args, "cr|--now|");
	assert_texts(cr[0].env, "A=b|");
	assert_int_equal(cr[0].timeout, 5);
	assert_string_equal(cr[0].from, "/hooks/createRuntime/0");
	assert_null(cr[1].args);
	assert_null(cr[1].env);
	assert_int_equal(cr[1].timeout, 0);

	/* The record's copy says the same, with the same places. */
	struct nook_plan_hooks again = { 0 };

	assert_int_equal(
		nook_bundle_parse_hooks(&f.arena, hooks->json, strlen(hooks->json), &again, NULL),
		0);
	assert_string_equal(again.json, hooks->json);
	assert_texts(again.list[NOOK_HOOK_CREATE_RUNTIME][0].args, "cr|--now|");
	assert_string_equal(again.list[NOOK_HOOK_POSTSTOP][0].from, "/hooks/poststop/0");
}

static void test_linux(void **state)
{
	auto_fixture struct fixture f = { 0 };
	const struct nook_bundle *b = &f.b;

	load(&f, "every-member");
	for (size_t i = 0; i < NOOK_NS_COUNT; i++) {
		assert_true(b->ns[i].listed);
		assert_true(!b->ns[i].path == (i != NOOK_NS_NET));
	}
	assert_string_equal(b->ns[NOOK_NS_NET].path, "/run/netns/blue");
	assert_string_equal(b->ns[NOOK_NS_TIME].from, "/linux/namespaces/7");
	assert_int_equal(b->n_uid_map, 2);
	assert_int_equal(b->uid_map[1].outside, 100000);
	assert_string_equal(b->uid_map_from, "/linux/uidMappings");
	assert_int_equal(b->n_gid_map, 1);
	assert_int_equal(b->gid_map[0].outside, 4294967294u);
	assert_string_equal(b->gid_map_from, "/linux/gidMappings");
	assert_opt(b->monotonic, -86400, "/linux/timeOffsets/monotonic/secs");
	assert_int_equal(b->monotonic_nsecs, 999999999);
	assert_opt(b->boottime, 0, "/linux/timeOffsets/boottime");
	assert_int_equal(b->boottime_nsecs, 7);
	assert_int_equal(b->n_netdevs, 2);
	assert_string_equal(b->netdevs[0].host, "eth0");
	assert_string_equal(b->netdevs[0].name, "lan");
	assert_string_equal(b->netdevs[1].name, "ens5");
	assert_string_equal(b->netdevs[1].from, "/linux/netDevices/ens5");
	assert_string_equal(b->cgroups_path, "/a/b");
	assert_true(b->rdt.set && b->rdt.monitoring);
	assert_string_equal(b->rdt.clos_id, "guaranteed");
	assert_string_equal(b->rdt.l3, "L3:0=7f0;1=1f");
	assert_string_equal(b->rdt.mem_bw, "MB:0=20;1=70");
	assert_texts(b->rdt.schemata, "L2:0=f|L3CODE:0=1|");
	assert_true(b->memory_policy.set);
	assert_int_equal(b->memory_policy.mode,
			 MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_NUMA_BALANCING);
	assert_string_equal(b->memory_policy.nodes, "0-1,3");
	assert_int_equal(b->n_sysctls, 2);
	assert_string_equal(b->sysctls[0].name, "net.ipv4.ip_forward");
	assert_string_equal(b->sysctls[0].text, "1");
	assert_string_equal(b->sysctls[1].from, "/linux/sysctl/net/core/somaxconn");
	assert_int_equal(nook_json_size(b->seccomp), 2);
	assert_true(b->has_personality);
	assert_int_equal(b->personality, PER_LINUX32);
	assert_int_equal(b->n_annotations, 2);
	assert_string_equal(b->annotations[0].key, "org.example.key");
	assert_string_equal(b->annotations[0].value, "value");
	assert_string_equal(b->annotations[1].value, "");
}

static void check_resources(const struct nook_bundle_resources *r, const char *place)
{
	char from[128];

	assert_true(r->set);
	(void)snprintf(from, sizeof(from), "%s/memory/limit", place);
	assert_opt(r->memory.limit, 536870912, from);
	assert_int_equal(r->memory.reservation.value, 268435456);
	assert_int_equal(r->memory.swap.value, -1);
	assert_int_equal(r->memory.kernel.value, 1048576);
	assert_true(r->memory.kernel_tcp.set && r->memory.kernel_tcp.value == -1);
	assert_true(r->memory.swappiness.set && r->memory.swappiness.value == 0);
	assert_int_equal(r->memory.disable_oom_killer, NOOK_NO);
	assert_int_equal(r->memory.use_hierarchy, NOOK_YES);
	assert_int_equal(r->memory.check_before_update, NOOK_YES);
	assert_int_equal(r->cpu.shares.value, 1024);
	assert_true(r->cpu.quota.set && r->cpu.quota.value == -1);
	assert_true(r->cpu.burst.set && r->cpu.burst.value == 0);
	assert_int_equal(r->cpu.period.value, 500000);
	assert_int_equal(r->cpu.realtime_runtime.value, 950000);
	assert_int_equal(r->cpu.realtime_period.value, 1000000);
	assert_string_equal(r->cpu.cpus, "2-3");
	(void)snprintf(from, sizeof(from), "%s/cpu/mems", place);
	assert_string_equal(r->cpu.mems, "0-7,9");
	assert_string_equal(r->cpu.mems_from, from);
	assert_true(r->cpu.idle.set && r->cpu.idle.value == 1);
	assert_true(r->pids.set && r->pids.value == -1);
	assert_int_equal(r->class_id.value, 1048577);
}

static void check_lists(const struct nook_bundle_resources *r)
{
	assert_int_equal(r->n_devices, 4);
	assert_false(r->devices[0].allow);
	assert_int_equal(r->devices[0].type, 'a');
	assert_int_equal(r->devices[0].major, -1);
	assert_int_equal(r->devices[0].access, 7);
	assert_true(r->devices[1].allow);
	assert_int_equal(r->devices[1].access, NOOK_DEVICE_READ | NOOK_DEVICE_WRITE);
	assert_int_equal(r->devices[2].minor, -1);
	assert_int_equal(r->devices[2].access, NOOK_DEVICE_MKNOD);
	assert_int_equal(r->devices[3].access, 7);
	assert_int_equal(r->blkio.weight.value, 10);
	assert_int_equal(r->blkio.leaf_weight.value, 20);
	assert_int_equal(r->blkio.n_weights, 2);
	assert_int_equal(r->blkio.weights[0].leaf_weight.value, 300);
	assert_true(r->blkio.weights[1].weight.set && !r->blkio.weights[1].leaf_weight.set);
	assert_int_equal(r->blkio.weights[1].minor, 16);
	assert_int_equal(r->blkio.n_throttle[NOOK_READ_BPS], 1);
	assert_int_equal(r->blkio.throttle[NOOK_READ_BPS][0].rate, 600);
	assert_true(r->blkio.throttle[NOOK_WRITE_BPS][0].rate == UINT64_MAX);
	assert_int_equal(r->blkio.n_throttle[NOOK_READ_IOPS], 2);
	assert_int_equal(r->blkio.throttle[NOOK_READ_IOPS][1].minor, 4);
	assert_int_equal(r->blkio.throttle[NOOK_WRITE_IOPS][0].rate, 300);
	assert_int_equal(r->n_hugepages, 2);
	assert_string_equal(r->hugepages[0].name, "2MB");
	assert_int_equal(r->hugepages[0].number, 209715200);
	assert_int_equal(r->n_net_prio, 1);
	assert_string_equal(r->net_prio[0].name, "eth0");
	assert_int_equal(r->net_prio[0].number, 500);
	assert_int_equal(r->n_rdma, 2);
	assert_string_equal(r->rdma[0].name, "mlx5_1");
	assert_int_equal(r->rdma[0].handles.value, 3);
	assert_true(!r->rdma[1].handles.set && r->rdma[1].objects.set);
	assert_int_equal(r->n_unified, 2);
	assert_string_equal(r->unified[0].name, "io.max");
	assert_string_equal(r->unified[0].text, "259:0 rbps=2097152\n253:0 wiops=120");
}

static void test_resources(void **state)
{
	auto_fixture struct fixture f = { 0 };
	struct nook_bundle_resources alone = { 0 };
	struct nook_json *part = NULL;

	load(&f, "every-member");
	check_resources(&f.b.resources, "/linux/resources");
	check_lists(&f.b.resources);

	/* The same by itself, for `update`. */
	part = nook_json_find(f.b.tree, "linux", NULL);
	part = nook_json_find(part, "resources", NULL);
	const char *text = nook_json_compact(&f.arena, part);

	assert_int_equal(nook_bundle_parse_resources(&f.arena, text, strlen(text), &alone, NULL),
			 0);
	check_resources(&alone, "");
	check_lists(&alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),   cmocka_unit_test(test_files),
		cmocka_unit_test(test_hooks),     cmocka_unit_test(test_linux),
		cmocka_unit_test(test_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
