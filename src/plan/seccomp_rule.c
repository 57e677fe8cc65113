/* SPDX-License-Identifier: Apache-2.0 */
/* One element of a profile's "syscalls": names, an action, conditions on arguments, and for whom it
 * holds. */
#include "seccomp_reader.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/names.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#define MAX_ERRNO 4095 /* the kernel's; SECCOMP_RET_ERRNO cuts at it */

static const struct word actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
};

static const struct word operators[] = {
	{ "SCMP_CMP_NE", NOOK_OP_NE },
	{ "SCMP_CMP_LT", NOOK_OP_LT },
	{ "SCMP_CMP_LE", NOOK_OP_LE },
	{ "SCMP_CMP_EQ", NOOK_OP_EQ },
	{ "SCMP_CMP_GE", NOOK_OP_GE },
	{ "SCMP_CMP_GT", NOOK_OP_GT },
	{ "SCMP_CMP_MASKED_EQ", NOOK_OP_MASKED_EQ },
};

/* In "includes" and "excludes" machines have Go's names, and mean the native one. */
static const struct word go_machines[] = {
	{ "amd64", NOOK_MACHINE_X86_64 },
	{ "arm64", NOOK_MACHINE_AARCH64 },
	{ "x32", OTHER },
	{ "x86", OTHER },
	{ "386", OTHER },
	{ "arm", OTHER },
	{ "mips", OTHER },
	{ "mipsle", OTHER },
	{ "mips64", OTHER },
	{ "mips64le", OTHER },
	{ "mips64n32", OTHER },
	{ "mipsel", OTHER },
	{ "mipsel64", OTHER },
	{ "mipsel64n32", OTHER },
	{ "mips64p32", OTHER },
	{ "mips64p32le", OTHER },
	{ "ppc", OTHER },
	{ "ppc64", OTHER },
	{ "ppc64le", OTHER },
	{ "s390", OTHER },
	{ "s390x", OTHER },
	{ "parisc", OTHER },
	{ "parisc64", OTHER },
	{ "riscv64", OTHER },
	{ "loong64", OTHER },
};

/* "EPERM" as a number; 0: no such name. */
static uint32_t errno_of(const char *name)
{
	for (int i = 1; i <= MAX_ERRNO; i++) {
		const char *known = strerrorname_np(i);

		if (known && strcmp(known, name) == 0)
			return (uint32_t)i;
	}
	return 0;
}

/* What the members @number_key and @name_key say of an action's data. */
int read_data(struct reader *r, const struct at *at, struct nook_json *object,
	      const char *number_key, const char *name_key, uint32_t *action)
{
	uint64_t number = EPERM; /* as engines have it */
	bool has_number;
	const char *name;
	int rc = member_number(r, at, object, number_key, MAX_ERRNO, &has_number, &number);

	if (rc < 0 || (rc = member_text(r, at, object, name_key, &name)) < 0)
		return rc;
	if (name && name[0]) {
		uint32_t value = errno_of(name);

		if (!value)
			return refuse(r, KEY(at, name_key), "unknown errno \"%s\"", name);
		if (has_number && number != value)
			return refuse(r, KEY(at, name_key), "%s is %u, but %s says %u", name, value,
				      number_key, (unsigned)number);
		number = value;
		has_number = true;
	}
	if (*action == SECCOMP_RET_ERRNO || *action == SECCOMP_RET_TRACE)
		*action |= (uint32_t)number;
	else if (has_number && !r->oci)
		return refuse(r, KEY(at, number_key),
			      "an errno goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE only");
	return 0;
}

int read_action(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
		uint32_t *ret)
{
	const char *text;
	int rc = member_text(r, at, object, key, &text);

	if (rc < 0)
		return rc;
	if (!text)
		return refuse(r, at, "%s is missing", key);
	if (strcmp(text, "SCMP_ACT_NOTIFY") == 0 && !r->oci) {
		rc = refuse(r, KEY(at, key),
			    "SCMP_ACT_NOTIFY needs a listener, which nook has not");
		nook_hint(r->err, "Use SCMP_ACT_ERRNO or SCMP_ACT_LOG.");
		return rc;
	}
	rc = read_word(r, KEY(at, key), nook_json_find(object, key, NULL), "action", actions,
		       ARRAY_SIZE(actions), ret);
	r->notifies |= rc == 0 && *ret == SECCOMP_RET_USER_NOTIF;
	return rc;
}

static int read_cond(struct reader *r, const struct at *at, struct nook_json *object,
		     struct nook_seccomp_cond *ret)
{
	static const char *const known[] = { "index", "value", "valueTwo", "op", NULL };
	uint64_t index = 0, value = 0, value_two = 0;
	bool has_index, has_value, has_two;
	struct nook_json *op;
	uint32_t op_value = 0;
	int rc;

