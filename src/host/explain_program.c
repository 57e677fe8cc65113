/* SPDX-License-Identifier: Apache-2.0 */
/* Causes of a program that doesn't start. execve(2), "ERRORS" */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#define EXECS " execve execveat exec "

/* The file that was to be executed, as seen inside. */
static const char *program_path(const struct nook_question *q)
{
	if (q->ctx->command && strchr(q->ctx->command, '/'))
		return q->ctx->command;
	const char *path = strchr(q->args, '/');

	return path ? path : NULL;
}

/* The program, and where it is on the host. */
struct found {
	struct nook_program program;
	char path[PATH_MAX];
};

static bool find_program(const struct nook_question *q, struct found *f)
{
	const char *path = program_path(q);

	return path && nook_evidence_program(q->roots, q->n_roots, path, &f->program, f->path,
					     sizeof(f->path));
}

static bool look_missing(struct nook_question *q)
{
	struct found p;

	if (!find_program(q, &p)) {
		const char *name = q->ctx->command ? q->ctx->command : program_path(q);

		return nook_answer(q, "command-not-found", "",
				   name && strchr(name, '/')
					   ? "The container has no file %s."
					   : "No directory of $PATH in the container has %s.",
				   name ? name : "the command");
	}
	if (!p.program.interpreter[0] ||
	    nook_evidence_in_roots(q->roots, q->n_roots, p.program.interpreter))
		return false;
	if (p.program.carriage_return)
		return nook_answer(q, "interpreter-missing",
				   "Remove the carriage returns: `sed -i 's/\\r$//' FILE`.",
				   "The first line of %s ends in a carriage return, which then "
				   "belongs to the interpreter's name.",
				   p.path);
	return nook_answer(q, "interpreter-missing", "",
			   p.program.format == NOOK_PROGRAM_SCRIPT
				   ? "%s is a script for %s, which the container doesn't have."
				   : "%s needs the loader %s, which the container doesn't have.",
			   p.path, p.program.interpreter);
}

static bool look_refused(struct nook_question *q)
{
	struct found p;
	struct stat st;
	struct statvfs fs;

	if (!find_program(q, &p) || stat(p.path, &st) < 0)
		return false;
	if (S_ISDIR(st.st_mode))
		return nook_answer(q, "not-executable", "Name a program in it.",
				   "%s is a directory.", p.path);
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return nook_answer(q, "not-executable", "", "%s has no execute bit.", p.path);
	if (statvfs(p.path, &fs) == 0 && fs.f_flag & ST_NOEXEC)
		return nook_answer(q, "noexec-mount", "",
				   "%s lies on a file system that is mounted noexec.", p.path);
	if (p.program.interpreter[0]) {
		struct found by;

		if (nook_evidence_program(q->roots, q->n_roots, p.program.interpreter, &by.program,
					  by.path, sizeof(by.path)) &&
		    stat(by.path, &st) == 0 && !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
			return nook_answer(q, "not-executable", "",
					   "Its interpreter %s has no execute bit.", by.path);
	}
	return nook_answer(q, "not-executable",
			   "Make it executable for everybody: `chmod a+rx FILE`.",
			   "The container's user may not execute %s, or not go as far.", p.path);
}

static bool look_format(struct nook_question *q)
{
	struct found p;

	if (!find_program(q, &p))
		return false;
	if (p.program.format == NOOK_PROGRAM_FOREIGN)
		return nook_answer(q, "wrong-arch", "",
				   "%s is a program for another processor (ELF machine %u).",
				   p.path, p.program.machine);
	if (p.program.format == NOOK_PROGRAM_UNKNOWN)
		return nook_answer(q, "unknown-format", "",
				   "%s is neither an ELF program nor a script with a #! line.",
				   p.path);
	return false;
}

static bool look_file_caps(struct nook_question *q)
{
	struct found p;

	return find_program(q, &p) && getxattr(p.path, "security.capability", NULL, 0) > 0 &&
	       nook_answer(q, "file-capabilities", "",
			   "%s has file capabilities that the container may not have.", p.path);
}

static bool look_arguments(struct nook_question *q)
{
	return nook_answer(q, "arguments-too-long", "",
			   "The kernel takes a quarter of the stack limit for all of them, and "
			   "128 KiB for each.");
}

static bool look_writer(struct nook_question *q)
{
	return nook_answer(q, "file-busy", "", "Somebody has the program's file open for writing.");
}

static bool look_filter_room(struct nook_question *q)
{
	uint64_t filters = 0;

	return nook_evidence_status(&q->evidence, "Seccomp_filters", 10, &filters) && filters &&
	       nook_answer(q, "seccomp-too-long", "",
			   "%lu seccomp filters are on nook already, and all together pass 32,768 "
			   "instructions.",
			   (unsigned long)filters);
}

static const struct nook_rule rows[] = {
	{ ENOENT, EXECS, look_missing },
	{ ENOTDIR, EXECS, look_missing },
	{ EACCES, EXECS, look_refused },
	{ EISDIR, EXECS, look_refused },
	{ ENOEXEC, EXECS, look_format },
	{ EPERM, EXECS, look_file_caps },
	{ E2BIG, EXECS, look_arguments },
	{ ETXTBSY, EXECS, look_writer },
	{ ENOMEM, " seccomp prctl ", look_filter_room },
};

const struct nook_rules nook_rules_program = { rows, ARRAY_SIZE(rows) };
