/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf(5) for another network namespace, where the host's loopback is not. */
#include "names.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MAX_BYTES   65536 /* of a file that is read */
#define MAX_LINE    1024  /* longer ones are left out */
#define MAX_SERVERS 3     /* MAXNS of the C libraries */
#define MAX_OPTIONS 8     /* lines */

/* glibc's default is on the loopback too, so a missing file has none either. */
static const char *const files[] = { "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf" };

struct filtered {
	struct nook_arena *a;
	char *servers, *search, *options;
	size_t n_servers, n_options;
};

static bool works_elsewhere_v4(const unsigned char *b)
{
	return b[0] != 127 && b[0] != 0;
}

/* Not a loopback's, nor one that means a link of the host's. */
static bool works_elsewhere(const char *address)
{
	static const unsigned char zero[15], mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char b[16];

	if (inet_pton(AF_INET, address, b) == 1)
		return works_elsewhere_v4(b);
	if (inet_pton(AF_INET6, address, b) != 1)
		return false;
	if (memcmp(b, mapped, sizeof(mapped)) == 0)
		return works_elsewhere_v4(b + 12);
	if (memcmp(b, zero, sizeof(zero)) == 0 && b[15] <= 1) /* :: and ::1 */
		return false;
	return !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80); /* fe80::/10 */
}

/* Ends a line at its newline, and returns what follows; NULL: it was the last. */
static char *end_line(char *line)
{
	char *newline = strchr(line, '\n');

	if (!newline)
		return NULL;
	*newline = '\0';
	return newline + 1;
}

static bool is_plain(const char *line)
{
	for (const char *p = line; *p; p++) {
		if (*p != '\t' && (*p < 0x20 || *p > 0x7e))
			return false;
	}
	return strlen(line) <= MAX_LINE;
}

/* What follows a keyword, which stands at the beginning of its line; NULL: it is another one. */
static char *value_of(char *line, const char *keyword)
{
	size_t n = strlen(keyword);

	if (strncmp(line, keyword, n) != 0 || (line[n] != ' ' && line[n] != '\t'))
		return NULL;
	return line + n + strspn(line + n, " \t");
}

static void take_line(struct filtered *f, char *line)
{
	char *value = value_of(line, "nameserver");

	if (!is_plain(line))
		return;
	if (value) {
		value[strcspn(value, " \t")] = '\0';
		if (works_elsewhere(value) && f->n_servers < MAX_SERVERS) {
			f->servers = nook_printf(f->a, "%snameserver %s\n", f->servers, value);
			f->n_servers++;
		}
	} else if (value_of(line, "search") || value_of(line, "domain")) {
		f->search = nook_printf(f->a, "%s\n", line); /* the last one counts */
	} else if (value_of(line, "options") && f->n_options < MAX_OPTIONS) {
		f->options = nook_printf(f->a, "%s%s\n", f->options, line);
		f->n_options++;
	}
}

size_t nook_resolv_filter(struct nook_arena *a, const char *text, const char **ret)
{
	char empty[] = "";
	struct filtered f = { .a = a, .servers = empty, .search = empty, .options = empty };

	for (char *line = nook_strdup(a, text), *next; line; line = next) {
		next = end_line(line);
		take_line(&f, line);
	}
	*ret = nook_printf(a, "%s%s%s", f.servers, f.search, f.options);
	return f.n_servers;
}

/* "" for a file that is not there, or none to be read. */
static int read_file(struct nook_arena *a, const char *path, char **ret, struct nook_error *err)
{
	/* Where it is a symlink, it is the administrator's. */
	auto_close int fd = open(path, NOOK_OPEN_READ & ~O_NOFOLLOW);
	int error = fd < 0 ? errno : 0;

	*ret = nook_strdup(a, "");
	if (error == ENOMEM || error == EMFILE || error == ENFILE)
		return nook_fail(err, error, "open %s", path);
	if (fd < 0)
		return 0;

	int rc = nook_read_fd(a, fd, path, MAX_BYTES, ret, NULL, NULL);

	if (nook_read_refused(rc))
		*ret = nook_strdup(a, "");
	return rc < 0 && !nook_read_refused(rc) ? nook_fail(err, -rc, "read %s", path) : 0;
}

int nook_resolv_find(struct nook_arena *a, const char **ret, struct nook_error *err)
{
	const char *found;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *text;
		int rc = read_file(a, files[i], &text, err);

		if (rc < 0)
			return rc;
		if (nook_resolv_filter(a, text, &found) > 0) {
			*ret = found;
			return 0;
		}
	}
	*ret = NULL;
	return 0;
}