	if (nook_json_type(object) != NOOK_JSON_OBJECT)
		return refuse(r, at, "a condition is an object");
	if ((rc = only(r, at, object, known)) < 0 ||
	    (rc = member_number(r, at, object, "index", 5, &has_index, &index)) < 0 ||
	    (rc = member_number(r, at, object, "value", UINT64_MAX, &has_value, &value)) < 0 ||
	    (rc = member_number(r, at, object, "valueTwo", UINT64_MAX, &has_two, &value_two)) < 0 ||
	    (rc = member(r, at, object, "op", NOOK_JSON_TEXT, &op)) < 0)
		return rc;
	if (!has_index || !has_value || !op)
		return refuse(r, at, "a condition has an index, a value and an op");
	rc = read_word(r, KEY(at, "op"), op, "operator", operators, ARRAY_SIZE(operators),
		       &op_value);
	if (rc < 0)
		return rc;

	*ret = (struct nook_seccomp_cond){ .arg = (uint8_t)index,
					   .op = (uint8_t)op_value,
					   .value = value };
	if (op_value == NOOK_OP_MASKED_EQ) {
		ret->mask = value;
		ret->value = value_two;
	}
	return 0;
}

static int read_conds(struct reader *r, const struct at *at, struct nook_json *args,
		      struct nook_seccomp_rule *rule)
{
	size_t n = args ? nook_json_size(args) : 0;
	struct nook_seccomp_cond *conds = nook_alloc_array(r->a, n, sizeof(*conds));
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++) {
		int rc = read_cond(r, INDEX(at, i), nook_json_at(args, i), &conds[i]);

		if (rc < 0)
			return rc;
		/* Two conditions on one argument are alternatives: runc and crun read them so. */
		if (seen & 1u << conds[i].arg)
			rule->any = true;
		seen |= 1u << conds[i].arg;
	}
	rule->conds = conds;
	rule->n_conds = n;
	return 0;
}

struct filter {
	bool given;               /* it says something */
	bool machine, no_machine; /* machines are named, and ours is or is not among them */
	uint64_t caps;
	bool kernel; /* a version is named, and ours is not older */
	bool no_kernel;
};

static int read_caps(struct reader *r, const struct at *at, struct nook_json *list, uint64_t *ret)
{
	for (size_t i = 0; list && i < nook_json_size(list); i++) {
		const char *name;
		int rc = text_of(r, INDEX(at, i), nook_json_at(list, i), &name);

		if (rc < 0)
			return rc;
		int cap = nook_starts(name, "CAP_") ? nook_cap_number(name) : -EINVAL;

		if (cap < 0)
			return refuse(r, INDEX(at, i), "unknown capability \"%s\"", name);
		*ret |= (uint64_t)1 << cap;
	}
	return 0;
}

/* "4.8" against the running kernel. */
static int read_kernel(struct reader *r, const struct at *at, const char *text, struct filter *f)
{
	char *dot = text ? strchr(text, '.') : NULL;
	uint64_t major, minor;

	if (!text || !text[0])
		return 0;
	if (!dot ||
	    nook_parse_u64(nook_strndup(r->a, text, (size_t)(dot - text)), 1000, &major) < 0 ||
	    nook_parse_u64(dot + 1, 1000, &minor) < 0)
		return refuse(r, at, "\"%s\" is no kernel version like 5.14", text);

	f->kernel =
		r->facts->major > major || (r->facts->major == major && r->facts->minor >= minor);
	f->no_kernel = !f->kernel;
	return 0;
}

static int read_filter(struct reader *r, const struct at *at, struct nook_json *object,
		       struct filter *f)
{
	static const char *const known[] = { "arches", "caps", "minKernel", NULL };
	struct nook_json *arches, *caps;
	const char *kernel;
	int rc;

	if (!object)
		return 0;
	if ((rc = only(r, at, object, known)) < 0 ||
	    (rc = member(r, at, object, "arches", NOOK_JSON_ARRAY, &arches)) < 0 ||
	    (rc = member(r, at, object, "caps", NOOK_JSON_ARRAY, &caps)) < 0 ||
	    (rc = member_text(r, at, object, "minKernel", &kernel)) < 0 ||
	    (rc = read_caps(r, KEY(at, "caps"), caps, &f->caps)) < 0 ||
	    (rc = read_kernel(r, KEY(at, "minKernel"), kernel, f)) < 0)
		return rc;

