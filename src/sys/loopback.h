/* SPDX-License-Identifier: Apache-2.0 */
/* The loopback of a network namespace, netdevice(7). */
#ifndef NOOK_SYS_LOOPBACK_H
#define NOOK_SYS_LOOPBACK_H

/**
 * nook_loopback_up() - bring it up in our network namespace
 * @ret_socket: receives a socket in that namespace, CLOEXEC, to be closed by the caller also on
 * failure; NO_FD where none could be had
 * @ret_call:   receives the call that failed, as text
 *
 * Calls of the kernel's alone, so that a child in somebody else's memory may make them. Return: 0,
 * or a negative errno.
 */
int nook_loopback_up(int *ret_socket, const char **ret_call);

#endif
