/* SPDX-License-Identifier: Apache-2.0 */
#include "causes_tables.h"
#include "base/own.h"

static const struct nook_known_cause rows[] = {
	{ .id = "no-link-type",
	  .title = "The kernel has no links of this sort",
	  .meaning =
		  "A bridge, a veth pair or a macvlan was asked for, and neither the kernel nor a "
		  "module that it could load knows these.",
	  .see = "`modprobe -n -v bridge` (or veth, macvlan)\n"
		 "`grep -E 'CONFIG_(BRIDGE|VETH|MACVLAN)=' /boot/config-$(uname -r)`",
	  .fix = "As root on the machine itself: `modprobe -a bridge veth macvlan`, and their "
		 "names in "
		 "/etc/modules-load.d/ to keep them.\n"
		 "After an update of the kernel: restart, the running one's modules are gone.\n"
		 "Without them: `nook run --net none`, or `--net host`.",
	  .since = "" },
};

const struct nook_cause_table nook_causes_network = { rows, ARRAY_SIZE(rows) };
