/* SPDX-License-Identifier: Apache-2.0 */
/* The table of causes, and those that the machine is to blame for. */
#include "causes_fixture.h"

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

/* ---- what is amiss with the machine ---- */

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

/* ---- what is known already stays ---- */

static void test_known(void **state)
{
	struct nook_error err = { 0 };

	nook_cause(&err, "name-in-use", "blue runs.");
	(void)nook_refuse(&err, EEXIST, "blue is taken");
	nook_explain(&err, NULL);
	assert_string_equal(err.cause, "blue runs.");
	assert_non_null(strstr(err.hint, "--name"));

	/* An engine has no --name: then nothing, or a remedy that is anybody's. */
	err = (struct nook_error){ 0 };
	nook_cause(&err, "name-in-use", "blue runs.");
	(void)nook_refuse(&err, EEXIST, "blue is taken");
	nook_explain(&err, &(struct nook_explain_context){ .engine = true });
	assert_string_equal(err.cause, "blue runs.");
	assert_null(strstr(err.hint, "--name"));
	assert_null(strstr(err.hint, "nook rm"));

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, make_base, drop_base);
}
