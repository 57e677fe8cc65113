/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net new`, `ls`, `show` and `rm`. Their JSON: docs/net-json.md */
#ifndef NOOK_CLI_NET_NETWORKS_H
#define NOOK_CLI_NET_NETWORKS_H

#include "base/json.h"
#include "nook/net.h"
#include "options.h"

extern const struct nook_option_table nook_net_new_table, nook_net_ls_table, nook_net_show_table,
	nook_net_rm_table;

int nook_cmd_net_new(int argc, char **argv);
int nook_cmd_net_ls(int argc, char **argv);
int nook_cmd_net_show(int argc, char **argv);
int nook_cmd_net_rm(int argc, char **argv);

/* "10.88.0.0/24, fd00::/64" */
const char *nook_cli_net_subnets(struct nook_arena *a, const struct nook_network *network);

/* The addresses of a member: "10.88.0.2, fd00::2". */
const char *nook_cli_net_addresses(struct nook_arena *a, const struct nook_net_member *member);

/* A published port in the words of --publish: "127.0.0.1:5300-5309:53-62/udp". */
const char *nook_cli_net_port(struct nook_arena *a, const struct nook_plan_port *port);

/* Members of the innermost object: what a network is, and who is on it. */
void nook_cli_put_network(struct nook_json_writer *w, const struct nook_network *network,
			  const struct nook_net_member *members, size_t n);

/* A network alone, as a document. Return: exit status. */
int nook_cli_net_json(const struct nook_network *network, const struct nook_net_member *members,
		      size_t n);

#endif
