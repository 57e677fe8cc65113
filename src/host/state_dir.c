/* SPDX-License-Identifier: Apache-2.0 */
#include "state_dir.h"

#include "base/own.h"
#include "base/text.h"
#include "nook/container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
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

/* @name in XDG_RUNTIME_DIR, else /tmp/NAME-UID. */
static int below_runtime_dir(const char *name, const char **ret, struct nook_error *err)
{
	static char dir[PATH_MAX];
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	size_t len = runtime ? strlen(runtime) : 0;

	/* lstat(2) follows a symlink that a slash comes after. */
	while (len > 1 && runtime[len - 1] == '/')
		len--;
	if (len + strlen(name) + sizeof("//containers/") + NAME_MAX >= sizeof(dir)) {
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
		(void)nook_format(dir + len, sizeof(dir) - len, "/%s", name); /* checked above */
	else
		(void)nook_format(dir, sizeof(dir), "/tmp/%s-%u", name, geteuid()); /* it fits */
	*ret = dir;
	return 0;
}

/* Of one who has become root in a user namespace of its own, where /run is not its. */
static const char *staying;

void nook_state_dir_stays(const char *dir)
{
	staying = dir;
}

int nook_state_dir(const char **ret, struct nook_error *err)
{
	if (staying) {
		*ret = staying;
		return 0;
	}
	if (geteuid() != 0)
		return below_runtime_dir("nook", ret, err);
	*ret = "/run/nook";
	return 0;
}

/* Only there the map is one line, of all ids to themselves. user_namespaces(7) */
int nook_in_first_userns(bool *ret, struct nook_error *err)
{
	char text[64];
	auto_close int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return nook_fail(err, errno, "read /proc/self/uid_map");
	text[n] = '\0';

	char *at = text;
	unsigned long inside = strtoul(at, &at, 10), outside = strtoul(at, &at, 10);

	*ret = inside == 0 && outside == 0 && strtoul(at, NULL, 10) == UINT32_MAX;
	return 0;
}

int nook_oci_state_dir(const char **ret, struct nook_error *err)
{
	bool first = false;
	int rc = geteuid() == 0 ? nook_in_first_userns(&first, err) : 0;

	if (rc < 0)
		return rc;
	if (!first)
		return below_runtime_dir("nook-oci", ret, err);
	*ret = "/run/nook-oci";
	return 0;
}
