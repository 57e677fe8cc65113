/* SPDX-License-Identifier: Apache-2.0 */
#include "causes.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

/* ---- the table ---- */

static void test_rows(void **state)
{
	const struct nook_known_cause *c;
	struct nook_error err;

	for (size_t i = 0; (c = nook_known_cause_at(i)); i++) {
		if (strspn(c->id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(c->id) ||
		    strlen(c->id) < 3 || strlen(c->id) >= sizeof(err.id))
			fail_msg("%s can't be an id", c->id);
		if (nook_known_cause(c->id) != c)
			fail_msg("%s stands there twice", c->id);
		if (!c->title[0] || !c->meaning[0] || !c->see[0] || !c->fix[0] || !c->since)
			fail_msg("%s has an empty part", c->id);
		if (c->meaning[strlen(c->meaning) - 1] != '.')
			fail_msg("%s: the meaning is no sentence", c->id);
		if (strlen(c->meaning) >= sizeof(err.cause) ||
		    strcspn(c->fix, "\n") >= sizeof(err.hint))
			fail_msg("%s: too long for struct nook_error", c->id);
	}
	assert_null(nook_known_cause("no-such-cause"));
	assert_null(nook_known_cause(""));
}

/* ---- a machine made of files ---- */

static char base[] = "/tmp/nook-causes-test-XXXXXX";
static char proc[64];

static void put(const char *path, const char *text, mode_t mode)
{
	char whole[512];

	(void)nook_format(whole, sizeof(whole), "%s/%s", base, path);
	for (char *slash = whole + strlen(base) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(whole, 0755); /* EEXIST */
		*slash = '/';
	}

	auto_close int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

struct file {
	const char *path, *text;
};

#define ROOT_STATUS                                                                                \
	"Name:\tnook\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:"    \
	"\t0\n"
#define MOUNTS "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:20 / /proc rw - proc proc rw\n"

/* A machine on which nothing is amiss. */
static const struct file sane[] = {
	{ "proc/self/status", ROOT_STATUS },
	{ "proc/self/mountinfo", MOUNTS },
	{ "proc/self/cgroup", "0::/\n" },
	{ "proc/self/limits", "Limit                     Soft Limit           Hard Limit\n"
			      "Max processes             unlimited            unlimited\n"
			      "Max open files            1024                 4096  files\n"
			      "Max address space         unlimited            unlimited\n" },
	{ "proc/self/uid_map", "         0          0 4294967295\n" },
	{ "proc/self/gid_map", "         0          0 4294967295\n" },
	{ "proc/self/setgroups", "allow\n" },
	{ "proc/self/ns/mnt", "" },
	{ "proc/self/ns/cgroup", "" },
	{ "proc/self/ns/ipc", "" },
	{ "proc/self/ns/uts", "" },
	{ "proc/self/ns/net", "" },
	{ "proc/self/ns/pid", "" },
	{ "proc/self/ns/time", "" },
	{ "proc/loadavg", "0.00 0.00 0.00 1/100 4000\n" },
	{ "proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n" },
	{ "proc/filesystems", "nodev\tproc\nnodev\ttmpfs\n\text4\n" },
	{ "proc/sys/kernel/osrelease", "6.1.0-13-amd64\n" },
	{ "proc/sys/kernel/threads-max", "100000\n" },
	{ "proc/sys/kernel/pid_max", "32768\n" },
	{ "proc/sys/fs/mount-max", "100000\n" },
	{ "proc/sys/fs/file-max", "100000\n" },
	{ "proc/sys/user/max_user_namespaces", "1000\n" },
	{ "cg/pids.max", "max\n" },
	{ "cg/pids.current", "10\n" },
};

static void make_sane(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sane); i++)
		put(sane[i].path, sane[i].text, 0644);
}

