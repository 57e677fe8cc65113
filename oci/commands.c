/* SPDX-License-Identifier: Apache-2.0 */
#include "oci.h"

#include "base/own.h"
#include "command_words.h"

#include <stdint.h>
#include <string.h>

#define ANY SIZE_MAX

/* In the order of --help. */
const struct oci_command oci_commands[] = {
	{ "create", "[OPTION...] ID", "make a container of a bundle",
	  "Does everything up to the program, which waits for start. The bundle is a directory "
	  "with a config.json.",
	  1, 1, &oci_create_table, sizeof(struct oci_creating), oci_create },
	{ "start", "ID", "let the program of a created container begin", "", 1, 1, &oci_no_options,
	  0, oci_start },
	{ "run", "[OPTION...] ID", "make a container, start it, wait, and remove it",
	  "The exit status is the program's, 128+N when signal N ended it.", 1, 1, &oci_run_table,
	  sizeof(struct oci_creating), oci_run },
	{ "exec", "[OPTION...] ID COMMAND [ARGUMENT...]",
	  "run one more program in a running container",
	  "The exit status is the program's, and 255 when it could not be started.", 1, ANY,
	  &oci_exec_table, sizeof(struct oci_exec_words), oci_exec },
	{ "kill", "[OPTION...] ID [SIGNAL]", "send a signal to the container's first process",
	  "SIGNAL is a name, with or without SIG, or a number; default: TERM.", 1, 2,
	  &oci_kill_table, sizeof(struct oci_kill_words), oci_kill },
	{ "delete", "[OPTION...] ID", "remove a container that is stopped or only created", "", 1,
	  1, &oci_delete_table, sizeof(struct oci_delete_words), oci_delete },
	{ "state", "ID", "print the state of a container as JSON", "", 1, 1, &oci_no_options, 0,
	  oci_state },
	{ "list", "[OPTION...]", "list the containers", "", 0, 0, &oci_list_table,
	  sizeof(struct oci_list_words), oci_list },
	{ "ps", "[OPTION...] ID [OPTION OF PS...]", "list the processes of a container",
	  "A table is that of ps(1), by default with its option -ef.", 1, ANY, &oci_ps_table,
	  sizeof(struct oci_ps_words), oci_ps },
	{ "pause", "ID", "stop all processes of a container where they are", "", 1, 1,
	  &oci_no_options, 0, oci_pause },
	{ "resume", "ID", "let them go on", "", 1, 1, &oci_no_options, 0, oci_resume },
	{ "update", "[OPTION...] ID", "change the limits of a container",
	  "What isn't said stays as it is.", 1, 1, &oci_update_table,
	  sizeof(struct oci_update_words), oci_update },
	{ "events", "[OPTION...] ID", "print what a container uses, and when memory runs out",
	  "A line of JSON each, until the container ends.", 1, 1, &oci_events_table,
	  sizeof(struct oci_events_words), oci_events },
	{ "features", "", "print what this runtime can do, as JSON", "", 0, 0, &oci_no_options, 0,
	  oci_features, true },
	{ "spec", "[OPTION...]", "write a config.json to begin with", "", 0, 0, &oci_spec_table,
	  sizeof(struct oci_spec_words), oci_spec, true },
	{ "check", "[BUNDLE]", "say what of a bundle this host can't do",
	  "Nothing is made. The exit status is 0 when it can do all.", 0, 1, &oci_check_table,
	  sizeof(struct oci_check_words), oci_check },
	{ "checkpoint", "[OPTION...] ID", "save a running container by CRIU", "", 1, 1,
	  &oci_checkpoint_table, sizeof(struct oci_checkpoint_words), oci_checkpoint },
	{ "restore", "[OPTION...] ID", "make a container of what checkpoint has saved", "", 1, 1,
	  &oci_restore_table, sizeof(struct oci_restore_words), oci_restore },
	{ "completion", "bash|zsh", "print the completion script for a shell",
	  "For bash: source <(nook-oci completion bash). For zsh: nook-oci completion zsh "
	  ">_nook-oci, in a directory of $fpath.",
	  1, 1, &oci_no_options, 0, oci_completion, true },
	{ "help", "[COMMAND]", "print this, or the help of a command", "", 0, 1, &oci_help_table,
	  sizeof(struct oci_help_words), oci_help, true },
};

const size_t oci_n_commands = ARRAY_SIZE(oci_commands);

static const struct oci_option only_help[] = { OCI_HELP_ROW };

const struct oci_table oci_no_options = { .rows = only_help, .n = ARRAY_SIZE(only_help) };

const struct oci_command *oci_command_find(const char *name)
{
	for (size_t i = 0; i < oci_n_commands; i++) {
		if (strcmp(oci_commands[i].name, name) == 0)
			return &oci_commands[i];
	}
	return strcmp(name, "h") == 0 ? oci_command_find("help") : NULL;
}