	for (size_t i = 0; arches && i < nook_json_size(arches); i++) {
		uint32_t machine;

		rc = read_word(r, INDEX(KEY(at, "arches"), i), nook_json_at(arches, i),
			       "architecture", go_machines, ARRAY_SIZE(go_machines), &machine);
		if (rc < 0)
			return rc;
		f->machine |= machine == NOOK_MACHINE_NATIVE;
		f->no_machine = true;
	}
	f->no_machine &= !f->machine;
	return 0;
}

/* Does the rule hold on this machine, for these capabilities? */
static int applies(struct reader *r, const struct at *at, struct nook_json *object, bool *ret)
{
	struct filter in = { 0 }, out = { 0 };
	struct nook_json *includes, *excludes;
	int rc;

	if ((rc = member(r, at, object, "includes", NOOK_JSON_OBJECT, &includes)) < 0 ||
	    (rc = member(r, at, object, "excludes", NOOK_JSON_OBJECT, &excludes)) < 0 ||
	    (rc = read_filter(r, KEY(at, "includes"), includes, &in)) < 0 ||
	    (rc = read_filter(r, KEY(at, "excludes"), excludes, &out)) < 0)
		return rc;

	*ret = !in.no_machine && !in.no_kernel && (in.caps & r->facts->caps) == in.caps &&
	       !out.machine && !out.kernel && (out.caps & r->facts->caps) == 0;
	return 0;
}

static int read_name(struct reader *r, const struct at *at, struct nook_json *value,
		     struct nook_seccomp_rule *rule)
{
	const char *name, *near;
	int rc = text_of(r, at, value, &name);

	if (rc < 0)
		return rc;

	const struct nook_seccomp_call *call = nook_seccomp_find_after(
		rule->n_calls ? rule->calls[rule->n_calls - 1] : NULL, name);

	if (call) {
		rule->calls[rule->n_calls++] = call;
		return 0;
	}
	if (r->oci)
		return 0; /* of a kernel newer than this nook, or of none any more */

	rc = refuse(r, at, "unknown system call \"%s\"", name);
	nook_cause(r->err, "unknown-syscall",
		   "No system call of Linux up to 7.0 has this name, on no machine.");
	near = nook_seccomp_resembles(name);
	if (near)
		nook_hint(r->err, "Did you mean %s?", near);
	else
		nook_hint(r->err, "Remove it from the profile: it is without effect.");
	return rc;
}

static int read_names(struct reader *r, const struct at *at, struct nook_json *object,
		      struct nook_seccomp_rule *rule)
{
	struct nook_json *names, *name;
	int rc;

	if ((rc = member(r, at, object, "names", NOOK_JSON_ARRAY, &names)) < 0 ||
	    (rc = member(r, at, object, "name", NOOK_JSON_TEXT, &name)) < 0)
		return rc;
	if (!names == !name)
		return refuse(r, at, "a rule has names (a list) or a name, one of them");

	size_t n = names ? nook_json_size(names) : 1;

	rule->calls = nook_alloc_array(r->a, n, sizeof(*rule->calls));
	if (name)
		return read_name(r, KEY(at, "name"), name, rule);

	for (size_t i = 0; i < n; i++) {
		rc = read_name(r, INDEX(KEY(at, "names"), i), nook_json_at(names, i), rule);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int read_rule(struct reader *r, const struct at *at, struct nook_json *object)
{
	static const char *const known[] = { "names", "name",    "action",   "errnoRet", "errno",
					     "args",  "comment", "includes", "excludes", NULL };
	struct nook_seccomp_rule rule = { 0 };
	struct nook_json *args;
	const char *comment;
	bool here;
	int rc;

	if (nook_json_type(object) != NOOK_JSON_OBJECT)
		return refuse(r, at, "a rule is an object");
	if ((rc = only(r, at, object, known)) < 0 ||
	    (rc = member_text(r, at, object, "comment", &comment)) < 0 ||
	    (rc = read_names(r, at, object, &rule)) < 0 ||
	    (rc = read_action(r, at, object, "action", &rule.action)) < 0 ||
	    (rc = read_data(r, at, object, "errnoRet", "errno", &rule.action)) < 0 ||
	    (rc = member(r, at, object, "args", NOOK_JSON_ARRAY, &args)) < 0 ||
	    (rc = read_conds(r, KEY(at, "args"), args, &rule)) < 0)
		return rc;
	/* The engine has chosen what holds here before it wrote the bundle. */
	here = r->oci;
	if (!here && (rc = applies(r, at, object, &here)) < 0)
		return rc;

	if (here)
		*nook_append(r->a, r->profile->rules, r->profile->n_rules) = rule;
	return 0;
}
