/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/container.h"

#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * XDG_RUNTIME_DIR is there after a login, and stays behind in the environment of `su` and `sudo`,
 * where it is another user's: then it is not ours to use, and no mistake of the caller. One that
 * others may write to isn't either: they could exchange what we put there.
 */
static int is_ours(const char *dir, bool *ret, struct nook_error *err)
{
	struct stat st;

	*ret = false;
	if (dir[0] != '/')
		return 0;
	if (lstat(dir, &st) == 0) {
		*ret = S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
		return 0;
	}
	/* What is out of reach is not ours. But a failure that passes must not send us elsewhere,
	 * where later commands don't look. */
	if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP)
		return 0;
	return nook_fail(err, errno, "lstat XDG_RUNTIME_DIR, %s", dir);
}

int nook_state_dir(const char **ret, struct nook_error *err)
{
	static char dir[PATH_MAX];
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	size_t len = runtime ? strlen(runtime) : 0;

	if (geteuid() == 0) {
		*ret = "/run/nook";
		return 0;
	}

	/* lstat(2) follows a symlink that a slash comes after. */
	while (len > 1 && runtime[len - 1] == '/')
		len--;
	if (len + sizeof("/nook/containers/") + NAME_MAX >= sizeof(dir)) {
		nook_where(err, "XDG_RUNTIME_DIR");
		return nook_refuse(err, ENAMETOOLONG,
				   "the path is too long to keep anything there");
	}
	(void)nook_format(dir, sizeof(dir), "%.*s", (int)len,
			  runtime ? runtime : ""); /* checked above */

	bool ours;
	int rc = is_ours(dir, &ours, err);

	if (rc < 0)
		return rc;
	if (ours)
		(void)nook_format(dir + len, sizeof(dir) - len, "/nook"); /* checked above */
	else
		(void)nook_format(dir, sizeof(dir), "/tmp/nook-%u", geteuid()); /* it fits */
	*ret = dir;
	return 0;
}
