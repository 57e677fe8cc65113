/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp.h"

#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "seccomp_sim.h"
#include "seccomp_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define ERR(n) (SECCOMP_RET_ERRNO | (n))

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static struct nook_arena arena;
static struct nook_error err;
static struct nook_bundle_filter filter;

/* Quotes are written as '. */
static int compile(const char *text)
{
	auto_json struct nook_json *json = NULL;
	char *json_text = nook_strdup(&arena, text);

	for (char *p = json_text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	err = (struct nook_error){ 0 };
	if (nook_json_parse(json_text, strlen(json_text), 20, &json, &err) < 0)
		fail_msg("%s: %s", text, err.why);
	filter = (struct nook_bundle_filter){ 0 };

	int rc = nook_seccomp_read_oci(&arena, json, "/linux/seccomp", &filter, &err);

	if (rc == 0 && filter.filter.n)
		assert_true(sim_is_valid(&filter.filter));
	return rc;
}

static uint32_t run(long nr, uint64_t arg)
{
	const struct seccomp_data data = {
		.nr = (int)nr,
		.arch = nook_seccomp_arches[NOOK_MACHINE_NATIVE].audit,
		.args = { arg },
	};

	return sim_run(filter.filter.code, &data, NULL);
}

static void answers(void **state)
{
	static const struct {
		const char *profile;
		long nr;
		uint64_t arg;
		uint32_t answer;
	} cases[] = {
#define WHITE                                                                                      \
	"{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X86_64',"                   \
	"'SCMP_ARCH_AARCH64'],'syscalls':[{'names':['read','of_a_later_kernel','clone3'],"         \
	"'action':'SCMP_ACT_ALLOW'},{'names':['personality'],'action':'SCMP_ACT_ALLOW','args':["   \
	"{'index':0,'value':8,'op':'SCMP_CMP_EQ'}]}],'later':'member'}"
		{ WHITE, SYS_read, 0, SECCOMP_RET_ALLOW },
		{ WHITE, SYS_write, 0, ERR(EPERM) },
		{ WHITE, SYS_personality, 8, SECCOMP_RET_ALLOW },
		{ WHITE, SYS_personality, 9, ERR(EPERM) },
		/* above all that the profile names: as if the kernel had not got them yet */
		{ WHITE, SYS_clone3, 0, SECCOMP_RET_ALLOW },
		{ WHITE, SYS_clone3 + 1, 0, ERR(ENOSYS) },
		{ WHITE, 0x3fffffff, 0, ERR(ENOSYS) },
#define NUMBER                                                                                     \
	"{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':13,'syscalls':[{'names':['read'],"    \
	"'action':'SCMP_ACT_ALLOW','errnoRet':5},{'names':['mount'],'action':'SCMP_ACT_ERRNO',"    \
	"'errnoRet':22},{'names':['umount2'],'action':'SCMP_ACT_ERRNO'}]}"
		{ NUMBER, SYS_read, 0, SECCOMP_RET_ALLOW },
		{ NUMBER, SYS_close, 0, ERR(EACCES) },
		{ NUMBER, SYS_mount, 0, ERR(EINVAL) },
		{ NUMBER, SYS_umount2, 0, ERR(EPERM) },
		{ NUMBER, 2000, 0, ERR(ENOSYS) },
#define BLACK                                                                                      \
	"{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mount'],'action':"               \
	"'SCMP_ACT_KILL_PROCESS'},{'names':['swapon'],'action':'SCMP_ACT_KILL'},{'names':["        \
	"'reboot'],'action':'SCMP_ACT_TRAP'},{'names':['acct'],'action':'SCMP_ACT_TRACE',"         \
	"'errnoRet':7},{'names':['quotactl'],'action':'SCMP_ACT_LOG'}]}"
		{ BLACK, SYS_mount, 0, SECCOMP_RET_KILL_PROCESS },
		{ BLACK, SYS_swapon, 0, SECCOMP_RET_KILL_THREAD },
		{ BLACK, SYS_reboot, 0, SECCOMP_RET_TRAP },
		{ BLACK, SYS_acct, 0, SECCOMP_RET_TRACE | 7 },
		{ BLACK, SYS_quotactl, 0, SECCOMP_RET_LOG },
		{ BLACK, 2000, 0, SECCOMP_RET_ALLOW },
		/* What answers ENOSYS anyway, and what names no call, gets no other answer. */
		{ "{'defaultAction':'SCMP_ACT_KILL_PROCESS'}", 2000, 0, SECCOMP_RET_KILL_PROCESS },
		{ "{'defaultAction':'SCMP_ACT_LOG','syscalls':[{'names':['mount'],'action':"
		  "'SCMP_ACT_ERRNO'}]}",
		  2000, 0, SECCOMP_RET_LOG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (compile(cases[i].profile) < 0)
			fail_msg("%s: %s: %s", cases[i].profile, err.where, err.why);
		if (run(cases[i].nr, cases[i].arg) != cases[i].answer)
			fail_msg("case %zu: call %ld gets %x, not %x", i, cases[i].nr,
				 run(cases[i].nr, cases[i].arg), cases[i].answer);
	}
}

/* containerd's and Docker's: clone without a new user namespace. */
static void masks(void **state)
{
	assert_int_equal(compile("{'defaultAction':'SCMP_ACT_ERRNO','syscalls':[{'names':['setns'],"
				 "'action':'SCMP_ACT_ALLOW','args':[{'index':0,'value':2114060288,"
				 "'valueTwo':0,'op':'SCMP_CMP_MASKED_EQ'}]}]}"),
			 0);
	assert_int_equal(run(SYS_setns, 0x11), SECCOMP_RET_ALLOW);
	assert_int_equal(run(SYS_setns, 0x10000000), ERR(EPERM));
}

static void flags(void **state)
{
	static const struct {
		const char *flags;
		unsigned set;
	} cases[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW }, /* what Linux does itself since 5.16 */
		{ ",'flags':[]", 0 },
		{ ",'flags':['SECCOMP_FILTER_FLAG_TSYNC','SECCOMP_FILTER_FLAG_LOG']",
		  SECCOMP_FILTER_FLAG_LOG },
		/* says something of a listener, and there is none */
		{ ",'flags':['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(compile(nook_printf(&arena, "{'defaultAction':'SCMP_ACT_ERRNO'%s}",
						     cases[i].flags)),
				 0);
		assert_int_equal(filter.filter.flags, cases[i].set);
	}
}

