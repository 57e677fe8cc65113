/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of the host that containers have: net/ports/PROTO:ADDRESS:PORT. What is on all addresses is
 * in the way of each single one, so all names are looked at, under a lock that is held no longer
 * than that. Giving back takes no lock.
 */
#include "ports.h"

#include "base/own.h"
#include "base/text.h"
#include "claims.h"
#include "outside.h"
#include "rules.h"
#include "store.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/file.h>

#define EVERYWHERE "*"
#define FILE_SIZE  (NOOK_NET_TEXT + 16)

bool nook_port_leads(const struct nook_plan_port *port)
{
	return port->to[NOOK_NET_V4].family || port->to[NOOK_NET_V6].family;
}

const char *nook_port_protocol(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static void file_of(const struct nook_plan_port *port, unsigned offset, char out[FILE_SIZE])
{
	char text[NOOK_NET_TEXT];

	(void)nook_format(out, FILE_SIZE, "%s:%s:%u", nook_port_protocol(port->protocol),
			  port->host.family ? nook_net_text(&port->host, text) : EVERYWHERE,
			  (unsigned)port->host_port + offset);
}

bool nook_port_meets(const struct nook_plan_port *port, const struct nook_net_addr *address)
{
	if (!port->host.family || !address->family)
		return true;
	if (port->host.family != address->family)
		return false;
	return nook_port_everywhere(&port->host) || nook_port_everywhere(address) ||
	       nook_net_equal(&port->host, address);
}

/* ---- who has them ---- */

struct claim {
	const char *protocol;
	struct nook_net_addr address;
	uint16_t port;
};

/* Reads a name. Those that are none of ours are in nobody's way. */
static bool read_name(const char *name, struct claim *ret)
{
	char text[NOOK_NET_TEXT];
	const char *tcp = nook_after(name, "tcp:"), *address = tcp ? tcp : nook_after(name, "udp:");
	const char *end = address ? strrchr(address, ':') : NULL;
	uint64_t port = 0;

	if (!end || (size_t)(end - address) >= sizeof(text) ||
	    nook_parse_u64(end + 1, UINT16_MAX, &port) < 0)
		return false;
	(void)nook_format(text, sizeof(text), "%.*s", (int)(end - address), address);
	*ret = (struct claim){ .protocol = tcp ? "tcp" : "udp", .port = (uint16_t)port };
	return strcmp(text, EVERYWHERE) == 0 ||
	       nook_net_parse_address(text, &ret->address, NULL) == 0;
}

int nook_ports_held(const struct nook_state *state, struct nook_arena *a,
		    struct nook_plan_port **ret, size_t *ret_n, struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;
	int rc = nook_net_folder_list(state->base, NOOK_CLAIM_PORTS, &dir, err);

	*ret = NULL;
	*ret_n = 0;
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;

	const char *file;

	while ((rc = nook_net_folder_next(dir, NOOK_CLAIM_PORTS, &file, err)) > 0) {
		struct claim c;

		if (!nook_claim_is_mine(state, NOOK_CLAIM_PORTS, file) || !read_name(file, &c))
			continue;
		*nook_append(a, *ret, *ret_n) = (struct nook_plan_port){
			.protocol = strcmp(c.protocol, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP,
			.host = c.address,
			.host_port = c.port,
			.inside_port = c.port,
			.count = 1,
			.to = { [NOOK_NET_V4] = { .family = AF_INET },
				[NOOK_NET_V6] = { .family = AF_INET6 } },
		};
	}
	return rc;
}

static bool is_in_the_way(const struct nook_plan_port *port, const struct claim *c)
{
	return strcmp(nook_port_protocol(port->protocol), c->protocol) == 0 &&
	       c->port >= port->host_port && c->port - port->host_port < port->count &&
	       nook_port_meets(port, &c->address);
}

static int refuse_taken(const struct nook_plan_port *port, const char *file, const char *holder,
			struct nook_error *err)
{
	const char *number = strrchr(file, ':');

	if (port->from)
		nook_where(err, "%s", port->from);
	nook_cause(err, "port-taken", "container %s has it", holder);
	nook_hint(err, "Publish another port, or end that container.");
	return nook_refuse(err, EADDRINUSE,
			   "port %s of the host (%s) leads to container %s already",
			   number ? number + 1 : file, nook_port_protocol(port->protocol), holder);
}

/* What is in the way and belongs to a dead container is undone with it. */
static int make_way(const struct nook_state *state, const struct nook_plan_port *port,
		    const char *file, struct nook_error *err)
{
	char holder[NOOK_HOLDER_SIZE];
	int rc = nook_claim_holder(state->base, NOOK_CLAIM_PORTS, file, holder, err);

	if (rc == -ENOENT)
		return 0; /* given back just now */
	if (rc < 0)
		return rc;
	if (strcmp(holder, state->name) == 0)
		return 0;
	rc = nook_claim_take(state, NOOK_CLAIM_PORTS, file, holder, err);
	if (rc == 0)
		return nook_claim_release(state, NOOK_CLAIM_PORTS, file, err);
	return rc == -EEXIST ? refuse_taken(port, file, holder, err) : rc;
}

static int check_claims(const struct nook_state *state, DIR *dir,
			const struct nook_plan_port *ports, size_t n, struct nook_error *err)
{
	const char *file;
	int rc = 0;

	while (rc == 0 && (rc = nook_net_folder_next(dir, NOOK_CLAIM_PORTS, &file, err)) > 0) {
		struct claim c;
		bool is_claim = read_name(file, &c);

		rc = 0;
		for (size_t i = 0; is_claim && i < n && rc == 0; i++) {
			if (is_in_the_way(&ports[i], &c))
				rc = make_way(state, &ports[i], file, err);
		}
	}
	return rc;
}

/* ---- taking and giving back ---- */

/* Two of one container's own may not meet either: they lead to different places. */
static int check_own(const struct nook_plan_port *ports, size_t n, struct nook_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct nook_plan_port *a = &ports[i];

		for (size_t j = 0; j < i; j++) {
			const struct nook_plan_port *b = &ports[j];

			if (a->protocol != b->protocol || !nook_port_meets(a, &b->host) ||
			    a->host_port >= b->host_port + b->count ||
			    b->host_port >= a->host_port + a->count)
				continue;
			if (a->from)
				nook_where(err, "%s", a->from);
			return nook_refuse(
				err, EADDRINUSE, "port %u of the host (%s) is published twice",
				a->host_port > b->host_port ? a->host_port : b->host_port,
				nook_port_protocol(a->protocol));
		}
	}
	return 0;
}

static int take(const struct nook_state *state, const struct nook_plan_port *port,
		struct nook_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < port->count && rc == 0; i++) {
		char file[FILE_SIZE], holder[NOOK_HOLDER_SIZE];

		file_of(port, i, file);
		rc = nook_claim_take(state, NOOK_CLAIM_PORTS, file, holder, err);
		if (rc == -EEXIST)
			rc = refuse_taken(port, file, holder, err);
	}
	return rc;
}

