/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/home.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *name;
	uint32_t uid;
	const char *text;
	const char *home; /* NULL: nobody has it */
};

static const struct row rows[] = {
	{ "first of two", 5, "a:x:5:5::/a:\nb:x:5:5::/b:\n", "/a" },
	{ "no newline at the end", 7, "a:x:5:5::/a:\nb:x:7:7:B:/home/b:/bin/sh", "/home/b" },
	{ "root", 0, "root:x:0:0:root:/root:/bin/bash\n", "/root" },
	{ "the largest id", 4294967294u, "a:x:4294967294:0::/a:\n", "/a" },
	{ "not the id that is none", 4294967295u, "a:x:4294967295:0::/a:\n", NULL },
	{ "a home that is no path", 5, "a:x:5:5::a:\n", "/" },
	{ "no home", 5, "a:x:5:5:::\n", "/" },
	{ "nobody", 5, "a:x:6:6::/a:\n", NULL },
	{ "empty", 5, "", NULL },
	{ "empty lines", 5, "\n\n\na:x:5:5::/a:\n", "/a" },
	{ "comment", 5, "#a:x:5:5::/a:\n", NULL },
	{ "NIS", 5, "+a:x:5:5::/a:\n-b:x:5:5::/a:\n", NULL },
	{ "no name", 5, ":x:5:5::/a:\n", NULL },
	{ "six fields", 5, "a:x:5:5::/a\n", NULL },
	{ "eight fields", 5, "a:x:5:5::/a::\n", NULL },
	{ "no number", 5, "a:x:5x:5::/a:\na:x: 5:5::/a:\na:x:05:5::/a:\n", NULL },
	{ "a group that is no number", 5, "a:x:5:g::/a:\n", NULL },
};

static bool feed(struct nook_home *h, const char *text, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		if (nook_home_feed(h, text + at, len - at < piece ? len - at : piece))
			return true;
	}
	return nook_home_feed(h, NULL, 0);
}

/* However the file comes in pieces. */
static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t piece = 1; piece < 40; piece++) {
			static struct nook_home h;

			h = (struct nook_home){ .uid = rows[i].uid, .home = "-" };

			bool found = feed(&h, rows[i].text, strlen(rows[i].text), piece);

			if (found != !!rows[i].home ||
			    strcmp(h.home, rows[i].home ? rows[i].home : "-") != 0)
				fail_msg("%s, in pieces of %zu: %d, %s", rows[i].name, piece, found,
					 h.home);
		}
	}
}

/* Lines that pass what fits, and what is behind them. */
static void test_long(void **state)
{
	static char text[64 << 10];
	static struct nook_home h;

	(void)state;
	for (size_t length = 4080; length < 20000; length += length < 8300 ? 1 : 977) {
		size_t n = (size_t)snprintf(text, sizeof(text), "a:x:5:5::/");

		memset(text + n, 'h', length);
		n += length;
		n += (size_t)snprintf(text + n, sizeof(text) - n, ":\nb:x:5:5::/b:\n");
		h = (struct nook_home){ .uid = 5 };
		assert_true(feed(&h, text, n, 4096));
		if (length + 1 < PATH_MAX)
			assert_int_equal(strlen(h.home), length + 1);
		else
			assert_string_equal(h.home, "/b");
	}
}

/* A NUL hides nothing. */
static void test_nul(void **state)
{
	static const char text[] = "a:x:5:5::/a:\0:x\nb:x:6:6::/b:\n";
	static struct nook_home h;

	(void)state;
	h = (struct nook_home){ .uid = 5 };
	assert_false(feed(&h, text, sizeof(text) - 1, 7));
	h = (struct nook_home){ .uid = 6 };
	assert_true(feed(&h, text, sizeof(text) - 1, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
