/* SPDX-License-Identifier: Apache-2.0 */
/* New file systems, and other options for those that are there: fsopen(2), fsconfig(2), fspick(2).
 */
#include "mounts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/mount.h"

#include <errno.h>
#include <string.h>

/* fsconfig(2) takes strings of at most this many bytes. */
enum { STRING_MAX = 255 };

/* @o: the option at which it failed; NULL: at none */
static int fail_fs(int fs, int rc, const char *what, const struct nook_plan_mount *m,
		   const struct nook_plan_option *o, struct nook_error *err)
{
	char message[160] = "";

	if (fs >= 0)
		nook_fs_message(fs, message, sizeof(message));
	if (o && rc == -ENOENT)
		nook_cause(err, "source-missing", "something that the option %s names is not there",
			   o->key);
	if (o && rc == -EINVAL)
		nook_hint(err, "correct the option %s", o->key);
	if (o && !message[0])
		return nook_fail(err, -rc, "%s %s for %s, option %s%s%.100s", what,
				 m->fstype ? m->fstype : "file system", m->target, o->key,
				 o->value ? "=" : "", o->value ? o->value : "");
	return nook_fail(err, -rc, "%s %s for %s%s%s", what, m->fstype ? m->fstype : "file system",
			 m->target, message[0] ? ", kernel says: " : "", message);
}

/*
 * Overlay's layers one by one, since together they are too long. "\:" is a colon of a name, and so
 * on; lowerdir+ (Linux 6.5) takes names as they are.
 */
static int add_layers(int fs, const char *value)
{
	char name[STRING_MAX + 1];
	size_t len = 0;

	for (const char *p = value;; p++) {
		if (*p && *p != ':') {
			if (*p == '\\' && p[1])
				p++;
			if (len == STRING_MAX)
				return -ENAMETOOLONG;
			name[len++] = *p;
			continue;
		}
		name[len] = '\0';

		/* "::" begins layers of another sort. */
		int rc = len ? nook_fsconfig_string(fs, "lowerdir+", name) : -EINVAL;

		if (rc < 0 || !*p)
			return rc;
		len = 0;
	}
}

/* Does @o hold more layers than a string may? */
static bool is_layers(const struct nook_plan_mount *m, const struct nook_plan_option *o)
{
	return m->fstype && strcmp(m->fstype, "overlay") == 0 && strcmp(o->key, "lowerdir") == 0 &&
	       o->value && strlen(o->value) > STRING_MAX;
}

static int set_option(int fs, const struct nook_plan_mount *m, const struct nook_plan_option *o,
		      struct nook_error *err)
{
	if (!o->value)
		return nook_fsconfig_flag(fs, o->key);
	if (strlen(o->value) <= STRING_MAX)
		return nook_fsconfig_string(fs, o->key, o->value);
	if (is_layers(m, o))
		return add_layers(fs, o->value);

	nook_hint(err, "the option %s has more than %d bytes: use shorter paths", o->key,
		  STRING_MAX);
	return -E2BIG;
}

/* *@ret_at: the one that is refused */
static int set_options(int fs, const struct nook_plan_mount *m,
		       const struct nook_plan_option **ret_at, struct nook_error *err)
{
	for (size_t i = 0; i < m->n_options; i++) {
		int rc = set_option(fs, m, &m->options[i], err);

		if (rc < 0) {
			*ret_at = &m->options[i];
			return rc;
		}
	}
	return 0;
}

static bool names_source(const struct nook_plan_mount *m)
{
	for (size_t i = 0; i < m->n_options; i++) {
		if (m->options[i].value && strcmp(m->options[i].key, "source") == 0)
			return true;
	}
	return false;
}

int nook_new_file_system(const struct nook_plan_mount *m, uint64_t attrs, struct nook_error *err)
{
	auto_close int fs = nook_fsopen(m->fstype);
	const struct nook_plan_option *at = NULL;
	int rc = fs;

	/* Shown as the device in /proc/mounts, where "none" tells nobody anything. */
	if (rc >= 0 && !names_source(m))
		rc = nook_fsconfig_string(fs, "source", m->fstype);
	if (rc >= 0)
		rc = set_options(fs, m, &at, err);
	if (rc >= 0)
		rc = nook_fsconfig_create(fs);
	if (rc >= 0)
		rc = nook_fsmount(fs, attrs);
	return rc < 0 ? fail_fs(fs, rc, "mount a new", m, at, err) : rc;
}

int nook_reconfigure(int fd, const struct nook_plan_mount *m, struct nook_error *err)
{
	auto_close int fs = nook_fspick(fd);
	const struct nook_plan_option *at = NULL;
	int rc = fs;

	if (rc >= 0)
		rc = set_options(fs, m, &at, err);
	if (rc >= 0)
		rc = nook_fsconfig_reconfigure(fs);
	return rc < 0 ? fail_fs(fs, rc, "change the options of the", m, at, err) : 0;
}
