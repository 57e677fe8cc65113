/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns new`, `keep`, `enter`, `rm`, `can`. Their JSON: docs/ns-json.md */
#ifndef NOOK_CLI_NS_NAMES_H
#define NOOK_CLI_NS_NAMES_H

#include "base/json.h"
#include "nook/ns_names.h"
#include "options.h"

extern const struct nook_option_table nook_ns_new_table, nook_ns_keep_table, nook_ns_enter_table,
	nook_ns_rm_table, nook_ns_can_table;

int nook_cmd_ns_new(int argc, char **argv);
int nook_cmd_ns_keep(int argc, char **argv);
int nook_cmd_ns_enter(int argc, char **argv);
int nook_cmd_ns_rm(int argc, char **argv);
int nook_cmd_ns_can(int argc, char **argv);

/* "net,uts" into bits. -EINVAL */
int nook_cli_kinds(struct nook_arena *a, const char *text, uint32_t *ret, struct nook_error *err);

/* An option that says which kinds are meant, for the words of a command with a member
 * uint32_t kinds: bit N: this kind; 0: all. */
int nook_cli_set_kinds(const struct nook_option_use *use);
#define NOOK_CLI_KIND_ROW(type)                                                                    \
	{                                                                                          \
		.name = "kind", .letter = 'k', .value = "KIND,...",                                \
		.complete = NOOK_COMPLETE_LIST, .words = "user mnt cgroup ipc uts net pid time",   \
		.flags = NOOK_OPTION_MANY, .set = nook_cli_set_kinds, .at = offsetof(type, kinds), \
		.help = "only these kinds"                                                         \
	}

/* An array of the names of kinds. */
void nook_cli_put_kinds(struct nook_json_writer *w, const char *key, uint32_t kinds);

/* All names of this user's. What can't be read is left out: whoever asks has more to show. */
void nook_cli_kept_names(struct nook_arena *a, struct nook_ns_name **ret, size_t *ret_n);

/* Which names keep a namespace, how, and why so: lines of `nook ns show`; its JSON member "kept".
 */
void nook_cli_show_kept(struct nook_arena *a, enum nook_ns_kind kind, uint64_t ino);
void nook_cli_put_kept(struct nook_json_writer *w, struct nook_arena *a, enum nook_ns_kind kind,
		       uint64_t ino);

/* What a name means: a line a namespace; or JSON, as a document of its own. Return: exit status. */
int nook_cli_show_name(const struct nook_ns_name *name, bool json);

/* Ends a JSON document on stdout. Return: exit status. */
int nook_cli_end_json(struct nook_json_writer *w);

#endif
