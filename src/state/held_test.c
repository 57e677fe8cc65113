/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

#include "base/text.h"
#include "dir_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define IT "ids/7"

static bool cannot_undo;

/* The undo proper is tested where it lives, in src/run/; here a leftover is its files and what it
 * holds in ids/. */
int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	if (cannot_undo)
		return nook_fail(err, EIO, "undo");

	int rc = nook_held_release_all(state, "ids", err);

	return rc < 0 ? rc : nook_files_delete(state, err);
}

static int begin(void **state)
{
	cannot_undo = false;
	return make_dir(state);
}

static void test_taken_and_given_back(void **state)
{
	struct nook_state web = NOOK_STATE_NONE, db = NOOK_STATE_NONE;
	char holder[NOOK_HOLDER_SIZE];

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "db", &db, NULL), 0);
	assert_int_equal(nook_held_by(web.base, IT, holder, NULL), -ENOENT);
	assert_true(nook_held_is_free(web.base, IT));
	assert_false(nook_held_by_dead(web.base, IT));

	assert_int_equal(nook_held_take(&web, IT, holder, NULL), 0);
	assert_int_equal(nook_held_take(&web, IT, holder, NULL), 0);
	assert_int_equal(nook_held_take(&db, IT, holder, NULL), -EEXIST);
	assert_string_equal(holder, "web");
	assert_false(nook_held_is_free(web.base, IT));
	assert_false(nook_held_by_dead(web.base, IT));

	assert_int_equal(nook_held_release(db.base, IT, "db", NULL), 0); /* not db's: stays */
	assert_int_equal(nook_held_by(web.base, IT, holder, NULL), 0);
	assert_string_equal(holder, "web");
	assert_int_equal(nook_held_release(web.base, IT, "web", NULL), 0);
	assert_int_equal(nook_held_release(web.base, IT, "web", NULL), 0);
	assert_int_equal(nook_held_take(&db, IT, holder, NULL), 0);

	assert_int_equal(nook_held_release_all(&db, "ids", NULL), 0);
	assert_int_equal(nook_state_drop(&web, NULL), 0);
	assert_int_equal(nook_state_drop(&db, NULL), 0);
}

static void test_taken_from_the_dead(void **state)
{
	struct nook_state web = NOOK_STATE_NONE, db = NOOK_STATE_NONE;
	char holder[NOOK_HOLDER_SIZE];

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "db", &db, NULL), 0);
	assert_int_equal(nook_held_take(&web, IT, holder, NULL), 0);
	nook_state_close(&web); /* killed */
	assert_true(nook_held_is_free(db.base, IT));
	assert_true(nook_held_by_dead(db.base, IT));

	/* Who can't be undone keeps what it has. */
	cannot_undo = true;
	assert_int_equal(nook_held_take(&db, IT, holder, NULL), -EEXIST);
	assert_string_equal(holder, "web");
	cannot_undo = false;
	assert_int_equal(nook_held_take(&db, IT, holder, NULL), 0);
	assert_int_equal(nook_held_by(db.base, IT, holder, NULL), 0);
	assert_string_equal(holder, "db");
	assert_true(faccessat(db.base, "locks/web", F_OK, 0) < 0);

	assert_int_equal(nook_held_release(db.base, IT, "db", NULL), 0);
	assert_int_equal(nook_state_drop(&db, NULL), 0);
}

/* It has no process, and so no lock. */
static void test_what_is_kept_is_never_dead(void **state)
{
	struct nook_state web = NOOK_STATE_NONE;
	char holder[NOOK_HOLDER_SIZE];

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(symlinkat("ns:blue", web.base, IT), 0);
	assert_false(nook_held_is_free(web.base, IT));
	assert_false(nook_held_by_dead(web.base, IT));
	assert_int_equal(nook_held_take(&web, IT, holder, NULL), -EEXIST);
	assert_string_equal(holder, "ns:blue");
	assert_int_equal(nook_held_release(web.base, IT, "blue", NULL), 0); /* a container's name */
	assert_int_equal(nook_held_by(web.base, IT, holder, NULL), 0);
	assert_int_equal(nook_held_release(web.base, IT, "ns:blue", NULL), 0);
	assert_int_equal(nook_held_by(web.base, IT, holder, NULL), -ENOENT);
	assert_int_equal(nook_state_drop(&web, NULL), 0);
}

