/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd.h"

#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "sys/dbus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define OBJECT  "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

/* For a unit to start or stop: a loaded machine takes seconds. */
#define PATIENCE_MS 30000

/* For the end of one whose processes were killed: till then nothing is asked again. */
#define STOP_MS 5000

/* How often a job is looked for whose end was not told. */
#define LOOK_MS 500

/* Inode of the first user namespace: PROC_USER_INIT_INO. */
#define INITIAL_USERNS 0xEFFFFFFDu

/* Only used when a unit is asked for: till then no page of it exists. */
static uint8_t buffers[2][NOOK_DBUS_BYTES];

/* ---- the connection ---- */

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
	return nook_dbus_connect(d, path, buffers[0], buffers[1], PATIENCE_MS);
}

/* The reply to a call, with the signals before it left out. */
static int await_reply(struct nook_dbus *d, uint32_t serial, struct nook_dbus_message *ret)
{
	for (;;) {
		int r = nook_dbus_receive(d, ret, PATIENCE_MS);

		if (r < 0)
			return r;
		if (ret->reply_to == serial &&
		    (ret->type == NOOK_DBUS_REPLY || ret->type == NOOK_DBUS_ERROR))
			return ret->type == NOOK_DBUS_REPLY ? 0 : -EREMOTEIO;
	}
}

static int call(struct nook_dbus *d, struct nook_dbus_message *ret)
{
	uint32_t serial;
	int r = nook_dbus_send(d, &serial, PATIENCE_MS);

	return r < 0 ? r : await_reply(d, serial, ret);
}

static bool is_error(int r, const struct nook_dbus_message *m, const char *name)
{
	return r == -EREMOTEIO && m->error && strcmp(m->error, name) == 0;
}

/* What the other side says of it, with its own words. */
static int failed(struct nook_dbus *d, int r, const struct nook_dbus_message *m, const char *what,
		  const char *unit, struct nook_error *err)
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
	else if (is_error(r, m, SYSTEMD ".UnitExists"))
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
	r = call(d, &m);
	if (r < 0)
		return r;
	nook_dbus_begin(d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			"AddMatch", "s");
	nook_dbus_put_text(d, "type='signal',sender='" SYSTEMD "',interface='" MANAGER
			      "',member='JobRemoved'");
	r = call(d, &m);
	if (r < 0)
		return r;
	nook_dbus_begin(d, SYSTEMD, OBJECT, MANAGER, "Subscribe", "");
	r = call(d, &m);
	return is_error(r, &m, SYSTEMD ".AlreadySubscribed") ? 0 : r;
}

static int open_manager(struct nook_dbus *d, struct nook_error *err)
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

/* ---- properties ---- */

