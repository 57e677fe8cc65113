/* SPDX-License-Identifier: Apache-2.0 */
#include "causes_tables.h"
#include "base/own.h"

static const struct nook_known_cause rows[] = {
	{ .id = "pids-limit",
	  .title = "No more processes allowed",
	  .meaning = "pids.max of a cgroup above us is reached, or RLIMIT_NPROC of this user, or "
		     "kernel.threads-max or kernel.pid_max of the machine.",
	  .see = "`cat /proc/self/cgroup`, then pids.current and pids.max in that cgroup and each "
		 "above it\n"
		 "`ulimit -u`\n"
		 "`sysctl kernel.threads-max kernel.pid_max`",
	  .fix = "End processes, or raise the limit that is named.\n"
		 "A systemd service or login: `TasksMax=` of the unit or of user-UID.slice.",
	  .since = "pids.max: Linux 4.3" },
	{ .id = "out-of-memory",
	  .title = "No memory",
	  .meaning = "The machine, the memory cgroup that nook runs in, or RLIMIT_AS has no memory "
		     "left to give.",
	  .see = "`free -m`\n"
		 "`cat /proc/self/cgroup`, then memory.current and memory.max in that cgroup and "
		 "above\n"
		 "`ulimit -v`",
	  .fix = "Free memory, or raise the limit. nook reserves 256 MiB of address space (not of "
		 "memory): `ulimit -v` must leave room for it.",
	  .since = "" },
	{ .id = "too-many-files",
	  .title = "Too many open files",
	  .meaning = "RLIMIT_NOFILE of this process is reached, or fs.file-max of the machine.",
	  .see = "`ulimit -n`\n"
		 "`cat /proc/sys/fs/file-nr`",
	  .fix = "`ulimit -n 1024` (nook needs fewer than 64, and one more for each volume and "
		 "layer), "
		 "or `LimitNOFILE=` of the service.",
	  .since = "" },
	{ .id = "no-delegated-cgroup",
	  .title = "No cgroup is delegated to this user",
	  .meaning = "Limits need a cgroup that the caller may write, and an ordinary user has one "
		     "only where the system hands it over (systemd does, on cgroup v2).",
	  .see = "`cat /proc/self/cgroup`, then `ls -ld` of that directory below /sys/fs/cgroup: "
		 "it "
		 "must be yours\n"
		 "`nook check`",
	  .fix = "With systemd: `systemd-run --user --scope -p Delegate=yes nook run …`.\n"
		 "Without: as root, `mkdir /sys/fs/cgroup/NAME`, `chown -R USER` it, and put the "
		 "shell "
		 "into it.\n"
		 "Inside of a container: mount its cgroup writable.\n"
		 "Or leave the limits out: `--memory`, `--cpus`, `--pids` and the like.",
	  .since = "" },
	{ .id = "controller-unavailable",
	  .title = "The cgroup controller is not available",
	  .meaning =
		  "The limit's controller (memory, cpu, pids, io) is disabled in this kernel, not "
		  "mounted, or not handed down to the cgroup that nook may use.",
	  .see = "`cat /proc/cgroups`: enabled is 0 for a disabled one\n"
		 "`cat cgroup.controllers` in the cgroup of `cat /proc/self/cgroup`\n"
		 "`nook check`",
	  .fix = "Hand it down, as root: `echo +memory > /sys/fs/cgroup/cgroup.subtree_control`, "
		 "and "
		 "so on down the path.\n"
		 "systemd: `systemctl edit user@.service`, with `[Service]` and `Delegate=cpu "
		 "cpuset io "
		 "memory pids`.\n"
		 "memory: boot without `cgroup_disable=memory`; on some boards "
		 "`cgroup_enable=memory`.",
	  .since = "" },
	{ .id = "cgroup-busy",
	  .title = "A cgroup with processes can't hand on controllers",
	  .meaning =
		  "In cgroup v2 a cgroup that holds processes can't enable controllers for those "
		  "below (the rule of no internal processes), one that does can't take processes, "
		  "and a threaded one takes none of other kinds.",
	  .see = "`cat cgroup.procs cgroup.subtree_control cgroup.type` in the cgroup",
	  .fix = "Start nook in a cgroup of its own: `systemd-run --user --scope -p "
		 "Delegate=yes`.\n"
		 "Or move its processes into a cgroup below it first.",
	  .since = "" },
	{ .id = "cgroup-limit",
	  .title = "No more cgroups allowed",
	  .meaning =
		  "cgroup.max.descendants or cgroup.max.depth of a cgroup above is reached, or the "
		  "machine holds 65,535 cgroups of a controller.",
	  .see = "`cat cgroup.max.descendants cgroup.max.depth cgroup.stat` in each cgroup above\n"
		 "`cat /proc/cgroups`",
	  .fix = "Remove cgroups that are empty, or raise the limit that is named.",
	  .since = "Linux 4.14" },
	{ .id = "cpuset-empty",
	  .title = "The cpuset has no CPUs or no memory nodes",
	  .meaning =
		  "On cgroup v1 a new cpuset is empty and takes no processes until cpuset.cpus and "
		  "cpuset.mems are filled.",
	  .see = "`cat cpuset.cpus cpuset.mems` in the cgroup and above",
	  .fix = "As root: `echo 1 > cgroup.clone_children` in the parent, or fill both files.",
	  .since = "" },
	{ .id = "keyring-quota",
	  .title = "No more keys allowed",
	  .meaning =
		  "A new session keyring would pass kernel.keys.maxkeys or kernel.keys.maxbytes of "
		  "this user.",
	  .see = "`cat /proc/key-users`",
	  .fix = "As root: `sysctl -w kernel.keys.maxkeys=2000`.",
	  .since = "" },
	{ .id = "name-in-use",
	  .title = "A running container has this name",
	  .meaning = "Names are unique for each user, and a container that lives has this one.",
	  .see = "`nook ps`",
	  .fix = "Choose another `--name`, or leave it out.\n"
		 "Or end the other: `nook rm --force NAME`.",
	  .since = "" },
	{ .id = "no-such-container",
	  .title = "No container has this name",
	  .meaning = "Nothing of this name runs for this user; a container's record goes away when "
		     "its "
		     "program ends.",
	  .see = "`nook ps`\n"
		 "root's containers are in /run/nook, a user's in $XDG_RUNTIME_DIR/nook",
	  .fix = "Correct the name, or become the user who started it.",
	  .since = "" },
	{ .id = "no-criu",
	  .title = "CRIU is not here",
	  .meaning = "`nook-oci checkpoint` and `restore` are done by the program criu(8).",
	  .see = "`criu --version`",
	  .fix = "Install it: Debian's package is criu.\n"
		 "Or say where it is: `nook-oci --criu FILE …`.",
	  .since = "" },
	{ .id = "bad-state-directory",
	  .title = "The state directory can't be trusted",
	  .meaning = "The directory of nook's records belongs to somebody else, is writable for "
		     "others, or is a symbolic link; whoever owns it could make nook do things.",
	  .see = "`ls -ld /run/nook $XDG_RUNTIME_DIR/nook /tmp/nook-$(id -u)`",
	  .fix = "Remove it when nothing runs, or `chown` it to you and `chmod 700`.\n"
		 "Or set $XDG_RUNTIME_DIR to a directory of yours.",
	  .since = "" },
};

const struct nook_cause_table nook_causes_limits = { rows, ARRAY_SIZE(rows) };
