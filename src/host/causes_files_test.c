/* SPDX-License-Identifier: Apache-2.0 */
/* Causes that lie in files: programs in a root, and paths of the host. */
#include "causes_fixture.h"

/* ---- files of a root ---- */

static const char loader[] = "\x7f"
			     "ELF\2\1\1\0\0\0\0\0\0\0\0\0";

static const struct {
	const char *name;
	int errnum;
	const char *why;
	const char *id;
	const char *cause;
	struct file file; /* in the root */
	mode_t mode;
} programs[] = {
	{ "nothing", ENOENT, "execve /bin/nothing", "command-not-found", "no file", {}, 0 },
	{ "script",
	  ENOENT,
	  "execve /s",
	  "interpreter-missing",
	  "/bin/nosuch",
	  { "root/s", "#!/bin/nosuch -x\n" },
	  0755 },
	{ "script from Windows",
	  ENOENT,
	  "execve /s",
	  "interpreter-missing",
	  "carriage return",
	  { "root/s", "#!/bin/sh\r\n" },
	  0755 },
	{ "no x",
	  EACCES,
	  "execve /s",
	  "not-executable",
	  "execute bit",
	  { "root/s", "#!/s\n" },
	  0644 },
	{ "directory",
	  EACCES,
	  "execve /d",
	  "not-executable",
	  "directory",
	  { "root/d/f", "" },
	  0644 },
	{ "text", ENOEXEC, "execve /s", "unknown-format", "neither", { "root/s", "echo\n" }, 0755 },
	{ "empty", ENOEXEC, "execve /s", "unknown-format", "neither", { "root/s", "" }, 0755 },
	{ "too long", E2BIG, "execve /s", "arguments-too-long", "stack", {}, 0 },
	{ "busy", ETXTBSY, "execve /s", "file-busy", "writing", {}, 0 },
};

static void test_programs(void **state)
{
	char root[64], whole[512];
	const char *roots[] = { root };
	const struct nook_explain_context ctx = {
		.proc = proc, .sys = base, .roots = roots, .n_roots = 1, .new_userns = true
	};

	make_sane();
	(void)nook_format(root, sizeof(root), "%s/root", base);
	put("root/etc/passwd", "", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct nook_error err = { 0 };

		if (programs[i].file.path)
			put(programs[i].file.path, programs[i].file.text, programs[i].mode);
		(void)nook_fail(&err, programs[i].errnum, "%s", programs[i].why);
		nook_explain(&err, &ctx);
		if (programs[i].file.path) {
			(void)nook_format(whole, sizeof(whole), "%s/%s", base,
					  programs[i].file.path);
			assert_int_equal(unlink(whole), 0);
		}
		if (strcmp(err.id, programs[i].id) != 0)
			fail_msg("%s: the cause is \"%s\"", programs[i].name, err.id);
		if (!strstr(err.cause, programs[i].cause) || !err.hint[0])
			fail_msg("%s: %s / %s", programs[i].name, err.cause, err.hint);
	}
}

/* An ELF file of 64 bits for @machine whose loader is @interp. */
static void put_elf(const char *path, unsigned machine, const char *interp)
{
	unsigned char image[64 + 56 + 64] = { 0 };
	char whole[512];

	memcpy(image, loader, 16);
	image[16] = 2; /* ET_EXEC */
	image[18] = (unsigned char)machine;
	image[20] = 1;
	image[32] = 64;  /* e_phoff */
	image[52] = 64;  /* e_ehsize */
	image[54] = 56;  /* e_phentsize */
	image[56] = 1;   /* e_phnum */
	image[64] = 3;   /* PT_INTERP */
	image[72] = 120; /* p_offset */
	image[96] = (unsigned char)(strlen(interp) + 1);
	memcpy(image + 120, interp, strlen(interp));

	put(path, "", 0755);
	(void)nook_format(whole, sizeof(whole), "%s/%s", base, path);
	auto_close int fd = open(whole, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, image, sizeof(image)), (ssize_t)sizeof(image));
}

static void test_elf(void **state)
{
#if defined(__x86_64__)
	const unsigned ours = 62, foreign = 183;
#else
	const unsigned ours = 183, foreign = 62;
#endif
	char root[64];
	const char *roots[] = { root };
	const struct nook_explain_context ctx = { .proc = proc, .roots = roots, .n_roots = 1 };
	struct nook_error err = { 0 };

	(void)nook_format(root, sizeof(root), "%s/root", base);
	put_elf("root/elf", ours, "/lib/ld-nosuch.so.1");
	(void)nook_fail(&err, ENOENT, "execve /elf");
	nook_explain(&err, &ctx);
	assert_string_equal(err.id, "interpreter-missing");
	assert_non_null(strstr(err.cause, "/lib/ld-nosuch.so.1"));

	err = (struct nook_error){ 0 };
	put_elf("root/elf", foreign, "/lib/ld.so");
	(void)nook_fail(&err, ENOEXEC, "execve /elf");
	nook_explain(&err, &ctx);
	assert_string_equal(err.id, "wrong-arch");
}

/* ---- paths of the host ---- */

static const struct {
	const char *name;
	int errnum;
	const char *fmt;
	const char *path; /* below the base */
	const char *id, *cause;
} paths[] = {
	{ "missing", ENOENT, "open_tree %s", "p/none", "source-missing", "p/none is not there." },
	{ "missing above", ENOENT, "open_tree %s", "p/no/such", "source-missing",
	  "p/no is not there, so" },
	{ "with blanks", ENOENT, "open %s", "p/no such", "source-missing", "p/no such is" },
	{ "as an argument", ENOENT, "statx(%s, 0x1)", "p/none", "source-missing",
	  "p/none is not there." },
	{ "file on the way", ENOTDIR, "open_tree %s", "p/file/x", "type-mismatch",
	  "p/file is no directory" },
	{ "there", ENOENT, "open_tree %s", "p/file", "", "" },
	{ "inside", ENOENT, "openat2 %s in the container's root", "p/none", "", "" },
	{ "link", ELOOP, "openat2 %s in the container's root", "p/link/x", "symlink-in-target",
	  "is a symbolic link to /nowhere" },
	{ "no mapped ids", EINVAL, "mount_setattr(%s, MOUNT_ATTR_IDMAP)", "p/file", "no-idmap",
	  "p/file lies on" },
	{ "read-only", EROFS, "mkdirat %s", "p/x", "read-only", "p/x is on" },
};

static void test_paths(void **state)
{
	const struct nook_explain_context ctx = { .proc = proc, .sys = base, .new_userns = true };
	char link[512];

	make_sane();
	put("p/file", "", 0644);
	(void)nook_format(link, sizeof(link), "%s/p/link", base);
	assert_int_equal(symlink("/nowhere", link), 0);

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct nook_error err = { 0 };
		char whole[512], call[600];

		(void)nook_format(whole, sizeof(whole), "%s/%s", base, paths[i].path);
		(void)nook_format(call, sizeof(call), paths[i].fmt, whole);
		nook_where(&err, "--volume x:/y");
		(void)nook_fail(&err, paths[i].errnum, "%s", call);
		nook_explain(&err, &ctx);
		if (strcmp(err.id, paths[i].id) != 0 || !strstr(err.cause, paths[i].cause))
			fail_msg("%s: %s, %s", paths[i].name, err.id, err.cause);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, make_base, drop_base);
}
