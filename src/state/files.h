/* SPDX-License-Identifier: Apache-2.0 */
/* STATE_DIR from the inside: its folders, locks and records. For src/state/ and src/run/undo.c. */
#ifndef NOOK_STATE_FILES_H
#define NOOK_STATE_FILES_H

#include "state.h"

#include <dirent.h>
#include <stdbool.h>

/* The folders of STATE_DIR: nook_state.dirs, in this order. */
enum nook_folder {
	NOOK_FOLDER_RECORDS,
	NOOK_FOLDER_NEW,
	NOOK_FOLDER_LOCKS,
	NOOK_FOLDER_SECCOMP,
	NOOK_FOLDER_IDS,
	NOOK_FOLDER_START,
	NOOK_FOLDER_COUNT,
};

/* "containers", "new", … */
const char *nook_folder_name(enum nook_folder f);

/**
 * nook_base_open() - open STATE_DIR
 * @make: make it when it is missing
 *
 * Refused when it is another user's, a symlink, or writable for group or others: then anybody could
 * have put anything there. Return: O_PATH descriptor; -ENOENT (nothing noted in @err) when it is
 * missing and not to be made; others.
 */
int nook_base_open(const char *state_dir, bool make, struct nook_error *err);

/* Opens a folder of it. Return: O_PATH descriptor; -ENOENT as above; others. */
int nook_folder_open(int base, enum nook_folder f, bool make, struct nook_error *err);

/* The same for one that other rooms keep there. */
int nook_folder_open_named(int base, const char *name, bool make, struct nook_error *err);

/* Opens one to list it. @path: of it or of a folder in it, relative to STATE_DIR. Return: 0;
 * -ENOENT, nothing noted; others. */
int nook_folder_list(int base, const char *path, DIR **ret, struct nook_error *err);

/* The next name in it, but for those that begin with a dot. @path: as above, for the error. Return:
 * 1, and the name stays until the next call; 0: there is no more; a negative errno. */
int nook_folder_next(DIR *dir, const char *path, const char **ret, struct nook_error *err);

/* Opens a file of a folder: openat2 without symlinks. Return: descriptor or negative errno, nothing
 * noted. */
int nook_folder_file(int base, enum nook_folder f, const char *name, int flags);

/* The same below a STATE_DIR that is open; @base is copied. */
int nook_state_open_at(int base, const char *name, struct nook_state *s, struct nook_error *err);

/* Everything of @s but name's lock. @make and -ENOENT as nook_base_open(); folders are always made.
 */
int nook_state_open(const char *state_dir, const char *name, bool make, struct nook_state *s,
		    struct nook_error *err);

/* A name in an open STATE_DIR, for those who only look or take back: nothing is locked, @base is
 * borrowed, and it is not to be closed. */
struct nook_state nook_state_of(int base, const char *name);

/* Checks a name, -EINVAL. */
int nook_check_name(const char *name, struct nook_error *err);

/* What a file that bears a container's name is called while it is written, beside the one that it
 * will be: ".HASH", of one length, since NAME may have all the bytes that a file's name can, and
 * does not begin with a dot. */
#define NOOK_NAME_ASIDE 20
void nook_name_aside(const char *name, char out[NOOK_NAME_ASIDE]);

/* Deletes the container's files but its lock. */
int nook_files_delete(struct nook_state *s, struct nook_error *err);

/* ---- locks ---- */

/* Who holds a container's lock. */
struct nook_holder {
	bool held;
	int pid; /* as we see it; 0: not known: dying, out of our sight, or we ourselves */
};

/**
 * nook_lock_take() - lock locks/NAME, made when missing; into s->lock
 *
 * Return: 0: and the file that is locked is the one that is there; -EBUSY, nothing noted, when
 * somebody holds it; others.
 */
int nook_lock_take(struct nook_state *s, struct nook_error *err);

/**
 * nook_lock_take_patiently() - the same, when the holder is on its way out
 *
 * A lock that is held by a process with a pid, and a record beside it, are a living container. Else
 * its keeper is just taking the name, just cleaning up, or was killed, with a child about to follow
 * it that still has a copy of the descriptor: none of that lasts, and is waited for.
 */
int nook_lock_take_patiently(struct nook_state *s, struct nook_error *err);

/* Is there a file of this name in the folder, or could that not be found out? */
bool nook_have_file(const struct nook_state *s, enum nook_folder f);
bool nook_have_record(const struct nook_state *s);

/* Tries a descriptor of a lock file, once. Return: 0; -EBUSY; others. */
int nook_lock_try(int fd);

/* The same of the right to change what the container has while it runs: it is another lock. */
int nook_lock_try_change(int fd);

/* Has the lock file been deleted, by its last holder, since @fd was opened? */
bool nook_lock_stale(int fd);

/* Looks without taking it. @fd: of the lock file. Return: 0 or a negative errno. */
int nook_lock_look(int fd, struct nook_holder *ret);

/* The same by name; a missing file is held by nobody. */
int nook_lock_holder(int base, const char *name, struct nook_holder *ret, struct nook_error *err);

/* ---- records ---- */

/* "creating", … */
const char *nook_phase_text(enum nook_phase phase);

/* How much of it is read: what an undo needs can be whole where the rest is not. */
enum nook_record_part {
	NOOK_RECORD_OBJECTS, /* identity, range and cgroups */
	NOOK_RECORD_TEXT,    /* the whole record */
	NOOK_RECORD_ALL,     /* seccomp/NAME too */
};

/* A record, checked. Return: 0; -ENOENT (nothing noted); -EBADMSG when it is garbled; others. */
int nook_record_load(int base, const char *name, enum nook_record_part part, struct nook_arena *a,
		     struct nook_record *record, struct nook_error *err);

/* nook_state_read(), but only as much of it. */
int nook_state_read_part(const char *state_dir, const char *name, enum nook_record_part part,
			 struct nook_arena *a, struct nook_record *record, enum nook_life *ret_life,
			 struct nook_error *err);

/* What is true of a record now. @boot_id: of this boot. Return: 0, or a negative errno: it could
 * not be found out. */
int nook_life_of(const struct nook_record *record, const struct nook_holder *holder,
		 const char *boot_id, enum nook_life *ret, struct nook_error *err);

/* nook_state_pidfd() for who knows the boot id. */
int nook_record_pidfd(const struct nook_record *record, const char *boot_id, int *ret_pidfd,
		      struct nook_error *err);

/* Bounds that writer and reader share. */
#define NOOK_RECORD_VERSION 1
#define NOOK_START_NAME     16 /* hexadecimal digits */
#define NOOK_RECORD_BYTES   (8u << 20)
#define NOOK_RECORD_TEXTS   262144u
#define NOOK_RECORD_GROUPS  65536u
#define NOOK_RECORD_CGROUPS 32u
#define NOOK_PID_MAX        4194304 /* PID_MAX_LIMIT of 64-bit kernels */

/* ---- ranges ---- */

/* Releases whatever ranges a container holds: when its record can't be read. */
int nook_range_release_all(const struct nook_state *state, struct nook_error *err);

/* Where nook_range_find() looks, in slots of NOOK_RANGE_SIZE from NOOK_RANGE_FIRST. */
#define NOOK_RANGE_FIRST 0x70000000u
#define NOOK_RANGE_SLOTS 4096u

/* Marks in @taken (a bit a slot) what the files subuid, subgid, passwd and group in @etc give to
 * others. Missing files give nothing. */
int nook_range_mark_etc(int etc, uint64_t taken[NOOK_RANGE_SLOTS / 64], struct nook_error *err);

#endif
