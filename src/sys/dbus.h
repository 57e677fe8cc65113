/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of D-Bus as it takes to ask systemd for a scope: a connection over a unix socket, calls
 * with simple arguments, and the signals that come in between. The bus library of systemd is not
 * there as a static one, and libdbus brings name service and threads along, which our programs do
 * without. D-Bus specification 0.41.
 *
 * Every call returns 0 or a negative errno. What the other side sends is checked: sizes, types and
 * bounds; a message of more than 64 KiB is skipped, since none of ours has an answer like that.
 */
#ifndef NOOK_SYS_DBUS_H
#define NOOK_SYS_DBUS_H

#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOOK_DBUS_BYTES 65536u

/* What is written or read; positions count from the first byte, as alignment does. */
struct nook_dbus_text {
	uint8_t *data; /* NOOK_DBUS_BYTES */
	size_t len, at;
	bool bad; /* too long to write; or read past the end, or not what it should be */
};

struct nook_dbus {
	int fd;
	uint32_t serial;
	struct nook_dbus_text out, in;
	size_t body; /* where the body of the message being written begins */
	size_t body_length_at;
};
#define NOOK_DBUS_NONE ((struct nook_dbus){ .fd = NO_FD })

enum nook_dbus_type { NOOK_DBUS_CALL = 1, NOOK_DBUS_REPLY, NOOK_DBUS_ERROR, NOOK_DBUS_SIGNAL };

/* A message that came: its body is next in @in. Texts live till the next one comes. */
struct nook_dbus_message {
	enum nook_dbus_type type;
	uint32_t serial, reply_to;
	const char *path, *interface, *member, *error, *signature; /* NULL: not said */
};

/**
 * nook_dbus_connect() - a connection, authenticated by the kernel's word on who we are
 * @path:    of the socket
 * @out, @in: NOOK_DBUS_BYTES each, the caller's
 * @timeout_ms: for the other side's part
 *
 * No Hello is said: where a bus listens and not systemd itself, call that first.
 */
int nook_dbus_connect(struct nook_dbus *d, const char *path, uint8_t *out, uint8_t *in,
		      int timeout_ms);
void nook_dbus_close(struct nook_dbus *d);

/* Begins a call; arguments follow by the functions below, in the order of @signature ("" none). */
void nook_dbus_begin(struct nook_dbus *d, const char *destination, const char *path,
		     const char *interface, const char *member, const char *signature);

void nook_dbus_put_u32(struct nook_dbus *d, uint32_t n);
void nook_dbus_put_u64(struct nook_dbus *d, uint64_t n);
void nook_dbus_put_bool(struct nook_dbus *d, bool b);
void nook_dbus_put_text(struct nook_dbus *d, const char *text);
void nook_dbus_put_signature(struct nook_dbus *d, const char *signature);      /* of a variant */
void nook_dbus_put_bytes(struct nook_dbus *d, const uint8_t *bytes, size_t n); /* "ay" */
void nook_dbus_put_struct(struct nook_dbus *d);

/* An array; @align: of its elements, 4 for texts and u32, 8 for structs and u64. */
struct nook_dbus_array {
	size_t length_at, first;
};
struct nook_dbus_array nook_dbus_open_array(struct nook_dbus *d, size_t align);
void nook_dbus_close_array(struct nook_dbus *d, struct nook_dbus_array array);

/* Sends it. @ret_serial: what the answer will point to. -E2BIG: it is too long. */
int nook_dbus_send(struct nook_dbus *d, uint32_t *ret_serial, int timeout_ms);

/* The next message. -ETIMEDOUT; -EPIPE: the other side is gone; -EBADMSG: no D-Bus. */
int nook_dbus_receive(struct nook_dbus *d, struct nook_dbus_message *ret, int timeout_ms);

/* From the body of the message received last; NULL and 0 past its end, and @in.bad is set. */
uint32_t nook_dbus_get_u32(struct nook_dbus *d);
const char *nook_dbus_get_text(struct nook_dbus *d);
const char *nook_dbus_get_signature(struct nook_dbus *d);

#endif
