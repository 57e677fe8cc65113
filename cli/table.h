/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people. */
#ifndef NOOK_CLI_TABLE_H
#define NOOK_CLI_TABLE_H

#include "base/arena.h"

/* Columns that a text takes on a terminal, when each character of UTF-8 takes one. */
size_t nook_cli_columns(const char *text);

/* What a terminal may be shown of a text: nook_print_safe(). */
const char *nook_cli_safe(struct nook_arena *a, const char *text);

/* The text in at most @width columns: a longer one ends in "…". */
const char *nook_cli_cut(struct nook_arena *a, const char *text, size_t width);

/* Prints rows of cells in aligned columns to stdout; no line ends in a space. */
void nook_cli_table(const char *const *cells, size_t n_rows, size_t n_columns);

#endif
