/* SPDX-License-Identifier: Apache-2.0 */
/* The home directory that the container's own /etc/passwd gives a user. passwd(5) */
#ifndef NOOK_STAGE_HOME_H
#define NOOK_STAGE_HOME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A search through the file, piece by piece: it may be of any size, and nobody allocates here. */
struct nook_home {
	uint32_t uid;            /* whose is looked for */
	char line[2 * PATH_MAX]; /* as much of the present one as fits */
	size_t len;
	bool too_long; /* it does not fit: it names nobody */
	bool found;
	char home[PATH_MAX]; /* once it is found */
};

/* The file's next bytes; @len 0: it ends here. Return: true when no more are needed. */
bool nook_home_feed(struct nook_home *h, const char *text, size_t len);

#endif
