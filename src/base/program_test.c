/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "own.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#if defined(__x86_64__)
#define OURS    EM_X86_64
#define FOREIGN EM_AARCH64
#else
#define OURS    EM_AARCH64
#define FOREIGN EM_X86_64
#endif

static void read_bytes(const void *data, size_t len, struct nook_program *ret)
{
	auto_close int fd = memfd_create("program", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	nook_program_read(fd, ret);
}

static const struct {
	const char *name, *text;
	enum nook_program_format format;
	const char *interpreter;
	bool carriage_return;
} scripts[] = {
	{ "plain", "#!/bin/sh\n", NOOK_PROGRAM_SCRIPT, "/bin/sh", false },
	{ "blanks and an argument", "#! \t/bin/sh -x\n", NOOK_PROGRAM_SCRIPT, "/bin/sh", false },
	{ "no end of the line", "#!/bin/sh", NOOK_PROGRAM_SCRIPT, "/bin/sh", false },
	{ "carriage return", "#!/bin/sh\r\n", NOOK_PROGRAM_SCRIPT, "/bin/sh\r", true },
	{ "one behind an argument", "#!/bin/sh -x\r\n", NOOK_PROGRAM_SCRIPT, "/bin/sh", false },
	{ "no name", "#!\n", NOOK_PROGRAM_SCRIPT, "", false },
	{ "nothing behind", "#!", NOOK_PROGRAM_SCRIPT, "", false },
	{ "text", "echo\n", NOOK_PROGRAM_UNKNOWN, "", false },
	{ "empty", "", NOOK_PROGRAM_UNKNOWN, "", false },
	{ "one byte", "#", NOOK_PROGRAM_UNKNOWN, "", false },
	{ "ELF's first bytes",
	  "\x7f"
	  "ELF\2\1\1",
	  NOOK_PROGRAM_UNKNOWN, "", false },
};

static void test_scripts(void **state)
{
	struct nook_program p;

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		read_bytes(scripts[i].text, strlen(scripts[i].text), &p);
		if (p.format != scripts[i].format ||
		    strcmp(p.interpreter, scripts[i].interpreter) != 0 ||
		    p.carriage_return != scripts[i].carriage_return)
			fail_msg("%s: %d, %s", scripts[i].name, p.format, p.interpreter);
	}
}

/* The name fills what the kernel reads. */
static void test_a_long_name(void **state)
{
	struct nook_program p;
	char text[600];

	memset(text, 'a', sizeof(text));
	memcpy(text, "#!/", 3);
	read_bytes(text, sizeof(text), &p);
	assert_int_equal(p.format, NOOK_PROGRAM_SCRIPT);
	assert_int_equal(strlen(p.interpreter), 254);
}

struct image {
	Elf64_Ehdr head;
	Elf64_Phdr ph[2];
	char interp[32];
};

static const struct image good = {
	.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
		  .e_machine = OURS,
		  .e_phoff = offsetof(struct image, ph),
		  .e_phentsize = sizeof(Elf64_Phdr),
		  .e_phnum = 2 },
	.ph = { { .p_type = PT_LOAD },
		{ .p_type = PT_INTERP,
		  .p_offset = offsetof(struct image, interp),
		  .p_filesz = sizeof("/lib/ld.so") } },
	.interp = "/lib/ld.so",
};

/* What the file says of itself may be anything. */
static void test_elf(void **state)
{
	struct nook_program p;
	struct image i = good;

	read_bytes(&i, sizeof(i), &p);
	assert_int_equal(p.format, NOOK_PROGRAM_ELF);
	assert_string_equal(p.interpreter, "/lib/ld.so");

	i.head.e_machine = FOREIGN;
	read_bytes(&i, sizeof(i), &p);
	assert_int_equal(p.format, NOOK_PROGRAM_FOREIGN);
	assert_int_equal(p.machine, FOREIGN);

	i = good;
	i.ph[1].p_filesz = UINT64_MAX;
	read_bytes(&i, sizeof(i), &p);
	assert_string_equal(p.interpreter, "");

	i = good;
	i.ph[1].p_offset = UINT64_MAX;
	read_bytes(&i, sizeof(i), &p);
	assert_string_equal(p.interpreter, "");

	i = good;
	i.ph[1].p_offset = sizeof(i) - 3; /* past the end */
	read_bytes(&i, sizeof(i), &p);
	assert_string_equal(p.interpreter, "");

	i = good;
	i.head.e_phoff = UINT64_MAX - 8;
	i.head.e_phnum = UINT16_MAX;
	read_bytes(&i, sizeof(i), &p);
	assert_int_equal(p.format, NOOK_PROGRAM_ELF);
	assert_string_equal(p.interpreter, "");

	i = good;
	i.head.e_phentsize = 1;
	read_bytes(&i, sizeof(i), &p);
	assert_string_equal(p.interpreter, "");

	/* No NUL at the end of the name. */
	i = good;
	i.ph[1].p_filesz = 4;
	read_bytes(&i, sizeof(i), &p);
	assert_string_equal(p.interpreter, "/li");
}

static void test_elf_cut_short(void **state)
{
	struct nook_program p;

	for (size_t len = 0; len < sizeof(good); len++) {
		read_bytes(&good, len, &p);
		assert_true(strnlen(p.interpreter, sizeof(p.interpreter)) < sizeof(p.interpreter));
	}
}

static void test_no_descriptor(void **state)
{
	struct nook_program p;

	nook_program_read(NO_FD, &p);
	assert_int_equal(p.format, NOOK_PROGRAM_UNREADABLE);
	assert_string_equal(p.interpreter, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),       cmocka_unit_test(test_a_long_name),
		cmocka_unit_test(test_elf),           cmocka_unit_test(test_elf_cut_short),
		cmocka_unit_test(test_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
