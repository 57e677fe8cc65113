/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record, written aside and renamed.
 *
 * It is not synced to the disk: it matters to this boot only, as nothing that it names lives
 * longer, and a process's death, however sudden, does not take the page cache along. After a power
 * loss it may be empty or missing, which the reader takes for a container that is gone. An fsync
 * would cost milliseconds where /run is on a disk, as on machines without a tmpfs there.
 */
#include "files.h"

#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void put_cgroups(struct nook_json_writer *w, const struct nook_record *r)
{
	nook_json_array(w, "cgroups");
	for (size_t i = 0; i < r->n_cgroups; i++) {
		const struct nook_plan_cgroup_dir *dir = &r->cgroups[i];

		nook_json_object(w, NULL);
		nook_json_put_bytes(w, "mount", dir->mount);
		nook_json_put_bytes(w, "path", dir->path);
		nook_json_put_bool(w, "v2", dir->v2);
		nook_json_put_u64(w, "enable", dir->enable);
		if (dir->by_path)
			nook_json_put_bool(w, "by_path", true);
		nook_json_end(w);
	}
	nook_json_end(w);
}

static void put_caps(struct nook_json_writer *w, const struct nook_plan_caps *caps)
{
	nook_json_object(w, "capabilities");
	nook_json_put_u64(w, "bounding", caps->bounding);
	nook_json_put_u64(w, "effective", caps->effective);
	nook_json_put_u64(w, "permitted", caps->permitted);
	nook_json_put_u64(w, "inheritable", caps->inheritable);
	nook_json_put_u64(w, "ambient", caps->ambient);
	nook_json_end(w);
}

static void put_process(struct nook_json_writer *w, const struct nook_record *r)
{
	nook_json_object(w, "process");
	nook_json_put_bytes_list(w, "argv", r->argv);
	nook_json_put_bytes_list(w, "env", r->env);
	nook_json_put_bytes(w, "cwd", r->cwd);
	nook_json_put_u64(w, "uid", r->uid);
	nook_json_put_u64(w, "gid", r->gid);
	nook_json_array(w, "groups");
	for (size_t i = 0; i < r->n_groups; i++)
		nook_json_put_u64(w, NULL, r->groups[i]);
	nook_json_end(w);
	nook_json_put_bool(w, "keep_groups", r->keep_groups);
	put_caps(w, &r->caps);
	nook_json_put_bool(w, "no_new_privs", r->no_new_privs);
	if (r->seccomp_name) {
		nook_json_object(w, "seccomp");
		nook_json_put_bytes(w, "name", r->seccomp_name);
		nook_json_put_u64(w, "instructions", r->seccomp ? r->n_seccomp : 0);
		nook_json_put_u64(w, "flags", r->seccomp_flags);
		nook_json_end(w);
	}
	if (r->set_oom_score_adj)
		nook_json_put_i64(w, "oom_score_adj", r->oom_score_adj);
	nook_json_end(w);
}

static void put_netdevs(struct nook_json_writer *w, const struct nook_record_netdevs *d)
{
	nook_json_object(w, "netdevs");
	nook_json_put_bytes(w, "path", d->path);
	nook_json_put_u64(w, "ino", d->ino);
	nook_json_put_u64(w, "home", d->home);
	nook_json_put_bytes_list(w, "links", d->links);
	nook_json_end(w);
}

/* What only an engine's container has. */
static void put_engine(struct nook_json_writer *w, const struct nook_record *r)
{
	nook_json_object(w, "engine");
	nook_json_put_bytes(w, "bundle", r->bundle);
	nook_json_put_bytes(w, "rootfs", r->rootfs);
	nook_json_put_bytes(w, "oci_version", r->oci_version);
	nook_json_put_i64(w, "created_nsec", r->created_nsec);
	nook_json_put_bytes(w, "process", r->process);
	nook_json_put_bytes(w, "hooks", r->hooks);
	nook_json_put_bytes(w, "hook_state", r->hook_state);
	nook_json_array(w, "annotations");
	for (size_t i = 0; i < r->n_annotations; i++) {
		nook_json_put_bytes(w, NULL, r->annotations[i][0]);
		nook_json_put_bytes(w, NULL, r->annotations[i][1]);
	}
	nook_json_end(w);
	nook_json_put_bytes(w, "unit", r->unit);
	nook_json_put_bytes(w, "rdt", r->rdt);
	nook_json_put_bytes(w, "rdt_tasks", r->rdt_tasks);
	if (r->netdevs)
		put_netdevs(w, r->netdevs);
	nook_json_put_text(w, "start", r->start);
	nook_json_put_bytes(w, "seccomp_listener", r->seccomp_listener);
	nook_json_put_bytes(w, "seccomp_listener_data", r->seccomp_listener_data);
	nook_json_put_bool(w, "no_new_keyring", r->no_new_keyring);
	nook_json_end(w);
}

const char *nook_phase_text(enum nook_phase phase)
{
	return phase == NOOK_PHASE_RUNNING   ? "running"
	       : phase == NOOK_PHASE_CREATED ? "created"
					     : "creating";
}

