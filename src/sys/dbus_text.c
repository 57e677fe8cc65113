/* SPDX-License-Identifier: Apache-2.0 */
/* A message as bytes: written and read field by field. */
#include "dbus_parts.h"

#include <errno.h>
#include <string.h>

#define VERSION 1
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ORDER 'l'
#else
#define ORDER 'B'
#endif

/* Fields of a message's head that we write or read. */
enum field {
	PATH = 1,
	INTERFACE,
	MEMBER,
	ERROR_NAME,
	REPLY_SERIAL,
	DESTINATION,
	SENDER,
	SIGNATURE
};

/* ---- writing ---- */

static void put(struct nook_dbus_text *t, const void *data, size_t len)
{
	if (t->bad || len > NOOK_DBUS_BYTES - t->len) {
		t->bad = true;
		return;
	}
	memcpy(t->data + t->len, data, len);
	t->len += len;
}

static void align(struct nook_dbus_text *t, size_t to)
{
	static const uint8_t zeros[8];

	put(t, zeros, (to - t->len % to) % to);
}

static void put_number(struct nook_dbus_text *t, uint32_t n)
{
	align(t, 4);
	put(t, &n, sizeof(n));
}

static void patch(struct nook_dbus_text *t, size_t at, uint32_t n)
{
	if (!t->bad)
		memcpy(t->data + at, &n, sizeof(n));
}

static void put_string(struct nook_dbus_text *t, const char *text)
{
	size_t len = strlen(text);

	put_number(t, (uint32_t)(len < NOOK_DBUS_BYTES ? len : NOOK_DBUS_BYTES));
	put(t, text, len + 1);
}

static void put_short(struct nook_dbus_text *t, const char *signature)
{
	uint8_t len = (uint8_t)strlen(signature);

	put(t, &len, 1);
	put(t, signature, (size_t)len + 1);
}

static void put_field(struct nook_dbus_text *t, enum field field, const char *type,
		      const char *text)
{
	uint8_t code = (uint8_t)field;

	align(t, 8);
	put(t, &code, 1);
	put_short(t, type);
	if (type[0] == 'g')
		put_short(t, text);
	else
		put_string(t, text);
}

void nook_dbus_begin(struct nook_dbus *d, const char *destination, const char *path,
		     const char *interface, const char *member, const char *signature)
{
	struct nook_dbus_text *t = &d->out;
	const uint8_t head[4] = { ORDER, NOOK_DBUS_CALL, 0, VERSION };

	t->len = 0;
	t->bad = false;
	put(t, head, sizeof(head));
	d->body_length_at = t->len;
	put_number(t, 0);
	put_number(t, ++d->serial);
	put_number(t, 0); /* length of the fields */
	put_field(t, PATH, "o", path);
	put_field(t, INTERFACE, "s", interface);
	put_field(t, MEMBER, "s", member);
	put_field(t, DESTINATION, "s", destination);
	if (signature[0])
		put_field(t, SIGNATURE, "g", signature);
	patch(t, NOOK_DBUS_HEAD - 4, (uint32_t)(t->len - NOOK_DBUS_HEAD));
	align(t, 8);
	d->body = t->len;
}

void nook_dbus_put_u32(struct nook_dbus *d, uint32_t n)
{
	put_number(&d->out, n);
}

void nook_dbus_put_u64(struct nook_dbus *d, uint64_t n)
{
	align(&d->out, 8);
	put(&d->out, &n, sizeof(n));
}

void nook_dbus_put_bool(struct nook_dbus *d, bool b)
{
	put_number(&d->out, b);
}

void nook_dbus_put_text(struct nook_dbus *d, const char *text)
{
	put_string(&d->out, text);
}

void nook_dbus_put_signature(struct nook_dbus *d, const char *signature)
{
	put_short(&d->out, signature);
}

void nook_dbus_put_bytes(struct nook_dbus *d, const uint8_t *bytes, size_t n)
{
	put_number(&d->out, (uint32_t)(n < NOOK_DBUS_BYTES ? n : NOOK_DBUS_BYTES));
	put(&d->out, bytes, n);
}

void nook_dbus_put_struct(struct nook_dbus *d)
{
	align(&d->out, 8);
}

struct nook_dbus_array nook_dbus_open_array(struct nook_dbus *d, size_t to)
{
	struct nook_dbus_array array;

