/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the plan as people read them, for the show functions. Texts live in @rows' arena. */
#ifndef NOOK_STAGE_TEXTS_H
#define NOOK_STAGE_TEXTS_H

#include "step.h"

/* MOUNT_ATTR_* as "RDONLY|NODEV"; "" for none. */
const char *nook_attrs_text(struct nook_rows *rows, uint64_t attrs);

/* MS_PRIVATE as "PRIVATE". */
const char *nook_propagation_text(uint64_t propagation);

/* Bits 1 << CAP_* as "chown, kill"; "none". */
const char *nook_caps_text(struct nook_rows *rows, uint64_t caps);

/* A limit; "unlimited". */
const char *nook_limit_text(struct nook_rows *rows, uint64_t limit);

/* Words as "\"a\", \"b\"". */
const char *nook_words_text(struct nook_rows *rows, const char *const *words);

#endif
