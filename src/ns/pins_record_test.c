/* SPDX-License-Identifier: Apache-2.0 */
/* Records of names: what is written is read, and what an enemy has written is refused. */
#include "pins.h"

#include "base/file.h"
#include "base/text.h"
#include "state/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena_fixture.h"

static char dir[64];
static struct nook_pins pins;

static int begin(void **state)
{
	(void)nook_format(dir, sizeof(dir), "/tmp/nook-pins-record-test-XXXXXX");
	if (!mkdtemp(dir) || set_up(state) < 0)
		return -1;
	pins = NOOK_PINS_CLOSED;
	return nook_pins_open(dir, "blue", true, &pins, NULL);
}

/* Fails when a test has left something. */
static int end(void **state)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char *const folders[] = { "ns", "ns-new", "ns-locks", "ns-pins" };

	(void)nook_pins_delete(&pins, NULL);
	nook_pins_close(&pins);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		(void)unlinkat(base, folders[i], AT_REMOVEDIR);
	return tear_down(state) < 0 ? -1 : rmdir(dir);
}

static void same(const struct nook_ns_name *a, const struct nook_ns_name *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->boot_id, b->boot_id);
	assert_int_equal(a->finished, b->finished);
	assert_int_equal(a->in_netns, b->in_netns);
	assert_true(a->created == b->created && a->holder_start == b->holder_start);
	assert_int_equal(a->holder, b->holder);
	assert_int_equal(a->implied, b->implied);
	assert_int_equal(a->range, b->range);
	assert_int_equal(a->kinds, b->kinds);
	assert_int_equal(a->n_held, b->n_held);
	for (size_t i = 0; i < a->n_held; i++) {
		const struct nook_ns_held *x = &a->held[i], *y = &b->held[i];

		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->how, y->how);
		assert_string_equal(x->path, y->path);
		assert_true(x->dev == y->dev && x->ino == y->ino);
		assert_int_equal(!x->note, !y->note);
		if (x->note)
			assert_string_equal(x->note, y->note);
	}
}

static void test_written_and_read(void **state)
{
	const char *pin = nook_printf(&arena, "%s/ns-pins/blue.net", dir);
	const struct nook_ns_name none = { .name = "blue", .boot_id = "" };
	const struct nook_ns_name some = {
		.name = "blue",
		.boot_id = "01234567-89ab-cdef-0123-456789abcdef",
		.finished = true,
		.in_netns = true,
		.created = INT64_MAX,
		.holder = 4194304,
		.holder_start = UINT64_MAX,
		.implied = NOOK_NS_BIT(NOOK_NS_USER),
		.range = 4294901760,
		.kinds = NOOK_NS_BIT(NOOK_NS_NET) | NOOK_NS_BIT(NOOK_NS_USER) |
			 NOOK_NS_BIT(NOOK_NS_MNT),
		.held = { { .kind = NOOK_NS_NET,
			    .how = NOOK_NS_HOLD_MOUNT,
			    .path = pin,
			    .dev = 4,
			    .ino = UINT64_MAX },
			  { .kind = NOOK_NS_USER,
			    .how = NOOK_NS_HOLD_PROCESS,
			    .path = "/proc/4194304/ns/user",
			    .dev = UINT64_MAX,
			    .ino = 1,
			    .note = "\"why\"\n" },
			  { .kind = NOOK_NS_MNT,
			    .how = NOOK_NS_HOLD_FD,
			    .path = "/proc/4194304/fd/1048576" } },
		.n_held = 3,
	};
	struct nook_ns_name got = { 0 };

	assert_false(nook_pins_have_record(&pins));
	assert_int_equal(nook_pins_read(&pins, "blue", &arena, &got, NULL), -ENOENT);
	assert_int_equal(nook_pins_write(&pins, &none, NULL), 0);
	assert_int_equal(nook_pins_read(&pins, "blue", &arena, &got, NULL), 0);
	same(&got, &none);
	assert_int_equal(nook_pins_write(&pins, &some, NULL), 0); /* in its place */
	assert_int_equal(nook_pins_read(&pins, "blue", &arena, &got, NULL), 0);
	same(&got, &some);
	assert_true(nook_pins_have_record(&pins));
	assert_int_equal(nook_pins_delete(&pins, NULL), 0);
	assert_int_equal(nook_pins_delete(&pins, NULL), 0);
	assert_false(nook_pins_have_record(&pins));
}

