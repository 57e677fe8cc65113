/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_oci BUNDLE NAME FILTER WORD…: what the kernel must do for `nook-oci run` of a bundle with
 * runc's default config, and nothing else: config.json is read, not understood; the calls are those
 * that make, set or end something, in one file without nook's library. FILTER 1: with nook's own
 * seccomp filter, which has as many names as the engines'; 0: without one.
 */
#include "floor.h"
#include "floor_mounts.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#define STATE   "/run/nook-floor-oci"
#define CGROUPS "/sys/fs/cgroup" /* a cgroup2: bench.py sees to that */

static const char *const masked[] = {
	"/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",       "/proc/scsi",
};

static const struct mount mounts[] = {
	{ "/proc", "proc", { 0 }, 0 },
	{ "/dev", "tmpfs", { "mode", "755", "size", "65536k" }, MOUNT_ATTR_NOSUID },
	{ "/dev/pts",
	  "devpts",
	  { "ptmxmode", "0666", "mode", "0620", "gid", "5" },
	  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ "/dev/shm", "tmpfs", { "mode", "1777", "size", "65536k" }, SAFE },
	{ "/dev/mqueue", "mqueue", { 0 }, SAFE },
	{ "/sys", "sysfs", { 0 }, SAFE | MOUNT_ATTR_RDONLY },
};

static const struct {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static void make_devices(int root)
{
	int dev = DO(in_root(root, "/dev"));

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		DO(mknodat(dev, devices[i].name, S_IFCHR | 0666,
			   makedev(devices[i].major, devices[i].minor)));
		DO(fchmodat(dev, devices[i].name, 0666, 0));
	}
	finish_dev(dev);
}

static void make_root(int root, int cgroups)
{
	int scratch = new_fs("tmpfs", (const char *[]){ "mode", "0700", NULL }, SAFE);

	move_to(scratch, AT_FDCWD, "/");
	DO(mkdirat(scratch, "root", 0700));
	move_to(root, scratch, "root");
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		int fd = new_fs(mounts[i].fstype, mounts[i].options, mounts[i].attrs);

		mount_inside(root, fd, mounts[i].target);
		if (strcmp(mounts[i].target, "/dev") == 0)
			make_devices(root);
	}
	mount_inside(root, cgroups, "/sys/fs/cgroup");
	cover(root, scratch, masked, ARRAY_SIZE(masked), read_only, ARRAY_SIZE(read_only));
	set_attrs(root, MOUNT_ATTR_RDONLY, 0, -1, 0);

	DO(fchdir(root));
	DO(syscall(SYS_pivot_root, ".", "."));
	DO(syscall(SYS_umount2, ".", 2 /* MNT_DETACH */));
	DO(syscall(SYS_umount2, ".", 2 /* MNT_DETACH */));
	DO(chdir("/"));
}

static _Noreturn void stage(int channel, int root, int cgroups, const char *name, bool filtered,
			    char **argv, const sigset_t *mask)
{
	const struct rlimit files = { 1024, 1024 };

	DO(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	hear(channel);
	make_root(root, cgroups);
	be_host(name);
	detach_from_caller();
	DO(setrlimit(RLIMIT_NOFILE, &files));
	drop_privilege();
	tell(channel, 2);
	hear(channel);
	if (filtered)
		load_filter();
	DO(setsid());
	DO(syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */));
	DO(sigprocmask(SIG_SETMASK, mask, NULL));
	DO(execve(argv[0], argv, (char *[]){ "PATH=/bin", "HOME=/root", NULL }));
	_exit(127);
}

/* ---- outside ---- */

/* Lets everything through: what the verifier and the hook cost is what counts. */
static void allow_devices(int cgroup)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insn_cnt = ARRAY_SIZE(code),
		.insns = (uint64_t)(uintptr_t)code,
		.license = (uint64_t)(uintptr_t) "Apache",
	};
	int program = DO(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)));
	union bpf_attr attach = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};

	DO(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)));
	DO(close(program));
}

static void read_config(const char *bundle)
{
	static char config[65536];
	int dir = DO(open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC));
	int fd = DO(openat(dir, "config.json", O_RDONLY | O_CLOEXEC));

	DO(read(fd, config, sizeof(config)));
	DO(close(fd));
	DO(close(dir));
}

static void save(int dir, const char *name, const char *text)
{
	write_file(dir, "new", O_CREAT | O_EXCL, text);
	DO(renameat(dir, "new", dir, name));
}

static char *join(char *out, const char *a, const char *b)
{
	return strcat(strcpy(out, a), b);
}

int main(int argc, char **argv)
{
	char path[300], lock[300], record[4096];
	int channel[2], pidfd;
	sigset_t signals, before;

	if (argc < 5 || strlen(argv[1]) > 200 || strlen(argv[2]) > 200)
		return 2;

	DO(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	read_config(argv[1]);
	memset(record, 'x', sizeof(record) - 1);
	record[sizeof(record) - 1] = '\0';
	(void)mkdir(STATE, 0700);
	int dir = DO(open(STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int held =
		DO(openat(dir, join(lock, argv[2], ".lock"), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	DO(flock(held, LOCK_EX | LOCK_NB));
	save(dir, argv[2], record);

	DO(mkdir(join(path, CGROUPS "/", argv[2]), 0755));
	int into = DO(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int cgroups = tree(into, "", 0);

	allow_devices(into);
	set_attrs(cgroups, SAFE | MOUNT_ATTR_RDONLY, 0, -1, 0);

	char rootfs[300];
	int root = tree(AT_FDCWD, join(rootfs, argv[1], "/rootfs"), AT_RECURSIVE);

	set_attrs(root, 0, 1 << 18 /* MS_PRIVATE */, -1, AT_RECURSIVE);
	DO(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	(void)sigfillset(&signals);
	(void)sigdelset(&signals, SIGCHLD);
	DO(sigprocmask(SIG_BLOCK, &signals, &before));

	pid_t pid = clone_process(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
					  CLONE_NEWPID,
				  into, &pidfd);

	if (pid == 0) {
		DO(close(channel[0]));
		stage(channel[1], root, cgroups, argv[2], atoi(argv[3]) != 0, argv + 4, &before);
	}
	DO(close(channel[1]));
	tell(channel[0], 1);
	hear(channel[0]);
	save(dir, argv[2], record);
	tell(channel[0], 3);
	if (hear(channel[0]) != 0) /* the end: the program runs */
		return 125;

	int status = supervise(pidfd, pid, &signals);

	DO(rmdir(path));
	DO(unlinkat(dir, argv[2], 0));
	DO(unlinkat(dir, lock, 0));
	return status;
}
