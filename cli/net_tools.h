/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net explain`, `repair`, `watch`, `capture`. Their JSON: docs/net-json.md */
#ifndef NOOK_CLI_NET_TOOLS_H
#define NOOK_CLI_NET_TOOLS_H

#include "options.h"

extern const struct nook_option_table nook_net_explain_table, nook_net_repair_table,
	nook_net_watch_table, nook_net_capture_table;

int nook_cmd_net_explain(int argc, char **argv);
int nook_cmd_net_repair(int argc, char **argv);
int nook_cmd_net_watch(int argc, char **argv);
int nook_cmd_net_capture(int argc, char **argv);

#endif
