/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/own.h"
#include "discover.h"
#include "inside.h"

#include <string.h>

static void reads_links(void **state)
{
	static const struct {
		const char *text;
		int kind;
		uint64_t inode;
	} cases[] = {
		{ "net:[4026531840]", NOOK_NS_NET, 4026531840u },
		{ "user:[1]", NOOK_NS_USER, 1 },
		{ "pid:[4294967295]", NOOK_NS_PID, 4294967295u },
		{ "net:[4294967296]", -1, 0 },
		{ "net:[]", -1, 0 },
		{ "net:[12", -1, 0 },
		{ "net:[12]x", -1, 0 },
		{ "net:[-1]", -1, 0 },
		{ "net:[01]", -1, 0 },
		{ "nets:[12]", -1, 0 },
		{ "socket:[12]", -1, 0 },
		{ "/net:[12]", -1, 0 },
		{ "net:[111111111111111111111111111111111111]", -1, 0 },
		{ "", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t inode = 0;

		assert_int_equal(nook_ns_link_parse(cases[i].text, &inode), cases[i].kind);
		if (cases[i].kind >= 0)
			assert_true(inode == cases[i].inode);
	}
}

static struct nook_ns_graph *new_graph(void)
{
	struct nook_ns_graph *g = NULL;

	assert_int_equal(nook_ns_graph_new(&g, NULL), 0);
	return g;
}

/* More than the table begins with, so that it grows. */
static void finds_what_was_added(void **state)
{
	struct nook_ns_graph *g = new_graph();
	struct nook_ns_holder holder = { .how = NOOK_NS_HOW_FD, .pid = 1, .fd = 3 };

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		nook_ns_node_hold(g, nook_ns_node_add(g, i % NOOK_NS_COUNT, 5000 - i), &holder);
	for (unsigned i = 0; i < 5000; i++) {
		assert_non_null(nook_ns_graph_find(g, i % NOOK_NS_COUNT, 5000 - i));
		assert_null(nook_ns_graph_find(g, (i + 1) % NOOK_NS_COUNT, 5000 - i));
	}
	assert_null(nook_ns_graph_find(g, NOOK_NS_NET, 5001));
	nook_ns_graph_finish(g, 3);
	assert_int_equal(g->n, 5000);
	for (size_t i = 1; i < g->n; i++)
		assert_true(g->all[i - 1]->kind < g->all[i]->kind ||
			    (g->all[i - 1]->kind == g->all[i]->kind &&
			     g->all[i - 1]->inode < g->all[i]->inode));
	nook_ns_graph_free(g);
}

/* A chain of user namespaces of which the last one is held, and one beside it that nobody holds. */
static void keeps_owners_and_drops_the_rest(void **state)
{
	struct nook_ns_graph *g = new_graph();
	struct nook_ns_node *top = nook_ns_node_add(g, NOOK_NS_USER, 1);
	struct nook_ns_node *below = nook_ns_node_add(g, NOOK_NS_USER, 2);
	struct nook_ns_node *net = nook_ns_node_add(g, NOOK_NS_NET, 3);
	struct nook_ns_node *gone = nook_ns_node_add(g, NOOK_NS_UTS, 4);
	struct nook_ns_node *listed = nook_ns_node_add(g, NOOK_NS_MNT, 5);
	struct nook_ns_holder holder = { .how = NOOK_NS_HOW_MOUNT,
					 .fd = -1,
					 .path = "/run/netns/a" };

	(void)state;
	below->ns.owner = below->ns.parent = &top->ns;
	net->ns.owner = &below->ns;
	gone->ns.owner = &below->ns;
	gone->listed = 1; /* before, but not after */
	listed->listed = 3;
	nook_ns_node_hold(g, net, &holder);
	nook_ns_graph_finish(g, 3);

	assert_int_equal(g->n, 4);
	assert_null(nook_ns_graph_find(g, NOOK_NS_UTS, 4));
	assert_int_equal(top->ns.held[NOOK_NS_HOW_NESTED], 1);
	assert_int_equal(top->ns.held[NOOK_NS_HOW_OWNER],
			 0); /* parent and owner at once counts once */
	assert_int_equal(below->ns.held[NOOK_NS_HOW_OWNER], 1);
	assert_int_equal(net->ns.held[NOOK_NS_HOW_MOUNT], 1);
	assert_string_equal(net->ns.holders->path, "/run/netns/a");
	assert_int_equal(listed->ns.held[NOOK_NS_HOW_KERNEL], 1);
	nook_ns_graph_free(g);
}

static void keeps_few_holders_and_counts_all(void **state)
{
	struct nook_ns_graph *g = new_graph();
	struct nook_ns_node *node = nook_ns_node_add(g, NOOK_NS_NET, 1);
	struct nook_ns_holder fd = { .how = NOOK_NS_HOW_FD, .pid = 1 };
	struct nook_ns_holder thread = { .how = NOOK_NS_HOW_THREAD, .pid = 1, .tid = 2, .fd = -1 };
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		fd.fd = i;
		nook_ns_node_hold(g, node, &fd);
	}
	nook_ns_node_hold(g, node, &thread);
	for (const struct nook_ns_holder *h = node->ns.holders; h; h = h->next)
		n++;
	assert_int_equal(node->ns.held[NOOK_NS_HOW_FD], 1000);
	assert_int_equal(n, NOOK_NS_HOLDERS + 1);
	nook_ns_graph_free(g);
}

