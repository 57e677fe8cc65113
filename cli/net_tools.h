/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net capture` */
#ifndef NOOK_CLI_NET_TOOLS_H
#define NOOK_CLI_NET_TOOLS_H

#include "options.h"

extern const struct nook_option_table nook_net_capture_table;

int nook_cmd_net_capture(int argc, char **argv);

#endif
