/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net new` */
#include "net_networks.h"

#include "base/own.h"
#include "base/text.h"
#include "keep/net_home.h"
#include "net/address.h"
#include "net/store.h"
#include "nook/container.h"

#include <errno.h>
#include <sys/socket.h>

struct new_words {
	struct nook_network_spec spec;
	bool json;
};

static struct nook_network_spec *spec_of(const struct nook_option_use *use)
{
	return &((struct new_words *)use->into)->spec;
}

static int set_subnet(const struct nook_option_use *use)
{
	struct nook_network_spec *s = spec_of(use);
	struct nook_net_addr subnet;
	int rc = nook_net_parse_subnet(use->value, &subnet, use->err);

	if (rc < 0)
		return rc;

	int family = subnet.family == AF_INET6 ? NOOK_NET_V6 : NOOK_NET_V4;

	if (s->subnet[family].family)
		return nook_refuse(use->err, EINVAL,
				   "contradicts %s: a network has one subnet of each family",
				   s->subnet_from[family]);
	s->subnet[family] = subnet;
	s->subnet_from[family] = use->from;
	return 0;
}

static int set_internal(const struct nook_option_use *use)
{
	spec_of(use)->internal = true;
	return 0;
}

static int set_nat(const struct nook_option_use *use)
{
	spec_of(use)->no_nat = use->no;
	return 0;
}

static int set_mtu(const struct nook_option_use *use)
{
	uint64_t mtu = 0;

	if (nook_parse_u64(use->value, NOOK_NET_MTU_MAX, &mtu) < 0 || mtu < NOOK_NET_MTU_MIN)
		return nook_refuse(use->err, EINVAL, "an MTU is a number from %u to %u",
				   NOOK_NET_MTU_MIN, NOOK_NET_MTU_MAX);
	spec_of(use)->mtu = (uint32_t)mtu;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "subnet",
	  .value = "SUBNET",
	  .flags = NOOK_OPTION_MANY,
	  .set = set_subnet,
	  .help = "addresses of the network, 10.90.0.0/24 or fd90::/64; one of each family",
	  .more = "The first is the gateway's, which the machine itself has. Without this option a "
		  "free one is chosen from 10.88.0.0 up, and one of IPv6 at random where the "
		  "machine has that. What overlaps a network, or what this machine reaches by a "
		  "link of its own, is refused." },
	{ .name = "internal",
	  .set = set_internal,
	  .help = "no way out: the containers reach each other and nothing else" },
	{ .name = "nat",
	  .flags = NOOK_OPTION_NO,
	  .set = set_nat,
	  .help = "whether packets leave with the machine's address; default: yes",
	  .more = "With --no-nat others see the containers' own addresses, can begin a "
		  "conversation with them, and need a route to them." },
	{ .name = "mtu",
	  .value = "BYTES",
	  .set = set_mtu,
	  .help = "largest packet; default: the kernel's, 1500",
	  .more = "Smaller where packets leave by a tunnel. IPv6 needs 1280." },
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct new_words, json),
	  .help = "print what was made as JSON" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "--driver", "A network is a bridge; macvlan is said to nook run: --net macvlan:LINK." },
	{ "-d", "A network is a bridge; macvlan is said to nook run: --net macvlan:LINK." },
	{ "--gateway", "The gateway is the subnet's first address." },
	{ "--ipv6",
	  "Say an IPv6 subnet: --subnet fd90::/64; without --subnet there is one anyway." },
	{ "--ip-range", "Addresses are taken from the whole of --subnet." },
	{ NULL, NULL },
};

const struct nook_option_table nook_net_new_table = {
	.command = "nook net new", .rows = rows, .n = ARRAY_SIZE(rows), .foreign = foreign
};

int nook_cmd_net_new(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct new_words words = { 0 };
	struct nook_option_words read;
	struct nook_network made;
	struct nook_error err = { 0 };
	const char *state_dir = NULL;
	int status = nook_cli_read(&a, &nook_net_new_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 1) {
		(void)nook_refuse(&err, EINVAL,
				  read.n_words ? "one NAME only: nook net new NAME"
					       : "the NAME is missing: nook net new NAME");
		return nook_cli_refused(&err);
	}
	words.spec.name = read.words[0];
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_home_enter(state_dir, true, &err) < 0 ||
	    nook_net_new(state_dir, &words.spec, &a, &made, &err) < 0) {
		status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
		/* One that was made for this network only; what went wrong is told. */
		(void)nook_net_home_tidy(state_dir, NULL);
		return status;
	}
	if (words.json)
		return nook_cli_net_json(&made, NULL, 0);
	printf("%s: %s on %s\n", made.name, nook_cli_net_subnets(&a, &made), made.bridge);
	return nook_cli_end(0);
}
