/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_STAGE_PTY_H
#define NOOK_STAGE_PTY_H

#include "stage.h"

/* A new pty from the container's devpts: the slave goes to s->console, the master to the walk's
 * next message. Once. */
int nook_pty_open(struct nook_stage *s, struct nook_error *err);

#endif
