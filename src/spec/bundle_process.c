/* SPDX-License-Identifier: Apache-2.0 */
/* The process object: config.md, "Process", "POSIX process", "Linux Process". */
#include "bundle_reader.h"

#include "sys/names.h"

#include <string.h>

#define UMASK_LAST 0777u
#define CAP_SLOTS  128u /* a power of two, about three times the capabilities that there are */
#define CAP_NAME   24u  /* holds the longest, with its NUL */

/* ---- user ---- */

static int read_umask(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_process *p = into;
	uint64_t umask = 0;
	int rc = nook_json_as_u64(v, UMASK_LAST, &umask, r->err);

	p->has_umask = true;
	p->umask = (uint32_t)umask;
	return rc;
}

static int read_gid(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	uint64_t gid = 0;
	int rc = nook_json_as_u64(v, NOOK_BUNDLE_ID_LAST, &gid, r->err);

	*(uint32_t *)into = (uint32_t)gid;
	return rc;
}

#define STRUCT struct nook_bundle_process
static int read_user(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	/* runc takes a user without numbers as root, and engines' own tests leave it out. */
	static const struct nook_bundle_member rows[] = {
		ROW_U32("uid", uid, NOOK_BUNDLE_ID_LAST, 0),
		ROW_U32("gid", gid, NOOK_BUNDLE_ID_LAST, 0),
		ROW_WHOLE("umask", NOOK_JSON_NUMBER, read_umask),
		ROW_ITEMS("additionalGids", groups, n_groups, NOOK_JSON_ARRAY, NOOK_JSON_NUMBER,
			  read_gid),
	};

	return nook_bundle_members(r, v, into, rows);
}

static int read_size(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_process *p = into;
	uint32_t rows = 0, columns = 0; /* struct winsize has 16 bits for each */
	int rc = nook_json_get_u32(v, "height", NOOK_JSON_REQUIRED, UINT16_MAX, &rows, r->err);

	if (rc == 0)
		rc = nook_json_get_u32(v, "width", NOOK_JSON_REQUIRED, UINT16_MAX, &columns,
				       r->err);
	p->rows = (uint16_t)rows;
	p->columns = (uint16_t)columns;
	return rc;
}

/* ---- capabilities ---- */

/* Names to numbers: engines name forty of them in each of five sets. */
struct cap_table {
	char name[CAP_SLOTS][CAP_NAME];
	unsigned char number[CAP_SLOTS];
};

static unsigned cap_slot(const struct cap_table *t, const char *name)
{
	unsigned hash = 5381;

	for (const char *p = name; *p; p++)
		hash = hash * 33 + (unsigned char)*p;

	unsigned slot = (hash ^ (hash >> 7)) % CAP_SLOTS;

	while (t->name[slot][0] && strcmp(t->name[slot], name) != 0)
		slot = (slot + 1) % CAP_SLOTS;
	return slot;
}

static void fill_caps(struct cap_table *t)
{
	unsigned char number = 0;

	memset(t, 0, sizeof(*t));
	for (const char *p = nook_cap_words; *p; number++) {
		char name[CAP_NAME] = "CAP_";
		size_t len = 4;

		for (; *p && *p != ' ' && len < sizeof(name) - 1; p++)
			name[len++] = (char)(*p == '_' ? '_' : *p - 'a' + 'A');
		p += *p == ' ';

		unsigned slot = cap_slot(t, name);

		memcpy(t->name[slot], name, sizeof(name));
		t->number[slot] = number;
	}
}

static int read_cap_set(struct nook_bundle_reader *r, const struct cap_table *t,
			const struct nook_json_value *object, const char *key, uint64_t *ret)
{
	struct nook_json_value array, v;
	int rc = nook_json_member(object, key, NOOK_JSON_OPTIONAL, NOOK_JSON_ARRAY, &array, r->err);
	size_t n = rc == 0 ? nook_json_length(&array) : 0;
	uint64_t set = 0;

	if (rc == 0)
		rc = nook_bundle_count(r, &array, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *name = NULL;

		if ((rc = nook_json_element(&array, i, NOOK_JSON_TEXT, &v, r->err)) < 0 ||
		    (rc = nook_json_as_text(&v, NOOK_BUNDLE_TEXT, &name, r->err)) < 0)
			return rc;

		unsigned slot = cap_slot(t, name);

		if (!t->name[slot][0])
			return nook_json_refuse(&v, r->err,
						"\"%.64s\" is no capability: their names are those "
						"of capabilities(7), such as CAP_NET_ADMIN",
						name);
		set |= UINT64_C(1) << t->number[slot];
	}
	*ret = set;
	return rc;
}

