/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

static bool is_separator(char c)
{
	return c == '\0' || c == '\n' || c == ' ' || c == '\t';
}

bool nook_evidence_text(const struct nook_evidence *e, const char *path, char *out, size_t size)
{
	char whole[PATH_MAX];

	(void)nook_format(whole, sizeof(whole), "%s/%s", e->proc, path); /* cut: not found */
	auto_close int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return false;

	size_t used = 0;
	ssize_t n = 1;

	/* proc gives a page at a time. */
	while (n > 0 && used < size - 1) {
		n = read(fd, out + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	out[used] = '\0';
	if (n > 0) {
		char *last = strrchr(out, '\n');

		if (last)
			last[1] = '\0';
	}
	return n >= 0;
}

/* Reads digits that something but a digit ends. */
static bool read_number(const char *text, int base, uint64_t *ret)
{
	char *end;

	if (!((*text >= '0' && *text <= '9') || (base == 16 && *text >= 'a' && *text <= 'f')))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return errno == 0 && is_separator(*end);
}

bool nook_evidence_number(const struct nook_evidence *e, const char *path, uint64_t *ret)
{
	char text[64];

	return nook_evidence_text(e, path, text, sizeof(text)) && read_number(text, 10, ret);
}

/* The text after "KEY" at the beginning of a line, blanks skipped; NULL when no line has it. */
static const char *find_line(const char *text, const char *key)
{
	for (const char *line = text; line && *line;) {
		const char *after = nook_after(line, key);

		if (after)
			return after + strspn(after, " \t");
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

bool nook_evidence_status(const struct nook_evidence *e, const char *key, int base, uint64_t *ret)
{
	char text[8192], label[64];

	if (!nook_evidence_text(e, "self/status", text, sizeof(text)))
		return false;
	(void)nook_format(label, sizeof(label), "%s:", key); /* keys are short */

	const char *value = find_line(text, label);

	return value && read_number(value, base, ret);
}

bool nook_evidence_has_cap(const struct nook_evidence *e, int cap)
{
	uint64_t caps;

	return !nook_evidence_status(e, "CapEff", 16, &caps) || (caps >> cap & 1);
}

bool nook_evidence_limit(const struct nook_evidence *e, const char *name, uint64_t *ret)
{
	char text[4096];

	if (!nook_evidence_text(e, "self/limits", text, sizeof(text)))
		return false;

	const char *value = find_line(text, name);

	if (!value)
		return false;
	if (nook_starts(value, "unlimited")) {
		*ret = UINT64_MAX;
		return true;
	}
	return read_number(value, 10, ret);
}

/* Calls @row for each line of mountinfo until it returns true; then true. */
static bool each_mount(const struct nook_evidence *e, bool (*row)(void *data, char *line),
		       void *data)
{
	char path[PATH_MAX];
	auto_free char *line = NULL;
	size_t room = 0;

	(void)nook_format(path, sizeof(path), "%s/self/mountinfo", e->proc); /* cut: not found */
	auto_fclose FILE *file = fopen(path, "re");

	while (file && getline(&line, &room, file) >= 0) {
		if (row(data, line))
			return true;
	}
	return false;
}

static bool count_row(void *data, char *line)
{
	(*(uint64_t *)data)++;
	return false;
}

bool nook_evidence_mounts(const struct nook_evidence *e, uint64_t *ret)
{
	uint64_t n = 0;

	(void)each_mount(e, count_row, &n); /* it never stops early */
	*ret = n;
	return n > 0;
}

struct cover {
	char *out;
	size_t size;
};

/*
 * The kernel forgives mounts over directories that are empty for good (binfmt_misc's place), since
 * those can hide nothing. proc(5); fs/namespace.c, mnt_already_visible()
 */
static bool cover_row(void *data, char *line)
{
	struct cover *c = data;
	char *fields[6], *save = NULL;
	size_t n = 0;

	for (char *word = strtok_r(line, " ", &save); word && n < ARRAY_SIZE(fields);
	     word = strtok_r(NULL, " ", &save))
		fields[n++] = word;
	if (n < 5 || !nook_starts(fields[4], "/proc/") ||
	    strcmp(fields[4], "/proc/sys/fs/binfmt_misc") == 0)
		return false;

	(void)nook_format(c->out, c->size, "%s", fields[4]); /* cut when long: for people */
	return true;
}

bool nook_evidence_proc_cover(const struct nook_evidence *e, char *out, size_t size)
{
	return each_mount(e, cover_row, &(struct cover){ out, size });
}
