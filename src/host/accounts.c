/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"

#include "base/own.h"
#include "base/text.h"
#include "read.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* A file of the container's etc. */
struct etc_file {
	const char *name;
	char *text; /* NULL: there is none */
	int error;  /* negative errno: there is one, and it can't be used */
};

/* The layer ends the search: what is below it does not show. */
static bool is_opaque(int etc)
{
	char value[2];

	return (fgetxattr(etc, "trusted.overlay.opaque", value, 1) == 1 && value[0] == 'y') ||
	       (fgetxattr(etc, "user.overlay.opaque", value, 1) == 1 && value[0] == 'y');
}

/* A layer marks what it has deleted by a character device 0:0. */
static bool is_whiteout(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(0, 0);
}

/* Looks in one root or layer. Return: true when lower layers have nothing to add. */
static bool search(struct nook_prober *p, int root, struct etc_file *file)
{
	auto_close int etc = nook_openat2(root, "etc", O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0,
					  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (etc == -ENOENT)
		return false;
	if (etc < 0) {
		if (!is_whiteout(root, "etc"))
			file->error = etc;
		return true;
	}

	int rc = nook_read_text(p->arena, etc, file->name, NOOK_READ_MAX, &file->text);

	if (rc == -ENOENT)
		return is_opaque(etc);
	if (rc < 0 && !is_whiteout(etc, file->name))
		file->error = rc;
	return true;
}

/* @optional: nothing at @path is as good as an empty directory. */
static int search_path(struct nook_prober *p, const char *path, const char *from, bool optional,
		       struct etc_file *file)
{
	auto_close int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 && optional && errno == ENOENT)
		return 0;
	if (root < 0) {
		int rc = nook_fail(p->err, errno, "open %s", path);

		if (from)
			nook_where(p->err, "%s", from);
		return rc;
	}
	return search(p, root, file);
}

static int search_layers(struct nook_prober *p, struct etc_file *file)
{
	const struct nook_root_spec *root = &p->spec->root;
	int rc = 0;

	if (root->changes.path)
		rc = search_path(p, nook_printf(p->arena, "%s/upper-0", root->changes.path),
				 root->changes.from, true, file);
	for (size_t i = root->n_layers; i > 0 && rc == 0; i--)
		rc = search_path(p, root->layers[i - 1].path, root->layers[i - 1].from, false,
				 file);
	return rc < 0 ? rc : 0;
}

static int find_file(struct nook_prober *p, struct etc_file *file)
{
	int rc = 0;

	switch (p->spec->root.kind) {
	case NOOK_ROOT_HOST:
		(void)search(p, p->root,
			     file); /* one root: whether more would follow is no matter */
		break;
	case NOOK_ROOT_DIR:
		rc = search_path(p, p->spec->root.dir.path, p->spec->root.dir.from, false, file);
		break;
	case NOOK_ROOT_LAYERS:
		rc = search_layers(p, file);
		break;
	}
	return rc < 0 ? rc : 0;
}

static bool is_name(const char *text, size_t len)
{
	return len > 0 && strspn(text, "0123456789") < len;
}

/* Which files must be usable: those that a name has to be found in. */
static void wanted_names(const struct nook_spec *spec, bool *ret_user, bool *ret_group)
{
	size_t user = spec->user ? strcspn(spec->user, ":") : 0;

	*ret_user = user && is_name(spec->user, user);
	*ret_group = (spec->group && is_name(spec->group, strlen(spec->group))) ||
		     (spec->user && spec->user[user] &&
		      is_name(spec->user + user + 1, strlen(spec->user + user + 1)));
}

static int refuse_file(struct nook_prober *p, const struct etc_file *file, const char *from)
{
	static const struct {
		int error;
		const char *text;
	} reasons[] = {
		{ -ELOOP, "it is a symlink" },
		{ -ENXIO, "it is not a regular file" },
		{ -EFBIG, "it is larger than 4 MiB" },
		{ -EINVAL, "it is not text" },
	};

	if (from)
		nook_where(p->err, "%s", from);
	nook_hint(p->err, "give a number instead of a name");
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (file->error == reasons[i].error)
			return nook_refuse(p->err, -file->error,
					   "the container's /etc/%s can't name anyone: %s",
					   file->name, reasons[i].text);
	}
	return nook_fail(p->err, -file->error, "read the container's /etc/%s", file->name);
}

/* The files of a mount namespace that is joined are not known: numbers only. */
static int refuse_names_of_joined(struct nook_prober *p, bool user, bool group)
{
	if (!user && !group)
		return 0;

	const char *from = user || !p->spec->group ? p->spec->user_from : p->spec->group_from;

	if (from)
		nook_where(p->err, "%s", from);
	nook_hint(p->err, "give the number of the user or group");
	return nook_refuse(p->err, EINVAL,
			   "names can't be looked up in a mount namespace that is joined");
}

static bool sets_home(const struct nook_spec *spec)
{
	for (size_t i = 0; i < spec->n_env; i++) {
		if (nook_starts(spec->env[i], "HOME=") || strcmp(spec->env[i], "HOME") == 0)
			return true;
	}
	return false;
}

static int find_files(struct nook_prober *p, struct etc_file *passwd, struct etc_file *group)
{
	const struct nook_spec *spec = p->spec;
	bool asked = spec->user || spec->group;
	int rc = 0;

	/* Uid 0 is looked up for its shell and home, when these aren't said. */
	if (asked || !spec->argv || !sets_home(spec)) {
		if (spec->root.kind == NOOK_ROOT_HOST)
			rc = nook_prober_passwd(p); /* others need it too: read once */
		else
			rc = find_file(p, passwd);
	}
	if (rc == 0 && asked)
		rc = find_file(p, group);
	return rc;
}

int nook_accounts_probe(struct nook_prober *p)
{
	const struct nook_spec *spec = p->spec;
	struct etc_file passwd_file = { .name = "passwd" }, group_file = { .name = "group" };
	struct nook_passwd passwd = { 0 };
	struct nook_group group = { 0 };
	bool user_name = false, group_name = false;
	int rc = 0;

	wanted_names(spec, &user_name, &group_name);
	if (spec->ns[NOOK_NS_MNT].mode == NOOK_NS_JOIN)
		rc = refuse_names_of_joined(p, user_name, group_name);
	else
		rc = find_files(p, &passwd_file, &group_file);
	if (rc < 0)
		return rc;

	if (passwd_file.error && user_name)
		return refuse_file(p, &passwd_file, spec->user_from);
	if (group_file.error && group_name)
		return refuse_file(p, &group_file,
				   spec->group ? spec->group_from : spec->user_from);
	if (p->have_passwd && spec->root.kind == NOOK_ROOT_HOST)
		passwd = p->passwd;
	if (passwd_file.text)
		nook_passwd_parse(p->arena, passwd_file.text, &passwd);
	if (group_file.text)
		nook_group_parse(p->arena, group_file.text, &group);
	return nook_account_resolve(p->arena, spec, &passwd, &group, &p->host->account, p->err);
}

int nook_account_in(struct nook_arena *a, int root, const struct nook_spec *spec,
		    struct nook_account *ret, struct nook_error *err)
{
	struct nook_host host = { 0 };
	struct nook_prober p = {
		.arena = a, .spec = spec, .host = &host, .err = err, .root = root
	};
	int rc = nook_accounts_probe(&p);

	if (rc == 0)
		*ret = host.account;
	return rc;
}
