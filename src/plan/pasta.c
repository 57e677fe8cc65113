/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--net user`: pasta(1) carries the container's packets, as sockets of its own outside. What it
 * would open by default is closed here: neither the host's loopback nor the ports that are bound
 * there can be reached from inside, and outside only what was published.
 */
#include "parts.h"

#include "net/address.h"

#include <errno.h>
#include <netinet/in.h>

struct words {
	struct nook_planner *p;
	const char **list;
	size_t n;
};

static void add(struct words *w, const char *word)
{
	*nook_append(w->p->arena, w->list, w->n) = word;
}

static const char *range(struct nook_planner *p, unsigned first, unsigned count)
{
	return count > 1 ? nook_printf(p->arena, "%u-%u", first, first + count - 1)
			 : nook_printf(p->arena, "%u", first);
}

/* "8080:80", "192.0.2.1/8080-8090:80-90" */
static const char *port_word(struct nook_planner *p, const struct nook_port_spec *s)
{
	char text[NOOK_NET_TEXT];

	return nook_printf(p->arena, "%s%s%s:%s",
			   s->host.family ? nook_net_text(&s->host, text) : "",
			   s->host.family ? "/" : "", range(p, s->host_port, s->count),
			   range(p, s->inside_port, s->count));
}

static void add_ports(struct words *w, const char *option, uint8_t protocol)
{
	const struct nook_spec *s = w->p->spec;
	size_t n = w->n;

	for (size_t i = 0; i < s->n_ports; i++) {
		if (s->ports[i].protocol != protocol)
			continue;
		add(w, option);
		add(w, port_word(w->p, &s->ports[i]));
	}
	if (w->n == n) {
		add(w, option);
		add(w, "none");
	}
}

static int refuse(struct nook_planner *p)
{
	nook_where(p->err, "%s", p->spec->net_from);
	if (!p->host->pasta) {
		nook_cause(p->err, "no-pasta", "pasta(1) is not installed, or not in PATH");
		nook_hint(p->err, "install it (Debian's package: passt); `--net bridge`, as root, "
				  "needs no program");
		return nook_refuse(p->err, ENOENT, "there is no pasta to connect the container");
	}
	nook_hint(p->err, "leave the user namespace new, or as root use --net bridge");
	return nook_refuse(p->err, EINVAL,
			   "--net user is for a container with a user namespace and a network "
			   "namespace of its own");
}

int nook_plan_pasta(struct nook_planner *p)
{
	static const char *const fixed[] = {
		"--config-net", "--quiet", "--no-map-gw", "--tcp-ns", "none",
		"--udp-ns",     "none",    "--ns-ifname", "eth0",
	};
	struct words w = { .p = p };

	if (p->spec->net != NOOK_NET_USER)
		return 0;
	if (!p->host->pasta || !p->plan->own_userns || !nook_plan_is_new(p, NOOK_NS_NET))
		return refuse(p);

	add(&w, p->host->pasta);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(&w, fixed[i]);
	add_ports(&w, "--tcp-ports", IPPROTO_TCP);
	add_ports(&w, "--udp-ports", IPPROTO_UDP);
	/* The host's own name server is on its loopback: pasta asks it for the container. */
	if (!p->host->resolv) {
		add(&w, "--dns-forward");
		add(&w, NOOK_PLAN_DNS_INSIDE);
		p->plan->resolv = NOOK_PLAN_PASTA_DNS;
	}
	/* It is started in the container's user namespace, and makes no other. */
	add(&w, "--netns-only");
	add(&w, "--netns");
	add(&w, NULL);
	p->plan->pasta = w.list;
	return 0;
}
