/* SPDX-License-Identifier: Apache-2.0 */
/* What a container on networks needs to know: the networks, addresses that are free there, and
 * where names are looked up. */
#include "probe_net.h"

#include "base/own.h"
#include "net/leases.h"
#include "net/names.h"
#include "net/net.h"

#include "base/text.h"
#include "read.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

/* An address that was asked for is checked now, before anything starts; the plan knows whether it
 * is one of the network at all. */
static int find_addresses(struct nook_prober *p, const struct nook_link_spec *s,
			  struct nook_host_link *ret)
{
	const char *state_dir = p->host->state_dir;
	int rc = 0;

	for (unsigned f = 0; rc == 0 && f < NOOK_NET_FAMILIES; f++) {
		if (s->address[f].family) {
			rc = nook_net_check_free(state_dir, ret->network.name, &s->address[f],
						 s->from, p->err);
			ret->free[f] = s->address[f];
		} else if (ret->network.subnet[f].family) {
			rc = nook_net_find_address(state_dir, &ret->network, f, p->host->tries,
						   f ? &ret->free[0] : NULL, &ret->free[f], p->err);
		}
	}
	return rc;
}

static int probe_link(struct nook_prober *p, const struct nook_link_spec *s,
		      struct nook_host_link *ret)
{
	int rc = 0;

	if (s->network)
		rc = (p->host->plans_only ? nook_net_for_plan : nook_net_for_run)(
			p->host->state_dir, s->network, p->arena, &ret->network, p->err);
	if (rc == 0 && s->network)
		rc = find_addresses(p, s, ret);
	if (rc < 0 && s->from)
		nook_where(p->err, "%s", s->from);
	return rc;
}

/* The hosts file of this very set of networks. */
static int find_hosts(struct nook_prober *p)
{
	struct nook_host *host = p->host;
	struct nook_plan_link *links = nook_alloc_array(p->arena, host->n_links, sizeof(*links));
	const char *file = NULL;

	for (size_t i = 0; i < host->n_links; i++)
		links[i].network = host->links[i].network.name;

	int rc = nook_hosts_name(links, host->n_links, p->arena, &file, p->err);

	if (rc == 0 && file)
		host->hosts = nook_printf(p->arena, "%s/%s", host->state_dir, file);
	return rc;
}

/* Lines of a map, by the ids inside. One that can't be read has none. */
static void read_map(struct nook_arena *a, const char *path, struct nook_id_range **ret,
		     size_t *ret_n)
{
	char *text;

	if (nook_read_proc(a, path, 65536, &text) < 0)
		return;
	for (char *line; (line = nook_next_line(&text));) {
		char *save = NULL, *inside = strtok_r(line, " ", &save);
		char *outside = strtok_r(NULL, " ", &save), *count = strtok_r(NULL, " ", &save);
		uint64_t first = 0, n = 0;

		if (!outside || !count || nook_parse_u64(inside, UINT32_MAX, &first) < 0 ||
		    nook_parse_u64(count, UINT32_MAX, &n) < 0)
			continue;
		*nook_append(a, *ret, *ret_n) =
			(struct nook_id_range){ (uint32_t)first, (uint32_t)n };
	}
}

/* An ordinary user's networks are in a user namespace that has all of the user's ids: a container
 * on them gets the same ones. */
static void probe_own_ids(struct nook_prober *p)
{
	const uint64_t need = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;
	struct nook_host *host = p->host;

	if (host->initial_userns || host->euid != 0 || (host->caps & need) != need)
		return;
	read_map(p->arena, "/proc/self/uid_map", &host->own_uids, &host->n_own_uids);
	read_map(p->arena, "/proc/self/gid_map", &host->own_gids, &host->n_own_gids);
}

int nook_net_probe(struct nook_prober *p)
{
	struct nook_host *host = p->host;
	const struct nook_spec *s = p->spec;

	if (s->net != NOOK_NET_LINKS && s->net != NOOK_NET_USER)
		return 0;
	if (s->net == NOOK_NET_USER) {
		host->pasta = nook_prober_program(p, "pasta");
		return nook_resolv_find(p->arena, &host->resolv, p->err);
	}

	probe_own_ids(p);
	host->links = nook_alloc_array(p->arena, s->n_links, sizeof(*host->links));
	host->n_links = s->n_links;
	for (size_t i = 0; i < s->n_links; i++) {
		int rc = probe_link(p, &s->links[i], &host->links[i]);

		if (rc < 0)
			return rc;
	}

	int rc = find_hosts(p);

	return rc < 0 ? rc : nook_resolv_find(p->arena, &host->resolv, p->err);
}
