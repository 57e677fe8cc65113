/* SPDX-License-Identifier: Apache-2.0 */
#include "words.c"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct into {
	const char *bundle, *plan;
	bool detach, tty;
	enum nook_tristate privs;
	struct oci_list env;
	unsigned fds;
};

#define AT(member) offsetof(struct into, member)

static const struct oci_option rows[] = {
	{ "bundle", 'b', OCI_TEXT, AT(bundle), "DIR", "" },
	{ "detach", 'd', OCI_FLAG, AT(detach), NULL, "" },
	{ "tty", 't', OCI_FLAG, AT(tty), NULL, "" },
	{ "no-new-privs", 0, OCI_TRISTATE, AT(privs), NULL, "" },
	{ "env", 'e', OCI_LIST, AT(env), "NAME=VALUE", "" },
	{ "preserve-fds", 0, OCI_NUMBER, AT(fds), "N", "" },
	{ "plan", 0, OCI_OPTIONAL, AT(plan), "text|json", "" },
	{ "criu", 0, OCI_NOTHING, 0, "FILE", "" },
	OCI_HELP_ROW,
};

#define WORDS 8

static const struct {
	const char *name;
	const char *argv[WORDS];
	bool in_order;
	int result;
	const char *want; /* what was read, then the words; or where the error lies */
} cases[] = {
	{ "nothing", { NULL }, false, 0, "" },
	{ "two dashes", { "--bundle", "b", "id" }, false, 0, "bundle=b id" },
	{ "equals", { "--bundle=b", "id" }, false, 0, "bundle=b id" },
	{ "one dash", { "-bundle", "b", "id" }, false, 0, "bundle=b id" },
	{ "one dash and equals", { "-bundle=b", "id" }, false, 0, "bundle=b id" },
	{ "letter", { "-b", "b", "id" }, false, 0, "bundle=b id" },
	{ "letter and equals", { "-b=b", "id" }, false, 0, "bundle=b id" },
	{ "letter and value", { "-bdir", "id" }, false, 0, "bundle=dir id" },
	{ "two dashes and a letter", { "--b", "b", "id" }, false, 0, "bundle=b id" },
	{ "letters", { "-dt", "id" }, false, 0, "detach tty id" },
	{ "letters and a value", { "-dtb", "b", "id" }, false, 0, "bundle=b detach tty id" },
	{ "empty value", { "--bundle=", "id" }, false, 0, "bundle= id" },
	{ "value that begins with a dash", { "--bundle", "-1" }, false, 0, "bundle=-1" },
	{ "value with equals", { "--env=A=b=c" }, false, 0, "env=A=b=c" },
	{ "flag is true", { "--detach=true", "id" }, false, 0, "detach id" },
	{ "flag is false", { "--detach=false", "id" }, false, 0, "id" },
	{ "flag is 1", { "-d=1", "id" }, false, 0, "detach id" },
	{ "a flag takes no further word", { "--detach", "false" }, false, 0, "detach false" },
	{ "flag is maybe", { "--detach=maybe" }, false, -EINVAL, "--detach=maybe" },
	{ "flag is nothing", { "--detach=" }, false, -EINVAL, "--detach=" },
	{ "tristate said no", { "--no-new-privs=false" }, false, 0, "privs=1" },
	{ "tristate said yes", { "--no-new-privs" }, false, 0, "privs=2" },
	{ "last holds", { "--bundle=a", "--bundle=b" }, false, 0, "bundle=b" },
	{ "list", { "-e", "A=1", "--env", "B", "-eC" }, false, 0, "env=A=1 env=B env=C" },
	{ "number", { "--preserve-fds", "3" }, false, 0, "fds=3" },
	{ "number is none", { "--preserve-fds", "3x" }, false, -EINVAL, "--preserve-fds 3x" },
	{ "number below 0", { "--preserve-fds=-1" }, false, -EINVAL, "--preserve-fds=-1" },
	{ "number too large",
	  { "--preserve-fds=2147483648" },
	  false,
	  -EINVAL,
	  "--preserve-fds=2147483648" },
	{ "optional without", { "--plan", "id" }, false, 0, "plan= id" },
	{ "optional with", { "--plan=json", "id" }, false, 0, "plan=json id" },
	{ "read and not looked at", { "--criu", "x", "id" }, false, 0, "id" },
	{ "options may follow", { "id", "--bundle", "b", "w" }, false, 0, "bundle=b id w" },
	{ "or not", { "-d", "id", "--bundle", "b" }, true, 0, "detach id --bundle b" },
	{ "two dashes end them", { "--", "--bundle" }, false, 0, "--bundle" },
	{ "and are a word behind", { "id", "--", "x" }, true, 0, "id -- x" },
	{ "one dash is a word", { "-", "-d" }, false, 0, "detach -" },
	{ "help", { "--help", "--nonsense" }, false, -ECANCELED, "" },
	{ "help by letter", { "id", "-h" }, false, -ECANCELED, "" },
	{ "value missing", { "--bundle" }, false, -EINVAL, "--bundle" },
	{ "unknown", { "--bundel=x" }, false, -EINVAL, "--bundel" },
	{ "unknown by one dash", { "-bogus", "x" }, false, 0, "bundle=ogus x" },
	{ "unknown letters", { "-dx" }, false, -EINVAL, "-dx" },
	{ "a name is not its beginning", { "--det" }, false, -EINVAL, "--det" },
};

