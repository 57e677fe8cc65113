/* SPDX-License-Identifier: Apache-2.0 */
#include "mend.h"

#include "base/own.h"
#include "base/text.h"
#include "hosts_folder.h"
#include "hosts_slots.h"
#include "names.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)

/* Is there a line of hosts(5) with this address and this name? */
static bool line_has(const char *line, size_t len, const char *address, const char *name)
{
	const char *end = line + len;
	bool first = true;

	for (const char *at = line; at < end && *at != '#';) {
		size_t n = strcspn(at, " \t\n#");

		if (n > (size_t)(end - at))
			n = (size_t)(end - at);
		if (first && n && (strlen(address) != n || memcmp(at, address, n) != 0))
			return false;
		if (!first && strlen(name) == n && memcmp(at, name, n) == 0)
			return true;
		first = first && n == 0;
		at += n;
		if (at < end && *at != '#')
			at++;
	}
	return false;
}

static bool has(const char *text, const char *address, const char *name)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (line_has(text, len, address, name))
			return true;
		text += len;
		text += *text == '\n';
	}
	return false;
}

/* "" when there is no file. */
static int read_file(int base, const char *path, struct nook_arena *a, char **ret,
		     struct nook_error *err)
{
	auto_close int fd = nook_openat2(base, path, O_RDONLY, 0, NOOK_BENEATH);
	size_t size = 4096, len = 0;
	char *text = nook_alloc(a, size);

	*ret = text;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return nook_fail(err, -fd, "open %s in the state directory", path);
	for (;;) {
		ssize_t n = read(fd, text + len, size - len - 1);

		if (n < 0)
			return nook_fail(err, errno, "read %s in the state directory", path);
		if (n == 0)
			break;
		len += (size_t)n;
		if (len + 1 < size)
			continue;
		if (size > FILE_MAX)
			return nook_fail(err, EFBIG, "read %s in the state directory", path);

		char *more = nook_alloc(a, size * 2);

		memcpy(more, text, len);
		text = more;
		size *= 2;
	}
	text[len] = '\0';
	*ret = text;
	return 0;
}

/* Every name of a line as it should be. */
static bool has_names(const char *text, const struct nook_hosts_slot *line)
{
	char copy[NOOK_HOSTS_SLOT + 1], *save = NULL;

	(void)nook_format(copy, sizeof(copy), "%.*s", (int)strcspn(line->bytes, "#"), line->bytes);

	const char *address = strtok_r(copy, " \t", &save);

	for (const char *name; address && (name = strtok_r(NULL, " \t", &save));) {
		if (!has(text, address, name))
			return false;
	}
	return true;
}

static bool is_complete(const struct nook_attached *c, const char *text)
{
	struct nook_hosts_slot lines[NOOK_HOSTS_LINES];

	for (size_t i = 0; i < c->n_links; i++) {
		const struct nook_plan_link *l = &c->links[i];

		for (int f = 0; l->network && f < NOOK_NET_FAMILIES; f++) {
			size_t n = l->address[f].family
					   ? nook_hosts_compose(&l->address[f], l->network,
								c->container, c->hostname, lines)
					   : 0;

			while (n > 0) {
				if (!has_names(text, &lines[--n]))
					return false;
			}
		}
	}
	return true;
}

int nook_hosts_mend(int base, const struct nook_attached *c, struct nook_arena *a,
		    struct nook_error *err)
{
	const char *path = NULL;
	char *text;
	int rc = nook_hosts_name(c->links, c->n_links, a, &path, err);

	if (rc < 0 || !path)
		return rc;
	rc = read_file(base, path, a, &text, err);
	if (rc < 0)
		return rc;
	if (is_complete(c, text))
		return 0;
	rc = nook_hosts_join(base, c->container, c->hostname, c->links, c->n_links, err);
	return rc < 0 ? rc : 1;
}