/* Quotes are written as '. */
#define HEAD                                                                                       \
	"'version':1,'name':'blue','finished':true,'boot_id':'b','created':1,'holder':7,"          \
	"'holder_start':1,'implied':0,'range':0,'netns':false,"
#define WITH(held) "{" HEAD "'namespaces':[" held "]}"
#define REST       "'dev':4,'ino':5}"
#define NET        "{'kind':'net','how':'mount'," REST

static const struct {
	const char *text, *why; /* the start of what is said of it */
} garbled[] = {
	{ "", "" },
	{ "{", "" },
	{ "[]", "" },
	{ "null", "" },
	{ "{}", "version" },
	{ WITH("") "x", "" },
	{ "{'version':2}", "version 2; this nook knows 1" },
	{ "{'version':'1'}", "version" },
	{ "{'version':1,'name':'red'}", "it is that of \"red\"" },
	{ "{'version':1,'name':'../blue'}", "it is that of \"../blue\"" },
	{ "{'version':1,'name':'blue','finished':1}", "finished" },
	{ "{" HEAD "'x':0}", "namespaces" },
	{ "{" HEAD "'namespaces':{}}", "namespaces" },
	{ WITH("1"), "namespaces" },
	{ WITH("{}"), "namespaces" },
	{ WITH("{'kind':'none','how':'mount'," REST), "namespaces" },
	{ WITH(NET "," NET), "namespaces" },
	{ WITH("{'kind':'net','how':'magic'," REST), "namespaces" },
	{ WITH("{'kind':'net','how':'fd'," REST), "namespaces" },
	{ WITH("{'kind':'net','how':'fd','fd':1048577," REST), "namespaces" },
	{ WITH("{'kind':'net','how':'fd','fd':-1," REST), "namespaces" },
	{ WITH("{'kind':'net','how':'fd','fd':'5/../../1'," REST), "namespaces" },
	{ WITH("{'kind':'net','how':'mount','dev':4,'ino':-5}"), "namespaces" },
	{ WITH("{'kind':'net','how':'mount','dev':4}"), "namespaces" },
	{ WITH("{'kind':'net','how':'mount','note':5," REST), "namespaces" },
	{ WITH("[[[[[[[[]]]]]]]]"), "" },
};

/* Members of the head, each wrong in turn. */
static const struct {
	const char *right, *wrong, *why;
} heads[] = {
	{ "'boot_id':'b'", "'boot_id':'0123456789012345678901234567890123456'", "boot_id" },
	{ "'created':1", "'created':-1", "created" },
	{ "'created':1", "'created':9223372036854775808", "created" },
	{ "'holder':7", "'holder':-7", "holder" },
	{ "'holder':7", "'holder':4194305", "holder" },
	{ "'holder_start':1", "'holder_start':1.5", "holder_start" },
	{ "'implied':0", "'implied':256", "implied" },
	{ "'range':0", "'range':65537", "range 65537 is no multiple of 65536" },
	{ "'range':0", "'range':4294967296", "range" },
	{ "'netns':false", "'netns':null", "netns" },
};

