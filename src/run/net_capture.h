/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the host's in somebody's network: `nook net capture`. */
#ifndef NOOK_RUN_NET_CAPTURE_H
#define NOOK_RUN_NET_CAPTURE_H

#include "nook/error.h"

/**
 * nook_net_capture() - become a program that is in another net namespace, and in no other
 * @target: as nook_ns_target_find() takes it
 * @argv:   NULL-terminated; looked for in the caller's PATH
 * @ret_status: receives 127 (not found), 126 (can't be executed) or 125
 *
 * Root enters the net namespace alone, and keeps its files, its credentials, its terminal. An
 * ordinary user gets the right to by the user namespace that owns it, which is entered first.
 *
 * Return: a negative errno; on success this process is that program.
 */
int nook_net_capture(const char *state_dir, const char *target, char *const *argv, int *ret_status,
		     struct nook_error *err);

#endif
