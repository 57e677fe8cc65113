/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks from the inside: what the steps of a container, the host's probe and the commands share.
 * All of nook's networks of one machine are described in STATE_DIR/net:
 *
 *	networks/NAME            its record, JSON, written aside and renamed
 *	lock                     locked (fcntl OFD) by who makes, removes or repairs a network
 *	addresses/NET:ADDRESS    taken: a symbolic link whose text is the container's name
 *	ports/PROTO:ADDRESS:PORT taken: the same. ADDRESS is * for all
 *	containers/NAME          what a container has of networks (struct nook_attached), JSON;
 *	                         written before the first of it is made
 *	hosts/SET                the hosts file of the containers that are on just these networks;
 *	                         SET is their names, sorted, joined by +
 *
 * As with ranges of ids (src/state/range.c): a link is made with its text in one call, leads
 * nowhere and is never followed; one whose container's lock is free belongs to a dead container and
 * is free.
 */
#ifndef NOOK_NET_NET_H
#define NOOK_NET_NET_H

#include "address.h"
#include "base/arena.h"
#include "nook/net.h"
#include "nook/plan.h"
#include "state/state.h"

/* ---- store.c: networks' records ---- */

/* Opens STATE_DIR/net and the folder of it. @folder: "networks", "addresses", "ports", "hosts".
 * Return: O_PATH descriptor; -ENOENT (nothing noted) when it is missing and not to be made. */
int nook_net_folder(int base, const char *folder, bool make, struct nook_error *err);

/* Takes the lock of all networks, waiting for who has it. Return: a descriptor that holds it. */
int nook_net_lock(int base, struct nook_error *err);

/* ---- networks.c ---- */

/* What the probe asks: finds a network for a container, and makes the default one when it is the
 * default's name and there is none. */
int nook_net_for_run(const char *state_dir, const char *name, struct nook_arena *a,
		     struct nook_network *ret, struct nook_error *err);
/* The same for --plan, which makes nothing: the default network as it would be made. */
int nook_net_for_plan(const char *state_dir, const char *name, struct nook_arena *a,
		      struct nook_network *ret, struct nook_error *err);

/* ---- leases.c: addresses ---- */

/**
 * nook_net_find_address() - an address of the network that nobody has
 * @family: NOOK_NET_V4 or NOOK_NET_V6
 * @tries:  how often somebody else was faster: the lowest free one first, later any
 * @like:   one of the other family that nobody has; its place in its subnet is tried first, which
 * spares the look at all; NULL: none
 * @ret:    receives it, with the subnet's prefix
 *
 * Reads only. Neither the gateway's nor the network's own addresses. Return: 0; -EADDRNOTAVAIL:
 * all are taken.
 */
int nook_net_find_address(const char *state_dir, const struct nook_network *network,
			  unsigned family, unsigned tries, const struct nook_net_addr *like,
			  struct nook_net_addr *ret, struct nook_error *err);

/* Takes the link's addresses for the container. -EEXIST: somebody has one; then none is taken. A
 * dead container that still holds it is undone first. */
int nook_net_claim(const struct nook_state *state, const struct nook_plan_link *link,
		   struct nook_error *err);
int nook_net_release(const struct nook_state *state, const struct nook_plan_link *link,
		     struct nook_error *err);
/* Whatever addresses and ports a container holds: when its record can't be read. */
int nook_net_release_all(const struct nook_state *state, struct nook_error *err);

/* May the kernel take it for a link's name, and a terminal show it? */
bool nook_link_valid_name(const char *name);

/* ---- links.c: kernel objects, by batches of rtnetlink ---- */

/* Makes a network's bridge, or brings it to what the record says: address, MTU, up. Return: 0;
 * -EEXIST: a link of its name is there that is not nook's. */
int nook_link_bridge(const struct nook_network *network, struct nook_error *err);
int nook_link_bridge_remove(const struct nook_network *network, struct nook_error *err);

/* Makes the pair with its inner end born in @netns (a descriptor), or the macvlan. One batch. */
int nook_link_connect(const struct nook_plan_link *link, const char *container, int netns,
		      struct nook_error *err);
/* Removes the host's end, and with it the pair. What is gone is done; a link that does not carry
 * nook's alias for this container is not touched. */
int nook_link_disconnect(const struct nook_plan_link *link, const char *container,
			 struct nook_error *err);
/* Sees to it that the host's ends carry packets, after nook_link_configure(). The kernel takes note
 * of a carrier some time after the inner end is up; what is sent before is lost, and asked for
 * again after a second. */
int nook_link_settle(const struct nook_plan_link *links, size_t n, struct nook_error *err);
/* The same of the addresses inside: IPv6's are the kernel's own some time after it has taken them.
 * By the stage, as late as can be: then nothing is to be waited for. */
int nook_link_settle_inside(const struct nook_plan_link *links, size_t n, struct nook_error *err);
/* Inside: names, addresses, routes, up; the loopback too. In the caller's network namespace; no
 * malloc, no stdio: the stage calls it. One batch. @proc: a procfs' root that nobody else looks
 * at, or NO_FD. */
int nook_link_configure(const struct nook_plan_link *links, size_t n, int proc,
			struct nook_error *err);
