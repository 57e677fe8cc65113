/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/ns_where.h"

#include "base/own.h"
#include "base/text.h"
#include "host/path.h"
#include "where_layers.h"
#include "where_thing.h"

#include <string.h>

/* ---- the answer ---- */

static void copy(char *out, size_t size, const char *text)
{
	(void)nook_format(out, size, "%s", text ? text : "");
}

static void answer(struct nook_where_work *w, enum nook_ns_where_kind kind,
		   const struct nook_where_thing *inside, const char *host, bool sure,
		   const char *note)
{
	struct nook_ns_where_path *out = w->out;

	out->kind = kind;
	copy(out->inside, sizeof(out->inside), inside->path);
	copy(out->host, sizeof(out->host), host);
	out->sure = sure;
	copy(out->note, sizeof(out->note), note);
	if (!inside->mount)
		return;
	out->major = inside->mount->major;
	out->minor = inside->mount->minor;
	copy(out->point, sizeof(out->point), inside->mount->point);
	copy(out->fstype, sizeof(out->fstype), inside->mount->fstype);
}

/* A visible mount of @side that has the same thing in it: the path there, and it was opened.
 * NULL: none. */
static const char *find_same(struct nook_where_work *w, const struct nook_where_side *side,
			     const struct nook_where_thing *t)
{
	for (size_t i = 0; i < side->mounts.n_visible; i++) {
		const struct nook_mount *m = side->mounts.visible[i];
		struct nook_where_thing there;
		const char *path;

		if (m->major != t->mount->major || m->minor != t->mount->minor ||
		    !nook_path_within(t->fs_path, m->root))
			continue;
		path = nook_where_join(w->a, m->point, nook_where_below(t->fs_path, m->root));
		if (nook_where_open_thing(w, side, path, &there, NULL) < 0)
			continue;

		bool same =
			nook_where_same(t, &there) && there.path && strcmp(there.path, path) == 0;

		close_fd(&there.fd);
		if (same)
			return path;
	}
	return NULL;
}

/* ---- from inside ---- */

/* A layer's directory, as it was written, that has the file at this path of the host. */
static bool in_layer(struct nook_where_work *w, const struct nook_where_thing *t, const char *layer,
		     enum nook_ns_where_kind kind)
{
	const char *path;
	struct nook_where_thing there;

	if (layer[0] != '/')
		return false;
	path = nook_where_join(w->a, layer, t->fs_path);
	if (nook_where_open_thing(w, &w->host, path, &there, NULL) < 0)
		return false;

	bool same = nook_where_same_through_overlay(t, &there);
	bool alike = (there.st.stx_mode & S_IFMT) == (t->st.stx_mode & S_IFMT);

	close_fd(&there.fd);
	if (!alike)
		return false;
	answer(w, kind, t, path, same,
	       same ? ""
	       : S_ISDIR(t->st.stx_mode)
		       ? "A directory of an overlay mount is made of all layers that have it: this "
			 "is the uppermost one."
		       : "By the order of the layers; the file inside has another inode number or "
			 "time, so it may be from elsewhere.");
	return true;
}

static void through_overlay(struct nook_where_work *w, const struct nook_where_thing *t)
{
	struct nook_where_layers layers;
	struct nook_where_thing there;

	nook_where_layers_parse(w->a, t->mount->super, &layers);
	if (layers.upper && in_layer(w, t, layers.upper, NOOK_NS_WHERE_UPPER))
		return;
	for (size_t i = 0; i < layers.n_lowers; i++) {
		if (in_layer(w, t, layers.lowers[i], NOOK_NS_WHERE_LOWER))
			return;
	}

	/* The layers' names mean nothing to us. Where the host's own root is one of them, as nook
	 * makes it, the file is at the same path. */
	if (nook_where_open_thing(w, &w->host, t->path, &there, NULL) == 0) {
		bool same = nook_where_same_through_overlay(t, &there);

		close_fd(&there.fd);
		if (same) {
			answer(w, NOOK_NS_WHERE_LOWER, t, t->path, true,
			       "Inside it is seen through an overlay mount: what is written there "
			       "does not get here.");
			return;
		}
	}
	answer(w, NOOK_NS_WHERE_LAYERS, t, NULL, false,
	       S_ISDIR(t->st.stx_mode)
		       ? "A directory of an overlay mount is made of all layers that have it, and "
			 "no path of the host leads to these layers."
		       : "No path of the host leads to the layer that has it: it was written "
			 "inside, or is of a layer that was mounted by a name of its own.");
}

static const char *why_inside(const struct nook_where_thing *t)
{
	static const struct {
		const char *fstype, *why;
	} rows[] = {
		{ "tmpfs", "It is in memory, in a tmpfs that is mounted nowhere on the host." },
		{ "proc", "The kernel makes up its files for those inside." },
		{ "sysfs", "The kernel makes up its files for those inside." },
		{ "devpts", "Its terminals are those of this container only." },
		{ "mqueue", "Its queues are those of its ipc namespace only." },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].fstype, t->mount->fstype) == 0)
			return rows[i].why;
	}
	return "No mount of the host that you can see has this part of the file system in it.";
}