	put_number(&d->out, 0);
	array.length_at = d->out.len - 4;
	align(&d->out, to); /* counts for nothing in the length */
	array.first = d->out.len;
	return array;
}

void nook_dbus_close_array(struct nook_dbus *d, struct nook_dbus_array array)
{
	patch(&d->out, array.length_at, (uint32_t)(d->out.len - array.first));
}

void nook_dbus_finish(struct nook_dbus *d)
{
	patch(&d->out, d->body_length_at, (uint32_t)(d->out.len - d->body));
}

/* ---- reading ---- */

static const void *get(struct nook_dbus_text *t, size_t to, size_t len)
{
	size_t at = (t->at + to - 1) / to * to;

	if (t->bad || at > t->len || len > t->len - at) {
		t->bad = true;
		return NULL;
	}
	t->at = at + len;
	return t->data + at;
}

static uint32_t get_number(struct nook_dbus_text *t)
{
	const void *p = get(t, 4, 4);
	uint32_t n = 0;

	if (p)
		memcpy(&n, p, sizeof(n));
	return n;
}

static uint8_t get_byte(struct nook_dbus_text *t)
{
	const uint8_t *p = get(t, 1, 1);

	return p ? *p : 0;
}

/* @len bytes and a NUL, with none before it. */
static const char *get_chars(struct nook_dbus_text *t, size_t len)
{
	const char *p = get(t, 1, len + 1);

	if (p && (p[len] || strlen(p) != len))
		t->bad = true;
	return t->bad ? NULL : p;
}

static const char *get_string(struct nook_dbus_text *t)
{
	uint32_t len = get_number(t);

	if (len >= NOOK_DBUS_BYTES)
		t->bad = true;
	return t->bad ? NULL : get_chars(t, len);
}

static const char *get_short(struct nook_dbus_text *t)
{
	return get_chars(t, get_byte(t));
}

/* A field's value by its type, for the types that fields have. */
static void get_field(struct nook_dbus_text *t, struct nook_dbus_message *m)
{
	uint8_t code = (get(t, 8, 0), get_byte(t));
	const char *type = get_short(t);
	const char *text = NULL;
	uint32_t n = 0;

	if (!type || type[0] == '\0' || type[1] != '\0') {
		t->bad = true;
		return;
	}
	switch (type[0]) {
	case 's':
	case 'o':
		text = get_string(t);
		break;
	case 'g':
		text = get_short(t);
		break;
	case 'u':
		n = get_number(t);
		break;
	default:
		t->bad = true; /* how long it is nobody knows */
		return;
	}
	if (code == PATH)
		m->path = text;
	else if (code == INTERFACE)
		m->interface = text;
	else if (code == MEMBER)
		m->member = text;
	else if (code == ERROR_NAME)
		m->error = text;
	else if (code == SIGNATURE)
		m->signature = text;
	else if (code == REPLY_SERIAL)
		m->reply_to = n;
}

int nook_dbus_read_head(const struct nook_dbus_text *t, size_t *ret_fields, size_t *ret_rest)
{
	uint32_t body, fields;

	if (t->data[0] != ORDER || t->data[3] != VERSION)
		return -EBADMSG;
	memcpy(&body, t->data + 4, sizeof(body));
	memcpy(&fields, t->data + 12, sizeof(fields));
	/* The specification's own bounds. */
	if (body > 1u << 27 || fields > 1u << 26)
		return -EBADMSG;
	*ret_fields = fields;
	*ret_rest = ((size_t)fields + 7) / 8 * 8 + body;
	return 0;
}

int nook_dbus_read_fields(struct nook_dbus_text *t, size_t fields, struct nook_dbus_message *ret)
{
	struct nook_dbus_message m = { .type = t->data[1] };

	memcpy(&m.serial, t->data + 8, sizeof(m.serial));
	t->at = NOOK_DBUS_HEAD;
	while (!t->bad && t->at < NOOK_DBUS_HEAD + fields)
		get_field(t, &m);
	(void)get(t, 8, 0); /* the body begins at the next 8 */
	*ret = m;
	return t->bad ? -EBADMSG : 0;
}

uint32_t nook_dbus_get_u32(struct nook_dbus *d)
{
	return get_number(&d->in);
}

const char *nook_dbus_get_text(struct nook_dbus *d)
{
	return get_string(&d->in);
}

const char *nook_dbus_get_signature(struct nook_dbus *d)
{
	return get_short(&d->in);
}
