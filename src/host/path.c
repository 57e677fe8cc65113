/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <stddef.h>
#include <string.h>

bool nook_path_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len == 1 && dir[0] == '/')
		return path[0] == '/';
	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int rank(char c)
{
	if (c == '\0')
		return 0;
	return c == '/' ? 1 : (unsigned char)c + 1;
}

int nook_path_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank(*a) - rank(*b);
}

bool nook_path_is_plain(const char *path)
{
	if (path[0] != '/')
		return false;

	for (const char *at = path; *at && at[1];) {
		const char *part = at + 1;
		size_t len = strcspn(part, "/");

		if (len == 0 || (len == 1 && part[0] == '.') ||
		    (len == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		at = part + len;
		if (at[0] == '/' && !at[1])
			return false;
	}
	return true;
}

const char *nook_path_below_root(const char *path)
{
	path += strspn(path, "/");
	return *path ? path : ".";
}