/* The same place: takes away a macvlan that could not be made, or be @configured; a pair goes with
 * its other end. A failure of it is not told. */
void nook_link_discard(const struct nook_plan_link *link, bool configured);

/* ---- rules.c: table inet nook ---- */

/* The whole of a network's rules: masquerade, forwarding, isolation; the table and its chains are
 * made when missing. One transaction; may be repeated. */
int nook_rules_network(const struct nook_network *network, struct nook_error *err);
int nook_rules_network_remove(const struct nook_network *network, struct nook_error *err);
/* Published ports: one transaction; may be repeated. */
int nook_rules_publish(const struct nook_plan_port *ports, size_t n, struct nook_error *err);
int nook_rules_unpublish(const struct nook_plan_port *ports, size_t n, struct nook_error *err);

/**
 * nook_rules_check() - what of the table is missing, or is not as nook has made it
 * @networks, @ports: all that there should be
 * @ret: receives sentences, in @a: "the chain forward is missing"; none (0): all is well
 *
 * Elements that nobody is to have are told too. Reads only. Return: 0; negative when it can't be
 * read.
 */
int nook_rules_check(const struct nook_network *networks, size_t n_networks,
		     const struct nook_plan_port *ports, size_t n_ports, struct nook_arena *a,
		     const char *const **ret, size_t *ret_n, struct nook_error *err);
/* Makes the whole table anew, in one transaction: no packet ever sees less than before. Without a
 * network the table is removed. Their bridges must be there. */
int nook_rules_restore(const struct nook_network *networks, size_t n_networks,
		       const struct nook_plan_port *ports, size_t n_ports, struct nook_error *err);

/* ---- ports.c: who has which port of the host ---- */

/* Does it lead to an address of the container's? Else it is pasta's, which has it from the start on
 * to the end. */
bool nook_port_leads(const struct nook_plan_port *port);

/* Takes them for the container, and looks that no program of the host listens there. -EADDRINUSE,
 * @err says who has it; then none is taken. */
int nook_ports_claim(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		     struct nook_error *err);
int nook_ports_release(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		       struct nook_error *err);
/* Has the container taken all of them? */
bool nook_ports_are_mine(const struct nook_state *state, const struct nook_plan_port *ports,
			 size_t n);

/* ---- hosts.c: names ---- */

/* The hosts file of a set of networks, made when missing; relative to STATE_DIR: "net/hosts/SET".
 * @links: of one container. */
int nook_hosts_file(int base, const struct nook_plan_link *links, size_t n, struct nook_arena *a,
		    const char **ret, struct nook_error *err);
/* Writes the container's names and addresses into the hosts file of every set that has one of its
 * networks; so that no reader ever sees half a line. */
int nook_hosts_join(int base, const char *container, const char *hostname,
		    const struct nook_plan_link *links, size_t n, struct nook_error *err);
int nook_hosts_leave(int base, const char *container, const struct nook_plan_link *links, size_t n,
		     struct nook_error *err);

/* ---- attached.c: what a container has of networks ---- */

struct nook_names {
	const char **of;
	size_t n;
};

struct nook_attached {
	const char *container;
	const char *hostname; /* NULL: none of its own */
	struct nook_plan_link *links;
	size_t n_links;
	struct nook_plan_port *ports;
	size_t n_ports;
};

/* Texts and arrays come from @a. The file is taken as hostile. Return: 0; -ENOENT (nothing noted):
 * it has nothing; -EBADMSG; others. @base: STATE_DIR. */
int nook_attached_read(int base, const char *container, struct nook_arena *a,
		       struct nook_attached *ret, struct nook_error *err);
/* Has it anything, or had it? What can't be seen is not there. */
bool nook_attached_is_there(const char *state_dir, const char *container);
/* The right to change what a container has, waiting for who has it. nook_net_lock() is taken before
 * or not at all. Return: a descriptor that holds it; -ENOENT (nothing noted): no such container is
 * there any more. */
int nook_attached_lock(int base, const char *container, struct nook_error *err);
/* The same for who holds the container's lock; till that is let go. */
int nook_attached_lock_own(const struct nook_state *state, struct nook_error *err);
/* The same, in the folder that is open. */
int nook_attached_read_at(int dir, const char *container, struct nook_arena *a,
			  struct nook_attached *ret, struct nook_error *err);
/* To nook_name_aside(), and renamed. By who has that right. */
int nook_attached_write(int base, const struct nook_attached *attached, struct nook_error *err);
int nook_attached_delete(int base, const char *container, struct nook_error *err);

/* Of every container, living or dead, by name. One that can't be read is left out, and its name is
 * in @unread, which may be NULL. */
int nook_attached_list(int base, struct nook_arena *a, struct nook_attached **ret, size_t *ret_n,
		       struct nook_names *unread, struct nook_error *err);

/* ---- undo.c ---- */

/* Removes what a container owns of networks: published ports, its lines in the hosts files, its
 * links, addresses and ports that it has taken. May be repeated; what is gone is done. */
int nook_net_undo(const struct nook_state *state, const struct nook_attached *attached,
		  struct nook_error *err);

#endif