bool nook_port_is_mine(const struct nook_state *state, const struct nook_plan_port *port)
{
	for (unsigned i = 0; i < port->count; i++) {
		char file[FILE_SIZE];

		file_of(port, i, file);
		if (!nook_claim_is_mine(state, NOOK_CLAIM_PORTS, file))
			return false;
	}
	return true;
}

bool nook_ports_are_mine(const struct nook_state *state, const struct nook_plan_port *ports,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!nook_port_is_mine(state, &ports[i]))
			return false;
	}
	return true;
}

static int take_all(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		    struct nook_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (nook_port_is_mine(state, &ports[i]))
			continue;

		int rc = take(state, &ports[i], err);

		if (rc == 0)
			rc = nook_net_apart() ? nook_outside_look(&ports[i], err)
					      : nook_port_look(&ports[i], err);
		if (rc < 0) {
			/* The first failure is the one that is told. */
			(void)nook_ports_release(state, ports, i + 1, NULL);
			return rc;
		}
	}
	return 0;
}

int nook_ports_claim(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		     struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;

	if (n == 0)
		return 0;

	auto_close int made = nook_net_folder(state->base, NOOK_CLAIM_PORTS, true, err);
	int rc = made < 0 ? made : check_own(ports, n, err);

	if (rc == 0)
		rc = nook_net_folder_list(state->base, NOOK_CLAIM_PORTS, &dir, err);
	if (rc < 0)
		return rc;
	while ((rc = flock(dirfd(dir), LOCK_EX)) < 0 && errno == EINTR)
		;
	if (rc < 0)
		return nook_fail(err, errno, "flock net/ports in the state directory");
	rc = check_claims(state, dir, ports, n, err);
	return rc < 0 ? rc : take_all(state, ports, n, err);
}

int nook_ports_release(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		       struct nook_error *err)
{
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		for (unsigned offset = 0; offset < ports[i].count; offset++) {
			char file[FILE_SIZE];

			file_of(&ports[i], offset, file);

			int rc = nook_claim_release(state, NOOK_CLAIM_PORTS, file,
						    first < 0 ? NULL : err);

			if (rc < 0 && first == 0)
				first = rc;
		}
	}
	return first;
}
