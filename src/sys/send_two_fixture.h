/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests: two descriptors with one message, as a sender may whose code is not ours. */
#ifndef NOOK_SYS_SEND_TWO_FIXTURE_H
#define NOOK_SYS_SEND_TWO_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* Return: was all of it sent? */
static inline bool send_two(int sock, const void *bytes, size_t len, int first, int second)
{
	struct iovec part = { (void *)(uintptr_t)bytes, len };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), &first, sizeof(int));
	memcpy(CMSG_DATA(c) + sizeof(int), &second, sizeof(int));
	return sendmsg(sock, &msg, 0) == (ssize_t)len;
}

#endif