static const struct {
	const char *name;
	int errnum;
	const char *why; /* without what errno means */
	bool new_userns;
	const char *id;       /* what it must be */
	const char *cause;    /* a part of the sentence */
	struct file files[3]; /* what is different on this machine */
} cases[] = {
	{ "limit 0",
	  ENOSPC,
	  "clone3 (new user namespace)",
	  true,
	  "userns-limit",
	  "is 0",
	  { { "proc/sys/user/max_user_namespaces", "0\n" } } },
	{ "limit of another kind",
	  ENOSPC,
	  "clone3",
	  true,
	  "namespace-limit",
	  "max_net_namespaces",
	  { { "proc/sys/user/max_net_namespaces", "0\n" } } },
	{ "Debian's switch",
	  EPERM,
	  "clone3",
	  true,
	  "userns-forbidden",
	  "kernel.unprivileged_userns_clone is 0",
	  { { "proc/self/status", "CapEff:\t0000000000000000\n" },
	    { "proc/sys/kernel/unprivileged_userns_clone", "0\n" } } },
	{ "Ubuntu's switch",
	  EACCES,
	  "mount tmpfs",
	  true,
	  "userns-forbidden",
	  "AppArmor",
	  { { "proc/self/status", "CapEff:\t0000000000000000\n" },
	    { "proc/sys/kernel/unprivileged_userns_clone", "1\n" },
	    { "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n" } } },
	{ "chroot",
	  EPERM,
	  "unshare (user)",
	  true,
	  "userns-chroot",
	  "chroot",
	  { { "proc/self/mountinfo", "23 22 0:20 / /proc rw - proc proc rw\n" } } },
	{ "root without CAP_SYS_ADMIN",
	  EPERM,
	  "clone3",
	  false,
	  "missing-capability",
	  "CAP_SYS_ADMIN",
	  { { "proc/self/status", "CapEff:\t00000000a80425fb\n" } } },
	{ "root without CAP_SYS_RESOURCE",
	  EPERM,
	  "setrlimit nofile",
	  true,
	  "missing-capability",
	  "CAP_SYS_RESOURCE",
	  { { "proc/self/status", "CapEff:\t000001fffeffffff\n" } } },
	{ "inner map",
	  EPERM,
	  "write uid_map",
	  true,
	  "id-not-mapped",
	  "user namespace itself",
	  { { "proc/self/uid_map", "0 1000 1\n1 100000 65536\n" } } },
	{ "id outside of the map", EINVAL, "setresuid 4000", true, "id-not-mapped", "id map", {} },
	{ "owner without a number", EOVERFLOW, "mkdirat /x", true, "id-not-mapped", "id map", {} },
	{ "setgroups denied",
	  EPERM,
	  "setgroups",
	  false,
	  "setgroups-denied",
	  "denied",
	  { { "proc/self/setgroups", "deny\n" } } },
	{ "clock below 0", ERANGE, "write timens_offsets", true, "time-offset", "below 0", {} },
	{ "masked",
	  EPERM,
	  "fsmount proc",
	  true,
	  "masked-proc",
	  "/proc/kcore",
	  { { "proc/self/mountinfo",
	      MOUNTS "30 23 0:5 /null /proc/kcore rw - devtmpfs d rw\n" } } },
	{ "binfmt_misc masks nothing",
	  EPERM,
	  "fsmount proc",
	  true,
	  "",
	  "",
	  { { "proc/self/mountinfo",
	      MOUNTS "30 23 0:5 / /proc/sys/fs/binfmt_misc rw - autofs d rw\n" } } },
	{ "an unknown file system",
	  ENODEV,
	  "fsopen overlay",
	  true,
	  "filesystem-missing",
	  "overlay",
	  {} },
	{ "too many mounts",
	  ENOSPC,
	  "move_mount /x",
	  true,
	  "mount-limit",
	  "allows 2",
	  { { "proc/sys/fs/mount-max", "2\n" } } },
	{ "a full cgroup",
	  EAGAIN,
	  "clone3",
	  true,
	  "pids-limit",
	  "10 of the 10",
	  { { "cg/pids.max", "10\n" } } },
	{ "a full parent",
	  EAGAIN,
	  "clone3",
	  true,
	  "pids-limit",
	  "10 of the 10",
	  { { "cg/pids.max", "10\n" },
	    { "proc/self/cgroup", "3:cpu:/elsewhere\n0::/a/b\n" },
	    { "cg/a/b/pids.max", "max\n" } } },
	{ "a full machine",
	  EAGAIN,
	  "fork",
	  true,
	  "pids-limit",
	  "pid_max",
	  { { "proc/loadavg", "0.00 0.00 0.00 1/32760 4000\n" } } },
	{ "address space",
	  ENOMEM,
	  "mmap",
	  true,
	  "out-of-memory",
	  "RLIMIT_AS",
	  { { "proc/self/limits",
	      "Max address space         104857600            104857600  bytes\n" } } },
	{ "no memory",
	  ENOMEM,
	  "mmap",
	  true,
	  "out-of-memory",
	  "10 MiB",
	  { { "proc/meminfo", "MemAvailable:   10240 kB\n" } } },
	{ "descriptors", EMFILE, "open /x", true, "too-many-files", "1024", {} },
	{ "an old kernel",
	  ENOSYS,
	  "mount_setattr",
	  true,
	  "kernel-too-old",
	  "5.12",
	  { { "proc/sys/kernel/osrelease", "5.10.0\n" } } },
	{ "a filter around",
	  ENOSYS,
	  "mount_setattr",
	  true,
	  "seccomp-outer",
	  "filter",
	  { { "proc/self/status", "CapEff:\t000001ffffffffff\nSeccomp:\t2\n" } } },
	{ "keys", EDQUOT, "keyctl", true, "keyring-quota", "keys", {} },
	{ "an unknown file system of a mount",
	  ENODEV,
	  "mount a new mqueue for /dev/mqueue",
	  true,
	  "filesystem-missing",
	  "mqueue",
	  {} },
	{ "no path in the middle of a word", ENOENT, "open 2/etc", true, "", "", {} },
	{ "the working directory",
	  ENOENT,
	  "open the working directory /a b in the container",
	  true,
	  "cwd-missing",
	  "directory /a b.",
	  {} },
	{ "nothing seen", EPERM, "mount /x", true, "", "", {} },
	{ "no errno that has a hint", EPROTO, "read", true, "", "", {} },
};

