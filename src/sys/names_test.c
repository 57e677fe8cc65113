/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "base/own.h"

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static const struct {
	int (*number)(const char *name);
	const char *name;
	int expected; /* -1: refused */
} cases[] = {
	{ nook_cap_number, "chown", CAP_CHOWN },
	{ nook_cap_number, "CAP_NET_ADMIN", CAP_NET_ADMIN },
	{ nook_cap_number, "cap_Sys_Admin", CAP_SYS_ADMIN },
	{ nook_cap_number, "setfcap", CAP_SETFCAP },
	{ nook_cap_number, "syslog", CAP_SYSLOG },
	{ nook_cap_number, "bpf", CAP_BPF },
	{ nook_cap_number, "CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
	{ nook_cap_number, "", -1 },
	{ nook_cap_number, "cap_", -1 },
	{ nook_cap_number, "chow", -1 },
	{ nook_cap_number, "chown ", -1 },
	{ nook_cap_number, "chown dac_override", -1 },
	{ nook_cap_number, "0", -1 },
	{ nook_cap_number, "all", -1 },

	{ nook_rlimit_number, "cpu", RLIMIT_CPU },
	{ nook_rlimit_number, "NOFILE", RLIMIT_NOFILE },
	{ nook_rlimit_number, "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ nook_rlimit_number, "rtprio", RLIMIT_RTPRIO },
	{ nook_rlimit_number, "rttime", RLIMIT_RTTIME },
	{ nook_rlimit_number, "nofiles", -1 },
	{ nook_rlimit_number, "", -1 },

	{ nook_signal_number, "HUP", SIGHUP },
	{ nook_signal_number, "SIGTERM", SIGTERM },
	{ nook_signal_number, "sigkill", SIGKILL },
	{ nook_signal_number, "usr2", SIGUSR2 },
	{ nook_signal_number, "SYS", SIGSYS },
	{ nook_signal_number, "WINCH", SIGWINCH },
	{ nook_signal_number, "1", 1 },
	{ nook_signal_number, "31", 31 },
	{ nook_signal_number, "34", 34 },
	{ nook_signal_number, "64", 64 },
	{ nook_signal_number, "RTMIN", 34 },
	{ nook_signal_number, "SIGRTMIN+3", 37 },
	{ nook_signal_number, "RTMAX", 64 },
	{ nook_signal_number, "rtmax-30", 34 },
	{ nook_signal_number, "0", -1 },
	{ nook_signal_number, "32", -1 },
	{ nook_signal_number, "33", -1 },
	{ nook_signal_number, "65", -1 },
	{ nook_signal_number, "-9", -1 },
	{ nook_signal_number, "09", -1 },
	{ nook_signal_number, "9 ", -1 },
	{ nook_signal_number, "SIG9", -1 },
	{ nook_signal_number, "RTMIN+31", -1 },
	{ nook_signal_number, "RTMIN+", -1 },
	{ nook_signal_number, "RTMAX--1", -1 },
	{ nook_signal_number, "SIG", -1 },
	{ nook_signal_number, "", -1 },
	{ nook_signal_number, "SIGSIGTERM", -1 },
};

static void test_numbers(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int number = cases[i].number(cases[i].name);

		if (number != (cases[i].expected < 0 ? -EINVAL : cases[i].expected))
			fail_msg("'%s' is %d", cases[i].name, number);
	}
}

/* The C library has its own table of signals: the two agree. */
static void test_signals_as_libc_has_them(void **state)
{
	for (int n = 1; n <= 31; n++)
		assert_int_equal(nook_signal_number(sigabbrev_np(n)), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_signals_as_libc_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
