/* SPDX-License-Identifier: Apache-2.0 */
#include "seal_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/call.h"
#include "sys/process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ours, where we are a static program at fixed addresses; the linker defines it. */
extern const Elf64_Ehdr own_header __asm__("__ehdr_start") __attribute__((weak));

struct span {
	char *begin;
	size_t len;
};

#define PAGE 4096UL

/* The pages that a part of the file is mapped to. */
static struct span span_of(const Elf64_Phdr *p)
{
	uintptr_t begin = p->p_vaddr & ~(PAGE - 1), end = p->p_vaddr + p->p_filesz;

	/* What is to be read only must not take what follows it along. */
	if (p->p_type != PT_GNU_RELRO)
		end += PAGE - 1;
	return (struct span){ (char *)begin, (end & ~(PAGE - 1)) - begin };
}

/* What we write to has to keep what we wrote: it becomes memory of no file. */
static int unbind_data(struct span s)
{
	char *copy = mmap(NULL, s.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;

	/* Between these two nothing may be written to it, so that neither is a NOOK_CALL(). */
	memcpy(copy, s.begin, s.len);
	if (mremap(copy, s.len, s.len, MREMAP_MAYMOVE | MREMAP_FIXED, s.begin) == MAP_FAILED) {
		int saved = errno;

		(void)munmap(copy, s.len); /* it is not used */
		return -saved;
	}
	return 0;
}

/* Maps all that is mapped of our file from @fd, which is the same file. */
static int map_from(int fd, const Elf64_Ehdr *h)
{
	const Elf64_Phdr *parts = (const Elf64_Phdr *)((const char *)h + h->e_phoff);

	for (unsigned i = 0; i < h->e_phnum; i++) {
		const Elf64_Phdr *p = &parts[i];
		struct span s = span_of(p);
		int rc = 0;

		if (p->p_type == PT_GNU_RELRO)
			rc = mprotect(s.begin, s.len, PROT_READ) < 0 ? -errno : 0;
		else if (p->p_type == PT_LOAD && p->p_flags & PF_W)
			rc = unbind_data(s);
		else if (p->p_type == PT_LOAD &&
			 mmap(s.begin, s.len, PROT_READ | (p->p_flags & PF_X ? PROT_EXEC : 0),
			      MAP_PRIVATE | MAP_FIXED, fd,
			      (off_t)(p->p_offset & ~(PAGE - 1))) == MAP_FAILED)
			rc = -errno;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static unsigned long end_of_words(char **words)
{
	const char *last = words[0];

	while (*words)
		last = *words++;
	return (unsigned long)(uintptr_t)(last + strlen(last) + 1);
}

/* What the kernel keeps of where our parts are, as it is; it takes no less together with a file. */
static int set_exe_by_map(const struct nook_self *self, int fd, const Elf64_Ehdr *h)
{
	const Elf64_Phdr *parts = (const Elf64_Phdr *)((const char *)h + h->e_phoff);
	struct prctl_mm_map map = {
		.start_brk = self->brk,
		.brk = (unsigned long)(uintptr_t)sbrk(0),
		.start_stack = (unsigned long)(uintptr_t)(self->argv - 1), /* of argc */
		.arg_start = (unsigned long)(uintptr_t)self->argv[0],
		.arg_end = end_of_words(self->argv),
		.exe_fd = (uint32_t)fd,
	};

	map.env_start = map.arg_end;
	map.env_end = self->env_then[0] ? end_of_words(self->env_then) : map.arg_end;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		const Elf64_Phdr *p = &parts[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
			map.start_code = p->p_vaddr;
			map.end_code = p->p_vaddr + p->p_filesz;
		} else if (p->p_type == PT_LOAD && p->p_flags & PF_W) {
			map.start_data = p->p_vaddr;
			map.end_data = p->p_vaddr + p->p_filesz;
		}
	}
	return (int)NOOK_CALL(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);
}

/* Takes CAP_SYS_RESOURCE in the machine's user namespace; or CAP_SYS_ADMIN in ours, and a kernel
 * that CRIU can be used with. */
static int set_exe(const struct nook_self *self, int fd, const Elf64_Ehdr *h)
{
	int rc = nook_prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, (unsigned long)fd);

	return rc == -EPERM ? set_exe_by_map(self, fd, h) : rc;
}

static int open_mounted(int mount, int exe)
{
	char path[40];
	struct stat ours, theirs;

	(void)nook_format(path, sizeof(path), "/proc/self/fd/%d", mount); /* fits */

	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || fstat(fd, &theirs) < 0 || fstat(exe, &ours) < 0)
		return -errno;
	return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino ? move_fd(&fd) : -EXDEV;
}

int nook_seal_switch(const struct nook_self *self, int mount, int exe)
{
	const Elf64_Ehdr *h = &own_header;

	if (!h || h->e_type != ET_EXEC)
		return -ENOTSUP;

	auto_close int fd = open_mounted(mount, exe);

	if (fd < 0)
		return fd;
	/* Refused as long as anything is mapped from where we came from: by that we know that we
	 * may ask. */
	if (set_exe(self, fd, h) != -EBUSY)
		return -EPERM;

	int rc = map_from(fd, h);

	if (rc == 0)
		rc = set_exe(self, fd, h);
	if (rc < 0)
		return rc;

	auto_close int now = open(NOOK_SELF, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return now >= 0 && nook_seal_is_protected(now) == 1 ? 0 : -EPERM;
}
