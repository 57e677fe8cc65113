/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* The next word of a line, as text. Return: false at the end of the line, or when it is too long to
 * be a number. */
static bool next_word(const char **at, char *out, size_t size)
{
	const char *p = *at + strspn(*at, " \t");
	size_t len = strcspn(p, " \t\n");

	*at = p + len;
	if (len == 0 || len >= size)
		return false;
	memcpy(out, p, len);
	out[len] = '\0';
	return true;
}

static bool at_end(const char *p)
{
	p += strspn(p, " \t");
	return *p == '\n' || *p == '\0';
}

static int read_numbers(const char *p, uint64_t max, uint64_t *out, size_t size, size_t *ret_n)
{
	char word[24];
	size_t n = 0;

	for (; !at_end(p); n++) {
		if (n == size || !next_word(&p, word, sizeof(word)) ||
		    nook_parse_u64(word, max, &out[n]) < 0)
			return -EBADMSG;
	}
	*ret_n = n;
	return n > 0 ? 0 : -EBADMSG;
}

/* What follows "KEY:" at the start of a line; NULL: no line has it. */
static const char *find_line(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; p && *p;) {
		if (strncmp(p, key, len) == 0 && p[len] == ':')
			return p + len + 1;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return NULL;
}

static int bad(struct nook_error *err, const char *key)
{
	return nook_refuse(err, EBADMSG, "/proc/PID/status has no line %s as the kernel writes it",
			   key);
}

static int parse_levels(const char *text, const char *key, int *out, size_t *n,
			struct nook_error *err)
{
	uint64_t numbers[NOOK_TRANSLATE_LEVELS];
	const char *line = find_line(text, key);
	size_t found = 0;

	if (!line || read_numbers(line, INT_MAX, numbers, ARRAY_SIZE(numbers), &found) < 0)
		return bad(err, key);
	if (*n && found != *n)
		return bad(err, key);
	*n = found;
	for (size_t i = 0; i < found; i++)
		out[i] = (int)numbers[i];
	return 0;
}

static int parse_ids(const char *text, const char *key, uint32_t out[4], struct nook_error *err)
{
	uint64_t numbers[4];
	const char *line = find_line(text, key);
	size_t n = 0;

	if (!line || read_numbers(line, UINT32_MAX, numbers, 4, &n) < 0 || n != 4)
		return bad(err, key);
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint32_t)numbers[i];
	return 0;
}

int nook_translate_parse(const char *text, struct nook_translate_status *ret,
			 struct nook_error *err)
{
	struct nook_translate_status s = { .n = 0 };
	const char *name = find_line(text, "Name");
	size_t len;
	int rc = name ? parse_levels(text, "NStgid", s.tgid, &s.n, err) : bad(err, "Name");

	if (rc == 0)
		rc = parse_levels(text, "NSpid", s.pid, &s.n, err);
	if (rc == 0)
		rc = parse_levels(text, "NSpgid", s.pgid, &s.n, err);
	if (rc == 0)
		rc = parse_levels(text, "NSsid", s.sid, &s.n, err);
	if (rc == 0)
		rc = parse_ids(text, "Uid", s.uid, err);
	if (rc == 0)
		rc = parse_ids(text, "Gid", s.gid, err);
	if (rc < 0)
		return rc;

	name += *name == '\t';
	len = strcspn(name, "\n");
	if (len >= sizeof(s.name))
		len = sizeof(s.name) - 1;
	memcpy(s.name, name, len);
	*ret = s;
	return 0;
}

/* ---- id maps ---- */

struct map_line {
	uint64_t inside, outside, count;
};

/* Return: 1 a line; 0 the end; -EBADMSG. */
static int next_map_line(const char **at, struct map_line *ret)
{
	uint64_t numbers[3];
	const char *end;
	size_t n = 0;

	if (!**at)
		return 0;
	if (read_numbers(*at, UINT32_MAX, numbers, 3, &n) < 0 || n != 3)
		return -EBADMSG;
	*ret = (struct map_line){ numbers[0], numbers[1], numbers[2] };
	end = strchr(*at, '\n');
	*at = end ? end + 1 : *at + strlen(*at);
	return 1;
}

int nook_translate_id(const char *map, uint32_t outside, uint32_t *ret)
{
	struct map_line line;
	int rc;

	while ((rc = next_map_line(&map, &line)) > 0) {
		if (outside >= line.outside && outside - line.outside < line.count &&
		    line.inside + (outside - line.outside) < UINT32_MAX) {
			*ret = (uint32_t)(line.inside + (outside - line.outside));
			return 0;
		}
	}
	return rc < 0 ? rc : -ENOENT;
}

bool nook_translate_has(const char *map, uint32_t inside)
{
	struct map_line line;

	while (next_map_line(&map, &line) > 0) {
		if (inside >= line.inside && inside - line.inside < line.count)
			return true;
	}
	return false;
}
