/* SPDX-License-Identifier: Apache-2.0 */
/* What the links*.c files share: messages with what they are for, and whose a link is. */
#ifndef NOOK_NET_LINKS_PARTS_H
#define NOOK_NET_LINKS_PARTS_H

#include "net.h"

#include "sys/netlink.h"

/* A link that was made and not yet given its alias: it is ours all the same. The bytes of "nook".
 * What has its alias is in group 0, the default. */
#define NOOK_LINK_GROUP 0x6e6f6f6b

#define NOOK_LINK_ALIAS 300 /* room for one, and its NUL: the kernel's limit is 255 characters */

/* Whom a message is about, for errors. */
struct nook_link_about {
	const char *link;
	const char *from; /* the words that asked for it; NULL */
};

struct nook_link_batch {
	int socket;
	struct nook_link_about about; /* of the messages to come */
	struct {
		const char *what; /* "bring up" */
		struct nook_link_about about;
	} note[NOOK_NL_MESSAGES];
	struct nook_nl nl;
};

void nook_link_batch_init(struct nook_link_batch *b, int socket, const char *link,
			  const char *from);
/* Begins a message that is to do @what. */
void nook_link_message(struct nook_link_batch *b, const char *what, uint16_t type, uint16_t flags,
		       const void *header, size_t len);
/* One about a link, RTM_NEWLINK, of this number or of none (0). @change: the IFF_* bits of @flags
 * that count. */
void nook_link_begin(struct nook_link_batch *b, const char *what, uint16_t nl_flags, int index,
		     unsigned flags, unsigned change);
/* Sends what there is, and begins anew. Errors say what was to be done, with the kernel's own words
 * as a hint. */
int nook_link_flush(struct nook_link_batch *b, struct nook_error *err);

/* For the end of a link that the kernel removes some time after its network namespace, and tells
 * nobody here: so many times, 5 ms each. */
#define NOOK_LINK_GONE_TRIES 400
void nook_link_pause(void);

/* No address of its own making: IPv6's link-local one. The message is about a link, by number. */
void nook_link_put_no_autoconf(struct nook_link_batch *b);
/* A message that gives the link an address, usable at once. */
void nook_link_put_address(struct nook_link_batch *b, int index, const struct nook_net_addr *a);

/* Opens the socket. */
int nook_link_open(struct nook_error *err);

/* What is known of a link of the host. */
struct nook_link_seen {
	int index;
	uint32_t group;
	bool up;
	char name[16];
	char kind[16];        /* "veth"; "" for none */
	unsigned char hw[32]; /* its hardware address, of so many bytes */
	unsigned hw_len;
	char alias[NOOK_LINK_ALIAS];
};

/* From one message of the kernel's. Return: false: it is about something else. */
bool nook_link_take(const struct nlmsghdr *h, struct nook_link_seen *ret);
/* Every link of the socket's namespace, one message each. Return: 0; a negative errno. */
int nook_link_each(int socket, nook_nl_each *each, void *data, struct nook_nl_refusal *refusal);
/* Return: 0; -ENODEV (nothing noted): there is none. */
int nook_link_look(int socket, const char *link, struct nook_link_seen *ret,
		   struct nook_error *err);
/* Is it what nook has made, of this kind and for this? */
bool nook_link_is_ours(const struct nook_link_seen *seen, const char *kind, const char *alias);
/* Removes it. It may be gone already. */
int nook_link_remove(int socket, const char *link, int index, struct nook_error *err);

/* After an error that may have come too late, when only its answer was lost: removes a link that
 * has no name yet. The first error counts, so there is none of this. */
void nook_link_remove_nameless(int socket, const char *link, const char *kind);

/* What the inner end is called until it is configured: a macvlan may not be born with its own name,
 * for up to Linux 6.12 the kernel looks for that in the host's network namespace as well, and
 * most hosts have an eth0. Return: @out, or link->inside. */
const char *nook_link_first_name(const struct nook_plan_link *link, char out[16]);

/* Router advertisements are believed by whoever gets one, and anybody on a bridge may send them.
 * In our network namespace. A kernel without IPv6 has nothing to switch off. @proc: a procfs' root,
 * or NO_FD for the host's, where the kernel looks longer for the setting the more network
 * namespaces have been looked at there: it keeps theirs of the same name in one chain. */
int nook_link_refuse_routers(int proc, const char *link, struct nook_error *err);
/* The kernel's own address of a link is usable at once: in the first two seconds, while others
 * could still say that it is theirs, the host would ask no container where it is for those outside.
 */
int nook_link_trust_own_addresses(const char *link, struct nook_error *err);

#endif