/* As the user would see it, whose way out is named. */
static void is_refused(const char *text, const char *why)
{
	struct nook_ns_name got = { .name = "untouched" };
	struct nook_error err = { 0 };
	char *copy = nook_strdup(&arena, text);
	auto_close int fd =
		openat(pins.base, "ns/blue", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (char *c = copy; *c; c++) {
		if (*c == '\'')
			*c = '"';
	}
	assert_int_equal(nook_write_fd(fd, copy, strlen(copy)), 0);
	if (nook_pins_read(&pins, "blue", &arena, &got, &err) != -EBADMSG)
		fail_msg("not refused: %s", text);
	assert_string_equal(got.name, "untouched");

	const char *said = nook_after(err.why, "the record of the name blue can't be used: ");

	assert_non_null(said);
	if (!strstr(said, why))
		fail_msg("%s: %s", text, said);
	assert_non_null(strstr(err.hint, "nook ns rm --force blue"));
}

static void test_garbled(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(garbled); i++)
		is_refused(garbled[i].text, garbled[i].why);

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const char *head = "{" HEAD "'namespaces':[]}";
		const char *at = strstr(head, heads[i].right);

		assert_non_null(at);
		is_refused(nook_printf(&arena, "%.*s%s%s", (int)(at - head), head, heads[i].wrong,
				       at + strlen(heads[i].right)),
			   heads[i].why);
	}

	/* A holder is what the other two are opened by. */
	static const char *const held[] = { WITH("{'kind':'net','how':'process'," REST),
					    WITH("{'kind':'net','how':'fd','fd':3," REST) };

	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		const char *at = strstr(held[i], "'holder':7");

		assert_non_null(at);
		is_refused(nook_printf(&arena, "%.*s'holder':0%s", (int)(at - held[i]), held[i],
				       at + strlen("'holder':7")),
			   "a holder is missing");
	}
}

/* Where it leads is made of what is checked, and never read from the file. */
static void test_paths_are_not_believed(void **state)
{
	static const char text[] =
		"{\"version\":1,\"name\":\"blue\",\"finished\":true,"
		"\"boot_id\":\"b\",\"created\":1,\"holder\":7,\"holder_start\":1,"
		"\"implied\":0,\"range\":0,\"netns\":false,\"namespaces\":["
		"{\"kind\":\"network\",\"how\":\"mount\",\"path\":\"/etc/passwd\","
		"\"dev\":4,\"ino\":5}]}";
	struct nook_ns_name got;
	auto_close int fd = openat(pins.base, "ns/blue", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(nook_write_fd(fd, text, sizeof(text) - 1), 0);
	assert_int_equal(nook_pins_read(&pins, "blue", &arena, &got, NULL), 0);
	assert_string_equal(got.held[0].path, nook_printf(&arena, "%s/ns-pins/blue.net", dir));
}

static void test_no_regular_file(void **state)
{
	static const char *const what[] = { "a link", "a fifo", "a directory", "a huge file" };

	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		struct nook_ns_name got;
		struct nook_error err = { 0 };
		int rc = i == 0   ? symlinkat("/etc/hostname", pins.base, "ns/blue")
			 : i == 1 ? mkfifoat(pins.base, "ns/blue", 0600)
			 : i == 2 ? mkdirat(pins.base, "ns/blue", 0700)
				  : 0;

		if (i == 3) {
			auto_close int fd =
				openat(pins.base, "ns/blue", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

			rc = ftruncate(fd, 65537);
		}
		assert_int_equal(rc, 0);
		if (nook_pins_read(&pins, "blue", &arena, &got, &err) != -EBADMSG)
			fail_msg("%s: %s", what[i], err.why);
		assert_int_equal(unlinkat(pins.base, "ns/blue", i == 2 ? AT_REMOVEDIR : 0), 0);
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		int rc;
	} cases[] = {
		{ "blue", 0 },           { "1st", 0 },        { "a.b_c-d+e", 0 },
		{ "", -EINVAL },         { "12", -EINVAL },   { ".", -EINVAL },
		{ "..", -EINVAL },       { "-a", -EINVAL },   { "a/b", -EINVAL },
		{ "a b", -EINVAL },      { "a\nb", -EINVAL }, { "ns:a", -EINVAL },
		{ "\xc3\xa9", -EINVAL },
	};
	char longest[257];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(nook_pins_check_name(cases[i].name, NULL), cases[i].rc);
	memset(longest, 'x', 256);
	longest[256] = '\0';
	assert_int_equal(nook_pins_check_name(longest, NULL), -EINVAL);
	longest[255] = '\0';
	assert_int_equal(nook_pins_check_name(longest, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_written_and_read),       TEST(test_garbled),
		TEST(test_paths_are_not_believed), TEST(test_no_regular_file),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
