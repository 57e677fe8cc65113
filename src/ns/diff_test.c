/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include "base/arena_fixture.h"
#include "base/own.h"
#include "sys/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* All facts as one text: "section name=value;" */
static const char *text_of(const struct nook_diff_list *l)
{
	const char *text = "";

	for (size_t i = 0; i < l->n; i++)
		text = nook_printf(&arena, "%s%s %s=%s;", text,
				   nook_diff_section_words[l->facts[i].section], l->facts[i].name,
				   l->facts[i].value ? l->facts[i].value : "NULL");
	return text;
}

#define LIMITS_HEAD                                                                                \
	"Limit                     Soft Limit           Hard Limit           Units     \n"

enum file { LIMITS, CGROUPS, STATUS, STAT, MOUNTS };

static const struct {
	const char *name;
	enum file file;
	const char *text, *facts;
} cases[] = {
	{ "limits", LIMITS,
	  LIMITS_HEAD
	  "Max cpu time              unlimited            unlimited            seconds\n"
	  "Max file size             4096                 8192                 bytes\n",
	  "limits cpu=unlimited, at most unlimited;limits fsize=4096, at most 8192;" },
	{ "no limits", LIMITS, "", "" },
	{ "a short line of limits", LIMITS, LIMITS_HEAD "Max\n", "" },
	{ "one number of a limit", LIMITS, LIMITS_HEAD "Max cpu time              7\n", "" },
	{ "cgroups", CGROUPS, "12:cpu,cpuacct:/a\n0::/b:c\n",
	  "cgroups cpu,cpuacct=/a;cgroups v2=/b:c;" },
	{ "no colon", CGROUPS, "12\n12:x\n\n", "" },
	{ "status", STATUS,
	  "Name:\tx\nUmask:\t0022\nUid:\t0\t0\t0\t0\nGid:\t1\t2\t1\t2\nGroups:\t4 5 \n",
	  "process umask=0022;ids uid=0;ids gid=real 1, effective 2, saved 1, fs 2;"
	  "ids groups=4 5;" },
	{ "capabilities", STATUS, "CapEff:\t0000000000000401\nNoNewPrivs:\t1\nSeccomp:\t2\n",
	  "capabilities effective=chown net_bind_service;security no_new_privs=yes;"
	  "security seccomp=filter;" },
	{ "a capability without a name", STATUS, "CapEff:\t8000000000000000\n",
	  "capabilities effective=63;" },
	{ "no hexadecimal", STATUS, "CapEff:\tzz\n", "capabilities effective=NULL;" },
	{ "too many digits", STATUS, "CapEff:\t00000000000000001\n",
	  "capabilities effective=NULL;" },
	{ "signals count from 1", STATUS, "SigIgn:\t0000000000000001\n",
	  "process signals_ignored=hup;" },
	{ "a key twice", STATUS, "Umask:\t0022\nUmask:\t0777\n", "process umask=0022;" },
	{ "three ids", STATUS, "Uid:\t0\t0\t0\n", "ids uid=0 0 0;" },
	{ "stat, with a hostile name", STAT,
	  "7 (a) R 1 2) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 -5 1 0 5 1 1 1 1 1 1 1 1 0 0 0 0 0 "
	  "0 0 17 1 9 1 0 0 0 0 0 0 0 0 0 0 0\n",
	  "scheduling nice=-5;scheduling realtime_priority=9;scheduling policy=fifo;" },
	{ "stat, cut off", STAT, "7 (a) S 1 2", "" },
	{ "stat, no name", STAT, "7", "" },
	{ "mounts", MOUNTS,
	  "1 0 8:1 / / rw,noatime - ext4 /dev/sda rw\n2 1 0:5 /x /a\\040b ro - tmpfs t rw\n",
	  "mounts /=ext4 8:1;mount_options /=rw noatime;mounts /a b=tmpfs 0:5 at /x;"
	  "mount_options /a b=ro;" },
};

static void read_case(struct nook_diff_list *l, enum file file, char *text)
{
	switch (file) {
	case LIMITS:
		nook_diff_limits(l, text);
		return;
	case CGROUPS:
		nook_diff_cgroups(l, text);
		return;
	case STATUS:
		nook_diff_status(l, text);
		return;
	case STAT:
		nook_diff_stat(l, text);
		return;
	case MOUNTS:
		assert_int_equal(nook_diff_mounts(l, text, NULL), 0);
		return;
	}
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_diff_list l = { .arena = &arena };

		print_message("%s\n", cases[i].name);
		read_case(&l, cases[i].file, nook_strdup(&arena, cases[i].text));
		assert_string_equal(text_of(&l), cases[i].facts);
	}
}

static void test_mounts_that_are_none(void **state)
{
	struct nook_diff_list l = { .arena = &arena };
	struct nook_error err = { 0 };

	(void)state;
	assert_true(nook_diff_mounts(&l, nook_strdup(&arena, "rubbish\n"), &err) < 0);
	assert_int_equal(l.n, 0);
}

static void test_environment(void **state)
{
	struct nook_diff_list l = { .arena = &arena };
	char text[] = "A=1\0nothing\0B=x=y\0A=2\0=\0C=cut";

	(void)state;
	nook_diff_environment(&l, text, sizeof(text) - 1);
	assert_string_equal(text_of(&l), "environment A=1;environment B=x=y;environment =;"
					 "environment C=cut;");
}

static void test_compare(void **state)
{
	struct nook_diff_fact one[] = {
		{ NOOK_DIFF_LIMITS, "cpu", "1", 0, false },
		{ NOOK_DIFF_NAMESPACES, "net", "5", 0, false },
		{ NOOK_DIFF_CAPABILITIES, "effective", "chown kill", 0, true },
		{ NOOK_DIFF_MOUNTS, "/a", "tmpfs 0:1", 0, false },
		{ NOOK_DIFF_MOUNT_OPTIONS, "/a", "rw", 0, true },
		{ NOOK_DIFF_ENVIRONMENT, "", NULL, EACCES, false },
	};
	struct nook_diff_fact other[] = {
		{ NOOK_DIFF_NAMESPACES, "net", "6", 0, false },
		{ NOOK_DIFF_CAPABILITIES, "effective", "chowns kill", 0, true },
		{ NOOK_DIFF_LIMITS, "cpu", "1", 0, false },
		{ NOOK_DIFF_ENVIRONMENT, "A", "1", 0, false },
	};
	struct nook_diff_process x = { .facts = one, .n_facts = ARRAY_SIZE(one) };
	struct nook_diff_process y = { .facts = other, .n_facts = ARRAY_SIZE(other) };
	struct nook_diff d;

	(void)state;
	nook_diff_compare(&arena, &x, &y, &d);
	assert_int_equal(d.n_rows, 3);
	assert_string_equal(d.rows[0].name, "net");
	assert_string_equal(d.rows[1].only_a, "chown");
	assert_string_equal(d.rows[1].only_b, "chowns");
	assert_string_equal(d.rows[2].name, "/a"); /* and not its options */
	assert_null(d.rows[2].b);
	assert_int_equal(d.same[NOOK_DIFF_LIMITS], 1);
	assert_int_equal(d.n_unknown, 1); /* and A is not said to differ */
	assert_int_equal(d.unknown[0].a->errnum, EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_mounts_that_are_none),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
