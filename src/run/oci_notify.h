/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify(3) for an engine's service: with NOTIFY_SOCKET in its environment, the container gets a
 * socket of its own at NOOK_NOTIFY_INSIDE, and what the program says there that it is ready is
 * passed on. As runc does, but for what is passed on: only READY and STATUS, within bounds; and by
 * whoever stays also after that.
 *
 * The socket lies in a directory STATE_DIR/notify/ID, which is what is mounted: `create` makes the
 * directory, `start` the socket in it.
 */
#ifndef NOOK_RUN_OCI_NOTIFY_H
#define NOOK_RUN_OCI_NOTIFY_H

#include "base/arena.h"
#include "nook/error.h"
#include "spec/bundle.h"

#include <stdbool.h>

#define NOOK_NOTIFY_INSIDE "/run/notify"
#define NOOK_NOTIFY_FOLDER "notify" /* of STATE_DIR */
#define NOOK_NOTIFY_NAME   "notify.sock"

/* How much of a status line is passed on, and how many lines in how long a time. */
#define NOOK_NOTIFY_STATUS    512
#define NOOK_NOTIFY_LINES     64
#define NOOK_NOTIFY_WINDOW_MS 10000

/* May this value of NOTIFY_SOCKET be one? "/path" or "@abstract". */
bool nook_oci_notify_is_socket(const char *host);

/* Adds the mount and the variable to a bundle that is not planned yet. No system call. */
void nook_oci_notify_add(struct nook_arena *a, struct nook_bundle *b, const char *state_dir,
			 const char *id);

/* @base: STATE_DIR. Makes the directory; one that is there is taken. */
int nook_oci_notify_make(int base, const char *id, struct nook_error *err);

/* Removes it with its socket. None is no error. */
int nook_oci_notify_remove(int base, const char *id, struct nook_error *err);

/* Return: a socket that is bound in it; -ENOENT, nothing noted: it was created without. */
int nook_oci_notify_listen(int base, const char *id, struct nook_error *err);

/* What is under way; on the caller's stack. */
struct nook_oci_notify {
	int listener; /* borrowed */
	int host;     /* our end to the manager */
	int pid;      /* MAINPID */
	unsigned lines;
	int64_t since; /* when the first of these lines came: CLOCK_MONOTONIC, ms */
	bool ready;    /* has been passed on, which is done once */
	bool staying;  /* set by the caller: we live on, so the manager needn't be waited for, and
			  what is said afterwards is passed on, too */
};

/**
 * nook_oci_notify_begin() - connect to the manager
 * @host: its NOTIFY_SOCKET
 * @pid:  of whom the manager is to watch: of the container's pid 1, or ours in the foreground
 */
int nook_oci_notify_begin(struct nook_oci_notify *n, int listener, const char *host, int pid,
			  struct nook_error *err);

/* Takes what has come without waiting, and passes on what may be. Return: 0: see @ready; others
 * when the manager can't be told. */
int nook_oci_notify_take(struct nook_oci_notify *n, struct nook_error *err);

void nook_oci_notify_end(struct nook_oci_notify *n);

/**
 * nook_oci_notify_forward() - wait for READY=1, and pass it on
 * @pidfd: of the container's pid 1: its end ends the wait
 *
 * Return: 0 when the manager was told, and when the container has ended without a word: the manager
 * sees that. -EINTR: SIGHUP, SIGINT, SIGQUIT or SIGTERM came, where these are blocked.
 */
int nook_oci_notify_forward(int listener, const char *host, int pidfd, int pid,
			    struct nook_error *err);

#endif
