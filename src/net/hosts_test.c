/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts_slots.h"
#include "names.h"
#include "net.h"

#include "base/own.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int base = NO_FD;
static char dir[64];

static int make_dir(void **state)
{
	(void)nook_format(dir, sizeof(dir), "/tmp/nook-hosts-test-XXXXXX");
	base = mkdtemp(dir) ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : NO_FD;
	return base < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
	int hosts = openat(base, "net/hosts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(hosts);

	if (d) {
		for (struct dirent *e; (e = readdir(d));)
			(void)unlinkat(dirfd(d), e->d_name, 0);
		(void)closedir(d);
		(void)unlinkat(base, "net/hosts", AT_REMOVEDIR);
	}
	(void)unlinkat(base, "net/hosts.lock", 0);
	(void)unlinkat(base, "net/hosts.new", 0);
	(void)unlinkat(base, "net/resolv.conf", 0);
	(void)unlinkat(base, "net", AT_REMOVEDIR);
	close_fd(&base);
	return rmdir(dir);
}

static struct nook_net_addr v4(unsigned last)
{
	return (struct nook_net_addr){ .family = AF_INET,
				       .prefix = 24,
				       .bytes = { 10, 88, 0, (unsigned char)last } };
}

static struct nook_plan_link on(const char *network, unsigned last)
{
	return (struct nook_plan_link){ .network = network, .address = { v4(last) } };
}

static int open_set(const char *set, int flags)
{
	char path[300];

	(void)nook_format(path, sizeof(path), "net/hosts/%s", set);

	int fd = openat(base, path, flags | O_CLOEXEC);

	if (fd < 0)
		fail_msg("no set %s", set);
	return fd;
}

/* What a reader sees: lines without comments and padding, joined by "; ", without the loopback's.
 */
static const char *seen(const char *set)
{
	static char out[65536];
	struct nook_hosts_slot s;
	auto_close int fd = open_set(set, O_RDONLY);

	*out = '\0';
	for (int i = 0; read(fd, &s, sizeof(s)) == sizeof(s); i++) {
		char *line = s.bytes;

		assert_int_equal(line[NOOK_HOSTS_SLOT - 1], '\n');
		assert_null(memchr(line, '\n', NOOK_HOSTS_SLOT - 1));
		line[strcspn(line, "#\n")] = '\0';
		for (size_t n = strlen(line); n && line[n - 1] == ' ';)
			line[--n] = '\0';
		if (i < 2 || !*line)
			continue;
		line[strcspn(line, "\t")] = ' ';
		if (*out)
			strcat(out, "; ");
		strcat(out, line);
	}
	return out;
}

static off_t size_of(const char *set)
{
	struct stat st;
	auto_close int fd = open_set(set, O_RDONLY);

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size / NOOK_HOSTS_SLOT;
}

static void make_set(const struct nook_plan_link *links, size_t n, const char *want)
{
	auto_arena struct nook_arena a = { 0 };
	const char *path = NULL;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_hosts_file(base, links, n, &a, &path, NULL), 0);
	assert_string_equal(path, want);
}

static void join(const char *container, const char *hostname, struct nook_plan_link link)
{
	struct nook_error err = { 0 };

	if (nook_hosts_join(base, container, hostname, &link, 1, &err) != 0)
		fail_msg("%s", err.why);
}

static void leave(const char *container, struct nook_plan_link link)
{
	assert_int_equal(nook_hosts_leave(base, container, &link, 1, NULL), 0);
}

/* Makes it look as if what is free had been so for long. */
static void age(const char *set)
{
	auto_close int fd = open_set(set, O_RDWR);
	char first;

	for (off_t at = 0; pread(fd, &first, 1, at) == 1; at += NOOK_HOSTS_SLOT) {
		if (first == '#')
			assert_int_equal(pwrite(fd, "00000000000", 11,
						at + NOOK_HOSTS_SLOT - 1 - NOOK_HOSTS_STAMP),
					 11);
	}
}

