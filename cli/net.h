/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of `nook net`. */
#ifndef NOOK_CLI_NET_H
#define NOOK_CLI_NET_H

#include "options.h"

extern const struct nook_option_table nook_net_table, nook_net_veth_table, nook_net_move_table;
extern const struct nook_option_table nook_net_connect_table, nook_net_disconnect_table,
	nook_net_publish_table, nook_net_unpublish_table;

int nook_cmd_net(int argc, char **argv);
int nook_cmd_net_veth(int argc, char **argv);
int nook_cmd_net_move(int argc, char **argv);
int nook_cmd_net_connect(int argc, char **argv);
int nook_cmd_net_disconnect(int argc, char **argv);
int nook_cmd_net_publish(int argc, char **argv);
int nook_cmd_net_unpublish(int argc, char **argv);

#endif
