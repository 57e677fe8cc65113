/* SPDX-License-Identifier: Apache-2.0 */
/* The reading of any command's words. Those of `nook run`: src/spec/words*_test.c */
#include "option.h"

#include "own.h"
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arena_fixture.h"

struct into {
	unsigned char before[3];
	bool quiet;
	unsigned char between[2];
	bool all;
	unsigned char behind[4];
};

static int refuse_seven(const struct nook_option_use *use)
{
	return use->value && strcmp(use->value, "7") == 0
		       ? nook_refuse(use->err, ERANGE, "not seven")
		       : 0;
}

static const struct nook_option rows[] = {
	NOOK_OPTION_HEADING("Heading"),
	{ .name = "quiet",
	  .letter = 'q',
	  .set = nook_option_flag,
	  .at = offsetof(struct into, quiet) },
	{ .name = "all", .letter = 'a', .set = nook_option_flag, .at = offsetof(struct into, all) },
	{ .name = "number", .letter = 'n', .value = "N", .set = refuse_seven },
	{ .name = "env", .letter = 'e', .value = "NAME", .flags = NOOK_OPTION_MANY },
	{ .name = "tty", .letter = 't', .flags = NOOK_OPTION_NO },
	{ .name = "plan", .letter = 'p', .value = "text|json", .flags = NOOK_OPTION_OPTIONAL },
	NOOK_OPTION_HELP_ROW,
};
static const struct nook_option_foreign foreign[] = {
	{ "--rm", "Leave it away." },
	{ "-d", "Write '&'." },
	{ NULL, NULL },
};

/* A copy that the reader may put into another order. */
static int read_words(const char *const *argv, bool follows, struct nook_option_words *words,
		      struct into *into, struct nook_error *err)
{
	const struct nook_option_table table = { .command = "nook it",
						 .rows = rows,
						 .n = ARRAY_SIZE(rows),
						 .command_follows = follows,
						 .foreign = foreign };
	static char *copy[10];
	size_t n = 0;

	memset(copy, 0, sizeof(copy));
	for (; argv[n]; n++)
		copy[n] = nook_strdup(&arena, argv[n]);
	assert_true(n < ARRAY_SIZE(copy));
	return nook_options_read(&table, &arena, copy, into, words, err);
}

static const char *as_text(const struct nook_option_words *words)
{
	const char *text = "";

	for (size_t i = 0; i < words->n_uses; i++) {
		const struct nook_option_use *u = &words->uses[i];

		text = nook_printf(&arena, "%s%s%s=%s{%s} ", text, u->no ? "no-" : "",
				   u->option->name, u->value ? u->value : "", u->from);
	}
	text = nook_printf(&arena, "%s%s", text, words->dashes ? "-- " : "");
	for (size_t i = 0; i < words->n_words; i++)
		text = nook_printf(&arena, "%s[%s]", text, words->words[i]);
	assert_null(words->words[words->n_words]);
	return text;
}

