/* SPDX-License-Identifier: Apache-2.0 */
/* Of a record: what one more program in the container gets. */
#include "record_parts.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>

#define TEXT_BYTES (1u << 20) /* MAX_ARG_STRLEN is 128 KiB where pages have 4 KiB */

#define NAMESPACES                                                                                 \
	((uint64_t)(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS |  \
		    CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWTIME))

static const enum nook_json_need must = NOOK_JSON_REQUIRED, may = NOOK_JSON_OPTIONAL;

static int read_groups(const struct nook_json_value *v, struct nook_record_reader *r)
{
	struct nook_json_value array, item;
	int rc = nook_json_member(v, "groups", must, NOOK_JSON_ARRAY, &array, r->err);

	if (rc < 0)
		return rc;

	size_t n = nook_json_length(&array);

	if (n > NOOK_RECORD_GROUPS)
		return nook_json_refuse(&array, r->err, "%zu groups; %u are allowed", n,
					NOOK_RECORD_GROUPS);

	uint32_t *groups = nook_alloc_array(r->arena, n, sizeof(*groups));

	for (size_t i = 0; i < n; i++) {
		uint64_t gid = 0;

		rc = nook_json_element(&array, i, NOOK_JSON_NUMBER, &item, r->err);
		if (rc == 0)
			rc = nook_json_as_u64(&item, UINT32_MAX - 1, &gid, r->err);
		if (rc < 0)
			return rc;
		groups[i] = (uint32_t)gid;
	}

	r->record->groups = groups;
	r->record->n_groups = n;
	return 0;
}

static int read_caps(const struct nook_json_value *process, struct nook_record_reader *r)
{
	struct nook_plan_caps *caps = &r->record->caps;
	const struct {
		const char *key;
		uint64_t *set;
	} sets[] = {
		{ "bounding", &caps->bounding },   { "effective", &caps->effective },
		{ "permitted", &caps->permitted }, { "inheritable", &caps->inheritable },
		{ "ambient", &caps->ambient },
	};
	struct nook_json_value v;
	int rc = nook_json_member(process, "capabilities", must, NOOK_JSON_OBJECT, &v, r->err);

	for (size_t i = 0; i < ARRAY_SIZE(sets) && rc == 0; i++)
		rc = nook_json_get_u64(&v, sets[i].key, must, UINT64_MAX, sets[i].set, r->err);
	return rc;
}

static int read_seccomp(const struct nook_json_value *process, struct nook_record_reader *r)
{
	struct nook_record *rec = r->record;
	struct nook_json_value v;
	uint64_t n = 0;
	int rc = nook_json_member(process, "seccomp", may, NOOK_JSON_OBJECT, &v, r->err);

	if (rc < 0 || !v.json)
		return rc;

	rc = nook_json_get_text(NULL, &v, "name", must, NOOK_RECORD_PATH_BYTES, &rec->seccomp_name,
				r->err);
	if (rc == 0)
		rc = nook_json_get_u64(&v, "instructions", must, BPF_MAXINSNS, &n, r->err);
	if (rc == 0)
		rc = nook_json_get_u32(&v, "flags", must, UINT32_MAX, &rec->seccomp_flags, r->err);
	rec->n_seccomp = n;
	return rc;
}

static int read_oom_score_adj(const struct nook_json_value *process, struct nook_record_reader *r)
{
	const int64_t unset = INT64_MIN;
	int64_t adj = unset;
	int rc = nook_json_get_i64(process, "oom_score_adj", may, -1000, 1000, &adj, r->err);

	if (rc == 0 && adj != unset) {
		r->record->set_oom_score_adj = true;
		r->record->oom_score_adj = (int)adj;
	}
	return rc;
}

int nook_record_read_process(const struct nook_json_value *root, struct nook_record_reader *r)
{
	struct nook_record *rec = r->record;
	struct nook_json_value v;
	size_t n = 0;
	int rc = nook_json_get_u64(root, "namespaces", must, NAMESPACES, &rec->namespaces, r->err);

	if (rc == 0 && (rec->namespaces & ~NAMESPACES))
		return nook_refuse(r->err, EINVAL, "namespaces %llu has unknown bits",
				   (unsigned long long)rec->namespaces);
	if (rc == 0)
		rc = nook_json_member(root, "process", must, NOOK_JSON_OBJECT, &v, r->err);
	if (rc == 0)
		rc = nook_json_get_texts(r->arena, &v, "argv", must, NOOK_RECORD_TEXTS, TEXT_BYTES,
					 &rec->argv, &n, r->err);
	if (rc == 0)
		rc = nook_json_get_texts(r->arena, &v, "env", must, NOOK_RECORD_TEXTS, TEXT_BYTES,
					 &rec->env, &n, r->err);
	if (rc == 0)
		rc = nook_json_get_text(NULL, &v, "cwd", may, NOOK_RECORD_PATH_BYTES, &rec->cwd,
					r->err);
	if (rc == 0)
		rc = nook_json_get_u32(&v, "uid", must, UINT32_MAX - 1, &rec->uid, r->err);
	if (rc == 0)
		rc = nook_json_get_u32(&v, "gid", must, UINT32_MAX - 1, &rec->gid, r->err);
	if (rc == 0)
		rc = read_groups(&v, r);
	if (rc == 0)
		rc = nook_json_get_bool(&v, "keep_groups", must, &rec->keep_groups, r->err);
	if (rc == 0)
		rc = read_caps(&v, r);
	if (rc == 0)
		rc = nook_json_get_bool(&v, "no_new_privs", must, &rec->no_new_privs, r->err);
	if (rc == 0)
		rc = read_seccomp(&v, r);
	return rc == 0 ? read_oom_score_adj(&v, r) : rc;
}
