/* SPDX-License-Identifier: Apache-2.0 */
/* The first lines of a program that makes containers. */
#ifndef NOOK_RUN_SAFE_H
#define NOOK_RUN_SAFE_H

#include "nook/error.h"

/**
 * nook_safe_start() - make this process safe, before it reads anything of the caller's
 * @program: its name, for the one message that is printed here
 * @failure: the exit status after it
 *
 * Ends the process when it was started setuid, setgid or with file capabilities: with more
 * power than the caller's, every path, variable and descriptor of the caller is an attack. Makes it
 * non-dumpable, opens /dev/null where a standard descriptor is closed, and notes where the words
 * and the environment lie, for the stage and the sealed copy.
 *
 * Return: 0; a negative errno.
 */
int nook_safe_start(const char *program, int failure, int argc, char **argv, char **env,
		    struct nook_error *err);

#endif