/* Lies in the cgroup file system as the tests' mountinfo says. */
static void put_cgroup_mount(const struct file *files)
{
	char text[1024];
	bool own = false;

	for (size_t i = 0; i < 3 && files[i].path; i++)
		own |= strcmp(files[i].path, "proc/self/mountinfo") == 0;
	if (own)
		return;
	(void)nook_format(text, sizeof(text), "%s24 22 0:21 / %s/cg rw - cgroup2 cgroup2 rw\n",
			  MOUNTS, base);
	put("proc/self/mountinfo", text, 0644);
}

static void forget(const struct file *files)
{
	char whole[512];

	for (size_t i = 0; i < 3 && files[i].path; i++) {
		(void)nook_format(whole, sizeof(whole), "%s/%s", base, files[i].path);
		assert_int_equal(unlink(whole), 0);
	}
}

static void test_cases(void **state)
{
	const struct nook_explain_context machine = { .proc = proc, .sys = base };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_explain_context ctx = machine;
		struct nook_error err = { 0 };

		make_sane();
		put_cgroup_mount(cases[i].files);
		for (size_t j = 0; j < 3 && cases[i].files[j].path; j++)
			put(cases[i].files[j].path, cases[i].files[j].text, 0644);

		ctx.new_userns = cases[i].new_userns;
		(void)nook_fail(&err, cases[i].errnum, "%s", cases[i].why);
		nook_explain(&err, &ctx);
		forget(cases[i].files);

		if (strcmp(err.id, cases[i].id) != 0)
			fail_msg("%s: the cause is \"%s\" (%s)", cases[i].name, err.id, err.cause);
		if (!strstr(err.cause, cases[i].cause))
			fail_msg("%s: the sentence is %s", cases[i].name, err.cause);
		if (!err.hint[0])
			fail_msg("%s: no hint", cases[i].name);
	}
}

/* ---- files of a root ---- */

static const char loader[] = "\x7f"
			     "ELF\2\1\1\0\0\0\0\0\0\0\0\0";

