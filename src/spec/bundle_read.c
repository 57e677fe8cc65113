/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include "base/file.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE ((size_t)16 << 20)

/* The path from "/" without "." and doubled slashes. ".." stays: what it means is the kernel's to
 * say. */
static char *plain_path(struct nook_arena *a, const char *cwd, const char *dir)
{
	char *path = nook_alloc(a, strlen(cwd) + strlen(dir) + 3), *end = path;
	const char *const parts[] = { *dir == '/' ? "" : cwd, dir };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		for (const char *p = parts[i] + strspn(parts[i], "/"); *p; p += strspn(p, "/")) {
			size_t len = strcspn(p, "/");

			if (len != 1 || *p != '.') {
				*end++ = '/';
				memcpy(end, p, len);
				end += len;
			}
			p += len;
		}
	}
	if (end == path)
		*end++ = '/';
	return path;
}

static int absolute(struct nook_arena *a, const char *dir, const char **ret, struct nook_error *err)
{
	char cwd[PATH_MAX] = "";

	if (!*dir)
		return nook_refuse(err, EINVAL, "an empty path names no bundle");
	if (*dir != '/' && !getcwd(cwd, sizeof(cwd)))
		return nook_fail(err, errno, "getcwd");
	if (*dir != '/' && *cwd != '/')
		return nook_refuse(err, ENOENT, "the working directory is not below our root");
	*ret = plain_path(a, cwd, dir);
	return 0;
}

int nook_bundle_read(struct nook_arena *a, const char *dir, struct nook_bundle *ret,
		     struct nook_error *err)
{
	return nook_bundle_read_config(a, dir, NULL, ret, err);
}

int nook_bundle_read_config(struct nook_arena *a, const char *dir, const char *config,
			    struct nook_bundle *ret, struct nook_error *err)
{
	const char *path = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc = absolute(a, dir, &path, err);

	if (rc < 0)
		return rc;

	/* As runc, which follows a symlink here. */
	const char *file = config && config[0] == '/'
				   ? config
				   : nook_printf(a, "%s/%s", path, config ? config : "config.json");
	auto_close int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		nook_hint(err,
			  "a bundle is a directory with a config.json, such as `nook-oci spec` "
			  "writes; --bundle names it");
	if (fd < 0)
		return nook_fail(err, errno, "open %s", file);

	rc = nook_read_fd(a, fd, file, MAX_FILE, &text, &len, err);
	if (rc == 0)
		rc = nook_bundle_parse(a, text, len, ret, err);
	if (rc < 0) {
		nook_where(err, "%s", file);
		return rc;
	}
	ret->dir = path;
	return 0;
}
