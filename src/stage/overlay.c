/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A union: the host's or the user's layers below, what nook shades above these, the writable layer
 *on top. Everything lies on the scratch tmpfs under names of our own making, which overlay is given
 *relative to it:
 *
 *	l7        layer: sources[7], attached
 *	s0a, s0b  the shades of overlay 0, a below b
 *	o0        where overlay 0 is mounted by the old call
 *
 * The writable layers are upper-0 and work-0 on scratch, or in the directory of --changes.
 */
#include "stage.h"

#include "shades.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { NAME_SIZE = 32 };

static int make_dir(int dir, const char *name, struct nook_error *err)
{
	int rc = nook_mkdir_below(dir, name, 0755);

	return rc < 0 && rc != -EEXIST ? nook_fail(err, -rc, "mkdirat %s", name) : 0;
}

static int attach_layers(struct nook_stage *s, const struct nook_plan_overlay *o,
			 struct nook_error *err)
{
	for (size_t i = 0; i < o->n_lowers; i++) {
		unsigned n = o->lowers[i];
		char name[NAME_SIZE];

		(void)nook_format(name, sizeof(name), "l%u", n);
		int rc = make_dir(s->scratch, name, err);

		if (rc < 0)
			return rc;
		rc = nook_move_mount_at(s->sources[n], s->scratch, name);
		if (rc < 0) {
			if (s->plan->sources[n].from)
				nook_where(err, "%s", s->plan->sources[n].from);
			return nook_fail(err, -rc, "move_mount %s (as a layer)",
					 s->plan->sources[n].path);
		}
	}
	return 0;
}

/* Names of one overlay's layers, the topmost first, for either call. */
struct layers {
	char name[NAME_SIZE];
	const struct nook_plan_overlay *o;
	unsigned number;
	size_t at;
};

static const char *next_layer(struct layers *l)
{
	size_t at = l->at++;

	if (l->o->shaded) {
		if (at < 2) {
			(void)nook_format(l->name, NAME_SIZE, "s%u%c", l->number, at ? 'a' : 'b');
			return l->name;
		}
		at -= 2;
	}
	if (at >= l->o->n_lowers)
		return NULL;
	(void)nook_format(l->name, NAME_SIZE, "l%u", l->o->lowers[l->o->n_lowers - 1 - at]);
	return l->name;
}

struct upper {
	char upper[NAME_SIZE], work[NAME_SIZE];
};

/*
 * A union's root looks as its topmost layer's: a new writable layer takes over what the lower one
 * has. Owners that nobody has here show as the overflow id, and stay ours.
 */
static int look_like(const struct nook_stage *s, const struct nook_plan_overlay *o, int dir,
		     struct nook_error *err)
{
	struct stat st;

	if (o->n_lowers == 0)
		return 0;
	if (fstat(s->sources[o->lowers[o->n_lowers - 1]], &st) < 0)
		return nook_fail(err, errno, "fstat the topmost layer");
	if (st.st_uid == 65534 || st.st_gid == 65534)
		st.st_uid = st.st_gid = (uid_t)-1; /* no change */

	int rc = nook_own(dir, st.st_uid, st.st_gid, st.st_mode & 07777);

	return rc < 0 ? nook_fail(err, -rc, "fchown a new upper-N, as the layer below has it") : 0;
}

/* Return: an open directory. @ret_new: it was not there. */
static int make_writable(struct nook_stage *s, const char *name, bool *ret_new,
			 struct nook_error *err)
{
	int rc = nook_mkdir_below(s->scratch, name, 0755);

	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mkdirat %s", name);
	*ret_new = rc == 0;

	/* The user's own directory may hold anything: a symlink there would lead overlay out of it.
	 */
	int fd = nook_open_dir_below(s->scratch, name, O_RDONLY);

	if (fd == -ENOTDIR || fd == -ELOOP)
		return nook_refuse(err, ENOTDIR,
				   "%s in the directory of --changes is not a directory",
				   strchr(name, '/') ? strchr(name, '/') + 1 : name);
	return fd < 0 ? nook_fail(err, -fd, "open %s", name) : fd;
}

static int make_upper(struct nook_stage *s, unsigned number, struct upper *u,
		      struct nook_error *err)
{
	const char *dir = s->changes == s->scratch ? "" : "c/";
	bool is_new;

	(void)nook_format(u->work, NAME_SIZE, "%swork-%u", dir, number);
	auto_close int work = make_writable(s, u->work, &is_new, err);

	if (work < 0)
		return work;
	(void)nook_format(u->upper, NAME_SIZE, "%supper-%u", dir, number);
	auto_close int upper = make_writable(s, u->upper, &is_new, err);

	if (upper < 0)
		return upper;
	return is_new ? look_like(s, &s->plan->overlays[number], upper, err) : 0;
}

static int fail_overlay(int fs, int rc, const char *call, unsigned number, struct nook_error *err)
{
	char message[200] = "";

	if (fs >= 0)
		nook_fs_message(fs, message, sizeof(message));
	return nook_fail(err, -rc, "%s overlay %u%s%s", call, number,
			 message[0] ? ", kernel says: " : "", message);
}

static int mount_by_fsconfig(const struct nook_stage *s, struct layers *l, const struct upper *u,
			     struct nook_error *err)
{
	auto_close int fs = nook_fsopen("overlay");
	const char *name;
	int rc = 0;

	if (fs < 0)
		return fail_overlay(NO_FD, fs, "fsopen", l->number, err);

