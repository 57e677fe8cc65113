/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp.h"

#include "base/own.h"
#include "plan/parts.h"
#include "seccomp_sim.h"
#include "seccomp_table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

#define CAP(name) ((uint64_t)1 << CAP_##name)
#define ALLOW     SECCOMP_RET_ALLOW
#define ERR(n)    (SECCOMP_RET_ERRNO | (n))

static struct nook_filter make(struct nook_arena *a, uint64_t caps)
{
	struct nook_filter f = { 0 };

	if (!a->base)
		assert_int_equal(nook_arena_init(a), 0);
	nook_seccomp_default(a, caps, &f);
	assert_true(sim_is_valid(&f));
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	return f;
}

/* What the list says of a number, by the names: not by the spans that the filter is made of. */
static const struct nook_seccomp_class *class_of(size_t machine, uint32_t nr)
{
	for (size_t i = 0; i < nook_n_seccomp_calls; i++) {
		const struct nook_seccomp_call *call = &nook_seccomp_calls[i];

		if (call->class != NOOK_SECCOMP_NO_CLASS && call->number[machine] >= 0 &&
		    (uint32_t)call->number[machine] == nr)
			return &nook_seccomp_classes[call->class];
	}
	return NULL;
}

static bool is_one_of(const struct nook_seccomp_class *c, uint32_t arg)
{
	for (size_t i = 0; i < c->n_values; i++) {
		if (c->values[i] == arg)
			return true;
	}
	return false;
}

static uint32_t expected(const struct nook_seccomp_class *c, uint64_t caps, uint32_t arg)
{
	bool refused = true;

	if (!c)
		return ERR(ENOSYS);
	if (c->errnum == 0 || (c->unless & caps))
		return ALLOW;
	if (c->test == NOOK_SECCOMP_ANY_BIT)
		refused = (arg & c->values[0]) && !(c->has_but && arg == c->but);
	else if (c->test == NOOK_SECCOMP_ONE_OF)
		refused = is_one_of(c, arg);
	else if (c->test == NOOK_SECCOMP_NONE_OF)
		refused = !is_one_of(c, arg);
	return refused ? ERR(c->errnum) : ALLOW;
}

static const uint64_t args[] = {
	0,        1,          2,        3,          8,          10,         16,
	17,       38,         40,       0x11,       0x80,       0x5411,     0x5412,
	0x541b,   0x541c,     0x541d,   0x20000,    0x20008,    0x40000,    0x40008,
	0x400000, 0x10000000, 0x3d0f00, 0x02000000, 0x7e020000, 0xffffffff, 0xfffffffe,
};

static void check_number(const struct nook_filter *f, size_t machine, uint32_t nr, uint64_t caps)
{
	const struct nook_seccomp_class *c = class_of(machine, nr);
	size_t n = c && c->test != NOOK_SECCOMP_ALWAYS ? ARRAY_SIZE(args) : 1;

	for (size_t i = 0; i < 2 * n; i++) {
		struct seccomp_data data = { .nr = (int)nr,
					     .arch = nook_seccomp_arches[machine].audit };
		uint64_t arg = args[i / 2];

		/* What lies above the low 32 bits is not for the kernel, and must not help to pass.
		 */
		for (size_t k = 0; k < 6; k++)
			data.args[k] = c && k == c->arg ? arg | (i % 2 ? 0x700000000 : 0)
							: 0x5412000000000026;
		uint32_t want = expected(c, caps, (uint32_t)arg);
		uint32_t got = sim_run(f->code, &data, NULL);

		if (got != want)
			fail_msg("%s %u, argument %#llx, caps %#llx: %#x, not %#x",
				 nook_seccomp_arches[machine].name, nr, (unsigned long long)arg,
				 (unsigned long long)caps, got, want);
	}
}

