/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor ROOT NAME WORD…: what the kernel must do for `nook run --root ROOT WORD…` as root, and
 * nothing else: the calls that make, set or end something, in nook's order, in one file without
 * nook's library. What nook reads of the host, checks, resolves twice, reads back or explains is
 * not here: that is nook's share, and the ratio shows it. With FLOOR_NET the container is on a
 * bridge network.
 */
#include "floor.h"
#include "floor_mounts.h"
#ifdef FLOOR_NET
#include "floor_net.h"
#endif

#include <sys/file.h>

#define STATE    "/run/nook-floor"
#define CGROUPS  "/sys/fs/cgroup" /* a cgroup2: bench.py sees to that */
#define FIRST_ID "2080374784"

static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty" };
static int device_trees[ARRAY_SIZE(devices)];

static const char *const masked[] = {
	"/proc/acpi",        "/proc/asound",  "/proc/interrupts",
	"/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi",    "/proc/timer_list",
	"/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap",
};

static const struct mount mounts[] = {
	{ "/sys", "sysfs", { 0 }, SAFE | MOUNT_ATTR_RDONLY },
	{ "/sys/fs/cgroup", "cgroup2", { 0 }, SAFE | MOUNT_ATTR_RDONLY },
	{ "/dev",
	  "tmpfs",
	  { "mode", "0755", "size", "64k" },
	  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ "/dev/pts",
	  "devpts",
	  { "mode", "0620", "ptmxmode", "0666" },
	  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC },
	{ "/dev/shm", "tmpfs", { "mode", "1777", "size", "64m" }, SAFE },
	{ "/dev/mqueue", "mqueue", { 0 }, SAFE },
};

/* ---- mounts ---- */

static void make_devices(int root)
{
	int dev = DO(in_root(root, "/dev"));

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char path[32] = "/dev/";
		int fd = DO(openat(dev, devices[i], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));

		DO(close(fd));
		mount_inside(root, device_trees[i], strcat(path, devices[i]));
	}
	finish_dev(dev);
}

static void make_root(int root)
{
	int proc = new_fs("proc", NULL, SAFE);
	int scratch = new_fs("tmpfs", (const char *[]){ "mode", "0700", NULL }, SAFE);

	move_to(scratch, AT_FDCWD, "/");
	DO(mkdirat(scratch, "root", 0700));
	move_to(root, scratch, "root");

	mount_inside(root, proc, "/proc");
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		int fd = new_fs(mounts[i].fstype, mounts[i].options, mounts[i].attrs);

		mount_inside(root, fd, mounts[i].target);
		if (strcmp(mounts[i].target, "/dev") == 0)
			make_devices(root);
	}
	cover(root, scratch, masked, ARRAY_SIZE(masked), read_only, ARRAY_SIZE(read_only));

	DO(fchdir(root));
	DO(syscall(SYS_pivot_root, ".", "."));
	/* On "/" lie the host's root and, on top of it, the scratch: one call takes one of them.
	 * What stayed would be seen at "/..". */
	DO(syscall(SYS_umount2, ".", 2 /* MNT_DETACH */));
	DO(syscall(SYS_umount2, ".", 2 /* MNT_DETACH */));
	DO(chdir("/"));
}

/* ---- inside ---- */

static _Noreturn void be_init(pid_t program)
{
	sigset_t all;
	int status;

	(void)sigfillset(&all);
	DO(sigprocmask(SIG_BLOCK, &all, NULL));
	DO(syscall(SYS_close_range, 0, ~0u, 0));
	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

		if (pid == program)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		if (pid <= 0)
			(void)sigwaitinfo(&all, NULL);
	}
}

static _Noreturn void stage(int channel, int root, const char *name, char **argv,
			    const sigset_t *mask)
{
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	hear(channel);
	DO(syscall(SYS_setgroups, 0, NULL));
	DO(syscall(SYS_setresgid, 0, 0, 0));
	DO(syscall(SYS_setresuid, 0, 0, 0));
#ifdef FLOOR_NET
	configure_inside();
#endif
	make_root(root);
	be_host(name);
	detach_from_caller();
	drop_privilege();
	tell(channel, 2);
	hear(channel);
	load_filter();

	DO(setsid());
	/* The filter, like the engines', answers clone3 with ENOSYS: its flags can't be seen by a
	 * filter. */
	pid_t program = DO(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));

	if (program)
		be_init(program);

	DO(setsid());
	DO(syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */));
	DO(sigprocmask(SIG_SETMASK, mask, NULL));
	DO(execve(argv[0], argv, (char *[]){ "PATH=/bin", "HOME=/root", NULL }));
	_exit(127);
}

