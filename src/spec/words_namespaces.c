/* SPDX-License-Identifier: Apache-2.0 */
#include "words_set.h"

#include "base/text.h"
#include "ns/kinds.h"
#include "values.h"

#include <errno.h>
#include <string.h>

#define MAP_LINES 340 /* user_namespaces(7): the kernel takes no more */
#define ID_LAST   4294967294u
#define PID_LAST  4194304 /* PID_MAX_LIMIT */

/* timens_offsets takes what keeps the clock between 0 and half of KTIME_SEC_MAX. */
#define OFFSET_LAST 4611686018

static struct nook_spec *spec_of(const struct nook_option_use *use)
{
	return &((struct nook_run_words *)use->into)->spec;
}

static const char *mode_word(enum nook_ns_mode mode)
{
	return mode == NOOK_NS_SHARE ? "shared" : "joined";
}

int nook_set_kind(const struct nook_option_use *use, enum nook_ns_kind kind, enum nook_ns_mode mode,
		  const char *target)
{
	struct nook_ns_spec *ns = &spec_of(use)->ns[kind];

	if (ns->mode != NOOK_NS_DEFAULT &&
	    (ns->mode != mode || (target && strcmp(ns->target, target) != 0)))
		return nook_refuse(use->err, EINVAL,
				   "contradicts %s: the %s namespace can't be %s too", ns->from,
				   nook_ns_kinds[kind].name, mode_word(ns->mode));

	*ns = (struct nook_ns_spec){ .mode = mode, .target = target, .from = use->from };
	return 0;
}

/* "KIND,KIND" */
int nook_set_share(const struct nook_option_use *use)
{
	const char *at = use->value, *item;
	enum nook_ns_kind kind;

	while ((item = nook_value_item(use->arena, &at))) {
		int rc = nook_value_kind(item, &kind, use->err);

		if (rc == 0)
			rc = nook_set_kind(use, kind, NOOK_NS_SHARE, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int nook_check_join_target(const char *target, struct nook_error *err)
{
	int64_t pid = 0;

	if (strchr(target, '/'))
		return nook_value_path(target, err);
	/* A number is a pid, and never the name of a container. */
	if (*target && target[strspn(target, "-0123456789")] == '\0') {
		if (nook_parse_i64(target, 1, PID_LAST, &pid) < 0)
			return nook_refuse(err, EINVAL, "'%s' is no pid: these go from 1 to %d",
					   target, PID_LAST);
		return 0;
	}
	if (!nook_valid_id(target))
		return nook_refuse(
			err, EINVAL,
			"'%s' is neither a container's name, nor a pid, nor a path (with "
			"a / in it)",
			target);
	return 0;
}

/* "KIND=NAME", "KIND=PID", "KIND=PATH" */
int nook_set_join(const struct nook_option_use *use)
{
	const char *equals = strchr(use->value, '=');
	enum nook_ns_kind kind;

	if (!equals)
		return nook_refuse(use->err, EINVAL,
				   "lacks the namespace to enter: write KIND=NAME, KIND=PID or "
				   "KIND=PATH");

	int rc =
		nook_value_kind(nook_strndup(use->arena, use->value, (size_t)(equals - use->value)),
				&kind, use->err);

	if (rc == 0)
		rc = nook_check_join_target(equals + 1, use->err);
	return rc < 0 ? rc : nook_set_kind(use, kind, NOOK_NS_JOIN, equals + 1);
}

int nook_set_userns(const struct nook_option_use *use)
{
	if (strcmp(use->value, "host") != 0)
		return nook_refuse(use->err, EINVAL,
				   "'%s' is not known: 'host' turns the user namespace off; a new "
				   "one is the default",
				   use->value);
	return nook_set_kind(use, NOOK_NS_USER, NOOK_NS_SHARE, NULL);
}

int nook_set_hostname(const struct nook_option_use *use)
{
	spec_of(use)->hostname = use->value;
	return nook_value_hostname(use->value, use->err);
}

int nook_set_domainname(const struct nook_option_use *use)
{
	spec_of(use)->domainname = use->value;
	return nook_value_hostname(use->value, use->err);
}

static int set_offset(const struct nook_option_use *use, struct nook_opt_i64 *offset)
{
	offset->set = true;
	offset->from = use->from;
	return nook_value_i64(use->value, -OFFSET_LAST, OFFSET_LAST, &offset->value, use->err);
}

int nook_set_boottime(const struct nook_option_use *use)
{
	return set_offset(use, &spec_of(use)->boottime);
}

int nook_set_monotonic(const struct nook_option_use *use)
{
	return set_offset(use, &spec_of(use)->monotonic);
}

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

/* "INSIDE:OUTSIDE:COUNT" */
static int read_line(struct nook_arena *a, const char *text, struct nook_idmap *line,
		     struct nook_error *err)
{
	const char *field[4];
	uint64_t v[3];

	if (nook_value_fields(a, text, field, 4) != 3)
		return nook_refuse(err, EINVAL,
				   "'%s' is no line of an id map: write INSIDE:OUTSIDE:COUNT",
				   text);
	for (unsigned i = 0; i < 3; i++) {
		int64_t n = 0;
		int rc = nook_value_i64(field[i], i == 2, ID_LAST, &n, err);

		if (rc < 0)
			return rc;
		v[i] = (uint64_t)n;
	}
	if (v[0] + v[2] - 1 > ID_LAST || v[1] + v[2] - 1 > ID_LAST)
		return nook_refuse(err, ERANGE, "'%s' goes past the last id, %u", text, ID_LAST);

	*line = (struct nook_idmap){ (uint32_t)v[0], (uint32_t)v[1], (uint32_t)v[2] };
	return 0;
}

static int add_lines(const struct nook_option_use *use, struct nook_idmap **map, size_t *n)
{
	const char *at = use->value, *item;

	while ((item = nook_value_item(use->arena, &at))) {
		struct nook_idmap line;
		int rc = read_line(use->arena, item, &line, use->err);

		if (rc < 0)
			return rc;
		if (*n == MAP_LINES)
			return nook_refuse(use->err, E2BIG, "an id map has at most %d lines",
					   MAP_LINES);
		for (size_t i = 0; i < *n; i++) {
			const struct nook_idmap *m = &(*map)[i];
			bool inside = overlap(m->inside, m->count, line.inside, line.count);

			if (inside || overlap(m->outside, m->count, line.outside, line.count))
				return nook_refuse(use->err, EINVAL,
						   "'%s' overlaps with %u:%u:%u %s", item,
						   m->inside, m->outside, m->count,
						   inside ? "inside" : "outside");
		}
		*nook_append(use->arena, *map, *n) = line;
	}
	return 0;
}

int nook_set_uid_map(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);

	if (!spec->uid_map_from)
		spec->uid_map_from = use->from;
	return add_lines(use, &spec->uid_map, &spec->n_uid_map);
}

int nook_set_gid_map(const struct nook_option_use *use)
{
	struct nook_spec *spec = spec_of(use);

	if (!spec->gid_map_from)
		spec->gid_map_from = use->from;
	return add_lines(use, &spec->gid_map, &spec->n_gid_map);
}
