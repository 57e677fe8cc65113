/* SPDX-License-Identifier: Apache-2.0 */
/* The way to systemd's manager: its own socket, or the bus, and a call there. */
#include "systemd_parts.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Inode of the first user namespace: PROC_USER_INIT_INO. */
#define INITIAL_USERNS 0xEFFFFFFDu

/* Only used when a unit is asked for: till then no page of it exists. */
static uint8_t buffers[2][NOOK_DBUS_BYTES];

/* Not by the user id: root of a user namespace is somebody's rootless container. */
static bool is_root_here(void)
{
	struct stat st;

	return geteuid() == 0 && stat("/proc/self/ns/user", &st) == 0 &&
	       st.st_ino == INITIAL_USERNS;
}

/* "unix:path=/run/bus,guid=…": the path. Other transports are not for us. */
static bool path_of_address(const char *address, char *out, size_t size)
{
	const char *path = address ? nook_after(address, "unix:path=") : NULL;
	size_t len = path ? strcspn(path, ",;") : 0;

	if (!len || len >= size || path[0] != '/')
		return false;
	(void)nook_format(out, size, "%.*s", (int)len, path);
	return true;
}

static int connect_to(struct nook_dbus *d, const char *path)
{
	return nook_dbus_connect(d, path, buffers[0], buffers[1], NOOK_SYSTEMD_PATIENCE_MS);
}

/* The reply to a call, with the signals before it left out. */
static int await_reply(struct nook_dbus *d, uint32_t serial, struct nook_dbus_message *ret)
{
	for (;;) {
		int r = nook_dbus_receive(d, ret, NOOK_SYSTEMD_PATIENCE_MS);

		if (r < 0)
			return r;
		if (ret->reply_to == serial &&
		    (ret->type == NOOK_DBUS_REPLY || ret->type == NOOK_DBUS_ERROR))
			return ret->type == NOOK_DBUS_REPLY ? 0 : -EREMOTEIO;
	}
}

int nook_systemd_call(struct nook_dbus *d, struct nook_dbus_message *ret)
{
	uint32_t serial;
	int r = nook_dbus_send(d, &serial, NOOK_SYSTEMD_PATIENCE_MS);

	return r < 0 ? r : await_reply(d, serial, ret);
}

bool nook_systemd_is_error(int r, const struct nook_dbus_message *m, const char *name)
{
	return r == -EREMOTEIO && m->error && strcmp(m->error, name) == 0;
}

int nook_systemd_failed(struct nook_dbus *d, int r, const struct nook_dbus_message *m,
			const char *what, const char *unit, struct nook_error *err)
{
	const char *text = NULL;

	if (r != -EREMOTEIO)
		return nook_fail(err, -r, "%s %s through systemd", what, unit);
	if (m->signature && m->signature[0] == 's')
		text = nook_dbus_get_text(d);

	int errnum = EIO;

	if (m->error && (strstr(m->error, "AccessDenied") || strstr(m->error, "AuthFailed") ||
			 strstr(m->error, "InteractiveAuthorizationRequired")))
		errnum = EACCES;
	else if (nook_systemd_is_error(r, m, NOOK_SYSTEMD ".UnitExists"))
		errnum = EEXIST;
	return nook_refuse(err, errnum, "%s %s through systemd: %s", what, unit,
			   text       ? text
			   : m->error ? m->error
				      : "it refused");
}

/* A bus has to be greeted, and asked to pass signals on; systemd itself sends them to all. */
static int greet_bus(struct nook_dbus *d)
{
	struct nook_dbus_message m;
	int r;

	nook_dbus_begin(d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			"Hello", "");
	r = nook_systemd_call(d, &m);
	if (r < 0)
		return r;
	nook_dbus_begin(d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			"AddMatch", "s");
	nook_dbus_put_text(d, "type='signal',sender='" NOOK_SYSTEMD
			      "',interface='" NOOK_SYSTEMD_MANAGER "',member='JobRemoved'");
	r = nook_systemd_call(d, &m);
	if (r < 0)
		return r;
	nook_dbus_begin(d, NOOK_SYSTEMD, NOOK_SYSTEMD_OBJECT, NOOK_SYSTEMD_MANAGER, "Subscribe",
			"");
	r = nook_systemd_call(d, &m);
	return nook_systemd_is_error(r, &m, NOOK_SYSTEMD ".AlreadySubscribed") ? 0 : r;
}

int nook_systemd_open(struct nook_dbus *d, struct nook_error *err)
{
	bool root = is_root_here();
	const char *run = getenv("XDG_RUNTIME_DIR");
	char private[108], bus[108] = "";
	int r;

	if (root) {
		strcpy(private, "/run/systemd/private");
		if (!path_of_address(getenv("DBUS_SYSTEM_BUS_ADDRESS"), bus, sizeof(bus)))
			strcpy(bus, "/run/dbus/system_bus_socket");
	} else {
		bool has_run = run && run[0] == '/' && strlen(run) < 80;

		(void)nook_format(private, sizeof(private), "%s/systemd/private",
				  has_run ? run : "");
		if (!path_of_address(getenv("DBUS_SESSION_BUS_ADDRESS"), bus, sizeof(bus)) &&
		    has_run)
			(void)nook_format(bus, sizeof(bus), "%s/bus", run);
		if (!has_run && !bus[0]) {
			nook_hint(err, "set XDG_RUNTIME_DIR, or leave --systemd-cgroup out");
			return nook_refuse(err, ENOENT,
					   "where your own systemd listens is not known: neither "
					   "XDG_RUNTIME_DIR nor DBUS_SESSION_BUS_ADDRESS is set");
		}
	}

	r = connect_to(d, private);
	if (r == 0 || !bus[0])
		return r < 0 ? nook_fail(err, -r, "connect to systemd at %s", private) : 0;
	r = connect_to(d, bus);
	if (r == 0)
		r = greet_bus(d);
	if (r < 0) {
		nook_dbus_close(d);
		nook_hint(err, "is systemd running here? Without it leave --systemd-cgroup out "
			       "(for Podman: cgroup_manager = \"cgroupfs\")");
		return nook_fail(err, r == -EREMOTEIO ? EIO : -r, "connect to systemd at %s", bus);
	}
	return 0;
}