/* ---- outside ---- */

/* The record of a container, written aside and renamed. */
static void save(int dir, const char *text)
{
	write_file(dir, "record.new", O_CREAT | O_EXCL, text);
	DO(renameat(dir, "record.new", dir, "record"));
}

static char *join(char *out, const char *a, const char *b, const char *c)
{
	return strcat(strcat(strcpy(out, a), b), c);
}

static void map_ids(pid_t pid, int root)
{
	char path[64], number[16];
	int digits = sizeof(number) - 1;

	number[digits] = '\0';
	for (pid_t left = pid; left; left /= 10)
		number[--digits] = (char)('0' + left % 10);
	join(path, "/proc/", number + digits, "");

	int proc = DO(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));

	write_file(proc, "uid_map", 0, "0 " FIRST_ID " 65536\n");
	write_file(proc, "gid_map", 0, "0 " FIRST_ID " 65536\n");

	int userns = DO(openat(proc, "ns/user", O_RDONLY | O_CLOEXEC));

	set_attrs(root, 0, 0, userns, AT_RECURSIVE);
	DO(close(userns));
	DO(close(proc));
}

int main(int argc, char **argv)
{
	char cgroup[300], state[300], range[300];
	int channel[2], pidfd;
	sigset_t signals, before;

	if (argc < 4 || strlen(argv[2]) > 200)
		return 2;

	DO(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	(void)mkdir(STATE, 0700);
	(void)mkdir(STATE "/containers", 0700);
	(void)mkdir(STATE "/ids", 0700);
	DO(mkdir(join(state, STATE, "/containers/", argv[2]), 0700));
	int dir = DO(open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int lock = DO(openat(dir, "lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	DO(flock(lock, LOCK_EX | LOCK_NB));
	write_file(AT_FDCWD, join(range, STATE, "/ids/", FIRST_ID), O_CREAT | O_EXCL, argv[2]);
	save(dir, "creating\n");

	(void)mkdir(CGROUPS "/nook-floor", 0755);
	DO(mkdir(join(cgroup, CGROUPS, "/nook-floor/", argv[2]), 0755));
	int into = DO(open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC));

	int root = tree(AT_FDCWD, argv[1], AT_RECURSIVE);
	set_attrs(root, MOUNT_ATTR_NODEV, 1 << 18 /* MS_PRIVATE */, -1, AT_RECURSIVE);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char path[32] = "/dev/";

		device_trees[i] = tree(AT_FDCWD, strcat(path, devices[i]), 0);
		set_attrs(device_trees[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 1 << 18, -1, 0);
	}

	DO(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	(void)sigfillset(&signals);
	(void)sigdelset(&signals, SIGCHLD);
	DO(sigprocmask(SIG_BLOCK, &signals, &before));

	pid_t pid =
		clone_process(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC |
				      CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWTIME,
			      into, &pidfd);

	if (pid == 0) {
		DO(close(channel[0]));
		stage(channel[1], root, argv[2], argv + 3, &before);
	}
	DO(close(channel[1]));
	map_ids(pid, root);
#ifdef FLOOR_NET
	connect_outside(pid);
#endif
	tell(channel[0], 1);
	hear(channel[0]);
	save(dir, "running\n");
	tell(channel[0], 3);
	if (hear(channel[0]) != 0) /* the end: the program runs */
		return 125;

	int status = supervise(pidfd, pid, &signals);

#ifdef FLOOR_NET
	disconnect();
#endif
	DO(rmdir(cgroup));
	DO(unlinkat(dir, "record", 0));
	DO(unlinkat(dir, "lock", 0));
	DO(rmdir(state));
	DO(unlink(range));
	return status;
}
