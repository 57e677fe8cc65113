/* SPDX-License-Identifier: Apache-2.0 */
/* What is written down of containers' networks, where it is not what they have. */
#include "net_repair.h"

#include "base/own.h"
#include "base/text.h"
#include "net/net.h"
#include "state/files.h"

#include <errno.h>

static void tell(const struct nook_repair_records *r, const char *container, const char *what)
{
	if (r->fn)
		r->fn(r->data, NULL, container, what);
}

/* Of a dead container all that it holds can be found and undone without it. Of a living one it is
 * not known what it has: that stays. */
static int undo_unread(const struct nook_repair_records *r, const char *name,
		       struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open(r->state_dir, name, false, &s, err);

	if (rc < 0)
		return rc;
	rc = nook_lock_take(&s, NULL);
	if (rc < 0) {
		nook_state_close(&s);
		nook_hint(err, "`nook rm --force %s` ends it, and removes what it has", name);
		return nook_refuse(err, EBUSY,
				   "what container %s has of networks can't be read, and it runs",
				   name);
	}
	rc = nook_state_clear(&s, err);
	if (rc < 0) {
		nook_state_close(&s);
		return rc;
	}
	rc = nook_state_drop(&s, err);
	if (rc == 0)
		tell(r, name, "what was left of it: its networks can't be read");
	return rc;
}

/* Somebody was killed between writing down and taking it, or taking it back. */
static int drop_ports(const struct nook_repair_records *r, const char *container, size_t *ret_n,
		      struct nook_error *err)
{
	auto_close int lock = nook_attached_lock(r->base, container, err);
	struct nook_attached at;
	size_t kept = 0;
	int rc = lock < 0 ? lock : nook_attached_read(r->base, container, r->a, &at, err);

	*ret_n = 0;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;

	struct nook_state s = nook_state_of(r->base, container);

	for (size_t i = 0; i < at.n_ports && rc == 0; i++) {
		if (nook_ports_are_mine(&s, &at.ports[i], 1))
			at.ports[kept++] = at.ports[i];
		else
			rc = nook_ports_release(&s, &at.ports[i], 1, err);
	}
	*ret_n = at.n_ports - kept;
	at.n_ports = kept;
	return rc == 0 && *ret_n ? nook_attached_write(r->base, &at, err) : rc;
}

static int mend_ports(const struct nook_repair_records *r, const struct nook_attached *c,
		      struct nook_error *err)
{
	struct nook_record record;
	enum nook_life life = NOOK_LIFE_GONE;
	size_t n = 0;
	struct nook_state s = nook_state_of(r->base, c->container);

	if (nook_ports_are_mine(&s, c->ports, c->n_ports) ||
	    nook_state_read(r->state_dir, c->container, r->a, &record, &life, NULL) < 0 ||
	    life != NOOK_LIFE_RUNNING) /* one that starts takes them in a moment */
		return 0;

	int rc = drop_ports(r, c->container, &n, err);

	if (rc == 0 && n)
		tell(r, c->container, "a port that was not published to its end");
	return rc;
}

int nook_net_repair_records(struct nook_repair_records *r, struct nook_error *err)
{
	struct nook_attached *all;
	struct nook_names unread = { 0 };
	size_t n = 0;
	int first = nook_attached_list(r->base, r->a, &all, &n, &unread, err);

	r->unsure = false;
	if (first < 0)
		return first;
	for (size_t i = 0; i < unread.n; i++) {
		int rc = undo_unread(r, unread.of[i], first ? NULL : err);

		r->unsure |= rc < 0;
		first = first ? first : rc;
	}
	for (size_t i = 0; i < n; i++) {
		int rc = mend_ports(r, &all[i], first ? NULL : err);

		first = first ? first : rc;
	}
	return first;
}
