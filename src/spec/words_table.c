/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `nook run`: also its --help, its completion and the OPTIONS of its man page. */
#include "words_set.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/names.h"
#include "values.h"

#include <errno.h>
#include <string.h>

/* ---- what concerns the run and no part of the spec ---- */

static int set_name(const struct nook_option_use *use)
{
	struct nook_spec *spec = &((struct nook_run_words *)use->into)->spec;

	spec->name = use->value;
	spec->name_from = use->from;
	if (!nook_valid_id(use->value))
		return nook_refuse(
			use->err, EINVAL,
			"'%s' can't be a name: it has letters, digits, '_', '.', '+' and "
			"'-', begins with none of the last three, and is 1 to 255 long",
			use->value);
	return 0;
}

static int set_plan(const struct nook_option_use *use)
{
	struct nook_run_words *words = use->into;

	words->plan = true;
	if (use->value && strcmp(use->value, "json") == 0)
		words->plan_format = NOOK_PLAN_JSON;
	else if (use->value && strcmp(use->value, "text") != 0)
		return nook_refuse(use->err, EINVAL,
				   "'%s' is no form of a plan: write text or json", use->value);
	return 0;
}

#define KINDS "mnt uts ipc net pid user cgroup time"

static const struct nook_option rows[] = {
	NOOK_OPTION_HEADING("Namespaces"),
	{ .name = "share",
	  .value = "KIND,...",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_LIST,
	  .words = KINDS,
	  .set = nook_set_share,
	  .help = "keep your own namespaces of these kinds: mnt, uts, ipc, net, pid, user, cgroup, "
		  "time; all are new otherwise" },
	{ .name = "join",
	  .value = "KIND=NAME|PID|PATH",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_WORDS,
	  .words = "mnt= uts= ipc= net= pid= user= cgroup= time=",
	  .set = nook_set_join,
	  .help = "enter a namespace that exists: a container's, a process's, or the one at a path",
	  .more = "A value of digits is a pid, one with a slash is a path." },
	{ .name = "hostname",
	  .value = "NAME",
	  .set = nook_set_hostname,
	  .help = "the container's host name; default: its --name" },
	{ .name = "domainname",
	  .value = "NAME",
	  .set = nook_set_domainname,
	  .help = "its NIS domain name" },
	{ .name = "boottime",
	  .value = "SECONDS",
	  .set = nook_set_boottime,
	  .help = "move its boot-time clock (uptime), forward or with - back" },
	{ .name = "monotonic",
	  .value = "SECONDS",
	  .set = nook_set_monotonic,
	  .help = "move its monotonic clock",
	  .more = "Neither clock can be moved to before the machine's start. "
		  "See time_namespaces(7)." },
	{ .name = "userns",
	  .value = "host",
	  .complete = NOOK_COMPLETE_WORDS,
	  .words = "host",
	  .set = nook_set_userns,
	  .help = "no user namespace: root inside is you outside; the same as --share user" },
	{ .name = "uid-map",
	  .value = "INSIDE:OUTSIDE:COUNT",
	  .flags = NOOK_OPTION_MANY,
	  .set = nook_set_uid_map,
	  .help = "map user ids by hand; lines repeated or separated by commas",
	  .more = "Without, root gives each container 65,536 ids of its own, and an ordinary user "
		  "the ranges of /etc/subuid, or root inside for the one id that there is." },
	{ .name = "gid-map",
	  .value = "INSIDE:OUTSIDE:COUNT",
	  .flags = NOOK_OPTION_MANY,
	  .set = nook_set_gid_map,
	  .help = "map group ids by hand" },

	NOOK_OPTION_HEADING("Root file system"),
	{ .name = "root",
	  .value = "DIR",
	  .complete = NOOK_COMPLETE_DIR,
	  .set = nook_set_root,
	  .help = "use this directory and write to it; default: a copy-on-write view of the "
		  "machine's own root, without its secrets" },
	{ .name = "layer",
	  .value = "DIR",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_DIR,
	  .set = nook_set_layer,
	  .help = "a read-only layer; repeated: the last is on top" },
	{ .name = "changes",
	  .value = "DIR",
	  .complete = NOOK_COMPLETE_DIR,
	  .set = nook_set_changes,
	  .help = "keep what is written there, for a later run to go on with; default: throw it "
		  "away" },
	{ .name = "read-only",
	  .set = nook_set_read_only,
	  .help = "nothing can be written to the root; volumes and tmpfs stay as they are" },
	{ .name = "expose",
	  .value = "PATH",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_FILE,
	  .set = nook_set_expose,
	  .help = "show this path, which the copy of the machine's root leaves out",
	  .more = "Left out are password hashes, private keys of ssh and TLS, /root, homes other "
		  "than yours, keys in your home, and the data of container engines. What else "
		  "you can read outside, root inside can read." },
	{ .name = "hide",
	  .value = "PATH",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_FILE,
	  .set = nook_set_hide,
	  .help = "leave this path out of the copy too" },

	NOOK_OPTION_HEADING("Mounts"),
	{ .name = "volume",
	  .letter = 'v',
	  .value = "SRC:DST[:OPTION,...]",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_FILE,
	  .set = nook_set_volume,
	  .help = "show a directory or file of the machine inside; options: ro, rw, bind, rbind, "
		  "noidmap, dev, suid, noexec, private, slave, shared",
	  .more = "The defaults are rw, rbind (with what is mounted below SRC), nodev, nosuid, "
		  "exec "
		  "and private. With noidmap files show the owners that they have outside. In a "
		  "path write \\: for a colon and \\\\ for a backslash. A DST that is not there is "
		  "made." },
	{ .name = "tmpfs",
	  .value = "DST[:OPTION,...]",
	  .flags = NOOK_OPTION_MANY,
	  .set = nook_set_tmpfs,
	  .help = "an empty file system in memory; options: size=64m, mode=1777, ro, dev, suid, "
		  "noexec" },

	NOOK_OPTION_HEADING("Process"),
	{ .name = "user",
	  .letter = 'u',
	  .value = "USER[:GROUP]",
	  .complete = NOOK_COMPLETE_USER,
	  .set = nook_set_user,
	  .help = "run as this user of the container, by name or id; default: root" },
	{ .name = "group",
	  .value = "GROUP",
	  .set = nook_set_group,
	  .help = "run with this group; default: the user's" },
	{ .name = "cwd",
	  .letter = 'w',
	  .value = "DIR",
	  .complete = NOOK_COMPLETE_DIR,
	  .set = nook_set_cwd,
	  .help = "start in this directory of the container" },
	{ .name = "env",
	  .letter = 'e',
	  .value = "NAME[=VALUE]",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_ENV,
	  .set = nook_set_env,
	  .help = "set a variable; without =VALUE: as you have it" },
	{ .name = "clear-env",
	  .set = nook_set_clear_env,
	  .help = "start with no variable but --env's" },
	{ .name = "cap-add",
	  .value = "NAME,...",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_LIST,
	  .words = nook_cap_words,
	  .set = nook_set_cap,
	  .help = "give capabilities (net_admin, ..., or all)" },
	{ .name = "cap-drop",
	  .value = "NAME,...",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_LIST,
	  .words = nook_cap_words,
	  .set = nook_set_cap,
	  .help = "take capabilities away; --cap-drop all --cap-add NAME leaves just that one" },
	{ .name = "new-privs",
	  .flags = NOOK_OPTION_NO,
	  .set = nook_set_new_privs,
	  .help = "let setuid programs work inside; default: --no-new-privs" },
	{ .name = "seccomp",
	  .value = "default|off|FILE",
	  .complete = NOOK_COMPLETE_FILE,
	  .set = nook_set_seccomp,
	  .help = "filter of system calls: nook's own, none, or a profile in the engines' JSON "
		  "form",
	  .more = "A file called default or off is written with its path: ./off." },
	{ .name = "rlimit",
	  .value = "NAME=SOFT[:HARD]",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_WORDS,
	  .words = nook_rlimit_words,
	  .set = nook_set_rlimit,
	  .help = "resource limit, such as nofile=1024:4096; or unlimited" },
	{ .name = "oom-score-adj",
	  .value = "N",
	  .set = nook_set_oom_score_adj,
	  .help = "how soon it is killed when memory runs out, from -1000 to 1000" },
	{ .name = "init",
	  .flags = NOOK_OPTION_NO,
	  .set = nook_set_init,
	  .help = "let a small pid 1 reap orphans and pass signals on (default); --no-init: "
		  "COMMAND is pid 1 itself" },
	{ .name = "tty",
	  .letter = 't',
	  .flags = NOOK_OPTION_NO,
	  .set = nook_set_tty,
	  .help = "a terminal of its own; default: when stdin and stdout are one" },

	NOOK_OPTION_HEADING("Limits"),
	{ .name = "memory",
	  .letter = 'm',
	  .value = "SIZE",
	  .set = nook_set_memory,
	  .help = "memory, such as 512m or 2g" },
	{ .name = "memory-swap",
	  .value = "SIZE",
	  .set = nook_set_memory_swap,
	  .help = "memory and swap together; -1: swap is not limited" },
	{ .name = "cpus",
	  .value = "N",
	  .set = nook_set_cpus,
	  .help = "CPU time, in CPUs: 0.5 is half of one" },
	{ .name = "cpu-weight",
	  .value = "N",
	  .set = nook_set_cpu_weight,
	  .help = "share of busy CPUs, 1 to 10000; others have 100" },
	{ .name = "pids",
	  .value = "N",
	  .set = nook_set_pids,
	  .help = "processes and threads at a time" },
	{ .name = "io-weight",
	  .value = "N",
	  .set = nook_set_io_weight,
	  .help = "share of busy disks, 1 to 10000; others have 100" },

	NOOK_OPTION_HEADING("Network"),
	{ .name = "net",
	  .value = "NET[:OPTION,...]",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_NETWORK,
	  .words = "private none host user bridge",
	  .set = nook_set_net,
	  .help = "a loopback only (private, the default), not even that up (none), yours (host), "
		  "a "
		  "network of nook net, bridge for its default, user for one without privilege, "
		  "macvlan:LINK, ns:NAME or container:NAME",
	  .more = "Networks and macvlan may be given several times; their options are ip=ADDRESS "
		  "(one a family), mac=ADDRESS and name=LINK, the name inside: eth0, eth1 and so "
		  "on otherwise. The first that leads out has the default route." },
	{ .name = "publish",
	  .letter = 'p',
	  .value = "[IP:]HOSTPORT:PORT[/udp]",
	  .flags = NOOK_OPTION_MANY,
	  .set = nook_set_publish,
	  .help = "let a port of the machine lead to one of the container; 8080-8090:80-90 are "
		  "ranges, [fd00::1]:8080:80 is one address of the machine" },

	NOOK_OPTION_HEADING("The run"),
	{ .name = "name",
	  .value = "NAME",
	  .set = set_name,
	  .help = "its name for nook ps, exec and kill; default: one is made up" },
	{ .name = "plan",
	  .value = "text|json",
	  .flags = NOOK_OPTION_OPTIONAL,
	  .complete = NOOK_COMPLETE_WORDS,
	  .words = "text json",
	  .set = set_plan,
	  .help = "print what would be done, and do nothing; needs no privilege" },
	{ .name = "trace",
	  .set = nook_option_flag,
	  .at = offsetof(struct nook_run_words, trace),
	  .help = "print every step and how long it took, on stderr" },
	NOOK_OPTION_HELP_ROW,
};

