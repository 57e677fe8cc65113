/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net ls` */
#include "net_networks.h"

#include "base/own.h"
#include "net/networks.h"
#include "nook/container.h"
#include "ns_names.h"
#include "table.h"

#include <string.h>

enum { NAME, SUBNET, BRIDGE, CONTAINERS, NOTES, COLUMNS };

struct ls_words {
	bool json, quiet;
};

/* What is printed: networks and who is on each. */
struct list {
	struct nook_network *networks;
	struct nook_net_member **members;
	size_t *n_members;
	size_t n;
};

static const struct nook_option rows[] = {
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct ls_words, json),
	  .help = "print them as JSON, with their containers" },
	{ .name = "quiet",
	  .letter = 'q',
	  .set = nook_option_flag,
	  .at = offsetof(struct ls_words, quiet),
	  .help = "print names only" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_net_ls_table = { .command = "nook net ls",
						     .rows = rows,
						     .n = ARRAY_SIZE(rows) };

static int read_all(struct nook_arena *a, struct list *list, bool members, struct nook_error *err)
{
	const char *state_dir;
	int rc = nook_state_dir(&state_dir, err);

	if (rc == 0)
		rc = nook_net_list(state_dir, a, &list->networks, &list->n, err);
	if (rc < 0 || !members)
		return rc;
	list->members = nook_alloc_array(a, list->n, sizeof(*list->members));
	list->n_members = nook_alloc_array(a, list->n, sizeof(*list->n_members));
	for (size_t i = 0; i < list->n; i++) {
		/* One that is removed just now has nobody. */
		if (nook_net_members(state_dir, list->networks[i].name, a, &list->members[i],
				     &list->n_members[i], NULL) < 0)
			list->n_members[i] = 0;
	}
	return 0;
}

static const char *notes(struct nook_arena *a, const struct nook_network *n)
{
	const char *text = "";

	if (n->internal)
		text = "internal";
	else if (n->no_nat)
		text = "no NAT";
	if (n->mtu)
		text = nook_printf(a, "%s%sMTU %u", text, *text ? ", " : "", n->mtu);
	if (!nook_net_is_there(n))
		text = nook_printf(a, "%s%sits bridge is gone", text, *text ? ", " : "");
	return *text ? text : "-";
}

static void print_table(struct nook_arena *a, const struct list *list)
{
	static const char *const heads[COLUMNS] = { "NAME", "SUBNET", "BRIDGE", "CONTAINERS",
						    "NOTES" };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, list->n + 1, sizeof(*cells));

	memcpy(cells[0], heads, sizeof(heads));
	for (size_t i = 0; i < list->n; i++) {
		const char **row = cells[i + 1];

		row[NAME] = list->networks[i].name;
		row[SUBNET] = nook_cli_net_subnets(a, &list->networks[i]);
		row[BRIDGE] = list->networks[i].bridge;
		row[CONTAINERS] = nook_printf(a, "%zu", list->n_members[i]);
		row[NOTES] = notes(a, &list->networks[i]);
	}
	nook_cli_table(cells[0], list->n + 1, COLUMNS);
}

static int print_json(const struct list *list)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_array(&w, "networks");
	for (size_t i = 0; i < list->n; i++) {
		nook_json_object(&w, NULL);
		nook_cli_put_network(&w, &list->networks[i], list->members[i], list->n_members[i]);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);
	return nook_cli_end_json(&w);
}

int nook_cmd_net_ls(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct ls_words words = { 0 };
	struct nook_option_words read;
	struct list list = { 0 };
	struct nook_error err = { 0 };
	int status = nook_cli_read(&a, &nook_net_ls_table, argv, &words, &read);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_net_ls_table, &read);
	if (status >= 0)
		return status;
	if (read_all(&a, &list, !words.quiet, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	if (words.json && !words.quiet)
		return print_json(&list);
	if (!words.quiet)
		print_table(&a, &list);
	for (size_t i = 0; i < list.n && words.quiet; i++)
		puts(list.networks[i].name);
	return nook_cli_end(0);
}
