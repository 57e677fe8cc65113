/* SPDX-License-Identifier: Apache-2.0 */
/* What the words in a mount's "options" mean: mount(8), and config.md of runtime-spec, "Linux mount
 * options". */
#include "bundle_parts.h"

#include "base/own.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "sys/mount.h"

enum word_kind {
	SET,       /* attributes of the mount */
	CLEAR,     /* their opposites */
	ATIME,     /* one field of several bits: set to this value */
	NO_ATIME,  /* taken back, if it has this value */
	SET_BELOW, /* the same of the mount and of all below it */
	CLEAR_BELOW,
	ATIME_BELOW,
	NO_ATIME_BELOW,
	BIND,
	RBIND,
	REMOUNT,
	COPY_UP,
	IDMAP,
	RIDMAP,
	SUPER,   /* a flag of the superblock: for the file system, by this name */
	NOTHING, /* says what is so anyway, or what only mount(8) minds */
	REFUSED, /* a word of crun's */
};

struct word {
	const char *name;
	enum word_kind kind;
	uint64_t attr;
};

/* Sorted by strcmp(). */
static const struct word words[] = {
	{ "acl", NOTHING, 0 },
	{ "async", SUPER, 0 },
	{ "atime", NO_ATIME, MOUNT_ATTR_NOATIME },
	{ "bind", BIND, 0 },
	{ "copy-symlink", REFUSED, 0 },
	{ "defaults", NOTHING, 0 },
	{ "dest-nofollow", REFUSED, 0 },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", SUPER, 0 },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC },
	{ "idmap", IDMAP, 0 },
	{ "iversion", NOTHING, 0 },
	{ "lazytime", SUPER, 0 },
	{ "loud", NOTHING, 0 },
	{ "mand", NOTHING, 0 },
	{ "noacl", NOTHING, 0 },
	{ "noatime", ATIME, MOUNT_ATTR_NOATIME },
	{ "nodev", SET, MOUNT_ATTR_NODEV },
	{ "nodiratime", SET, MOUNT_ATTR_NODIRATIME },
	{ "noexec", SET, MOUNT_ATTR_NOEXEC },
	{ "noiversion", NOTHING, 0 },
	{ "nolazytime", SUPER, 0 },
	{ "nomand", NOTHING, 0 },
	{ "norelatime", NOTHING, 0 },
	{ "nostrictatime", NO_ATIME, MOUNT_ATTR_STRICTATIME },
	{ "nosuid", SET, MOUNT_ATTR_NOSUID },
	{ "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ratime", NO_ATIME_BELOW, MOUNT_ATTR_NOATIME },
	{ "rbind", RBIND, 0 },
	{ "rdev", CLEAR_BELOW, MOUNT_ATTR_NODEV },
	{ "rdiratime", CLEAR_BELOW, MOUNT_ATTR_NODIRATIME },
	{ "relatime", ATIME, MOUNT_ATTR_RELATIME },
	{ "remount", REMOUNT, 0 },
	{ "rexec", CLEAR_BELOW, MOUNT_ATTR_NOEXEC },
	{ "ridmap", RIDMAP, 0 },
	{ "rnoatime", ATIME_BELOW, MOUNT_ATTR_NOATIME },
	{ "rnodev", SET_BELOW, MOUNT_ATTR_NODEV },
	{ "rnodiratime", SET_BELOW, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", SET_BELOW, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", NOTHING, 0 },
	{ "rnostrictatime", NO_ATIME_BELOW, MOUNT_ATTR_STRICTATIME },
	{ "rnosuid", SET_BELOW, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", SET_BELOW, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", SET, MOUNT_ATTR_RDONLY },
	{ "rrelatime", ATIME_BELOW, MOUNT_ATTR_RELATIME },
	{ "rro", SET_BELOW, MOUNT_ATTR_RDONLY },
	{ "rrw", CLEAR_BELOW, MOUNT_ATTR_RDONLY },
	{ "rstrictatime", ATIME_BELOW, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", CLEAR_BELOW, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", CLEAR_BELOW, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rw", CLEAR, MOUNT_ATTR_RDONLY },
	{ "silent", NOTHING, 0 },
	{ "src-nofollow", REFUSED, 0 },
	{ "strictatime", ATIME, MOUNT_ATTR_STRICTATIME },
	{ "suid", CLEAR, MOUNT_ATTR_NOSUID },
	{ "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", SUPER, 0 },
	{ "tmpcopyup", COPY_UP, 0 },
};

static int compare(const void *name, const void *word)
{
	return strcmp(name, ((const struct word *)word)->name);
}

static void set_attr(uint64_t *set, uint64_t *clear, uint64_t attr)
{
	*set |= attr;
	*clear &= ~attr;
}

static void set_atime(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | value;
	*clear |= MOUNT_ATTR__ATIME;
}

/* "atime" is the opposite of "noatime" and of nothing else: what else there is, stays. Of a mount
 * that has the attribute already, it takes that back. */
static void unset_atime(uint64_t *set, uint64_t *clear, uint64_t value)
{
	if (!(*clear & MOUNT_ATTR__ATIME) || (*set & MOUNT_ATTR__ATIME) == value)
		set_atime(set, clear, MOUNT_ATTR_RELATIME);
}

static void add_data(struct nook_arena *a, struct nook_mount_options *o, const char *text,
		     size_t len)
{
	char *key = nook_strndup(a, text, len);
	char *value = strchr(key, '=');
	size_t n;

	if (value)
		*value++ = '\0';
	n = value ? strlen(value) : 0;
	/* Quotes keep commas together for who splits at these: context="u:r:t:s0:c1,c2". */
	if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
		value[n - 1] = '\0';
		value++;
	}
	*nook_append(a, o->data, o->n_data) = (struct nook_plan_option){ key, value };
}

