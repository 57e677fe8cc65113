/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of networks, from the inside: for networks.c and what repairs them.
 *
 * A record says what is being done before it is done, so that whoever finds one of somebody who was
 * killed knows what may be there, and takes it apart.
 */
#ifndef NOOK_NET_STORE_H
#define NOOK_NET_STORE_H

#include "net.h"

#include <dirent.h>

#define NOOK_NET_MTU_MIN 68u    /* what IPv4 needs, RFC 791 */
#define NOOK_NET_MTU_V6  1280u  /* what IPv6 needs, RFC 8200 */
#define NOOK_NET_MTU_MAX 65535u /* what a veth pair can have */

enum nook_net_phase {
	NOOK_NET_MAKING, /* bridge and rules may or may not be there */
	NOOK_NET_THERE,
	NOOK_NET_REMOVING, /* the same as making */
};

/* Can it name a network? -EINVAL. */
int nook_net_check_name(const char *name, struct nook_error *err);

/* The bridge of a network of this name. @out: 16 bytes. */
void nook_net_bridge_name(const char *name, char out[16]);

/* The subnets' first addresses of hosts become the gateways. */
void nook_net_set_gateways(struct nook_network *network);

/**
 * nook_net_record_read() - a network's record, checked
 *
 * The file is taken as hostile. Return: 0; -ENOENT, nothing noted; -EBADMSG when it is none, @err
 * says how to be rid of it; others.
 */
int nook_net_record_read(int base, const char *name, struct nook_arena *a, struct nook_network *ret,
			 enum nook_net_phase *ret_phase, struct nook_error *err);

/* Written aside and renamed. The lock of all networks must be held: there is one place aside. */
int nook_net_record_write(int base, const struct nook_network *network, enum nook_net_phase phase,
			  struct nook_error *err);
int nook_net_record_delete(int base, const char *name, struct nook_error *err);

/* Names of all records, sorted. No folder is no error. */
int nook_net_record_names(int base, struct nook_arena *a, const char ***ret, size_t *ret_n,
			  struct nook_error *err);

/* Opens a folder of STATE_DIR/net to list it; -ENOENT, nothing noted, when there is none. */
int nook_net_folder_list(int base, const char *folder, DIR **ret, struct nook_error *err);
/* As nook_folder_next(). */
int nook_net_folder_next(DIR *dir, const char *folder, const char **ret, struct nook_error *err);

#endif