/* What is no link, or names nobody, is taken, and stays. */
static void test_odd_files(void **state)
{
	char longest[256], longer[257], kept[3 + 257] = "ns:", far[400];
	const struct {
		const char *name, *text;
		int rc; /* of a look */
	} cases[] = {
		{ "a path", "../x", -EINVAL },
		{ "an option", "-x", -EINVAL },
		{ "a dot", ".", -EINVAL },
		{ "a kept nobody", "ns:", -EINVAL },
		{ "kept twice", "ns:ns:x", -EINVAL },
		{ "another prefix", "net:x", -EINVAL },
		{ "a line", "web\nweb", -EINVAL },
		{ "the longest name", longest, 0 },
		{ "a byte more", longer, -EINVAL },
		{ "a byte more that is kept", kept, -EINVAL },
		{ "far more", far, -EINVAL },
	};
	struct nook_state web = NOOK_STATE_NONE;

	memset(longest, 'x', 255);
	longest[255] = '\0';
	memset(longer, 'x', 256);
	longer[256] = '\0';
	memset(kept + 3, 'x', 256);
	kept[3 + 256] = '\0';
	memset(far, 'x', 399);
	far[399] = '\0';
	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_error err = { 0 };
		char holder[NOOK_HOLDER_SIZE];
		bool odd = cases[i].rc < 0;

		assert_int_equal(symlinkat(cases[i].text, web.base, IT), 0);
		assert_int_equal(nook_held_by(web.base, IT, holder, &err), cases[i].rc);
		if (odd)
			assert_string_equal(err.why,
					    "ids/7 in the state directory names no container");
		assert_int_equal(nook_held_is_free(web.base, IT), !odd);
		assert_int_equal(nook_held_by_dead(web.base, IT), !odd);
		assert_int_equal(nook_held_release(web.base, IT, "web", NULL), cases[i].rc);
		assert_int_equal(nook_held_take(&web, IT, holder, NULL), cases[i].rc);
		assert_int_equal(unlinkat(web.base, IT, 0), 0);
	}
	assert_int_equal(mkdirat(web.base, IT, 0700), 0);
	assert_false(nook_held_is_free(web.base, IT));
	assert_int_equal(nook_held_release_all(&web, "ids", NULL), -EINVAL);
	assert_int_equal(unlinkat(web.base, IT, AT_REMOVEDIR), 0);
	assert_int_equal(nook_state_drop(&web, NULL), 0);
}

static void test_all_of_a_folder(void **state)
{
	struct nook_state web = NOOK_STATE_NONE, db = NOOK_STATE_NONE;
	char holder[NOOK_HOLDER_SIZE], longest[256 + 4] = "ids/";

	memset(longest + 4, 'y', 255);
	longest[4 + 255] = '\0';
	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "db", &db, NULL), 0);
	assert_int_equal(nook_held_release_all(&web, "nowhere", NULL), 0);
	assert_int_equal(nook_held_take(&web, "ids/1", holder, NULL), 0);
	assert_int_equal(nook_held_take(&db, "ids/2", holder, NULL), 0);
	assert_int_equal(nook_held_take(&web, "ids/three", holder, NULL), 0);
	assert_int_equal(nook_held_take(&web, longest, holder, NULL), 0);

	assert_int_equal(nook_held_release_all(&web, "ids", NULL), 0);
	assert_true(nook_held_is_free(web.base, "ids/1"));
	assert_false(nook_held_is_free(web.base, "ids/2"));
	assert_true(nook_held_is_free(web.base, "ids/three"));
	assert_true(nook_held_is_free(web.base, longest));

	assert_int_equal(nook_held_release_all(&db, "ids", NULL), 0);
	assert_int_equal(nook_state_drop(&web, NULL), 0);
	assert_int_equal(nook_state_drop(&db, NULL), 0);
}

static void test_giving_back_needs_no_descriptor(void **state)
{
	struct nook_state web = NOOK_STATE_NONE;
	struct rlimit before, none;
	char holder[NOOK_HOLDER_SIZE];

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_held_take(&web, IT, holder, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int fd = open("/", O_PATH | O_CLOEXEC);
	int released = nook_held_release(web.base, IT, "web", NULL);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(released, 0);
	assert_true(nook_held_is_free(web.base, IT));
	assert_int_equal(nook_state_drop(&web, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_taken_and_given_back),
		TEST(test_taken_from_the_dead),
		TEST(test_what_is_kept_is_never_dead),
		TEST(test_odd_files),
		TEST(test_all_of_a_folder),
		TEST(test_giving_back_needs_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
