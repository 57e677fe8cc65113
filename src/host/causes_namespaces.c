/* SPDX-License-Identifier: Apache-2.0 */
#include "causes_tables.h"
#include "base/own.h"

static const struct nook_known_cause rows[] = {
	{ .id = "userns-limit",
	  .title = "No more user namespaces allowed",
	  .meaning =
		  "user.max_user_namespaces is 0 or used up (here, or in an outer user namespace, "
		  "whose limit counts too), or user namespaces are nested 32 deep.",
	  .see = "`sysctl user.max_user_namespaces`\n"
		 "`lsns -t user` lists those that exist",
	  .fix = "As root: `sysctl -w user.max_user_namespaces=28633`, and the same line in "
		 "/etc/sysctl.d/ to keep it.\n"
		 "Inside another container: its owner has to raise the limit there.\n"
		 "As root, without a user namespace: `nook run --userns host`.",
	  .since = "Linux 4.9" },
	{ .id = "namespace-limit",
	  .title = "No more namespaces of a kind allowed",
	  .meaning =
		  "user.max_KIND_namespaces of a kind (mnt, uts, ipc, net, pid, cgroup, time) is 0 "
		  "or used up, or pid namespaces are nested 32 deep.",
	  .see = "`sysctl -a --pattern 'user.max_.*_namespaces'`\n"
		 "`lsns` lists those that exist",
	  .fix = "As root: raise the one that is named, with `sysctl -w`.\n"
		 "Or keep the caller's namespace of that kind: `nook run --share KIND`.",
	  .since = "Linux 4.9" },
	{ .id = "userns-forbidden",
	  .title = "User namespaces are forbidden for this user",
	  .meaning =
		  "A sysctl (kernel.unprivileged_userns_clone=0), AppArmor "
		  "(kernel.apparmor_restrict_unprivileged_userns=1), SELinux or a seccomp filter "
		  "keeps ordinary users from making user namespaces, or takes their power inside.",
	  .see = "`sysctl kernel.unprivileged_userns_clone "
		 "kernel.apparmor_restrict_unprivileged_userns`\n"
		 "`getenforce`\n"
		 "`grep Seccomp /proc/self/status`: 2 means that a filter is on\n"
		 "`dmesg` names the AppArmor or SELinux rule",
	  .fix = "Debian's switch: `sysctl -w kernel.unprivileged_userns_clone=1`.\n"
		 "Ubuntu's: `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or an "
		 "AppArmor "
		 "profile for nook with the line `userns,`.\n"
		 "SELinux: `setsebool -P user_namespace 1` or a policy that allows user_namespace "
		 "create.\n"
		 "Inside of a container: start that one with a seccomp profile that allows clone "
		 "and "
		 "unshare.\n"
		 "Or run nook as root.",
	  .since = "" },
	{ .id = "userns-chroot",
	  .title = "User namespaces can't be made in a chroot",
	  .meaning = "The kernel refuses a new user namespace to a process whose root directory is "
		     "not "
		     "the root of its mount namespace.",
	  .see = "`stat -c %m /` or `findmnt /`: a chroot's / is no mount\n"
		 "`ls -di / /proc/1/root/`: two numbers in a chroot",
	  .fix = "Leave the chroot, or enter the directory by pivot_root: `unshare -m` and "
		 "`pivot_root`, or `nook run --root DIR`.\n"
		 "As root: `nook run --userns host`.",
	  .since = "Linux 3.9" },
	{ .id = "namespace-not-built",
	  .title = "The kernel was built without a namespace kind",
	  .meaning = "The kernel has no namespaces of this kind: the option CONFIG_KIND_NS was off "
		     "when it was built, or it is older than the kind.",
	  .see = "`ls /proc/self/ns`\n"
		 "`zgrep _NS= /proc/config.gz` or `grep _NS= /boot/config-$(uname -r)`",
	  .fix = "Boot a kernel with the option (distributions' kernels have all of them).\n"
		 "Or go on without it: `nook run --share KIND`.",
	  .since = "time: Linux 5.6, cgroup: Linux 4.6, the others: Linux 3.8" },
	{ .id = "namespace-gone",
	  .title = "The namespace to join isn't there any more",
	  .meaning =
		  "The process, container or path that named the namespace has gone: a namespace "
		  "ends with its last process unless something pins it.",
	  .see = "`lsns`\n"
		 "`nook ps`",
	  .fix = "Name a process that lives, or a bind mount of its /proc/PID/ns/KIND.",
	  .since = "" },
	{ .id = "not-a-namespace",
	  .title = "That path is no namespace of this kind",
	  .meaning = "What `--join` named is an ordinary file, or a namespace of another kind.",
	  .see = "`readlink /proc/PID/ns/KIND` shows `KIND:[number]`\n"
		 "`stat -f -c %T PATH` shows nsfs for a pinned namespace",
	  .fix = "Give the path of the right kind: `--join net=/proc/123/ns/net`.",
	  .since = "" },
	{ .id = "no-such-namespace",
	  .title = "No namespaces of that name",
	  .meaning =
		  "Neither `nook ns new` nor `nook ns keep` nor `ip netns add` has given the name "
		  "to namespaces, as this user sees them, and no container of this user's has it.",
	  .see = "`nook ns ls`\n"
		 "`nook ps`\n"
		 "`ip netns list`",
	  .fix = "Check the spelling: names differ by user, as root has its own.\n"
		 "A pid or a path (with a slash) names namespaces without a name.",
	  .since = "" },
	{ .id = "ns-entry-denied",
	  .title = "The namespaces of that process may not be looked at",
	  .meaning = "The links in /proc/PID/ns are open to who may ptrace(2) the process for "
		     "reading: "
		     "its user, when all its user and group ids are the same and it has not become "
		     "non-dumpable, or who has CAP_SYS_PTRACE in its user namespace.",
	  .see = "`ls -ld /proc/PID`: root's, for another user's process, when it isn't dumpable\n"
		 "`grep -E 'Uid|Gid|Cap' /proc/PID/status`\n"
		 "`nook ns can PID`",
	  .fix = "Ask as the process' user, or as root.\n"
		 "Name a namespace that is kept: `nook ns new`, `nook ns keep`.",
	  .since = "" },
	{ .id = "ns-not-owned",
	  .title = "That user namespace isn't yours to enter",
	  .meaning =
		  "A user namespace is entered by who made it, from the user namespace that it was "
		  "made in, and by who has CAP_SYS_ADMIN in one above it.",
	  .see = "`nook ns can PID`\n"
		 "`lsns -t user -o NS,PNS,UID,PID,COMMAND`",
	  .fix = "Enter it as the user who made it, or as root.",
	  .since = "Linux 3.8" },
	{ .id = "pid-namespace-outside",
	  .title = "That pid namespace isn't below yours",
	  .meaning =
		  "A process can enter its own pid namespace and those below it: nobody leaves a "
		  "pid namespace upwards or sideways.",
	  .see = "`lsns -t pid -o NS,PNS,PID,COMMAND`",
	  .fix = "Enter it from the machine itself.\n"
		 "Or leave it out: `nook ns enter --only` and the other kinds.",
	  .since = "Linux 3.8" },
	{ .id = "pid-namespace-dead",
	  .title = "The pid namespace has lost its pid 1",
	  .meaning =
		  "When pid 1 of a pid namespace ends, nothing can be started in it any more, even "
		  "while a file or a process still holds it.",
	  .see = "`lsns -t pid`\n"
		 "`nook ps`",
	  .fix = "Start a new container: a pid namespace can't be revived.",
	  .since = "" },
	{ .id = "missing-capability",
	  .title = "Root without a capability",
	  .meaning = "The caller is root but lacks a capability that the step needs, as in most "
		     "containers; or is an ordinary user and asked for something only root may do.",
	  .see = "`grep Cap /proc/self/status`, then `capsh --decode=NUMBER`\n"
		 "`nook check` lists what root lacks",
	  .fix = "Start nook with the capability that is named (an outer container: `--cap-add "
		 "NAME`), "
		 "or leave out the option that needs it.\n"
		 "CAP_SYS_ADMIN: needed for namespaces without a user namespace, and for mounts; "
		 "let "
		 "nook make a user namespace (leave out `--userns host`).\n"
		 "CAP_SYS_RESOURCE: needed to raise a hard rlimit or lower an OOM score; ask for "
		 "no "
		 "more than the caller has.\n"
		 "CAP_NET_ADMIN, CAP_MKNOD, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_CHROOT: "
		 "run "
		 "nook outside of the container that lacks them.",
	  .since = "" },
	{ .id = "setuid-helper-missing",
	  .title = "newuidmap or newgidmap is not installed",
	  .meaning = "An ordinary user's id ranges are mapped by the setuid programs newuidmap and "
		     "newgidmap, and one of them is not in /usr/bin, /bin or $PATH.",
	  .see = "`command -v newuidmap newgidmap`",
	  .fix = "Debian, Ubuntu: `apt install uidmap`.\n"
		 "Fedora, RHEL: `dnf install shadow-utils`. Arch: `pacman -S shadow`. Alpine: `apk "
		 "add "
		 "shadow-uidmap`.\n"
		 "Or use a single id: `nook run --uid-map 0:$(id -u):1 --gid-map 0:$(id -g):1`.",
	  .since = "" },
	{ .id = "setuid-helper-failed",
	  .title = "newuidmap or newgidmap refused",
	  .meaning =
		  "The helper is there but can't do its job: it is not setuid root and has no file "
		  "capabilities, its file system is mounted nosuid, no_new_privs is set on us, or "
		  "the range asked for is not the caller's in /etc/subuid or /etc/subgid.",
	  .see = "`ls -l /usr/bin/newuidmap` shows -rwsr-xr-x, or `getcap` shows cap_setuid\n"
		 "`findmnt -T /usr/bin/newuidmap` shows no nosuid\n"
		 "`grep NoNewPrivs /proc/self/status` shows 0\n"
		 "`grep \"^$USER:\" /etc/subuid /etc/subgid`",
	  .fix = "`apt install --reinstall uidmap`, or `chmod u+s /usr/bin/newuidmap "
		 "/usr/bin/newgidmap` as root.\n"
		 "Start nook where no_new_privs is not set.\n"
		 "Ask for a range that /etc/subuid and /etc/subgid give to this user.",
	  .since = "" },
	{ .id = "no-subid-range",
	  .title = "This user has no range of subordinate ids",
	  .meaning =
		  "/etc/subuid or /etc/subgid has no line for the caller, so that only its own id "
		  "can be mapped into a user namespace.",
	  .see = "`grep \"^$USER:\" /etc/subuid /etc/subgid`",
	  .fix = "As root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`, "
		 "with a range that nobody else has.\n"
		 "Or stay with the single id, mapped to root: leave out `--user`, `--uid-map` and "
		 "`--gid-map`.",
	  .since = "" },
	{ .id = "id-not-mapped",
	  .title = "An id is not covered by the id map",
	  .meaning = "A user or group id was to be used or mapped that the user namespace has no "
		     "number for: inside of it, such an id can't be set or given to a file, and an "
		     "outer id that we don't have can't be handed on.",
	  .see = "`cat /proc/self/uid_map /proc/self/gid_map`: first id inside, first id outside, "
		 "count\n"
		 "`nook run --plan …` shows the map that a container would get",
	  .fix = "Use an id that the map covers: `--user 0`.\n"
		 "Or map it: `--uid-map`, `--gid-map`; an ordinary user needs a range in "
		 "/etc/subuid "
		 "and /etc/subgid for that.",
	  .since = "" },
	{ .id = "range-exhausted",
	  .title = "No free range of 65,536 ids",
	  .meaning = "Every range that nook hands out to root's containers (from 0x70000000 on) is "
		     "held by a container that lives, or by a line of /etc/subuid or an account.",
	  .see = "`ls /run/nook/ids`\n"
		 "`nook ps`",
	  .fix = "End containers that nobody needs: `nook rm --force NAME`.\n"
		 "Or set the map by hand: `--uid-map`, `--gid-map`.",
	  .since = "" },
	{ .id = "setgroups-denied",
	  .title = "Supplementary groups can't be changed here",
	  .meaning =
		  "In a user namespace whose group map was written without privilege, setgroups(2) "
		  "is denied for good, because dropping a group could open files that exclude it.",
	  .see = "`cat /proc/self/setgroups` shows deny",
	  .fix = "Map a range with newgidmap: give the user lines in /etc/subuid and /etc/subgid.\n"
		 "Or leave out the option that asks for groups.",
	  .since = "Linux 3.19" },
	{ .id = "time-offset",
	  .title = "A clock offset is out of range",
	  .meaning = "A time namespace's clocks can't be set below 0 or past about 146 years, and "
		     "not any more when a process is in it.",
	  .see = "`cat /proc/uptime`: `--boottime` may be no less than minus this",
	  .fix = "Choose another value for `--boottime` or `--monotonic`.",
	  .since = "Linux 5.6" },
};

const struct nook_cause_table nook_causes_namespaces = { rows, ARRAY_SIZE(rows) };
