/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf, as much as CRIU's messages take: numbers, texts, messages in messages. */
#include "criu.h"

#include <errno.h>
#include <string.h>

enum wire { WIRE_NUMBER = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* criu_resp, criu_restore_resp, criu_notify */
enum {
	ANSWER_WHAT = 1,
	ANSWER_SUCCESS = 2,
	ANSWER_RESTORE = 4,
	ANSWER_NOTIFY = 5,
	ANSWER_ERRNO = 7,
	ANSWER_WHY = 9,
	RESTORE_PID = 1,
	NOTIFY_SCRIPT = 1,
	NOTIFY_PID = 2,
};

static void add(struct nook_criu_message *m, const void *bytes, size_t len)
{
	if (m->len + len > m->size) {
		unsigned char *larger;

		m->size = 2 * (m->len + len) + 256;
		larger = nook_alloc(m->arena, m->size);
		if (m->len)
			memcpy(larger, m->bytes, m->len);
		m->bytes = larger;
	}
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void add_varint(struct nook_criu_message *m, uint64_t value)
{
	unsigned char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	add(m, bytes, n);
}

void nook_criu_number(struct nook_criu_message *m, unsigned field, uint64_t value)
{
	add_varint(m, (uint64_t)field << 3 | WIRE_NUMBER);
	add_varint(m, value);
}

static void add_bytes(struct nook_criu_message *m, unsigned field, const void *bytes, size_t len)
{
	add_varint(m, (uint64_t)field << 3 | WIRE_BYTES);
	add_varint(m, len);
	if (len)
		add(m, bytes, len);
}

void nook_criu_text(struct nook_criu_message *m, unsigned field, const char *text)
{
	add_bytes(m, field, text, strlen(text));
}

void nook_criu_part(struct nook_criu_message *m, unsigned field,
		    const struct nook_criu_message *part)
{
	add_bytes(m, field, part->bytes, part->len);
}

/* ---- reading ---- */

struct reader {
	const unsigned char *at, *end;
};

struct field {
	unsigned number;
	enum wire wire;
	uint64_t value; /* a number, or the length of @bytes */
	const unsigned char *bytes;
};

static int take_varint(struct reader *r, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = *r->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int skip(struct reader *r, uint64_t len)
{
	if (len > (uint64_t)(r->end - r->at))
		return -EBADMSG;
	r->at += len;
	return 0;
}

/* Return: 1, 0 at the end, -EBADMSG. */
static int take_field(struct reader *r, struct field *ret)
{
	uint64_t tag;

	if (r->at == r->end)
		return 0;
	if (take_varint(r, &tag) < 0)
		return -EBADMSG;
	*ret = (struct field){ .number = (unsigned)(tag >> 3), .wire = (enum wire)(tag & 7) };

	int rc = -EBADMSG;

	switch (ret->wire) {
	case WIRE_NUMBER:
		rc = take_varint(r, &ret->value);
		break;
	case WIRE_BYTES:
		rc = take_varint(r, &ret->value);
		ret->bytes = r->at;
		if (rc == 0)
			rc = skip(r, ret->value);
		break;
	case WIRE_64:
		rc = skip(r, 8);
		break;
	case WIRE_32:
		rc = skip(r, 4);
		break;
	}
	return rc < 0 ? rc : 1;
}

static void copy_text(char *out, size_t size, const struct field *f)
{
	size_t len = f->value < size ? (size_t)f->value : size - 1;

	memcpy(out, f->bytes, len);
	out[len] = '\0';
}

static int read_part(const struct field *outer, struct nook_criu_answer *ret)
{
	struct reader r = { outer->bytes, outer->bytes + outer->value };
	bool notify = outer->number == ANSWER_NOTIFY;
	struct field f;
	int rc;

	while ((rc = take_field(&r, &f)) > 0) {
		if (notify && f.number == NOTIFY_SCRIPT && f.wire == WIRE_BYTES)
			copy_text(ret->script, sizeof(ret->script), &f);
		else if (f.number == (notify ? NOTIFY_PID : RESTORE_PID) && f.wire == WIRE_NUMBER)
			ret->pid = (int)f.value;
	}
	return rc;
}

int nook_criu_read(const unsigned char *bytes, size_t len, struct nook_criu_answer *ret)
{
	struct reader r = { bytes, bytes + len };
	struct field f;
	int rc;

	*ret = (struct nook_criu_answer){ 0 };
	while ((rc = take_field(&r, &f)) > 0) {
		bool number = f.wire == WIRE_NUMBER, text = f.wire == WIRE_BYTES;

		if (number && f.number == ANSWER_WHAT)
			ret->what = (enum nook_criu_what)f.value;
		else if (number && f.number == ANSWER_SUCCESS)
			ret->success = f.value != 0;
		else if (number && f.number == ANSWER_ERRNO)
			ret->errnum = (int)f.value;
		else if (text && f.number == ANSWER_WHY)
			copy_text(ret->why, sizeof(ret->why), &f);
		else if (text && (f.number == ANSWER_RESTORE || f.number == ANSWER_NOTIFY))
			rc = read_part(&f, ret);
		if (rc < 0)
			return rc;
	}
	return rc;
}
