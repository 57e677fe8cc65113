/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include "base/own.h"
#include "base/text.h"
#include "host/mountinfo.h"
#include "host/read.h"
#include "sys/names.h"

#include <sched.h>
#include <string.h>

static void add(struct nook_diff_list *l, enum nook_diff_section section, const char *name,
		const char *value)
{
	*nook_append(l->arena, l->facts, l->n) =
		(struct nook_diff_fact){ .section = section, .name = name, .value = value };
}

static void add_set(struct nook_diff_list *l, enum nook_diff_section section, const char *name,
		    const char *words)
{
	add(l, section, name, words);
	l->facts[l->n - 1].set = true;
}

/* The @n-th word; its number when there are not so many. */
static const char *word_at(struct nook_arena *a, const char *words, unsigned n)
{
	const char *p = words;

	for (unsigned i = 0; *p; i++) {
		size_t len = strcspn(p, " ");

		if (i == n)
			return nook_strndup(a, p, len);
		p += len + (p[len] == ' ');
	}
	return NULL;
}

const char *nook_diff_bits(struct nook_arena *a, const char *hex, const char *words, unsigned first)
{
	const char *text = "";
	uint64_t bits = 0;

	for (size_t i = 0; hex[i]; i++) {
		const char *digit = strchr("0123456789abcdef", hex[i]);

		if (!digit || i == 16)
			return NULL;
		bits = bits << 4 | (uint64_t)(digit - "0123456789abcdef");
	}
	for (unsigned n = 0; n < 64; n++) {
		const char *word;

		if (!(bits >> n & 1))
			continue;
		word = word_at(a, words, n);
		text = word ? nook_printf(a, "%s%s%s", text, *text ? " " : "", word)
			    : nook_printf(a, "%s%s%u", text, *text ? " " : "", n + first);
	}
	return text;
}

void nook_diff_limits(struct nook_diff_list *l, char *text)
{
	char *at = text, *line = nook_next_line(&at); /* the heads */

	for (unsigned n = 0; (line = nook_next_line(&at)); n++) {
		const char *name = word_at(l->arena, nook_rlimit_words, n);
		char *soft, *hard, *save = NULL;

		/* The kernel writes them in the order of their numbers, and the name, which has
		 * spaces in it, in 26 columns. */
		if (!name || strlen(line) < 26)
			return;
		soft = strtok_r(line + 26, " ", &save);
		hard = strtok_r(NULL, " ", &save);
		if (soft && hard)
			add(l, NOOK_DIFF_LIMITS, name,
			    nook_printf(l->arena, "%s, at most %s", soft, hard));
	}
}

void nook_diff_cgroups(struct nook_diff_list *l, char *text)
{
	char *at = text, *line;

	while ((line = nook_next_line(&at))) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		controllers++;
		add(l, NOOK_DIFF_CGROUPS, *controllers ? controllers : "v2", path);
	}
}

/* ---- status ---- */

enum how { TEXT, WORDS, CAPS, SIGNALS, SECCOMP, YES_NO };

static const struct status_row {
	const char *key, *name;
	enum nook_diff_section section;
	enum how how;
} status_rows[] = {
	{ "Uid", "uid", NOOK_DIFF_IDS, TEXT },
	{ "Gid", "gid", NOOK_DIFF_IDS, TEXT },
	{ "Groups", "groups", NOOK_DIFF_IDS, WORDS },
	{ "CapInh", "inheritable", NOOK_DIFF_CAPABILITIES, CAPS },
	{ "CapPrm", "permitted", NOOK_DIFF_CAPABILITIES, CAPS },
	{ "CapEff", "effective", NOOK_DIFF_CAPABILITIES, CAPS },
	{ "CapBnd", "bounding", NOOK_DIFF_CAPABILITIES, CAPS },
	{ "CapAmb", "ambient", NOOK_DIFF_CAPABILITIES, CAPS },
	{ "NoNewPrivs", "no_new_privs", NOOK_DIFF_SECURITY, YES_NO },
	{ "Seccomp", "seccomp", NOOK_DIFF_SECURITY, SECCOMP },
	{ "Seccomp_filters", "seccomp_filters", NOOK_DIFF_SECURITY, TEXT },
	{ "Umask", "umask", NOOK_DIFF_PROCESS, TEXT },
	{ "SigBlk", "signals_blocked", NOOK_DIFF_PROCESS, SIGNALS },
	{ "SigIgn", "signals_ignored", NOOK_DIFF_PROCESS, SIGNALS },
	{ "Cpus_allowed_list", "cpus", NOOK_DIFF_SCHEDULING, TEXT },
	{ "Mems_allowed_list", "memory_nodes", NOOK_DIFF_SCHEDULING, TEXT },
};

/* Words with one space between. */
static const char *tidy(struct nook_arena *a, const char *value)
{
	char *out = nook_alloc(a, strlen(value) + 1);
	size_t len = 0;

	for (const char *p = value; *(p += strspn(p, " \t"));) {
		size_t n = strcspn(p, " \t");

		if (len)
			out[len++] = ' ';
		memcpy(out + len, p, n);
		len += n;
		p += n;
	}
	return out;
}