static const struct {
	const char *name;
	int errnum;
	const char *why;
	const char *id;
	const char *cause;
	struct file file; /* in the root */
	mode_t mode;
} programs[] = {
	{ "nothing", ENOENT, "execve /bin/nothing", "command-not-found", "no file", {}, 0 },
	{ "script",
	  ENOENT,
	  "execve /s",
	  "interpreter-missing",
	  "/bin/nosuch",
	  { "root/s", "#!/bin/nosuch -x\n" },
	  0755 },
	{ "script from Windows",
	  ENOENT,
	  "execve /s",
	  "interpreter-missing",
	  "carriage return",
	  { "root/s", "#!/bin/sh\r\n" },
	  0755 },
	{ "no x",
	  EACCES,
	  "execve /s",
	  "not-executable",
	  "execute bit",
	  { "root/s", "#!/s\n" },
	  0644 },
	{ "directory",
	  EACCES,
	  "execve /d",
	  "not-executable",
	  "directory",
	  { "root/d/f", "" },
	  0644 },
	{ "text", ENOEXEC, "execve /s", "unknown-format", "neither", { "root/s", "echo\n" }, 0755 },
	{ "empty", ENOEXEC, "execve /s", "unknown-format", "neither", { "root/s", "" }, 0755 },
	{ "too long", E2BIG, "execve /s", "arguments-too-long", "stack", {}, 0 },
	{ "busy", ETXTBSY, "execve /s", "file-busy", "writing", {}, 0 },
};

static void test_programs(void **state)
{
	char root[64], whole[512];
	const char *roots[] = { root };
	const struct nook_explain_context ctx = {
		.proc = proc, .sys = base, .roots = roots, .n_roots = 1, .new_userns = true
	};

	make_sane();
	(void)nook_format(root, sizeof(root), "%s/root", base);
	put("root/etc/passwd", "", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct nook_error err = { 0 };

		if (programs[i].file.path)
			put(programs[i].file.path, programs[i].file.text, programs[i].mode);
		(void)nook_fail(&err, programs[i].errnum, "%s", programs[i].why);
		nook_explain(&err, &ctx);
		if (programs[i].file.path) {
			(void)nook_format(whole, sizeof(whole), "%s/%s", base,
					  programs[i].file.path);
			assert_int_equal(unlink(whole), 0);
		}
		if (strcmp(err.id, programs[i].id) != 0)
			fail_msg("%s: the cause is \"%s\"", programs[i].name, err.id);
		if (!strstr(err.cause, programs[i].cause) || !err.hint[0])
			fail_msg("%s: %s / %s", programs[i].name, err.cause, err.hint);
	}
}

/* An ELF file of 64 bits for @machine whose loader is @interp. */
static void put_elf(const char *path, unsigned machine, const char *interp)
{
	unsigned char image[64 + 56 + 64] = { 0 };
	char whole[512];

	memcpy(image, loader, 16);
	image[16] = 2; /* ET_EXEC */
	image[18] = (unsigned char)machine;
	image[20] = 1;
	image[32] = 64;  /* e_phoff */
	image[52] = 64;  /* e_ehsize */
	image[54] = 56;  /* e_phentsize */
	image[56] = 1;   /* e_phnum */
	image[64] = 3;   /* PT_INTERP */
	image[72] = 120; /* p_offset */
	image[96] = (unsigned char)(strlen(interp) + 1);
	memcpy(image + 120, interp, strlen(interp));

	put(path, "", 0755);
	(void)nook_format(whole, sizeof(whole), "%s/%s", base, path);
	auto_close int fd = open(whole, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, image, sizeof(image)), (ssize_t)sizeof(image));
}

static void test_elf(void **state)
{
#if defined(__x86_64__)
	const unsigned ours = 62, foreign = 183;
#else
	const unsigned ours = 183, foreign = 62;
#endif
	char root[64];
	const char *roots[] = { root };
	const struct nook_explain_context ctx = { .proc = proc, .roots = roots, .n_roots = 1 };
	struct nook_error err = { 0 };

	(void)nook_format(root, sizeof(root), "%s/root", base);
	put_elf("root/elf", ours, "/lib/ld-nosuch.so.1");
	(void)nook_fail(&err, ENOENT, "execve /elf");
	nook_explain(&err, &ctx);
	assert_string_equal(err.id, "interpreter-missing");
	assert_non_null(strstr(err.cause, "/lib/ld-nosuch.so.1"));

	err = (struct nook_error){ 0 };
	put_elf("root/elf", foreign, "/lib/ld.so");
	(void)nook_fail(&err, ENOEXEC, "execve /elf");
	nook_explain(&err, &ctx);
	assert_string_equal(err.id, "wrong-arch");
}

