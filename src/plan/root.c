/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system: where its layers come from, and what of the host's is not shown. */
#include "parts.h"

#include "base/text.h"
#include "idmap.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>

/* Overlay takes 500 layers: OVL_MAX_STACK in the kernel's fs/overlayfs. */
enum { MAX_LAYERS = 500 };

bool nook_plan_idmaps_mounts(const struct nook_planner *p)
{
	const struct nook_host *h = p->host;

	return (p->plan->clone_flags & CLONE_NEWUSER) && h->initial_userns &&
	       (h->caps & (1ULL << CAP_SYS_ADMIN));
}

/* @idmap: its file system can; where it can't, the host's ids show as nobody's. */
static unsigned add_layer(struct nook_planner *p, const char *path, bool idmap, const char *from)
{
	return nook_plan_add_source(p, (struct nook_plan_source){
					       .path = path,
					       .idmap = idmap && nook_plan_idmaps_mounts(p),
					       .attrs = MOUNT_ATTR_NODEV,
					       .from = from,
				       });
}

static struct nook_plan_overlay *add_overlay(struct nook_planner *p, const char *target)
{
	struct nook_plan_overlay *o = nook_append(p->arena, p->plan->overlays, p->plan->n_overlays);

	o->target = target;
	return o;
}

/* The overlay whose mount point is the longest beginning of @path. */
static unsigned overlay_of(const struct nook_planner *p, const char *path, const char **ret_below)
{
	unsigned best = 0;
	size_t best_len = 0;

	for (unsigned i = 1; i < p->plan->n_overlays; i++) {
		const char *target = p->plan->overlays[i].target;
		const char *rest = nook_after(path, target);

		if (rest && (*rest == '/' || !*rest) && strlen(target) > best_len) {
			best = i;
			best_len = strlen(target);
		}
	}
	*ret_below = path + best_len;
	*ret_below += strspn(*ret_below, "/");
	return best;
}

static struct nook_plan_shade *add_shade(struct nook_planner *p, enum nook_shade_kind kind,
					 unsigned layer, const char *path)
{
	const char *below;
	unsigned overlay = overlay_of(p, path, &below);
	struct nook_plan_shade *s = nook_append(p->arena, p->plan->shades, p->plan->n_shades);

	*s = (struct nook_plan_shade){
		.kind = kind, .overlay = overlay, .layer = layer, .path = below
	};
	p->plan->overlays[overlay].shaded = true;
	return s;
}

/* Before Linux 5.19 overlay takes no idmapped layer: then it is as with a file system that can't.
 */
static bool idmaps_layer(const struct nook_planner *p, bool by_file_system)
{
	return by_file_system && p->host->feature[NOOK_FEATURE_OVERLAY_IDMAP];
}

/* How an owner on disk looks inside: idmapped mounts keep the number; else all that is not the
 * caller's is root's. */
static uint32_t id_inside(const struct nook_planner *p, uint32_t id)
{
	if (!p->plan->own_userns)
		return id;
	return nook_plan_idmaps_mounts(p) && idmaps_layer(p, p->host->root_idmap) &&
			       nook_idmap_covers(p->gid_map, p->n_gid_map, id)
		       ? id
		       : 0;
}

static bool is_parent_of(const char *dir, const char *path)
{
	const char *rest = nook_after(path, dir);

	return rest && (*rest == '/' || (dir[0] == '/' && !dir[1] && *rest));
}

static bool has_whiteout_below(const struct nook_planner *p, const char *dir)
{
	for (size_t i = 0; i < p->host->n_secrets; i++) {
		if (is_parent_of(dir, p->host->secrets[i].path))
			return true;
	}
	return false;
}

static void shade_dirs(struct nook_planner *p)
{
	for (size_t i = 0; i < p->host->n_dirs; i++) {
		const struct nook_host_dir *d = &p->host->dirs[i];
		struct nook_plan_shade *s;

		/* What a merged directory looks like, its topmost layer says: in the lower shade
		 * only the name counts. */
		if (has_whiteout_below(p, d->path))
			add_shade(p, NOOK_SHADE_DIR, 0, d->path)->mode = 0755;
		s = add_shade(p, NOOK_SHADE_DIR, 1, d->path);
		s->mode = d->mode & 07777;
		s->uid = id_inside(p, d->uid);
		s->gid = id_inside(p, d->gid);
	}
}

