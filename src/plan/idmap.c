/* SPDX-License-Identifier: Apache-2.0 */
/* Which ids of ours the container's ids are. */
#include "idmap.h"

#include "base/text.h"
#include "parts.h"
#include "state/state.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>

static bool overlap(uint32_t a, uint32_t b, uint32_t a_count, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static int check_line(const struct nook_idmap *map, size_t i, struct nook_error *err)
{
	const struct nook_idmap *l = &map[i];

	if (l->count == 0)
		return nook_refuse(err, EINVAL, "entry %zu maps no ids", i);
	/* chown(2) reads -1 as "no change", so the last id can't be mapped. */
	if ((uint64_t)l->inside + l->count > 0xffffffffu ||
	    (uint64_t)l->outside + l->count > 0xffffffffu)
		return nook_refuse(err, EINVAL, "entry %zu passes the last id, 4294967294", i);

	for (size_t j = 0; j < i; j++) {
		if (overlap(l->inside, map[j].inside, l->count, map[j].count) ||
		    overlap(l->outside, map[j].outside, l->count, map[j].count))
			return nook_refuse(err, EINVAL, "entries %zu and %zu overlap", j, i);
	}
	return 0;
}

int nook_idmap_format(const struct nook_idmap *map, size_t n, char *out, size_t size,
		      struct nook_error *err)
{
	size_t len = 0;

	if (n == 0)
		return nook_refuse(err, EINVAL, "the map has no entry");
	if (n > NOOK_IDMAP_MAX_LINES)
		return nook_refuse(err, E2BIG, "the map has %zu entries, the kernel takes %d", n,
				   NOOK_IDMAP_MAX_LINES);

	for (size_t i = 0; i < n; i++) {
		int rc = check_line(map, i, err);

		if (rc < 0)
			return rc;
		len += nook_format(out + len, size - len, "%u %u %u\n", map[i].inside,
				   map[i].outside, map[i].count);
		/* The kernel takes less than a page. */
		if (len + 1 >= size || len >= 4096)
			return nook_refuse(
				err, E2BIG,
				"the map is longer than the 4095 bytes the kernel takes");
	}
	return (int)len;
}

bool nook_idmap_covers(const struct nook_idmap *map, size_t n, uint32_t inside)
{
	for (size_t i = 0; i < n; i++) {
		if (inside >= map[i].inside && inside - map[i].inside < map[i].count)
			return true;
	}
	return false;
}

/* What both maps look like before they are text. */
struct maps {
	struct nook_idmap *uid, *gid;
	size_t n_uid, n_gid;
};

static void own_id(struct nook_planner *p, struct nook_idmap **map, size_t *n, uint32_t id)
{
	*map = NULL;
	*n = 0;
	*nook_append(p->arena, *map, *n) = (struct nook_idmap){ 0, id, 1 };
}

/* The caller is root inside, and the ids 1, 2, … are its subordinate ranges one after the other,
 * 65,536 in all. */
static void own_and_ranges(struct nook_planner *p, struct nook_idmap **map, size_t *n, uint32_t id,
			   const struct nook_id_range *ranges, size_t n_ranges)
{
	uint32_t inside = 1;

	own_id(p, map, n, id);
	for (size_t i = 0; i < n_ranges && inside < NOOK_RANGE_SIZE; i++) {
		uint32_t count = ranges[i].count;

		if (count > NOOK_RANGE_SIZE - inside)
			count = NOOK_RANGE_SIZE - inside;
		if (count == 0)
			continue;
		*nook_append(p->arena, *map, *n) =
			(struct nook_idmap){ inside, ranges[i].first, count };
		inside += count;
	}
}

/* Every id that we have, under its own number. */
static void all_own(struct nook_planner *p, struct nook_idmap **map, size_t *n,
		    const struct nook_id_range *ranges, size_t n_ranges)
{
	*map = NULL;
	*n = 0;
	for (size_t i = 0; i < n_ranges; i++)
		*nook_append(p->arena, *map, *n) =
			(struct nook_idmap){ ranges[i].first, ranges[i].first, ranges[i].count };
}

static bool may_map_anything(const struct nook_host *h)
{
	uint64_t need = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;

	return (h->caps & need) == need;
}

static bool is_own_only(const struct nook_idmap *map, size_t n, uint32_t id)
{
	return n == 1 && map[0].outside == id && map[0].count == 1;
}

static int by_hand(struct nook_planner *p, struct maps *m)
{
	const struct nook_spec *s = p->spec;
	const struct nook_host *h = p->host;

	*m = (struct maps){ s->uid_map, s->gid_map, s->n_uid_map, s->n_gid_map };
	if (!m->n_uid)
		own_id(p, &m->uid, &m->n_uid, h->euid);
	if (!m->n_gid)
		own_id(p, &m->gid, &m->n_gid, h->egid);

	if (may_map_anything(h)) {
		p->plan->userns.writer = NOOK_IDMAP_DIRECT;
		return 0;
	}
	if (is_own_only(m->uid, m->n_uid, h->euid) && is_own_only(m->gid, m->n_gid, h->egid)) {
		p->plan->userns.writer = NOOK_IDMAP_DIRECT;
		p->plan->userns.deny_setgroups = true;
		return 0;
	}
	if (!h->newuidmap || !h->newgidmap) {
		nook_where(p->err, "%s", s->uid_map_from ? s->uid_map_from : s->gid_map_from);
		nook_cause(p->err, "setuid-helper-missing",
			   "an ordinary user's map of other ids is written by newuidmap and "
			   "newgidmap, which "
			   "are not installed");
		nook_hint(p->err, "install them (Debian: apt install uidmap)");
		return nook_refuse(p->err, ENOENT, "newuidmap or newgidmap is missing");
	}
	p->plan->userns.writer = NOOK_IDMAP_HELPER;
	return 0;
}

static int by_default(struct nook_planner *p, struct maps *m)
{
	const struct nook_host *h = p->host;
	struct nook_plan_userns *u = &p->plan->userns;

	u->writer = NOOK_IDMAP_DIRECT;
	if (may_map_anything(h) && h->initial_userns) {
		if (!h->free_range) {
			nook_cause(p->err, "range-exhausted",
				   "every range of 65,536 ids is in use");
			nook_hint(p->err,
				  "end a container that is not needed (`nook ps`), or choose "
				  "the ids by --uid-map and --gid-map");
			return nook_refuse(p->err, EUSERS,
					   "no range of ids is free for the container");
		}
		u->range = h->free_range;
		m->uid = m->gid = NULL;
		m->n_uid = m->n_gid = 0;
		*nook_append(p->arena, m->uid, m->n_uid) =
			(struct nook_idmap){ 0, u->range, NOOK_RANGE_SIZE };
		*nook_append(p->arena, m->gid, m->n_gid) =
			(struct nook_idmap){ 0, u->range, NOOK_RANGE_SIZE };
		return 0;
	}
	if (h->n_own_uids && h->n_own_gids) {
		all_own(p, &m->uid, &m->n_uid, h->own_uids, h->n_own_uids);
		all_own(p, &m->gid, &m->n_gid, h->own_gids, h->n_own_gids);
		return 0;
	}
	if (h->n_subuid && h->n_subgid && h->newuidmap && h->newgidmap) {
		u->writer = NOOK_IDMAP_HELPER;
		own_and_ranges(p, &m->uid, &m->n_uid, h->euid, h->subuid, h->n_subuid);
		own_and_ranges(p, &m->gid, &m->n_gid, h->egid, h->subgid, h->n_subgid);
		return 0;
	}
	own_id(p, &m->uid, &m->n_uid, h->euid);
	own_id(p, &m->gid, &m->n_gid, h->egid);
	u->deny_setgroups = true;
	return 0;
}

static int check_covered(struct nook_planner *p, const struct maps *m)
{
	const struct nook_account *a = &p->host->account;

	if (nook_idmap_covers(m->uid, m->n_uid, 0) && nook_idmap_covers(m->gid, m->n_gid, 0) &&
	    nook_idmap_covers(m->uid, m->n_uid, a->uid) &&
	    nook_idmap_covers(m->gid, m->n_gid, a->gid))
		return 0;

	const char *from = p->spec->user_from ? p->spec->user_from : p->spec->group_from;

	if (p->spec->uid_map_from || p->spec->gid_map_from)
		from = p->spec->uid_map_from ? p->spec->uid_map_from : p->spec->gid_map_from;
	if (from)
		nook_where(p->err, "%s", from);
	if (!nook_idmap_covers(m->uid, m->n_uid, 0) || !nook_idmap_covers(m->gid, m->n_gid, 0)) {
		nook_cause(p->err, "id-not-mapped",
			   "the container is set up by its root, and the map has no id 0");
		nook_hint(p->err, "map id 0 too; --user chooses whom the program runs as");
		return nook_refuse(p->err, EINVAL, "the id map covers no root inside");
	}
	if (p->host->euid != 0 && p->host->n_subuid && p->host->n_subgid &&
	    !(p->host->newuidmap && p->host->newgidmap)) {
		nook_cause(p->err, "setuid-helper-missing",
			   "%s is not installed, so that the ranges of /etc/subuid and /etc/subgid "
			   "can't be mapped, and the container has one id only: its root",
			   p->host->newuidmap ? "newgidmap" : "newuidmap");
		nook_hint(p->err, "install it (Debian: apt install uidmap)");
	} else if (p->host->n_subuid || p->host->euid == 0) {
		nook_cause(p->err, "id-not-mapped",
			   "the map of the container's user namespace has no id %u:%u", a->uid,
			   a->gid);
		nook_hint(p->err,
			  "choose an id that is mapped, or map it by --uid-map and --gid-map");
	} else {
		nook_cause(p->err, "no-subid-range",
			   "/etc/subuid and /etc/subgid have no range for uid %u, so the container "
			   "has one id only: "
			   "its root",
			   p->host->euid);
		nook_hint(p->err,
			  "ask root for one: usermod --add-subuids 100000-165535 --add-subgids "
			  "100000-165535 USER");
	}
	return nook_refuse(p->err, EINVAL,
			   "user %u:%u does not exist in the container's user namespace", a->uid,
			   a->gid);
}

int nook_plan_idmap(struct nook_planner *p)
{
	struct nook_plan_userns *u = &p->plan->userns;
	struct maps m;
	char text[4097];

	if (!(p->plan->clone_flags & CLONE_NEWUSER))
		return 0;

	int rc = p->spec->n_uid_map || p->spec->n_gid_map ? by_hand(p, &m) : by_default(p, &m);

	if (rc < 0)
		return rc;

	rc = nook_idmap_format(m.uid, m.n_uid, text, sizeof(text), p->err);
	if (rc >= 0) {
		u->uid_map = nook_strdup(p->arena, text);
		rc = nook_idmap_format(m.gid, m.n_gid, text, sizeof(text), p->err);
	}
	if (rc < 0) {
		const char *from = u->uid_map ? p->spec->gid_map_from : p->spec->uid_map_from;

		if (from)
			nook_where(p->err, "%s", from);
		return rc;
	}
	u->gid_map = nook_strdup(p->arena, text);
	p->gid_map = m.gid;
	p->n_gid_map = m.n_gid;
	u->newuidmap = p->host->newuidmap;
	u->newgidmap = p->host->newgidmap;
	return check_covered(p, &m);
}