/* What Docker's, Podman's and bubblewrap's users write. */
static const struct nook_option_foreign foreign[] = {
	{ "-i", "stdin is always passed on: leave -i away." },
	{ "--interactive", "stdin is always passed on: leave it away." },
	{ "--rm", "nook run always removes what it made: leave --rm away." },
	{ "-d", "nook run stays: write --no-tty in front and '&' behind for now." },
	{ "--detach", "nook run stays: write --no-tty in front and '&' behind for now." },
	{ "--network", "nook calls it --net." },
	{ "--ip", "nook says it with the network: --net NAME:ip=ADDRESS." },
	{ "--mac-address", "nook says it with the network: --net NAME:mac=ADDRESS." },
	{ "-P", "nook publishes what is named: --publish HOSTPORT:PORT." },
	{ "--workdir", "nook calls it --cwd." },
	{ "--chdir", "nook calls it --cwd." },
	{ "--setenv", "nook calls it --env." },
	{ "--bind", "nook calls it --volume SRC:DST." },
	{ "--ro-bind", "nook calls it --volume SRC:DST:ro." },
	{ "--mount", "nook calls it --volume SRC:DST or --tmpfs DST." },
	{ "--rootfs", "nook calls it --root." },
	{ "--ulimit", "nook calls it --rlimit." },
	{ "--pids-limit", "nook calls it --pids." },
	{ "--cpu-shares", "nook has --cpu-weight, from 1 to 10000 where others have 100." },
	{ "--blkio-weight", "nook has --io-weight, from 1 to 10000 where others have 100." },
	{ "--security-opt", "nook has --seccomp and --new-privs." },
	{ "--privileged", "nook has --cap-add all --seccomp off --userns host, each by itself." },
	{ "--pid", "nook calls it --share pid or --join pid=NAME." },
	{ "--ipc", "nook calls it --share ipc or --join ipc=NAME." },
	{ "--uts", "nook calls it --share uts or --join uts=NAME." },
	{ "--cgroupns", "nook calls it --share cgroup or --join cgroup=NAME." },
	{ NULL, NULL },
};

const struct nook_option_table nook_run_table = {
	.command = "nook run",
	.rows = rows,
	.n = ARRAY_SIZE(rows),
	.command_follows = true,
	.foreign = foreign,
};
