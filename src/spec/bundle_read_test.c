/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's directory and its config.json, whatever that is. */
#include "bundle.h"

#include "base/own.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct folder {
	char path[64];
};

static void make_folder(struct folder *d)
{
	(void)snprintf(d->path, sizeof(d->path), "/tmp/nook-bundle-XXXXXX");
	assert_non_null(mkdtemp(d->path));
}

static void free_folder(struct folder *d)
{
	char path[128];
	static const char *const names[] = { "config.json", "other.json" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->path, names[i]);
		(void)remove(path); /* not every test makes both */
	}
	(void)rmdir(d->path);
}
#define auto_folder __attribute__((cleanup(free_folder)))

static void write_file(const char *path, const char *text)
{
	auto_fclose FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0, 1);
}

static int read_folder(const struct folder *d, struct nook_arena *a, struct nook_bundle *b,
		       struct nook_error *err)
{
	assert_int_equal(nook_arena_init(a), 0);
	return nook_bundle_read(a, d->path, b, err);
}

static void test_no_file(void **state)
{
	auto_folder struct folder d;
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };
	struct nook_error err = { 0 };

	make_folder(&d);
	assert_int_equal(read_folder(&d, &a, &b, &err), -ENOENT);
	assert_non_null(strstr(err.why, "/config.json: No such file"));
	assert_non_null(strstr(err.hint, "nook-oci spec"));
	assert_int_equal(nook_bundle_read(&a, "", &b, &err), -EINVAL);
}

static void test_symlink(void **state)
{
	auto_folder struct folder d;
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };
	char path[128];

	make_folder(&d);
	(void)snprintf(path, sizeof(path), "%s/other.json", d.path);
	write_file(path, "{\"ociVersion\":\"1.2.0\"}");
	(void)snprintf(path, sizeof(path), "%s/config.json", d.path);
	assert_int_equal(symlink("other.json", path), 0);
	assert_int_equal(read_folder(&d, &a, &b, NULL), 0);
	assert_string_equal(b.oci_version, "1.2.0");
	assert_string_equal(b.dir, d.path);
}

static void test_no_regular_file(void **state)
{
	auto_folder struct folder d;
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };
	struct nook_error err = { 0 };
	char path[128];

	make_folder(&d);
	(void)snprintf(path, sizeof(path), "%s/config.json", d.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_folder(&d, &a, &b, &err), -EINVAL); /* and does not wait */
	assert_non_null(strstr(err.why, "not a regular file"));
}

static void test_large_file(void **state)
{
	auto_folder struct folder d;
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };
	struct nook_error err = { 0 };
	char path[128];

	make_folder(&d);
	(void)snprintf(path, sizeof(path), "%s/config.json", d.path);
	write_file(path, "{");
	assert_int_equal(truncate(path, (16 << 20) + 1), 0);
	assert_int_equal(read_folder(&d, &a, &b, &err), -EFBIG);
}

static void test_bad_file(void **state)
{
	auto_folder struct folder d;
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };
	struct nook_error err = { 0 };
	char path[128];

	make_folder(&d);
	(void)snprintf(path, sizeof(path), "%s/config.json", d.path);
	write_file(path, "{\"ociVersion\":\"1.2.0\",}");
	assert_int_equal(read_folder(&d, &a, &b, &err), -EINVAL);
	assert_string_equal(err.where, path);
	assert_non_null(strstr(err.why, "not JSON at byte"));
}

/* What is said of the directory becomes absolute; ".." stays. */
static void test_directory(void **state)
{
	auto_folder struct folder d;
	char path[128], back[4096], up[128], upped[192];

	make_folder(&d);
	(void)snprintf(path, sizeof(path), "%s/config.json", d.path);
	(void)snprintf(up, sizeof(up), "..//%s/.", d.path + strlen("/tmp/"));
	(void)snprintf(upped, sizeof(upped), "%s/../%s", d.path, d.path + strlen("/tmp/"));
	write_file(path, "{\"ociVersion\":\"1.2.0\"}");
	assert_non_null(getcwd(back, sizeof(back)));
	assert_int_equal(chdir(d.path), 0);

	const char *const cases[][2] = {
		{ ".", d.path },
		{ "./", d.path },
		{ d.path, d.path },
		{ up, upped },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_bundle b = { 0 };
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		if (nook_bundle_read(&a, cases[i][0], &b, &err) < 0)
			fail_msg("%s: %s", cases[i][0], err.why);
		assert_string_equal(b.dir, cases[i][1]);
	}
	assert_int_equal(chdir(back), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_file),         cmocka_unit_test(test_symlink),
		cmocka_unit_test(test_no_regular_file), cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_bad_file),        cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
