/* SPDX-License-Identifier: Apache-2.0 */
/* Words of `nook exec`. */
#include "words_text.h"

static const struct {
	const char *words[WORDS];
	const char *spec; /* NULL: refused */
	const char *where, *why;
} execs[] = {
	{ { "web", "ls", "-l" }, "name=web argv=ls argv=-l" },
	{ { "web", "--", "-x", "--" }, "name=web argv=-x argv=--" },
	{ { "--", "web", "ls" }, "name=web argv=ls" },
	{ { "-tu", "www:5", "-w/tmp", "-e", "A=1", "--env=B", "web", "sh" },
	  "name=web argv=sh env=A=1 env=B cwd=/tmp user=www:5 from=-u www:5 tty=yes" },
	{ { "--no-tty", "--trace", "web", "sh" }, "name=web argv=sh tty=no trace" },
	{ { NULL }, NULL, "", "NAME is missing" },
	{ { "web" }, NULL, "", "COMMAND is missing: nook exec web COMMAND" },
	{ { "web", "--" }, NULL, "", "COMMAND is missing" },
	{ { "web", "" }, NULL, "", "empty word" },
	{ { "../x", "ls" }, NULL, "", "'../x' can't be a container's name" },
	{ { "web", "--tty", "sh" }, NULL, "", "'--tty' stands where the COMMAND begins" },
	{ { "--user", "-1", "web", "sh" }, NULL, "--user -1", "can't be a user's name" },
	{ { "--cwd", "x", "web", "sh" }, NULL, "--cwd x", "no absolute path" },
	{ { "--env", "=", "web", "sh" }, NULL, "--env =", "names no variable" },
	{ { "--nam" }, NULL, "--nam", "nook exec has no such option" },
	{ { "--tty", "--no-tty", "web", "sh" }, NULL, "--no-tty", "--tty was said before" },
};

static void test_exec(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(execs); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_exec_words ret;
		struct nook_error err = { 0 };
		struct text t = { 0 };
		char *argv[WORDS + 1];

		assert_int_equal(nook_arena_init(&a), 0);
		collect(execs[i].words, argv);

		int rc = nook_words_exec(&a, argv, &ret, &err);

		if (!execs[i].spec) {
			assert_true(rc < 0);
			assert_string_equal(err.where, execs[i].where);
			if (!strstr(err.why, execs[i].why))
				fail_msg("'%s' lacks '%s'", err.why, execs[i].why);
			continue;
		}
		assert_int_equal(rc, 0);
		say_text(&t, "name", ret.spec.name);
		for (size_t k = 0; ret.spec.argv[k]; k++)
			say_text(&t, "argv", ret.spec.argv[k]);
		for (size_t k = 0; k < ret.spec.n_env; k++)
			say_text(&t, "env", ret.spec.env[k]);
		say_text(&t, "cwd", ret.spec.cwd);
		say_text(&t, "user", ret.spec.user);
		say_text(&t, "from", ret.spec.user_from);
		say_tristate(&t, "tty", ret.spec.terminal);
		if (ret.trace)
			say(&t, "trace");
		assert_string_equal(t.at, execs[i].spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
