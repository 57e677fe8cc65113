/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the kernel about links and addresses: netlink(7), rtnetlink(7). */
#ifndef NOOK_SYS_NETLINK_H
#define NOOK_SYS_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stddef.h>

/* A message under way. Room for what is asked here: a few addresses and names. */
struct nook_nl {
	struct nlmsghdr head;
	char body[512];
};

/* A socket of the network namespace that we are in, CLOEXEC; or a negative errno. */
int nook_nl_open(void);

/* Begins a message: @type RTM_*, @flags NLM_F_* beside REQUEST and ACK; then the family's own
 * header. */
void nook_nl_begin(struct nook_nl *m, uint16_t type, uint16_t flags, const void *header,
		   size_t len);
/* Adds an attribute. Traps when there is no room: all of them are bounded. */
void nook_nl_put(struct nook_nl *m, uint16_t type, const void *data, size_t len);

/* Told of each message of an answer. Return: 0, or a negative errno that ends it. */
typedef int nook_nl_each(void *data, const struct nlmsghdr *message);

/**
 * nook_nl_ask() - send, and read the answer to its end
 * @each: NULL: no answer is expected but yes or no
 * @ret_why: receives what the kernel says of a refusal, NUL-terminated, "" when it says nothing;
 * NULL: not wanted
 *
 * A dump that changed while it was read is asked again, a few times. Return: 0; the kernel's
 * negative errno; -ETIMEDOUT; -EPROTO when the answer is none.
 */
int nook_nl_ask(int fd, struct nook_nl *m, nook_nl_each *each, void *data, char *ret_why,
		size_t why_size);

/* The attribute @type of a message whose own header has @header bytes; NULL. */
const struct rtattr *nook_nl_find(const struct nlmsghdr *message, size_t header, uint16_t type);

#endif
