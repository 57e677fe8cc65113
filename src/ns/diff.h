/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two processes share and in what they differ: "works here, fails there". Each process is read
 * into a list of facts, and the two lists are compared.
 */
#ifndef NOOK_NS_DIFF_H
#define NOOK_NS_DIFF_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>

enum nook_diff_section {
	NOOK_DIFF_NAMESPACES,
	NOOK_DIFF_IDS,
	NOOK_DIFF_CAPABILITIES,
	NOOK_DIFF_SECURITY, /* seccomp, no_new_privs, LSM label */
	NOOK_DIFF_MOUNTS,   /* what is mounted where */
	NOOK_DIFF_MOUNT_OPTIONS,
	NOOK_DIFF_LIMITS,
	NOOK_DIFF_CGROUPS,
	NOOK_DIFF_PROCESS, /* root, directory, program, umask, OOM score, signals */
	NOOK_DIFF_SCHEDULING,
	NOOK_DIFF_ENVIRONMENT,
	NOOK_DIFF_SECTIONS,
};

/* "namespaces", as in JSON; and for people, of one fact: "namespace". */
extern const char *const nook_diff_section_words[NOOK_DIFF_SECTIONS];
extern const char *const nook_diff_section_names[NOOK_DIFF_SECTIONS];

/* Texts are hostile: a process chooses its arguments, its variables, its mount points. */
struct nook_diff_fact {
	enum nook_diff_section section;
	const char *name;  /* "net", "effective", "/data" */
	const char *value; /* NULL: it has none, or it could not be read */
	int errnum;        /* why it could not be read; 0: it was */
	bool set;          /* @value is words with a space between, in the order of both sides */
};

struct nook_diff_process {
	int pid;
	const char *name; /* as it calls itself */
	struct nook_diff_fact *facts;
	size_t n_facts;
};

/**
 * nook_diff_read() - the facts of a process
 * @environment: its variables, too
 *
 * What the caller may not read is a fact with its errnum. Return: 0; -ESRCH no such process, or it
 * has ended meanwhile; others.
 */
int nook_diff_read(struct nook_arena *a, int pid, bool environment, struct nook_diff_process *ret,
		   struct nook_error *err);

/* One line of the answer. */
struct nook_diff_row {
	enum nook_diff_section section;
	const char *name;
	const struct nook_diff_fact *a, *b; /* NULL: this one has no such thing */
	const char *only_a, *only_b; /* of sets: the words that the other has not; else NULL */
};

struct nook_diff {
	struct nook_diff_row *rows; /* what differs, by section */
	size_t n_rows;
	struct nook_diff_row *unknown; /* what one of them, or both, may not be asked */
	size_t n_unknown;
	size_t same[NOOK_DIFF_SECTIONS]; /* how many are equal */
};

void nook_diff_compare(struct nook_arena *a, const struct nook_diff_process *one,
		       const struct nook_diff_process *other, struct nook_diff *ret);

/* ---- texts of procfs, for diff_read.c and its test ---- */

/* Words of the bits, lowest first: "chown net_raw". A bit past the words is "63". */
const char *nook_diff_bits(struct nook_arena *a, const char *hex, const char *words,
			   unsigned first);

/* A process' facts while they grow. */
struct nook_diff_list {
	struct nook_arena *arena;
	struct nook_diff_fact *facts;
	size_t n;
};

/* Each adds the facts of one file. The texts are written into; lines that are none are left out. */
void nook_diff_limits(struct nook_diff_list *l, char *text);       /* proc_pid_limits(5) */
void nook_diff_cgroups(struct nook_diff_list *l, char *text);      /* proc_pid_cgroup(5) */
void nook_diff_status(struct nook_diff_list *l, const char *text); /* proc_pid_status(5) */
void nook_diff_stat(struct nook_diff_list *l, const char *text);   /* proc_pid_stat(5) */
/* proc_pid_environ(5): @len bytes with NULs in between. */
void nook_diff_environment(struct nook_diff_list *l, char *text, size_t len);
int nook_diff_mounts(struct nook_diff_list *l, char *text, struct nook_error *err);

#endif
