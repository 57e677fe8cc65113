/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hosts file, shared by containers that read it through a mount. A mounted file can't be
 * replaced by rename, so it consists of slots of a fixed size: a line of hosts(5), padded with
 *spaces. Its first byte decides: with a '#' there the slot is free, and for a reader a comment. A
 *slot is filled while it is a comment, then its first byte is written; it is freed by one byte as
 *well. So readers see a line or none, also when a writer dies in between.
 *
 *	10.88.0.2	web www web.blue #blue/8c2f64b1a0d3e5f7
 *
 * Behind the '#' are the network, and a hash of the container's name, by which its lines are found.
 */
#ifndef NOOK_NET_HOSTS_SLOTS_H
#define NOOK_NET_HOSTS_SLOTS_H

#include "nook/error.h"
#include "nook/net_addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Divides the page size: the kernel copies page by page. musl reads lines of up to 511 bytes. */
#define NOOK_HOSTS_SLOT 256
/* Lines that one address can need: one a name; and those of a link. */
#define NOOK_HOSTS_LINES 3
#define NOOK_HOSTS_MOST  (NOOK_HOSTS_LINES * NOOK_NET_FAMILIES)

struct nook_hosts_slot {
	char bytes[NOOK_HOSTS_SLOT];
};

/* A freed slot says when, in milliseconds since boot, in its last bytes before the newline:
 * somebody may be reading its line just now, and must not get half of the next. */
#define NOOK_HOSTS_STAMP 11

/* ---- hosts_line.c ---- */

/* The lines of an address: the container's name, its hostname when that is another, and
 * NAME.NETWORK; as many in a line as fit. Names that no hosts file may have ("localhost", longer
 * than a host's name can be) are left out; then the hostname has its place. Return: how many lines.
 */
size_t nook_hosts_compose(const struct nook_net_addr *address, const char *network,
			  const char *container, const char *hostname,
			  struct nook_hosts_slot ret[NOOK_HOSTS_LINES]);

bool nook_hosts_is_free(const struct nook_hosts_slot *s);
/* Is it a line of the network (NULL: any), of the container (NULL: any)? Of the loopback: no. */
bool nook_hosts_has_tag(const struct nook_hosts_slot *s, const char *network,
			const char *container);
/* The names in lines, each once. They point into the lines. */
struct nook_hosts_names {
	struct {
		const char *text;
		size_t len;
	} name[NOOK_HOSTS_LINES];
	size_t n;
};
void nook_hosts_names_of(const struct nook_hosts_slot *lines, size_t n,
			 struct nook_hosts_names *ret);
/* Has the line one of these names? */
bool nook_hosts_has_name(const struct nook_hosts_slot *s, const struct nook_hosts_names *names);
/* Are they of the same address in the same network, whoever's? */
bool nook_hosts_same_place(const struct nook_hosts_slot *s, const struct nook_hosts_slot *t);

/* ---- hosts_slots.c ---- */

/* A file in the making: the loopback's lines. */
int nook_hosts_begin(int fd, struct nook_error *err);

/* Writes the lines that are not there yet, at most NOOK_HOSTS_MOST, behind those that have one of
 * the same names. Lines of the same address and network that are another container's are of a dead
 * one, and freed. */
int nook_hosts_add(int fd, const struct nook_hosts_slot *lines, size_t n, struct nook_error *err);

/* Frees the container's lines; @network NULL: of every network. */
int nook_hosts_drop(int fd, const char *container, const char *network, struct nook_error *err);

/* Appends to @to, which no reader has yet, the lines of @from that are of the network. */
int nook_hosts_copy(int from, int to, const char *network, struct nook_error *err);

/* Has it a container's line? */
int nook_hosts_used(int fd, bool *ret, struct nook_error *err);

#endif
