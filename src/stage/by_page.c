/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system by mount(2), with a page of options: before Linux 6.5 an overlay could be told of
 * many layers in no other way.
 */
#include "mounts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* On the scratch tmpfs. What was mounted there is moved to its target before the next one comes. */
#define PLACE "by-page"

/* What mount(2) reads, with the NUL; less where pages are larger than 4 KiB. */
#define PAGE 4096

struct page {
	char options[PAGE];
	size_t len;
	const char *source;
	unsigned long flags; /* MS_* */
};

/* Words that are none of the file system's own. */
static bool take_flag(const char *key, unsigned long *flags)
{
	static const struct {
		const char *key;
		unsigned long set, clear;
	} rows[] = {
		{ "ro", MS_RDONLY, 0 },         { "sync", MS_SYNCHRONOUS, 0 },
		{ "async", 0, MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC, 0 },
		{ "lazytime", MS_LAZYTIME, 0 }, { "nolazytime", 0, MS_LAZYTIME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].key, key) == 0) {
			*flags = (*flags | rows[i].set) & ~rows[i].clear;
			return true;
		}
	}
	return false;
}

/* "\," is a comma of a name; another would begin an option that nobody has asked for. */
static bool ends_early(const char *value)
{
	for (; *value; value++) {
		if (*value == ',')
			return true;
		if (*value == '\\' && value[1])
			value++;
	}
	return false;
}

/* Is each of these paths the same from whatever directory? */
static bool is_absolute(const char *paths)
{
	for (const char *p = paths;; p++) {
		if (*p != '/')
			return false;
		for (; *p && *p != ':'; p++) {
			if (*p == '\\' && p[1])
				p++;
		}
		if (!*p)
			return true;
	}
}

static int refuse(const struct nook_plan_mount *m, const struct nook_plan_option *o,
		  const char *why, struct nook_error *err)
{
	nook_hint(err, "use shorter paths, or Linux 6.5");
	return nook_refuse(err, E2BIG,
			   "%s for %s: its options have too many bytes for Linux before "
			   "6.5, and the option %s %s",
			   m->fstype, m->target, o->key, why);
}

static int add_option(struct page *page, const struct nook_plan_mount *m,
		      const struct nook_plan_option *o, struct nook_error *err)
{
	bool paths = strcmp(o->key, "lowerdir") == 0 || strcmp(o->key, "upperdir") == 0 ||
		     strcmp(o->key, "workdir") == 0;
	size_t room = sizeof(page->options) - page->len;

	if (o->value && strcmp(o->key, "source") == 0) {
		page->source = o->value;
		return 0;
	}
	if (!o->value && take_flag(o->key, &page->flags))
		return 0;
	if (o->value && ends_early(o->value))
		return refuse(m, o, "has a comma", err);
	if (paths && (!o->value || !is_absolute(o->value)))
		return refuse(m, o, "names no absolute paths", err);
	page->len += nook_format(page->options + page->len, room, "%s%s%s%s", page->len ? "," : "",
				 o->key, o->value ? "=" : "", o->value ? o->value : "");
	return page->len + 1 < sizeof(page->options) ? 0
						     : refuse(m, o, "passes a page of them", err);
}

/* mount(2) takes paths only: a name, seen from the tmpfs. */
static int mount_there(const struct nook_stage *s, const struct nook_plan_mount *m,
		       const struct page *page, struct nook_error *err)
{
	auto_close int here = nook_open_dir_below(AT_FDCWD, ".", O_PATH);

	if (here < 0)
		return nook_fail(err, -here, "open the working directory");
	if (fchdir(s->scratch) < 0)
		return nook_fail(err, errno, "fchdir to the scratch tmpfs");

	int rc = nook_mount_old(page->source, PLACE, m->fstype, page->flags, page->options);

	if (fchdir(here) < 0)
		return nook_fail(err, errno, "fchdir to the working directory");
	if (rc == -ENOENT)
		nook_cause(err, "source-missing", "something that its options name is not there");
	return rc < 0 ? nook_fail(err, -rc, "mount a new %s for %s, %zu bytes of options",
				  m->fstype, m->target, page->len)
		      : 0;
}

int nook_mount_by_page(const struct nook_stage *s, const struct nook_plan_mount *m,
		       struct nook_error *err)
{
	struct page page = { .source = m->fstype };
	int rc = 0;

	for (size_t i = 0; i < m->n_options && rc == 0; i++)
		rc = add_option(&page, m, &m->options[i], err);
	if (rc < 0)
		return rc;

	rc = nook_mkdir_below(s->scratch, PLACE, 0700);
	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mkdirat " PLACE);
	rc = mount_there(s, m, &page, err);
	if (rc < 0)
		return rc;

	/* The descriptor of the attached mount: move_mount(2) moves it to its place. */
	int fd = nook_open_dir_below(s->scratch, PLACE, O_PATH);

	return fd < 0 ? nook_fail(err, -fd, "open the new %s", m->fstype) : fd;
}