static void put_texts(struct nook_dbus *d, const char *lines)
{
	struct nook_dbus_array array = nook_dbus_open_array(d, 4);
	char one[512];

	for (const char *at = lines; at && *at;) {
		size_t n = strcspn(at, "\n");

		(void)nook_format(one, sizeof(one), "%.*s", (int)n, at);
		nook_dbus_put_text(d, one);
		at += n + (at[n] == '\n');
	}
	nook_dbus_close_array(d, array);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

static void put_hex(struct nook_dbus *d, const char *hex)
{
	uint8_t bytes[1024];
	size_t n = strlen(hex) / 2;

	if (n > sizeof(bytes))
		n = sizeof(bytes); /* 8192 CPUs, as many as a kernel can have */
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	nook_dbus_put_bytes(d, bytes, n);
}

/* One "(sv)" of "a(sv)". */
static void put_property(struct nook_dbus *d, const struct nook_plan_property *p)
{
	char type[2] = { p->type, '\0' };

	nook_dbus_put_struct(d);
	nook_dbus_put_text(d, p->name);
	nook_dbus_put_signature(d, p->type == 'S' ? "as" : p->type == 'y' ? "ay" : type);
	switch (p->type) {
	case 't':
	case 'x':
		nook_dbus_put_u64(d, p->number);
		break;
	case 'u':
	case 'i':
		nook_dbus_put_u32(d, (uint32_t)p->number);
		break;
	case 'b':
		nook_dbus_put_bool(d, p->number != 0);
		break;
	case 'S':
		put_texts(d, p->text);
		break;
	case 'y':
		put_hex(d, p->text);
		break;
	default:
		nook_dbus_put_text(d, p->text);
	}
}

static void put_pid(struct nook_dbus *d, int pid)
{
	struct nook_dbus_array array;

	nook_dbus_put_struct(d);
	nook_dbus_put_text(d, "PIDs");
	nook_dbus_put_signature(d, "au");
	array = nook_dbus_open_array(d, 4);
	nook_dbus_put_u32(d, (uint32_t)pid);
	nook_dbus_close_array(d, array);
}

/* ---- jobs ---- */

/* Is the job still under way? A job is an object as long as it is there. */
static bool job_is_there(struct nook_dbus *d, const char *job)
{
	struct nook_dbus_message m;

	nook_dbus_begin(d, SYSTEMD, job, "org.freedesktop.DBus.Properties", "Get", "ss");
	nook_dbus_put_text(d, SYSTEMD ".Job");
	nook_dbus_put_text(d, "State");
	return call(d, &m) == 0;
}

/* A signal: 1 when it tells of the end of @job, with its result in @ret. */
static int is_end(struct nook_dbus *d, const struct nook_dbus_message *m, const char *job,
		  const char **ret)
{
	if (m->type != NOOK_DBUS_SIGNAL || !m->member || strcmp(m->member, "JobRemoved") != 0)
		return 0;
	(void)nook_dbus_get_u32(d); /* its number */

	const char *path = nook_dbus_get_text(d);
	const char *unit = nook_dbus_get_text(d);

	*ret = nook_dbus_get_text(d);
	return path && unit && *ret && strcmp(path, job) == 0;
}

/*
 * Waits for JobRemoved of the job whose path the reply has told. A signal may have come before that
 * reply, or not at all, so now and then the job itself is looked for. Return: 0; 1 when it has
 * ended unseen.
 */
static int await_job(struct nook_dbus *d, const char *what, const char *unit, int patience_ms,
		     struct nook_error *err)
{
	const char *told = nook_dbus_get_text(d), *result = NULL;
	int64_t end = nook_cgroup_now() + patience_ms;
	char job[256];

	if (!told || strlen(told) >= sizeof(job))
		return nook_refuse(err, EBADMSG, "%s %s: systemd told of no job", what, unit);
	strcpy(job, told);

	for (int64_t look = nook_cgroup_now() + LOOK_MS;;) {
		struct nook_dbus_message m;
		int64_t now = nook_cgroup_now();
		int r = now < look ? nook_dbus_receive(d, &m, (int)(look - now)) : -ETIMEDOUT;

		if (r == -ETIMEDOUT) {
			if (!job_is_there(d, job))
				return 1;
			look = nook_cgroup_now() + LOOK_MS;
			if (look - LOOK_MS < end)
				continue;
		}
		if (r < 0)
			return nook_fail(err, -r, "wait for systemd to %s %s", what, unit);
		if (!is_end(d, &m, job, &result))
			continue;
		if (strcmp(result, "done") == 0 || strcmp(result, "skipped") == 0)
			return 0;
		nook_hint(err, "systemctl status %s, and journalctl, tell more", unit);
		return nook_refuse(err, EIO, "systemd could not %s %s: %s", what, unit, result);
	}
}

static int reset_failed(struct nook_dbus *d, const char *unit)
{
	struct nook_dbus_message m;

	nook_dbus_begin(d, SYSTEMD, OBJECT, MANAGER, "ResetFailedUnit", "s");
	nook_dbus_put_text(d, unit);
	return call(d, &m);
}

static void describe(char *out, size_t size, const char *id)
{
	(void)nook_format(out, size, "nook-oci container %s", id);
}

static int ask_start(struct nook_dbus *d, const struct nook_plan_cgroup *cg, const char *id,
		     int pid, struct nook_dbus_message *ret)
{
	struct nook_dbus_array properties, others;
	char description[320];
	const struct nook_plan_property own[] = {
		{ .name = "Description", .type = 's', .text = description },
		{ .name = "Slice", .type = 's', .text = cg->slice },
	};

	describe(description, sizeof(description), id);
	nook_dbus_begin(d, SYSTEMD, OBJECT, MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))");
	nook_dbus_put_text(d, cg->unit);
	nook_dbus_put_text(d, "replace");
	properties = nook_dbus_open_array(d, 8);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		put_property(d, &own[i]);
	put_pid(d, pid);
	for (size_t i = 0; i < cg->n_properties; i++)
		put_property(d, &cg->properties[i]);
	nook_dbus_close_array(d, properties);
	others = nook_dbus_open_array(d, 8);
	nook_dbus_close_array(d, others);
	return call(d, ret);
}

