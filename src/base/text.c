/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <errno.h>
#include <string.h>

struct out {
	char *at, *end; /* end: the place of the last NUL */
};

static void put(struct out *o, const char *text, size_t len)
{
	size_t room = (size_t)(o->end - o->at);

	if (len > room)
		len = room;
	memcpy(o->at, text, len);
	o->at += len;
}

static void put_number(struct out *o, uint64_t value, unsigned base, bool negative, unsigned width,
		       char pad)
{
	char digits[32];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);

	size_t len = sizeof(digits) - at + negative;

	if (negative && pad == '0')
		put(o, "-", 1);
	for (; width > len; width--)
		put(o, &pad, 1);
	if (negative && pad != '0')
		put(o, "-", 1);
	put(o, digits + at, sizeof(digits) - at);
}

struct conversion {
	char pad;
	unsigned width;
	int precision;  /* -1: none given */
	unsigned longs; /* 0 int, 1 long, size_t or long long: all 64 bits here */
};

static const char *read_conversion(const char *p, struct conversion *c, va_list *ap)
{
	*c = (struct conversion){ .pad = ' ', .precision = -1 };

	if (*p == '0') {
		c->pad = '0';
		p++;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		c->width = c->width * 10 + (unsigned)(*p - '0');
	if (*p == '.') {
		c->precision = 0;
		if (*++p == '*') {
			c->precision = va_arg(*ap, int);
			p++;
		}
		for (; *p >= '0' && *p <= '9'; p++)
			c->precision = c->precision * 10 + (*p - '0');
	}
	for (; *p == 'l' || *p == 'z' || *p == 'j'; p++)
		c->longs = 1;
	return p;
}

_Static_assert(sizeof(long) == 8 && sizeof(size_t) == 8,
	       "nook_format() reads every long form as 64 bits");

static void put_conversion(struct out *o, char kind, const struct conversion *c, va_list *ap)
{
	switch (kind) {
	case 's': {
		const char *text = va_arg(*ap, const char *);

		if (!text)
			text = "(null)";
		put(o, text,
		    c->precision >= 0 ? strnlen(text, (size_t)c->precision) : strlen(text));
		break;
	}
	case 'c': {
		char one = (char)va_arg(*ap, int);

		put(o, &one, 1);
		break;
	}
	case 'd':
	case 'i': {
		int64_t v = c->longs ? va_arg(*ap, int64_t) : va_arg(*ap, int);

		put_number(o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0, c->width, c->pad);
		break;
	}
	default: {
		uint64_t v = c->longs ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned);

		put_number(o, v, kind == 'x' ? 16 : kind == 'o' ? 8 : 10, false, c->width, c->pad);
	}
	}
}

size_t nook_vformat(char *out, size_t size, const char *fmt, va_list from)
{
	struct out o = { out, out + size - 1 };
	va_list ap;

	va_copy(ap, from);
	for (const char *p = fmt; *p;) {
		const char *percent = strchrnul(p, '%');

		put(&o, p, (size_t)(percent - p));
		if (!*percent)
			break;

		struct conversion c;
		const char *kind = read_conversion(percent + 1, &c, &ap);

		if (*kind && strchr("scdiuxo", *kind))
			put_conversion(&o, *kind, &c, &ap);
		else if (*kind == '%')
			put(&o, "%", 1);
		else
			put(&o, percent, (size_t)(kind - percent) + !!*kind);
		p = kind + !!*kind;
	}
	va_end(ap);

	*o.at = '\0';
	return (size_t)(o.at - out);
}

size_t nook_format(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	size_t len = nook_vformat(out, size, fmt, ap);
	va_end(ap);
	return len;
}

/* Reads digits up to @end, which must follow the last one. */
static int parse_digits(const char *text, const char *end, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (text == end || (*text == '0' && text + 1 != end))
		return -EINVAL;

	for (const char *p = text; p < end; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
	}
	for (const char *p = text; p < end; p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value) || value > max)
			return -ERANGE;
	}

	*ret = value;
	return 0;
}

int nook_parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	return parse_digits(text, text + strlen(text), max, ret);
}

int nook_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t value = 0;
	int rc = parse_digits(text + negative, text + strlen(text), (uint64_t)INT64_MAX + negative,
			      &value);

	if (rc < 0)
		return rc;

	int64_t v = negative ? (int64_t)-value : (int64_t)value;

	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int nook_parse_size(const char *text, uint64_t *ret)
{
	static const char letters[] = "kmgt";
	size_t digits = strspn(text, "0123456789");
	const char *suffix = text + digits;
	uint64_t value = 0;
	unsigned shift = 0;

	if (*suffix) {
		const char *letter = strchr(letters, *suffix | 0x20);

		if (!letter || !*letter)
			return -EINVAL;
		if (suffix[1] && strcmp(suffix + 1, "iB") != 0 && strcmp(suffix + 1, "i") != 0 &&
		    strcmp(suffix + 1, "B") != 0 && strcmp(suffix + 1, "b") != 0)
			return -EINVAL;
		shift = (unsigned)(letter - letters + 1) * 10;
	}

	int rc = parse_digits(text, suffix, (uint64_t)INT64_MAX >> shift, &value);

	if (rc < 0)
		return rc;
	*ret = value << shift;
	return 0;
}

bool nook_valid_id(const char *name)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t len = strlen(name);

	if (len < 1 || len > 255 || !strchr(letters, name[0]))
		return false;

	for (const char *p = name + 1; *p; p++) {
		if (!strchr(letters, *p) && !strchr(".+-", *p))
			return false;
	}
	return true;
}

const char *nook_after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

bool nook_starts(const char *text, const char *prefix)
{
	return nook_after(text, prefix) != NULL;
}
