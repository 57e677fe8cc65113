/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_NET_ADDR_H
#define NOOK_NET_ADDR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An address, or a subnet where the bits behind the prefix are zero. All zero: none. */
struct nook_net_addr {
	uint8_t family;    /* AF_INET, AF_INET6; 0: none */
	uint8_t prefix;    /* bits of the network: 0 to 32, or 128 */
	uint8_t bytes[16]; /* in network order; 4 of them for AF_INET, the rest zero */
};

/* Indices of pairs, one a family. */
enum { NOOK_NET_V4, NOOK_NET_V6, NOOK_NET_FAMILIES };

#ifdef __cplusplus
}
#endif

#endif
