/* SPDX-License-Identifier: Apache-2.0 */
/* The record, read as if an enemy had written it. */
#include "record_parts.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>

#define TEXT_BYTES (1u << 20) /* MAX_ARG_STRLEN is 128 KiB where pages have 4 KiB */

static const enum nook_json_need must = NOOK_JSON_REQUIRED, may = NOOK_JSON_OPTIONAL;

/* As the kernel writes it: 8-4-4-4-12 hexadecimal digits. */
static bool valid_boot_id(const char *id)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? id[i] != '-' : !id[i] || !strchr("0123456789abcdef", id[i]))
			return false;
	}
	return id[36] == '\0';
}

/* Absolute, and no component that leads back: an undo removes what these paths name. */
static bool valid_path(const char *path)
{
	if (path[0] != '/')
		return false;

	for (const char *p = path; *p;) {
		size_t len = strcspn(++p, "/");

		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
	}
	return true;
}

static int read_pid(const struct nook_json_value *v, const char *key, int *ret,
		    struct nook_error *err)
{
	int64_t value = 0;
	int rc = nook_json_get_i64(v, key, must, 0, NOOK_PID_MAX, &value, err);

	*ret = (int)value;
	return rc;
}

static int read_phase(const struct nook_json_value *v, struct nook_record_reader *r)
{
	struct nook_json_value phase;
	const char *text = NULL;
	int rc = nook_json_member(v, "phase", must, NOOK_JSON_TEXT, &phase, r->err);

	if (rc == 0)
		rc = nook_json_as_text(&phase, 20, &text, r->err);
	if (rc < 0)
		return rc;
	for (int i = NOOK_PHASE_CREATING; i <= NOOK_PHASE_RUNNING; i++) {
		if (strcmp(text, nook_phase_text((enum nook_phase)i)) == 0) {
			r->record->phase = (enum nook_phase)i;
			return 0;
		}
	}
	return nook_json_refuse(&phase, r->err, "\"%s\" is no phase", text);
}

/* What container this is, and which process. */
static int read_identity(const struct nook_json_value *v, const char *name,
			 struct nook_record_reader *r)
{
	struct nook_record *rec = r->record;
	uint32_t version = 0;
	int rc = nook_json_get_u32(v, "version", must, UINT32_MAX, &version, r->err);

	if (rc == 0 && version != NOOK_RECORD_VERSION)
		return nook_refuse(r->err, EINVAL, "version %u; this nook knows %u", version,
				   NOOK_RECORD_VERSION);
	if (rc == 0)
		rc = nook_json_get_text(NULL, v, "name", must, 255, &rec->name, r->err);
	if (rc == 0 && strcmp(rec->name, name) != 0)
		return nook_refuse(r->err, EINVAL, "it is that of container \"%.80s\"", rec->name);
	if (rc == 0)
		rc = read_phase(v, r);
	if (rc == 0)
		rc = nook_json_get_text(NULL, v, "boot_id", must, 36, &rec->boot_id, r->err);
	if (rc == 0 && !valid_boot_id(rec->boot_id))
		return nook_refuse(r->err, EINVAL, "\"%s\" is no boot id", rec->boot_id);
	if (rc == 0)
		rc = read_pid(v, "keeper", &rec->keeper, r->err);
	if (rc == 0)
		rc = read_pid(v, "pid", &rec->pid, r->err);
	if (rc == 0)
		rc = nook_json_get_u64(v, "start_time", must, UINT64_MAX, &rec->start_time, r->err);
	if (rc == 0)
		rc = nook_json_get_i64(v, "created", must, 0, INT64_MAX, &rec->created, r->err);
	if (rc == 0)
		rc = nook_json_get_text(NULL, v, "hostname", may, 64, &rec->hostname, r->err);
	if (rc == 0)
		rc = nook_json_get_text(NULL, v, "root", may, 2 * NOOK_RECORD_PATH_BYTES,
					&rec->root, r->err);
	return rc;
}

static int read_cgroup(const struct nook_json_value *v, struct nook_plan_cgroup_dir *dir,
		       struct nook_record_reader *r)
{
	int rc = nook_json_get_text(NULL, v, "mount", must, NOOK_RECORD_PATH_BYTES, &dir->mount,
				    r->err);

	if (rc == 0)
		rc = nook_json_get_text(NULL, v, "path", must, NOOK_RECORD_PATH_BYTES, &dir->path,
					r->err);
	if (rc == 0)
		rc = nook_json_get_bool(v, "v2", must, &dir->v2, r->err);
	if (rc == 0)
		rc = nook_json_get_u32(v, "enable", must, UINT32_MAX, &dir->enable, r->err);
	if (rc == 0)
		rc = nook_json_get_bool(v, "by_path", may, &dir->by_path, r->err);
	if (rc < 0)
		return rc;

