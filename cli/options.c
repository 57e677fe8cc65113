/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "net.h"
#include "net_networks.h"
#include "net_tools.h"
#include "ns_names.h"

#include "base/own.h"
#include "spec/words.h"

#include <string.h>

const struct nook_command nook_commands[] = {
	{ "run", "Containers", "[OPTION...] [--] [COMMAND [ARGUMENT...]]",
	  "run a command in a new container",
	  "Runs COMMAND, or your shell, in namespaces of its own, and removes the container when "
	  "it "
	  "ends. Without options its root is a copy-on-write view of this machine's own, and what "
	  "it writes there is thrown away. The exit status is the command's, 128+N when signal N "
	  "ended it, 127 when it was not found, 126 "
	  "when it could not be executed, and 125 when nook itself failed.",
	  &nook_run_table, NOOK_OPERANDS_COMMAND, nook_cmd_run },
	{ "exec", NULL, "[OPTION...] NAME [--] COMMAND [ARGUMENT...]",
	  "run a command in a container that runs",
	  "Runs COMMAND in the namespaces and the cgroup of the container, with its credentials "
	  "and its filter of system calls. The exit status is made as that of nook run.",
	  &nook_exec_table, NOOK_OPERANDS_CONTAINER_COMMAND, nook_cmd_exec },
	{ "ps", NULL, "[OPTION...]", "list your containers",
	  "Prints a line for each container that you have made: root sees root's. One that is "
	  "'gone' was left by a nook that was killed: nook rm removes the rest of it.",
	  &nook_ps_table, NOOK_OPERANDS_NONE, nook_cmd_ps },
	{ "kill", NULL, "[OPTION...] NAME...", "send a signal to containers",
	  "The signal goes to the container's first process, which passes it on to the command.",
	  &nook_kill_table, NOOK_OPERANDS_CONTAINERS, nook_cmd_kill },
	{ "rm", NULL, "[OPTION...] NAME...", "remove what is left of containers",
	  "A container is removed when its command ends. When nook itself was killed, its cgroups, "
	  "its range of ids and its record stay behind, and this removes them.",
	  &nook_rm_table, NOOK_OPERANDS_CONTAINERS, nook_cmd_rm },
	{ "check", "This machine", "[OPTION...] [ID]",
	  "say what this machine allows, and how to allow more",
	  "Tries namespaces, id ranges, overlay and idmapped mounts, cgroups, seccomp and a "
	  "container, as the user who asks. The exit status is 0 when nook run works here without "
	  "options, and 1 when it doesn't.",
	  &nook_check_table, NOOK_OPERANDS_NONE, nook_cmd_check },
	{ "ns", NULL, "VERB [OPTION...]", "list, show and keep namespaces",
	  "Every namespace of the machine: who holds it, who owns it, what is in it.",
	  &nook_ns_table, NOOK_OPERANDS_VERB, nook_cmd_ns },
	{ "ns ls", NULL, "[OPTION...]", "list the namespaces",
	  "Finds those that processes and threads are in, and those that only an open descriptor, "
	  "a "
	  "socket, a bind mount or another namespace holds. An ordinary user sees those of its own "
	  "processes, and is told how many others there are.",
	  &nook_ns_ls_table, NOOK_OPERANDS_NONE, nook_cmd_ns_ls },
	{ "ns tree", NULL, "[OPTION...]", "show which namespace owns or contains which",
	  "User namespaces with the namespaces that each owns, then pid namespaces with their "
	  "nesting and their processes.",
	  &nook_ns_tree_table, NOOK_OPERANDS_NONE, nook_cmd_ns_tree },
	{ "ns show", NULL, "[OPTION...] NAME|PID|PATH|KIND:[INODE]",
	  "show all about a namespace, or about those of a process",
	  "Who holds it, its owners up to the first user namespace, and what is in it: id maps and "
	  "limits, mounts, links and addresses, the host name, processes.",
	  &nook_ns_show_table, NOOK_OPERANDS_NAMESPACE, nook_cmd_ns_show },
	{ "ns new", NULL, "[OPTION...] NAME --KIND...", "make namespaces that live on under a name",
	  "Makes namespaces that need no process. Root's are kept by bind mounts, an ordinary "
	  "user's "
	  "by a small process, nook-hold, with a user namespace around. A pid namespace has "
	  "nook-hold as its pid 1.",
	  &nook_ns_new_table, NOOK_OPERANDS_NONE, nook_cmd_ns_new },
	{ "ns keep", NULL, "[OPTION...] PID NAME [KIND,...]",
	  "keep the namespaces of a process under a name",
	  "Without KIND: all that differ from yours. They live on when the process has ended, but "
	  "for a pid namespace, which ends with its pid 1.",
	  &nook_ns_keep_table, NOOK_OPERANDS_NONE, nook_cmd_ns_keep },
	{ "ns enter", NULL, "[OPTION...] NAME|PID|PATH [--] [COMMAND [ARGUMENT...]]",
	  "run a command in namespaces that are there",
	  "Enters all namespaces of the name, of the container, of the process, or the one at the "
	  "path, and runs COMMAND there, or your shell. The exit status is that of nook run.",
	  &nook_ns_enter_table, NOOK_OPERANDS_CONTAINER_COMMAND, nook_cmd_ns_enter },
	{ "ns rm", NULL, "[OPTION...] NAME...", "let go of namespaces that have a name",
	  "They end, unless something else keeps them: then it says what.", &nook_ns_rm_table,
	  NOOK_OPERANDS_NAMESPACE, nook_cmd_ns_rm },
	{ "ns can", NULL, "[OPTION...] NAME|PID|PATH",
	  "say which namespaces you may enter, and why not",
	  "A forecast by the rules of setns(2). Nothing is entered.", &nook_ns_can_table,
	  NOOK_OPERANDS_NAMESPACE, nook_cmd_ns_can },
	{ "ns where", NULL, "[OPTION...] PID|NAME|NAME:PID|NAME:/PATH|/PATH",
	  "translate a process' numbers and ids, or a path, between inside and outside",
	  "Of a process: its pid, thread group, process group and session in every pid namespace "
	  "that it is in, and its uid and gid in every user namespace, from yours down. NAME:PID "
	  "is "
	  "the process that has this pid in a container. Of a path in a container: the place of "
	  "the "
	  "host that it leads to, or the layer; with --at NAME, where the container sees a path of "
	  "the host.",
	  &nook_ns_where_table, NOOK_OPERANDS_NAMESPACE, nook_cmd_ns_where },
	{ "ns diff", NULL, "[OPTION...] A B", "say in what two processes or containers differ",
	  "Namespaces, ids, capabilities, seccomp, mounts, limits, cgroups, and the rest that "
	  "decides "
	  "why something works here and fails there. A and B are a PID, a container's NAME (its "
	  "first "
	  "process), NAME:PID, or self: nook itself, so the caller. The exit status is 0 when "
	  "nothing "
	  "differs, 1 when something does.",
	  &nook_ns_diff_table, NOOK_OPERANDS_NAMESPACE, nook_cmd_ns_diff },
	{ "ns watch", NULL, "[OPTION...]", "print a line when a namespace is born or gone",
	  "Runs until it is interrupted. The kernel tells of processes only, and root only: they "
	  "make it look at once. Else it looks every second, and misses what lives shorter.",
	  &nook_ns_watch_table, NOOK_OPERANDS_NONE, nook_cmd_ns_watch },
	{ "net", NULL, "VERB [OPTION...]", "connect containers and namespaces",
	  "Networks that containers are on, and links between namespaces.", &nook_net_table,
	  NOOK_OPERANDS_VERB, nook_cmd_net },
	{ "net new", NULL, "[OPTION...] NAME", "make a network for containers",
	  "A bridge with a subnet, from where containers reach each other and, by the machine, the "
	  "outside. nook run --net NAME puts a container on it. NAME has letters, digits and _ . "
	  "-, 32 at most.",
	  &nook_net_new_table, NOOK_OPERANDS_NONE, nook_cmd_net_new },
	{ "net ls", NULL, "[OPTION...]", "list the networks",
	  "A line for each network, with how many containers are on it.", &nook_net_ls_table,
	  NOOK_OPERANDS_NONE, nook_cmd_net_ls },
	{ "net show", NULL, "[OPTION...] NAME", "show a network and the containers on it",
	  "Its subnets and how it reaches the outside; of each container the name of the link "
	  "inside and on the host, and its addresses.",
	  &nook_net_show_table, NOOK_OPERANDS_NETWORKS, nook_cmd_net_show },
	{ "net rm", NULL, "[OPTION...] NAME...", "remove networks",
	  "Bridge, rules and record go; nothing that is not nook's is touched. A network that "
	  "containers are on is left, unless --force disconnects them.",
	  &nook_net_rm_table, NOOK_OPERANDS_NETWORKS, nook_cmd_net_rm },
	{ "net connect", NULL, "CONTAINER NET[:OPTION,...]",
	  "give a running container one more link",
	  "NET is what `nook run --net` takes: a network, bridge, or macvlan:LINK, with "
	  "ip=ADDRESS, "
	  "mac=ADDRESS and name=LINK behind a colon. Its hosts file knows the new neighbours, and "
	  "theirs knows it.",
	  &nook_net_connect_table, NOOK_OPERANDS_CONTAINER_NETWORK, nook_cmd_net_connect },
	{ "net disconnect", NULL, "CONTAINER NET", "take a container's link to a network away",
	  "Ports that were published through it are published no more.", &nook_net_disconnect_table,
	  NOOK_OPERANDS_CONTAINER_NETWORK, nook_cmd_net_disconnect },
	{ "net publish", NULL, "CONTAINER [IP:]HOSTPORT:PORT[/udp]...",
	  "let ports of the machine lead to a running container",
	  "As `nook run --publish` does for one that starts. The container has to be on a network.",
	  &nook_net_publish_table, NOOK_OPERANDS_CONTAINERS, nook_cmd_net_publish },
	{ "net unpublish", NULL, "CONTAINER [IP:]HOSTPORT:PORT[/udp]...",
	  "take published ports back", "In the words that published them.",
	  &nook_net_unpublish_table, NOOK_OPERANDS_CONTAINERS, nook_cmd_net_unpublish },
	{ "net veth", NULL, "[OPTION...] A:LINK B:LINK",
	  "connect two namespaces by a pair of links",
	  "A and B are a container's NAME, a name of nook ns, a PID, a PATH, or host: where you "
	  "are. LINK is what the end is called there. Both ends are up; the pair is gone when "
	  "either namespace ends.",
	  &nook_net_veth_table, NOOK_OPERANDS_NAMESPACE, nook_cmd_net_veth },
	{ "net move", NULL, "[OPTION...] LINK NAME|PID|PATH",
	  "move a link of yours into another namespace",
	  "It keeps its addresses and is up there. A physical device comes home, to the machine's "
	  "first network namespace, when the one that it is in ends; any other link ends with it.",
	  &nook_net_move_table, NOOK_OPERANDS_NAMESPACE, nook_cmd_net_move },
	{ "net explain", NULL, "[OPTION...] FROM TO[:PORT[/udp]]",
	  "walk the path of a packet, and say where it stops",
	  "FROM and TO are a container's NAME, a name of nook ns, a PID, a PATH, host, or an "
	  "address. "
	  "Routes, links, bridges, forwarding, published ports, foreign rules and who listens are "
	  "looked at; no packet is sent. The exit status is 0 when nothing stops it, 1 when "
	  "something "
	  "does.",
	  &nook_net_explain_table, NOOK_OPERANDS_NAMESPACE, nook_cmd_net_explain },
	{ "net repair", NULL, "[OPTION...] [NETWORK]",
	  "put back what somebody has removed of networks",
	  "After a flush of the ruleset, or the removal of a link: bridges with their addresses, "
	  "rules, "
	  "forwarding, links of containers that run, published ports and hosts files are looked "
	  "at, "
	  "and what is missing is made again. A line tells of each; what is as it should be is not "
	  "touched.",
	  &nook_net_repair_table, NOOK_OPERANDS_NETWORKS, nook_cmd_net_repair },
	{ "net watch", NULL, "[OPTION...]", "repair networks whenever something of them changes",
	  "Runs until it is interrupted. The kernel tells of changes of links, addresses and "
	  "rules: "
	  "then it does what nook net repair does. In between it does nothing.",
	  &nook_net_watch_table, NOOK_OPERANDS_NONE, nook_cmd_net_watch },
	{ "net capture", NULL, "CONTAINER|NAME|PID|PATH [--] COMMAND [ARGUMENT...]",
	  "run a program of the host's in the network of a container",
	  "Enters its net namespace and nothing else: tcpdump need not be in the container. The "
	  "program has your files, your credentials and your terminal; the exit status is its own.",
	  &nook_net_capture_table, NOOK_OPERANDS_CONTAINER_COMMAND, nook_cmd_net_capture },
	{ "help", "About nook", "[COMMAND]", "print this, or the help of a command",
	  "The same as nook COMMAND --help.", &nook_help_table, NOOK_OPERANDS_NOOK_COMMAND,
	  nook_cmd_help },
	{ "completion", NULL, "bash|zsh", "print the completion script for a shell",
	  "For bash: source <(nook completion bash). For zsh: nook completion zsh >_nook, in a "
	  "directory of fpath.",
	  &nook_completion_table, NOOK_OPERANDS_SHELL, nook_cmd_completion },
	{ "version", NULL, "", "print the version", "", &nook_version_table, NOOK_OPERANDS_NONE,
	  nook_cmd_version },
};

const size_t nook_n_commands = ARRAY_SIZE(nook_commands);

const struct nook_command *nook_command_find(const char *name)
{
	for (size_t i = 0; i < nook_n_commands; i++) {
		if (strcmp(nook_commands[i].name, name) == 0)
			return &nook_commands[i];
	}
	return NULL;
}

const char *nook_command_verb(const struct nook_command *c, const char *command)
{
	const char *space = strchr(c->name, ' ');

	if (!command[0])
		return space ? NULL : c->name;
	if (!space || strlen(command) != (size_t)(space - c->name) ||
	    strncmp(c->name, command, strlen(command)) != 0)
		return NULL;
	return space + 1;
}