	rc = nook_fsconfig_string(fs, "source", "overlay");
	while (rc == 0 && (name = next_layer(l)))
		rc = nook_fsconfig_string(fs, "lowerdir+", name);
	if (rc == 0)
		rc = nook_fsconfig_string(fs, "upperdir", u->upper);
	if (rc == 0)
		rc = nook_fsconfig_string(fs, "workdir", u->work);
	/* In a user namespace trusted.* is out of reach; overlay keeps its marks in user.*. */
	if (rc == 0 && s->plan->own_userns)
		rc = nook_fsconfig_flag(fs, "userxattr");
	/* What is thrown away need not be synced to disk. */
	if (rc == 0 && !s->plan->has_changes)
		rc = nook_fsconfig_flag(fs, "volatile");
	if (rc < 0)
		return fail_overlay(fs, rc, "fsconfig", l->number, err);

	rc = nook_fsconfig_create(fs);
	if (rc < 0)
		return fail_overlay(fs, rc, "fsconfig(CREATE)", l->number, err);

	int mount = nook_fsmount(fs, MOUNT_ATTR_NODEV);

	return mount < 0 ? fail_overlay(fs, mount, "fsmount", l->number, err) : mount;
}

/* Before Linux 6.5: no lowerdir+, and fsconfig strings end at 256 bytes; mount(2) takes a page. */
static int mount_by_options(const struct nook_stage *s, struct layers *l, const struct upper *u,
			    struct nook_error *err)
{
	char options[4096], name[NAME_SIZE];
	size_t len = nook_format(
		options, sizeof(options), "upperdir=%s,workdir=%s%s%s,lowerdir=", u->upper, u->work,
		s->plan->own_userns ? ",userxattr" : "", s->plan->has_changes ? "" : ",volatile");
	const char *layer;
	bool first = true;

	for (; (layer = next_layer(l)); first = false)
		len += nook_format(options + len, sizeof(options) - len, "%s%s", first ? "" : ":",
				   layer);
	if (len + 1 >= sizeof(options))
		return nook_refuse(err, E2BIG,
				   "%zu layers don't fit into one page of mount options",
				   l->o->n_lowers);

	(void)nook_format(name, sizeof(name), "o%u", l->number);
	int rc = make_dir(s->scratch, name, err);

	if (rc < 0)
		return rc;
	rc = nook_mount_old("overlay", name, "overlay", MS_NODEV, options);
	if (rc < 0)
		return nook_fail(err, -rc, "mount overlay %u", l->number);

	/* The descriptor of the attached mount: move_mount moves it to its place. */
	int fd = nook_open_dir_below(s->scratch, name, O_PATH);

	return fd < 0 ? nook_fail(err, -fd, "open overlay %u", l->number) : fd;
}

int nook_overlay_mount(struct nook_stage *s, unsigned number, struct nook_error *err)
{
	const struct nook_plan_overlay *o = &s->plan->overlays[number];
	struct layers l = { .o = o, .number = number };
	struct upper u;
	int rc = attach_layers(s, o, err);

	if (rc == 0 && o->shaded)
		rc = nook_shades_lay(s, number, err);
	if (rc == 0) {
		rc = make_upper(s, number, &u, err);
		if (rc < 0 && s->plan->has_changes &&
		    s->plan->sources[s->plan->changes_source].from)
			nook_where(err, "%s", s->plan->sources[s->plan->changes_source].from);
	}
	/* Layers are named relative to here. */
	if (rc == 0 && fchdir(s->scratch) < 0)
		rc = nook_fail(err, errno, "fchdir to the scratch tmpfs");
	if (rc == 0)
		rc = s->plan->overlay_by_fsconfig ? mount_by_fsconfig(s, &l, &u, err)
						  : mount_by_options(s, &l, &u, err);
	if (rc < 0 && o->from)
		nook_where(err, "%s", o->from);
	return rc;
}

/* The layers as overlay takes them, the topmost first; of many only the ends. */
static const char *layers_text(const struct nook_plan *plan, const struct nook_plan_overlay *o,
			       struct nook_rows *rows)
{
	enum { SHOWN = 6 };
	const char *text = o->shaded ? "nook's" : "";

	for (size_t i = o->n_lowers; i-- > 0;) {
		const char *path = plan->sources[o->lowers[i]].path;

		if (o->n_lowers > SHOWN && i >= 1 && i + SHOWN - 1 < o->n_lowers) {
			text = nook_printf(rows->arena, "%s:(%zu more)", text, i);
			i = 1;
			continue;
		}
		text = nook_printf(rows->arena, "%s%s%s", text, *text ? ":" : "", path);
	}
	return text;
}

void nook_overlay_show(const struct nook_plan *plan, unsigned number, struct nook_rows *rows)
{
	const struct nook_plan_overlay *o = &plan->overlays[number];
	const char *upper = plan->has_changes
				    ? nook_printf(rows->arena, "%s/upper-%u",
						  plan->sources[plan->changes_source].path, number)
				    : "new";
	const char *options = nook_printf(
		rows->arena, "%s%s", plan->userns.writer != NOOK_IDMAP_NONE ? ", userxattr" : "",
		plan->has_changes ? "" : ", volatile");
	const char *what = plan->has_changes ? "a union; changes are kept"
					     : "a union; changes are thrown away";

	if (o->shaded)
		nook_shades_show(plan, number, rows);
	if (plan->overlay_by_fsconfig)
		nook_show(rows, what,
			  "fsopen(\"overlay\", lowerdir+=%s, upperdir=%s%s), fsmount(NODEV)",
			  layers_text(plan, o, rows), upper, options);
	else
		nook_show(rows, what, "mount(\"overlay\", NODEV, lowerdir=%s, upperdir=%s%s)",
			  layers_text(plan, o, rows), upper, options);
}