static void check_all_numbers(uint64_t caps)
{
	static const size_t machines[] = { NOOK_MACHINE_NATIVE, NOOK_MACHINE_COMPAT };
	auto_arena struct nook_arena a = { 0 };
	struct nook_filter f = make(&a, caps);

	for (size_t m = 0; m < ARRAY_SIZE(machines); m++) {
		for (uint32_t nr = 0; nr < 1100; nr++)
			check_number(&f, machines[m], nr, caps);
		for (uint32_t nr = 0xf0000; nr < 0xf0020; nr++)
			check_number(&f, machines[m], nr, caps);
		/* x32 is the native machine with one bit more */
		for (uint32_t nr = 0x40000000; nr < 0x40000400; nr++)
			check_number(&f, machines[m], nr, caps);
		check_number(&f, machines[m], UINT32_MAX, caps);
		check_number(&f, machines[m], 0x7fffffff, caps);
	}

	struct seccomp_data elsewhere = { .nr = 1, .arch = AUDIT_ARCH_S390X };

	assert_int_equal(sim_run(f.code, &elsewhere, NULL), ERR(ENOSYS));
}

static void every_number_gets_what_the_list_says(void **state)
{
	uint64_t gates = 0;

	for (size_t i = 0; i < nook_n_seccomp_classes; i++)
		gates |= nook_seccomp_classes[i].unless;
	assert_true(gates & CAP(SYS_ADMIN));

	check_all_numbers(0);
	check_all_numbers(UINT64_MAX);
	check_all_numbers(~gates);
	for (unsigned cap = 0; cap < 64; cap++) {
		if (gates & (uint64_t)1 << cap) {
			check_all_numbers((uint64_t)1 << cap);
			check_all_numbers(gates & ~((uint64_t)1 << cap));
		}
	}
}

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

