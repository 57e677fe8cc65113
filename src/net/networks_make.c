/* SPDX-License-Identifier: Apache-2.0 */
/* Making networks, and taking them apart. A record stands before the first object of the kernel,
 * and goes after the last. */
#include "networks.h"
#include "outside.h"

#include "base/own.h"
#include "base/text.h"
#include "claims.h"
#include "leases.h"
#include "names.h"
#include "state/files.h"
#include "store.h"
#include "subnet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- what was asked ---- */

static int check_mtu(const struct nook_network_spec *spec, struct nook_error *err)
{
	bool only_v4 = spec->subnet[NOOK_NET_V4].family && !spec->subnet[NOOK_NET_V6].family;

	if (spec->mtu == 0)
		return 0;
	if (spec->mtu < NOOK_NET_MTU_MIN || spec->mtu > NOOK_NET_MTU_MAX) {
		nook_where(err, "--mtu %u", spec->mtu);
		return nook_refuse(err, EINVAL, "a link's MTU is from %u to %u bytes",
				   NOOK_NET_MTU_MIN, NOOK_NET_MTU_MAX);
	}
	if (spec->mtu < NOOK_NET_MTU_V6 && !only_v4) {
		nook_where(err, "--mtu %u", spec->mtu);
		nook_hint(err, "With an IPv4 --subnet and no other the network has no IPv6.");
		return nook_refuse(err, EINVAL, "IPv6 needs an MTU of %u bytes or more",
				   NOOK_NET_MTU_V6);
	}
	return 0;
}

