/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroup above us is full. cgroups(7): /proc/self/cgroup says where we are, mountinfo where
 * that is seen. */
#include "evidence.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

struct place {
	bool v2;
	char own[PATH_MAX];   /* our cgroup, as /proc/self/cgroup has it */
	char mount[PATH_MAX]; /* where the hierarchy is seen */
	char root[PATH_MAX];  /* which cgroup of it stands there */
};

/* Is @word one of the words in @list, which commas separate? */
static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, len) == 0 && strchr(",: \n", p[len]))
			return true;
	}
	return false;
}

/* Finds our line for the controller: its own v1 hierarchy when it has one, else v2. */
static bool find_own(const struct nook_evidence *e, const char *controller, struct place *p)
{
	char text[16384], *save = NULL;

	if (!nook_evidence_text(e, "self/cgroup", text, sizeof(text)))
		return false;

	bool found = false;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':');
		char *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';

		bool v1 = in_list(list + 1, controller);

		if (!v1 && (found || strcmp(line, "0:") != 0))
			continue;
		(void)nook_format(p->own, sizeof(p->own), "%s", path); /* cut: not found later */
		p->v2 = !v1;
		found = true;
		if (v1)
			break;
	}
	return found;
}

static bool find_mount(const struct nook_evidence *e, const char *controller, struct place *p)
{
	char path[PATH_MAX];
	auto_free char *line = NULL;
	size_t room = 0;

	(void)nook_format(path, sizeof(path), "%s/self/mountinfo", e->proc); /* cut: not found */
	auto_fclose FILE *file = fopen(path, "re");

	while (file && getline(&line, &room, file) >= 0) {
		char *dash = strstr(line, " - ");
		char *options = strrchr(line, ' '); /* of the superblock: the last field */

		if (!dash || !nook_starts(dash + 3, p->v2 ? "cgroup2 " : "cgroup ") ||
		    (!p->v2 && !in_list(options + 1, controller)))
			continue;
		if (sscanf(line, "%*s %*s %*s %4095s %4095s", p->root, p->mount) == 2)
			return true;
	}
	return false;
}

static bool number_at(const char *dir, const char *file, uint64_t *ret)
{
	const struct nook_evidence here = { dir, NULL };

	return nook_evidence_number(&here, file, ret);
}

bool nook_evidence_full_cgroup(const struct nook_evidence *e, const char *controller,
			       const char *current_v2, const char *max_v2, const char *current_v1,
			       const char *max_v1, uint64_t slack, struct nook_full_cgroup *ret)
{
	struct place p;

	if (!find_own(e, controller, &p) || !find_mount(e, controller, &p))
		return false;

	/* A container without a cgroup namespace sees its own part of the tree at the mount, but
	 * the whole path in /proc/self/cgroup. */
	const char *below = p.own;

	if (strcmp(p.root, "/") != 0 && nook_starts(p.own, p.root))
		below += strlen(p.root);
	nook_format(ret->dir, sizeof(ret->dir), "%s%s", p.mount, below);

	for (;;) {
		size_t len = strlen(ret->dir);

		while (len > strlen(p.mount) && ret->dir[len - 1] == '/')
			ret->dir[--len] = '\0';
		/* "max" is no number: no limit. */
		if (number_at(ret->dir, p.v2 ? current_v2 : current_v1, &ret->current) &&
		    number_at(ret->dir, p.v2 ? max_v2 : max_v1, &ret->max) &&
		    ret->current + slack >= ret->max)
			return true;
		if (len <= strlen(p.mount))
			return false;
		*strrchr(ret->dir, '/') = '\0';
	}
}