static void gives_names_once(void **state)
{
	struct nook_ns_graph *g = new_graph();

	(void)state;
	(void)nook_ns_node_add(g, NOOK_NS_NET, 1);
	assert_int_equal(nook_ns_graph_name(g, 1, NOOK_NS_NET, "a"), 0);
	assert_int_equal(nook_ns_graph_name(g, 1, NOOK_NS_NET, "b"), 0);
	assert_int_equal(nook_ns_graph_name(g, 1, NOOK_NS_NET, "a"), 0);
	assert_int_equal(nook_ns_graph_name(g, 1, NOOK_NS_UTS, "a"), -ENOENT);
	assert_string_equal(g->all[0]->names->name, "a");
	assert_string_equal(g->all[0]->names->next->name, "b");
	assert_null(g->all[0]->names->next->next);
	assert_ptr_equal(nook_ns_graph_named(g, "b", NOOK_NS_COUNT), g->all[0]);
	assert_null(nook_ns_graph_named(g, "b", NOOK_NS_UTS));
	nook_ns_graph_free(g);
}

/* The machine's own: as whoever runs the test. */
static void finds_its_own(void **state)
{
	struct nook_ns_graph *g = NULL;
	const struct nook_ns *at = NULL;

	(void)state;
	assert_int_equal(nook_ns_discover(NOOK_NS_NO_SOCKETS, &g, NULL), 0);
	assert_int_equal(nook_ns_graph_at(g, "/proc/self/ns/uts", &at, NULL), 0);
	assert_ptr_equal(at, g->own[NOOK_NS_UTS]);
	assert_non_null(nook_ns_graph_process(g, getpid()));
	assert_string_not_equal(nook_ns_command(g, nook_ns_graph_process(g, getpid())), "");

	auto_close int fd = nook_ns_open(g, at, NULL);

	assert_true(fd >= 0);
	assert_int_equal(nook_ns_graph_at(g, "/proc/self/status", &at, NULL), -EINVAL);
	nook_ns_graph_free(g);
}

static int says_much(int out, void *arg)
{
	for (int i = 0; i < 3000; i++) {
		if (write(out, "0123456789", 10) != 10)
			return -errno;
	}
	return *(int *)arg;
}

static void calls_inside(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	int answer = 0;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(
		nook_inside_call(NULL, 0, says_much, &answer, 1 << 20, &a, &text, &len, NULL), 0);
	assert_int_equal(len, 30000);
	assert_memory_equal(text + 29990, "0123456789", 10);
	assert_int_equal(nook_inside_call(NULL, 0, says_much, &answer, 8000, &a, &text, &len, NULL),
			 -EFBIG);
	answer = -EXDEV;
	assert_int_equal(
		nook_inside_call(NULL, 0, says_much, &answer, 1 << 20, &a, &text, &len, NULL),
		-EXDEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_links),
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(keeps_owners_and_drops_the_rest),
		cmocka_unit_test(keeps_few_holders_and_counts_all),
		cmocka_unit_test(gives_names_once),
		cmocka_unit_test(finds_its_own),
		cmocka_unit_test(calls_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
