/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the kernel about links, addresses and routes, one or many at once: netlink(7),
 * rtnetlink(7). No malloc: the stage uses it too.
 */
#ifndef NOOK_SYS_NETLINK_H
#define NOOK_SYS_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stddef.h>

#define NOOK_NL_BYTES    4096
#define NOOK_NL_MESSAGES 48

/* Messages under way. To be cleared first: it is large, and not zeroed. */
struct nook_nl {
	size_t used;                /* bytes of @data */
	size_t last;                /* where the message begins that is being written */
	unsigned n;                 /* messages */
	int fine[NOOK_NL_MESSAGES]; /* the errno that is no failure of this message; 0: none */
	_Alignas(struct nlmsghdr) char data[NOOK_NL_BYTES];
};

/* A socket of the network namespace that we are in, CLOEXEC; or a negative errno. */
int nook_nl_open(void);

void nook_nl_clear(struct nook_nl *m);
/* Bytes left. What follows traps when there is no room: callers that loop look first. */
size_t nook_nl_room(const struct nook_nl *m);

/* Begins one more message: @type RTM_*, @flags NLM_F_* beside REQUEST; then the family's own
 * header. */
void nook_nl_begin(struct nook_nl *m, uint16_t type, uint16_t flags, const void *header,
		   size_t len);
/* Add an attribute to it. The text goes with its NUL. */
void nook_nl_put(struct nook_nl *m, uint16_t type, const void *data, size_t len);
void nook_nl_put_u32(struct nook_nl *m, uint16_t type, uint32_t value);
void nook_nl_put_text(struct nook_nl *m, uint16_t type, const char *text);
/* An attribute that holds attributes: what is put between these two. @nest: what the first has
 * returned. */
size_t nook_nl_nest(struct nook_nl *m, uint16_t type);
void nook_nl_nest_end(struct nook_nl *m, size_t nest);
/* Bytes that follow as they are, such as a header inside an attribute. */
void nook_nl_append(struct nook_nl *m, const void *data, size_t len);
/* This errno (positive) is not a failure of the message: what it asks for is so already. */
void nook_nl_fine(struct nook_nl *m, int errnum);

/* Which message the kernel refused, and what it says of it: NUL-terminated, "" for nothing. */
struct nook_nl_refusal {
	unsigned index; /* from 0, in the order that they were begun in */
	char why[160];
};

/**
 * nook_nl_send() - send them all at once, and learn of the first that was refused
 * @ret: receives it, when the return value is negative; may be NULL
 *
 * The kernel goes on behind a message that it refuses: what may only be done when the one before
 * was, belongs into another call. Death can't come between them: it is one system call. Return: 0;
 * the kernel's negative errno; -ETIMEDOUT.
 */
int nook_nl_send(int fd, struct nook_nl *m, struct nook_nl_refusal *ret);

/* Told of each message of an answer. Return: 0, or a negative errno that ends it. */
typedef int nook_nl_each(void *data, const struct nlmsghdr *message);

/**
 * nook_nl_ask() - send the only message, and read the answer to its end
 * @each: of each message of it
 * @ret:  as for nook_nl_send()
 *
 * A dump that changed while it was read is asked again, a few times: @each may hear things twice.
 * Return: 0; the kernel's negative errno; -ETIMEDOUT; -EPROTO when the answer is none.
 */
int nook_nl_ask(int fd, struct nook_nl *m, nook_nl_each *each, void *data,
		struct nook_nl_refusal *ret);

/* What the kernel says of a refusal, from its NLMSG_ERROR; NUL-terminated, "" for nothing. */
void nook_nl_why(const struct nlmsghdr *error, char *out, size_t size);

/*
 * Walk over messages or attributes: the one at @at, which is aligned, and the one behind it, with
 * @left as what is left from it on. NULL where none is whole any more. The kernel's macros go on
 * past the end when the last one is not padded and the length is unsigned.
 */
const struct nlmsghdr *nook_nl_message(const void *at, size_t left);
const struct nlmsghdr *nook_nl_next_message(const struct nlmsghdr *message, size_t *left);
const struct rtattr *nook_nl_attr(const void *at, size_t left);
const struct rtattr *nook_nl_next_attr(const struct rtattr *attr, size_t *left);

/* The attribute @type of a message whose own header has @header bytes; NULL. */
const struct rtattr *nook_nl_find(const struct nlmsghdr *message, size_t header, uint16_t type);
/* The same of those inside an attribute; NULL has none. */
const struct rtattr *nook_nl_find_in(const struct rtattr *nest, uint16_t type);
/* Its text, NUL-terminated: a longer one is cut. @out stays "" without one. Return: @out. */
const char *nook_nl_text(const struct rtattr *attr, char *out, size_t size);
uint32_t nook_nl_u32(const struct rtattr *attr, uint32_t otherwise);
/* Return: how many bytes it has; 0 for none, and for more than @size. */
unsigned nook_nl_bytes(const struct rtattr *attr, unsigned char *ret, size_t size);
/* The same of a number that is an int of the kernel's: these stand in attributes as u32. */
int nook_nl_int(const struct rtattr *attr, int otherwise);

/* A socket that hears of what happens: @group is an RTNLGRP_*. Return: a descriptor, CLOEXEC, or a
 * negative errno. */
int nook_nl_follow(unsigned group);
/* Waits until something has happened, and forgets what it was. -ETIMEDOUT after @ms. */
int nook_nl_wait(int fd, int ms);

/* The number of a link of the socket's network namespace. Return: -ENODEV when there is none. */
int nook_nl_index(int fd, const char *link);
/* Its name, by its number. @ret: IFNAMSIZ bytes. */
int nook_nl_name(int fd, int index, char ret[16]);

#endif
