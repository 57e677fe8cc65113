/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* What @print writes; the caller frees. */
static char *written(void (*print)(FILE *, const char *), const char *text)
{
	char *buffer = NULL;
	size_t size;
	FILE *out = open_memstream(&buffer, &size);

	assert_non_null(out);
	print(out, text);
	assert_int_equal(fclose(out), 0);
	return buffer;
}

static const struct {
	const char *name, *text, *safe;
} texts[] = {
	{ "plain", "a b/c", "a b/c" },
	{ "empty", "", "" },
	{ "quotes", "a\"b\\c", "a\"b\\c" },
	{ "lines", "a\nb\tc", "a\\nb\\tc" },
	{ "colour", "\033[31mred", "\\x1b[31mred" },
	{ "backspace, bell, return, delete", "\b\a\r\177", "\\x08\\x07\\x0d\\x7f" },
	{ "C1 control",
	  "\xc2\x9b"
	  "2J",
	  "\\u{009b}2J" },
	{ "other scripts stay", "f\xc3\xbcr \xe6\x97\xa5 \xf0\x9f\x90\xa7",
	  "f\xc3\xbcr \xe6\x97\xa5 \xf0\x9f\x90\xa7" },
	{ "right to left override", "a\xe2\x80\xaegpj", "a\\u{202e}gpj" },
	{ "zero width", "a\xe2\x80\x8b", "a\\u{200b}" },
	{ "tags, which nobody sees", "\xf3\xa0\x81\x81", "\\u{e0041}" },
	{ "no UTF-8", "a\xff", "a\\xff" },
	{ "cut UTF-8", "\xe6\x97", "\\xe6\\x97" },
	{ "overlong", "\xc0\xaf", "\\xc0\\xaf" },
	{ "surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "past the last", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
};

/* In memory it is the same text, and is cut between two characters. */
static void test_memory(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char out[64];

		assert_int_equal(nook_safe_text(out, sizeof(out), texts[i].text),
				 strlen(texts[i].safe));
		assert_string_equal(out, texts[i].safe);
	}

	char small[8];

	assert_int_equal(nook_safe_text(small, sizeof(small), "abcd\xff\xff"), 4);
	assert_string_equal(small, "abcd");
	assert_int_equal(nook_safe_text(small, 1, "a"), 0);
	assert_string_equal(small, "");
}

static void test_texts(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_free char *safe = written(nook_print_safe, texts[i].text);

		if (strcmp(safe, texts[i].safe) != 0)
			fail_msg("%s: safe text is %s", texts[i].name, safe);
	}
}

static const struct {
	const char *name;
	struct nook_error err;
	const char *text;
} errors[] = {
	{ "all parts",
	  { 2, "source-missing", "mount the volumes", "--volume /a:/b",
	    "open_tree /a: No such file or directory", "/a is not there.", "Make it." },
	  "nook: cannot mount the volumes (--volume /a:/b): open_tree /a: No such file or "
	  "directory\n"
	  "  cause: /a is not there. [source-missing]\n"
	  "  try:   Make it.\n"
	  "  more:  nook check --explain source-missing\n" },
	{ "only why", { 22, "", "", "", "no such thing", "", "" }, "nook: no such thing\n" },
	{ "where without wanted",
	  { 22, "", "", "--memory 0", "must be 1 or more", "", "" },
	  "nook: --memory 0: must be 1 or more\n" },
	{ "wanted without where",
	  { 1, "", "start", "", "clone3: Operation not permitted", "", "Look." },
	  "nook: cannot start: clone3: Operation not permitted\n  try:   Look.\n" },
	{ "escapes in the user's words",
	  { 2, "", "", "--volume \033]0;x\a:/b", "no\nsuch", "", "" },
	  "nook: --volume \\x1b]0;x\\x07:/b: no\\nsuch\n" },
};

static void show_error(FILE *out, const char *index)
{
	nook_error_print(out, "nook", &errors[index[0] - 'a'].err);
}

static void test_errors(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		char index[] = { (char)('a' + i), '\0' };
		auto_free char *text = written(show_error, index);

		if (strcmp(text, errors[i].text) != 0)
			fail_msg("%s: printed as\n%s", errors[i].name, text);
	}
}

static void show_json(FILE *out, const char *unused)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, out, false);
	nook_error_json(&w, NULL, &errors[0].err);
	assert_int_equal(nook_json_finish(&w, NULL, NULL), 0);
}

static void test_json(void **state)
{
	auto_free char *text = written(show_json, "");

	assert_string_equal(text, "{\"errnum\":2,\"errno\":\"ENOENT\",\"id\":"
				  "\"source-missing\",\"wanted\":\"mount the volumes\","
				  "\"where\":\"--volume /a:/b\",\"why\":"
				  "\"open_tree /a: No such file or directory\","
				  "\"cause\":\"/a is not there.\",\"hint\":\"Make it.\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
