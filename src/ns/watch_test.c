/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include "base/own.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define SELF 42

struct message {
	struct nlmsghdr head;
	char rest[sizeof(struct cn_msg) + sizeof(struct proc_event)];
};

static struct message make(unsigned what, int parent)
{
	struct cn_msg cn = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(struct proc_event) };
	struct proc_event e;
	struct message m;

	memset(&m, 0, sizeof(m));
	memset(&e, 0, sizeof(e));
	memcpy(&e, &what, sizeof(what));
	if (what == PROC_EVENT_FORK)
		e.event_data.fork.parent_tgid = parent;
	if (what == PROC_EVENT_EXIT)
		e.event_data.exit.parent_tgid = parent;
	m.head.nlmsg_len = sizeof(m);
	memcpy(m.rest, &cn, sizeof(cn));
	memcpy(m.rest + sizeof(cn), &e, sizeof(e));
	return m;
}

static const struct {
	const char *name;
	unsigned what;
	int parent;
	bool told;
} events[] = {
	{ "a fork", PROC_EVENT_FORK, 7, true },
	{ "our own fork", PROC_EVENT_FORK, SELF, false },
	{ "an exec", PROC_EVENT_EXEC, 0, true },
	{ "an end", PROC_EVENT_EXIT, 7, true },
	{ "the end of our child", PROC_EVENT_EXIT, SELF, false },
	{ "the kernel's answer", PROC_EVENT_NONE, 0, false },
	{ "a new name", PROC_EVENT_COMM, 0, false },
	{ "what is not known yet", 0x00400000, 0, false },
};

static void test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct message m = make(events[i].what, events[i].parent);

		print_message("%s\n", events[i].name);
		assert_int_equal(nook_watch_message(&m, sizeof(m), SELF), events[i].told);
	}
}

static void test_messages_that_are_none(void **state)
{
	struct message m = make(PROC_EVENT_EXEC, 0);
	struct cn_msg cn;

	(void)state;
	for (size_t len = 0; len < sizeof(m); len++)
		assert_false(nook_watch_message(&m, len, SELF));

	m.head.nlmsg_len = 3;
	assert_false(nook_watch_message(&m, sizeof(m), SELF));
	m = make(PROC_EVENT_EXEC, 0);
	memcpy(&cn, m.rest, sizeof(cn));
	cn.len = 60000;
	memcpy(m.rest, &cn, sizeof(cn));
	assert_false(nook_watch_message(&m, sizeof(m), SELF));
	cn.len = sizeof(struct proc_event);
	cn.id.idx = 9;
	memcpy(m.rest, &cn, sizeof(cn));
	assert_false(nook_watch_message(&m, sizeof(m), SELF));
}

/* ---- comparing ---- */

struct told {
	char text[200];
};

static void tell(void *data, bool born, const struct nook_ns *ns)
{
	struct told *t = data;
	size_t len = strlen(t->text);

	(void)snprintf(t->text + len, sizeof(t->text) - len, "%c%d/%d ", born ? '+' : '-',
		       (int)ns->kind, (int)ns->inode);
}

static void test_compare(void **state)
{
	struct nook_ns user = { .kind = NOOK_NS_USER, .inode = 10 };
	struct nook_ns net = { .kind = NOOK_NS_NET, .inode = 5, .id = 1 };
	struct nook_ns again = { .kind = NOOK_NS_NET, .inode = 5, .id = 2 };
	struct nook_ns unknown = { .kind = NOOK_NS_NET, .inode = 5 };
	struct nook_ns *none[1] = { NULL };
	struct nook_ns *one[] = { &user, &net }, *two[] = { &user, &again };
	struct nook_ns *three[] = { &user, &unknown };
	struct nook_ns *only_net[] = { &net };
	const struct {
		struct nook_ns **before, **after;
		size_t n, m;
		const char *text;
	} rows[] = {
		{ one, one, 2, 2, "" },
		{ none, one, 0, 2, "+0/10 +5/5 " },
		{ one, none, 2, 0, "-0/10 -5/5 " },
		{ one, only_net, 2, 1, "-0/10 " },
		{ only_net, one, 1, 2, "+0/10 " },
		{ one, two, 2, 2, "-5/5 +5/5 " }, /* the inode was used again */
		{ one, three, 2, 2, "" },         /* no id: it may be the same */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nook_ns_graph before = { .all = rows[i].before, .n = rows[i].n };
		struct nook_ns_graph after = { .all = rows[i].after, .n = rows[i].m };
		struct told t = { "" };

		nook_watch_compare(&before, &after, tell, &t);
		assert_string_equal(t.text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_messages_that_are_none),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
