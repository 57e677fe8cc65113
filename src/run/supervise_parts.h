/* SPDX-License-Identifier: Apache-2.0 */
/* What the files src/run/supervise*.c share. */
#ifndef NOOK_RUN_SUPERVISE_PARTS_H
#define NOOK_RUN_SUPERVISE_PARTS_H

#include "pump.h"
#include "terminal.h"

#include <poll.h>
#include <signal.h>

struct nook_supervisor {
	int pidfd, pid;
	int signals;                            /* signalfd */
	const struct nook_supervise_also *also; /* NULL: nothing */

	bool terminal; /* the program has a pty */
	bool keyboard; /* and our stdin is a terminal */
	bool plain;    /* the pty doesn't process output: our terminal does */
	bool input;    /* stdin has not ended */
	bool eof_due;  /* it has, and the pty must be told */
	int master;    /* NO_FD: no terminal, or hung up */
	int slave;     /* held, so that the master has no hang-up when all inside have closed it */
	struct nook_pump in, out;
};

/* ---- supervise_signals.c ---- */

/* All that are passed on, or handled. */
void nook_supervise_signals(sigset_t *set);

/* Takes one from the signalfd. */
int nook_supervise_handle(struct nook_supervisor *s, struct nook_error *err);

/* Stops us, or our group (@whom 0), until SIGCONT, which then waits to be read from the signalfd;
 * false when the kernel did not stop us: nobody could continue an orphaned process group. */
bool nook_supervise_stop(int sig, pid_t whom);

/* A background job that wants its terminal stops, as the kernel would stop it for tcsetattr(3),
 * until SIGCONT; then the caller comes here again. */
int nook_supervise_take_terminal(struct nook_supervisor *s, struct nook_error *err);

/* ---- supervise_bytes.c ---- */

enum {
	NOOK_POLL_SIGNALS,
	NOOK_POLL_PROGRAM,
	NOOK_POLL_ALSO,
	NOOK_POLL_INPUT,
	NOOK_POLL_MASTER,
	NOOK_POLL_OUTPUT,
	NOOK_POLL_COUNT
};

/* Asks poll(2) for @events; or for nothing: else it would go on telling of a hang-up, unasked. */
void nook_supervise_want(struct pollfd *p, int fd, bool wanted, short events);

/* Asks for what is to be moved, from NOOK_POLL_INPUT on; then moves it. */
void nook_supervise_want_bytes(struct nook_supervisor *s, struct pollfd *p);
void nook_supervise_move_bytes(struct nook_supervisor *s, const struct pollfd *p);

/* @master: NO_FD without a pty. Then begin() opens what is needed, and takes our own terminal. */
void nook_supervise_init_bytes(struct nook_supervisor *s, int master);
int nook_supervise_begin_bytes(struct nook_supervisor *s, struct nook_error *err);
void nook_supervise_end_bytes(struct nook_supervisor *s);

/* The program has ended: what the pty holds yet. */
void nook_supervise_last_words(struct nook_supervisor *s);

#endif
