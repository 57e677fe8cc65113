/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_names.h"

#include "base/own.h"
#include "base/text.h"
#include "nook/container.h"

#include <errno.h>

#define PID_LAST 4194304 /* PID_MAX_LIMIT */

static const struct nook_option rows[] = {
	{ .name = "json", .set = nook_option_flag, .help = "print what is kept as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_keep_table = { .command = "nook ns keep",
						      .rows = rows,
						      .n = ARRAY_SIZE(rows) };

static int read_words(struct nook_arena *a, const struct nook_option_words *read, int *ret_pid,
		      uint32_t *kinds, struct nook_error *err)
{
	uint64_t pid = 0;

	if (read->n_words < 2) {
		nook_hint(err, "nook ns keep 1234 blue net,uts");
		return nook_refuse(err, EINVAL,
				   "a PID and a NAME are needed: nook ns keep PID NAME [KIND,...]");
	}
	if (nook_parse_u64(read->words[0], PID_LAST, &pid) < 0 || pid == 0)
		return nook_refuse(err, EINVAL, "'%s' is no pid: these go from 1 to %d",
				   read->words[0], PID_LAST);
	for (size_t i = 2; i < read->n_words; i++) {
		int rc = nook_cli_kinds(a, read->words[i], kinds, err);

		if (rc < 0)
			return rc;
	}
	*ret_pid = (int)pid;
	return 0;
}

int nook_cmd_ns_keep(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool json = false;
	struct nook_option_words read;
	struct nook_ns_name kept;
	struct nook_error err = { 0 };
	const char *state_dir;
	uint32_t kinds = 0;
	int pid = 0;
	int status = nook_cli_read(&a, &nook_ns_keep_table, argv, &json, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read_words(&a, &read, &pid, &kinds, &err) < 0)
		return nook_cli_refused(&err);
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_ns_keep(state_dir, pid, read.words[1], kinds, &a, &kept, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return nook_cli_show_name(&kept, json);
}
