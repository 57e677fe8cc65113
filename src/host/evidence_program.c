/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel would need to execute a file of a container's root. execve(2), elf(5) */
#include "evidence.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/openat2.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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

/* Opens a path below the first root that has it. The roots are hostile: nothing outside of them is
 * reached, and opening a device or a pipe must do nothing, so O_PATH. */
static int open_in_roots(const char *const *roots, size_t n_roots, const char *path,
			 size_t *ret_root)
{
	for (size_t i = 0; i < n_roots; i++) {
		auto_close int root = open(roots[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0)
			continue;

		int fd = nook_openat2(root, path, O_PATH, 0,
				      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

		if (fd >= 0) {
			*ret_root = i;
			return fd;
		}
	}
	return NO_FD;
}

bool nook_evidence_in_roots(const char *const *roots, size_t n_roots, const char *path)
{
	size_t root;
	auto_close int fd = open_in_roots(roots, n_roots, path, &root);

	return fd >= 0;
}

/* Opens for reading what an O_PATH descriptor of a regular file names. */
static int reopen(int fd)
{
	struct stat st;
	char path[32];

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NO_FD;
	(void)nook_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

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

bool nook_evidence_program(const char *const *roots, size_t n_roots, const char *path,
			   struct nook_program *ret)
{
	char head[256];
	size_t root = 0;
	auto_close int found = open_in_roots(roots, n_roots, path, &root);

	if (found < 0)
		return false;

	memset(ret, 0, sizeof(*ret));
	(void)nook_format(ret->path, sizeof(ret->path), "%s%s%s",
			  strcmp(roots[root], "/") == 0 ? "" : roots[root], *path == '/' ? "" : "/",
			  path); /* cut when long: for people */

	auto_close int fd = reopen(found);

	if (fd < 0)
		return true;

	ssize_t n = pread(fd, head, sizeof(head), 0);
	size_t len = n > 0 ? (size_t)n : 0;

	ret->format = NOOK_PROGRAM_UNKNOWN;
	if (len >= 2 && memcmp(head, "#!", 2) == 0)
		read_script(head, len, ret);
	else if (len >= sizeof(Elf32_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0)
		read_elf(fd, head, len, ret);
	return true;
}
