/* SPDX-License-Identifier: Apache-2.0 */
/* What dbus.c, the connection, needs of dbus_text.c, the bytes of a message. */
#ifndef NOOK_SYS_DBUS_PARTS_H
#define NOOK_SYS_DBUS_PARTS_H

#include "dbus.h"

/* Byte order, type, flags, version, length of the body, serial, length of the fields. */
#define NOOK_DBUS_HEAD 16u

/* The message in d->out is complete: writes how long its body is. */
void nook_dbus_finish(struct nook_dbus *d);

/* Of the NOOK_DBUS_HEAD bytes in @t: how many bytes of fields, and how many of all, follow.
 * -EBADMSG. */
int nook_dbus_read_head(const struct nook_dbus_text *t, size_t *ret_fields, size_t *ret_rest);

/* Of a whole message in @t, up to its body. -EBADMSG. */
int nook_dbus_read_fields(struct nook_dbus_text *t, size_t fields, struct nook_dbus_message *ret);

#endif