static void test_read(void **state)
{
	static const struct {
		const char *argv[8], *text, *follows; /* NULL: the same */
	} cases[] = {
		{ { NULL }, "", NULL },
		{ { "a", "b" }, "[a][b]", NULL },
		{ { "-", "" }, "[-][]", NULL },
		{ { "--number", "5" }, "number=5{--number 5} ", NULL },
		{ { "--number=" }, "number={--number=} ", NULL },
		{ { "--number=a=b" }, "number=a=b{--number=a=b} ", NULL },
		{ { "--number", "--quiet" }, "number=--quiet{--number --quiet} ", NULL },
		{ { "-n", "-q" }, "number=-q{-n -q} ", NULL },
		{ { "-qn5" }, "quiet={-q} number=5{-n 5} ", NULL },
		{ { "-qn", "5" }, "quiet={-q} number=5{-n 5} ", NULL },
		{ { "-n5", "-n", "5" }, "number=5{-n 5} number=5{-n 5} ", NULL },
		{ { "-ea", "-e", "b" }, "env=a{-e a} env=b{-e b} ", NULL },
		{ { "--no-tty" }, "no-tty={--no-tty} ", NULL },
		{ { "--plan", "json" }, "plan={--plan} [json]", NULL },
		{ { "--plan=json" }, "plan=json{--plan=json} ", NULL },
		{ { "-pq" }, "plan={-p} quiet={-q} ", NULL },
		{ { "a", "-q", "b" }, "quiet={-q} [a][b]", "[a][-q][b]" },
		{ { "-q", "a", "--x", NULL }, NULL, "quiet={-q} [a][--x]" },
		{ { "a", "--", "-q", "--" }, "-- [a][-q][--]", "[a][--][-q][--]" },
		{ { "--", "--" }, "-- [--]", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int follows = 0; follows < 2; follows++) {
			const char *want =
				follows && cases[i].follows ? cases[i].follows : cases[i].text;
			struct nook_option_words words;
			struct into into = { 0 };

			if (!want)
				continue;
			assert_int_equal(read_words(cases[i].argv, follows, &words, &into, NULL),
					 0);
			assert_string_equal(as_text(&words), want);
		}
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *argv[8];
		int rc;
		const char *where, *why, *hint; /* beginnings; hint NULL: none */
	} cases[] = {
		{ { "--help", "--x" }, -ECANCELED, "", "", NULL },
		{ { "-qh" }, -ECANCELED, "", "", NULL },
		{ { "--quite" },
		  -EINVAL,
		  "--quite",
		  "nook it has no such",
		  "Did you mean --quiet?" },
		{ { "--quit=1" },
		  -EINVAL,
		  "--quit",
		  "nook it has no such",
		  "Did you mean --quiet?" },
		{ { "--no-tyt" },
		  -EINVAL,
		  "--no-tyt",
		  "nook it has no such",
		  "Did you mean --no-tty?" },
		{ { "--no-quiet" }, -EINVAL, "--no-quiet", "nook it has no such", "" },
		{ { "--Heading" }, -EINVAL, "--Heading", "nook it has no such", "" },
		{ { "-qx" }, -EINVAL, "-x", "nook it has no such", "" },
		{ { "--rm" }, -EINVAL, "--rm", "nook it has no such", "Leave it away." },
		{ { "-qd" }, -EINVAL, "-d", "nook it has no such", "Write '&'." },
		{ { "--number" }, -EINVAL, "--number", "needs a value: N", "Write --number N." },
		{ { "-qn" }, -EINVAL, "-n", "needs a value: N", "Write -n N." },
		{ { "--quiet=1" }, -EINVAL, "--quiet=1", "it takes no value", NULL },
		{ { "--no-tty=1" }, -EINVAL, "--no-tty=1", "it takes no value", NULL },
		{ { "-n5", "-n6" }, -EINVAL, "-n 6", "-n 5 was said before", NULL },
		{ { "-t", "--no-tty" }, -EINVAL, "--no-tty", "-t was said before", NULL },
		{ { "--plan", "--plan=text" }, -EINVAL, "--plan=text", "--plan was said", NULL },
		{ { "-n", "7" }, -ERANGE, "-n 7", "not seven", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_option_words words;
		struct nook_error err = { 0 };
		struct into into = { 0 };

		assert_int_equal(read_words(cases[i].argv, false, &words, &into, &err),
				 cases[i].rc);
		assert_string_equal(err.where, cases[i].where);
		assert_true(nook_starts(err.why, cases[i].why));
		if (cases[i].hint)
			assert_true(nook_starts(err.hint, cases[i].hint));
		else
			assert_string_equal(err.hint, "");
	}
}

/* A flag sets its own bool, and nothing beside it. */
static void test_flags(void **state)
{
	const struct into none = { 0 };
	struct nook_option_words words;
	struct into into = { 0 }, want = { .all = true };

	assert_int_equal(read_words((const char *[]){ "a", NULL }, false, &words, &into, NULL), 0);
	assert_memory_equal(&into, &none, sizeof(into));
	assert_int_equal(
		read_words((const char *[]){ "-a", "--all", NULL }, false, &words, &into, NULL), 0);
	assert_memory_equal(&into, &want, sizeof(into));
	want.quiet = true;
	assert_int_equal(read_words((const char *[]){ "-aq", NULL }, false, &words, &into, NULL),
			 0);
	assert_memory_equal(&into, &want, sizeof(into));
}

/* The last words that said it. */
static void test_given(void **state)
{
	struct nook_option_words words;
	struct into into = { 0 };

	assert_int_equal(read_words((const char *[]){ "-ea", "--tty", "--env", "b", NULL }, false,
				    &words, &into, NULL),
			 0);
	assert_string_equal(nook_option_given(&words, "env"), "--env b");
	assert_string_equal(nook_option_given(&words, "tty"), "--tty");
	assert_null(nook_option_given(&words, "quiet"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_refused),
		TEST(test_flags),
		TEST(test_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