/* ---- paths of the host ---- */

static const struct {
	const char *name;
	int errnum;
	const char *fmt;
	const char *path; /* below the base */
	const char *id, *cause;
} paths[] = {
	{ "missing", ENOENT, "open_tree %s", "p/none", "source-missing", "p/none is not there." },
	{ "missing above", ENOENT, "open_tree %s", "p/no/such", "source-missing",
	  "p/no is not there, so" },
	{ "with blanks", ENOENT, "open %s", "p/no such", "source-missing", "p/no such is" },
	{ "as an argument", ENOENT, "statx(%s, 0x1)", "p/none", "source-missing",
	  "p/none is not there." },
	{ "file on the way", ENOTDIR, "open_tree %s", "p/file/x", "type-mismatch",
	  "p/file is no directory" },
	{ "there", ENOENT, "open_tree %s", "p/file", "", "" },
	{ "inside", ENOENT, "openat2 %s in the container's root", "p/none", "", "" },
	{ "link", ELOOP, "openat2 %s in the container's root", "p/link/x", "symlink-in-target",
	  "is a symbolic link to /nowhere" },
	{ "no mapped ids", EINVAL, "mount_setattr(%s, MOUNT_ATTR_IDMAP)", "p/file", "no-idmap",
	  "p/file lies on" },
	{ "read-only", EROFS, "mkdirat %s", "p/x", "read-only", "p/x is on" },
};

static void test_paths(void **state)
{
	const struct nook_explain_context ctx = { .proc = proc, .sys = base, .new_userns = true };
	char link[512];

	make_sane();
	put("p/file", "", 0644);
	(void)nook_format(link, sizeof(link), "%s/p/link", base);
	assert_int_equal(symlink("/nowhere", link), 0);

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct nook_error err = { 0 };
		char whole[512], call[600];

		(void)nook_format(whole, sizeof(whole), "%s/%s", base, paths[i].path);
		(void)nook_format(call, sizeof(call), paths[i].fmt, whole);
		nook_where(&err, "--volume x:/y");
		(void)nook_fail(&err, paths[i].errnum, "%s", call);
		nook_explain(&err, &ctx);
		if (strcmp(err.id, paths[i].id) != 0 || !strstr(err.cause, paths[i].cause))
			fail_msg("%s: %s, %s", paths[i].name, err.id, err.cause);
	}
}

/* ---- what is known already stays ---- */

static void test_known(void **state)
{
	struct nook_error err = { 0 };

	nook_cause(&err, "name-in-use", "blue runs.");
	(void)nook_refuse(&err, EEXIST, "blue is taken");
	nook_explain(&err, NULL);
	assert_string_equal(err.cause, "blue runs.");
	assert_non_null(strstr(err.hint, "--name"));

	err = (struct nook_error){ 0 };
	nook_hint(&err, "Mine.");
	(void)nook_fail(&err, EMFILE, "open /x");
	nook_explain(&err, NULL);
	assert_string_equal(err.id, "too-many-files");
	assert_string_equal(err.hint, "Mine.");

	err = (struct nook_error){ 0 };
	nook_explain(&err, NULL);
	assert_string_equal(err.hint, "");
}

static int make_base(void **state)
{
	if (!mkdtemp(base))
		return -1;
	(void)nook_format(proc, sizeof(proc), "%s/proc", base);
	return 0;
}

static int drop(const char *path)
{
	auto_closedir DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char below[1024];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)nook_format(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (unlink(below) < 0 && drop(below) < 0)
			return -1;
	}
	return rmdir(path);
}

static int drop_base(void **state)
{
	return drop(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),     cmocka_unit_test(test_cases),
		cmocka_unit_test(test_programs), cmocka_unit_test(test_elf),
		cmocka_unit_test(test_paths),    cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, make_base, drop_base);
}
