/* SPDX-License-Identifier: Apache-2.0 */
#include "words_set.h"

#include "base/nearest.h"
#include "base/own.h"
#include "base/text.h"
#include "values.h"

#include <errno.h>
#include <string.h>

static struct nook_root_spec *root_of(const struct nook_option_use *use)
{
	return &((struct nook_run_words *)use->into)->spec.root;
}

int nook_set_root(const struct nook_option_use *use)
{
	struct nook_root_spec *root = root_of(use);

	root->kind = NOOK_ROOT_DIR;
	root->dir = (struct nook_path_spec){ use->value, use->from };
	return nook_value_path(use->value, use->err);
}

int nook_set_layer(const struct nook_option_use *use)
{
	struct nook_root_spec *root = root_of(use);

	root->kind = NOOK_ROOT_LAYERS;
	*nook_append(use->arena, root->layers, root->n_layers) =
		(struct nook_path_spec){ use->value, use->from };
	return nook_value_path(use->value, use->err);
}

int nook_set_changes(const struct nook_option_use *use)
{
	root_of(use)->changes = (struct nook_path_spec){ use->value, use->from };
	return nook_value_path(use->value, use->err);
}

int nook_set_read_only(const struct nook_option_use *use)
{
	root_of(use)->read_only = true;
	return 0;
}

int nook_set_expose(const struct nook_option_use *use)
{
	struct nook_root_spec *root = root_of(use);

	*nook_append(use->arena, root->expose, root->n_expose) =
		(struct nook_path_spec){ use->value, use->from };
	return nook_value_inside(use->value, use->err);
}

int nook_set_hide(const struct nook_option_use *use)
{
	struct nook_root_spec *root = root_of(use);

	*nook_append(use->arena, root->hide, root->n_hide) =
		(struct nook_path_spec){ use->value, use->from };

	int rc = nook_value_inside(use->value, use->err);

	if (rc == 0 && nook_value_same_path(use->value, "/"))
		rc = nook_refuse(use->err, EINVAL,
				 "hides everything: --root DIR or --layer DIR sets another root");
	return rc;
}

/* ---- --volume and --tmpfs ---- */

/* A word of a mount's options and the choice that it makes; two words of one choice that differ
 * contradict each other. */
enum choice { WRITE, DEPTH, IDMAP, DEVICES, SUID, EXEC, PROPAGATION, CHOICES };

struct mount_word {
	const char *word;
	enum choice choice;
	bool on; /* what the spec's member becomes; propagation has the word itself */
	bool volume_only;
	const char *propagation;
};

static const struct mount_word mount_words[] = {
	{ "ro", WRITE, true },
	{ "rw", WRITE, false },
	{ "rbind", DEPTH, true, true },
	{ "bind", DEPTH, false, true },
	{ "noidmap", IDMAP, true, true },
	{ "idmap", IDMAP, false, true },
	{ "dev", DEVICES, true },
	{ "nodev", DEVICES, false },
	{ "suid", SUID, true },
	{ "nosuid", SUID, false },
	{ "noexec", EXEC, true },
	{ "exec", EXEC, false },
	{ "private", PROPAGATION, true, true, "private" },
	{ "rprivate", PROPAGATION, true, true, "private" },
	{ "slave", PROPAGATION, true, true, "slave" },
	{ "rslave", PROPAGATION, true, true, "slave" },
	{ "shared", PROPAGATION, true, true, "shared" },
	{ "rshared", PROPAGATION, true, true, "shared" },
};

static const char volume_words[] = "ro rw rbind bind noidmap idmap dev nodev suid nosuid exec "
				   "noexec private slave shared rprivate rslave rshared";
static const char tmpfs_words[] = "size= mode= ro rw dev nodev suid nosuid exec noexec";

static void choose(struct nook_mount_spec *m, const struct mount_word *w)
{
	switch (w->choice) {
	case WRITE:
		m->read_only = w->on;
		break;
	case DEPTH:
		m->recursive = w->on;
		break;
	case IDMAP:
		m->no_idmap = w->on;
		break;
	case DEVICES:
		m->allow_dev = w->on;
		break;
	case SUID:
		m->allow_suid = w->on;
		break;
	case EXEC:
		m->no_exec = w->on;
		break;
	case PROPAGATION:
		m->propagation = w->propagation;
		break;
	case CHOICES:
		break;
	}
}

