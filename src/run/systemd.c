/* SPDX-License-Identifier: Apache-2.0 */
/* Units of engines' containers: made, changed and stopped. */
#include "systemd.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "systemd_parts.h"

#include <errno.h>
#include <string.h>

/* For the end of one whose processes were killed: till then nothing is asked again. */
#define STOP_MS 5000

/* How often a job is looked for whose end was not told. */
#define LOOK_MS 500

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

	nook_dbus_begin(d, NOOK_SYSTEMD, job, "org.freedesktop.DBus.Properties", "Get", "ss");
	nook_dbus_put_text(d, NOOK_SYSTEMD ".Job");
	nook_dbus_put_text(d, "State");
	return nook_systemd_call(d, &m) == 0;
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
	int64_t end = nook_now_ms() + patience_ms;
	char job[256];

	if (!told || strlen(told) >= sizeof(job))
		return nook_refuse(err, EBADMSG, "%s %s: systemd told of no job", what, unit);
	strcpy(job, told);

	for (int64_t look = nook_now_ms() + LOOK_MS;;) {
		struct nook_dbus_message m;
		int64_t now = nook_now_ms();
		int r = now < look ? nook_dbus_receive(d, &m, (int)(look - now)) : -ETIMEDOUT;

		if (r == -ETIMEDOUT) {
			if (!job_is_there(d, job))
				return 1;
			look = nook_now_ms() + LOOK_MS;
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

	nook_dbus_begin(d, NOOK_SYSTEMD, NOOK_SYSTEMD_OBJECT, NOOK_SYSTEMD_MANAGER,
			"ResetFailedUnit", "s");
	nook_dbus_put_text(d, unit);
	return nook_systemd_call(d, &m);
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
	nook_dbus_begin(d, NOOK_SYSTEMD, NOOK_SYSTEMD_OBJECT, NOOK_SYSTEMD_MANAGER,
			"StartTransientUnit", "ssa(sv)a(sa(sv))");
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
	return nook_systemd_call(d, ret);
}

/* Is there such a unit, and is it the container's? */
static bool is_its(struct nook_dbus *d, const char *unit, const char *id)
{
	struct nook_dbus_message m;
	char object[512];
	char description[320];
	const char *text;

	nook_dbus_begin(d, NOOK_SYSTEMD, NOOK_SYSTEMD_OBJECT, NOOK_SYSTEMD_MANAGER, "GetUnit", "s");
	nook_dbus_put_text(d, unit);
	if (nook_systemd_call(d, &m) < 0)
		return false;
	text = nook_dbus_get_text(d);
	if (!text || strlen(text) >= sizeof(object))
		return false;
	strcpy(object, text);

	nook_dbus_begin(d, NOOK_SYSTEMD, object, "org.freedesktop.DBus.Properties", "Get", "ss");
	nook_dbus_put_text(d, NOOK_SYSTEMD ".Unit");
	nook_dbus_put_text(d, "Description");
	if (nook_systemd_call(d, &m) < 0)
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
	int r = nook_systemd_open(&d, err);

	if (r < 0)
		return r;
	r = ask_start(&d, cg, id, pid, &m);
	/* One that has failed keeps its name till somebody looks: nobody will. */
	if (nook_systemd_is_error(r, &m, NOOK_SYSTEMD ".UnitExists") &&
	    reset_failed(&d, cg->unit) == 0)
		r = ask_start(&d, cg, id, pid, &m);
	r = r < 0 ? nook_systemd_failed(&d, r, &m, "start", cg->unit, err)
		  : await_job(&d, "start", cg->unit, NOOK_SYSTEMD_PATIENCE_MS, err);
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
	int r = nook_systemd_open(&d, err);

	if (r < 0)
		return r;
	nook_dbus_begin(&d, NOOK_SYSTEMD, NOOK_SYSTEMD_OBJECT, NOOK_SYSTEMD_MANAGER,
			"SetUnitProperties", "sba(sv)");
	nook_dbus_put_text(&d, unit);
	nook_dbus_put_bool(&d, true);
	array = nook_dbus_open_array(&d, 8);
	for (size_t i = 0; i < n; i++)
		put_property(&d, &properties[i]);
	nook_dbus_close_array(&d, array);
	r = nook_systemd_call(&d, &m);
	if (r < 0)
		r = nook_systemd_failed(&d, r, &m, "change", unit, err);
	nook_dbus_close(&d);
	return r;
}

int nook_systemd_stop(const char *unit, const char *id, struct nook_error *err)
{
	struct nook_dbus d = NOOK_DBUS_NONE;
	struct nook_dbus_message m = { 0 };
	int r = nook_systemd_open(&d, err);

	if (r < 0)
		return r;
	if (is_its(&d, unit, id)) {
		nook_dbus_begin(&d, NOOK_SYSTEMD, NOOK_SYSTEMD_OBJECT, NOOK_SYSTEMD_MANAGER,
				"StopUnit", "ss");
		nook_dbus_put_text(&d, unit);
		nook_dbus_put_text(&d, "replace");
		r = nook_systemd_call(&d, &m);
		/* A scope also ends by itself, with its last process: in this moment, or while we
		 * wait. */
		if (nook_systemd_is_error(r, &m, NOOK_SYSTEMD ".NoSuchUnit"))
			r = 0;
		else if (r < 0)
			r = nook_systemd_failed(&d, r, &m, "stop", unit, err);
		else
			r = await_job(&d, "stop", unit, STOP_MS, err);
		if (r > 0 || (r == -ETIMEDOUT && !is_its(&d, unit, id)))
			r = 0;
		(void)reset_failed(&d, unit); /* it is mostly gone by now */
	}
	nook_dbus_close(&d);
	return r;
}
