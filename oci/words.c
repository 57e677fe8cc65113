/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "base/nearest.h"
#include "base/text.h"
#include "nook/spec.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct reader {
	const char *command;
	const struct oci_table *table;
	struct nook_arena *arena;
	char **argv;
	size_t at; /* next word */
	void *into;
	struct nook_error *err;
};

static bool takes_value(const struct oci_option *o)
{
	return o->kind == OCI_TEXT || o->kind == OCI_LIST || o->kind == OCI_NUMBER ||
	       o->kind == OCI_NOTHING;
}

static const struct oci_option *find(const struct oci_table *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct oci_option *o = &t->rows[i];

		if ((len == 1 && o->letter == name[0]) ||
		    (strncmp(o->name, name, len) == 0 && !o->name[len]))
			return o;
	}
	return NULL;
}

static const char *option_name(const void *list, size_t i)
{
	const struct oci_table *t = list;

	return i < t->n ? t->rows[i].name : NULL;
}

static int unknown(struct reader *r, const char *word, size_t len)
{
	const char *name = nook_strndup(r->arena, word, len);
	const char *near = nook_nearest(name + strspn(name, "-"), option_name, r->table);
	const char *space = r->command[0] ? " " : "";

	nook_where(r->err, "%s", name);
	if (near)
		nook_hint(r->err, "did you mean --%s?", near);
	nook_hint(r->err, "nook-oci%s%s --help lists the options", space, r->command);
	return nook_refuse(r->err, EINVAL, "nook-oci%s%s has no such option", space, r->command);
}

/* strconv.ParseBool() */
static int read_bool(const char *text, bool *ret)
{
	static const char yes[] = " 1 t T TRUE true True ", no[] = " 0 f F FALSE false False ";
	char word[8];

	if (strchr(text, ' ') || strlen(text) + 3 > sizeof(word))
		return -EINVAL;
	(void)nook_format(word, sizeof(word), " %s ", text); /* checked above */
	*ret = strstr(yes, word) != NULL;
	return *ret || strstr(no, word) ? 0 : -EINVAL;
}

static int store_flag(struct reader *r, const struct oci_option *o, const char *value)
{
	char *to = (char *)r->into + o->at;
	bool yes = true;

	if (value && read_bool(value, &yes) < 0)
		return nook_refuse(r->err, EINVAL, "'%s' is neither true nor false", value);
	if (o->kind == OCI_FLAG)
		*(bool *)(void *)to = yes;
	else
		*(enum nook_tristate *)(void *)to = yes ? NOOK_YES : NOOK_NO;
	return 0;
}

static int store(struct reader *r, const struct oci_option *o, const char *value)
{
	void *to = (char *)r->into + o->at;
	struct oci_list *list = to;
	uint64_t number = 0;

	switch ((enum oci_kind)o->kind) {
	case OCI_FLAG:
	case OCI_TRISTATE:
		return store_flag(r, o, value);
	case OCI_TEXT:
		*(const char **)to = value;
		return 0;
	case OCI_OPTIONAL:
		*(const char **)to = value ? value : "";
		return 0;
	case OCI_LIST:
		*nook_append(r->arena, list->items, list->n) = value;
		(void)nook_append(r->arena, list->items, list->n); /* the NULL behind them */
		list->n--;
		return 0;
	case OCI_NUMBER:
		if (nook_parse_u64(value, INT_MAX, &number) < 0)
			return nook_refuse(r->err, EINVAL, "'%s' is no number from 0 to %d", value,
					   INT_MAX);
		*(unsigned *)to = (unsigned)number;
		return 0;
	case OCI_NOTHING:
	case OCI_HELP:
		break;
	}
	return 0;
}

static int use(struct reader *r, const struct oci_option *o, const char *value, const char *from)
{
	if (o->kind == OCI_HELP)
		return -ECANCELED;

	int rc = store(r, o, value);

	if (rc < 0)
		nook_where(r->err, "%s", from);
	return rc;
}

/* "--name", "-name", "--name=value", "-n=value", and then the next word where a value is needed. */
static int use_named(struct reader *r, const struct oci_option *o, const char *word,
		     const char *equals)
{
	if (equals)
		return use(r, o, equals + 1, word);
	if (!takes_value(o))
		return use(r, o, NULL, word);

	const char *value = r->argv[r->at];

	if (!value) {
		nook_where(r->err, "%s", word);
		return nook_refuse(r->err, EINVAL, "needs a value: %s", o->value);
	}
	r->at++;
	return use(r, o, value, nook_printf(r->arena, "%s %s", word, value));
}

/* "-dt", "-bDIR": as getopt(3) has it. */
static int read_letters(struct reader *r, const char *word)
{
	for (const char *p = word + 1; *p; p++) {
		const struct oci_option *o = find(r->table, p, 1);
		int rc;

		/* Only when all fits: else it is a name that nobody knows. */
		if (!o || (p > word + 1 && o->kind == OCI_HELP))
			return unknown(r, word, strcspn(word, "="));
		if (takes_value(o) && p[1])
			return use(r, o, p + 1, word);
		rc = use_named(r, o, word, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_option(struct reader *r, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const struct oci_option *o = find(r->table, name, len);

	if (o)
		return use_named(r, o, word, name[len] ? name + len : NULL);
	if (word[1] == '-')
		return unknown(r, word, (size_t)(name - word) + len);
	return read_letters(r, word);
}

int oci_read_words(const char *command, const struct oci_table *table, struct nook_arena *a,
		   char **argv, void *into, size_t *ret_at, size_t *ret_n, struct nook_error *err)
{
	struct reader r = { .command = command,
			    .table = table,
			    .arena = a,
			    .argv = argv,
			    .into = into,
			    .err = err };
	size_t n = 0;

	while (argv[r.at]) {
		char *word = argv[r.at];

		if (word[0] != '-' || !word[1]) {
			if (table->in_order)
				break;
			argv[n++] = word; /* never ahead of r.at */
			r.at++;
			continue;
		}

		r.at++;
		if (strcmp(word, "--") == 0)
			break;

		int rc = read_option(&r, word);

		if (rc < 0)
			return rc;
	}

	*ret_at = table->in_order ? r.at : 0;
	if (table->in_order)
		argv += r.at, r.at = 0;
	while (argv[r.at])
		argv[n++] = argv[r.at++];
	argv[n] = NULL;
	*ret_n = n;
	return 0;
}
