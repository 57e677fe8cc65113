/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_BASE_NEAREST_H
#define NOOK_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/**
 * nook_nearest() - what was meant by a mistyped word
 * @word: as typed
 * @next: returns the @i-th of @list's candidates, which ends at a space or a NUL; NULL after the
 * last
 *
 * Return: the candidate that is at most a third of its letters away (changed, missing, too many or
 * swapped), else the only one that @word begins; NULL when none is.
 */
const char *nook_nearest(const char *word, const char *(*next)(const void *list, size_t i),
			 const void *list);

/* As nook_nearest(), among @words separated by spaces; @out receives the answer, or "". */
bool nook_nearest_word(const char *word, const char *words, char *out, size_t size);

#endif