static int from_inside(struct nook_where_work *w, const char *target, const char *path)
{
	struct nook_where_thing t;
	int rc = nook_where_open_thing(w, &w->inside, path, &t, w->err);
	const char *host;

	if (rc < 0)
		return rc;
	close_fd(&t.fd);
	if (!t.path || !t.mount)
		return nook_refuse(
			w->err, EXDEV,
			"%s is in no mount of the container's table: a directory outside "
			"of its root",
			path);

	host = find_same(w, &w->host, &t);
	if (host)
		answer(w, NOOK_NS_WHERE_HOST, &t, host, true, "");
	else if (strcmp(t.mount->fstype, "overlay") == 0)
		through_overlay(w, &t);
	else
		answer(w, NOOK_NS_WHERE_INSIDE, &t, NULL, false, why_inside(&t));
	return 0;
}

/* ---- from the host ---- */

/* The place of the container that shows the host's @t, where an overlay mount is in between. */
static bool through_layer(struct nook_where_work *w, const struct nook_where_thing *t,
			  const char *path, enum nook_ns_where_kind kind)
{
	struct nook_where_thing there;

	if (nook_where_open_thing(w, &w->inside, path, &there, NULL) < 0)
		return false;
	close_fd(&there.fd);

	bool is_overlay = there.mount && strcmp(there.mount->fstype, "overlay") == 0;
	bool same = is_overlay && nook_where_same_through_overlay(t, &there);

	if (!is_overlay || (kind == NOOK_NS_WHERE_LAYERS && !same))
		return false;
	answer(w, kind == NOOK_NS_WHERE_LAYERS ? NOOK_NS_WHERE_LOWER : kind, &there, t->path, same,
	       same ? ""
	       : S_ISDIR(t->st.stx_mode)
		       ? "A directory of an overlay mount is made of all layers that have it: this "
			 "is one of them."
		       : "Another file than the host's shows there: a layer above has one of that "
			 "name, or it was changed inside.");
	return true;
}

static bool through_layers(struct nook_where_work *w, const struct nook_where_thing *t)
{
	for (size_t i = 0; i < w->inside.mounts.n_visible; i++) {
		const struct nook_mount *m = w->inside.mounts.visible[i];
		struct nook_where_layers layers;

		if (strcmp(m->fstype, "overlay") != 0 || strcmp(m->root, "/") != 0)
			continue;
		nook_where_layers_parse(w->a, m->super, &layers);
		if (layers.upper && layers.upper[0] == '/' &&
		    nook_path_within(t->path, layers.upper) &&
		    through_layer(w, t,
				  nook_where_join(w->a, m->point,
						  nook_where_below(t->path, layers.upper)),
				  NOOK_NS_WHERE_UPPER))
			return true;
		for (size_t k = 0; k < layers.n_lowers; k++) {
			const char *lower = layers.lowers[k];

			if (lower[0] == '/' && nook_path_within(t->path, lower) &&
			    through_layer(w, t,
					  nook_where_join(w->a, m->point,
							  nook_where_below(t->path, lower)),
					  NOOK_NS_WHERE_LOWER))
				return true;
		}
	}
	/* As in through_overlay(): the host's root may be a layer. */
	return through_layer(w, t, t->path, NOOK_NS_WHERE_LAYERS);
}

static int from_host(struct nook_where_work *w, const char *target, const char *path)
{
	struct nook_where_thing t, there;
	int rc = nook_where_open_thing(w, &w->host, path, &t, NULL);
	const char *inside;

	if (rc < 0)
		return nook_fail(w->err, -rc, "open %s", path);
	close_fd(&t.fd);
	if (!t.path || !t.mount)
		return nook_refuse(w->err, EXDEV, "%s is in no mount of the host's table", path);

	inside = find_same(w, &w->inside, &t);
	if (inside && nook_where_open_thing(w, &w->inside, inside, &there, NULL) == 0) {
		close_fd(&there.fd);
		answer(w, NOOK_NS_WHERE_HOST, &there, t.path, true, "");
		return 0;
	}
	if (through_layers(w, &t))
		return 0;
	nook_hint(w->err, "--volume %s:/PATH of nook run shows it in a new container.", path);
	return nook_refuse(w->err, ENOENT, "no place in %s shows %s of the host", target, path);
}

/* ---- both ---- */

typedef int translation(struct nook_where_work *w, const char *target, const char *path);

static int translate(const char *state_dir, const char *target, const char *path, translation *way,
		     struct nook_ns_where_path *ret, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_ns_where_path out = { .kind = NOOK_NS_WHERE_INSIDE };
	struct nook_where_work w = {
		.a = &a, .host = { NO_FD }, .inside = { NO_FD }, .out = &out, .err = err
	};
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	rc = nook_where_open_sides(&w, state_dir, target);
	if (rc == 0)
		rc = way(&w, target, path);
	close_fd(&w.host.root);
	close_fd(&w.inside.root);
	if (rc == 0)
		*ret = out;
	return rc;
}

int nook_ns_where_path(const char *state_dir, const char *target, const char *path,
		       struct nook_ns_where_path *ret, struct nook_error *err)
{
	return translate(state_dir, target, path, from_inside, ret, err);
}

int nook_ns_where_host(const char *state_dir, const char *target, const char *path,
		       struct nook_ns_where_path *ret, struct nook_error *err)
{
	return translate(state_dir, target, path, from_host, ret, err);
}
