/* SPDX-License-Identifier: Apache-2.0 */
/* How an error is shown. Programs call this; the library itself never prints. */
#ifndef NOOK_BASE_REPORT_H
#define NOOK_BASE_REPORT_H

#include "json.h"
#include "nook/error.h"

#include <stdio.h>

/**
 * nook_print_safe() - write a text that may hold anything, so that a terminal only shows it
 *
 * File names, config texts and what programs inside answered are other people's bytes. Control
 * characters (C0, DEL, C1), line and paragraph separators, characters that turn the direction of
 * writing or show as nothing, and bytes that are no UTF-8 are written as \n, \t, \xNN or \u{NNNN};
 * a backslash stays as it is.
 */
void nook_print_safe(FILE *out, const char *text);

/* Text between single quotes in a specification of zsh's _arguments, where brackets and colons have
 * a meaning. */
void nook_print_zsh(FILE *out, const char *text);

/* The same into memory. @size: 1 or more; what doesn't fit is cut between two characters. Return:
 * the length. */
size_t nook_safe_text(char *out, size_t size, const char *text);

/**
 * nook_error_print() - the error for people
 *
 *	nook: cannot WANTED (WHERE): WHY
 *	  cause: CAUSE [ID]
 *	  try:   HINT
 *	  more:  nook check --explain ID
 *
 * Parts that are empty are left out; a @why that a call's refusal gave stands alone.
 *
 * @program: "nook": begins the first line
 */
void nook_error_print(FILE *out, const char *program, const struct nook_error *err);

/* The same as a JSON object: errnum, errno ("ENOENT"), id, wanted, where, why, cause, hint. @key as
 * for nook_json_object(). */
void nook_error_json(struct nook_json_writer *w, const char *key, const struct nook_error *err);

#endif
