/* SPDX-License-Identifier: Apache-2.0 */
#include "words_set.h"

#include "base/nearest.h"
#include "base/text.h"
#include "sys/names.h"
#include "values.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static struct nook_spec *spec_of(const struct nook_option_use *use)
{
	return &((struct nook_run_words *)use->into)->spec;
}

int nook_set_user(const struct nook_option_use *use)
{
	spec_of(use)->user = use->value;
	spec_of(use)->user_from = use->from;
	return nook_value_user(use->value, true, use->err);
}

int nook_set_group(const struct nook_option_use *use)
{
	spec_of(use)->group = use->value;
	spec_of(use)->group_from = use->from;
	return nook_value_user(use->value, false, use->err);
}

int nook_set_cwd(const struct nook_option_use *use)
{
	spec_of(use)->cwd = use->value;
	spec_of(use)->cwd_from = use->from;
	return nook_value_inside(use->value, use->err);
}

int nook_set_env(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);

	*nook_append(use->arena, spec->env, spec->n_env) = use->value;
	return nook_value_env(use->value, use->err);
}

int nook_set_clear_env(const struct nook_option_use *use)
{
	spec_of(use)->clear_env = true;
	return 0;
}

static char *lower_case(char *text)
{
	for (char *p = text; *p; p++)
		*p |= *p >= 'A' && *p <= 'Z' ? 0x20 : 0;
	return text;
}

static bool is_all(const char *name)
{
	return strcasecmp(name, "all") == 0;
}

static bool same_cap(const char *a, const char *b)
{
	return is_all(a) || is_all(b) ? is_all(a) && is_all(b)
				      : nook_cap_number(a) == nook_cap_number(b);
}

static int check_cap(const struct nook_option_use *use, const char *name, bool add)
{
	const struct nook_spec *spec = spec_of(use);
	char near[32];

	if (!is_all(name) && nook_cap_number(name) < 0) {
		const char *plain = strncasecmp(name, "cap_", 4) == 0 ? name + 4 : name;

		if (nook_nearest_word(lower_case(nook_strdup(use->arena, plain)), nook_cap_words,
				      near, sizeof(near)))
			nook_hint(use->err, "Did you mean %s?", near);
		nook_hint(use->err, "capabilities(7) lists them; 'all' means each of them.");
		return nook_refuse(use->err, EINVAL, "'%s' is no capability", name);
	}
	for (size_t i = 0; i < spec->n_caps; i++) {
		if (spec->caps[i].add != add && same_cap(spec->caps[i].name, name))
			return nook_refuse(use->err, EINVAL, "contradicts %s: only one can hold",
					   spec->caps[i].from);
	}
	return 0;
}

/* --cap-add and --cap-drop: "NAME,NAME" */
int nook_set_cap(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);
	bool add = strcmp(use->option->name, "cap-add") == 0;
	const char *at = use->value, *name;

	while ((name = nook_value_item(use->arena, &at))) {
		int rc = check_cap(use, name, add);

		if (rc < 0)
			return rc;
		*nook_append(use->arena, spec->caps, spec->n_caps) =
			(struct nook_cap_spec){ name, add, use->from };
	}
	return 0;
}

int nook_set_new_privs(const struct nook_option_use *use)
{
	spec_of(use)->no_new_privs = use->no ? NOOK_YES : NOOK_NO;
	return 0;
}

int nook_set_seccomp(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);

	if (strcmp(use->value, "default") == 0) {
		spec->seccomp = NOOK_SECCOMP_DEFAULT;
		return 0;
	}
	if (strcmp(use->value, "off") == 0) {
		spec->seccomp = NOOK_SECCOMP_OFF;
		return 0;
	}
	spec->seccomp = NOOK_SECCOMP_FILE;
	spec->seccomp_file = use->value;
	return nook_value_path(use->value, use->err);
}

static int read_limit(const char *text, uint64_t *ret, struct nook_error *err)
{
	if (strcmp(text, "unlimited") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (nook_parse_u64(text, UINT64_MAX - 1, ret) < 0)
		return nook_refuse(err, EINVAL,
				   "'%s' is no limit: write a decimal number or 'unlimited'", text);
	return 0;
}

/* "NAME=SOFT[:HARD]" */
int nook_set_rlimit(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);
	struct nook_rlimit_spec limit = { .from = use->from };
	const char *equals = strchr(use->value, '=');
	const char *field[2];
	char near[16];

	if (!equals)
		return nook_refuse(use->err, EINVAL,
				   "lacks the limit: write NAME=SOFT or NAME=SOFT:HARD");

	/* The spec has the name without prefix. */
	char *name = nook_strndup(use->arena, use->value, (size_t)(equals - use->value));
	int number = nook_rlimit_number(lower_case(name));

	if (number < 0) {
		if (nook_nearest_word(name, nook_rlimit_words, near, sizeof(near)))
			nook_hint(use->err, "Did you mean %s?", near);
		nook_hint(use->err, "Known are: %s.", nook_rlimit_words);
		return nook_refuse(use->err, EINVAL, "'%s' is no resource limit", name);
	}

	size_t n = nook_value_fields(use->arena, equals + 1, field, 2);
	int rc = read_limit(field[0], &limit.soft, use->err);

	limit.hard = limit.soft;
	if (rc == 0 && n == 2)
		rc = read_limit(field[1], &limit.hard, use->err);
	if (rc < 0)
		return rc;
	if (limit.soft > limit.hard)
		return nook_refuse(use->err, EINVAL, "the soft limit %s is above the hard limit %s",
				   field[0], field[1]);

	for (size_t i = 0; i < spec->n_rlimits; i++) {
		const struct nook_rlimit_spec *before = &spec->rlimits[i];

		if (nook_rlimit_number(before->name) == number &&
		    (before->soft != limit.soft || before->hard != limit.hard))
			return nook_refuse(use->err, EINVAL, "contradicts %s: only one can hold",
					   before->from);
	}
	limit.name = nook_starts(name, "rlimit_") ? nook_after(name, "rlimit_") : name;
	*nook_append(use->arena, spec->rlimits, spec->n_rlimits) = limit;
	return 0;
}

int nook_set_oom_score_adj(const struct nook_option_use *use)
{
	struct nook_opt_i64 *adj = &spec_of(use)->oom_score_adj;

	adj->set = true;
	adj->from = use->from;
	return nook_value_i64(use->value, -1000, 1000, &adj->value, use->err);
}

int nook_set_init(const struct nook_option_use *use)
{
	spec_of(use)->init = use->no ? NOOK_NO : NOOK_YES;
	return 0;
}

int nook_set_tty(const struct nook_option_use *use)
{
	spec_of(use)->terminal = use->no ? NOOK_NO : NOOK_YES;
	return 0;
}
