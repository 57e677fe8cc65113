/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of engines' containers, written in the order that the kernel takes them, and taken back.
 */
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "sys/cgroupfs.h"

#include <string.h>

/* Limits that wait for another: memory and memory with swap, a period, a quota, real time. */
#define WAITING_MAX 8

/* Could it be that another limit has to be written first? */
static bool may_wait(int r)
{
	return r == -EINVAL || r == -EBUSY;
}

/* The line of @text that begins with @key, "8:0"; NULL: there is none. */
static const char *line_of(struct nook_arena *a, const char *text, const char *key, size_t len)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > len && !memcmp(text, key, len) && text[len] == ' ')
			return nook_strndup(a, text, n);
		text += n + (text[n] == '\n');
	}
	return NULL;
}

/* What takes a line off a file that has one for each device: its words without their numbers. */
static const char *reset_of(struct nook_arena *a, const char *value, size_t key)
{
	const char *equals = strchr(value, '=');

	if (equals)
		return nook_printf(a, "%.*s=max", (int)(equals - value), value);
	return nook_printf(a, "%.*s 0", (int)key, value);
}

/* What to write to have it as it is now; NULL: it can't be told. */
static const char *value_now(struct nook_arena *a, int fd, const struct nook_plan_cgroup_write *w)
{
	char text[4096];
	const char *value = w->value;
	const char *file = w->file;
	ssize_t len = nook_cgroupfs_read(fd, file, text, sizeof(text));
	size_t key;

	if (len == -ENOENT && w->or_file) {
		file = w->or_file;
		value = w->or_value;
		len = nook_cgroupfs_read(fd, file, text, sizeof(text));
	}
	if (len < 0)
		return NULL;

	/* "8:0 rbps=1000", "8:0 100", "eth0 5": one of many. */
	key = strcspn(value, " ");
	if (value[key] && strcmp(file, "cpu.max") != 0) {
		const char *line = line_of(a, text, value, key);

		return line ? line : reset_of(a, value, key);
	}
	/* "oom_kill_disable 0", then what else it tells. */
	if (!strcmp(file, "memory.oom_control"))
		return strstr(text, "oom_kill_disable 1") ? "1" : "0";
	return strchr(text, '\n') ? NULL : nook_strdup(a, text);
}

static int write_noting(const struct nook_plan_cgroup *plan, size_t i, int fd,
			const struct nook_cgroup_old *old, struct nook_error *err)
{
	const struct nook_plan_cgroup_write *w = &plan->writes[i];
	const char *now = old ? value_now(old->arena, fd, w) : NULL;
	struct nook_error why = { 0 };
	int r = nook_cgroup_write_one(&plan->dirs[w->dir], w, fd, &why);

	if (old && r == 0 && !old->values[i])
		old->values[i] = now;
	if (r < 0) {
		if (w->from)
			nook_where(&why, "%s", w->from);
		if (err)
			*err = why;
	}
	return r;
}

/* Those that wait, again and again until all are written or none of them can be. */
static int write_waiting(const struct nook_plan_cgroup *plan, const size_t *waiting, size_t n,
			 int fd, const struct nook_cgroup_old *old, struct nook_error *err)
{
	bool done[WAITING_MAX] = { 0 };
	size_t left = n;

	while (left) {
		size_t before = left;
		int first = 0;

		for (size_t k = 0; k < n; k++) {
			struct nook_error why = { 0 };
			int r = done[k] ? 0 : write_noting(plan, waiting[k], fd, old, &why);

			if (r < 0 && !first) {
				first = r;
				if (err)
					*err = why;
			}
			left -= !done[k] && r == 0;
			done[k] |= r == 0;
		}
		if (left == before)
			return first;
	}
	if (err)
		*err = (struct nook_error){ 0 };
	return 0;
}

int nook_cgroup_write_patiently(const struct nook_plan_cgroup *plan, unsigned dir, int fd,
				const struct nook_cgroup_old *old, struct nook_error *err)
{
	size_t waiting[WAITING_MAX];
	size_t n = 0;

	for (size_t i = 0; i < plan->n_writes; i++) {
		struct nook_error why = { 0 };

		if (plan->writes[i].dir != dir)
			continue;

		int r = write_noting(plan, i, fd, old, &why);

		if (r < 0 && may_wait(r) && n < WAITING_MAX) {
			waiting[n++] = i;
		} else if (r < 0) {
			if (err)
				*err = why;
			return r;
		}
	}
	return n ? write_waiting(plan, waiting, n, fd, old, err) : 0;
}
