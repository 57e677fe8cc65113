/* SPDX-License-Identifier: Apache-2.0 */
/* Which process, of which boot: what keeps a record from naming a stranger. */
#include "files.h"

#include "base/text.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PF_FORKNOEXEC 0x40 /* of the kernel's linux/sched.h: cleared by execve */

/* Reads a short file of /proc whole. */
static int read_small(const char *path, char *buf, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int nook_boot_id(char out[37], struct nook_error *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	static _Thread_local char known[37]; /* as long as we live, it is the same */
	char text[64];

	if (known[0]) {
		memcpy(out, known, sizeof(known));
		return 0;
	}

	int rc = read_small(path, text, sizeof(text));

	if (rc < 0)
		return nook_fail(err, -rc, "read %s", path);
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != 36)
		return nook_refuse(err, EIO, "%s holds no boot id", path);

	memcpy(known, text, sizeof(known));
	memcpy(out, known, sizeof(known));
	return 0;
}

/* @field of /proc/@pid/stat, the third or a later one: a number. proc_pid_stat(5) */
static int read_stat(int pid, int field, uint64_t *ret, struct nook_error *err)
{
	char path[40], text[1024];

	(void)nook_format(path, sizeof(path), "/proc/%d/stat", pid); /* fits */

	int rc = read_small(path, text, sizeof(text));

	if (rc == -ENOENT || rc == -ESRCH)
		return nook_refuse(err, ESRCH, "there is no process %d", pid);
	if (rc < 0)
		return nook_fail(err, -rc, "read %s", path);

	/* The second field is the program's name in parentheses and may hold anything; the last
	 * parenthesis ends it. */
	char *at = strrchr(text, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return nook_refuse(err, EIO, "%s has less than %d fields", path, field);

	at++;
	at[strcspn(at, " \n")] = '\0';
	rc = nook_parse_u64(at, UINT64_MAX, ret);
	return rc < 0 ? nook_refuse(err, EIO, "%s: field %d is no number", path, field) : 0;
}

int nook_start_time(int pid, uint64_t *ret, struct nook_error *err)
{
	return read_stat(pid, 22, ret, err);
}

int nook_has_executed(int pid, struct nook_error *err)
{
	uint64_t flags;
	int rc = read_stat(pid, 9, &flags, err);

	return rc < 0 ? rc : !(flags & PF_FORKNOEXEC);
}

int nook_process_open(int pid, uint64_t start_time, int *ret_pidfd, struct nook_error *err)
{
	struct nook_error why = { 0 };
	uint64_t started = 0;

	/* The descriptor first: it stays with the process that it was opened for, so what is true
	 * of the pid afterwards is true of it, or it has ended. */
	auto_close int fd = nook_pidfd_open(pid, 0);

	if (fd == -ESRCH || fd == -EINVAL) /* a thread's id is EINVAL */
		return -ESRCH;
	if (fd < 0)
		return nook_fail(err, -fd, "pidfd_open %d", pid);

	int rc = nook_start_time(pid, &started, &why);

	if (rc < 0 && rc != -ESRCH && err)
		*err = why;
	if (rc == 0 && (started != start_time || nook_pidfd_wait(fd, 0) == 0))
		rc = -ESRCH;
	if (rc == 0)
		*ret_pidfd = move_fd(&fd);
	return rc;
}

int nook_record_pidfd(const struct nook_record *record, const char *boot_id, int *ret_pidfd,
		      struct nook_error *err)
{
	if (record->pid <= 0 || !record->boot_id || strcmp(record->boot_id, boot_id) != 0)
		return nook_refuse(err, ESRCH, "container %s does not run", record->name);

	int rc = nook_process_open(record->pid, record->start_time, ret_pidfd, err);

	return rc == -ESRCH
		       ? nook_refuse(err, ESRCH, "container %s does not run any more", record->name)
		       : rc;
}

int nook_state_pidfd(const struct nook_record *record, int *ret_pidfd, struct nook_error *err)
{
	char boot_id[37];
	int rc = nook_boot_id(boot_id, err);

	return rc < 0 ? rc : nook_record_pidfd(record, boot_id, ret_pidfd, err);
}

int nook_life_of(const struct nook_record *record, const struct nook_holder *holder,
		 const char *boot_id, enum nook_life *ret, struct nook_error *err)
{
	auto_close int fd = NO_FD;
	struct nook_error why = { 0 };
	/* An engine's container outlives the command that made it. */
	bool alone = record->bundle && record->phase != NOOK_PHASE_CREATING;

	if (!holder->held && !alone) {
		*ret = NOOK_LIFE_GONE;
		return 0;
	}
	if (record->phase == NOOK_PHASE_CREATING) {
		*ret = NOOK_LIFE_STARTING;
		return 0;
	}

	int rc = nook_record_pidfd(record, boot_id, &fd, &why);

	if (rc < 0 && rc != -ESRCH) {
		/* Not known: who is told that it has ended may delete it. */
		if (err)
			*err = why;
		return rc;
	}
	*ret = rc == 0 ? NOOK_LIFE_RUNNING : NOOK_LIFE_GONE;
	return 0;
}