static void put_record(struct nook_json_writer *w, const char *name, const struct nook_record *r)
{
	nook_json_object(w, NULL);
	nook_json_put_u64(w, "version", NOOK_RECORD_VERSION);
	nook_json_put_text(w, "name", name);
	nook_json_put_text(w, "phase", nook_phase_text(r->phase));
	nook_json_put_text(w, "boot_id", r->boot_id);
	nook_json_put_i64(w, "keeper", r->keeper);
	nook_json_put_i64(w, "pid", r->pid);
	nook_json_put_u64(w, "start_time", r->start_time);
	nook_json_put_i64(w, "created", r->created);
	nook_json_put_bytes(w, "hostname", r->hostname);
	nook_json_put_bytes(w, "root", r->root);
	nook_json_put_u64(w, "range", r->range);
	put_cgroups(w, r);
	nook_json_put_u64(w, "namespaces", r->namespaces);
	put_process(w, r);
	if (r->bundle)
		put_engine(w, r);
	nook_json_end(w);
}

/* Makes @name in a folder with this content. A file that is there already is a crash's leftover:
 * the name is ours alone. */
static int write_file(const struct nook_state *s, enum nook_folder folder, const void *data,
		      size_t len, struct nook_error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	auto_close int fd = nook_folder_file(s->base, folder, s->name, flags);

	if (fd == -EEXIST && unlinkat(s->dirs[folder], s->name, 0) == 0)
		fd = nook_folder_file(s->base, folder, s->name, flags);
	if (fd < 0)
		return nook_fail(err, -fd, "create %s/%s in the state directory",
				 nook_folder_name(folder), s->name);

	int rc = nook_write_fd(fd, data, len);

	return rc < 0 ? nook_fail(err, -rc, "write %s/%s", nook_folder_name(folder), s->name) : 0;
}

/*
 * Over an old record by an exchange, after which the old one is deleted: a plain rename over a file
 * makes ext4 write the new one out at once (auto_da_alloc), and deleting it later waits for the
 * disk: a millisecond.
 */
static int move_into_place(const struct nook_state *s, bool there, struct nook_error *err)
{
	int from = s->dirs[NOOK_FOLDER_NEW], to = s->dirs[NOOK_FOLDER_RECORDS];

	errno = EEXIST;
	if (!there && renameat2(from, s->name, to, s->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST && renameat2(from, s->name, to, s->name, RENAME_EXCHANGE) == 0) {
		if (unlinkat(from, s->name, 0) < 0)
			return nook_fail(err, errno, "unlink new/%s in the state directory",
					 s->name);
		return 0;
	}

	/* File systems that know neither flag (some network ones): EINVAL. */
	if (errno == EINVAL && renameat(from, s->name, to, s->name) == 0)
		return 0;
	return nook_fail(err, errno, "rename new/%s to containers/%s in the state directory",
			 s->name, s->name);
}

static int write_record(struct nook_state *state, const struct nook_record *record,
			struct nook_arena *scratch, struct nook_error *err)
{
	struct nook_json_writer w;
	const char *text = NULL;
	size_t len = 0;
	int rc;

	nook_json_to_arena(&w, scratch, false);
	put_record(&w, state->name, record);
	(void)nook_json_finish(&w, &text, &len); /* into an arena: never fails */
	if (len > NOOK_RECORD_BYTES)
		return nook_refuse(err, E2BIG,
				   "the arguments and variables of %s make a record of %zu bytes; "
				   "%u are allowed",
				   state->name, len, NOOK_RECORD_BYTES);

	if (record->seccomp && record->seccomp_name && record->seccomp != state->filter) {
		rc = write_file(state, NOOK_FOLDER_SECCOMP, record->seccomp,
				record->n_seccomp * sizeof(*record->seccomp), err);
		if (rc < 0)
			return rc;
		state->filter = record->seccomp;
	}

	return write_file(state, NOOK_FOLDER_NEW, text, len, err);
}

int nook_state_prepare(struct nook_state *state, const struct nook_record *record,
		       struct nook_error *err)
{
	state->bare = false;

	auto_arena struct nook_arena own = { 0 };
	struct nook_arena *scratch = state->scratch ? state->scratch : &own;
	int rc = state->scratch ? 0 : nook_arena_open(&own, err);

	if (rc < 0)
		return rc;

	size_t used = scratch->used;

	rc = write_record(state, record, scratch, err);
	if (state->scratch)
		nook_arena_rewind(scratch, used);
	return rc;
}

int nook_state_commit(struct nook_state *state, struct nook_error *err)
{
	int rc = move_into_place(state, state->there, err);

	state->there |= rc == 0;
	return rc;
}

int nook_state_write(struct nook_state *state, const struct nook_record *record,
		     struct nook_error *err)
{
	int rc = nook_state_prepare(state, record, err);

	return rc < 0 ? rc : nook_state_commit(state, err);
}
