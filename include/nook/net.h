/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks between namespaces: bridges with addresses, names and published ports. The library never
 * prints and never exits; what fails is in the error. rtnetlink(7), veth(4), nft(8).
 */
#ifndef NOOK_NET_H
#define NOOK_NET_H

#include "container.h"
#include "error.h"
#include "net_addr.h"
#include "plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nook_arena;

#define NOOK_NET_DEFAULT  "nook0" /* network of `--net bridge`, made on first use */
#define NOOK_NET_NAME_MAX 32      /* characters of a network's name */

/* A bridge network. Texts live in the arena that it was read into. */
struct nook_network {
	const char *name;
	const char *bridge; /* its link on the host: "nook0", "nk-blue": at most 15 characters */
	struct nook_net_addr subnet[NOOK_NET_FAMILIES];  /* family 0: it has none of it */
	struct nook_net_addr gateway[NOOK_NET_FAMILIES]; /* the host's own, on the bridge, with the
							    subnet's prefix */
	bool internal;   /* no way out: no default route, no forwarding to other links */
	bool no_nat;     /* addresses leave as they are */
	uint32_t mtu;    /* 0: the kernel's 1500 */
	int64_t created; /* seconds since 1970 */
};

struct nook_network_spec {
	const char *name;
	struct nook_net_addr
		subnet[NOOK_NET_FAMILIES];          /* none of either: a free v4 one is chosen */
	const char *subnet_from[NOOK_NET_FAMILIES]; /* the words that asked for it */
	bool internal, no_nat;
	uint32_t mtu;
};

/**
 * nook_net_new() - make a network: its record, bridge, addresses, forwarding and rules
 * @ret: receives it, in @a; may be NULL
 *
 * A subnet that is not said is chosen in 10.88.0.0/16 and up, free of the host's routes and
 * addresses and of other networks. Return: 0; -EEXIST the name or a link of that name is taken;
 * -EADDRINUSE the subnet clashes, @err says with what; -EPERM; others. Nothing is left on failure.
 */
int nook_net_new(const char *state_dir, const struct nook_network_spec *spec, struct nook_arena *a,
		 struct nook_network *ret, struct nook_error *err);

/* All of them, by name. No directory is no error: @ret_n is 0. */
int nook_net_list(const char *state_dir, struct nook_arena *a, struct nook_network **ret,
		  size_t *ret_n, struct nook_error *err);

/* One. -ENOENT: there is none of this name, @err says so with the names there are; -EINVAL: it
 * can't be one. */
int nook_net_find(const char *state_dir, const char *name, struct nook_arena *a,
		  struct nook_network *ret, struct nook_error *err);

/* Who is on a network. */
struct nook_net_member {
	const char *container;
	const char *inside;  /* name of its link there: "eth0" */
	const char *outside; /* its end on the host */
	struct nook_net_addr address[NOOK_NET_FAMILIES];
	uint8_t mac[6];
	struct nook_plan_port *ports; /* of the host, that lead to it on this network */
	size_t n_ports;
};

/* Its containers that live, by address. */
int nook_net_members(const char *state_dir, const char *name, struct nook_arena *a,
		     struct nook_net_member **ret, size_t *ret_n, struct nook_error *err);

/* Removes all that a network owns. -EBUSY while containers are on it, unless @force: these are
 * disconnected. May be repeated after a failure. */
int nook_net_remove(const char *state_dir, const char *name, bool force, struct nook_error *err);

/* ---- links between two namespaces ---- */

/* The caller's own network namespace, where a target is asked for. */
#define NOOK_NET_HOST_TARGET "host"

/* One end of a pair of links. */
struct nook_net_end {
	const char *target; /* whose it is: a container, a name of `nook ns`, a PID, a path with a
			       slash, or "host" */
	const char *link;   /* its name there */
	const struct nook_net_addr *addresses; /* with the prefixes of their subnets */
	size_t n_addresses;
	const char *from; /* the words that asked for it: "blue:eth0" */
};

/**
 * nook_net_veth() - connect two network namespaces by a pair of links, with no bridge between
 *
 * Both ends are born where they belong, are up and have their addresses. The pair ends with either
 * namespace, or with `ip link delete` of one end. Return: 0; -EEXIST a link's name is taken;
 * -ENOENT, -ESRCH and others as for nook_ns_enter(). Nothing is left on failure.
 */
int nook_net_veth(const char *state_dir, const struct nook_net_end ends[2], struct nook_error *err);

struct nook_net_moved {
	char name[16]; /* of the link, there */
	bool physical; /* it comes to the machine's first network namespace when the one that it is
			  in ends; any other link ends with it */
};

/**
 * nook_net_move() - move a link of the caller's into another network namespace
 * @target: as in struct nook_net_end
 * @name:   there; NULL: the same
 *
 * It keeps its permanent addresses, and is up there. Routes through it are lost. Return: 0;
 * -ENODEV there is none; -EEXIST its name is taken there; others.
 */
int nook_net_move(const char *state_dir, const char *link, const char *target, const char *name,
		  struct nook_net_moved *ret, struct nook_error *err);
/* ---- of a running container ---- */

/**
 * nook_net_connect() - give a running container one more link
 * @link: link->from may be NULL
 *
 * Return: 0; -ENOENT no such container or network; -ESRCH it doesn't run; -EEXIST it is on that
 * network, or has a link of that name; -EADDRINUSE the address is taken; others. Nothing is left on
 * failure.
 */
int nook_net_connect(const char *state_dir, const char *container,
		     const struct nook_link_spec *link, struct nook_error *err);

/* Takes its link to a network away, and the ports that lead to it there. -ENOTCONN: it is not on
 * that network. */
int nook_net_disconnect(const char *state_dir, const char *container, const char *network,
			struct nook_error *err);

/* Lets a port of the host lead to it; as --publish. -ENOTCONN: it is on no network. */
int nook_net_publish(const char *state_dir, const char *container,
		     const struct nook_port_spec *port, struct nook_error *err);
/* Takes that back. -ENOENT: no such port is published. */
int nook_net_unpublish(const char *state_dir, const char *container,
		       const struct nook_port_spec *port, struct nook_error *err);

#ifdef __cplusplus
}
#endif

#endif
