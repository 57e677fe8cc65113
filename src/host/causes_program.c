/* SPDX-License-Identifier: Apache-2.0 */
#include "causes_tables.h"
#include "base/own.h"

static const struct nook_known_cause rows[] = {
	{ .id = "command-not-found",
	  .title = "The command isn't there",
	  .meaning =
		  "No file of this name is in the container's root, or in none of the directories "
		  "of its $PATH; exit status 127.",
	  .see = "`nook run … -- sh -c 'command -v NAME; echo $PATH'`",
	  .fix = "Correct the name, give the whole path, or put the program into the root.\n"
		 "`--env PATH=…` sets where to look.",
	  .since = "" },
	{ .id = "not-executable",
	  .title = "The file may not be executed",
	  .meaning = "The file is there, but it is a directory or no execute bit is set for the "
		     "program's user; exit status 126.",
	  .see = "`ls -l FILE`",
	  .fix = "`chmod +x FILE`.\n"
		 "Or start it through its interpreter: `sh FILE`.",
	  .since = "" },
	{ .id = "noexec-mount",
	  .title = "The file system forbids execution",
	  .meaning = "The program lies on a mount with the flag noexec; exit status 126.",
	  .see = "`findmnt -T FILE` shows noexec",
	  .fix = "Copy the program elsewhere, or leave out the volume's option noexec.",
	  .since = "" },
	{ .id = "interpreter-missing",
	  .title = "The program's interpreter isn't there",
	  .meaning =
		  "The file exists, but the program that its #! line names, or the dynamic loader "
		  "(ld.so) that the ELF file names, is not in the container; the kernel reports "
		  "that as \"No such file or directory\", too.",
	  .see = "`head -1 FILE` for a script (a carriage return at the end counts)\n"
		 "`readelf -l FILE | grep interpreter` for a program",
	  .fix = "Put the interpreter into the root, or a statically linked program.\n"
		 "A script from Windows: remove the carriage returns, `sed -i 's/\\r$//' FILE`.\n"
		 "A glibc program on a musl root, or the reverse: take one built for that root.",
	  .since = "" },
	{ .id = "wrong-arch",
	  .title = "The program is for another processor",
	  .meaning = "The ELF file was built for another architecture than this machine's, and no "
		     "emulator is registered for it.",
	  .see = "`file FILE` or `readelf -h FILE | grep Machine`\n"
		 "`uname -m`",
	  .fix = "Use a program, or an image, for this machine.\n"
		 "Or register an emulator: `apt install qemu-user-static binfmt-support`.",
	  .since = "" },
	{ .id = "unknown-format",
	  .title = "The file is in no format that the kernel executes",
	  .meaning =
		  "The file is executable but neither an ELF program nor a script with a #! line: "
		  "it is empty, cut off, or a script without its first line.",
	  .see = "`head -c 64 FILE | od -c`",
	  .fix = "Give a script its first line: `#!/bin/sh`.\n"
		 "Or start it through its interpreter: `sh FILE`.",
	  .since = "" },
	{ .id = "file-capabilities",
	  .title = "The program needs a capability that the container doesn't have",
	  .meaning = "The file has effective file capabilities, one of which is not in the "
		     "container's "
		     "bounding set; the kernel then refuses to execute it.",
	  .see = "`getcap FILE`",
	  .fix = "`--cap-add NAME`, or take the file's capabilities away: `setcap -r FILE`.",
	  .since = "" },
	{ .id = "arguments-too-long",
	  .title = "Arguments and environment are too long",
	  .meaning =
		  "All arguments and variables together pass a quarter of the stack limit, or one "
		  "of them passes 128 KiB.",
	  .see = "`ulimit -s`\n"
		 "`env | wc -c`",
	  .fix = "Pass less, or raise the limit: `--rlimit stack=…`.\n"
		 "`--clear-env` leaves the caller's environment out.",
	  .since = "" },
	{ .id = "file-busy",
	  .title = "The file is open for writing",
	  .meaning = "A program can't be executed while somebody has its file open for writing.",
	  .see = "`fuser -v FILE`",
	  .fix = "Wait until the copy or the build has finished.",
	  .since = "" },
	{ .id = "unknown-user",
	  .title = "The user or group is not in the container",
	  .meaning =
		  "The name is looked up in the container's own /etc/passwd and /etc/group, never "
		  "in the host's, and stands in neither.",
	  .see = "`grep NAME ROOT/etc/passwd ROOT/etc/group`",
	  .fix = "Give the number: `--user 1000:1000`.\n"
		 "Or add the account to the root.",
	  .since = "" },
	{ .id = "unknown-syscall",
	  .title = "A seccomp profile names an unknown system call",
	  .meaning =
		  "The name is no system call of any architecture that nook's libseccomp knows: a "
		  "slip of the pen, or a call newer than that library.",
	  .see = "`ausyscall --dump` or `scmp_sys_resolver NAME`",
	  .fix = "Correct the name in the profile, or remove it.",
	  .since = "" },
	{ .id = "seccomp-too-long",
	  .title = "The seccomp filter is too long",
	  .meaning = "The kernel takes 4,096 instructions a filter and 32,768 for all filters that "
		     "are "
		     "on a process together.",
	  .see = "`nook run --plan …` shows the filter's length\n"
		 "`grep Seccomp_filters /proc/self/status` counts those that are on already",
	  .fix = "Shorten the profile: fewer conditions on arguments, fewer architectures.",
	  .since = "" },
	{ .id = "seccomp-outer",
	  .title = "A seccomp filter around nook refuses a call",
	  .meaning = "nook runs under a filter already (inside of a container, a sandbox or a "
		     "service), and that one answers the call with an error.",
	  .see = "`grep Seccomp /proc/self/status`: 2 means that a filter is on",
	  .fix = "Start the outer container with a profile that allows nested containers: Docker "
		 "and "
		 "Podman `--security-opt seccomp=unconfined`.\n"
		 "A systemd service: take the call out of SystemCallFilter=, and "
		 "RestrictNamespaces=no.",
	  .since = "" },
	{ .id = "kernel-too-old",
	  .title = "The kernel is too old for this",
	  .meaning = "The call or the option came with a later kernel than the one that runs.",
	  .see = "`uname -r`\n"
		 "`nook check` lists the features with the kernel that brought each",
	  .fix = "Boot Linux 5.14 or later; what needs a later one says so.",
	  .since = "" },
};

const struct nook_cause_table nook_causes_program = { rows, ARRAY_SIZE(rows) };
