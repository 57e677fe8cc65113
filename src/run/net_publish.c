/* SPDX-License-Identifier: Apache-2.0 */
/* A running container's published ports, changed. */
#include "net_change.h"

#include "base/own.h"
#include "net/relay.h"

#include <errno.h>
#include <string.h>

static struct nook_plan_port plan_port(const struct nook_net_change *c,
				       const struct nook_port_spec *spec)
{
	struct nook_plan_port port = { .protocol = spec->protocol,
				       .host = spec->host,
				       .host_port = spec->host_port,
				       .inside_port = spec->inside_port,
				       .count = spec->count,
				       .from = spec->from };

	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		for (size_t i = 0; i < c->at.n_links && !port.to[f].family; i++) {
			if (c->at.links[i].network)
				port.to[f] = c->at.links[i].address[f];
		}
	}
	return port;
}

static bool same_port(const struct nook_plan_port *p, const struct nook_port_spec *spec)
{
	return p->protocol == spec->protocol && p->host_port == spec->host_port &&
	       p->inside_port == spec->inside_port && p->count == spec->count &&
	       p->host.family == spec->host.family &&
	       (!p->host.family || nook_net_equal(&p->host, &spec->host));
}

static bool overlap(const struct nook_plan_port *p, const struct nook_port_spec *spec)
{
	return p->protocol == spec->protocol && p->host_port < spec->host_port + spec->count &&
	       spec->host_port < p->host_port + p->count &&
	       (!p->host.family || !spec->host.family || nook_net_equal(&p->host, &spec->host));
}

/* Serves a port that stands in its record. */
static int serve(struct nook_net_change *c, const struct nook_plan_port *port,
		 struct nook_error *err)
{
	int rc = nook_rules_publish(port, 1, err);

	return rc < 0 ? rc : nook_net_change_relay(c, &c->at, err);
}

/* One that the container has published is its own already, and stays so whatever fails. Somebody
 * who was killed may have left it half done: that is finished. Return: 1: there is none. */
static int publish_again(struct nook_net_change *c, const struct nook_port_spec *spec,
			 struct nook_error *err)
{
	for (size_t i = 0; i < c->at.n_ports; i++) {
		if (same_port(&c->at.ports[i], spec)) {
			c->at.ports[i].from = spec->from;
			if (!nook_port_leads(&c->at.ports[i]))
				return 0;

			int rc = nook_ports_claim(&c->state, &c->at.ports[i], 1, err);

			return rc < 0 ? rc : serve(c, &c->at.ports[i], err);
		}
		if (!overlap(&c->at.ports[i], spec))
			continue;
		if (spec->from)
			nook_where(err, "%s", spec->from);
		nook_hint(err, "`nook net unpublish` takes it back");
		return nook_refuse(err, EADDRINUSE,
				   "container %s has published port %u of the host otherwise",
				   c->state.name, c->at.ports[i].host_port);
	}
	return 1;
}

static int publish(struct nook_net_change *c, const struct nook_port_spec *spec,
		   struct nook_error *err)
{
	struct nook_plan_port port = plan_port(c, spec);
	int rc = publish_again(c, spec, err);

	if (rc <= 0)
		return rc;

	if (!port.to[NOOK_NET_V4].family && !port.to[NOOK_NET_V6].family) {
		nook_hint(err, "`nook net connect %s NETWORK` gives it one", c->state.name);
		return nook_refuse(err, ENOTCONN, "container %s is on no network", c->state.name);
	}

	/* Written first: what is taken is then found by whoever undoes it. What stands there and is
	 * another container's is not touched. */
	*nook_append(&c->arena, c->at.ports, c->at.n_ports) = port;
	rc = nook_attached_write(c->state.base, &c->at, err);

	int claimed = rc == 0 ? nook_ports_claim(&c->state, &port, 1, err) : rc;

	rc = claimed == 0 ? serve(c, &port, err) : claimed;
	if (rc < 0) {
		if (claimed == 0) {
			(void)nook_rules_unpublish(&port, 1, NULL);
			(void)nook_ports_release(&c->state, &port, 1, NULL);
		}
		c->at.n_ports--;
		(void)nook_attached_write(c->state.base, &c->at, NULL);
		if (claimed == 0)
			(void)nook_net_change_relay(c, &c->at, NULL);
	}
	return rc;
}

int nook_net_publish(const char *state_dir, const char *container,
		     const struct nook_port_spec *port, struct nook_error *err)
{
	struct nook_net_change c;
	int rc = nook_net_change_begin(&c, state_dir, container, NULL, err);

	if (rc == 0)
		rc = publish(&c, port, err);
	nook_net_change_end(&c);
	return rc;
}

static int unpublish(struct nook_net_change *c, const struct nook_port_spec *spec,
		     struct nook_error *err)
{
	for (size_t i = 0; i < c->at.n_ports; i++) {
		struct nook_plan_port port = c->at.ports[i];

		if (!same_port(&port, spec))
			continue;
		if (!nook_port_leads(&port)) {
			nook_hint(err, "on a network ports come and go: `nook run --net bridge`");
			return nook_refuse(err, EOPNOTSUPP,
					   "container %s has its ports by pasta, for as long as it "
					   "runs",
					   c->state.name);
		}

		/* Half published, it may be another's. */
		int rc = nook_ports_are_mine(&c->state, &port, 1)
				 ? nook_rules_unpublish(&port, 1, err)
				 : 0;

		/* Who is connected to it is to be, no longer; and it is free only when nobody
		 * listens there. */
		if (rc == 0)
			rc = nook_relay_stop(&c->state, err);
		if (rc == 0)
			rc = nook_ports_release(&c->state, &port, 1, err);
		if (rc < 0)
			return rc;
		memmove(&c->at.ports[i], &c->at.ports[i + 1],
			(c->at.n_ports - i - 1) * sizeof(*c->at.ports));
		c->at.n_ports--;
		rc = nook_attached_write(c->state.base, &c->at, err);
		return rc < 0 ? rc : nook_net_change_relay(c, &c->at, err);
	}
	nook_hint(err, "`nook net show NETWORK` lists what is published");
	return nook_refuse(err, ENOENT, "container %s has no such port published", c->state.name);
}

int nook_net_unpublish(const char *state_dir, const char *container,
		       const struct nook_port_spec *port, struct nook_error *err)
{
	struct nook_net_change c;
	int rc = nook_net_change_begin(&c, state_dir, container, NULL, err);

	if (rc == 0)
		rc = unpublish(&c, port, err);
	nook_net_change_end(&c);
	return rc;
}
