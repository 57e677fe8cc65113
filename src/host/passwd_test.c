/* SPDX-License-Identifier: Apache-2.0 */
/* passwd, group, subuid: what counts as a line of each. */
#include "accounts.h"
#include "subid.h"

#include "base/own.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct {
	const char *line;
	bool counts;
	uint32_t uid, gid;
	const char *home, *shell;
} passwd_lines[] = {
	{ "me:x:1000:100:Me,,,:/home/me:/bin/bash", true, 1000, 100, "/home/me", "/bin/bash" },
	{ "me::0:0::/:", true, 0, 0, "/", "/bin/sh" },
	{ "me:x:4294967294:0:::", true, 4294967294u, 0, "/", "/bin/sh" },
	{ "me:x:1:1::relative:sh", true, 1, 1, "/", "/bin/sh" },
	{ "me:x:4294967295:0::/:/bin/sh", false },
	{ "me:x:0:4294967295::/:/bin/sh", false },
	{ "me:x:-1:0::/:/bin/sh", false },
	{ "me:x:00:0::/:/bin/sh", false },
	{ "me:x::0::/:/bin/sh", false },
	{ "me:x:1 :0::/:/bin/sh", false },
	{ "me:x:1:0::/", false },
	{ "me:x:1:0::/:/bin/sh:more", false },
	{ ":x:1:0::/:/bin/sh", false },
	{ "#me:x:1:0::/:/bin/sh", false },
	{ "+::::::", false },
	{ "", false },
};

static void test_passwd_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(passwd_lines); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_passwd passwd;

		print_message("%s\n", passwd_lines[i].line);
		assert_int_equal(nook_arena_init(&a), 0);
		nook_passwd_parse(&a,
				  nook_printf(&a, "x\n%s\nlast:x:7:7::/:/l", passwd_lines[i].line),
				  &passwd);
		assert_int_equal(passwd.n, 1 + passwd_lines[i].counts);
		assert_string_equal(passwd.lines[passwd.n - 1].shell, "/l");
		if (!passwd_lines[i].counts)
			continue;
		assert_int_equal(passwd.lines[0].uid, passwd_lines[i].uid);
		assert_int_equal(passwd.lines[0].gid, passwd_lines[i].gid);
		assert_string_equal(passwd.lines[0].home, passwd_lines[i].home);
		assert_string_equal(passwd.lines[0].shell, passwd_lines[i].shell);
	}
}

static const struct {
	const char *name, *text, *user;
	size_t n;
	uint32_t first, count; /* of the first range */
} subids[] = {
	{ "by name", "you:1:1\nme:100000:65536\n", "me", 1, 100000, 65536 },
	{ "by number", "1000:100000:65536", "me", 1, 100000, 65536 },
	{ "by number, without an account", "me:1:1\n1000:100000:65536", NULL, 1, 100000, 65536 },
	{ "both, in order", "1000:7:1\nme:9:1\n", "me", 2, 7, 1 },
	{ "the last id", "me:4294967294:1", "me", 1, 4294967294u, 1 },
	{ "every id", "me:0:4294967295", "me", 1, 0, 4294967295u },
	{ "past the last id", "me:4294967294:2", "me", 0 },
	{ "wraps", "me:1:4294967295", "me", 0 },
	{ "no id at all", "me:100000:0", "me", 0 },
	{ "a sign", "me:+5:1\nme:5:-1\n", "me", 0 },
	{ "spaces", "me: 5:1\nme :5:1\n", "me", 0 },
	{ "a field too few", "me:5\n", "me", 0 },
	{ "a field too many", "me:5:1:1\n", "me", 0 },
	{ "a comment", "#me:5:1\n", "me", 0 },
	{ "another, whose name begins alike", "mee:5:1\nm:5:1\n", "me", 0 },
	{ "a number that only looks alike", "01000:5:1\n1000 :5:1\n", "me", 0 },
	{ "bad lines between", "me:x:y\n\n:::\nme:5:6\n", "me", 1, 5, 6 },
	{ "empty", "", "me", 0 },
};

static void test_subids(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(subids); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_id_range *ranges = NULL;
		size_t n = 0;

		print_message("%s\n", subids[i].name);
		assert_int_equal(nook_arena_init(&a), 0);
		nook_subid_parse(&a, nook_strdup(&a, subids[i].text), subids[i].user, 1000, &ranges,
				 &n);
		assert_int_equal(n, subids[i].n);
		if (n) {
			assert_int_equal(ranges[0].first, subids[i].first);
			assert_int_equal(ranges[0].count, subids[i].count);
		}
	}
}

