/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd.c needs of systemd_bus.c: calls of systemd's manager. */
#ifndef NOOK_RUN_SYSTEMD_PARTS_H
#define NOOK_RUN_SYSTEMD_PARTS_H

#include "nook/error.h"
#include "sys/dbus.h"

#define NOOK_SYSTEMD         "org.freedesktop.systemd1"
#define NOOK_SYSTEMD_OBJECT  "/org/freedesktop/systemd1"
#define NOOK_SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

/* For a unit to start or stop: a loaded machine takes seconds. */
#define NOOK_SYSTEMD_PATIENCE_MS 30000

/* Connects to the manager: root's, or the caller's own. The caller closes @d. */
int nook_systemd_open(struct nook_dbus *d, struct nook_error *err);

/* Sends the call that was begun, and waits for the reply. Return: 0; -EREMOTEIO: @ret says no;
 * another negative errno. */
int nook_systemd_call(struct nook_dbus *d, struct nook_dbus_message *ret);

/* Is @r, of nook_systemd_call(), this error? */
bool nook_systemd_is_error(int r, const struct nook_dbus_message *m, const char *name);

/* What the other side says of it, with its own words. */
int nook_systemd_failed(struct nook_dbus *d, int r, const struct nook_dbus_message *m,
			const char *what, const char *unit, struct nook_error *err);

#endif