static void show(char *out, size_t size, const struct into *in, char **argv, size_t n)
{
	size_t at = 0;

	out[0] = '\0';
#define SAY(...)                                                                                   \
	do {                                                                                       \
		at += nook_format(out + at, size - at, "%s", at ? " " : "");                       \
		at += nook_format(out + at, size - at, __VA_ARGS__);                               \
	} while (0)
	if (in->bundle)
		SAY("bundle=%s", in->bundle);
	if (in->detach)
		SAY("detach");
	if (in->tty)
		SAY("tty");
	if (in->privs)
		SAY("privs=%d", in->privs);
	for (size_t i = 0; i < in->env.n; i++)
		SAY("env=%s", in->env.items[i]);
	if (in->env.n)
		assert_null(in->env.items[in->env.n]);
	if (in->fds)
		SAY("fds=%u", in->fds);
	if (in->plan)
		SAY("plan=%s", in->plan);
	for (size_t i = 0; i < n; i++)
		SAY("%s", argv[i]);
#undef SAY
}

static void test_words(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		const struct oci_table table = { rows, ARRAY_SIZE(rows), cases[i].in_order };
		struct into in = { 0 };
		struct nook_error err = { 0 };
		char *argv[WORDS + 1] = { NULL }, text[512];
		size_t at = 0, n = 0;

		assert_int_equal(nook_arena_init(&a), 0);
		for (size_t k = 0; k < WORDS && cases[i].argv[k]; k++)
			argv[k] = nook_strdup(&a, cases[i].argv[k]);

		int rc = oci_read_words("create", &table, &a, argv, &in, &at, &n, &err);

		if (rc == 0)
			show(text, sizeof(text), &in, argv + at, n);
		else
			(void)nook_format(text, sizeof(text), "%s", err.where);
		if (rc != cases[i].result || strcmp(text, cases[i].want) != 0)
			fail_msg("%s: %d, \"%s\"", cases[i].name, rc, text);
		if (rc == 0)
			assert_null(argv[at + n]);
	}
}

static void test_hint(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct oci_table table = { rows, ARRAY_SIZE(rows), false };
	char word[] = "--bundel", *argv[] = { word, NULL };
	struct into in = { 0 };
	struct nook_error err = { 0 };
	size_t at, n;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(oci_read_words("create", &table, &a, argv, &in, &at, &n, &err), -EINVAL);
	assert_string_equal(err.why, "nook-oci create has no such option");
	assert_string_equal(err.hint, "did you mean --bundle?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