/* What the library's callers filled in goes the way that words go. */
static int check_subnets(const struct nook_network_spec *spec, struct nook_error *err)
{
	static const uint8_t families[] = { [NOOK_NET_V4] = AF_INET, [NOOK_NET_V6] = AF_INET6 };

	for (int i = 0; i < NOOK_NET_FAMILIES; i++) {
		const struct nook_net_addr *wanted = &spec->subnet[i];
		struct nook_net_addr read;
		char text[NOOK_NET_TEXT];

		if (!wanted->family)
			continue;
		if (wanted->family != families[i])
			return nook_refuse(err, EINVAL, "a subnet of another family");
		if (spec->subnet_from[i])
			nook_where(err, "%s", spec->subnet_from[i]);
		int rc = nook_net_parse_subnet(nook_net_text_prefix(wanted, text), &read, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_spec(const struct nook_network_spec *spec, struct nook_error *err)
{
	struct nook_error place = { 0 };
	int rc = nook_net_check_name(spec->name, err);

	if (rc == 0)
		rc = check_mtu(spec, err);
	if (rc == 0)
		rc = check_subnets(spec, &place);
	if (rc < 0 && place.errnum && err)
		*err = place;
	return rc;
}

static int set_subnets(const struct nook_network_spec *spec, const struct nook_network *others,
		       size_t n, struct nook_network *ret, struct nook_error *err)
{
	int rc = 0;
	bool any = spec->subnet[NOOK_NET_V4].family || spec->subnet[NOOK_NET_V6].family;

	for (int i = 0; i < NOOK_NET_FAMILIES && rc == 0; i++) {
		ret->subnet[i] = spec->subnet[i];
		if (spec->subnet[i].family)
			rc = nook_subnet_check(&spec->subnet[i], spec->subnet_from[i], others, n,
					       err);
	}
	if (rc == 0 && !any)
		rc = nook_subnet_choose(others, n, &ret->subnet[NOOK_NET_V4], err);
	if (rc == 0 && !any && nook_subnet_have_v6())
		rc = nook_subnet_choose_v6(&ret->subnet[NOOK_NET_V6], err);
	if (rc == 0)
		nook_net_set_gateways(ret);
	return rc;
}

/* ---- making ---- */

int nook_net_restore(const struct nook_network *network, struct nook_error *err)
{
	int rc = nook_link_bridge(network, err);

	return rc < 0 ? rc : nook_rules_network(network, err);
}

static int all_records(int base, struct nook_arena *a, struct nook_network **ret, size_t *ret_n,
		       struct nook_error *err)
{
	const char **names = NULL;
	size_t n = 0, found = 0;
	int rc = nook_net_record_names(base, a, &names, &n, err);
	struct nook_network *list = rc < 0 ? NULL : nook_alloc_array(a, n, sizeof(*list));

	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = nook_net_read_there(base, names[i], a, &list[found], err);
		found += rc == 0;
		rc = rc == -ENOENT ? 0 : rc;
	}
	*ret = list;
	*ret_n = found;
	return rc;
}

/* The kernel's objects, the record before and behind. */
static int make_all(int base, const struct nook_network *n, struct nook_error *err)
{
	int rc = nook_net_record_write(base, n, NOOK_NET_MAKING, err);

	if (rc == 0)
		rc = nook_net_restore(n, err);
	if (rc == 0)
		rc = nook_net_record_write(base, n, NOOK_NET_THERE, err);
	return rc;
}

int nook_net_draft(int base, const struct nook_network_spec *spec, struct nook_arena *a,
		   struct nook_network *ret, struct nook_error *err)
{
	struct nook_network *others = NULL;
	char bridge[16];
	size_t n_others = 0;
	int rc = base < 0 ? 0 : all_records(base, a, &others, &n_others, err);

	*ret = (struct nook_network){ .name = nook_strdup(a, spec->name),
				      .internal = spec->internal,
				      .no_nat = spec->no_nat,
				      .mtu = spec->mtu,
				      .created = (int64_t)time(NULL) };
	nook_net_bridge_name(spec->name, bridge);
	ret->bridge = nook_strdup(a, bridge);
	return rc < 0 ? rc : set_subnets(spec, others, n_others, ret, err);
}

int nook_net_make(int base, const struct nook_network_spec *spec, struct nook_arena *a,
		  struct nook_network *ret, struct nook_error *err)
{
	struct nook_network n;
	struct nook_error left = { 0 };
	int rc = nook_net_draft(base, spec, a, &n, err);

	if (rc < 0)
		return rc;
	rc = make_all(base, &n, err);
	if (rc == 0) {
		*ret = n;
		return 0;
	}
	/* Who may not make a link may not look for rules either, and has made nothing. What can't
	 * be removed now is settled by the next who takes the lock: the record says so. */
	int undone = nook_net_take_apart(base, &n, &left);

	if (undone == -EPERM && rc == -EPERM)
		undone = nook_net_record_delete(base, n.name, &left);
	if (undone < 0)
		nook_hint(err, "`nook net rm --force %s` removes what is left of it: %s", n.name,
			  left.why);
	return rc;
}

static int make_new(int base, const struct nook_network_spec *spec, struct nook_arena *a,
		    struct nook_network *ret, struct nook_error *err)
{
	auto_close int lock = nook_net_lock(base, err);
	enum nook_net_phase phase;
	struct nook_network there;
	int rc = lock < 0 ? lock : nook_net_settle(base, err);

	if (rc < 0)
		return rc;
	rc = nook_net_record_read(base, spec->name, a, &there, &phase, err);
	if (rc == -ENOENT)
		return nook_net_make(base, spec, a, ret, err);
	if (rc < 0)
		return rc;
	nook_hint(err, "`nook net show %s` tells of it; `nook net rm %s` removes it.", spec->name,
		  spec->name);
	return nook_refuse(err, EEXIST, "there is a network %s already", spec->name);
}

int nook_net_new(const char *state_dir, const struct nook_network_spec *spec, struct nook_arena *a,
		 struct nook_network *ret, struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_network made;
	int rc = check_spec(spec, err);

	if (rc == 0)
		rc = nook_arena_open(&scratch, err);
	if (rc < 0)
		return rc;
	auto_close int base = nook_base_open(state_dir, true, err);

	if (base < 0)
		return base;
	rc = make_new(base, spec, ret ? a : &scratch, &made, err);
	if (rc == 0 && ret)
		*ret = made;
	return rc;
}

/* ---- taking apart ---- */

/* Nobody alive has one any more: the network was looked at before, and it has no bridge now. */
static int drop_lease(void *data, const char *file, const struct nook_net_addr *addr,
		      struct nook_error *err)
{
	const int *folder = data;

	if (unlinkat(*folder, file, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink net/addresses/%s in the state directory",
				 file);
	return 0;
}

static int drop_leases(int base, const char *name, struct nook_error *err)
{
	auto_close int folder = nook_net_folder(base, NOOK_CLAIM_ADDRESSES, false, err);

	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	return nook_leases_each(base, name, true, drop_lease, &folder, err);
}

int nook_net_take_apart(int base, const struct nook_network *network, struct nook_error *err)
{
	bool here = !nook_net_homeless();
	int rc = here ? nook_rules_network_remove(network, err) : 0;

	if (rc == 0 && here)
		rc = nook_link_bridge_remove(network, err);
	if (rc == 0)
		rc = nook_hosts_remove(base, network->name, err);
	if (rc == 0)
		rc = drop_leases(base, network->name, err);
	return rc < 0 ? rc : nook_net_record_delete(base, network->name, err);
}

/* Of somebody who was killed between looking who is on it and removing it. */
static int settle(int base, const struct nook_network *network, enum nook_net_phase phase,
		  struct nook_error *err)
{
	bool used = false;
	int rc = phase == NOOK_NET_REMOVING ? nook_net_is_used(base, network->name, &used, err) : 0;

	if (rc < 0)
		return rc;
	if (!used)
		return nook_net_take_apart(base, network, err);
	rc = nook_net_restore(network, err);
	return rc < 0 ? rc : nook_net_record_write(base, network, NOOK_NET_THERE, err);
}

int nook_net_settle(int base, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	const char **names = NULL;
	size_t n = 0;
	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = nook_net_record_names(base, &a, &names, &n, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		enum nook_net_phase phase;
		struct nook_network network;
		int read = nook_net_record_read(base, names[i], &a, &network, &phase, NULL);

		/* One that can't be read is no reason to refuse all others. */
		if (read == 0 && phase != NOOK_NET_THERE)
			rc = settle(base, &network, phase, err);
	}
	return rc;
}
