/* SPDX-License-Identifier: Apache-2.0 */
/* Who listens in a network namespace: sock_diag(7). */
#ifndef NOOK_SYS_SOCKDIAG_H
#define NOOK_SYS_SOCKDIAG_H

#include <stdbool.h>
#include <stdint.h>

/* A socket that takes whatever comes to its port: TCP's in listening, UDP's without a peer. */
struct nook_listener {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t address[16];
	uint16_t port;
	bool v6_only; /* of AF_INET6: it doesn't take what comes by IPv4 */
};

/* Told of each. Return: 0, or a negative errno that ends it. */
typedef int nook_listener_each(void *data, const struct nook_listener *listener);

/**
 * nook_listeners() - those of our network namespace
 * @family:   AF_INET, AF_INET6
 * @protocol: IPPROTO_TCP, IPPROTO_UDP
 *
 * Return: 0; what @each returned; -EPROTONOSUPPORT, -ENOENT or -EOPNOTSUPP where the kernel can't
 * tell; others.
 */
int nook_listeners(uint8_t family, uint8_t protocol, nook_listener_each *each, void *data);

#endif