static int unknown_word(const char *word, bool volume, struct nook_error *err)
{
	const char *words = volume ? volume_words : tmpfs_words;
	char near[16];

	if (nook_nearest_word(word, words, near, sizeof(near)))
		nook_hint(err, "Did you mean %s?", near);
	nook_hint(err, "Known are: %s.", words);
	return nook_refuse(err, EINVAL, "'%s' is no option of a %s", word,
			   volume ? "volume" : "tmpfs");
}

static int read_mode(const char *text, struct nook_opt_u64 *mode, struct nook_error *err)
{
	size_t len = strlen(text);

	if (len < 1 || len > 5 || strspn(text, "01234567") != len || (len == 5 && *text != '0'))
		return nook_refuse(err, EINVAL,
				   "'%s' is no mode: write octal digits, from 0 to 7777", text);
	mode->value = 0;
	for (const char *p = text; *p; p++)
		mode->value = mode->value * 8 + (uint64_t)(*p - '0');
	return 0;
}

/* size=, mode= */
static int read_tmpfs_value(const char *word, struct nook_mount_spec *m, struct nook_error *err)
{
	bool is_size = nook_starts(word, "size=");
	struct nook_opt_u64 *value = is_size ? &m->size : &m->mode;

	if (value->set)
		return nook_refuse(err, EINVAL, "%s= is said twice", is_size ? "size" : "mode");
	value->set = true;
	value->from = m->from;
	return is_size ? nook_value_size(word + 5, &value->value, err)
		       : read_mode(word + 5, value, err);
}

static int read_mount_options(struct nook_arena *a, const char *options, struct nook_mount_spec *m,
			      struct nook_error *err)
{
	const struct mount_word *chosen[CHOICES] = { NULL };
	bool volume = m->kind == NOOK_MOUNT_VOLUME;
	const char *word;

	while ((word = nook_value_item(a, &options))) {
		const struct mount_word *w = NULL;

		if (!volume && (nook_starts(word, "size=") || nook_starts(word, "mode="))) {
			int rc = read_tmpfs_value(word, m, err);

			if (rc < 0)
				return rc;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(mount_words) && !w; i++) {
			if (strcmp(mount_words[i].word, word) == 0 &&
			    (volume || !mount_words[i].volume_only))
				w = &mount_words[i];
		}
		if (!w)
			return unknown_word(word, volume, err);
		if (chosen[w->choice] && strcmp(chosen[w->choice]->word, w->word) != 0)
			return nook_refuse(err, EINVAL, "%s and %s contradict each other",
					   chosen[w->choice]->word, w->word);
		chosen[w->choice] = w;
		choose(m, w);
	}
	return 0;
}

/* Where a mount goes: also not the root itself, which --root and --layer give. */
static int check_target(const char *target, struct nook_error *err)
{
	int rc = nook_value_inside(target, err);

	if (rc < 0)
		return rc;
	if (nook_value_same_path(target, "/"))
		return nook_refuse(err, EINVAL,
				   "nothing can be mounted over the root itself: --root DIR or "
				   "--layer DIR sets it");
	return 0;
}

static struct nook_mount_spec *add_mount(const struct nook_option_use *use,
					 enum nook_mount_kind kind)
{
	struct nook_spec *spec = &((struct nook_run_words *)use->into)->spec;
	struct nook_mount_spec *m = nook_append(use->arena, spec->mounts, spec->n_mounts);

	*m = (struct nook_mount_spec){ .kind = kind, .recursive = true, .from = use->from };
	return m;
}

/* "SRC:DST[:OPTION,...]" */
int nook_set_volume(const struct nook_option_use *use)
{
	struct nook_mount_spec *m = add_mount(use, NOOK_MOUNT_VOLUME);
	const char *field[3];
	size_t n = nook_value_fields(use->arena, use->value, field, 3);

	if (n < 2)
		return nook_refuse(use->err, EINVAL,
				   "lacks the place inside: write SRC:DST (and \\: for a colon in "
				   "a path)");
	m->source = field[0];
	m->target = field[1];

	int rc = nook_value_path(m->source, use->err);

	if (rc == 0)
		rc = check_target(m->target, use->err);
	if (rc == 0 && n == 3)
		rc = read_mount_options(use->arena, field[2], m, use->err);
	return rc;
}

/* "DST[:OPTION,...]" */
int nook_set_tmpfs(const struct nook_option_use *use)
{
	struct nook_mount_spec *m = add_mount(use, NOOK_MOUNT_TMPFS);
	const char *field[2];
	size_t n = nook_value_fields(use->arena, use->value, field, 2);

	m->target = field[0];
	m->recursive = false;

	int rc = check_target(m->target, use->err);

	if (rc == 0 && n == 2)
		rc = read_mount_options(use->arena, field[1], m, use->err);
	return rc;
}
