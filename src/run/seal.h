/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed self. The stage, pid 1 and who enters by `nook exec` are copies of this process, so
 * inside the container /proc/PID/exe leads to the file that nook itself was executed from, past all
 * mounts. Who may write that file there can replace the host's nook (CVE-2019-5736).
 */
#ifndef NOOK_RUN_SEAL_H
#define NOOK_RUN_SEAL_H

#include "nook/error.h"
#include "nook/plan.h"

/* Said once by the program nook: this process may execute itself again. @argv, @env: main()'s.
 * Unsaid, as by callers of the library, nook_seal_self() does nothing. */
void nook_seal_arm(char **argv, char **env);

/* The copy gets this variable too, "NAME=VALUE", which must stay. -ENOMEM */
int nook_seal_with(const char *variable);

/**
 * nook_seal_self() - see to it that nobody inside can write to the file that we are executed from
 * @plan: tells whose ids are inside, and with which capabilities
 *
 * Returns at once, after one stat(2), when the file's owner has no id inside: so it is with a nook
 * that was installed by root, but for --userns host and id maps by hand. Else it looks whether we
 * are protected already, and if not, executes a copy that can't be changed, with the same words and
 * environment: a read-only mount of the file, or a sealed memfd. Nothing may have been made before,
 * and no signal blocked: the copy begins anew.
 *
 * Return: 0 protected; a negative errno when neither way is open.
 */
int nook_seal_self(const struct nook_plan *plan, struct nook_error *err);

/**
 * nook_seal_take_mount() - the mount that protects us, where it does so without a second execve(2)
 *
 * It stands nowhere and ends with the last descriptor of it. The kernel then waits till all
 * processors have seen that: so it is for a process to close that has nothing to do just then.
 * Return: a descriptor, the caller's; NO_FD.
 */
int nook_seal_take_mount(void);

#endif
