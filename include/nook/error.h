/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_ERROR_H
#define NOOK_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct nook_error - why a call failed, for a person
 * @errnum: positive errno of the failed call; 0 when nothing failed
 * @id:     stable id of a known cause ("userns-limit"), "" when no probe has told; docs/errors.md
 * explains each
 * @wanted: what was being done, in the user's terms: "mount the volumes"; "" when the caller says
 * it
 * @where:  the user's words that asked for it: "--volume /a:/b"; "" when it is nobody's words
 * @why:    the call that failed and with what: "open_tree /a: No such file or directory"
 * @cause:  the most likely reason that probing found, a sentence; ""
 * @hint:   the next thing to try, a sentence; ""
 *
 * Caller-owned and free of pointers, so that it travels from the container's side to ours as one
 * datagram and needs no memory when memory has run out. Texts that do not fit are cut.
 */
struct nook_error {
	int errnum;
	char id[40];
	char wanted[120];
	char where[256];
	char why[512];
	char cause[384];
	char hint[384];
};

/**
 * nook_fail() - note the failed call
 * @err:    receives @errnum and "TEXT: what errno means"; may be NULL
 * @errnum: positive errno; 0 is taken as EIO
 * @fmt:    the call and its arguments; the conversions of nook_format() in src/base/text.h
 *
 * @where, @id, @cause and @hint stay as they are: callers set them before or after.
 *
 * Return: -@errnum, never 0.
 */
int nook_fail(struct nook_error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * nook_refuse() - note that the input is wrong, where no call failed
 *
 * As nook_fail(), but @fmt is the whole text: a sentence that says what is wrong with the value and
 * what is right.
 *
 * Return: -@errnum, never 0.
 */
int nook_refuse(struct nook_error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Each sets one field, as printf would, only when that field is still empty; @err may be NULL. */
void nook_where(struct nook_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void nook_hint(struct nook_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets @id and @cause. @id must stand in the table of causes (src/host/causes.c), which a test
 * checks. */
void nook_cause(struct nook_error *err, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#endif
