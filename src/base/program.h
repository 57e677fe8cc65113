/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel would need to execute a file: for saying why it did not. execve(2), elf(5) */
#ifndef NOOK_BASE_PROGRAM_H
#define NOOK_BASE_PROGRAM_H

#include <stdbool.h>

enum nook_program_format {
	NOOK_PROGRAM_UNREADABLE,
	NOOK_PROGRAM_SCRIPT,
	NOOK_PROGRAM_ELF,
	NOOK_PROGRAM_FOREIGN, /* ELF for another machine */
	NOOK_PROGRAM_UNKNOWN,
};

struct nook_program {
	enum nook_program_format format;
	char interpreter[256]; /* "" when it needs none */
	bool carriage_return;  /* the #! line ends in one, which belongs to the name */
	unsigned machine;      /* ELF's e_machine */
};

/* Reads the head of a regular file. The file is hostile: bounded, no allocation. */
void nook_program_read(int fd, struct nook_program *ret);

#endif
