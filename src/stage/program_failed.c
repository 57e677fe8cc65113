/* SPDX-License-Identifier: Apache-2.0 */
#include "program_failed.h"

#include "base/own.h"
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void read_program(const char *path, struct nook_program *p)
{
	struct stat st;

	*p = (struct nook_program){ .format = NOOK_PROGRAM_UNREADABLE };
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;

	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		nook_program_read(fd, p);
}

/* The file is there and yet "No such file": its interpreter is missing. Which one? */
static void missing(const char *path, struct nook_error *err)
{
	struct nook_program p;
	struct stat st;

	if (stat(path, &st) < 0)
		return;

	read_program(path, &p);
	if (p.carriage_return) {
		nook_cause(err, "interpreter-missing",
			   "the first line of %s ends in a carriage return (a Windows file), which "
			   "then belongs to the interpreter's name",
			   path);
		nook_hint(err, "remove the carriage returns: sed -i 's/\\r$//' FILE");
	} else if (p.format == NOOK_PROGRAM_SCRIPT) {
		nook_cause(err, "interpreter-missing",
			   "%s begins with #!%s, which the container does not have", path,
			   p.interpreter);
	} else if (p.interpreter[0]) {
		nook_cause(err, "interpreter-missing",
			   "%s needs the loader %s, which the container does not have", path,
			   p.interpreter);
	} else {
		nook_cause(err, "interpreter-missing",
			   "%s is there, but not what it needs to be executed by", path);
	}
	nook_hint(err, "put the interpreter into the container, or use a static program");
}

static void denied(const char *path, struct nook_error *err)
{
	struct nook_program p;
	struct stat st;
	struct statvfs fs;

	if (stat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		nook_cause(err, "not-executable", "%s is a directory", path);
		nook_hint(err, "name a program in it");
		return;
	}
	if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC) {
		nook_cause(err, "noexec-mount", "%s lies on a file system that is mounted noexec",
			   path);
		nook_hint(err,
			  "leave out the volume's option noexec, or copy the program elsewhere");
		return;
	}
	if (access(path, X_OK) < 0) {
		nook_cause(err, "not-executable",
			   st.st_mode & 0111 ? "%s may not be executed by this user"
					     : "%s has no execute permission",
			   path);
		nook_hint(err, "make it executable (chmod +x), or run it by its interpreter");
		return;
	}

	/* The file may be executed, so what it names may not. */
	read_program(path, &p);
	if (p.interpreter[0])
		nook_cause(err, "not-executable", "%s needs %s, which may not be executed", path,
			   p.interpreter);
}

static void no_format(const char *path, struct nook_error *err)
{
	struct nook_program p;

	read_program(path, &p);
	if (p.format == NOOK_PROGRAM_FOREIGN) {
		nook_cause(err, "wrong-arch",
			   "%s is a program for another processor (ELF machine %u)", path,
			   p.machine);
		nook_hint(err, "take one that was built for this machine");
	} else if (p.format == NOOK_PROGRAM_UNKNOWN) {
		nook_cause(err, "unknown-format",
			   "%s is neither an ELF program nor a script with a #! line", path);
		nook_hint(err,
			  "give a script its first line, #!/bin/sh, or run it by its interpreter");
	}
}

void nook_program_failed(const char *path, int errnum, struct nook_error *err)
{
	switch (errnum) {
	case ENOENT:
		missing(path, err);
		break;
	case EACCES:
		denied(path, err);
		break;
	case ENOEXEC:
		no_format(path, err);
		break;
	}
}
