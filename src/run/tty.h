/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal: whose turn it is, its mode, and a descriptor of our own for it. */
#ifndef NOOK_RUN_TTY_H
#define NOOK_RUN_TTY_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_tty_ours() - may we read @fd and change its mode?
 *
 * True for the foreground job, and for a terminal that isn't our session's: job control doesn't
 * apply to that. It must be asked, since with SIGTTOU blocked the kernel lets a background job
 * change the mode of the terminal that its user is typing at.
 */
bool nook_tty_ours(int fd);

/**
 * nook_tty_raw() - pass every byte through, and remember how it was
 * @fd:     a terminal that is ours
 * @output: it goes on processing output, as it does now
 *
 * Reads of @fd never block from here on (VMIN 0): 0 bytes mean that there is nothing yet. Faults
 * and abort(3) restore the mode before they end us. When it is raw already, the mode is set again
 * (a shell may have changed it while we were stopped) and what is remembered stays.
 */
int nook_tty_raw(int fd, bool output, struct nook_error *err);

/* Back to what nook_tty_raw() found, unless it is another job's now. May be repeated. */
void nook_tty_restore(void);

/* Raw by us, and not yet restored? */
bool nook_tty_is_raw(void);

/**
 * nook_private_fd() - the same pipe or terminal, with file status flags of its own
 * @fd:    a descriptor whose open file description others share: O_NONBLOCK can't be set on it
 * @flags: O_RDONLY or O_WRONLY
 *
 * Return: a non-blocking descriptor; NO_FD when @fd is of another kind (a file's offset would be
 * lost), or may not be opened again (the terminal of a user before su). Then poll(2) and small
 * writes must do.
 */
int nook_private_fd(int fd, int flags);

#endif