static void test_compose(void **state)
{
	char long_name[300], longest[65], label[64];

	memset(long_name, 'x', 255);
	long_name[255] = '\0';
	memset(longest, 'h', 64);
	longest[64] = '\0';
	memset(label, 'n', 63);
	label[63] = '\0';

	const struct {
		const char *container, *hostname;
		size_t lines;
		const char *first;
	} cases[] = {
		{ "web", "web", 1, "10.88.0.2\tweb web.blue " },
		{ "web", "www", 1, "10.88.0.2\tweb www web.blue " },
		{ "web", NULL, 1, "10.88.0.2\tweb web.blue " },
		{ "web", "localhost", 1, "10.88.0.2\tweb web.blue " },
		{ "LocalHost", "www", 1, "10.88.0.2\twww " },
		{ "localhost", "ip6-loopback", 0, NULL },
		{ "web", "a b", 1, "10.88.0.2\tweb web.blue " },
		{ "web", "a#b", 1, "10.88.0.2\tweb web.blue " },
		{ "web", "a\nb", 1, "10.88.0.2\tweb web.blue " },
		{ "web", "", 1, "10.88.0.2\tweb web.blue " },
		{ "web", ".www", 1, "10.88.0.2\tweb web.blue " },
		{ long_name, "www", 1, "10.88.0.2\twww " },
		{ long_name, NULL, 0, NULL },
		{ label, longest, 1, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_hosts_slot s[NOOK_HOSTS_LINES];
		struct nook_net_addr a = v4(2);
		size_t n = nook_hosts_compose(&a, "blue", cases[i].container, cases[i].hostname, s);

		if (n != cases[i].lines)
			fail_msg("case %zu: %zu lines", i, n);
		if (cases[i].first &&
		    memcmp(s[0].bytes, cases[i].first, strlen(cases[i].first)) != 0)
			fail_msg("case %zu: %.*s", i, NOOK_HOSTS_SLOT, s[0].bytes);
		for (size_t k = 0; k < n; k++) {
			assert_true(nook_hosts_has_tag(&s[k], "blue", cases[i].container));
			assert_false(nook_hosts_has_tag(&s[k], "blu", NULL));
			assert_false(nook_hosts_has_tag(&s[k], "blue", "other"));
			assert_int_equal(s[k].bytes[NOOK_HOSTS_SLOT - 1], '\n');
		}
	}
}

/* What doesn't fit in a line gets one of its own. */
static void test_long_names(void **state)
{
	static const char network[] = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
	struct nook_net_addr a = { .family = AF_INET6, .prefix = 64 };
	struct nook_hosts_slot s[NOOK_HOSTS_LINES];
	struct nook_hosts_names names;
	char label[65], full[100];

	memset(a.bytes, 0xfd, 16);
	memset(label, 'n', 64);
	label[64] = '\0';
	(void)nook_format(full, sizeof(full), "%s.%s #", label, network);
	assert_int_equal(nook_hosts_compose(&a, network, label, NULL, s), 2);
	for (int i = 0; i < 2; i++) {
		assert_true(nook_hosts_has_tag(&s[i], network, label));
		assert_memory_equal(s[i].bytes, "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd\t", 40);
	}
	assert_memory_equal(s[1].bytes + 40, full, strlen(full));
	nook_hosts_names_of(&s[0], 1, &names);
	assert_true(nook_hosts_has_name(&s[0], &names));
	assert_false(nook_hosts_has_name(&s[1], &names));
	assert_true(nook_hosts_same_place(&s[0], &s[1]));
}

static void test_join_and_leave(void **state)
{
	struct nook_plan_link a = on("blue", 2), b = on("blue", 3);

	make_set(&a, 1, "net/hosts/blue");
	assert_string_equal(seen("blue"), "");
	join("web", "web", a);
	join("db", "data", b);
	join("db", "data", b);
	assert_string_equal(seen("blue"), "10.88.0.2 web web.blue; 10.88.0.3 db data db.blue");
	leave("web", a);
	leave("web", a);
	assert_string_equal(seen("blue"), "10.88.0.3 db data db.blue");
	assert_int_equal(nook_hosts_leave_all(base, "db", NULL), 0);
	assert_string_equal(seen("blue"), "");
}

/* What was freed just now may be being read: it is used again a second later. */
static void test_slots_are_used_again(void **state)
{
	join("a", "a", on("blue", 2));
	join("b", "b", on("blue", 3));
	assert_int_equal(size_of("blue"), 4);
	leave("a", on("blue", 2));
	join("c", "c", on("blue", 4));
	assert_int_equal(size_of("blue"), 5);
	age("blue");
	join("d", "d", on("blue", 5));
	assert_int_equal(size_of("blue"), 5);
	assert_string_equal(seen("blue"),
			    "10.88.0.5 d d.blue; 10.88.0.3 b b.blue; 10.88.0.4 c c.blue");
}

/* A dead writer leaves a comment, or a part of a slot at the end. */
static void test_dead_writers(void **state)
{
	join("a", "a", on("blue", 2));
	{
		auto_close int fd = open_set("blue", O_RDWR | O_APPEND);
		char comment[NOOK_HOSTS_SLOT + 100];

		memset(comment, ' ', sizeof(comment));
		comment[0] = '#';
		memcpy(comment + 1, "0.88.0.9\tz z.blue #blue/", 24);
		comment[NOOK_HOSTS_SLOT - 1] = '\n';
		comment[NOOK_HOSTS_SLOT] = '#';
		assert_int_equal(write(fd, comment, sizeof(comment)), sizeof(comment));
	}
	join("b", "b", on("blue", 3)); /* the comment gets its time, the rest is overwritten */
	assert_string_equal(seen("blue"), "10.88.0.2 a a.blue; 10.88.0.3 b b.blue");
	assert_int_equal(size_of("blue"), 5);
	age("blue");
	join("c", "c", on("blue", 4));
	assert_int_equal(size_of("blue"), 5);
	assert_string_equal(seen("blue"),
			    "10.88.0.2 a a.blue; 10.88.0.4 c c.blue; 10.88.0.3 b b.blue");
}

/* Of two with the same hostname the older comes first, wherever there is room. */
static void test_older_first(void **state)
{
	join("x", "x", on("blue", 2));
	join("a", "www", on("blue", 3));
	leave("x", on("blue", 2));
	age("blue");
	join("b", "www", on("blue", 4));
	assert_string_equal(seen("blue"), "10.88.0.3 a www a.blue; 10.88.0.4 b www b.blue");
	leave("a", on("blue", 3));
	assert_string_equal(seen("blue"), "10.88.0.4 b www b.blue");
}

/* A dead container's address is another's now. */
static void test_address_changes_hands(void **state)
{
	join("dead", "dead", on("blue", 2));
	join("new", "new", on("blue", 2));
	assert_string_equal(seen("blue"), "10.88.0.2 new new.blue");
	leave("dead", on("blue", 2));
	assert_string_equal(seen("blue"), "10.88.0.2 new new.blue");
}

static void test_sets(void **state)
{
	struct nook_plan_link both[] = { on("green", 9), on("blue", 8), { .network = NULL } };
	struct nook_plan_link blue = on("blue", 2), green = on("green", 3);
	struct nook_plan_link lan = { .kind = NOOK_LINK_MACVLAN };
	auto_arena struct nook_arena a = { 0 };
	const char *path = "";

	join("b", "b", blue);
	join("g", "g", green);
	make_set(both, 3, "net/hosts/blue+green"); /* knows who was there before */
	assert_string_equal(seen("blue+green"), "10.88.0.2 b b.blue; 10.88.0.3 g g.green");
	assert_int_equal(nook_hosts_join(base, "both", "both", both, 3, NULL), 0);
	assert_string_equal(seen("blue"), "10.88.0.2 b b.blue; 10.88.0.8 both both.blue");
	assert_string_equal(seen("green"), "10.88.0.3 g g.green; 10.88.0.9 both both.green");
	assert_string_equal(seen("blue+green"),
			    "10.88.0.2 b b.blue; 10.88.0.3 g g.green; "
			    "10.88.0.9 both both.green; 10.88.0.8 both both.blue");

	/* Disconnected from one. */
	assert_int_equal(nook_hosts_leave(base, "both", &both[1], 1, NULL), 0);
	assert_string_equal(seen("blue"), "10.88.0.2 b b.blue");
	assert_string_equal(seen("blue+green"), "10.88.0.2 b b.blue; 10.88.0.3 g g.green; "
						"10.88.0.9 both both.green");

	/* In use: stays. */
	assert_int_equal(nook_hosts_remove(base, "green", NULL), 0);
	assert_string_equal(seen("green"), "10.88.0.3 g g.green; 10.88.0.9 both both.green");
	leave("g", green);
	leave("both", both[0]);
	leave("b", blue);
	assert_int_equal(nook_hosts_remove(base, "green", NULL), 0);
	assert_int_equal(faccessat(base, "net/hosts/green", F_OK, 0), -1);
	assert_int_equal(faccessat(base, "net/hosts/blue+green", F_OK, 0), -1);
	assert_int_equal(faccessat(base, "net/hosts/blue", F_OK, 0), 0);

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_hosts_file(base, &lan, 1, &a, &path, NULL), 0);
	assert_null(path);
	assert_int_equal(nook_hosts_join(base, "m", "m", &lan, 1, NULL), 0);
	assert_int_equal(nook_hosts_leave(base, "m", &lan, 1, NULL), 0);
}

