/* SPDX-License-Identifier: Apache-2.0 */
#include "homes.h"

#include "base/own.h"
#include "path.h"
#include "sys/openat2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FIRST_PERSON 1000u /* UID_MIN of login.defs(5), everywhere */

/* Directories that belong to the system: some accounts have one as their home. */
static const char *const of_system[] = {
	"/etc",     "/home",      "/media",   "/mnt",       "/opt", "/root",    "/srv",      "/var",
	"/var/lib", "/var/cache", "/var/log", "/var/spool", "/tmp", "/var/tmp", "/var/mail",
};
static const char *const of_system_with_all[] = {
	"/bin",    "/boot", "/dev", "/lib",  "/lib32", "/lib64",
	"/libx32", "/proc", "/run", "/sbin", "/sys",   "/usr",
};

/* @listed: it is an entry of /home, and so a home even where that is a symlink to /usr/home. */
static bool is_of_system(const char *path, bool listed)
{
	if (strcmp(path, "/") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(of_system); i++) {
		if (strcmp(path, of_system[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(of_system_with_all); i++) {
		if (listed ? strcmp(path, of_system_with_all[i]) == 0
			   : nook_path_within(path, of_system_with_all[i]))
			return true;
	}
	return false;
}

static int add_home(struct nook_prober *p, struct nook_hidden_set *set, const char *path,
		    bool listed)
{
	struct nook_place place = { 0 };

	/* Nobody's home: gone, or where we may not look and so can't show either. */
	if (nook_place_find(p, path, &place) < 0 || !place.is_dir ||
	    is_of_system(place.path, listed))
		return 0;
	if (set->n >= NOOK_HIDDEN_MAX)
		return nook_refuse(p->err, E2BIG, "more than %u homes to hide", NOOK_HIDDEN_MAX);

	*nook_append(p->arena, set->items, set->n) = (struct nook_hidden){
		.path = nook_strdup(p->arena, place.path),
		.why = "another user's home",
		.is_dir = true,
	};
	return 0;
}

static int add_entries_of_home(struct nook_prober *p, struct nook_hidden_set *set)
{
	auto_close int fd = nook_openat2(p->root, "home", O_RDONLY | O_DIRECTORY, 0,
					 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	/* A /home that may be searched and not listed (0711): the accounts tell what is in it. */
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES)
		return 0;
	if (fd < 0)
		return nook_fail(p->err, -fd, "open directory /home");

	auto_closedir DIR *stream = fdopendir(fd);

	if (!stream)
		return nook_fail(p->err, errno, "open directory /home");
	(void)move_fd(&fd); /* the stream's now */

	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(stream);

		if (!entry)
			return errno ? nook_fail(p->err, errno, "read directory /home") : 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;

		int rc = add_home(p, set, nook_printf(p->arena, "/home/%s", entry->d_name), true);

		if (rc < 0)
			return rc;
	}
}

static int add_homes_of_accounts(struct nook_prober *p, struct nook_hidden_set *set)
{
	for (size_t i = 0; i < p->passwd.n; i++) {
		const struct nook_passwd_line *line = &p->passwd.lines[i];

		if (line->uid < FIRST_PERSON || line->uid == p->host->euid)
			continue;

		int rc = add_home(p, set, line->home, false);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int nook_homes_add(struct nook_prober *p, struct nook_hidden_set *set)
{
	struct nook_hidden_set homes = { 0 };
	struct nook_place own = { 0 };
	int rc = add_entries_of_home(p, &homes);

	if (rc == 0)
		rc = add_homes_of_accounts(p, &homes);
	if (rc < 0)
		return rc;

	nook_hidden_sort(&homes);
	if (p->host->home && nook_place_find(p, p->host->home, &own) == 0 &&
	    strcmp(own.path, "/") != 0) {
		rc = nook_hidden_carve(p, &homes, &own.path, 1, false);
		if (rc < 0)
			return rc;
	}

	for (size_t i = 0; i < homes.n; i++)
		*nook_append(p->arena, set->items, set->n) = homes.items[i];
	return 0;
}