static void shade_file(struct nook_planner *p, const char *path, uint32_t mode, const char *text,
		       size_t len)
{
	struct nook_plan_shade *s = add_shade(p, NOOK_SHADE_FILE, 1, path);

	s->mode = mode;
	s->text = text;
	s->len = len;
}

static void shade_text(struct nook_planner *p, const char *path, uint32_t mode, const char *text)
{
	shade_file(p, path, mode, text, strlen(text));
}

/* Files that nook writes itself: what the host has there is not copied. */
static bool is_replaced(const struct nook_planner *p, const char *path)
{
	return (p->plan->hostname &&
		(strcmp(path, "/etc/hostname") == 0 || strcmp(path, "/etc/hosts") == 0)) ||
	       (p->host->shadow && strcmp(path, "/etc/shadow") == 0);
}

static bool is_dir_of_host(const struct nook_planner *p, const char *path)
{
	for (size_t i = 0; i < p->host->n_dirs; i++) {
		if (strcmp(p->host->dirs[i].path, path) == 0)
			return true;
	}
	return false;
}

static void shade_secrets(struct nook_planner *p)
{
	for (size_t i = 0; i < p->host->n_secrets; i++) {
		const struct nook_host_secret *s = &p->host->secrets[i];

		add_shade(p, NOOK_SHADE_WHITEOUT, 0, s->path);
		if (s->is_dir) /* an empty directory in its place: programs expect /root */
			add_shade(p, NOOK_SHADE_DIR, 1, s->path)->mode = 0700;
	}
}

static void shade_names(struct nook_planner *p)
{
	const char *host = p->plan->hostname;

	if (!is_dir_of_host(p, "/etc"))
		return;
	if (p->host->shadow)
		shade_text(p, "/etc/shadow", 0600, p->host->shadow);
	if (!host)
		return;
	shade_text(p, "/etc/hostname", 0644, nook_printf(p->arena, "%s\n", host));
	shade_text(p, "/etc/hosts", 0644,
		   nook_printf(p->arena,
			       "127.0.0.1\tlocalhost\n127.0.1.1\t%s\n"
			       "::1\tlocalhost ip6-localhost ip6-loopback\n",
			       host));
}

/* The root is made anew, and what can be copied lies on it: one union a directory. */
static void plan_parts(struct nook_planner *p)
{
	const struct nook_host *h = p->host;
	unsigned *lowers = nook_alloc_array(p->arena, h->n_parts, sizeof(*lowers));

	add_overlay(p, "/")->shaded = true;
	for (size_t i = 0; i < h->n_parts; i++) {
		if (h->parts[i].kind != NOOK_PART_UNION)
			continue;
		struct nook_plan_overlay *o = add_overlay(p, h->parts[i].path);

		lowers[i] = add_layer(p, o->target, false, NULL); /* without rights over mounts */
		o->lowers = &lowers[i];
		o->n_lowers = 1;
	}

	/* Only now is it known which of them lies in which union: all in the first. */
	for (size_t i = 0; i < h->n_parts; i++) {
		const struct nook_host_part *part = &h->parts[i];

		if (part->kind == NOOK_PART_DIR)
			add_shade(p, NOOK_SHADE_DIR, 1, part->path)->mode = part->mode;
		else if (part->kind == NOOK_PART_SYMLINK)
			add_shade(p, NOOK_SHADE_SYMLINK, 1, part->path)->text = part->text;
		else if (part->kind == NOOK_PART_FILE && part->text && !is_replaced(p, part->path))
			shade_file(p, part->path, part->mode, part->text, part->len);
	}
}

static int plan_host_root(struct nook_planner *p)
{
	if (p->host->n_parts) {
		plan_parts(p);
		shade_dirs(p);
		shade_secrets(p);
		shade_names(p);
		return 0;
	}

	struct nook_plan_overlay *root = add_overlay(p, "/");
	unsigned *lower = nook_alloc_array(p->arena, p->host->n_mounts + 1, sizeof(*lower));

	lower[0] = add_layer(p, "/", idmaps_layer(p, p->host->root_idmap), NULL);
	root->lowers = lower;
	root->n_lowers = 1;

	for (size_t i = 0; i < p->host->n_mounts; i++) {
		if (!p->host->mounts[i].is_dir)
			continue;
		struct nook_plan_overlay *o = add_overlay(p, p->host->mounts[i].path);

		lower[i + 1] =
			add_layer(p, o->target, idmaps_layer(p, p->host->mounts[i].idmap), NULL);
		o->lowers = &lower[i + 1];
		o->n_lowers = 1;
	}

	shade_dirs(p);
	shade_secrets(p);
	shade_names(p);
	return 0;
}

