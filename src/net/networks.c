/* SPDX-License-Identifier: Apache-2.0 */
/* Finding networks: by name, all of them, and for a container that is about to start. */
#include "networks.h"

#include "base/own.h"
#include "base/text.h"
#include "state/files.h"
#include "store.h"
#include "sys/netlink.h"

#include <errno.h>
#include <string.h>

int nook_net_no_such(int base, const char *name, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	const char **names = NULL;
	char list[300];
	size_t n = 0, len = 0;

	if (base >= 0 && nook_arena_init(&a) == 0)
		(void)nook_net_record_names(base, &a, &names, &n, NULL); /* only a hint */
	for (size_t i = 0; i < n && len + strlen(names[i]) + 6 < sizeof(list); i++)
		len += nook_format(list + len, sizeof(list) - len, i ? ", %s" : "%s", names[i]);
	if (n && len)
		nook_hint(err, n == 1 ? "There is one: %s." : "There are: %s.", list);
	else
		nook_hint(err, "There is none; `nook net new %s` makes it.", name);
	nook_cause(err, "no-such-network", "none of this user's networks has the name");
	return nook_refuse(err, ENOENT, "there is no network %s", name);
}

int nook_net_read_there(int base, const char *name, struct nook_arena *a, struct nook_network *ret,
			struct nook_error *err)
{
	enum nook_net_phase phase;
	struct nook_network n;
	int rc = nook_net_record_read(base, name, a, &n, &phase, err);

	if (rc == 0 && phase != NOOK_NET_THERE)
		return -ENOENT;
	if (rc == 0)
		*ret = n;
	return rc;
}

/* -ENOENT, nothing noted: there is none. @ret_base: STATE_DIR, open where it is there. */
static int look_for(const char *state_dir, const char *name, struct nook_arena *a,
		    struct nook_network *ret, int *ret_base, struct nook_error *err)
{
	int rc = nook_net_check_name(name, err);

	if (rc == 0)
		rc = *ret_base = nook_base_open(state_dir, false, err);
	return rc < 0 ? rc : nook_net_read_there(*ret_base, name, a, ret, err);
}

int nook_net_find(const char *state_dir, const char *name, struct nook_arena *a,
		  struct nook_network *ret, struct nook_error *err)
{
	auto_close int base = NO_FD;
	int rc = look_for(state_dir, name, a, ret, &base, err);

	return rc == -ENOENT ? nook_net_no_such(base, name, err) : rc;
}

int nook_net_list(const char *state_dir, struct nook_arena *a, struct nook_network **ret,
		  size_t *ret_n, struct nook_error *err)
{
	const char **names = NULL;
	size_t n = 0, found = 0;
	auto_close int base = nook_base_open(state_dir, false, err);
	int rc = base;

	if (base >= 0)
		rc = nook_net_record_names(base, a, &names, &n, err);
	if (rc < 0 && rc != -ENOENT)
		return rc;

	struct nook_network *list = nook_alloc_array(a, n, sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		rc = nook_net_read_there(base, names[i], a, &list[found], err);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		found += rc == 0;
	}
	*ret = list;
	*ret_n = found;
	return 0;
}

/* ---- for a container ---- */

/* What can't be asked is taken for missing: to restore it then says why. */
bool nook_net_is_there(const struct nook_network *n)
{
	auto_close int fd = nook_nl_open();

	return fd >= 0 && nook_nl_index(fd, n->bridge) > 0;
}

/* With the lock, so that of several who find something missing one makes it. */
static int find_slowly(int base, const char *name, struct nook_arena *a, struct nook_network *ret,
		       struct nook_error *err)
{
	const struct nook_network_spec spec = { .name = name };
	auto_close int lock = nook_net_lock(base, err);
	int rc = lock < 0 ? lock : nook_net_settle(base, err);

	if (rc == 0)
		rc = nook_net_read_there(base, name, a, ret, err);
	if (rc == 0 && !nook_net_is_there(ret))
		return nook_net_restore(ret, err);
	if (rc != -ENOENT)
		return rc;
	return strcmp(name, NOOK_NET_DEFAULT) == 0 ? nook_net_make(base, &spec, a, ret, err)
						   : nook_net_no_such(base, name, err);
}

int nook_net_for_run(const char *state_dir, const char *name, struct nook_arena *a,
		     struct nook_network *ret, struct nook_error *err)
{
	const char *known = strcmp(name, "bridge") == 0 ? NOOK_NET_DEFAULT : name;
	bool is_default = strcmp(known, NOOK_NET_DEFAULT) == 0;
	int rc = nook_net_check_name(known, err);

	if (rc < 0)
		return rc;
	auto_close int base = nook_base_open(state_dir, is_default, err);

	if (base == -ENOENT)
		return nook_net_no_such(NO_FD, known, err);
	if (base < 0)
		return base;

	rc = nook_net_read_there(base, known, a, ret, err);
	if (rc == 0 && nook_net_is_there(ret))
		return 0;
	return rc == 0 || rc == -ENOENT ? find_slowly(base, known, a, ret, err) : rc;
}

int nook_net_for_plan(const char *state_dir, const char *name, struct nook_arena *a,
		      struct nook_network *ret, struct nook_error *err)
{
	const struct nook_network_spec spec = { .name = name };
	auto_close int base = NO_FD;
	int rc = look_for(state_dir, name, a, ret, &base, err);

	if (rc != -ENOENT)
		return rc;
	return strcmp(name, NOOK_NET_DEFAULT) == 0 ? nook_net_draft(base, &spec, a, ret, err)
						   : nook_net_no_such(base, name, err);
}
