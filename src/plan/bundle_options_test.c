/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_parts.h"

#include "base/own.h"
#include "sys/mount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#define RO    MOUNT_ATTR_RDONLY
#define ATIME MOUNT_ATTR__ATIME

static struct nook_arena arena;

/* "a b" as a list of options; a tilde stands for a space. */
static struct nook_mount_options read_words(const char *text)
{
	struct nook_mount_options o;
	const char **list = NULL;
	size_t n = 0;

	for (size_t len; *text; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		*nook_append(&arena, list, n) = nook_strndup(&arena, text, len);
	}
	*nook_append(&arena, list, n) = NULL;
	nook_mount_options_read(&arena, list, &o);
	return o;
}

static void attributes(void **state)
{
	static const struct {
		const char *options;
		uint64_t set, clear, set_below, clear_below;
	} cases[] = {
		{ "", 0, 0, 0, 0 },
		{ "defaults loud silent acl iversion mand norelatime", 0, 0, 0, 0 },
		{ "ro", RO, 0, 0, 0 },
		{ "rw", 0, RO, 0, 0 },
		{ "ro rw", 0, RO, 0, 0 },
		{ "rw ro", RO, 0, 0, 0 },
		{ "nosuid nodev noexec", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		  0, 0, 0 },
		{ "suid dev exec", 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0,
		  0 },
		{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0 },
		{ "nosymfollow symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW, 0, 0 },
		{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, 0 },
		{ "diratime", 0, MOUNT_ATTR_NODIRATIME, 0, 0 },
		/* one field of several bits: the kernel wants all of it cleared */
		{ "noatime", MOUNT_ATTR_NOATIME, ATIME, 0, 0 },
		{ "strictatime", MOUNT_ATTR_STRICTATIME, ATIME, 0, 0 },
		{ "relatime", 0, ATIME, 0, 0 },
		{ "noatime strictatime", MOUNT_ATTR_STRICTATIME, ATIME, 0, 0 },
		{ "strictatime atime", MOUNT_ATTR_STRICTATIME, ATIME, 0, 0 },
		{ "noatime atime", 0, ATIME, 0, 0 },
		{ "atime", 0, ATIME, 0, 0 },
		{ "strictatime nostrictatime", 0, ATIME, 0, 0 },
		{ "noatime nostrictatime", MOUNT_ATTR_NOATIME, ATIME, 0, 0 },
		/* below, too */
		{ "rro", 0, 0, RO, 0 },
		{ "rro rrw", 0, 0, 0, RO },
		{ "rro rw", 0, RO, RO, 0 },
		{ "rnosuid rnodev rnoexec", 0, 0,
		  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0 },
		{ "rsuid rdev rexec", 0, 0, 0,
		  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
		{ "rnoatime", 0, 0, MOUNT_ATTR_NOATIME, ATIME },
		{ "rnoatime ratime", 0, 0, 0, ATIME },
		{ "rstrictatime rrelatime", 0, 0, 0, ATIME },
		{ "rstrictatime rnostrictatime", 0, 0, 0, ATIME },
		{ "rnodiratime rnosymfollow", 0, 0, MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW,
		  0 },
		{ "rdiratime rsymfollow", 0, 0, 0, MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_mount_options o = read_words(cases[i].options);

		if (o.change.set != cases[i].set || o.change.clear != cases[i].clear ||
		    o.change.set_below != cases[i].set_below ||
		    o.change.clear_below != cases[i].clear_below)
			fail_msg("%s: +%lx -%lx, below +%lx -%lx", cases[i].options,
				 (unsigned long)o.change.set, (unsigned long)o.change.clear,
				 (unsigned long)o.change.set_below,
				 (unsigned long)o.change.clear_below);
		assert_int_equal(o.n_data, 0);
		assert_null(o.unknown);
	}
}

static void kinds(void **state)
{
	struct nook_mount_options o = read_words("bind");

	assert_true(o.bind && !o.recursive);
	o = read_words("rbind");
	assert_true(o.bind && o.recursive);
	o = read_words("bind rbind"); /* Podman writes both */
	assert_true(o.bind && o.recursive);
	o = read_words("remount tmpcopyup");
	assert_true(o.remount && o.copy_up && !o.bind);
	o = read_words("idmap");
	assert_true(o.idmap && !o.idmap_below);
	o = read_words("ridmap");
	assert_true(o.idmap && o.idmap_below);
	assert_string_equal(read_words("src-nofollow").refused, "src-nofollow");
	assert_string_equal(read_words("idmap=uids=0-1-2").refused, "idmap=uids=0-1-2");
}

static void propagation(void **state)
{
	struct nook_mount_options o = read_words("rslave ro shared runbindable");

	assert_int_equal(o.n_propagation, 3);
	assert_int_equal(o.propagation[0], MS_SLAVE | MS_REC);
	assert_int_equal(o.propagation[1], MS_SHARED);
	assert_int_equal(o.propagation[2], MS_UNBINDABLE | MS_REC);
}

/* What no flag is, is the file system's: as mount(2) would split it. */
static void data(void **state)
{
	static const struct {
		const char *options, *keys; /* "key=value;flag" */
	} cases[] = {
		{ "size=1m mode=755", "size=1m;mode=755" },
		{ "size=1m,mode=755,,ro=", "size=1m;mode=755;ro=" },
		{ "ro,noexec",
		  "ro;noexec" }, /* runc takes such a text for the file system's, too */
		{ "lowerdir=/a:/b\\,c,upperdir=/u", "lowerdir=/a:/b\\,c;upperdir=/u" },
		{ "context=\"u:r:t:s0:c1,c2\"", "context=u:r:t:s0:c1,c2" },
		{ "a=\"x", "a=\"x" },
		{ "sync dirsync lazytime async nolazytime",
		  "sync;dirsync;lazytime;async;nolazytime" },
		{ "nodev,", "nodev" },
		{ "=x", "=x" },
		{ "lowerdir+=/a lowerdir+=/b", "lowerdir+=/a;lowerdir+=/b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_mount_options o = read_words(cases[i].options);
		const char *text = "";

		for (size_t k = 0; k < o.n_data; k++)
			text = nook_printf(&arena, "%s%s%s%s%s", text, k ? ";" : "", o.data[k].key,
					   o.data[k].value ? "=" : "",
					   o.data[k].value ? o.data[k].value : "");
		assert_string_equal(text, cases[i].keys);
	}
	assert_string_equal(read_words("ro size=1m z").unknown, "size=1m");
}

/* bsearch(3) would not find a word that stands in the wrong place. */
static void every_word_is_found(void **state)
{
	static const char *const all[] = {
		"acl",          "async",          "atime",         "bind",
		"copy-symlink", "defaults",       "dest-nofollow", "dev",
		"diratime",     "dirsync",        "exec",          "idmap",
		"iversion",     "lazytime",       "loud",          "mand",
		"noacl",        "noatime",        "nodev",         "nodiratime",
		"noexec",       "noiversion",     "nolazytime",    "nomand",
		"norelatime",   "nostrictatime",  "nosuid",        "nosymfollow",
		"ratime",       "rbind",          "rdev",          "rdiratime",
		"relatime",     "remount",        "rexec",         "ridmap",
		"rnoatime",     "rnodev",         "rnodiratime",   "rnoexec",
		"rnorelatime",  "rnostrictatime", "rnosuid",       "rnosymfollow",
		"ro",           "rrelatime",      "rro",           "rrw",
		"rstrictatime", "rsuid",          "rsymfollow",    "rw",
		"silent",       "src-nofollow",   "strictatime",   "suid",
		"symfollow",    "sync",           "tmpcopyup",     "private",
		"rprivate",     "slave",          "rslave",        "shared",
		"rshared",      "unbindable",     "runbindable",
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (read_words(all[i]).unknown)
			fail_msg("%s", all[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes),          cmocka_unit_test(kinds),
		cmocka_unit_test(propagation),         cmocka_unit_test(data),
		cmocka_unit_test(every_word_is_found),
	};

	if (nook_arena_init(&arena) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
