/* SPDX-License-Identifier: Apache-2.0 */
#include "trim.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define PAGE ((uintptr_t)4096)

void nook_trim(void)
{
	const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t n = getauxval(AT_PHNUM);
	uintptr_t base = 0;

	if (!headers || getauxval(AT_PAGESZ) != PAGE)
		return;

	/* Where a position-independent program lies; the static one has no such header, and no
	 * need. */
	for (size_t i = 0; i < n; i++) {
		if (headers[i].p_type == PT_PHDR)
			base = (uintptr_t)headers - headers[i].p_vaddr;
	}

	for (size_t i = 0; i < n; i++) {
		const ElfW(Phdr) *h = &headers[i];

		/* A writable segment may hold what is nowhere else: relocations. */
		if (h->p_type != PT_LOAD || (h->p_flags & PF_W))
			continue;

		uintptr_t first = (base + h->p_vaddr) & ~(PAGE - 1);
		uintptr_t end = (base + h->p_vaddr + h->p_memsz + PAGE - 1) & ~(PAGE - 1);

		(void)madvise((void *)first, end - first, MADV_DONTNEED); /* see the header */
	}
}