static void listeners(void **state)
{
	static const char rules[] =
		"{'defaultAction':'SCMP_ACT_ALLOW','flags':["
		"'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],'listenerPath':'/l','listenerMetadata':"
		"'m','syscalls':[{'names':['mount'],'action':'%s'}]}";

	assert_int_equal(compile(nook_printf(&arena, rules, "SCMP_ACT_NOTIFY")), 0);
	assert_string_equal(filter.listener, "/l");
	assert_string_equal(filter.listener_data, "m");
	assert_int_equal(filter.filter.flags, 1u << 5);
	assert_int_equal(run(SYS_mount, 0), SECCOMP_RET_USER_NOTIF);

	/* Nobody would ever be asked. */
	assert_int_equal(compile(nook_printf(&arena, rules, "SCMP_ACT_ERRNO")), 0);
	assert_null(filter.listener);
	assert_null(filter.listener_data);
}

static void refusals(void **state)
{
	static const struct {
		const char *profile, *where, *why;
	} cases[] = {
		{ "[]", "/linux/seccomp", "a profile is an object" },
		{ "{'syscalls':[]}", "/linux/seccomp", "defaultAction is missing" },
		{ "{'defaultAction':'ALLOW'}", "/linux/seccomp/defaultAction", "unknown action" },
		{ "{'defaultAction':'SCMP_ACT_ALLOW','architectures':['x']}",
		  "/linux/seccomp/architectures/0", "unknown architecture" },
		{ "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'action':'SCMP_ACT_LOG'}]}",
		  "/linux/seccomp/syscalls/0", "a rule has names" },
		{ "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mount'],'action':"
		  "'SCMP_ACT_ERRNO','args':[{'index':6,'value':0,'op':'SCMP_CMP_EQ'}]}]}",
		  "/linux/seccomp/syscalls/0/args/0/index", "index is 6" },
		{ "{'defaultAction':'SCMP_ACT_NOTIFY','listenerPath':'/l'}",
		  "/linux/seccomp/defaultAction", "cannot be used as default" },
		{ "{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mount'],'action':"
		  "'SCMP_ACT_NOTIFY'}]}",
		  "/linux/seccomp/listenerPath", "need a listenerPath" },
		{ "{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/l','syscalls':[{'names':["
		  "'write'],'action':'SCMP_ACT_NOTIFY'}]}",
		  "/linux/seccomp/syscalls", "cannot be used for write" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (compile(cases[i].profile) != -EINVAL ||
		    strcmp(err.where, cases[i].where) != 0 || !strstr(err.why, cases[i].why))
			fail_msg("%s: %s: %s", cases[i].profile, err.where, err.why);
	}
}

static void nothing_is_no_filter(void **state)
{
	assert_int_equal(compile("{}"), 0);
	assert_int_equal(filter.filter.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),  cmocka_unit_test(masks),
		cmocka_unit_test(flags),    cmocka_unit_test(listeners),
		cmocka_unit_test(refusals), cmocka_unit_test(nothing_is_no_filter),
	};

	if (nook_arena_init(&arena) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