	/* "/" would be the hierarchy's root. */
	if (!valid_path(dir->mount) || !valid_path(dir->path) || !dir->path[strspn(dir->path, "/")])
		return nook_json_refuse(v, r->err, "no cgroup: \"%.80s\" in \"%.80s\"", dir->path,
					dir->mount);
	return 0;
}

/* What an undo removes. */
static int read_objects(const struct nook_json_value *v, struct nook_record_reader *r)
{
	struct nook_record *rec = r->record;
	struct nook_json_value array, item;
	int rc = nook_json_get_u32(v, "range", must, UINT32_MAX, &rec->range, r->err);

	if (rc == 0 && rec->range % NOOK_RANGE_SIZE != 0)
		return nook_refuse(r->err, EINVAL, "range %u is no multiple of %u", rec->range,
				   NOOK_RANGE_SIZE);
	if (rc == 0)
		rc = nook_json_member(v, "cgroups", must, NOOK_JSON_ARRAY, &array, r->err);
	if (rc < 0)
		return rc;

	size_t n = nook_json_length(&array);

	if (n > NOOK_RECORD_CGROUPS)
		return nook_json_refuse(&array, r->err, "%zu cgroups; %u are allowed", n,
					NOOK_RECORD_CGROUPS);

	rec->cgroups = nook_alloc_array(r->arena, n, sizeof(*rec->cgroups));
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = nook_json_element(&array, i, NOOK_JSON_OBJECT, &item, r->err);
		if (rc == 0)
			rc = read_cgroup(&item, &rec->cgroups[i], r);
	}
	rec->n_cgroups = rc == 0 ? n : 0;
	return rc;
}

static int read_netdevs(const struct nook_json_value *engine, struct nook_record_reader *r)
{
	struct nook_record_netdevs *d;
	struct nook_json_value v;
	size_t n;
	int rc = nook_json_member(engine, "netdevs", may, NOOK_JSON_OBJECT, &v, r->err);

	if (rc < 0 || !v.json)
		return rc;
	d = nook_alloc(r->arena, sizeof(*d));
	rc = nook_json_get_text(NULL, &v, "path", must, NOOK_RECORD_PATH_BYTES, &d->path, r->err);
	if (rc == 0)
		rc = nook_json_get_u64(&v, "ino", must, UINT64_MAX, &d->ino, r->err);
	if (rc == 0)
		rc = nook_json_get_u64(&v, "home", must, UINT64_MAX, &d->home, r->err);
	if (rc == 0)
		rc = nook_json_get_texts(r->arena, &v, "links", must, NOOK_RECORD_TEXTS, TEXT_BYTES,
					 &d->links, &n, r->err);
	r->record->netdevs = d;
	return rc;
}

static int read_annotations(const struct nook_json_value *engine, struct nook_record_reader *r)
{
	struct nook_record *rec = r->record;
	const char *const *texts = NULL;
	size_t n = 0;
	int rc = nook_json_get_texts(r->arena, engine, "annotations", must, NOOK_RECORD_TEXTS,
				     TEXT_BYTES, &texts, &n, r->err);

	if (rc < 0)
		return rc;
	if (n % 2)
		return nook_refuse(r->err, EINVAL, "an annotation has no value");

	rec->annotations = nook_alloc_array(r->arena, n / 2, sizeof(*rec->annotations));
	for (size_t i = 0; i < n; i++)
		rec->annotations[i / 2][i % 2] = texts[i];
	rec->n_annotations = n / 2;
	return 0;
}

/* What an engine's container has; what an undo needs of it is among the objects. */
static int read_engine(const struct nook_json_value *root, enum nook_record_part part,
		       struct nook_record_reader *r)
{
	struct nook_record *rec = r->record;
	struct nook_json_value v;
	int64_t nsec = 0;
	const struct {
		const char *key;
		enum nook_json_need need;
		size_t max;
		const char **text;
	} texts[] = {
		{ "bundle", must, NOOK_RECORD_PATH_BYTES, &rec->bundle },
		{ "unit", may, NOOK_RECORD_PATH_BYTES, &rec->unit },
		{ "rdt", may, NOOK_RECORD_PATH_BYTES, &rec->rdt },
		{ "start", must, NOOK_START_NAME, &rec->start },
		{ "rootfs", may, NOOK_RECORD_PATH_BYTES, &rec->rootfs },
		{ "oci_version", must, NOOK_RECORD_PATH_BYTES, &rec->oci_version },
		{ "process", may, NOOK_RECORD_BYTES, &rec->process },
		{ "hooks", may, NOOK_RECORD_BYTES, &rec->hooks },
		{ "hook_state", may, NOOK_RECORD_BYTES, &rec->hook_state },
		{ "rdt_tasks", may, NOOK_RECORD_PATH_BYTES, &rec->rdt_tasks },
		{ "seccomp_listener", may, NOOK_RECORD_PATH_BYTES, &rec->seccomp_listener },
		{ "seccomp_listener_data", may, NOOK_RECORD_BYTES, &rec->seccomp_listener_data },
	};
	size_t n = part == NOOK_RECORD_OBJECTS ? 4 : ARRAY_SIZE(texts);
	int rc = nook_json_member(root, "engine", may, NOOK_JSON_OBJECT, &v, r->err);

