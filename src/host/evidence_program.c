/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a container's root, looked up from the host when the container is gone. */
#include "evidence.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/openat2.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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

bool nook_evidence_program(const char *const *roots, size_t n_roots, const char *path,
			   struct nook_program *ret, char *place, size_t size)
{
	size_t root = 0;
	auto_close int found = open_in_roots(roots, n_roots, path, &root);

	if (found < 0)
		return false;

	(void)nook_format(place, size, "%s%s%s", strcmp(roots[root], "/") == 0 ? "" : roots[root],
			  *path == '/' ? "" : "/", path); /* cut when long: for people */

	auto_close int fd = reopen(found);

	*ret = (struct nook_program){ .format = NOOK_PROGRAM_UNREADABLE };
	if (fd >= 0)
		nook_program_read(fd, ret);
	return true;
}