static const char *seccomp_word(const char *value)
{
	return strcmp(value, "0") == 0   ? "off"
	       : strcmp(value, "1") == 0 ? "strict"
	       : strcmp(value, "2") == 0 ? "filter"
					 : value;
}

/* "real 0, effective 0, saved 0, fs 0": one number when all are the same. */
static const char *ids_text(struct nook_arena *a, const char *value)
{
	char *copy = nook_strdup(a, value), *ids[4];

	if (nook_split(copy, ' ', ids, 4) != 4)
		return value;
	if (strcmp(ids[0], ids[1]) == 0 && strcmp(ids[0], ids[2]) == 0 &&
	    strcmp(ids[0], ids[3]) == 0)
		return ids[0];
	return nook_printf(a, "real %s, effective %s, saved %s, fs %s", ids[0], ids[1], ids[2],
			   ids[3]);
}

static void add_status(struct nook_diff_list *l, const struct status_row *row, const char *raw)
{
	const char *value = tidy(l->arena, raw);

	switch (row->how) {
	case TEXT:
		add(l, row->section, row->name,
		    row->section == NOOK_DIFF_IDS ? ids_text(l->arena, value) : value);
		return;
	case WORDS:
		add_set(l, row->section, row->name, value);
		return;
	case CAPS:
		add_set(l, row->section, row->name,
			nook_diff_bits(l->arena, value, nook_cap_words, 0));
		return;
	case SIGNALS:
		add_set(l, row->section, row->name,
			nook_diff_bits(l->arena, value, nook_signal_words, 1));
		return;
	case SECCOMP:
		add(l, row->section, row->name, seccomp_word(value));
		return;
	case YES_NO:
		add(l, row->section, row->name, strcmp(value, "1") == 0 ? "yes" : "no");
		return;
	}
}

void nook_diff_status(struct nook_diff_list *l, const char *text)
{
	char *at = nook_strdup(l->arena, text), *line;
	bool seen[ARRAY_SIZE(status_rows)] = { false };

	while ((line = nook_next_line(&at))) {
		char *value = strchr(line, ':');

		if (!value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(status_rows); i++) {
			if (seen[i] || strcmp(line, status_rows[i].key) != 0)
				continue;
			seen[i] = true;
			add_status(l, &status_rows[i], value);
		}
	}
}

/* ---- stat ---- */

static const char *policy_word(const char *number)
{
	static const struct {
		const char *number, *word;
	} rows[] = {
		{ "0", "other" }, { "1", "fifo" },     { "2", "rr" },  { "3", "batch" },
		{ "5", "idle" },  { "6", "deadline" }, { "7", "ext" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].number, number) == 0)
			return rows[i].word;
	}
	return number;
}

void nook_diff_stat(struct nook_diff_list *l, const char *text)
{
	/* A process' own name stands in parentheses and may hold any. */
	const char *after = strrchr(text, ')');
	char *fields[64], *copy;
	size_t n;

	if (!after || after[1] != ' ')
		return;
	copy = nook_strdup(l->arena, after + 2);
	copy[strcspn(copy, "\n")] = '\0';
	n = nook_split(copy, ' ', fields, ARRAY_SIZE(fields));
	if (n < 39 || n > ARRAY_SIZE(fields))
		return;
	/* The first of these is field 3 of the man page. */
	add(l, NOOK_DIFF_SCHEDULING, "nice", fields[16]);
	add(l, NOOK_DIFF_SCHEDULING, "realtime_priority", fields[37]);
	add(l, NOOK_DIFF_SCHEDULING, "policy", policy_word(fields[38]));
}

/* ---- environment, mounts ---- */

void nook_diff_environment(struct nook_diff_list *l, char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = strnlen(text + at, len - at);
		char *variable = nook_strndup(l->arena, text + at, n);
		char *value = strchr(variable, '=');
		bool again = false;

		at += n + 1;
		if (!value)
			continue;
		*value++ = '\0';
		/* Of two with one name getenv(3) finds the first. */
		for (size_t i = 0; i < l->n; i++)
			again |= l->facts[i].section == NOOK_DIFF_ENVIRONMENT &&
				 strcmp(l->facts[i].name, variable) == 0;
		if (!again)
			add(l, NOOK_DIFF_ENVIRONMENT, variable, value);
	}
}

/* Options as a set: commas become spaces. An option's value may hold spaces only as \040. */
static const char *option_words(struct nook_arena *a, const char *options)
{
	char *text = nook_strdup(a, options);

	for (char *p = text; *p; p++)
		*p = *p == ',' ? ' ' : *p;
	return text;
}

int nook_diff_mounts(struct nook_diff_list *l, char *text, struct nook_error *err)
{
	struct nook_mounts mounts;
	int rc = nook_mountinfo_parse(l->arena, text, &mounts, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < mounts.n_visible; i++) {
		const struct nook_mount *m = mounts.visible[i];

		add(l, NOOK_DIFF_MOUNTS, m->point,
		    strcmp(m->root, "/") == 0
			    ? nook_printf(l->arena, "%s %u:%u", m->fstype, m->major, m->minor)
			    : nook_printf(l->arena, "%s %u:%u at %s", m->fstype, m->major, m->minor,
					  m->root));
		add_set(l, NOOK_DIFF_MOUNT_OPTIONS, m->point, option_words(l->arena, m->options));
	}
	return 0;
}
