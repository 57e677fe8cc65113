/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup_text.h"
#include "base/text.h"
#include "cgroup.h"
#include "sys/cgroupfs.h"

#include <limits.h>
#include <string.h>

const char *nook_controller_name(enum nook_controller c)
{
	static const char *const names[NOOK_CTL_COUNT] = {
		[NOOK_CTL_MEMORY] = "memory", [NOOK_CTL_CPU] = "cpu",       [NOOK_CTL_PIDS] = "pids",
		[NOOK_CTL_IO] = "io",         [NOOK_CTL_CPUSET] = "cpuset",
	};

	return names[c];
}

const char *nook_controller_v1_name(enum nook_controller c)
{
	return c == NOOK_CTL_IO ? "blkio" : nook_controller_name(c);
}

uint32_t nook_cgroup_controllers(const char *text)
{
	uint32_t bits = 0;

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if (nook_cgroupfs_has_word(text, nook_controller_name(c)))
			bits |= 1u << c;
	return bits;
}

/* Bits of a list as v1 has it: "cpu,cpuacct". */
static uint32_t v1_controllers(const char *list, size_t len)
{
	uint32_t bits = 0;

	while (len) {
		const char *comma = memchr(list, ',', len);
		size_t n = comma ? (size_t)(comma - list) : len;

		for (unsigned c = 0; c < NOOK_CTL_COUNT; c++) {
			const char *name = nook_controller_v1_name(c);

			if (strlen(name) == n && !memcmp(name, list, n))
				bits |= 1u << c;
		}
		list += n;
		len -= n;
		if (len) {
			list++;
			len--;
		}
	}
	return bits;
}

/* An absolute path that names each directory once: no "//", ".", "..", and no slash at its end. */
static bool clean_path(const char *path)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return false;
	if (!path[1])
		return true;

	for (const char *at = path; *at;) {
		size_t n = strcspn(++at, "/");

		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += n;
	}
	return true;
}

void nook_cgroup_own_line(struct nook_arena *a, const char *line, struct nook_cgroup_own *own)
{
	const char *list = strchr(line, ':');
	const char *path = list ? strchr(list + 1, ':') : NULL;

	/* A cgroup outside of our cgroup namespace shows as "/../x". */
	if (!path || !clean_path(path + 1))
		return;
	list++;
	path++;

	if (nook_starts(line, "0::")) {
		if (!own->v2)
			own->v2 = nook_strdup(a, path);
		return;
	}

	uint32_t bits = v1_controllers(list, (size_t)(path - 1 - list));

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if ((bits & 1u << c) && !own->v1[c])
			own->v1[c] = nook_strdup(a, path);
}

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static char *unescape(struct nook_arena *a, const char *text, size_t len)
{
	char *out = nook_strndup(a, text, len);
	char *to = out;

	for (const char *at = out; *at; at++) {
		unsigned value = 0;
		unsigned digits = 0;

		if (*at == '\\')
			while (digits < 3 && at[1 + digits] >= '0' && at[1 + digits] <= '7')
				value = value * 8 + (unsigned)(at[1 + digits++] - '0');
		if (digits == 3 && value > 0 && value < 256) {
			*to++ = (char)value;
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	return out;
}

static void note_mount(struct nook_cgroup_where *where, const char *mount, const char *root)
{
	bool whole = !strcmp(root, "/");

	if (where->mount && (!whole || !strcmp(where->root, "/")))
		return;
	where->mount = mount;
	where->root = root;
}

struct field {
	const char *text;
	size_t len;
};

static struct field next_field(const char **at)
{
	struct field f = { *at, strcspn(*at, " ") };

	*at += f.len;
	*at += **at == ' ';
	return f;
}

static bool field_is(struct field f, const char *text)
{
	return f.len == strlen(text) && !memcmp(f.text, text, f.len);
}

/* "35 31 0:32 ROOT MOUNT OPTIONS [TAG:VALUE…] - TYPE SOURCE SUPER-OPTIONS", proc_pid_mountinfo(5) */
void nook_cgroup_mount_line(struct nook_arena *a, const char *line, struct nook_cgroup_mounts *m)
{
	struct field root, mount, f;
	const char *at = line;

	for (int i = 0; i < 3; i++)
		(void)next_field(&at); /* ids and device number */
	root = next_field(&at);
	mount = next_field(&at);
	do
		f = next_field(&at);
	while (*at && !field_is(f, "-"));

	struct field type = next_field(&at);
	bool v2 = field_is(type, "cgroup2");

	if (!v2 && !field_is(type, "cgroup"))
		return;
	(void)next_field(&at); /* source: any text */
	f = next_field(&at);

	const char *root_path = unescape(a, root.text, root.len);
	const char *mount_path = unescape(a, mount.text, mount.len);

	/* Relative to a root outside of our cgroup namespace ("/..") nothing is ours. */
	if (!clean_path(root_path) || !clean_path(mount_path))
		return;
	if (v2) {
		note_mount(&m->v2, mount_path, root_path);
		return;
	}

	uint32_t bits = v1_controllers(f.text, f.len);

	m->any_v1 = true;
	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if (bits & 1u << c)
			note_mount(&m->v1[c], mount_path, root_path);
}

const char *nook_cgroup_below(const char *root, const char *own)
{
	const char *rest;

	if (!own || !strcmp(root, "/"))
		return own;
	rest = nook_after(own, root);
	if (!rest || (*rest && *rest != '/'))
		return NULL;
	return *rest ? rest : "/";
}
