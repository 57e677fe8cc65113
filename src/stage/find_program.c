/* SPDX-License-Identifier: Apache-2.0 */
/* Engines want to hear of a command that isn't there from `create`, not only from `start`: it is
 * looked for inside, as who will execute it. */
#include "stage.h"

#include "base/text.h"

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

static const char *search_path(const struct nook_plan_process *p)
{
	const char *dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

	for (const char *const *e = p->env; *e; e++) {
		const char *value = nook_after(*e, "PATH=");

		if (value)
			dirs = value;
	}
	return dirs;
}

/* 0: found; -EACCES: only such as may not be executed; -ENOENT. */
static int search(const char *name, const char *dirs)
{
	int found = -ENOENT;

	for (const char *d = dirs;; d++) {
		size_t len = strcspn(d, ":");
		char path[PATH_MAX];

		if (nook_format(path, sizeof(path), "%.*s%s%s", (int)len, d, len ? "/" : "", name) +
			    1 <
		    sizeof(path)) {
			int rc = look(path);

			if (rc == 0)
				return 0;
			if (rc == -EACCES)
				found = rc;
		}
		d += len;
		if (!*d)
			return found;
	}
}

int find_program(void *ctx, struct nook_error *err)
{
	const struct nook_plan_process *p = &((struct nook_stage *)ctx)->plan->process;
	const char *name = p->argv[0], *dirs = search_path(p);
	bool whole = strchr(name, '/');
	int rc = whole ? look(name) : search(name, dirs);

	if (rc == 0)
		return 0;
	if (rc != -ENOENT && rc != -ENOTDIR)
		return nook_fail(err, -rc, "execve %s", name);
	if (whole)
		nook_cause(err, "command-not-found", "the container has no file %s", name);
	else
		nook_cause(err, "command-not-found",
			   "no directory of PATH (%s) has %s inside the container", dirs, name);
	return nook_refuse(err, ENOENT, "%s: command not found in the container", name);
}

void find_program_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "is it there?", "faccessat(\"%s\", X_OK)", plan->process.argv[0]);
}
