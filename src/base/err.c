/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/error.h"
#include "text.h"

#include <errno.h>
#include <string.h>

static const char *errno_text(int errnum)
{
	/* strerrordesc_np(3) is a table: no locale, no allocation. */
	const char *text = strerrordesc_np(errnum);

	return text ? text : "unknown error";
}

int nook_fail(struct nook_error *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (errnum <= 0)
		errnum = EIO;
	if (!err)
		return -errnum;

	err->errnum = errnum;
	va_start(ap, fmt);
	size_t len = nook_vformat(err->why, sizeof(err->why), fmt, ap);
	va_end(ap);
	(void)nook_format(err->why + len, sizeof(err->why) - len, ": %s",
			  errno_text(errnum)); /* cut when full */
	return -errnum;
}

int nook_refuse(struct nook_error *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (errnum <= 0)
		errnum = EINVAL;
	if (!err)
		return -errnum;

	err->errnum = errnum;
	va_start(ap, fmt);
	(void)nook_vformat(err->why, sizeof(err->why), fmt, ap); /* cut when full */
	va_end(ap);
	return -errnum;
}

static void set_once(char *field, size_t size, const char *fmt, va_list ap)
{
	if (!field[0])
		(void)nook_vformat(field, size, fmt, ap); /* cut when full */
}

void nook_where(struct nook_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	set_once(err->where, sizeof(err->where), fmt, ap);
	va_end(ap);
}

void nook_hint(struct nook_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	set_once(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

void nook_cause(struct nook_error *err, const char *id, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->id[0])
		return;
	(void)nook_format(err->id, sizeof(err->id), "%s",
			  id); /* ids are short: a test checks the table */
	va_start(ap, fmt);
	set_once(err->cause, sizeof(err->cause), fmt, ap);
	va_end(ap);
}
