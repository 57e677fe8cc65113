/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "text.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#define OUR_OTHER   EM_386 /* runs here too */
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#define OUR_OTHER   EM_ARM
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#define OUR_OTHER   EM_RISCV
#elif defined(__s390x__)
#define OUR_MACHINE EM_S390
#define OUR_OTHER   EM_S390
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#define OUR_OTHER   EM_PPC64
#elif defined(__loongarch__)
#define OUR_MACHINE 258 /* EM_LOONGARCH */
#define OUR_OTHER   258
#else
#error "say here what e_machine this machine's programs have"
#endif

/* The kernel reads the first 256 bytes: the name ends at a blank or at the end of the line. */
static void read_script(const char *head, size_t len, struct nook_program *p)
{
	size_t at = 2;

	p->format = NOOK_PROGRAM_SCRIPT;
	while (at < len && (head[at] == ' ' || head[at] == '\t'))
		at++;

	size_t end = at;

	while (end < len && head[end] && !strchr(" \t\n", head[end]))
		end++;
	(void)nook_format(p->interpreter, sizeof(p->interpreter), "%.*s", (int)(end - at),
			  head + at); /* 256 bytes hold it */
	p->carriage_return = end > at && head[end - 1] == '\r';
}

/* Copies the PT_INTERP text of a program header that was found. */
static void read_interp(int fd, uint64_t offset, uint64_t size, struct nook_program *p)
{
	if (size < 2 || size > sizeof(p->interpreter) || offset > INT64_MAX)
		return;

	ssize_t n = pread(fd, p->interpreter, (size_t)size, (off_t)offset);

	p->interpreter[n == (ssize_t)size ? size - 1 : 0] = '\0';
}

static void read_elf64(int fd, const Elf64_Ehdr *h, struct nook_program *p)
{
	for (unsigned i = 0; i < h->e_phnum && i < 128; i++) {
		Elf64_Phdr ph;

		if (h->e_phoff > INT64_MAX / 2 ||
		    pread(fd, &ph, sizeof(ph), (off_t)(h->e_phoff + i * sizeof(ph))) != sizeof(ph))
			return;
		if (ph.p_type == PT_INTERP) {
			read_interp(fd, ph.p_offset, ph.p_filesz, p);
			return;
		}
	}
}

static void read_elf32(int fd, const Elf32_Ehdr *h, struct nook_program *p)
{
	for (unsigned i = 0; i < h->e_phnum && i < 128; i++) {
		Elf32_Phdr ph;

		if (pread(fd, &ph, sizeof(ph), (off_t)h->e_phoff + (off_t)(i * sizeof(ph))) !=
		    sizeof(ph))
			return;
		if (ph.p_type == PT_INTERP) {
			read_interp(fd, ph.p_offset, ph.p_filesz, p);
			return;
		}
	}
}

static void read_elf(int fd, const char *head, size_t len, struct nook_program *p)
{
	Elf64_Ehdr h = { 0 };

	memcpy(&h, head, len < sizeof(h) ? len : sizeof(h));
	p->format = NOOK_PROGRAM_ELF;
	p->machine = h.e_machine; /* the same place in both classes */

	/* The other byte order reads as another number: foreign too, which is right. */
	if (h.e_machine != OUR_MACHINE && h.e_machine != OUR_OTHER) {
		p->format = NOOK_PROGRAM_FOREIGN;
	} else if (h.e_ident[EI_CLASS] == ELFCLASS64) {
		if (h.e_phentsize == sizeof(Elf64_Phdr))
			read_elf64(fd, &h, p);
	} else {
		Elf32_Ehdr h32;

		memcpy(&h32, &h, sizeof(h32));
		if (h32.e_phentsize == sizeof(Elf32_Phdr))
			read_elf32(fd, &h32, p);
	}
}

void nook_program_read(int fd, struct nook_program *ret)
{
	char head[256];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	size_t len = n > 0 ? (size_t)n : 0;

	*ret = (struct nook_program){ .format = NOOK_PROGRAM_UNREADABLE };
	if (n < 0)
		return;

	ret->format = NOOK_PROGRAM_UNKNOWN;
	if (len >= 2 && memcmp(head, "#!", 2) == 0)
		read_script(head, len, ret);
	else if (len >= sizeof(Elf32_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0)
		read_elf(fd, head, len, ret);
}
