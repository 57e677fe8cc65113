/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include "base/own.h"
#include "net/address.h"
#include "nook/container.h"
#include "nook/net.h"

#include <errno.h>
#include <string.h>

struct veth_words {
	struct nook_net_addr
		*addresses; /* in the order given: of the first end, of the second, … */
	size_t n;
};

static int set_address(const struct nook_option_use *use)
{
	struct veth_words *words = use->into;
	struct nook_net_addr address;
	int rc = nook_net_parse_interface(use->value, &address, use->err);

	if (rc == 0)
		*nook_append(use->arena, words->addresses, words->n) = address;
	return rc;
}

static const struct nook_option rows[] = {
	{ .name = "address",
	  .value = "ADDRESS/PREFIX",
	  .flags = NOOK_OPTION_MANY,
	  .set = set_address,
	  .help = "the first is A's, the second B's, the third A's again, and so on",
	  .more = "IPv4 or IPv6, with the length of the subnet's prefix: 10.0.0.1/24." },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-a", "Write --address." },
	{ NULL, NULL },
};

const struct nook_option_table nook_net_veth_table = {
	.command = "nook net veth", .rows = rows, .n = ARRAY_SIZE(rows), .foreign = foreign
};

/* "TARGET:LINK". A path may have colons in it, a link's name has none. */
static int read_end(struct nook_arena *a, const char *word, struct nook_net_end *ret,
		    struct nook_error *err)
{
	const char *colon = strrchr(word, ':');

	if (!colon || colon == word || !colon[1]) {
		nook_where(err, "%s", word);
		nook_hint(err, "nook net veth blue:eth0 host:blue0");
		return nook_refuse(err, EINVAL,
				   "an end is a namespace and a link's name in it: TARGET:LINK");
	}
	ret->target = nook_strndup(a, word, (size_t)(colon - word));
	ret->link = colon + 1;
	ret->from = word;
	return 0;
}

/* Every second one, from the @first on. */
static void share_addresses(struct nook_arena *a, const struct veth_words *words, size_t first,
			    struct nook_net_end *end)
{
	struct nook_net_addr *own = NULL;

	for (size_t i = first; i < words->n; i += 2)
		*nook_append(a, own, end->n_addresses) = words->addresses[i];
	end->addresses = own;
}

int nook_cmd_net_veth(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct veth_words words = { 0 };
	struct nook_option_words read;
	struct nook_net_end ends[2] = { 0 };
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_veth_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 2) {
		nook_hint(&err, "nook net veth blue:eth0 host:blue0");
		(void)nook_refuse(&err, EINVAL, "two ends are needed: nook net veth A:LINK B:LINK");
		return nook_cli_refused(&err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (read_end(&a, read.words[i], &ends[i], &err) < 0)
			return nook_cli_refused(&err);
		share_addresses(&a, &words, i, &ends[i]);
	}
	if (nook_state_dir(&state_dir, &err) < 0 || nook_net_veth(state_dir, ends, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return 0;
}
