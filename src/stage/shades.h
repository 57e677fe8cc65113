/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nook lays between the host's files and the writable layer of a union: whiteouts over
 * secrets, files of its own, directories that look as the host's do. Two directories on the scratch
 * tmpfs, s0a below s0b for overlay 0.
 */
#ifndef NOOK_STAGE_SHADES_H
#define NOOK_STAGE_SHADES_H

#include "stage.h"

/* Makes those of plan->overlays[number]. */
int nook_shades_lay(struct nook_stage *s, unsigned number, struct nook_error *err);
void nook_shades_show(const struct nook_plan *plan, unsigned number, struct nook_rows *rows);

#endif
