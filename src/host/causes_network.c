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
	{ .id = "no-net-admin",
	  .title = "Not the right to change this network",
	  .meaning = "Links, addresses and rules of a network namespace are changed by who has "
		     "CAP_NET_ADMIN in the user namespace that it belongs to: of the machine's "
		     "own that is root.",
	  .see = "`grep CapEff /proc/self/status`, and `capsh --decode=…`\n"
		 "`nook ns show net:` says whose it is",
	  .fix = "As an ordinary user: `nook net new` makes networks of your own, and `nook run "
		 "--net user` needs none.\n"
		 "As root on the machine itself: `sudo nook net …`, `sudo nook run --net …`.\n"
		 "Within a container: give it a network namespace of its own, and cap_net_admin.",
	  .since = "" },
	{ .id = "no-such-network",
	  .title = "No network has this name",
	  .meaning = "A container can be on networks that `nook net new` has made; root's and each "
		     "user's are apart.",
	  .see = "`nook net ls`",
	  .fix = "Make it: `nook net new NAME`.\n"
		 "`--net bridge` makes the default network by itself.",
	  .since = "" },
	{ .id = "subnet-taken",
	  .title = "The subnet is in use",
	  .meaning = "Another network, or a link or route of this machine, has addresses of the "
		     "subnet that was asked for, and only one of the two could be reached.",
	  .see = "`nook net ls`\n"
		 "`ip address`, `ip route show table all`",
	  .fix = "Take another `--subnet`, or none: nook chooses one that is free.\n"
		 "When what has it isn't needed any more: remove that first.",
	  .since = "" },
	{ .id = "address-taken",
	  .title = "The address is another container's",
	  .meaning = "An address belongs to one container of a network at a time, as long as that "
		     "lives.",
	  .see = "`nook net show NETWORK` lists who has which",
	  .fix = "Leave `ip=` away: nook takes one that is free.\n"
		 "Take another, or end the container that has it.",
	  .since = "" },
	{ .id = "network-full",
	  .title = "No address of the network is free",
	  .meaning = "Every address of a network's subnet is that of a living container.",
	  .see = "`nook net show NETWORK` lists who has which",
	  .fix = "Make a larger network, such as `nook net new NAME --subnet 10.90.0.0/16`, or a "
		 "second one.\n"
		 "End containers that are not needed.",
	  .since = "" },
	{ .id = "port-taken",
	  .title = "The port of the host is in use",
	  .meaning = "A port of an address of the host leads to one container, or belongs to one "
		     "program. A port on all addresses is in use when it is on any of them.",
	  .see = "`nook ls` and `nook show CONTAINER`\n"
		 "`ss -Hlntup 'sport = :8080'` shows the program that listens",
	  .fix = "Publish another one: `--publish 8081:80`.\n"
		 "On an address of its own: `--publish 192.0.2.7:8080:80`.\n"
		 "Or end the container or program that has it.",
	  .since = "" },
	{ .id = "port-of-root",
	  .title = "The port of the host is one of root's",
	  .meaning = "Ports below a number, 1024 as a rule, are bound by root alone. An ordinary "
		     "user's ports are bound by that user.",
	  .see = "`cat /proc/sys/net/ipv4/ip_unprivileged_port_start`",
	  .fix = "Publish a higher one: `--publish 8080:80`.\n"
		 "As root on the machine itself, for all of its users: `sysctl -w "
		 "net.ipv4.ip_unprivileged_port_start=80`.",
	  .since = "" },
	{ .id = "no-nftables",
	  .title = "The kernel has no nf_tables",
	  .meaning = "NAT, isolation and published ports of networks are rules of nf_tables, and "
		     "neither the kernel nor a module that it could load knows these, or all of "
		     "what they are made of: inet, nat, masq, ct, fib.",
	  .see = "`grep -E 'CONFIG_(NF_TABLES|NFT_)' /boot/config-$(uname -r)`\n"
		 "`modprobe -n -v nf_tables`",
	  .fix = "As root on the machine itself: `modprobe -a nf_tables nft_chain_nat nft_nat "
		 "nft_masq nft_ct nft_fib_inet`.\n"
		 "After an update of the kernel: restart, the running one's modules are gone.\n"
		 "Without them: `nook run --net none`, `--net host`, or `--net user`.",
	  .since = "" },
	{ .id = "no-pasta",
	  .title = "pasta is not installed",
	  .meaning = "`--net user` connects a container without privilege: the program pasta, of "
		     "passt, carries its packets as an ordinary process of the host.",
	  .see = "`command -v pasta`",
	  .fix = "Install it: `apt install passt`.\n"
		 "As root, `--net bridge` needs no program.",
	  .since = "" },
	{ .id = "no-tun",
	  .title = "/dev/net/tun can't be opened",
	  .meaning =
		  "pasta makes the container's link with /dev/net/tun. The device is not there, or "
		  "this machine keeps ordinary users from it; pasta is one, also when root "
		  "has started the container.",
	  .see = "`ls -l /dev/net/tun`: crw-rw-rw-",
	  .fix = "As root on the machine itself: `modprobe tun`, and `chmod 666 /dev/net/tun`: who "
		 "opens it gets no right over any link that is there.\n"
		 "As root, `--net bridge` does without it.",
	  .since = "" },
	{ .id = "no-default-route",
	  .title = "The host has no way out",
	  .meaning = "pasta gives the container an address and the default route of the host's, "
		     "and the host has no default route: it is connected to no other network.",
	  .see = "`ip route`, `ip -6 route`",
	  .fix = "Connect the machine, then start the container again.\n"
		 "Without a way out: `--net private`, or as root `--net bridge`.",
	  .since = "" },
};

const struct nook_cause_table nook_causes_network = { rows, ARRAY_SIZE(rows) };
