/* SPDX-License-Identifier: Apache-2.0 */
#include "causes_tables.h"
#include "base/own.h"

static const struct nook_known_cause rows[] = {
	{ .id = "masked-proc",
	  .title = "Parts of /proc are covered, so no new proc may be mounted",
	  .meaning =
		  "In a user namespace the kernel allows a new proc or sysfs only when the mount "
		  "namespace already shows a whole one; an outer container that masks files under "
		  "/proc takes that away.",
	  .see = "`findmnt -R /proc` lists the mounts over parts of it",
	  .fix = "Start the outer container so that its /proc is whole: Docker "
		 "`--security-opt systempaths=unconfined`, Podman `--security-opt unmask=ALL`, "
		 "Kubernetes `procMount: Unmasked`.\n"
		 "Or share the pid namespace: `nook run --share pid`.\n"
		 "Or run nook outside of that container.",
	  .since = "Linux 3.12" },
	{ .id = "foreign-pid",
	  .title = "proc needs a pid namespace of its own",
	  .meaning =
		  "A new proc shows a pid namespace's processes, so the kernel allows it only to "
		  "whoever owns that pid namespace; in a shell that `unshare -Ur` started, the pid "
		  "namespace still belongs to the outside.",
	  .see = "`lsns -p $$` shows which namespaces the shell has",
	  .fix = "Start the outer shell with a pid namespace too: `unshare -Urmpf --mount-proc`.\n"
		 "Or leave pid out of `--share`.\n"
		 "Or run nook outside of it: it needs no user namespace around it.",
	  .since = "Linux 3.8" },
	{ .id = "foreign-mnt",
	  .title = "The mount namespace belongs to the outside",
	  .meaning = "Mounts may be made and copied only by whoever owns the mount namespace; in a "
		     "shell that `unshare -Ur` started, it still belongs to the outside.",
	  .see = "`lsns -p $$` shows which namespaces the shell has",
	  .fix = "Start the outer shell with a mount namespace too: `unshare -Urm`.\n"
		 "Or run nook outside of it: it needs no user namespace around it.",
	  .since = "Linux 3.8" },
	{ .id = "foreign-net",
	  .title = "sysfs needs a network namespace of its own",
	  .meaning = "A new sysfs shows a network namespace's devices, so the kernel allows it "
		     "only to "
		     "whoever owns that network namespace.",
	  .see = "`nook run --plan …` shows whether net is shared",
	  .fix = "Leave net out of `--share`, or leave `--net host` out.\n"
		 "Or show the host's: `--volume /sys:/sys:ro`.",
	  .since = "Linux 3.12" },
	{ .id = "no-idmap",
	  .title = "The file system can't be mounted with mapped ids",
	  .meaning =
		  "The files' owners can't be translated for the container: the file system type "
		  "has no support for idmapped mounts in this kernel, or is itself mounted inside "
		  "a "
		  "user namespace.",
	  .see = "`nook check` tries it for the usual places\n"
		 "`findmnt -T PATH` shows the type",
	  .fix = "Put the files on ext4, xfs, btrfs (Linux 5.15), f2fs (5.18) or tmpfs (6.3).\n"
		 "Or don't map them: `--volume SRC:DST:noidmap`, where files show the host's "
		 "owners.\n"
		 "Or without a user namespace: `--userns host`.",
	  .since = "Linux 5.12; FUSE and others came later" },
	{ .id = "overlay-on-overlay",
	  .title = "The writable layer lies on an overlay",
	  .meaning = "Overlay file systems can't have their writable layer on another overlay, and "
		     "their layers can be stacked only two deep; inside of most containers every "
		     "directory lies on one.",
	  .see = "`stat -f -c %T DIR` shows overlayfs\n"
		 "`findmnt -T DIR`",
	  .fix = "Put `--changes` on a volume of another file system (ext4, xfs, btrfs, tmpfs).\n"
		 "Or leave `--changes` out: the layer is then a tmpfs.",
	  .since = "" },
	{ .id = "overlay-upper",
	  .title = "This file system can't hold a writable layer",
	  .meaning = "Overlay's upper layer needs extended attributes, d_type and whiteouts, which "
		     "NFS, FAT, NTFS, CIFS, 9p and most FUSE file systems don't have.",
	  .see = "`stat -f -c %T DIR`\n"
		 "`dmesg | tail` has a line that begins with overlayfs",
	  .fix = "Put `--changes` on ext4, xfs (made with ftype=1), btrfs or tmpfs.\n"
		 "Or leave `--changes` out.",
	  .since = "" },
	{ .id = "overlay-in-use",
	  .title = "Another overlay uses this layer",
	  .meaning = "A writable layer belongs to one mount at a time, and no layer may lie within "
		     "another; the kernel refuses or warns.",
	  .see = "`nook ps`\n"
		 "`grep overlay /proc/*/mountinfo`",
	  .fix = "End the container that uses it, or give this one a `--changes` of its own.",
	  .since = "Linux 4.13" },
	{ .id = "overlay-unprivileged",
	  .title = "Overlay mounts need root here",
	  .meaning =
		  "This kernel doesn't let a user namespace mount overlay (before Linux 5.11), or "
		  "not over a directory that has mounts below it which were made outside.",
	  .see = "`uname -r`\n"
		 "`nook check` tries it",
	  .fix = "Run nook as root, or use a directory: `--root DIR`.",
	  .since = "" },
	{ .id = "filesystem-missing",
	  .title = "The kernel doesn't have this file system",
	  .meaning =
		  "The file system type is neither built in nor loaded, and a user namespace may "
		  "not load modules.",
	  .see = "`cat /proc/filesystems`\n"
		 "`modinfo overlay`",
	  .fix = "As root, once: `modprobe overlay` (or the type that is named), and its name in "
		 "/etc/modules-load.d/ to keep it.",
	  .since = "" },
	{ .id = "mount-limit",
	  .title = "Too many mounts",
	  .meaning = "The mount namespace would hold more mounts than fs.mount-max.",
	  .see = "`wc -l < /proc/self/mountinfo`\n"
		 "`sysctl fs.mount-max`",
	  .fix = "As root: `sysctl -w fs.mount-max=200000`.\n"
		 "Or use fewer volumes, or volumes without what is mounted below (leave out "
		 "rbind).",
	  .since = "Linux 4.9" },
	{ .id = "mount-locked",
	  .title = "A mount from outside is locked",
	  .meaning =
		  "Mounts that a user namespace inherited can't be taken apart in it: a directory "
		  "with other mounts below is bound only together with them, and read-only, "
		  "nosuid, "
		  "nodev and noexec can't be cleared.",
	  .see = "`findmnt -R SOURCE`",
	  .fix = "Bind it with what is below: the volume option rbind (the default).\n"
		 "Ask for the flags that the mount has: `:ro`.\n"
		 "Or run nook as root.",
	  .since = "" },
	{ .id = "source-missing",
	  .title = "The source isn't there",
	  .meaning = "A file or directory that was to be shown inside doesn't exist on the host.",
	  .see = "`ls -ld PATH`",
	  .fix = "Correct the path, or make the directory first: nook never makes a source.",
	  .since = "" },
	{ .id = "symlink-in-target",
	  .title = "A symbolic link stands where it is not followed",
	  .meaning =
		  "The path crosses a symbolic link which leads out of the container's root, in a "
		  "circle, or through /proc; following it could touch the host's files.",
	  .see = "`namei -l PATH` shows each part",
	  .fix = "Name the real place: `realpath PATH`.\n"
		 "Or replace the link in the root by a directory.",
	  .since = "" },
	{ .id = "no-access",
	  .title = "A directory on the way is closed to this user",
	  .meaning =
		  "The file permissions of a part of the path keep the caller out; for a root that "
		  "is mapped, the caller's real id counts.",
	  .see = "`namei -l PATH` shows each part's owner and mode",
	  .fix = "`chmod o+x DIR` for each directory on the way, and read permission on the last.\n"
		 "Or put it where the caller may go.",
	  .since = "" },
	{ .id = "type-mismatch",
	  .title = "A file where a directory is needed, or the reverse",
	  .meaning =
		  "A directory can be mounted only on a directory and a file only on a file, and a "
		  "path can't go on below a file.",
	  .see = "`ls -ld SOURCE TARGET`",
	  .fix = "Make both of the same type, or choose a target that isn't there yet: nook then "
		 "makes "
		 "the right one.",
	  .since = "" },
	{ .id = "read-only",
	  .title = "The file system is read-only",
	  .meaning = "Something had to be made or written below a mount that is read-only: often a "
		     "mount target that is missing in a read-only root.",
	  .see = "`findmnt -T PATH` shows ro",
	  .fix = "Make the target in the root beforehand.\n"
		 "Leave `--read-only` out, or put a `--tmpfs` there first.",
	  .since = "" },
	{ .id = "no-space",
	  .title = "No space, or no inodes, or over quota",
	  .meaning =
		  "The file system that was to be written is full: its blocks, its inodes, or what "
		  "a quota leaves.",
	  .see = "`df -h PATH`, `df -i PATH`, `quota`",
	  .fix = "Remove what nobody needs, or use another file system (`--changes DIR`).\n"
		 "A tmpfs: give it more, `--tmpfs DST:size=1g`.",
	  .since = "" },
	{ .id = "cwd-missing",
	  .title = "The working directory isn't there",
	  .meaning =
		  "The directory in which the program was to start doesn't exist in the container.",
	  .see = "`nook run --plan …` shows it",
	  .fix = "`--cwd /`, or make the directory in the root, or mount one: `--volume` or "
		 "`--tmpfs`.",
	  .since = "" },
};

const struct nook_cause_table nook_causes_mounts = { rows, ARRAY_SIZE(rows) };