static void test_too_many_networks(void **state)
{
	static char names[8][NOOK_NET_NAME_MAX + 1];
	struct nook_plan_link links[8];
	struct nook_error err = { 0 };
	auto_arena struct nook_arena a = { 0 };
	const char *path = NULL;

	assert_int_equal(nook_arena_init(&a), 0);
	for (int i = 0; i < 8; i++) {
		memset(names[i], 'a' + i, NOOK_NET_NAME_MAX);
		links[i] = on(names[i], (unsigned)i);
	}
	assert_int_equal(nook_hosts_file(base, links, 7, &a, &path, &err), 0);
	assert_int_equal(nook_hosts_file(base, links, 8, &a, &path, &err), -E2BIG);
	assert_non_null(strstr(err.why, "255 bytes"));
}

/* Nothing was ever made: nothing to leave, and nothing is made. */
static void test_nothing_there(void **state)
{
	leave("a", on("blue", 2));
	assert_int_equal(nook_hosts_leave_all(base, "a", NULL), 0);
	assert_int_equal(nook_hosts_remove(base, "blue", NULL), 0);
	assert_int_equal(faccessat(base, "net", F_OK, 0), -1);
}

/* Free for long: each is used again once, the others are appended. */
static void free_slots(const char *set, unsigned n)
{
	auto_close int fd = open_set(set, O_RDWR | O_APPEND);
	struct nook_hosts_slot s;

	memset(s.bytes, ' ', sizeof(s));
	s.bytes[0] = '#';
	s.bytes[NOOK_HOSTS_SLOT - 1] = '\n';
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(write(fd, &s, sizeof(s)), sizeof(s));
	age(set);
}