/* The promises of docs/seccomp.md, spelled out. */
static void promises(void **state)
{
	static const struct {
		const char *what;
		int nr;
		uint64_t arg0, arg1, caps;
		uint32_t want;
	} cases[] = {
		{ "threads", SYS_clone, 0x3d0f00, 0, 0, ALLOW },
		{ "vfork by clone", SYS_clone, 0x4111, 0, 0, ALLOW },
		{ "user namespace", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, ERR(EPERM) },
		{ "user namespace, hidden", SYS_clone, 0x8000000000000000 | CLONE_NEWUSER, 0, 0,
		  ERR(EPERM) },
		{ "mount namespace", SYS_unshare, CLONE_NEWNS, 0, 0, ERR(EPERM) },
		{ "time namespace", SYS_unshare, 0x80, 0, 0, ERR(EPERM) },
		{ "cgroup namespace", SYS_unshare, CLONE_NEWCGROUP, 0, 0, ERR(EPERM) },
		{ "own file table", SYS_unshare, CLONE_FILES, 0, 0, ALLOW },
		{ "nested containers", SYS_clone, CLONE_NEWUSER, 0, CAP(SYS_ADMIN), ALLOW },
		{ "clone3 falls back", SYS_clone3, 0, 0, 0, ERR(ENOSYS) },
		{ "clone3 for an admin", SYS_clone3, 0, 0, CAP(SYS_ADMIN), ALLOW },
		{ "setns", SYS_setns, 3, 0, 0, ERR(EPERM) },
		{ "mount", SYS_mount, 0, 0, 0, ERR(EPERM) },
		{ "mount, all but admin", SYS_mount, 0, 0, ~CAP(SYS_ADMIN), ERR(EPERM) },
		{ "bpf", SYS_bpf, 0, 0, 0, ERR(EPERM) },
		{ "bpf by its own capability", SYS_bpf, 0, 0, CAP(BPF), ALLOW },
		{ "chroot", SYS_chroot, 0, 0, CAP(SYS_CHROOT), ALLOW },
		{ "io_uring", SYS_io_uring_setup, 0, 0, UINT64_MAX, ERR(ENOSYS) },
		{ "keys", SYS_keyctl, 0, 0, UINT64_MAX, ERR(ENOSYS) },
		{ "userfaultfd", SYS_userfaultfd, 0, 0, UINT64_MAX, ERR(EPERM) },
		{ "kexec", SYS_kexec_load, 0, 0, UINT64_MAX, ERR(EPERM) },
		{ "ptrace", SYS_ptrace, 0, 0, 0, ALLOW },
		{ "TCP", SYS_socket, AF_INET, SOCK_STREAM, 0, ALLOW },
		{ "local sockets", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ALLOW },
		{ "AF_ALG", SYS_socket, 38, 0, UINT64_MAX, ERR(EAFNOSUPPORT) },
		{ "AF_ALG, hidden", SYS_socket, 0x100000026, 0, 0, ERR(EAFNOSUPPORT) },
		{ "AF_VSOCK", SYS_socket, AF_VSOCK, 0, 0, ERR(EAFNOSUPPORT) },
		{ "AF_TIPC pair", SYS_socketpair, 30, 0, 0, ERR(EAFNOSUPPORT) },
		{ "window size", SYS_ioctl, 0, TIOCGWINSZ, 0, ALLOW },
		{ "typing for others", SYS_ioctl, 0, TIOCSTI, UINT64_MAX, ERR(EPERM) },
		{ "typing, hidden", SYS_ioctl, 0, 0x100000000 | TIOCSTI, 0, ERR(EPERM) },
		{ "TIOCLINUX", SYS_ioctl, 0, TIOCLINUX, 0, ERR(EPERM) },
		{ "asking for the personality", SYS_personality, 0xffffffff, 0, 0, ALLOW },
		{ "debuggers' personality", SYS_personality, ADDR_NO_RANDOMIZE, 0, 0, ALLOW },
		{ "executable data", SYS_personality, READ_IMPLIES_EXEC, 0, 0, ERR(EPERM) },
		{ "futex_waitv", 449, 0, 0, 0, ALLOW },
		{ "mseal of 6.10", 462, 0, 0, 0, ALLOW },
		{ "file_setattr of 6.17", 469, 0, 0, 0, ALLOW },
		{ "rseq_slice_yield of 7.0", 471, 0, 0, 0, ALLOW },
		{ "newer than the list", 472, 0, 0, UINT64_MAX, ERR(ENOSYS) },
		{ "x32's read", 0x40000000, 0, 0, UINT64_MAX, ERR(ENOSYS) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_filter f = make(&a, cases[i].caps);
		struct seccomp_data data = { .nr = cases[i].nr,
					     .arch = NATIVE,
					     .args = { cases[i].arg0, cases[i].arg1 } };
		uint32_t got = sim_run(f.code, &data, NULL);

		if (got != cases[i].want)
			fail_msg("%s: %#x, not %#x", cases[i].what, got, cases[i].want);
	}
}

#ifdef __x86_64__
/* A call of i386 from a 64-bit program; all that it is given must lie below 4 GiB. */
static long call_i386(long nr, long arg0, long arg1, long arg2)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(arg0), "c"(arg1), "d"(arg2)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static bool has_i386(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(call_i386(20, 0, 0, 0) == getpid() ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}
#endif

static long result(long rc)
{
	return rc < 0 ? -errno : rc;
}

/* In a child: exit status is the number of the first line that is not as it should be, 0 for none.
 */
#define EXPECT(x)                                                                                  \
	do {                                                                                       \
		if (!(x))                                                                          \
			_exit(__LINE__ - base);                                                    \
	} while (0)

static void try_calls(const struct nook_filter *f, bool i386)
{
	const int base = __LINE__;
	struct sock_fprog prog = { (unsigned short)f->n, (struct sock_filter *)f->code };

	EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	EXPECT(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, f->flags, &prog) == 0);

	EXPECT(getpid() > 0);
	EXPECT(result(unshare(CLONE_NEWUSER)) == -EPERM);
	EXPECT(result(unshare(CLONE_FILES)) == 0);
	EXPECT(result(syscall(SYS_clone3, NULL, 0)) == -ENOSYS);
	EXPECT(result(syscall(SYS_io_uring_setup, 1, NULL)) == -ENOSYS);
	EXPECT(result(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL)) == -EPERM);
	EXPECT(result(socket(38, SOCK_SEQPACKET, 0)) == -EAFNOSUPPORT);
	EXPECT(result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) > 0);
	EXPECT(result(ioctl(0, TIOCSTI, "x")) == -EPERM);
	EXPECT(result(personality(0xffffffff)) >= 0);
	EXPECT(result(syscall(600)) == -ENOSYS);

	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	int status;

	EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
