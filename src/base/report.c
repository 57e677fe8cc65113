/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/**
 * decode() - the character that @s begins with
 * @ret_len: receives its bytes, 1 or more
 *
 * Return: the code point; UINT32_MAX when the bytes are no UTF-8 (overlong forms and surrogates
 * are none), then *@ret_len is 1. RFC 3629
 */
static uint32_t decode(const unsigned char *s, size_t *ret_len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80           ? 1
		     : (s[0] >> 5) == 0x06 ? 2
		     : (s[0] >> 4) == 0x0e ? 3
		     : (s[0] >> 3) == 0x1e ? 4
					   : 0;
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);

	*ret_len = 1;
	if (len == 0)
		return UINT32_MAX;

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80) /* the final NUL ends here too */
			return UINT32_MAX;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return UINT32_MAX;

	*ret_len = len;
	return c;
}

/* Characters that move the cursor, turn the line around, or cannot be seen. */
static bool is_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

#define SAFE_MAX 12 /* bytes of a character's safe form: \u{10ffff} and the NUL */

/**
 * next_safe() - the safe form of the character that @s begins with
 * @out: receives it, SAFE_MAX bytes
 * @ret_len: receives the bytes that the character has in @s
 *
 * Return: length of the form.
 */
static size_t next_safe(const unsigned char *s, char *out, size_t *ret_len)
{
	uint32_t c = decode(s, ret_len);

	if (c == '\n' || c == '\t')
		return nook_format(out, SAFE_MAX, c == '\n' ? "\\n" : "\\t");
	if (c == UINT32_MAX || (c < 0x80 && is_harmful(c)))
		return nook_format(out, SAFE_MAX, "\\x%02x", *s);
	if (is_harmful(c))
		return nook_format(out, SAFE_MAX, "\\u{%04x}", c);
	memcpy(out, s, *ret_len);
	return *ret_len;
}

void nook_print_safe(FILE *out, const char *text)
{
	char form[SAFE_MAX];
	size_t len;

	for (const unsigned char *s = (const unsigned char *)text; *s; s += len)
		fwrite(form, 1, next_safe(s, form, &len), out);
}

void nook_print_zsh(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

size_t nook_safe_text(char *out, size_t size, const char *text)
{
	size_t at = 0, len;
	char form[SAFE_MAX];

	for (const unsigned char *s = (const unsigned char *)text; *s; s += len) {
		size_t n = next_safe(s, form, &len);

		if (at + n + 1 > size)
			break;
		memcpy(out + at, form, n);
		at += n;
	}
	out[at] = '\0';
	return at;
}

static void print_row(FILE *out, const char *label, const char *text)
{
	fprintf(out, "  %-6s ", label);
	nook_print_safe(out, text);
}

void nook_error_print(FILE *out, const char *program, const struct nook_error *err)
{
	fprintf(out, "%s: ", program);
	if (err->wanted[0]) {
		fputs("cannot ", out);
		nook_print_safe(out, err->wanted);
		if (err->where[0]) {
			fputs(" (", out);
			nook_print_safe(out, err->where);
			fputc(')', out);
		}
		fputs(err->why[0] ? ": " : "", out);
	} else if (err->where[0]) {
		nook_print_safe(out, err->where);
		fputs(err->why[0] ? ": " : "", out);
	}
	nook_print_safe(out, err->why);
	fputc('\n', out);

	if (err->cause[0]) {
		print_row(out, "cause:", err->cause);
		if (err->id[0])
			fprintf(out, " [%s]", err->id);
		fputc('\n', out);
	}
	if (err->hint[0]) {
		print_row(out, "try:", err->hint);
		fputc('\n', out);
	}
	if (err->id[0])
		fprintf(out, "  more:  nook check --explain %s\n", err->id);
}

void nook_error_json(struct nook_json_writer *w, const char *key, const struct nook_error *err)
{
	const char *name = strerrorname_np(err->errnum);

	nook_json_object(w, key);
	nook_json_put_i64(w, "errnum", err->errnum);
	nook_json_put_text(w, "errno", err->errnum && name ? name : "");
	nook_json_put_text(w, "id", err->id);
	nook_json_put_text(w, "wanted", err->wanted);
	nook_json_put_text(w, "where", err->where);
	nook_json_put_text(w, "why", err->why);
	nook_json_put_text(w, "cause", err->cause);
	nook_json_put_text(w, "hint", err->hint);
	nook_json_end(w);
}