	if (rc < 0 || !v.json)
		return rc;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = nook_json_get_text(NULL, &v, texts[i].key, texts[i].need, texts[i].max,
					texts[i].text, r->err);
	if (rc == 0 && (strlen(rec->start) != NOOK_START_NAME ||
			strspn(rec->start, "0123456789abcdef") != NOOK_START_NAME))
		return nook_refuse(r->err, EINVAL, "\"%s\" names no socket", rec->start);
	if (rc == 0)
		rc = read_netdevs(&v, r);
	if (rc < 0 || part == NOOK_RECORD_OBJECTS)
		return rc;

	rc = nook_json_get_i64(&v, "created_nsec", must, 0, 999999999, &nsec, r->err);
	rec->created_nsec = (int32_t)nsec;
	if (rc == 0)
		rc = nook_json_get_bool(&v, "no_new_keyring", must, &rec->no_new_keyring, r->err);
	return rc == 0 ? read_annotations(&v, r) : rc;
}

static int read_filter(int base, const char *name, struct nook_record_reader *r)
{
	size_t want = r->record->n_seccomp * sizeof(struct sock_filter), len = 0;
	char *code = NULL;
	auto_close int fd = nook_folder_file(base, NOOK_FOLDER_SECCOMP, name, NOOK_OPEN_READ);

	if (!want)
		return 0;
	if (fd < 0)
		return nook_fail(r->err, -fd, "open seccomp/%s", name);

	int rc = nook_read_fd(r->arena, fd, "its seccomp filter", want, &code, &len, r->err);

	if (rc == 0 && len != want)
		return nook_refuse(r->err, EINVAL, "its seccomp filter has %zu bytes, not %zu", len,
				   want);
	if (rc == 0)
		r->record->seccomp = (const struct sock_filter *)code;
	return rc;
}

static int parse(const char *text, size_t len, const char *name, enum nook_record_part part,
		 struct nook_record_reader *r)
{
	struct nook_json *json = NULL;
	int rc = nook_json_parse_in(r->arena, text, len, 8, &json, NULL, r->err);
	struct nook_json_value v = { .json = json };

	if (rc == 0)
		rc = read_identity(&v, name, r);
	if (rc == 0)
		rc = read_objects(&v, r);
	if (rc == 0)
		rc = read_engine(&v, part, r);
	return rc == 0 && part != NOOK_RECORD_OBJECTS ? nook_record_read_process(&v, r) : rc;
}

/* Whatever is wrong with it, it is a record that can't be used: say so, and what then. */
static int garbled(const char *name, const struct nook_error *detail, struct nook_error *err)
{
	if (detail->where[0])
		nook_where(err, "record of container %s, %s", name, detail->where);
	else
		nook_where(err, "record of container %s", name);
	nook_hint(err, "`nook rm --force %s` removes what is left of it.", name);
	return nook_refuse(err, EBADMSG, "the record of container %s can't be used: %s", name,
			   detail->why);
}

int nook_record_load(int base, const char *name, enum nook_record_part part, struct nook_arena *a,
		     struct nook_record *record, struct nook_error *err)
{
	struct nook_error detail = { 0 };
	struct nook_record new = { 0 };
	struct nook_record_reader r = { .arena = a, .record = &new, .err = &detail };
	char *text = NULL;
	size_t len = 0;
	auto_close int fd = nook_folder_file(base, NOOK_FOLDER_RECORDS, name, NOOK_OPEN_READ);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd == -ELOOP || fd == -ENXIO) { /* a symlink; a socket */
		(void)nook_refuse(&detail, EINVAL, "it is no regular file");
		return garbled(name, &detail, err);
	}
	if (fd < 0)
		return nook_fail(err, -fd, "open containers/%s in the state directory", name);

	int rc = nook_read_fd(a, fd, "it", NOOK_RECORD_BYTES, &text, &len, &detail);

	/* What fails to be read is as good as it was: its objects must still be undone by it. */
	if (rc < 0 && !nook_read_refused(rc))
		return nook_fail(err, -rc, "read containers/%s in the state directory", name);
	if (rc == 0)
		rc = parse(text, len, name, part, &r);
	if (rc == 0 && part == NOOK_RECORD_ALL)
		rc = read_filter(base, name, &r);
	if (rc < 0)
		return garbled(name, &detail, err);

	*record = new;
	return 0;
}
