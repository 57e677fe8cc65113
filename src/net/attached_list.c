/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers have something of networks. */
#include "net.h"
#include "store.h"

#include "base/own.h"
#include "base/text.h"
#include "state/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool nook_attached_is_there(const char *state_dir, const char *container)
{
	auto_close int base = nook_base_open(state_dir, false, NULL);
	auto_close int dir = base < 0 ? base : nook_net_folder(base, "containers", false, NULL);

	return dir >= 0 && nook_valid_id(container) &&
	       faccessat(dir, container, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct nook_attached *)a)->container,
		      ((const struct nook_attached *)b)->container);
}

int nook_attached_list(int base, struct nook_arena *a, struct nook_attached **ret, size_t *ret_n,
		       struct nook_names *unread, struct nook_error *err)
{
	auto_close int dir = nook_net_folder(base, "containers", false, err);
	struct dirent *entry;

	*ret = NULL;
	*ret_n = 0;
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;

	int listed = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = listed < 0 ? NULL : fdopendir(listed);

	if (!d) {
		int saved = errno;

		close_fd(&listed);
		return nook_fail(err, saved, "open net/containers in the state directory");
	}
	while ((entry = readdir(d))) {
		struct nook_attached at;

		if (!nook_valid_id(entry->d_name))
			continue;

		int rc = nook_attached_read_at(dir, entry->d_name, a, &at, NULL);

		if (rc == 0)
			*nook_append(a, *ret, *ret_n) = at;
		else if (rc == -EBADMSG && unread)
			*nook_append(a, unread->of, unread->n) = nook_strdup(a, entry->d_name);
	}
	(void)closedir(d);
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), by_name);
	return 0;
}
