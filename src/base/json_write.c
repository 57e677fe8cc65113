/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"
#include "text.h"

#include <errno.h>
#include <string.h>

void nook_json_to_arena(struct nook_json_writer *w, struct nook_arena *a, bool pretty)
{
	*w = (struct nook_json_writer){ .arena = a, .pretty = pretty, .fresh = true };
}

void nook_json_to_file(struct nook_json_writer *w, FILE *file, bool pretty)
{
	*w = (struct nook_json_writer){ .file = file, .pretty = pretty, .fresh = true };
}

static void put(struct nook_json_writer *w, const char *bytes, size_t len)
{
	if (w->file) {
		if (!w->error && fwrite(bytes, 1, len, w->file) != len)
			w->error = errno ? errno : EIO;
		return;
	}

	nook_reserve(w->arena, &w->text, &w->size, w->len, len);
	memcpy(w->text + w->len, bytes, len);
	w->len += len;
}

static void put_newline(struct nook_json_writer *w)
{
	static const char spaces[] = "                                ";
	size_t indent = 2 * (size_t)w->depth;

	put(w, "\n", 1);
	for (; indent > sizeof(spaces) - 1; indent -= sizeof(spaces) - 1)
		put(w, spaces, sizeof(spaces) - 1);
	put(w, spaces, indent);
}

/**
 * utf8_length() - bytes of the UTF-8 character at @p; 0 when there is none
 *
 * RFC 3629: no overlong form, no surrogate, nothing past U+10FFFF. The text is NUL-terminated, and
 * a NUL is no continuation byte, so nothing behind the end is looked at.
 */
static size_t utf8_length(const unsigned char *p)
{
	unsigned low = 0x80, high = 0xbf; /* of the second byte */
	size_t len;

	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;

	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

static void put_escape(struct nook_json_writer *w, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *known = strchr(from, c);
	char out[8];

	if (known)
		put(w, (const char[]){ '\\', to[known - from] }, 2);
	else
		put(w, out, nook_format(out, sizeof(out), "\\u%04x", c));
}

static void put_string(struct nook_json_writer *w, const char *text, bool bytes)
{
	const unsigned char *p = (const unsigned char *)text;

	put(w, "\"", 1);
	while (*p) {
		const unsigned char *start = p;
		size_t len = 0;

		/* DEL is allowed by JSON, but a terminal that shows the text would take it. */
		while (*p >= 0x20 && *p != '"' && *p != '\\' && *p != 0x7f &&
		       (*p < 0x80 || bytes || (len = utf8_length(p)) > 0)) {
			p += len ? len : 1;
			len = 0;
		}
		put(w, (const char *)start, (size_t)(p - start));
		if (!*p)
			break;
		if (*p >= 0x80)
			put(w, "\xef\xbf\xbd", 3);
		else
			put_escape(w, *p);
		p++;
	}
	put(w, "\"", 1);
}

/* What stands before a value: the comma, the line's indent, the key. */
static void begin(struct nook_json_writer *w, const char *key)
{
	bool in_object = w->depth && (w->objects >> w->depth & 1);

	if (in_object != (key != NULL) || (!w->depth && !w->fresh))
		__builtin_trap();

	if (!w->fresh)
		put(w, ",", 1);
	if (w->pretty && w->depth)
		put_newline(w);
	w->fresh = false;
	if (key) {
		put_string(w, key, false);
		put(w, ": ", w->pretty ? 2 : 1);
	}
}

static void open_level(struct nook_json_writer *w, const char *key, bool object)
{
	begin(w, key);
	if (++w->depth > NOOK_JSON_DEPTH)
		__builtin_trap();

	uint64_t bit = UINT64_C(1) << w->depth;

	w->objects = object ? w->objects | bit : w->objects & ~bit;
	w->fresh = true;
	put(w, object ? "{" : "[", 1);
}

void nook_json_object(struct nook_json_writer *w, const char *key)
{
	open_level(w, key, true);
}

void nook_json_array(struct nook_json_writer *w, const char *key)
{
	open_level(w, key, false);
}

void nook_json_end(struct nook_json_writer *w)
{
	if (!w->depth)
		__builtin_trap();

	bool object = w->objects >> w->depth & 1;

	w->depth--;
	if (w->pretty && !w->fresh)
		put_newline(w);
	w->fresh = false;
	put(w, object ? "}" : "]", 1);
}

void nook_json_put_u64(struct nook_json_writer *w, const char *key, uint64_t value)
{
	char out[24];

	begin(w, key);
	put(w, out, nook_format(out, sizeof(out), "%llu", (unsigned long long)value));
}

void nook_json_put_i64(struct nook_json_writer *w, const char *key, int64_t value)
{
	char out[24];

	begin(w, key);
	put(w, out, nook_format(out, sizeof(out), "%lld", (long long)value));
}

void nook_json_put_bool(struct nook_json_writer *w, const char *key, bool value)
{
	begin(w, key);
	put(w, value ? "true" : "false", value ? 4 : 5);
}

void nook_json_put_null(struct nook_json_writer *w, const char *key)
{
	begin(w, key);
	put(w, "null", 4);
}

void nook_json_put_text(struct nook_json_writer *w, const char *key, const char *text)
{
	if (!text) {
		nook_json_put_null(w, key);
		return;
	}
	begin(w, key);
	put_string(w, text, false);
}

void nook_json_put_bytes(struct nook_json_writer *w, const char *key, const char *text)
{
	if (!text) {
		nook_json_put_null(w, key);
		return;
	}
	begin(w, key);
	put_string(w, text, true);
}

void nook_json_put_bytes_list(struct nook_json_writer *w, const char *key, const char *const *texts)
{
	nook_json_array(w, key);
	for (; texts && *texts; texts++)
		nook_json_put_bytes(w, NULL, *texts);
	nook_json_end(w);
}

int nook_json_finish(struct nook_json_writer *w, const char **ret, size_t *ret_len)
{
	if (w->depth || w->fresh)
		__builtin_trap();

	put(w, "\n", 1);
	if (w->file) {
		if (!w->error && fflush(w->file) != 0)
			w->error = errno ? errno : EIO;
		return -w->error;
	}

	w->text[w->len] = '\0';
	*ret = w->text;
	if (ret_len)
		*ret_len = w->len;
	return 0;
}
