/* SPDX-License-Identifier: Apache-2.0 */
#include "subid.h"

#include "base/own.h"
#include "base/text.h"
#include "read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool parse_range(const char *first, const char *count, struct nook_id_range *ret)
{
	uint64_t f = 0, n = 0;

	if (nook_parse_u64(first, NOOK_LAST_ID, &f) < 0 ||
	    nook_parse_u64(count, (uint64_t)NOOK_LAST_ID + 1, &n) < 0)
		return false;
	if (n < 1 || f + n - 1 > NOOK_LAST_ID)
		return false;

	*ret = (struct nook_id_range){ .first = (uint32_t)f, .count = (uint32_t)n };
	return true;
}

static bool is_owner(const char *owner, const char *name, uint32_t uid)
{
	uint64_t number = 0;

	if (name && strcmp(owner, name) == 0)
		return true;
	return nook_parse_u64(owner, NOOK_LAST_ID, &number) == 0 && number == uid;
}

void nook_subid_parse(struct nook_arena *a, char *text, const char *name, uint32_t uid,
		      struct nook_id_range **ret, size_t *ret_n)
{
	struct nook_id_range *ranges = NULL;
	size_t n = 0;

	for (char *line; (line = nook_next_line(&text));) {
		char *fields[3];
		struct nook_id_range range;

		if (line[0] == '#' || nook_split(line, ':', fields, 3) != 3)
			continue;
		if (is_owner(fields[0], name, uid) && parse_range(fields[1], fields[2], &range))
			*nook_append(a, ranges, n) = range;
	}

	*ret = ranges;
	*ret_n = n;
}

static int read_file(struct nook_prober *p, const char *path, struct nook_id_range **ret,
		     size_t *ret_n)
{
	char *text = NULL;
	int rc = nook_read_text(p->arena, p->root, path, NOOK_READ_MAX, &text);

	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return nook_fail(p->err, -rc, "read /%s", path);

	nook_subid_parse(p->arena, text, p->host->user_name, p->host->euid, ret, ret_n);
	return 0;
}

int nook_subid_probe(struct nook_prober *p)
{
	int rc = read_file(p, "etc/subuid", &p->host->subuid, &p->host->n_subuid);

	if (rc < 0)
		return rc;
	return read_file(p, "etc/subgid", &p->host->subgid, &p->host->n_subgid);
}

const char *nook_prober_program(struct nook_prober *p, const char *name)
{
	static const char *const dirs[] = { "usr/bin", "bin", "usr/local/bin", "usr/sbin" };
	char path[64];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		(void)nook_format(path, sizeof(path), "%s/%s", dirs[i], name); /* both short */
		if (fstatat(p->root, path, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    faccessat(p->root, path, X_OK, 0) == 0)
			return nook_printf(p->arena, "/%s", path);
	}
	return NULL;
}

void nook_subid_find_helpers(struct nook_prober *p)
{
	p->host->newuidmap = nook_prober_program(p, "newuidmap");
	p->host->newgidmap = nook_prober_program(p, "newgidmap");
}
