/* SPDX-License-Identifier: Apache-2.0 */
/* Names of namespaces, read: nook's own records, and what `ip netns add` has made. */
#include "pins.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct list {
	struct nook_ns_name *name;
	size_t n;
};

/* A net namespace at /run/netns/NAME that has no record of ours. -ENOENT, nothing noted. */
static int read_foreign(const char *name, struct nook_arena *a, struct nook_ns_name *ret)
{
	auto_close int fd = nook_netns_open(name);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (struct nook_ns_name){
		.name = nook_strdup(a, name),
		.foreign = true,
		.in_netns = true,
		.finished = true,
		.kinds = NOOK_NS_BIT(NOOK_NS_NET),
		.n_held = 1,
		.held = { { .kind = NOOK_NS_NET,
			    .how = NOOK_NS_HOLD_MOUNT,
			    .path = nook_printf(a, "/run/netns/%s", name),
			    .dev = st.st_dev,
			    .ino = st.st_ino,
			    .there = true } },
	};
	return 0;
}

static int add_records(const struct nook_pins *p, struct nook_arena *a, struct list *list,
		       struct nook_error *err)
{
	auto_close int fd =
		openat(p->dirs[NOOK_PINS_RECORDS], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return nook_fail(err, errno, "open ns in the state directory");
	(void)move_fd(&fd); /* closedir closes it */

	for (;;) {
		struct nook_ns_name n = { 0 };

		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry)
			return errno ? nook_fail(err, errno, "read ns in the state directory") : 0;
		if (!nook_valid_id(entry->d_name))
			continue;

		int rc = nook_pins_read(p, entry->d_name, a, &n, NULL);

		if (rc == -ENOENT) /* released meanwhile */
			continue;
		if (rc < 0)
			n = (struct nook_ns_name){ .name = nook_strdup(a, entry->d_name) };
		nook_pins_look(&n);
		*nook_append(a, list->name, list->n) = n;
	}
}

static bool has(const struct list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->name[i].name, name) == 0)
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct nook_ns_name *)a)->name,
		      ((const struct nook_ns_name *)b)->name);
}

int nook_ns_names(const char *state_dir, struct nook_arena *a, struct nook_ns_name **ret,
		  size_t *ret_n, struct nook_error *err)
{
	struct nook_pins p = NOOK_PINS_CLOSED;
	struct list list = { 0 };
	const char **foreign = NULL;
	size_t n_foreign = 0;
	int rc = nook_pins_open(state_dir, "", false, &p, err);

	if (rc == 0)
		rc = add_records(&p, a, &list, err);
	nook_pins_close(&p);
	if (rc < 0 && rc != -ENOENT)
		return rc;

	rc = nook_netns_list(a, &foreign, &n_foreign, err);
	for (size_t i = 0; rc == 0 && i < n_foreign; i++) {
		struct nook_ns_name n;

		/* An empty file there is what a reboot or another mount namespace leaves. */
		if (!has(&list, foreign[i]) && read_foreign(foreign[i], a, &n) == 0)
			*nook_append(a, list.name, list.n) = n;
	}
	if (rc < 0)
		return rc;

	if (list.n)
		qsort(list.name, list.n, sizeof(*list.name), compare);
	*ret = list.name;
	*ret_n = list.n;
	return 0;
}

static int no_such(const char *state_dir, const char *name, struct nook_arena *a,
		   struct nook_error *err)
{
	struct nook_ns_name *names = NULL;
	size_t n = 0, len = 0;
	char text[300] = "";

	(void)nook_ns_names(state_dir, a, &names, &n, NULL); /* only a hint */
	for (size_t i = 0; i < n && len + strlen(names[i].name) + 6 < sizeof(text); i++)
		len += nook_format(text + len, sizeof(text) - len, i ? ", %s" : "%s",
				   names[i].name);
	if (len)
		nook_hint(err, n == 1 ? "There is one: %s." : "There are: %s.", text);
	else
		nook_hint(err, "There is none; `nook ns new %s --net` makes one.", name);
	nook_cause(err, "no-such-namespace", "no namespaces are kept under this name here");
	return nook_refuse(err, ENOENT, "there are no namespaces named %s", name);
}

int nook_ns_name_find(const char *state_dir, const char *name, struct nook_arena *a,
		      struct nook_ns_name *ret, struct nook_error *err)
{
	struct nook_pins p = NOOK_PINS_CLOSED;
	int rc = nook_pins_check_name(name, err);

	if (rc < 0)
		return rc;

	rc = nook_pins_open(state_dir, name, false, &p, err);
	if (rc == 0)
		rc = nook_pins_read(&p, name, a, ret, err);
	nook_pins_close(&p);
	if (rc == 0)
		nook_pins_look(ret);
	if (rc == -ENOENT)
		rc = read_foreign(name, a, ret);
	if (rc == -EACCES) {
		nook_cause(err, "ns-entry-denied", "only root may open /run/netns/%s", name);
		return nook_fail(err, EACCES, "open /run/netns/%s", name);
	}
	return rc == -ENOENT ? no_such(state_dir, name, a, err) : rc;
}
