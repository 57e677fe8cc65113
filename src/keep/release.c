/* SPDX-License-Identifier: Apache-2.0 */
/* nook ns rm. */
#include "names.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

static const struct nook_ns_held *find_held(const struct nook_ns_name *n, enum nook_ns_kind kind)
{
	for (size_t i = 0; i < n->n_held; i++) {
		if (n->held[i].kind == kind)
			return &n->held[i];
	}
	return NULL;
}

/* The holder is pid 1 of a pid namespace, and its end the end of all in there. */
static int check_pid_1(const struct nook_ns_name *n, struct nook_arena *a, struct nook_error *err)
{
	const struct nook_ns_held *pid = find_held(n, NOOK_NS_PID);
	struct nook_ns_user *users = NULL;
	size_t n_users = 0, hidden = 0;
	size_t len = 0;
	char text[200] = "";

	if (!pid || pid->how != NOOK_NS_HOLD_PROCESS || !pid->there)
		return 0;

	int rc = nook_pins_users(n, a, &users, &n_users, &hidden, err);

	for (size_t i = 0; rc == 0 && i < n_users && len < sizeof(text) - 20; i++) {
		if (users[i].kinds & NOOK_NS_BIT(NOOK_NS_PID))
			len += nook_format(text + len, sizeof(text) - len, "%s%d", len ? ", " : "",
					   users[i].pid);
	}
	if (rc < 0 || !len)
		return rc;

	nook_hint(err, "`nook ns rm --force %s` ends them.", n->name);
	return nook_refuse(err, EBUSY,
			   "processes are in the pid namespace of %s, and would end with it: %s",
			   n->name, text);
}

static int release_foreign(const struct nook_ns_name *n, bool force, struct nook_error *err)
{
	if (!force) {
		nook_hint(err, "ip netns del %s; or: nook ns rm --force %s", n->name, n->name);
		return nook_refuse(err, EBUSY, "%s was made by `ip netns`, not by nook", n->name);
	}
	return nook_netns_unmount(n->name, n->held[0].ino, err);
}

/* Nobody can use it, but what it names by its name alone can be removed. */
static int release_garbled(struct nook_pins *p, bool force, struct nook_error *err)
{
	const struct nook_ns_name known = { .name = p->name };

	if (!force)
		return -EBADMSG;
	if (err)
		memset(err, 0, sizeof(*err));
	return nook_naming_undo(p, &known, err);
}

static int release(struct nook_pins *p, bool force, struct nook_arena *a, struct nook_ns_name *n,
		   struct nook_error *err)
{
	int rc = nook_pins_lock(p, err);

	if (rc == 0)
		rc = nook_pins_read(p, p->name, a, n, err);
	if (rc == -EBADMSG)
		return release_garbled(p, force, err);
	if (rc < 0)
		return rc;
	nook_pins_look(n);
	if (!force)
		rc = check_pid_1(n, a, err);
	return rc < 0 ? rc : nook_naming_undo(p, n, err);
}

int nook_ns_release(const char *state_dir, const char *name, bool force, struct nook_arena *a,
		    struct nook_ns_user **ret, size_t *ret_n, struct nook_error *err)
{
	struct nook_pins p = NOOK_PINS_CLOSED;
	struct nook_ns_name n = { 0 };
	size_t hidden = 0;
	int rc = nook_pins_check_name(name, err);

	if (rc < 0)
		return rc;

	rc = nook_pins_open(state_dir, name, false, &p, err);
	if (rc == 0)
		rc = release(&p, force, a, &n, err);
	nook_pins_close(&p);
	if (rc == -ENOENT) {
		rc = nook_ns_name_find(state_dir, name, a, &n, err);
		if (rc == 0)
			rc = n.foreign ? release_foreign(&n, force, err)
				       : nook_refuse(err, EAGAIN, "%s was made just now", name);
	}
	if (rc < 0)
		return rc;

	*ret = NULL;
	*ret_n = 0;
	/* Only now: what was held by nook alone is gone. */
	return n.n_held ? nook_pins_users(&n, a, ret, ret_n, &hidden, err) : 0;
}