static int read_caps(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_caps *caps = into;
	struct cap_table table;
	const struct {
		const char *key;
		uint64_t *set;
	} sets[] = {
		{ "bounding", &caps->bounding },   { "effective", &caps->effective },
		{ "permitted", &caps->permitted }, { "inheritable", &caps->inheritable },
		{ "ambient", &caps->ambient },
	};

	fill_caps(&table);
	caps->set = true;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int rc = read_cap_set(r, &table, v, sets[i].key, sets[i].set);

		if (rc < 0)
			return rc;
	}
	return 0;
}
#undef STRUCT

/* ---- rlimits ---- */

/* Exactly "RLIMIT_NOFILE". Return: RLIMIT_*; negative. */
static int rlimit_number(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p >= 'a' && *p <= 'z')
			return -1;
	}
	return strncmp(name, "RLIMIT_", 7) == 0 ? nook_rlimit_number(name) : -1;
}

#define STRUCT struct nook_bundle_rlimit
static int read_rlimit(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("type", name, NOOK_BUNDLE_TEXT, NULL),
		ROW_U64("soft", soft, UINT64_MAX, NOOK_BUNDLE_REQUIRED),
		ROW_U64("hard", hard, UINT64_MAX, NOOK_BUNDLE_REQUIRED),
	};
	struct nook_bundle_rlimit *limit = into;
	struct nook_json_value type = { .up = v, .key = "type" };
	int rc = nook_bundle_members(r, v, limit, rows);

	if (rc < 0)
		return rc;

	limit->resource = rlimit_number(limit->name);
	limit->from = nook_bundle_from(r, v);
	if (limit->resource < 0)
		return nook_json_refuse(&type, r->err,
					"\"%.64s\" is no resource limit: their names are those of "
					"getrlimit(2), such as RLIMIT_NOFILE",
					limit->name);
	if (limit->soft > limit->hard)
		return nook_json_refuse(v, r->err,
					"the soft limit, %lu, is above the hard one, %lu",
					limit->soft, limit->hard);
	return 0;
}
#undef STRUCT

/* ---- the whole ---- */

static int check_rlimits(struct nook_bundle_reader *r, const struct nook_json_value *v,
			 const struct nook_bundle_process *p)
{
	const struct nook_json_value array = { .up = v, .key = "rlimits" };
	uint32_t seen = 0;

	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct nook_json_value at = { .up = &array, .index = i };
		uint32_t bit = UINT32_C(1) << p->rlimits[i].resource;

		if (seen & bit)
			return nook_json_refuse(&at, r->err, "%s stands there twice",
						p->rlimits[i].name);
		seen |= bit;
	}
	return 0;
}

#define STRUCT struct nook_bundle_process
static int read_affinity(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_TEXT("initial", affinity_initial, NOOK_BUNDLE_TEXT, nook_bundle_check_list),
		ROW_TEXT("final", affinity_final, NOOK_BUNDLE_TEXT, nook_bundle_check_list),
	};

	return nook_bundle_members(r, v, into, rows);
}

int nook_bundle_read_process(struct nook_bundle_reader *r, const struct nook_json_value *v,
			     void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_BOOL("terminal", terminal),
		ROW_WHOLE("consoleSize", NOOK_JSON_OBJECT, read_size),
		ROW_WHOLE("user", NOOK_JSON_OBJECT, read_user),
		ROW_NEED_TEXTS("args", args, NOOK_BUNDLE_ARG, NULL),
		ROW_TEXTS("env", env, NOOK_BUNDLE_ARG, nook_bundle_check_env),
		ROW_NEED_TEXT("cwd", cwd, NOOK_BUNDLE_PATH, nook_bundle_check_absolute),
		ROW_PART("capabilities", caps, NOOK_JSON_OBJECT, read_caps),
		ROW_ITEMS("rlimits", rlimits, n_rlimits, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  read_rlimit),
		ROW_BOOL("noNewPrivileges", no_new_privs),
		ROW_TEXT("apparmorProfile", apparmor, NOOK_BUNDLE_PATH, NULL),
		ROW_TEXT("selinuxLabel", selinux, NOOK_BUNDLE_PATH, NULL),
		ROW_OPT_I64("oomScoreAdj", oom_score_adj, -1000, 1000, 0),
		ROW_PART("scheduler", scheduler, NOOK_JSON_OBJECT, nook_bundle_read_scheduler),
		ROW_WHOLE("ioPriority", NOOK_JSON_OBJECT, nook_bundle_read_ioprio),
		ROW_WHOLE("execCPUAffinity", NOOK_JSON_OBJECT, read_affinity),
	};
	struct nook_bundle_process *p = into;
	int rc;

	p->set = true;
	p->env = nook_bundle_no_texts;
	if ((rc = nook_bundle_members(r, v, p, rows)) < 0 || (rc = check_rlimits(r, v, p)) < 0)
		return rc;
	if (!p->args[0])
		return nook_json_refuse(&(struct nook_json_value){ .up = v, .key = "args" }, r->err,
					"an empty list names no program");
	return 0;
}
#undef STRUCT
