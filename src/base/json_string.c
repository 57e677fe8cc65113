/* SPDX-License-Identifier: Apache-2.0 */
/* Strings in JSON text, and what is said of text that is none. */
#include "json_parts.h"

#include <errno.h>
#include <string.h>

/* ---- what can go wrong ---- */

int nook_json_bad(struct nook_json_parser *p, const char *at, const char *why)
{
	size_t byte = (size_t)(at - p->text);

	if (at >= p->end)
		return nook_refuse(p->err, EINVAL, "the JSON ends too early, at byte %zu", byte);
	return nook_refuse(p->err, EINVAL, "not JSON at byte %zu: %s", byte,
			   *at ? why : "a NUL byte");
}

int nook_json_no_memory(struct nook_json_parser *p)
{
	return nook_fail(p->err, ENOMEM, "reading JSON at byte %zu", (size_t)(p->at - p->text));
}

/* ---- strings ---- */

static int hex4(struct nook_json_parser *p, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++, p->at++) {
		char c = nook_json_peek(p);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return nook_json_bad(p, p->at, "\\u takes four hexadecimal digits");
		value = value * 16 + (unsigned)digit;
	}
	*ret = value;
	return 0;
}

/* Behind "\u". A surrogate that stands alone becomes U+FFFD, as with json-c and Go. */
static int unicode(struct nook_json_parser *p, char **out)
{
	unsigned code = 0, low = 0;
	char *o = *out;
	int rc = hex4(p, &code);

	if (rc == 0 && code >= 0xd800 && code < 0xdc00 && p->end - p->at >= 2 && p->at[0] == '\\' &&
	    p->at[1] == 'u') {
		const char *back = p->at;

		p->at += 2;
		rc = hex4(p, &low);
		if (low >= 0xdc00 && low < 0xe000)
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		else
			p->at = back;
	}
	if (rc < 0)
		return rc;
	if (code >= 0xd800 && code < 0xe000)
		code = 0xfffd;

	if (code < 0x80) {
		*o++ = (char)code;
	} else if (code < 0x800) {
		*o++ = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*o++ = (char)(0xe0 | code >> 12);
		*o++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		*o++ = (char)(0xf0 | code >> 18);
		*o++ = (char)(0x80 | (code >> 12 & 0x3f));
		*o++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		*o++ = (char)(0x80 | (code & 0x3f));
	*out = o;
	return 0;
}

static int escape(struct nook_json_parser *p, char **out)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	char c = nook_json_peek(p);
	const char *name = c ? strchr(names, c) : NULL;

	if (c == 'u') {
		p->at++;
		return unicode(p, out);
	}
	if (!name)
		return nook_json_bad(p, p->at, "an unknown escape");
	*(*out)++ = bytes[name - names];
	p->at++;
	return 0;
}

/* To the end of a run of bytes that mean themselves. */
static const char *run(const struct nook_json_parser *p)
{
	static const bool stops[256] = { [0 ... 0x1f] = true, ['"'] = true, ['\\'] = true };
	const char *at = p->at;

	while (at < p->end && !stops[(unsigned char)*at])
		at++;
	return at;
}

int nook_json_string(struct nook_json_parser *p, const char **ret, size_t *ret_len)
{
	char *begin = p->own + (p->at - p->text), *out = begin;
	const char *stop = run(p);

	if (stop < p->end && *stop == '"') { /* as almost always */
		out += stop - p->at;
		p->at = stop + 1;
	} else {
		for (;; stop = run(p)) {
			int rc;

			memmove(out, p->at, (size_t)(stop - p->at));
			out += stop - p->at;
			p->at = stop;
			if (p->at == p->end || (unsigned char)*p->at < 0x20)
				return nook_json_bad(p, p->at, "a control character in a string");
			if (*p->at++ == '"')
				break;
			if ((rc = escape(p, &out)) < 0)
				return rc;
		}
	}
	*out = '\0';
	*ret = begin;
	*ret_len = (size_t)(out - begin);
	return 0;
}
