/* SPDX-License-Identifier: Apache-2.0 */
/* Which process, of which boot: what keeps a record from naming a stranger. */
#include "files.h"

#include "base/text.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

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
	char text[64];
	int rc = read_small(path, text, sizeof(text));

	if (rc < 0)
		return nook_fail(err, -rc, "read %s", path);
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != 36)
		return nook_refuse(err, EIO, "%s holds no boot id", path);

	memcpy(out, text, 37);
	return 0;
}

int nook_start_time(int pid, uint64_t *ret, struct nook_error *err)
{
	char path[40], text[1024];

	(void)nook_format(path, sizeof(path), "/proc/%d/stat", pid); /* fits */

	int rc = read_small(path, text, sizeof(text));

	if (rc == -ENOENT || rc == -ESRCH)
		return nook_refuse(err, ESRCH, "there is no process %d", pid);
	if (rc < 0)
		return nook_fail(err, -rc, "read %s", path);

	/* The second field is the program's name in parentheses and may hold anything; the last
	 * parenthesis ends it. The start is the 22nd. */
	char *field = strrchr(text, ')');

	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field)
		return nook_refuse(err, EIO, "%s has less than 22 fields", path);

	field++;
	field[strcspn(field, " \n")] = '\0';
	rc = nook_parse_u64(field, UINT64_MAX, ret);
	return rc < 0 ? nook_refuse(err, EIO, "%s: field 22 is no number", path) : 0;
}

int nook_record_pidfd(const struct nook_record *record, const char *boot_id, int *ret_pidfd,
		      struct nook_error *err)
{
	uint64_t started = 0;

	if (record->pid <= 0 || !record->boot_id || strcmp(record->boot_id, boot_id) != 0)
		return nook_refuse(err, ESRCH, "container %s does not run", record->name);

	/* The descriptor first: it stays with the process that it was opened for, so what is true
	 * of the pid afterwards is true of it, or it has ended. */
	auto_close int fd = nook_pidfd_open(record->pid, 0);

	if (fd == -ESRCH || fd == -EINVAL) /* a thread's id is EINVAL */
		return nook_refuse(err, ESRCH, "container %s does not run any more", record->name);
	if (fd < 0)
		return nook_fail(err, -fd, "pidfd_open %d", record->pid);

	int rc = nook_start_time(record->pid, &started, err);

	if (rc < 0 && rc != -ESRCH)
		return rc;
	if (rc < 0 || started != record->start_time || nook_pidfd_wait(fd, 0) == 0)
		return nook_refuse(err, ESRCH, "container %s does not run any more", record->name);

	*ret_pidfd = move_fd(&fd);
	return 0;
}

int nook_state_pidfd(const struct nook_record *record, int *ret_pidfd, struct nook_error *err)
{
	char boot_id[37];
	int rc = nook_boot_id(boot_id, err);

	return rc < 0 ? rc : nook_record_pidfd(record, boot_id, ret_pidfd, err);
}

enum nook_life nook_life_of(const struct nook_record *record, const struct nook_holder *holder,
			    const char *boot_id)
{
	auto_close int fd = NO_FD;
	/* An engine's container outlives the command that made it. */
	bool alone = record->bundle && record->phase != NOOK_PHASE_CREATING;

	if (!holder->held && !alone)
		return NOOK_LIFE_GONE;
	if (record->phase == NOOK_PHASE_CREATING)
		return NOOK_LIFE_STARTING;
	return nook_record_pidfd(record, boot_id, &fd, NULL) == 0 ? NOOK_LIFE_RUNNING
								  : NOOK_LIFE_GONE;
}
