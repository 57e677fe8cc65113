/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON text is read whole or refused, whichever allocation fails. */
#include "json_tree.h"
#include "own.h"
#include "text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#ifndef __SANITIZE_ADDRESS__

/* Ours stand in for the C library's. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static long left = -1; /* allocations until the one that fails; -1: none does */
static bool failed;

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

static void test_no_memory(void **state)
{
	/* And of many members: they need another block, and a longer list. */
	static const char few[] =
		"{\"a\":[1,2,3,4,5,6,7,8,9,[{}],{\"x\":null}],\"b\\n\":\"c\\t\",\"d\":1.5,\"e\":"
		"true,\"f\":18446744073709551615,\"a\":\"again\",\"1\":1,\"2\":2,\"3\":3,\"4\":4,"
		"\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,\"10\":10,\"11\":11,\"12\":12,\"13\":13,"
		"\"LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL"
		"L"
		"LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL"
		"LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL"
		"LLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL"
		"\":[{\"y\":[\"z\"]}]}";
	static char text[sizeof(few) + 20 * 600];
	size_t len = strlen(few) - 1;
	long n = 0, refused = 0;

	memcpy(text, few, len);
	for (int i = 0; i < 600; i++)
		len += nook_format(text + len, sizeof(text) - len, ",\"m%d\":%d", i % 590, i);
	text[len++] = '}';

	for (;; n++) {
		auto_json struct nook_json *json = NULL;
		struct nook_error err = { 0 };

		failed = false;
		left = n;
		int rc = nook_json_parse(text, len, 8, &json, &err);

		left = -1;
		if (rc == 0) /* qsort(3) sorts without memory, too */
			assert_int_equal(nook_json_size(json), 19 + 590);
		if (!failed)
			break;
		if (rc == 0)
			continue;
		refused++;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(err.errnum, ENOMEM);
		assert_null(json);
	}
	assert_in_range(refused, 5, 1000);
}

#else

static void test_no_memory(void **state)
{
	skip(); /* the sanitizer has an allocator of its own */
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
