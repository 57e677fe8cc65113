/* SPDX-License-Identifier: Apache-2.0 */
#include "shades.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int make_shade_dir(int dir, const struct nook_plan_shade *sh, struct nook_error *err)
{
	int rc = *sh->path ? nook_mkdir_below(dir, sh->path, sh->mode) : 0;

	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mkdirat %s", sh->path);
	/* The umask is 0 here; setgid and sticky bits mkdir(2) may leave out. */
	if (*sh->path && !sh->uid && !sh->gid && !(sh->mode & 07000))
		return 0;

	auto_close int fd = nook_open_dir_below(dir, *sh->path ? sh->path : ".", O_RDONLY);

	if (fd < 0)
		return nook_fail(err, -fd, "open %s", sh->path);
	rc = nook_own(fd, sh->uid, sh->gid, sh->mode);
	return rc < 0 ? nook_fail(err, -rc, "fchown %s to %u:%u, mode 0%o", sh->path, sh->uid,
				  sh->gid, sh->mode)
		      : 0;
}

static int make_shade_file(int dir, const struct nook_plan_shade *sh, struct nook_error *err)
{
	auto_close int fd = nook_create_below(dir, sh->path, 0600);

	if (fd < 0)
		return nook_fail(err, -fd, "create %s", sh->path);

	int rc = nook_write_fd(fd, sh->text, sh->len);

	if (rc < 0)
		return nook_fail(err, -rc, "write %s", sh->path);
	rc = nook_own(fd, sh->uid, sh->gid, sh->mode);
	return rc < 0 ? nook_fail(err, -rc, "fchown %s to %u:%u, mode 0%o", sh->path, sh->uid,
				  sh->gid, sh->mode)
		      : 0;
}

static int make_shade(int dir, const struct nook_plan_shade *sh, struct nook_error *err)
{
	int rc;

	switch (sh->kind) {
	case NOOK_SHADE_WHITEOUT:
		rc = nook_whiteout_below(dir, sh->path);
		return rc < 0 ? nook_fail(err, -rc, "mknodat whiteout %s", sh->path) : 0;
	case NOOK_SHADE_SYMLINK:
		rc = nook_symlink_below(dir, sh->path, sh->text);
		return rc < 0 ? nook_fail(err, -rc, "symlinkat %s", sh->path) : 0;
	case NOOK_SHADE_FILE:
		return make_shade_file(dir, sh, err);
	case NOOK_SHADE_DIR:
		break;
	}
	return make_shade_dir(dir, sh, err);
}

static int open_shade(struct nook_stage *s, unsigned number, unsigned layer, struct nook_error *err)
{
	char name[16];

	(void)nook_format(name, sizeof(name), "s%u%c", number, layer ? 'b' : 'a');
	int rc = nook_mkdir_below(s->scratch, name, 0755);

	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mkdirat %s", name);

	int fd = nook_open_dir_below(s->scratch, name, O_PATH);

	return fd < 0 ? nook_fail(err, -fd, "open %s", name) : fd;
}

int nook_shades_lay(struct nook_stage *s, unsigned number, struct nook_error *err)
{
	auto_close int low = open_shade(s, number, 0, err);

	if (low < 0)
		return low;
	auto_close int high = open_shade(s, number, 1, err);

	if (high < 0)
		return high;

	for (size_t i = 0; i < s->plan->n_shades; i++) {
		const struct nook_plan_shade *sh = &s->plan->shades[i];

		if (sh->overlay != number)
			continue;
		int rc = make_shade(sh->layer ? high : low, sh, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A shade's path from the container's root. */
static const char *shade_path(const struct nook_plan *plan, const struct nook_plan_shade *sh,
			      struct nook_rows *rows)
{
	const char *target = plan->overlays[sh->overlay].target;

	return nook_printf(rows->arena, "%s/%s", strcmp(target, "/") == 0 ? "" : target, sh->path);
}

void nook_shades_show(const struct nook_plan *plan, unsigned number, struct nook_rows *rows)
{
	size_t dirs = 0;

	for (size_t i = 0; i < plan->n_shades; i++) {
		const struct nook_plan_shade *sh = &plan->shades[i];

		if (sh->overlay != number)
			continue;
		if (sh->kind == NOOK_SHADE_WHITEOUT)
			nook_show(rows, "the host's is hidden", "mknodat(\"%s\", whiteout)",
				  shade_path(plan, sh, rows));
		else if (sh->kind == NOOK_SHADE_FILE)
			nook_show(rows, "a file of nook's instead",
				  "openat2(\"%s\", CREAT), write(%zu bytes)",
				  shade_path(plan, sh, rows), sh->len);
		else if (sh->kind == NOOK_SHADE_SYMLINK)
			nook_show(rows, "as the host has it", "symlinkat(\"%s\" -> \"%s\")",
				  shade_path(plan, sh, rows), sh->text);
		else
			dirs++;
	}
	if (dirs)
		nook_show(rows, "the directories above these, and empty ones for hidden ones",
			  "mkdirat × %zu", dirs);
}
