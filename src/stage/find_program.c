/* SPDX-License-Identifier: Apache-2.0 */
/* Engines want to hear of a command that isn't there from `create`, not only from `start`: it is
 * looked for inside, as who will execute it. */
#include "stage.h"

#include "path_search.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Could execve(2) begin with it? Return: 0; -ENOENT, -EACCES, … */
static int look(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* 0: found; -EACCES: only such as may not be executed; -ENOENT. */
static int search(const char *name, const char *dirs)
{
	char path[PATH_MAX];
	int found = -ENOENT;

	while (nook_search_next(&dirs, name, path)) {
		int rc = look(path);

		if (rc == 0)
			return 0;
		if (rc == -EACCES)
			found = rc;
	}
	return found;
}

int find_program(void *ctx, struct nook_error *err)
{
	const struct nook_plan_process *p = &((struct nook_stage *)ctx)->plan->process;
	const char *name = p->argv[0], *dirs = nook_search_dirs(p->env);
	bool whole = strchr(name, '/');
	int rc = whole ? look(name) : search(name, dirs);

	if (rc == 0)
		return 0;
	if (rc != -ENOENT && rc != -ENOTDIR)
		return nook_fail(err, -rc, "execve %s", name);
	if (!whole)
		return nook_search_failed(name, dirs, err);
	nook_cause(err, "command-not-found", "the container has no file %s", name);
	return nook_refuse(err, ENOENT, "%s: command not found in the container", name);
}

void find_program_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "is it there?", "faccessat(\"%s\", X_OK)", plan->process.argv[0]);
}
