/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include "base/file.h"
#include "base/own.h"
#include "host/mountinfo.h"
#include "kinds.h"
#include "translate.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define SMALL_MAX       ((size_t)64 << 10)
#define ENVIRONMENT_MAX ((size_t)8 << 20)

struct reader {
	struct nook_diff_list list;
	int dir; /* /proc/PID */
};

static void add(struct reader *r, enum nook_diff_section section, const char *name,
		const char *value, int errnum)
{
	struct nook_diff_list *l = &r->list;

	*nook_append(l->arena, l->facts, l->n) = (struct nook_diff_fact){
		.section = section, .name = name, .value = value, .errnum = errnum
	};
}

/* The target of a magic link as the kernel names it. */
static void add_link(struct reader *r, enum nook_diff_section section, const char *name,
		     const char *link)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(r->dir, link, text, sizeof(text));

	if (len < 0 || (size_t)len == sizeof(text))
		add(r, section, name, NULL, len < 0 ? errno : ENAMETOOLONG);
	else
		add(r, section, name, nook_strndup(r->list.arena, text, (size_t)len), 0);
}

/* A file of one line. */
static void add_file(struct reader *r, enum nook_diff_section section, const char *name,
		     const char *file)
{
	char *text = NULL;
	int rc = nook_translate_read(r->list.arena, r->dir, file, SMALL_MAX, &text);

	if (rc < 0) {
		add(r, section, name, NULL, -rc);
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	add(r, section, name, text, 0);
}

/* "net:[4026531840]": the number. */
static void add_namespaces(struct reader *r)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		const char *name = nook_ns_kinds[k].name;
		size_t before = r->list.n;

		add_link(r, NOOK_DIFF_NAMESPACES, name, nook_printf(r->list.arena, "ns/%s", name));

		struct nook_diff_fact *f = &r->list.facts[before];

		if (f->errnum == ENOENT) /* a kernel without this kind, or a zombie */
			r->list.n = before;
		else if (f->value && strchr(f->value, '['))
			f->value = nook_printf(r->list.arena, "%.*s",
					       (int)strcspn(strchr(f->value, '[') + 1, "]"),
					       strchr(f->value, '[') + 1);
	}
}

/* Lines in one: "0 100000 65536; 65536 1 1". */
static void add_map(struct reader *r, const char *file)
{
	char *text = NULL;
	const char *value = "";
	int rc = nook_translate_read(r->list.arena, r->dir, file, SMALL_MAX, &text);

	if (rc < 0) {
		add(r, NOOK_DIFF_IDS, file, NULL, -rc);
		return;
	}
	for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *word = "";

		for (char *more = NULL, *w = strtok_r(line, " ", &more); w;
		     w = strtok_r(NULL, " ", &more))
			word = nook_printf(r->list.arena, "%s%s%s", word, *word ? " " : "", w);
		value = nook_printf(r->list.arena, "%s%s%s", value, *value ? "; " : "", word);
	}
	add(r, NOOK_DIFF_IDS, file, value, 0);
}

/* The kernel answers EINVAL where no security module labels processes. */
static void add_label(struct reader *r)
{
	size_t before = r->list.n;

	add_file(r, NOOK_DIFF_SECURITY, "lsm_label", "attr/current");
	if (r->list.facts[before].errnum == EINVAL || r->list.facts[before].errnum == ENOENT)
		r->list.facts[before] = (struct nook_diff_fact){ .section = NOOK_DIFF_SECURITY,
								 .name = "lsm_label",
								 .value = "none" };
}

static void add_environment(struct reader *r)
{
	auto_close int fd = openat(r->dir, "environ", NOOK_OPEN_READ);
	char *text = NULL;
	size_t len = 0;
	int rc = fd < 0 ? -errno
			: nook_read_fd(r->list.arena, fd, "environ", ENVIRONMENT_MAX, &text, &len,
				       NULL);

	if (rc < 0)
		add(r, NOOK_DIFF_ENVIRONMENT, "", NULL, -rc);
	else
		nook_diff_environment(&r->list, text, len);
}

static void add_mounts(struct reader *r)
{
	char *text = NULL;
	int rc = nook_translate_read(r->list.arena, r->dir, "mountinfo", NOOK_MOUNTINFO_MAX, &text);

	if (rc == 0)
		rc = nook_diff_mounts(&r->list, text, NULL);
	if (rc == 0)
		return;
	add(r, NOOK_DIFF_MOUNTS, "", NULL, -rc);
	add(r, NOOK_DIFF_MOUNT_OPTIONS, "", NULL, -rc);
}

static void add_text(struct reader *r, enum nook_diff_section section, const char *file,
		     void (*take)(struct nook_diff_list *l, char *text))
{
	char *text = NULL;
	int rc = nook_translate_read(r->list.arena, r->dir, file, SMALL_MAX, &text);

	if (rc < 0)
		add(r, section, "", NULL, -rc);
	else
		take(&r->list, text);
}

static void take_stat(struct nook_diff_list *l, char *text)
{
	nook_diff_stat(l, text);
}

static int read_status(struct reader *r, int pid, char **ret, struct nook_translate_status *status,
		       struct nook_error *err)
{
	int rc = nook_translate_read(r->list.arena, r->dir, "status", NOOK_TRANSLATE_STATUS_MAX,
				     ret);

	if (rc == -ESRCH)
		return nook_refuse(err, ESRCH, "process %d has ended meanwhile", pid);
	if (rc < 0)
		return nook_fail(err, -rc, "read /proc/%d/status", pid);
	return nook_translate_parse(*ret, status, err);
}

int nook_diff_read(struct nook_arena *a, int pid, bool environment, struct nook_diff_process *ret,
		   struct nook_error *err)
{
	auto_close int dir = nook_translate_open(pid, err);
	struct reader r = { .list = { .arena = a }, .dir = dir };
	struct nook_translate_status status;
	char *text = NULL;
	int rc = dir < 0 ? dir : read_status(&r, pid, &text, &status, err);

	if (rc < 0)
		return rc;
	add_namespaces(&r);
	add_map(&r, "uid_map");
	add_map(&r, "gid_map");
	nook_diff_status(&r.list, text);
	add_label(&r);
	add_mounts(&r);
	add_text(&r, NOOK_DIFF_LIMITS, "limits", nook_diff_limits);
	add_text(&r, NOOK_DIFF_CGROUPS, "cgroup", nook_diff_cgroups);
	add_link(&r, NOOK_DIFF_PROCESS, "root", "root");
	add_link(&r, NOOK_DIFF_PROCESS, "cwd", "cwd");
	add_link(&r, NOOK_DIFF_PROCESS, "program", "exe");
	add_file(&r, NOOK_DIFF_PROCESS, "oom_score_adj", "oom_score_adj");
	add_text(&r, NOOK_DIFF_SCHEDULING, "stat", take_stat);
	if (environment)
		add_environment(&r);

	/* One that ended while it was read would look as if it had nothing. */
	rc = read_status(&r, pid, &text, &status, err);
	if (rc < 0)
		return rc;
	*ret = (struct nook_diff_process){ .pid = pid,
					   .name = nook_strdup(a, status.name),
					   .facts = r.list.facts,
					   .n_facts = r.list.n };
	return 0;
}
