/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"
#include "json_tree.h"
#include "own.h"
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void test_writer(void **state)
{
	static const struct {
		const char *name, *text, *as_text, *as_bytes;
	} cases[] = {
		{ "plain", "abc", "\"abc\"", "\"abc\"" },
		{ "empty", "", "\"\"", "\"\"" },
		{ "null", NULL, "null", "null" },
		{ "quotes", "a\"b\\c/", "\"a\\\"b\\\\c/\"", "\"a\\\"b\\\\c/\"" },
		{ "controls", "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"",
		  "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"" },
		{ "utf-8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
		  "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "cut short", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\"", "\"a\xe2\x82\"" },
		{ "overlong", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xc0\xaf\"" },
		{ "surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		  "\"\xed\xa0\x80\"" },
		{ "past U+10FFFF", "\xf4\x90\x80\x80",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xf4\x90\x80\x80\"" },
		{ "lone byte then text", "\xff-b", "\"\xef\xbf\xbd-b\"", "\"\xff-b\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_json_writer w;
		const char *text;
		size_t len;

		assert_int_equal(nook_arena_init(&a), 0);
		nook_json_to_arena(&w, &a, false);
		nook_json_array(&w, NULL);
		nook_json_put_text(&w, NULL, cases[i].text);
		nook_json_put_bytes(&w, NULL, cases[i].text);
		nook_json_end(&w);
		assert_int_equal(nook_json_finish(&w, &text, &len), 0);
		assert_int_equal(len, strlen(text));
		assert_string_equal(
			text, nook_printf(&a, "[%s,%s]\n", cases[i].as_text, cases[i].as_bytes));
	}
}

static void put_sample(struct nook_json_writer *w)
{
	static const char *const list[] = { "x", "y", NULL };

	nook_json_object(w, NULL);
	nook_json_put_u64(w, "max", UINT64_MAX);
	nook_json_put_i64(w, "min", INT64_MIN);
	nook_json_put_bool(w, "yes", true);
	nook_json_put_null(w, "no\"thing");
	nook_json_object(w, "empty");
	nook_json_end(w);
	nook_json_array(w, "nested");
	nook_json_array(w, NULL);
	nook_json_end(w);
	nook_json_object(w, NULL);
	nook_json_put_bytes_list(w, "list", list);
	nook_json_end(w);
	nook_json_end(w);
	nook_json_put_bytes_list(w, "none", NULL);
	nook_json_end(w);
}

static void test_writer_shapes(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_json_writer w;
	const char *text, *pretty;

	assert_int_equal(nook_arena_init(&a), 0);
	nook_json_to_arena(&w, &a, false);
	put_sample(&w);
	assert_int_equal(nook_json_finish(&w, &text, NULL), 0);
	assert_string_equal(
		text, "{\"max\":18446744073709551615,\"min\":-9223372036854775808,\"yes\":true,"
		      "\"no\\\"thing\":null,\"empty\":{},\"nested\":[[],{\"list\":[\"x\",\"y\"]}],"
		      "\"none\":[]}\n");

	nook_json_to_arena(&w, &a, true);
	put_sample(&w);
	assert_int_equal(nook_json_finish(&w, &pretty, NULL), 0);
	assert_string_equal(pretty, "{\n"
				    "  \"max\": 18446744073709551615,\n"
				    "  \"min\": -9223372036854775808,\n"
				    "  \"yes\": true,\n"
				    "  \"no\\\"thing\": null,\n"
				    "  \"empty\": {},\n"
				    "  \"nested\": [\n"
				    "    [],\n"
				    "    {\n"
				    "      \"list\": [\n"
				    "        \"x\",\n"
				    "        \"y\"\n"
				    "      ]\n"
				    "    }\n"
				    "  ],\n"
				    "  \"none\": []\n"
				    "}\n");
}

static void test_writer_to_file(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_json_writer w;
	const char *text;
	char buf[512] = "";
	auto_fclose FILE *good = fmemopen(buf, sizeof(buf), "w");
	auto_fclose FILE *full = fopen("/dev/full", "we");

	assert_int_equal(nook_arena_init(&a), 0);
	nook_json_to_arena(&w, &a, true);
	put_sample(&w);
	assert_int_equal(nook_json_finish(&w, &text, NULL), 0);

	nook_json_to_file(&w, good, true);
	put_sample(&w);
	assert_int_equal(nook_json_finish(&w, NULL, NULL), 0);
	assert_string_equal(buf, text);

	nook_json_to_file(&w, full, true);
	put_sample(&w);
	assert_int_equal(nook_json_finish(&w, NULL, NULL), -ENOSPC);
}

static void test_long_text_grows(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_json_writer w;
	const char *text;
	size_t len;

	assert_int_equal(nook_arena_init(&a), 0);

	char *big = nook_alloc(&a, 100001);

	memset(big, 'z', 100000);
	nook_json_to_arena(&w, &a, false);
	nook_json_array(&w, NULL);
	for (int i = 0; i < 3; i++)
		nook_json_put_text(&w, NULL, big);
	nook_json_end(&w);
	assert_int_equal(nook_json_finish(&w, &text, &len), 0);
	assert_int_equal(len, 3 * 100002 + 2 + 2 + 1);
	assert_memory_equal(text + len - 5, "zz\"]\n", 5);
}

static void test_parse_refuses(void **state)
{
	static const struct {
		const char *name, *text;
		int result;
	} cases[] = {
		{ "object", "{\"a\": 1}", 0 },
		{ "white space around", " \n{ } \n", 0 },
		{ "number", "17", 0 },
		{ "nothing", "", -EINVAL },
		{ "space", "  ", -EINVAL },
		{ "cut", "{\"a\": [1, 2", -EINVAL },
		{ "trailing text", "{} x", -EINVAL },
		{ "two documents", "{}{}", -EINVAL },
		{ "comment", "/* x */ {}", -EINVAL },
		{ "single quotes", "{'a': 1}", -EINVAL },
		{ "single quotes around a value", "['a']", -EINVAL },
		{ "quotes in strings", "{\"it's\": \"\\\"'\", \"\\\\\": 1}", 0 },
		{ "quote after an escaped backslash", "{\"\\\\\": 1, 'a': 1}", -EINVAL },
		{ "unknown escape", "[\"\\q\"]", -EINVAL },
		{ "trailing comma", "[1,]", -EINVAL },
		{ "trailing comma in an object", "{\"a\": 1,}", -EINVAL },
		{ "no comma", "[1 2]", -EINVAL },
		{ "no colon", "{\"a\" 1}", -EINVAL },
		{ "plus", "[+1]", -EINVAL },
		{ "hex", "[0x10]", -EINVAL },
		{ "a bare word", "nul", -EINVAL },
		{ "leading zero", "[01]", -EINVAL },
		{ "NaN", "[NaN]", -EINVAL },
		{ "Infinity", "[-Infinity]", -EINVAL },
		{ "True", "[True]", -EINVAL },
		{ "control character", "[\"a\nb\"]", -EINVAL },
		{ "past 64 bits", "[18446744073709551616]", -EINVAL },
		{ "far past 64 bits", "[99999999999999999999999999]", -EINVAL },
		{ "below 64 bits", "[-9223372036854775809]", -EINVAL },
		{ "leading zero behind a minus", "[-01]", -EINVAL },
		{ "minus alone", "[-]", -EINVAL },
		{ "point at the end", "[1.]", -EINVAL },
		{ "point in front", "[.5]", -EINVAL },
		{ "exponent without digits", "[1e+]", -EINVAL },
		{ "many digits behind a point", "[1.99999999999999999999999999]", 0 },
		{ "past 64 bits with an exponent", "[18446744073709551616e1]", 0 },
		{ "form feed as a space", "[\f1]", -EINVAL },
		{ "NUL in a name", "{\"a\\u0000b\": 1}", -EINVAL },
		{ "three hexadecimal digits", "[\"\\u123\"]", -EINVAL },
		{ "string cut in an escape", "[\"\\", -EINVAL },
		{ "string cut in a surrogate", "[\"\\ud800\\u", -EINVAL },
		{ "word cut", "[tru", -EINVAL },
		{ "word with a tail", "[nullx]", -EINVAL },
		{ "colon alone", "{:1}", -EINVAL },
		{ "name without quotes", "{a:1}", -EINVAL },
		{ "wrong bracket", "[1}", -EINVAL },
		{ "8 levels", "[[[[[[[[]]]]]]]]", 0 },
		{ "9 levels", "[[[[[[[[[]]]]]]]]]", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_json struct nook_json *json = NULL;
		struct nook_error err = { 0 };
		int rc = nook_json_parse(cases[i].text, strlen(cases[i].text), 8, &json, &err);

		if (rc != cases[i].result)
			fail_msg("%s: %d (%s)", cases[i].name, rc, err.why);
		assert_int_equal(err.errnum, -rc);
		if (rc < 0)
			assert_true(err.why[0] != '\0');
	}

	auto_json struct nook_json *json = NULL;

	assert_int_equal(nook_json_parse("{}\0{}", 5, 8, &json, NULL), -EINVAL);
}

/* Texts and what they are in one line. */
static void test_parse_values(void **state)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
		{ "null", "null" },
		{ "[true,false,null]", "[true,false,null]" },
		{ "-0", "0" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9223372036854775808" },
		{ "[1.50,1E3,-0.0e-2]", "[1.50,1E3,-0.0e-2]" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00.\"",
		  "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.\"" },
		{ "\"\\ud800\"", "\"\xef\xbf\xbd\"" },
		{ "\"\\udc00\\ud800\\u0041\"", "\"\xef\xbf\xbd\xef\xbf\xbd\x41\"" },
		{ "\"a\\u0000b\"", "\"a\\u0000b\"" },
		{ "\"\xff\x7f\"", "\"\xff\x7f\"" },
		{ "{\"a\":1,\"b\":2,\"a\":[]}", "{\"a\":[],\"b\":2}" },
		{ "{\"\":{},\"\\u0061\":[ [ ] , { } ] }", "{\"\":{},\"a\":[[],{}]}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_json struct nook_json *json = NULL;
		auto_arena struct nook_arena a = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		assert_int_equal(
			nook_json_parse(cases[i].text, strlen(cases[i].text), 8, &json, NULL), 0);
		assert_string_equal(nook_json_compact(&a, json), cases[i].plain);
	}
}

/* So many that they are sorted: each is found, once, at the place of the first of its name. */
static void test_many_members(void **state)
{
	enum { NAMES = 1000, MEMBERS = 3 * NAMES };
	static char text[MEMBERS * 24];
	auto_json struct nook_json *json = NULL;
	size_t len = 0;
	bool there;

	for (unsigned i = 0; i < MEMBERS; i++)
		len += nook_format(text + len, sizeof(text) - len, "%s\"n%u\":%u", i ? "," : "{",
				   i * 7 % NAMES, i);
	text[len++] = '}';
	assert_int_equal(nook_json_parse(text, len, 8, &json, NULL), 0);
	assert_int_equal(nook_json_size(json), NAMES);

	for (unsigned i = 0; i < NAMES; i++) {
		const struct nook_json *member = json->items[i];
		char name[16];

		(void)nook_format(name, sizeof(name), "n%u", i * 7 % NAMES);
		assert_string_equal(member->key, name);
		assert_int_equal(member->number, 2 * NAMES + i);
		assert_ptr_equal(nook_json_find(json, name, &there), member);
		assert_true(there);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_null(nook_json_find(json, (const char *[]){ "n", "n1000", "" }[i], &there));
		assert_false(there);
	}
}

static const char document[] =
	"{\"max\": 18446744073709551615, \"big\": 9223372036854775808, \"neg\": -5, \"one\": 1.0,"
	" \"exp\": 1e3, \"text\": \"abc\", \"nul\": \"a\\u0000b\", \"raw\": \"\xff\","
	" \"list\": [\"a\", 7], \"sub\": {\"deep\": [{\"x\": true}]}, \"null\": null,"
	" \"str5\": \"5\", \"flag\": true}";

static void test_numbers_are_strict(void **state)
{
	static const struct {
		const char *key;
		bool sign;
		enum nook_json_need need;
		uint64_t max;
		int64_t min, imax;
		int result;
		uint64_t value;
		const char *why;
	} cases[] = {
		{ "max", false, NOOK_JSON_REQUIRED, UINT64_MAX, 0, 0, 0, UINT64_MAX, "" },
		{ "max", false, NOOK_JSON_REQUIRED, UINT64_MAX - 1, 0, 0, -EINVAL, 42,
		  "18446744073709551615 is above 18446744073709551614" },
		{ "big", false, NOOK_JSON_REQUIRED, UINT64_MAX, 0, 0, 0,
		  UINT64_C(9223372036854775808), "" },
		{ "big", true, NOOK_JSON_REQUIRED, 0, INT64_MIN, INT64_MAX, -EINVAL, 42,
		  "9223372036854775808 is not between" },
		{ "neg", false, NOOK_JSON_REQUIRED, UINT64_MAX, 0, 0, -EINVAL, 42,
		  "-5 is below 0" },
		{ "neg", true, NOOK_JSON_REQUIRED, 0, -5, 5, 0, (uint64_t)-5, "" },
		{ "neg", true, NOOK_JSON_REQUIRED, 0, -4, 5, -EINVAL, 42, "-5 is not between" },
		{ "one", false, NOOK_JSON_REQUIRED, 9, 0, 0, -EINVAL, 42, "an integer is wanted" },
		{ "exp", true, NOOK_JSON_OPTIONAL, 0, 0, 5000, -EINVAL, 42,
		  "an integer is wanted" },
		{ "str5", false, NOOK_JSON_REQUIRED, 9, 0, 0, -EINVAL, 42,
		  "an integer is wanted here, not a string" },
		{ "flag", false, NOOK_JSON_OPTIONAL, 9, 0, 0, -EINVAL, 42,
		  "an integer is wanted here, not a boolean" },
		{ "none", false, NOOK_JSON_OPTIONAL, 9, 0, 0, 0, 42, "" },
		{ "null", false, NOOK_JSON_OPTIONAL, 9, 0, 0, 0, 42, "" },
		{ "none", false, NOOK_JSON_REQUIRED, 9, 0, 0, -EINVAL, 42,
		  "an integer is missing" },
		{ "null", true, NOOK_JSON_REQUIRED, 0, 0, 9, -EINVAL, 42, "an integer is missing" },
	};
	auto_json struct nook_json *json = NULL;

	assert_int_equal(nook_json_parse(document, strlen(document), 8, &json, NULL), 0);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_json_value root = { .json = json };
		struct nook_error err = { 0 };
		uint64_t value = 42;
		int64_t number = 42;
		int rc;

		if (cases[i].sign) {
			rc = nook_json_get_i64(&root, cases[i].key, cases[i].need, cases[i].min,
					       cases[i].imax, &number, &err);
			value = (uint64_t)number;
		} else {
			rc = nook_json_get_u64(&root, cases[i].key, cases[i].need, cases[i].max,
					       &value, &err);
		}
		if (rc != cases[i].result || value != cases[i].value ||
		    strncmp(err.why, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("case %zu, %s: %d, %llu, \"%s\"", i, cases[i].key, rc,
				 (unsigned long long)value, err.why);
		if (rc < 0)
			assert_string_equal(err.where + 1, cases[i].key);
	}
}

static void test_texts_and_places(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	auto_json struct nook_json *json = NULL;
	struct nook_error err = { 0 };
	const char *text = "before";
	const char *const *texts = NULL;
	size_t n = 0;
	bool flag = false;
	uint32_t small = 1;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_json_parse(document, strlen(document), 8, &json, NULL), 0);

	struct nook_json_value root = { .json = json }, sub, deep, x;

#define TEXT(key, max) nook_json_get_text(&a, &root, key, NOOK_JSON_REQUIRED, max, &text, &err)
	assert_int_equal(TEXT("nul", 9), -EINVAL);
	assert_int_equal(TEXT("text", 2), -EINVAL);
	assert_int_equal(TEXT("list", 2), -EINVAL);
	assert_string_equal(text, "before");
	assert_int_equal(TEXT("text", 3), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(TEXT("raw", 9), 0);
	assert_string_equal(text, "\xff");

	memset(&err, 0, sizeof(err));
	assert_int_equal(
		nook_json_get_texts(&a, &root, "list", NOOK_JSON_REQUIRED, 9, 9, &texts, &n, &err),
		-EINVAL);
	assert_string_equal(err.where, "/list/1");
	assert_string_equal(err.why, "a string is wanted here, not a number");
	assert_int_equal(
		nook_json_get_texts(&a, &root, "list", NOOK_JSON_REQUIRED, 1, 9, &texts, &n, &err),
		-EINVAL);
	assert_null(texts);
	assert_int_equal(
		nook_json_get_texts(&a, &root, "none", NOOK_JSON_OPTIONAL, 1, 9, &texts, &n, &err),
		0);
	assert_null(texts);

	assert_int_equal(
		nook_json_member(&root, "sub", NOOK_JSON_REQUIRED, NOOK_JSON_OBJECT, &sub, NULL),
		0);
	assert_int_equal(
		nook_json_member(&sub, "deep", NOOK_JSON_REQUIRED, NOOK_JSON_ARRAY, &deep, NULL),
		0);
	assert_int_equal(nook_json_length(&deep), 1);
	assert_int_equal(nook_json_element(&deep, 0, NOOK_JSON_OBJECT, &x, NULL), 0);
	assert_int_equal(nook_json_get_bool(&x, "x", NOOK_JSON_REQUIRED, &flag, NULL), 0);
	assert_true(flag);
	memset(&err, 0, sizeof(err));
	assert_int_equal(nook_json_get_u32(&x, "x", NOOK_JSON_REQUIRED, 1, &small, &err), -EINVAL);
	assert_string_equal(err.where, "/sub/deep/0/x");
	assert_int_equal(nook_json_element(&deep, 1, NOOK_JSON_OBJECT, &x, NULL), -EINVAL);
}

static void test_reading_files(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	char dir[] = "/tmp/nook-file-test-XXXXXX";
	struct nook_error err = { 0 };
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_non_null(mkdtemp(dir));
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int file = openat(base, "f", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	assert_int_equal(mkfifoat(base, "fifo", 0600), 0);
	assert_int_equal(nook_write_fd(file, "0123456789", 10), 0);
	assert_int_equal(nook_write_fd(-1, "x", 1), -EBADF);

	static const struct {
		const char *name;
		size_t max;
		int result;
		size_t len;
	} cases[] = {
		{ "f", 10, 0, 10 },
		{ "f", 9, -EFBIG, 0 },
		{ "fifo", 10, -EINVAL, 0 },
		{ ".", 10, -EINVAL, 0 },
		{ "/proc/self/status", 1 << 20, 0, 0 }, /* size 0 by fstat */
		{ "/proc/self/status", 100, -EFBIG, 0 },
		{ "/dev/null", 100, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = openat(base, cases[i].name, NOOK_OPEN_READ);

		assert_true(fd >= 0);
		int rc = nook_read_fd(&a, fd, cases[i].name, cases[i].max, &text, &len, &err);

		if (rc != cases[i].result)
			fail_msg("%s, %zu: %d %s", cases[i].name, cases[i].max, rc, err.why);
		if (rc == 0) {
			assert_int_equal(strlen(text), len);
			assert_true(cases[i].len ? len == cases[i].len : len > 100);
		}
	}

	assert_int_equal(unlinkat(base, "f", 0), 0);
	assert_int_equal(unlinkat(base, "fifo", 0), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer),           cmocka_unit_test(test_writer_shapes),
		cmocka_unit_test(test_writer_to_file),   cmocka_unit_test(test_long_text_grows),
		cmocka_unit_test(test_parse_refuses),    cmocka_unit_test(test_parse_values),
		cmocka_unit_test(test_many_members),     cmocka_unit_test(test_numbers_are_strict),
		cmocka_unit_test(test_texts_and_places), cmocka_unit_test(test_reading_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