static void come_and_go(void)
{
	static const char *const names[] = { "a", "bb", "ccc" };

	for (unsigned i = 0; i < 900; i++) {
		unsigned k = i % 3;
		struct nook_plan_link link = on("blue", 10 + k * 90);

		if (nook_hosts_join(base, names[k], names[k], &link, 1, NULL) != 0)
			_exit(1);
		link = on("blue", 10 + (i + 1) % 3 * 90);
		if (nook_hosts_leave(base, names[(i + 1) % 3], &link, 1, NULL) != 0)
			_exit(1);
	}
	_exit(0);
}

/* Half a line: a reader that reads on and on never sees one. */
static void test_readers(void **state)
{
	static const char *const lines[] = { "10.88.0.10 a a.blue", "10.88.0.100 bb bb.blue",
					     "10.88.0.190 ccc ccc.blue" };
	struct nook_plan_link link = on("blue", 10);
	int status = 0;

	make_set(&link, 1, "net/hosts/blue");
	free_slots("blue", 500);

	pid_t writer = fork();

	if (writer == 0)
		come_and_go();
	while (waitpid(writer, &status, WNOHANG) == 0) {
		char text[65536];

		(void)nook_format(text, sizeof(text), "%s", seen("blue"));
		for (char *save = NULL, *l = strtok_r(text, ";", &save); l;
		     l = strtok_r(NULL, ";", &save)) {
			l += *l == ' ';
			if (strcmp(l, lines[0]) != 0 && strcmp(l, lines[1]) != 0 &&
			    strcmp(l, lines[2]) != 0)
				fail_msg("a reader saw: %s", l);
		}
	}
	assert_int_equal(status, 0);
}

