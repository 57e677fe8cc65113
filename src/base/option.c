/* SPDX-License-Identifier: Apache-2.0 */
#include "option.h"

#include "nearest.h"
#include "text.h"

#include <errno.h>
#include <string.h>

struct reader {
	const struct nook_option_table *table;
	struct nook_arena *arena;
	char **argv;
	size_t at; /* next word */
	void *into;
	struct nook_option_words *ret;
	struct nook_error *err;
};

/* ---- finding ---- */

/* The candidates of a misspelling. */
static const char *option_name(const void *list, size_t i)
{
	const struct nook_option_table *t = list;

	for (size_t row = 0; row < t->n; row++) {
		if (t->rows[row].name && i-- == 0)
			return t->rows[row].name;
	}
	return NULL;
}

/* Those of which --no-NAME exists. */
static const char *negatable_name(const void *list, size_t i)
{
	const struct nook_option_table *t = list;

	for (size_t row = 0; row < t->n; row++) {
		if (t->rows[row].name && (t->rows[row].flags & NOOK_OPTION_NO) && i-- == 0)
			return t->rows[row].name;
	}
	return NULL;
}

static const struct nook_option *find_long(const struct nook_option_table *t, const char *name,
					   size_t len, bool *no)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct nook_option *o = &t->rows[i];

		if (!o->name)
			continue;
		if (strncmp(o->name, name, len) == 0 && !o->name[len]) {
			*no = false;
			return o;
		}
		if ((o->flags & NOOK_OPTION_NO) && len > 3 && strncmp(name, "no-", 3) == 0 &&
		    strncmp(o->name, name + 3, len - 3) == 0 && !o->name[len - 3]) {
			*no = true;
			return o;
		}
	}
	return NULL;
}

static const struct nook_option *find_letter(const struct nook_option_table *t, char letter)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].name && t->rows[i].letter == letter)
			return &t->rows[i];
	}
	return NULL;
}

static int unknown(struct reader *r, const char *word)
{
	const struct nook_option_foreign *f = r->table->foreign;
	bool is_long = nook_starts(word, "--");
	const char *negated = is_long ? nook_after(word, "--no-") : NULL;
	const char *near = NULL;

	nook_where(r->err, "%s", word);
	for (; f && f->name; f++) {
		if (strcmp(f->name, word) == 0)
			nook_hint(r->err, "%s", f->hint);
	}
	if (is_long)
		near = nook_nearest(word + 2, option_name, r->table);
	if (negated && !near) {
		near = nook_nearest(negated, negatable_name, r->table);
		if (near)
			near = nook_printf(r->arena, "no-%s", near);
	}
	if (near)
		nook_hint(r->err, "Did you mean --%s?", near);
	nook_hint(r->err, "%s --help lists the options.", r->table->command);
	return nook_refuse(r->err, EINVAL, "%s has no such option", r->table->command);
}

/* ---- using ---- */

int nook_option_flag(const struct nook_option_use *use)
{
	*(bool *)((char *)use->into + use->option->at) = true;
	return 0;
}

static bool same(const struct nook_option_use *a, const struct nook_option_use *b)
{
	if (a->no != b->no || !a->value != !b->value)
		return false;
	return !a->value || strcmp(a->value, b->value) == 0;
}

static int use_option(struct reader *r, const struct nook_option *o, bool no, const char *value,
		      const char *from)
{
	struct nook_option_use use = {
		.option = o,
		.value = value,
		.no = no,
		.from = from,
		.arena = r->arena,
		.into = r->into,
		.err = r->err,
	};

	if (o->flags & NOOK_OPTION_HELP)
		return -ECANCELED;

	for (size_t i = 0; !(o->flags & NOOK_OPTION_MANY) && i < r->ret->n_uses; i++) {
		const struct nook_option_use *before = &r->ret->uses[i];

		if (before->option == o && !same(before, &use)) {
			nook_where(r->err, "%s", from);
			return nook_refuse(r->err, EINVAL, "%s was said before: only one can hold",
					   before->from);
		}
	}
	*nook_append(r->arena, r->ret->uses, r->ret->n_uses) = use;

	int rc = o->set ? o->set(&use) : 0;

	if (rc < 0)
		nook_where(r->err, "%s", from);
	return rc;
}

static int lacks_value(struct reader *r, const struct nook_option *o, const char *as_given)
{
	nook_where(r->err, "%s", as_given);
	nook_hint(r->err, "Write %s %s.", as_given, o->value);
	return nook_refuse(r->err, EINVAL, "needs a value: %s", o->value);
}

static int read_long(struct reader *r, char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	bool no = false;
	const struct nook_option *o = find_long(r->table, word + 2, len - 2, &no);

	if (!o)
		return unknown(r, nook_strndup(r->arena, word, len));

	if (equals && (!o->value || no)) {
		nook_where(r->err, "%s", word);
		return nook_refuse(r->err, EINVAL, "it takes no value");
	}
	if (equals)
		return use_option(r, o, no, equals + 1, word);
	if (!o->value || no || (o->flags & NOOK_OPTION_OPTIONAL))
		return use_option(r, o, no, NULL, word);

	const char *value = r->argv[r->at];

	if (!value)
		return lacks_value(r, o, word);
	r->at++;
	return use_option(r, o, no, value, nook_printf(r->arena, "%s %s", word, value));
}

/* "-t", "-v a:b", "-va:b", "-tv a:b" */
static int read_letters(struct reader *r, const char *word)
{
	for (const char *p = word + 1; *p; p++) {
		const char name[] = { '-', *p, '\0' };
		const struct nook_option *o = find_letter(r->table, *p);
		const char *from = nook_strdup(r->arena, name);
		int rc;

		if (!o)
			return unknown(r, from);
		if (o->value && !(o->flags & NOOK_OPTION_OPTIONAL)) {
			const char *value = p[1] ? p + 1 : r->argv[r->at];

			if (!value)
				return lacks_value(r, o, from);
			if (!p[1])
				r->at++;
			return use_option(r, o, false, value,
					  nook_printf(r->arena, "%s %s", from, value));
		}
		rc = use_option(r, o, false, NULL, from);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int nook_options_read(const struct nook_option_table *table, struct nook_arena *a, char **argv,
		      void *into, struct nook_option_words *ret, struct nook_error *err)
{
	struct reader r = {
		.table = table, .arena = a, .argv = argv, .into = into, .ret = ret, .err = err
	};

	*ret = (struct nook_option_words){ .words = argv };
	while (argv[r.at]) {
		char *word = argv[r.at];

		if (word[0] != '-' || !word[1]) {
			if (table->command_follows)
				break;
			argv[ret->n_words++] = word; /* never ahead of r.at */
			r.at++;
			continue;
		}

		r.at++;
		if (strcmp(word, "--") == 0) {
			ret->dashes = true;
			break;
		}

		int rc = word[1] == '-' ? read_long(&r, word) : read_letters(&r, word);

		if (rc < 0)
			return rc;
	}

	if (table->command_follows)
		ret->words = argv + r.at;
	while (argv[r.at])
		ret->words[ret->n_words++] = argv[r.at++];
	ret->words[ret->n_words] = NULL;
	return 0;
}

const char *nook_option_given(const struct nook_option_words *words, const char *name)
{
	for (size_t i = words->n_uses; i-- > 0;) {
		if (strcmp(words->uses[i].option->name, name) == 0)
			return words->uses[i].from;
	}
	return NULL;
}
