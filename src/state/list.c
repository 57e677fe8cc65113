/* SPDX-License-Identifier: Apache-2.0 */
/* Finding containers: one by its name, or all there are. */
#include "files.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct names {
	const char **list;
	size_t n;
};

/* A claim that has no record yet: the keeper is what is known of it. */
static void blank_record(const char *name, const struct nook_holder *holder, struct nook_arena *a,
			 struct nook_record *record)
{
	static const char *const none[] = { NULL };

	*record = (struct nook_record){
		.name = nook_strdup(a, name),
		.phase = NOOK_PHASE_CREATING,
		.boot_id = "",
		.keeper = holder->pid,
		.argv = none,
		.env = none,
	};
}

/* Reads one container. -ENOENT, nothing noted, when there is neither record nor lock. */
static int read_one(int base, const char *name, enum nook_record_part part, const char *boot_id,
		    struct nook_arena *a, struct nook_record *record, enum nook_life *ret_life,
		    struct nook_error *err)
{
	struct nook_holder holder;
	int rc = nook_record_load(base, name, part, a, record, err);

	if (rc < 0 && rc != -ENOENT && rc != -EBADMSG)
		return rc;

	/* The record was there before the lock is looked at: so when nobody holds it, its keeper
	 * has died or has just finished. The other way round a new container could seem dead. */
	int lock_rc = nook_lock_holder(base, name, &holder, rc < 0 ? NULL : err);

	if (lock_rc < 0)
		return rc == -EBADMSG ? rc : lock_rc;
	if (rc == -ENOENT && !holder.held) {
		auto_close int lock =
			nook_folder_file(base, NOOK_FOLDER_LOCKS, name, O_PATH | O_NOFOLLOW);

		if (lock < 0)
			return -ENOENT;
	}
	if (rc < 0)
		blank_record(name, &holder, a, record);
	lock_rc = nook_life_of(record, &holder, boot_id, ret_life, rc == -EBADMSG ? NULL : err);
	if (rc == -EBADMSG)
		return rc;
	return lock_rc;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the names in a folder. What can't be a container's name is none of ours. */
static int add_names(int base, enum nook_folder f, struct nook_arena *a, struct names *names,
		     struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;
	const char *folder = nook_folder_name(f), *name;
	int rc = nook_folder_list(base, folder, &dir, err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	while ((rc = nook_folder_next(dir, folder, &name, err)) > 0) {
		if (nook_valid_id(name))
			*nook_append(a, names->list, names->n) = nook_strdup(a, name);
	}
	return rc;
}

/* Every name that has a record or a lock, sorted, once. */
static int all_names(int base, struct nook_arena *a, struct names *names, struct nook_error *err)
{
	int rc = add_names(base, NOOK_FOLDER_RECORDS, a, names, err);

	if (rc == 0)
		rc = add_names(base, NOOK_FOLDER_LOCKS, a, names, err);
	if (rc < 0 || !names->n)
		return rc;

	size_t kept = 1;

	qsort(names->list, names->n, sizeof(*names->list), compare);
	for (size_t i = 1; i < names->n; i++) {
		if (strcmp(names->list[i], names->list[kept - 1]) != 0)
			names->list[kept++] = names->list[i];
	}
	names->n = kept;
	return 0;
}

/* Fails with the names there are as the hint. */
static int no_such(int base, const char *name, struct nook_arena *a, struct nook_error *err)
{
	struct names names = { 0 };
	char list[300];
	size_t len = 0;

	if (base >= 0)
		(void)all_names(base, a, &names, NULL); /* only a hint */

	for (size_t i = 0; i < names.n && len + strlen(names.list[i]) + 6 < sizeof(list); i++)
		len += nook_format(list + len, sizeof(list) - len, i ? ", %s" : "%s",
				   names.list[i]);
	if (names.n && len)
		nook_hint(err, names.n == 1 ? "There is one: %s." : "There are: %s.", list);
	else if (!names.n)
		nook_hint(err, "There is none; `nook run --name %s` starts one.", name);
	nook_cause(err, "no-such-container", "none of this user's containers has the name");
	return nook_refuse(err, ENOENT, "there is no container %s", name);
}

int nook_state_read(const char *state_dir, const char *name, struct nook_arena *a,
		    struct nook_record *record, enum nook_life *ret_life, struct nook_error *err)
{
	return nook_state_read_part(state_dir, name, NOOK_RECORD_ALL, a, record, ret_life, err);
}

int nook_state_read_part(const char *state_dir, const char *name, enum nook_record_part part,
			 struct nook_arena *a, struct nook_record *record, enum nook_life *ret_life,
			 struct nook_error *err)
{
	char boot_id[37];
	int rc = nook_check_name(name, err);

	if (rc < 0)
		return rc;

	auto_close int base = nook_base_open(state_dir, false, err);

	if (base == -ENOENT)
		return no_such(NO_FD, name, a, err);
	if (base < 0)
		return base;

	rc = nook_boot_id(boot_id, err);
	if (rc == 0)
		rc = read_one(base, name, part, boot_id, a, record, ret_life, err);
	return rc == -ENOENT ? no_such(base, name, a, err) : rc;
}

int nook_state_list(const char *state_dir, struct nook_arena *a, struct nook_state_entry **ret,
		    size_t *ret_n, struct nook_error *err)
{
	struct names names = { 0 };
	char boot_id[37];
	auto_close int base = nook_base_open(state_dir, false, err);

	if (base == -ENOENT) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	if (base < 0)
		return base;

	int rc = all_names(base, a, &names, err);

	if (rc == 0)
		rc = nook_boot_id(boot_id, err);
	if (rc < 0)
		return rc;

	struct nook_state_entry *entries = nook_alloc_array(a, names.n, sizeof(*entries));
	size_t n = 0;

	for (size_t i = 0; i < names.n; i++) {
		struct nook_state_entry *e = &entries[n];

		rc = read_one(base, names.list[i], NOOK_RECORD_TEXT, boot_id, a, &e->record,
			      &e->life, &e->error);
		if (rc == -ENOENT) { /* it has ended meanwhile */
			memset(e, 0, sizeof(*e));
			continue;
		}
		if (rc < 0)
			e->record = (struct nook_record){ .name = names.list[i] };
		n++;
	}

	*ret = entries;
	*ret_n = n;
	return 0;
}