/* Two hundred on one network, from several processes at once: nobody's line is lost. */
static void test_many_at_once(void **state)
{
	pid_t pids[4];

	for (unsigned p = 0; p < 4; p++) {
		pids[p] = fork();
		if (pids[p] != 0)
			continue;
		for (unsigned i = 0; i < 50; i++) {
			struct nook_plan_link link = on("blue", p * 50 + i);
			char name[16];

			(void)nook_format(name, sizeof(name), "c%u", p * 50 + i);
			if (nook_hosts_join(base, name, name, &link, 1, NULL) != 0)
				_exit(1);
		}
		_exit(0);
	}
	for (unsigned p = 0; p < 4; p++) {
		int status = -1;

		assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(size_of("blue"), 202);
	for (unsigned i = 0; i < 200; i++) {
		char line[64];

		(void)nook_format(line, sizeof(line), "10.88.0.%u c%u c%u.blue", i, i, i);
		assert_non_null(strstr(seen("blue"), line));
	}
}

/* One for all; those that have the former keep it. */
static void test_resolv_file(void **state)
{
	struct stat first, second;
	char text[100] = "";

	assert_int_equal(nook_resolv_write(base, "nameserver 192.0.2.1\n", NULL), 0);
	assert_int_equal(fstatat(base, NOOK_RESOLV_FILE, &first, 0), 0);
	assert_int_equal(first.st_mode, S_IFREG | 0644);
	assert_int_equal(nook_resolv_write(base, "nameserver 192.0.2.1\n", NULL), 0);
	assert_int_equal(fstatat(base, NOOK_RESOLV_FILE, &second, 0), 0);
	assert_int_equal(first.st_ino, second.st_ino);

	auto_close int mounted = openat(base, NOOK_RESOLV_FILE, O_RDONLY | O_CLOEXEC);

	assert_int_equal(nook_resolv_write(base, "nameserver 192.0.2.22\n", NULL), 0);
	assert_int_equal(read(mounted, text, sizeof(text)), 21);

	auto_close int now = openat(base, NOOK_RESOLV_FILE, O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(now, text, sizeof(text)), 22);
	assert_int_equal(faccessat(base, "net/hosts.new", F_OK, 0), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_compose),
		TEST(test_long_names),
		TEST(test_join_and_leave),
		TEST(test_slots_are_used_again),
		TEST(test_dead_writers),
		TEST(test_older_first),
		TEST(test_address_changes_hands),
		TEST(test_sets),
		TEST(test_too_many_networks),
		TEST(test_nothing_there),
		TEST(test_readers),
		TEST(test_many_at_once),
		TEST(test_resolv_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
