/* SPDX-License-Identifier: Apache-2.0 */
/* Completion scripts from the tables: static text, but for the names of containers, for which the
 * scripts ask `nook ps --quiet`. */
#ifndef NOOK_CLI_COMPLETE_H
#define NOOK_CLI_COMPLETE_H

#include <stdio.h>

void nook_complete_bash(FILE *out);
void nook_complete_zsh(FILE *out);

#endif