static void split_data(struct nook_arena *a, struct nook_mount_options *o, const char *text)
{
	bool quoted = false;
	const char *from = text;

	for (const char *p = text;; p++) {
		if (*p == '"')
			quoted = !quoted;
		if (*p == '\\' && p[1]) {
			p++;
			continue;
		}
		if (*p && (quoted || *p != ','))
			continue;
		if (p > from)
			add_data(a, o, from, (size_t)(p - from));
		if (!*p)
			return;
		from = p + 1;
	}
}

static void note(struct nook_arena *a, struct nook_mount_options *o, const struct word *w)
{
	struct nook_plan_attrs *c = &o->change;

	switch (w->kind) {
	case SET:
		set_attr(&c->set, &c->clear, w->attr);
		break;
	case CLEAR:
		set_attr(&c->clear, &c->set, w->attr);
		break;
	case ATIME:
		set_atime(&c->set, &c->clear, w->attr);
		break;
	case NO_ATIME:
		unset_atime(&c->set, &c->clear, w->attr);
		break;
	case SET_BELOW:
		set_attr(&c->set_below, &c->clear_below, w->attr);
		break;
	case CLEAR_BELOW:
		set_attr(&c->clear_below, &c->set_below, w->attr);
		break;
	case ATIME_BELOW:
		set_atime(&c->set_below, &c->clear_below, w->attr);
		break;
	case NO_ATIME_BELOW:
		unset_atime(&c->set_below, &c->clear_below, w->attr);
		break;
	case BIND:
	case RBIND:
		o->bind = true;
		o->recursive |= w->kind == RBIND;
		break;
	case REMOUNT:
		o->remount = true;
		break;
	case COPY_UP:
		o->copy_up = true;
		break;
	case IDMAP:
	case RIDMAP:
		o->idmap = true;
		o->idmap_below |= w->kind == RIDMAP;
		break;
	case SUPER:
		add_data(a, o, w->name, strlen(w->name));
		break;
	case REFUSED:
		o->refused = w->name;
		break;
	case NOTHING:
		break;
	}
}

void nook_mount_options_read(struct nook_arena *a, const char *const *options,
			     struct nook_mount_options *ret)
{
	struct nook_mount_options o = { 0 };

	for (const char *const *option = options; *option; option++) {
		const struct word *w =
			bsearch(*option, words, ARRAY_SIZE(words), sizeof(words[0]), compare);
		unsigned long propagation;

		if (w) {
			note(a, &o, w);
		} else if (nook_bundle_propagation(*option, &propagation)) {
			*nook_append(a, o.propagation, o.n_propagation) = propagation;
		} else if (nook_starts(*option, "idmap=") || nook_starts(*option, "ridmap=")) {
			o.refused = *option;
		} else {
			if (!o.unknown)
				o.unknown = *option;
			split_data(a, &o, *option);
		}
	}
	*ret = o;
}
