/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that the kernel remembers: conntrack(8) shows them. */
#ifndef NOOK_SYS_CONNTRACK_H
#define NOOK_SYS_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of them, as its first packet was, and who answers. */
struct nook_connection {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t protocol;
	uint8_t to[16], answers[16]; /* where the first packet went, who it was led to */
	uint16_t port;               /* where it went */
};

typedef bool nook_connection_stale(void *data, const struct nook_connection *connection);

/**
 * nook_conntrack_forget() - have the kernel forget some of our network namespace
 * @family:   AF_INET, AF_INET6
 * @protocol: IPPROTO_TCP, IPPROTO_UDP
 * @stale:    which
 *
 * What goes on afterwards is led by the rules that there are now. Return: 0; -EPROTONOSUPPORT,
 * -EOPNOTSUPP, -ENOENT or -EINVAL where the kernel can't tell; others.
 */
int nook_conntrack_forget(uint8_t family, uint8_t protocol, nook_connection_stale *stale,
			  void *data);

#endif
