/* SPDX-License-Identifier: Apache-2.0 */
#include "path_search.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

const char *nook_search_dirs(const char *const *env)
{
	const char *dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

	for (; *env; env++) {
		const char *value = nook_after(*env, "PATH=");

		if (value)
			dirs = value;
	}
	return dirs;
}

bool nook_search_next(const char **at, const char *name, char path[PATH_MAX])
{
	while (*at) {
		const char *dir = *at;
		size_t len = strcspn(dir, ":");

		/* An empty one is the working directory, as execvp(3) has it. */
		size_t n = nook_format(path, PATH_MAX, "%.*s%s%s", (int)len, dir, len ? "/" : "",
				       name);

		*at = dir[len] ? dir + len + 1 : NULL;
		if (n + 1 < PATH_MAX)
			return true;
	}
	return false;
}

int nook_search_failed(const char *name, const char *dirs, struct nook_error *err)
{
	nook_cause(err, "command-not-found",
		   "no directory of PATH (%s) has %s inside the container", dirs, name);
	nook_hint(err, "check the spelling, or give its whole path");
	return nook_refuse(err, ENOENT, "%s: command not found in the container", name);
}
