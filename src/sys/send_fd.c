/* SPDX-License-Identifier: Apache-2.0 */
#include "send_fd.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>

/* The space for one descriptor has room for two on 64 bits, as it is rounded up. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

ssize_t nook_sendmsg_fd(int sock, struct msghdr *msg, int fd)
{
	union control control = { 0 };

	msg->msg_control = NULL;
	msg->msg_controllen = 0;
	if (fd >= 0) {
		msg->msg_control = &control;
		msg->msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(msg);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}

	ssize_t n = sendmsg(sock, msg, MSG_NOSIGNAL);

	msg->msg_control = NULL;
	msg->msg_controllen = 0;
	return n < 0 ? -errno : n;
}

static void take(const struct cmsghdr *c, int *fd)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		close_fd(fd);
		memcpy(fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
}

ssize_t nook_recvmsg_fd(int sock, struct msghdr *msg, int flags, int *ret_fd)
{
	union control control;
	int fd = NO_FD;

	msg->msg_control = &control;
	msg->msg_controllen = sizeof(control);

	ssize_t n = recvmsg(sock, msg, flags | MSG_CMSG_CLOEXEC);
	int error = errno;

	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			take(c, &fd);
	}
	msg->msg_control = NULL;
	msg->msg_controllen = 0;
	if (n < 0)
		return -error;
	*ret_fd = fd;
	return n;
}
