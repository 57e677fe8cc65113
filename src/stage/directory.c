/* SPDX-License-Identifier: Apache-2.0 */
/* The program's working directory. */
#include "stage.h"

#include "base/own.h"
#include "sys/openat2.h"
#include "sys/path.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static bool refused(int rc)
{
	return rc == -EACCES || rc == -EPERM;
}

/* Images name directories that nobody has made. Before the root becomes read-only. */
int make_directory(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;
	struct nook_error why = { 0 };
	auto_close int fd = nook_resolve_make(s->root, p->cwd, NOOK_PATH_DIR, &why);

	/* What root may not see, its user may. */
	if (fd >= 0 || refused(fd))
		return 0;
	*err = why;
	if (p->cwd_from)
		nook_where(err, "%s", p->cwd_from);
	return fd;
}

void make_directory_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "the working directory, when it isn't there", "openat2(\"%s\"), mkdirat",
		  plan->process.cwd);
}

/* A directory outside of our root has no path: "(unreachable)…". */
static int check_inside(const char *path, struct nook_error *err)
{
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)) || cwd[0] != '/')
		return nook_refuse(err, EPERM,
				   "the working directory %s lies outside of the container", path);
	return 0;
}

int enter_directory(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;
	auto_close int fd =
		nook_openat2(AT_FDCWD, p->cwd, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);

	if (fd < 0 && p->cwd_optional)
		return chdir("/") < 0 ? nook_fail(err, errno, "chdir /") : 0;
	if (s->plan->bundle && refused(fd)) {
		s->cwd_later = true;
		return 0;
	}
	if (fd < 0) {
		if (p->cwd_from)
			nook_where(err, "%s", p->cwd_from);
		if (!s->plan->bundle)
			nook_hint(err, "name a directory that the container has, or bring it in by "
				       "--volume");
		return nook_fail(err, -fd, "open the working directory %s in the container",
				 p->cwd);
	}
	if (fchdir(fd) < 0) {
		if (s->plan->bundle && refused(-errno)) {
			s->cwd_later = true;
			return 0;
		}
		return nook_fail(err, errno, "fchdir %s", p->cwd);
	}
	return check_inside(p->cwd, err);
}

void enter_directory_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows,
		  plan->process.cwd_optional ? "the working directory, else /"
					     : "the working directory",
		  "openat2(\"%s\"), fchdir", plan->process.cwd);
}

int nook_enter_late(struct nook_stage *s, struct nook_error *err)
{
	const struct nook_plan_process *p = &s->plan->process;

	if (!s->cwd_later)
		return 0;
	/* A filter that is loaded by now may know nothing of openat2(2); what this could lead to is
	 * looked at after. */
	if (chdir(p->cwd) < 0) {
		if (p->cwd_from)
			nook_where(err, "%s", p->cwd_from);
		return nook_fail(err, errno, "chdir %s in the container", p->cwd);
	}
	return check_inside(p->cwd, err);
}