static const char passwd_text[] = "root:x:0:0::/root:/bin/bash\n"
				  "me:x:1000:100::/home/me:/bin/zsh\n"
				  "1234:x:77:77::/:/bin/sh\n"
				  "twin:x:1000:200::/twin:/bin/sh\n";
static const char group_text[] = "root:x:0:\n"
				 "users:x:100:me\n"
				 "disk:x:6:you,me\n"
				 "adm:x:4:me,you\n"
				 "again:x:6:me\n"
				 "men:x:9:men,mee,m\n"
				 "55:x:66:\n"
				 "bad:x:4294967295:me\n";

/* --user, --group, result, known, uid, gid, groups with a space after each, or part of the error */
static const struct {
	const char *user, *group;
	int result;
	bool known;
	uint32_t uid, gid;
	const char *groups;
} accounts[] = {
	{ NULL, NULL, 0, true, 0, 0, "" },
	{ "me", NULL, 0, true, 1000, 100, "4 6 " },
	{ "1000", NULL, 0, true, 1000, 100, "4 6 " },
	{ "me:adm", NULL, 0, true, 1000, 4, "" },
	{ "me:9", NULL, 0, true, 1000, 9, "" },
	{ "me", "adm", 0, true, 1000, 4, "" },
	{ NULL, "adm", 0, true, 0, 4, "" },
	{ NULL, "4294967294", 0, true, 0, 4294967294u, "" },
	{ "5000", NULL, 0, false, 5000, 0, "" },
	{ "5000:6000", NULL, 0, false, 5000, 6000, "" },
	{ "4294967294", NULL, 0, false, 4294967294u, 0, "" },
	{ "1234", NULL, 0, false, 1234, 0, "" }, /* not the user of that name */
	{ "0:55", NULL, 0, true, 0, 55, "" },
	{ "4294967295", NULL, -EINVAL, .groups = "0 to 4294967294" },
	{ "0:4294967295", NULL, -EINVAL, .groups = "0 to 4294967294" },
	{ "18446744073709551616", NULL, -EINVAL, .groups = "0 to 4294967294" },
	{ "007", NULL, -EINVAL, .groups = "leading zeros" },
	{ "-1", NULL, -EINVAL, .groups = "no user \"-1\"" },
	{ "0x0", NULL, -EINVAL, .groups = "no user \"0x0\"" },
	{ " 0", NULL, -EINVAL, .groups = "no user \" 0\"" },
	{ "nobody", NULL, -EINVAL, .groups = "no user \"nobody\"" },
	{ "me:nobody", NULL, -EINVAL, .groups = "no group \"nobody\"" },
	{ "bad", NULL, -EINVAL, .groups = "no user" },
	{ "me:bad", NULL, -EINVAL, .groups = "no group" },
	{ "", NULL, -EINVAL, .groups = "USER:GROUP" },
	{ "me:", NULL, -EINVAL, .groups = "USER:GROUP" },
	{ ":adm", NULL, -EINVAL, .groups = "USER:GROUP" },
	{ "me:adm:x", NULL, -EINVAL, .groups = "USER:GROUP" },
	{ "me:adm", "adm", -EINVAL, .groups = "twice" },
	{ NULL, "", -EINVAL, .groups = "no group \"\"" },
};

static void test_accounts(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_spec spec = { .user = accounts[i].user,
					  .user_from = "--user U",
					  .group = accounts[i].group,
					  .group_from = "--group G" };
		struct nook_passwd passwd;
		struct nook_group group;
		struct nook_account account;
		struct nook_error err = { 0 };
		char seen[64] = "";

		print_message("%s %s\n", spec.user, spec.group);
		assert_int_equal(nook_arena_init(&a), 0);
		nook_passwd_parse(&a, nook_strdup(&a, passwd_text), &passwd);
		nook_group_parse(&a, nook_strdup(&a, group_text), &group);
		assert_int_equal(nook_account_resolve(&a, &spec, &passwd, &group, &account, &err),
				 accounts[i].result);
		if (accounts[i].result < 0) {
			assert_non_null(strstr(err.why, accounts[i].groups));
			assert_string_equal(err.where, spec.group ? "--group G" : "--user U");
			continue;
		}

		assert_int_equal(account.known, accounts[i].known);
		assert_int_equal(account.uid, accounts[i].uid);
		assert_int_equal(account.gid, accounts[i].gid);
		assert_int_equal(account.home[0], '/');
		for (size_t k = 0; k < account.n_groups; k++)
			(void)nook_format(seen + strlen(seen), sizeof(seen) - strlen(seen), "%u ",
					  account.groups[k]);
		assert_string_equal(seen, accounts[i].groups);
		assert_string_equal(err.where, ""); /* a later error is not this option's */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passwd_lines),
		cmocka_unit_test(test_subids),
		cmocka_unit_test(test_accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