/* Is there such a unit, and is it the container's? */
static bool is_its(struct nook_dbus *d, const char *unit, const char *id)
{
	struct nook_dbus_message m;
	char object[512];
	char description[320];
	const char *text;

	nook_dbus_begin(d, SYSTEMD, OBJECT, MANAGER, "GetUnit", "s");
	nook_dbus_put_text(d, unit);
	if (call(d, &m) < 0)
		return false;
	text = nook_dbus_get_text(d);
	if (!text || strlen(text) >= sizeof(object))
		return false;
	strcpy(object, text);

	nook_dbus_begin(d, SYSTEMD, object, "org.freedesktop.DBus.Properties", "Get", "ss");
	nook_dbus_put_text(d, SYSTEMD ".Unit");
	nook_dbus_put_text(d, "Description");
	if (call(d, &m) < 0)
		return false;
	text = nook_dbus_get_signature(d);
	text = text && strcmp(text, "s") == 0 ? nook_dbus_get_text(d) : NULL;
	describe(description, sizeof(description), id);
	return text && strcmp(text, description) == 0;
}

int nook_systemd_start(const struct nook_plan_cgroup *cg, const char *id, int pid,
		       struct nook_error *err)
{
	struct nook_dbus d = NOOK_DBUS_NONE;
	struct nook_dbus_message m = { 0 };
	int r = open_manager(&d, err);

	if (r < 0)
		return r;
	r = ask_start(&d, cg, id, pid, &m);
	/* One that has failed keeps its name till somebody looks: nobody will. */
	if (is_error(r, &m, SYSTEMD ".UnitExists") && reset_failed(&d, cg->unit) == 0)
		r = ask_start(&d, cg, id, pid, &m);
	r = r < 0 ? failed(&d, r, &m, "start", cg->unit, err)
		  : await_job(&d, "start", cg->unit, PATIENCE_MS, err);
	if (r > 0)
		r = is_its(&d, cg->unit, id)
			    ? 0
			    : nook_refuse(err, EIO,
					  "start %s through systemd: its job ended, and "
					  "there is no such unit",
					  cg->unit);
	nook_dbus_close(&d);
	return r;
}

int nook_systemd_update(const char *unit, const struct nook_plan_property *properties, size_t n,
			struct nook_error *err)
{
	struct nook_dbus d = NOOK_DBUS_NONE;
	struct nook_dbus_message m = { 0 };
	struct nook_dbus_array array;
	int r = open_manager(&d, err);

	if (r < 0)
		return r;
	nook_dbus_begin(&d, SYSTEMD, OBJECT, MANAGER, "SetUnitProperties", "sba(sv)");
	nook_dbus_put_text(&d, unit);
	nook_dbus_put_bool(&d, true);
	array = nook_dbus_open_array(&d, 8);
	for (size_t i = 0; i < n; i++)
		put_property(&d, &properties[i]);
	nook_dbus_close_array(&d, array);
	r = call(&d, &m);
	if (r < 0)
		r = failed(&d, r, &m, "change", unit, err);
	nook_dbus_close(&d);
	return r;
}

int nook_systemd_stop(const char *unit, const char *id, struct nook_error *err)
{
	struct nook_dbus d = NOOK_DBUS_NONE;
	struct nook_dbus_message m = { 0 };
	int r = open_manager(&d, err);

	if (r < 0)
		return r;
	if (is_its(&d, unit, id)) {
		nook_dbus_begin(&d, SYSTEMD, OBJECT, MANAGER, "StopUnit", "ss");
		nook_dbus_put_text(&d, unit);
		nook_dbus_put_text(&d, "replace");
		r = call(&d, &m);
		/* A scope also ends by itself, with its last process: in this moment, or while we
		 * wait. */
		if (is_error(r, &m, SYSTEMD ".NoSuchUnit"))
			r = 0;
		else if (r < 0)
			r = failed(&d, r, &m, "stop", unit, err);
		else
			r = await_job(&d, "stop", unit, STOP_MS, err);
		if (r > 0 || (r == -ETIMEDOUT && !is_its(&d, unit, id)))
			r = 0;
		(void)reset_failed(&d, unit); /* it is mostly gone by now */
	}
	nook_dbus_close(&d);
	return r;
}
