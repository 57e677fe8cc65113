/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_STAGE_PROGRAM_FAILED_H
#define NOOK_STAGE_PROGRAM_FAILED_H

#include "nook/error.h"

/**
 * nook_program_failed() - why execve(2) refused a file: only here, inside, can one still look
 * @path:   as it was executed, by who executed it
 * @errnum: what execve said
 *
 * Sets @err's cause and hint when the file tells. ENOENT for a file that isn't there leaves both:
 * the search may go on.
 */
void nook_program_failed(const char *path, int errnum, struct nook_error *err);

#endif
