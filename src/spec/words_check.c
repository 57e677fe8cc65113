/* SPDX-License-Identifier: Apache-2.0 */
#include "words_set.h"

#include "base/own.h"
#include "values.h"

#include <errno.h>
#include <string.h>

/* Options that can't be meant together, whatever their values. */
static const struct {
	const char *a, *b, *why;
} pairs[] = {
	{ "layer", "root", "a root is one directory or made of layers" },
	{ "changes", "root", "what is written to a directory stays there anyway" },
	{ "expose", "root", "only the copy of the machine's own root hides anything" },
	{ "expose", "layer", "only the copy of the machine's own root hides anything" },
	{ "hide", "root", "only the copy of the machine's own root can hide anything" },
	{ "hide", "layer", "only the copy of the machine's own root can hide anything" },
	{ "trace", "plan", "a plan does nothing that could be traced" },
};

/* Options that need a new namespace of a kind. */
static const struct {
	const char *name;
	enum nook_ns_kind kind;
	const char *why;
} needs[] = {
	{ "hostname", NOOK_NS_UTS, "that would rename its other users' host" },
	{ "domainname", NOOK_NS_UTS, "that would rename its other users' domain" },
	{ "boottime", NOOK_NS_TIME, "clocks can be set in a new time namespace only" },
	{ "monotonic", NOOK_NS_TIME, "clocks can be set in a new time namespace only" },
	{ "uid-map", NOOK_NS_USER, "only a new user namespace takes a map" },
	{ "gid-map", NOOK_NS_USER, "only a new user namespace takes a map" },
	{ "init", NOOK_NS_PID, "only a new pid namespace needs a pid 1" },
	{ "net", NOOK_NS_NET, "a container has one network" },
	{ "root", NOOK_NS_MNT, "its other users would get this root" },
	{ "layer", NOOK_NS_MNT, "its other users would get this root" },
	{ "changes", NOOK_NS_MNT, "no root is made there" },
	{ "read-only", NOOK_NS_MNT, "no root is made there" },
	{ "expose", NOOK_NS_MNT, "nothing is hidden there" },
	{ "hide", NOOK_NS_MNT, "its other users would miss it" },
	{ "volume", NOOK_NS_MNT, "its other users would get this mount" },
	{ "tmpfs", NOOK_NS_MNT, "its other users would get this mount" },
};

static int contradiction(struct nook_error *err, const char *a, const char *b, const char *why)
{
	nook_where(err, "%s", a);
	return nook_refuse(err, EINVAL, "contradicts %s: %s", b, why);
}

static int check_pairs(const struct nook_option_words *words, struct nook_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const char *a = nook_option_given(words, pairs[i].a);
		const char *b = nook_option_given(words, pairs[i].b);

		if (a && b)
			return contradiction(err, a, b, pairs[i].why);
	}
	return 0;
}

static int check_needs(const struct nook_option_words *words, const struct nook_spec *spec,
		       struct nook_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct nook_ns_spec *ns = &spec->ns[needs[i].kind];
		const char *given = nook_option_given(words, needs[i].name);

		if (!given || (ns->mode != NOOK_NS_SHARE && ns->mode != NOOK_NS_JOIN))
			continue;
		if (needs[i].kind == NOOK_NS_PID && spec->init != NOOK_YES)
			continue; /* --no-init fits */
		if (needs[i].kind == NOOK_NS_NET &&
		    (spec->net == NOOK_NET_HOST || spec->net == NOOK_NET_JOINED))
			continue; /* says the same as --share net and --join net=; others were
				     refused before */
		return contradiction(err, given, ns->from, needs[i].why);
	}
	return 0;
}

/* Two mounts on one place: the second would bury the first. */
static int check_targets(const struct nook_spec *spec, struct nook_error *err)
{
	for (size_t i = 1; i < spec->n_mounts; i++) {
		for (size_t k = 0; k < i; k++) {
			if (nook_value_same_path(spec->mounts[i].target, spec->mounts[k].target))
				return contradiction(err, spec->mounts[i].from,
						     spec->mounts[k].from,
						     "both have the same place inside");
		}
	}
	return 0;
}

static int check_swap(const struct nook_limits_spec *limits, struct nook_error *err)
{
	const struct nook_opt_i64 *swap = &limits->memory_swap;

	if (!swap->set || swap->value < 0)
		return 0;
	if (!limits->memory.set) {
		nook_where(err, "%s", swap->from);
		return nook_refuse(err, EINVAL,
				   "counts memory and swap together, so it needs --memory too");
	}
	if (swap->value < limits->memory.value)
		return contradiction(err, swap->from, limits->memory.from,
				     "it counts memory and swap together, so it can't be less");
	return 0;
}

/* Only what has addresses of its own can be reached by a port of the host. */
static int check_publish(const struct nook_spec *spec, struct nook_error *err)
{
	if (!spec->n_ports || spec->net == NOOK_NET_USER)
		return 0;
	for (size_t i = 0; i < spec->n_links; i++) {
		if (spec->links[i].network)
			return 0;
	}
	nook_where(err, "%s", spec->ports[0].from);
	if (spec->net == NOOK_NET_HOST)
		return nook_refuse(err, EINVAL,
				   "contradicts %s: its programs listen at the machine's own ports",
				   spec->net_from);
	nook_hint(err, "say --net bridge, or --net user, which needs no privilege");
	return nook_refuse(err, EINVAL, "needs a network that the ports lead to");
}

int nook_words_check(const struct nook_option_words *words, const struct nook_spec *spec,
		     struct nook_error *err)
{
	int rc = check_pairs(words, err);

	if (rc == 0)
		rc = check_needs(words, spec, err);
	if (rc == 0)
		rc = check_targets(spec, err);
	if (rc == 0)
		rc = check_swap(&spec->limits, err);
	if (rc == 0)
		rc = check_publish(spec, err);
	if (rc == 0 && spec->group && spec->user && strchr(spec->user, ':'))
		rc = contradiction(err, spec->group_from, spec->user_from, "both name the group");
	return rc;
}