#ifdef __x86_64__
	EXPECT(result(syscall(0x40000000 | SYS_getpid)) == -ENOSYS);
	if (i386) {
		EXPECT(call_i386(20, 0, 0, 0) == getpid());
		EXPECT(call_i386(359, 38, SOCK_SEQPACKET, 0) == -EAFNOSUPPORT);
		EXPECT(call_i386(359, AF_UNIX, SOCK_STREAM, 0) > 0);
		EXPECT(call_i386(102, 1, 0, 0) == -ENOSYS);
		EXPECT(call_i386(310, CLONE_NEWUSER, 0, 0) == -EPERM);
		EXPECT(call_i386(54, 0, TIOCSTI, 0) == -EPERM);
		EXPECT(call_i386(472, 0, 0, 0) == -ENOSYS);
	}
#endif
	_exit(0);
}

static void the_kernel_agrees(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_filter f = make(&a, 0);
	bool i386 = false;
	int status;

#ifdef __x86_64__
	i386 = has_i386();
#endif
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		try_calls(&f, i386);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("line %d of try_calls()", WEXITSTATUS(status));
}

/* docs/seccomp.md has a row for each heading of the list that refuses something. */
static void the_page_tells_every_refusal(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	auto_fclose FILE *f = fopen("docs/seccomp.md", "re");
	static char page[1 << 18];
	size_t rows = 0;

	assert_non_null(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	assert_int_equal(nook_arena_init(&a), 0);

	for (size_t c = 0; c < nook_n_seccomp_classes; c++) {
		const char *row = nook_printf(&a, "| `%s` |", nook_seccomp_classes[c].title);

		if (nook_seccomp_classes[c].errnum == 0)
			continue;
		for (size_t i = 0; i < nook_n_seccomp_calls; i++) {
			if (nook_seccomp_calls[i].class == c)
				row = nook_printf(&a, "%s %s", row, nook_seccomp_calls[i].name);
		}
		row = nook_printf(&a, "%s |\n", row);
		if (!strstr(page, row))
			fail_msg("docs/seccomp.md lacks this row:\n%s", row);
		rows++;
	}
	for (const char *p = page; (p = strstr(p, "\n| `refuse ")); p++)
		rows--;
	assert_int_equal(rows, 0); /* no row that the list has not */
}

static void a_plan_gets_its_filter(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_spec spec = { .seccomp = NOOK_SECCOMP_DEFAULT };
	struct nook_host host = { 0 };
	struct nook_plan plan = { 0 };
	struct nook_error err = { 0 };
	struct nook_planner p = { &a, &spec, &host, &plan, &err };

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_plan_seccomp(&p), 0);
	assert_string_equal(plan.process.seccomp_name, "default");
	size_t n = plan.process.n_seccomp;
	assert_true(n > 0);

	/* It is the bounding set that opens what is gated. */
	plan.process.caps.bounding = UINT64_MAX;
	assert_int_equal(nook_plan_seccomp(&p), 0);
	assert_true(plan.process.n_seccomp < n);

	memset(&plan, 0, sizeof(plan));
	spec.seccomp = NOOK_SECCOMP_FILE;
	spec.seccomp_file = "tests/data/seccomp/small.json";
	assert_int_equal(nook_plan_seccomp(&p), 0);
	assert_string_equal(plan.process.seccomp_name, "tests/data/seccomp/small.json");
	assert_non_null(plan.process.seccomp);

	memset(&plan, 0, sizeof(plan));
	spec.seccomp_file = "tests/data/seccomp/none.json";
	assert_int_equal(nook_plan_seccomp(&p), -ENOENT);
	assert_null(plan.process.seccomp);

	spec.seccomp = NOOK_SECCOMP_OFF;
	assert_int_equal(nook_plan_seccomp(&p), 0);
	assert_null(plan.process.seccomp);
	assert_null(plan.process.seccomp_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_gets_what_the_list_says),
		cmocka_unit_test(promises),
		cmocka_unit_test(the_kernel_agrees),
		cmocka_unit_test(the_page_tells_every_refusal),
		cmocka_unit_test(a_plan_gets_its_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
