/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor that goes along with a message over a Unix socket: unix(7), SCM_RIGHTS. Calls of the
 * kernel's alone, so that a child in somebody else's memory may make them. */
#ifndef NOOK_SYS_SEND_FD_H
#define NOOK_SYS_SEND_FD_H

#include <sys/socket.h>
#include <sys/types.h>

/**
 * nook_sendmsg_fd() - sendmsg(2), once, with MSG_NOSIGNAL
 * @msg: what is sent, a byte at least; its control is set here, and none when this returns
 * @fd:  goes along, and stays the caller's; NO_FD: none
 *
 * Return: bytes sent; of a stream fewer than all, then the descriptor is gone with them; or a
 * negative errno, -EINTR and -EAGAIN among them.
 */
ssize_t nook_sendmsg_fd(int sock, struct msghdr *msg, int fd);

/**
 * nook_recvmsg_fd() - recvmsg(2), once, with MSG_CMSG_CLOEXEC
 * @msg:    where the bytes go; control as above. msg_flags has MSG_CTRUNC where descriptors did not
 *          fit, or we have as many as we may
 * @flags:  more of them: MSG_DONTWAIT
 * @ret_fd: receives what came along, for the caller to close; of several the last, the others are
 *          closed; NO_FD: none came. Untouched on failure
 *
 * Return: bytes, 0 at the end; or a negative errno, as above.
 */
ssize_t nook_recvmsg_fd(int sock, struct msghdr *msg, int flags, int *ret_fd);

#endif
