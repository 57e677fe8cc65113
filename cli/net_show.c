/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net show` */
#include "net_networks.h"

#include "base/own.h"
#include "net/address.h"
#include "net/networks.h"
#include "nook/container.h"
#include "table.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { CONTAINER, LINK, ADDRESS, MAC, HOST_LINK, PORTS, COLUMNS };

static const struct nook_option rows[] = {
	{ .name = "json", .set = nook_option_flag, .help = "print it as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_net_show_table = { .command = "nook net show",
						       .rows = rows,
						       .n = ARRAY_SIZE(rows) };

static void print_network(const struct nook_network *n)
{
	time_t created = (time_t)n->created;
	char text[NOOK_NET_TEXT], when[40] = "-";
	struct tm tm;

	printf("network  %s\n", n->name);
	printf("bridge   %s%s\n", n->bridge,
	       nook_net_is_there(n) ? "" : ": it is gone; nook net repair brings it back");
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		if (!n->subnet[f].family)
			continue;
		printf("subnet   %s, ", nook_net_text_prefix(&n->subnet[f], text));
		printf("gateway %s\n", nook_net_text(&n->gateway[f], text));
	}
	printf("outside  %s\n", n->internal ? "no way there: internal"
				: n->no_nat ? "reached with the containers' own addresses"
					    : "reached with the machine's address (NAT)");
	if (n->mtu)
		printf("mtu      %u\n", n->mtu);
	if (localtime_r(&created, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm); /* fits */
	printf("made     %s\n", when);
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void print_members(struct nook_arena *a, const struct nook_net_member *members, size_t n)
{
	static const char *const heads[COLUMNS] = { "CONTAINER", "LINK",        "ADDRESS",
						    "MAC",       "ON THE HOST", "PORTS" };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, n + 1, sizeof(*cells));

	memcpy(cells[0], heads, sizeof(heads));
	for (size_t i = 0; i < n; i++) {
		const char **row = cells[i + 1];
		char mac[18];

		row[CONTAINER] = members[i].container;
		row[LINK] = or_dash(members[i].inside);
		row[ADDRESS] = nook_cli_net_addresses(a, &members[i]);
		row[MAC] = *members[i].inside
				   ? nook_strdup(a, nook_net_mac_text(members[i].mac, mac))
				   : "-";
		row[HOST_LINK] = or_dash(members[i].outside);
		row[PORTS] = "";
		for (size_t k = 0; k < members[i].n_ports; k++)
			row[PORTS] = nook_printf(a, "%s%s%s", row[PORTS], k ? ", " : "",
						 nook_cli_net_port(a, &members[i].ports[k]));
		row[PORTS] = or_dash(row[PORTS]);
	}
	putchar('\n');
	nook_cli_table(cells[0], n + 1, COLUMNS);
}

int nook_cmd_net_show(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words read;
	struct nook_network network;
	struct nook_net_member *members = NULL;
	struct nook_error err = { 0 };
	const char *state_dir;
	size_t n = 0;
	bool json = false;
	int status = nook_cli_read(&a, &nook_net_show_table, argv, &json, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 1) {
		nook_hint(&err, "nook net ls lists the networks.");
		(void)nook_refuse(&err, EINVAL,
				  read.n_words ? "one NAME only: nook net show NAME"
					       : "the NAME is missing: nook net show NAME");
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_find(state_dir, read.words[0], &a, &network, &err) < 0 ||
	    nook_net_members(state_dir, read.words[0], &a, &members, &n, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	if (json)
		return nook_cli_net_json(&network, members, n);
	print_network(&network);
	if (n)
		print_members(&a, members, n);
	return nook_cli_end(0);
}
