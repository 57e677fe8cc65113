/* SPDX-License-Identifier: Apache-2.0 */
/* Which root's files name the user: a directory, or the uppermost layer that has them; and files
 * that are traps. */
#include "accounts.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static char base[] = "/tmp/nook-accounts-test-XXXXXX";
static int base_fd = NO_FD;

static const char *const dirs[] = {
	"low",
	"low/etc",
	"high",
	"high/etc",
	"bare",
	"changes",
	"changes/upper-0",
	"fifo",
	"fifo/etc",
	"link",
	"link/etc",
	"big",
	"big/etc",
	"nul",
	"nul/etc",
	"dir",
	"dir/etc",
	"dir/etc/passwd",
	"etclink",
	"etclink/real",
	"opaque",
	"opaque/etc",
	"whiteout",
	"whiteout/etc",
	"changed",
	"changed/upper-0",
	"changed/upper-0/etc",
	"fresh",
};

static void write_file(const char *path, const char *text, size_t len)
{
	auto_close int fd = openat(base_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_int_equal(write(fd, text, len), len);
}

static int make_roots(void **state)
{
	assert_non_null(mkdtemp(base));
	base_fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdirat(base_fd, dirs[i], 0755), 0);

#define USER(uid, home) "app:x:" uid ":" uid "::" home ":/bin/sh\n"
	write_file("low/etc/passwd", USER("10", "/low"), sizeof(USER("10", "/low")) - 1);
	write_file("low/etc/group", "g:x:5:app\n", 10);
	write_file("high/etc/passwd", USER("20", "/high"), sizeof(USER("20", "/high")) - 1);
	write_file("etclink/real/passwd", USER("30", "/r"), sizeof(USER("30", "/r")) - 1);
	write_file("changed/upper-0/etc/passwd", USER("40", "/c"), sizeof(USER("40", "/c")) - 1);
	write_file("nul/etc/passwd", USER("50", "/n") "\0x", sizeof(USER("50", "/n")) + 1);
	write_file("big/etc/passwd", "", 0);
	assert_int_equal(symlinkat("/real", base_fd, "etclink/etc"), 0);
	assert_int_equal(symlinkat("../../low/etc/passwd", base_fd, "link/etc/passwd"), 0);
	assert_int_equal(mkfifoat(base_fd, "fifo/etc/passwd", 0644), 0);

	auto_close int big = openat(base_fd, "big/etc/passwd", O_WRONLY);

	return ftruncate(big, (4 << 20) + 1);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int remove_roots(void **state)
{
	close_fd(&base_fd);
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

struct world {
	struct nook_arena arena;
	struct nook_spec spec;
	struct nook_host host;
	struct nook_error err;
};

static const char *in_base(struct world *w, const char *name)
{
	return nook_printf(&w->arena, "%s/%s", base, name);
}

static int run(struct world *w, const char *user, const char *dir, const char *const *layers,
	       const char *changes)
{
	struct nook_prober p = { .arena = &w->arena,
				 .spec = &w->spec,
				 .host = &w->host,
				 .err = &w->err,
				 .root = NO_FD };
	struct nook_root_spec *root = &w->spec.root;

	assert_int_equal(nook_arena_init(&w->arena), 0);
	w->spec.user = user;
	w->spec.user_from = "--user X";
	root->kind = dir ? NOOK_ROOT_DIR : NOOK_ROOT_LAYERS;
	if (dir)
		root->dir = (struct nook_path_spec){ in_base(w, dir), "--root X" };
	for (size_t i = 0; layers && i < 3 && layers[i]; i++)
		*nook_append(&w->arena, root->layers, root->n_layers) =
			(struct nook_path_spec){ in_base(w, layers[i]), "--layer X" };
	if (changes)
		root->changes = (struct nook_path_spec){ in_base(w, changes), "--changes X" };
	return nook_accounts_probe(&p);
}

static const struct {
	const char *name, *user, *dir, *layers[3], *changes;
	int result;
	bool known;
	uint32_t uid;
	const char *text; /* home, or part of the error */
} cases[] = {
	{ "a directory", "app", "low", {}, NULL, 0, true, 10, "/low" },
	{ "a directory without etc", "5", "bare", {}, NULL, 0, false, 5, "/" },
	{ "the upper of two layers", "app", NULL, { "low", "high" }, NULL, 0, true, 20, "/high" },
	{ "the order decides", "app", NULL, { "high", "low" }, NULL, 0, true, 10, "/low" },
	{ "a layer without etc", "app", NULL, { "low", "bare" }, NULL, 0, true, 10, "/low" },
	{ "changes come first", "app", NULL, { "low" }, "changed", 0, true, 40, "/c" },
	{ "changes without the file", "app", NULL, { "low" }, "changes", 0, true, 10, "/low" },
	{ "changes that aren't made yet", "app", NULL, { "low" }, "fresh", 0, true, 10, "/low" },
	{ "etc is a symlink inside", "app", "etclink", {}, NULL, 0, true, 30, "/r" },

	{ "no such user", "app", "bare", {}, NULL, -EINVAL, .text = "no user \"app\"" },
	{ "no such root", "app", "nope", {}, NULL, -ENOENT, .text = "/nope" },
	{ "no such layer", "5", NULL, { "nope" }, NULL, -ENOENT, .text = "/nope" },
	{ "a fifo", "app", "fifo", {}, NULL, -ENXIO, .text = "not a regular file" },
	{ "a directory in its place", "app", "dir", {}, NULL, -ENXIO, .text = "not a regular" },
	{ "a symlink", "app", "link", {}, NULL, -ELOOP, .text = "a symlink" },
	{ "too large", "app", "big", {}, NULL, -EFBIG, .text = "larger than 4 MiB" },
	{ "a NUL in it", "app", "nul", {}, NULL, -EINVAL, .text = "not text" },
	{ "a symlink in a layer ends the search",
	  "app",
	  NULL,
	  { "low", "link" },
	  NULL,
	  -ELOOP,
	  .text = "a symlink" },
	{ "a number needs none of them", "10", "link", {}, NULL, 0, false, 10, "/" },
	{ "nor does root", NULL, "fifo", {}, NULL, 0, false, 0, "/" },
};

static void test_roots(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(
			run(&w, cases[i].user, cases[i].dir, cases[i].layers, cases[i].changes),
			cases[i].result);
		if (cases[i].result < 0) {
			assert_non_null(strstr(w.err.why, cases[i].text));
			assert_string_not_equal(w.err.where, "");
		} else {
			assert_int_equal(w.host.account.known, cases[i].known);
			assert_int_equal(w.host.account.uid, cases[i].uid);
			assert_string_equal(w.host.account.home, cases[i].text);
		}
		nook_arena_free(&w.arena);
	}
}

/* What overlayfs would not show doesn't name anyone either. */
static void test_deleted_in_an_upper_layer(void **state)
{
	static const char *const opaque[] = { "low", "opaque", NULL };
	static const char *const whiteout[] = { "low", "whiteout", NULL };
	struct world w = { 0 }, v = { 0 };
	auto_close int etc = openat(base_fd, "opaque/etc", O_RDONLY | O_DIRECTORY);

	if (mknodat(base_fd, "whiteout/etc/passwd", S_IFCHR, makedev(0, 0)) < 0 ||
	    (fsetxattr(etc, "trusted.overlay.opaque", "y", 1, 0) < 0 &&
	     fsetxattr(etc, "user.overlay.opaque", "y", 1, 0) < 0))
		skip();

	assert_int_equal(run(&w, "app", NULL, opaque, NULL), -EINVAL);
	assert_non_null(strstr(w.err.why, "no user"));
	nook_arena_free(&w.arena);

	assert_int_equal(run(&v, "app", NULL, whiteout, NULL), -EINVAL);
	assert_non_null(strstr(v.err.why, "no user"));
	nook_arena_free(&v.arena);
}

static void test_names_in_a_joined_mount_namespace(void **state)
{
	struct world w = { .spec.ns[NOOK_NS_MNT].mode = NOOK_NS_JOIN };
	struct world v = { .spec.ns[NOOK_NS_MNT].mode = NOOK_NS_JOIN };

	assert_int_equal(run(&w, "app", "low", NULL, NULL), -EINVAL);
	assert_non_null(strstr(w.err.why, "joined"));
	nook_arena_free(&w.arena);

	assert_int_equal(run(&v, "10:7", "low", NULL, NULL), 0);
	assert_int_equal(v.host.account.uid, 10);
	assert_int_equal(v.host.account.gid, 7);
	nook_arena_free(&v.arena);
}

/* With a command and a HOME nobody needs to know root's. */
static void test_nothing_is_read_unasked(void **state)
{
	static const char *argv[] = { "true", NULL };
	static const char *env[] = { "HOME=/x" };
	struct world w = { .spec = { .argv = argv, .env = env, .n_env = 1 } };

	assert_int_equal(run(&w, NULL, "nope", NULL, NULL), 0);
	assert_false(w.host.account.known);
	nook_arena_free(&w.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_deleted_in_an_upper_layer),
		cmocka_unit_test(test_names_in_a_joined_mount_namespace),
		cmocka_unit_test(test_nothing_is_read_unasked),
	};

	return cmocka_run_group_tests(tests, make_roots, remove_roots);
}
