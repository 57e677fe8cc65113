/* SPDX-License-Identifier: Apache-2.0 */
#include "loopback.h"

#include "base/own.h"
#include "call.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <sys/socket.h>

int nook_loopback_up(int *ret_socket, const char **ret_call)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	long s = NOOK_CALL(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* A kernel without IPv4 still knows the ioctl on other sockets. */
	if (s < 0)
		s = NOOK_CALL(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*ret_socket = s < 0 ? NO_FD : (int)s;
	*ret_call = s < 0 ? "socket(AF_INET)" : "ioctl(SIOCSIFFLAGS lo)";
	return s < 0 ? (int)s : (int)NOOK_CALL(SYS_ioctl, s, SIOCSIFFLAGS, &lo);
}
