/* SPDX-License-Identifier: Apache-2.0 */
/* Ownership that shows: variables that clean up after themselves, and descriptors that are handed
 * over by name. */
#ifndef NOOK_BASE_OWN_H
#define NOOK_BASE_OWN_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "Not set": 0 is a good descriptor, and -EBADF reads right when it slips through as a return
 * value. */
#define NO_FD (-EBADF)

/* Closes *@fd when it is one, keeps errno, and leaves NO_FD. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		(void)close(*fd); /* EIO on close tells of lost writes; those who write check fsync
				     or the write */
		errno = saved;
	}
	*fd = NO_FD;
}

static inline int move_fd(int *fd)
{
	int moved = *fd;

	*fd = NO_FD;
	return moved;
}

static inline void free_text(char **p)
{
	free(*p);
	*p = NULL;
}

static inline void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d); /* fails only for a bad stream */
	*d = NULL;
}

static inline void close_file(FILE **f)
{
	if (*f)
		(void)fclose(*f); /* for reading; writers call fclose themselves and check it */
	*f = NULL;
}

#define auto_close    __attribute__((cleanup(close_fd)))
#define auto_free     __attribute__((cleanup(free_text)))
#define auto_closedir __attribute__((cleanup(close_dir)))
#define auto_fclose   __attribute__((cleanup(close_file)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