static int plan_layers(struct nook_planner *p)
{
	const struct nook_root_spec *r = &p->spec->root;
	unsigned *lowers = nook_alloc_array(p->arena, r->n_layers, sizeof(*lowers));
	struct nook_plan_overlay *o = add_overlay(p, "/");

	if (r->n_layers > MAX_LAYERS) {
		nook_where(p->err, "%s", r->layers[MAX_LAYERS].from);
		return nook_refuse(
			p->err, E2BIG,
			"%zu layers are more than the %d that the kernel's overlay takes",
			r->n_layers, MAX_LAYERS);
	}
	for (size_t i = 0; i < r->n_layers; i++)
		lowers[i] = add_layer(p, r->layers[i].path, true, r->layers[i].from);
	o->lowers = lowers;
	o->n_lowers = r->n_layers;
	o->from = r->layers[0].from;
	return 0;
}

/* Idmapped layers came with Linux 5.19: before it, the container's root could not read all of a
 * user's own layers, nor write what is to be kept. The host's root is to be looked at, and is shown
 * as nobody's. */
static int check_kernel(struct nook_planner *p)
{
	if (p->plan->root_how != NOOK_PLAN_ROOT_OVERLAY || !nook_plan_idmaps_mounts(p) ||
	    (p->spec->root.kind == NOOK_ROOT_HOST && !p->spec->root.changes.path) ||
	    p->host->feature[NOOK_FEATURE_OVERLAY_IDMAP])
		return 0;

	nook_cause(p->err, "kernel-too-old",
		   "overlay takes idmapped layers since Linux 5.19, and this is %s",
		   p->host->release);
	nook_hint(p->err, "use --root DIR, or --userns host, which gives up the ids of its own");
	return nook_refuse(p->err, ENOSYS,
			   "this kernel can't show the layers with the container's own ids");
}

int nook_plan_root(struct nook_planner *p)
{
	const struct nook_root_spec *r = &p->spec->root;
	struct nook_plan *plan = p->plan;

	/* Only root's rights reach into another mount namespace; else the stage opens them in its
	 * copy. */
	plan->sources_outside =
		p->host->initial_userns && (p->host->caps & (1ULL << CAP_SYS_ADMIN));
	plan->overlay_by_fsconfig = p->host->feature[NOOK_FEATURE_OVERLAY_LOWERDIR_ADD];
	plan->root_read_only = r->read_only;

	if (!nook_plan_is_new(p, NOOK_NS_MNT)) {
		plan->root_how = NOOK_PLAN_ROOT_KEEP;
		plan->root_read_only = false;
		return 0;
	}

	int rc = 0;

	switch (r->kind) {
	case NOOK_ROOT_HOST:
		plan->root_how = NOOK_PLAN_ROOT_OVERLAY;
		rc = plan_host_root(p);
		break;
	case NOOK_ROOT_LAYERS:
		plan->root_how = NOOK_PLAN_ROOT_OVERLAY;
		rc = plan_layers(p);
		break;
	case NOOK_ROOT_DIR:
		plan->root_how = NOOK_PLAN_ROOT_BIND;
		plan->root_source = add_layer(p, r->dir.path, true, r->dir.from);
		plan->sources[plan->root_source].recursive = true;
		break;
	}
	if (rc < 0)
		return rc;

	if (r->changes.path) {
		plan->has_changes = true;
		plan->changes_source = add_layer(p, r->changes.path, true, r->changes.from);
	}
	/* A plain directory needs no place to be built, where masks can be cloned off a mount that
	 * is nowhere. */
	plan->scratch = plan->root_how == NOOK_PLAN_ROOT_OVERLAY ||
			!p->host->feature[NOOK_FEATURE_DETACHED_CLONE];
	return check_kernel(p);
}
