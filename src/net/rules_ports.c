/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports in the table inet nook. */
#include "outside.h"
#include "rules.h"

#include "base/arena.h"
#include "base/own.h"

#include <string.h>

/* Most containers publish a few ports: these need no memory of their own. */
struct room {
	char few[8192];
	struct nook_arena many;
	char *buffer;
	size_t size;
};

static int make_room(struct room *r, size_t bytes, struct nook_error *err)
{
	r->many = (struct nook_arena){ 0 };
	r->buffer = r->few;
	r->size = sizeof(r->few);
	if (bytes <= r->size)
		return 0;

	int rc = nook_arena_open(&r->many, err);

	if (rc < 0)
		return rc;
	r->buffer = nook_alloc(&r->many, bytes);
	r->size = bytes;
	return 0;
}

static void put_all(struct nook_nft *t, const struct nook_plan_port *ports, size_t n, bool remove)
{
	for (size_t i = 0; i < n; i++)
		nook_rules_put_port(t, &ports[i], 0, ports[i].count, remove);
}

static int add(int fd, struct room *r, const struct nook_plan_port *ports, size_t n, bool table,
	       struct nook_nl_refusal *refusal)
{
	struct nook_nft t;

	nook_nft_begin(&t, r->buffer, r->size, NOOK_RULES_TABLE);
	if (table) {
		unsigned guard = 0;
		int rc = nook_forwarding_ours(NULL, &guard, NULL);

		if (rc < 0)
			return rc;
		nook_rules_put_table(&t);
		nook_rules_put_guard(&t, guard);
	}
	put_all(&t, ports, n, false);
	return nook_nft_commit(fd, &t, refusal);
}

static int remove_ports(int fd, struct room *r, const struct nook_plan_port *ports, size_t n,
			nook_nft_wanted *wanted, struct nook_nl_refusal *refusal)
{
	struct nook_nft t;

	nook_nft_begin(&t, r->buffer, r->size, NOOK_RULES_TABLE);
	nook_nft_filter(&t, wanted, &fd);
	put_all(&t, ports, n, true);
	return nook_nft_commit(fd, &t, refusal);
}

static size_t bytes_for(const struct nook_plan_port *ports, size_t n, bool table)
{
	return nook_rules_ports_bytes(ports, n) + (table ? NOOK_RULES_TABLE_BYTES : 0);
}

static int publish(int fd, const struct nook_plan_port *ports, size_t n, bool table,
		   struct nook_nl_refusal *refusal, struct nook_error *err)
{
	struct room r;
	int rc = make_room(&r, bytes_for(ports, n, table), err);

	*refusal = (struct nook_nl_refusal){ 0 };
	if (rc == 0)
		rc = add(fd, &r, ports, n, table, refusal);
	/* A key that leads elsewhere: the port is ours, so that who had it before is dead. */
	bool again = rc == -EBUSY || rc == -EEXIST;

	if (again)
		rc = remove_ports(fd, &r, ports, n, nook_rules_is_there, refusal);
	if (rc == 0 && again)
		rc = add(fd, &r, ports, n, table, refusal);
	nook_arena_free(&r.many);
	return rc;
}

int nook_rules_publish(const struct nook_plan_port *ports, size_t n, struct nook_error *err)
{
	struct nook_nl_refusal refusal = { 0 };
	bool ours = n && !nook_net_apart(); /* there the relay serves them */
	auto_close int fd = ours ? nook_rules_open(err) : NO_FD;

	if (!ours)
		return 0;
	if (fd < 0)
		return fd;

	int have = nook_rules_have_table(fd);
	int rc = have < 0 ? have : publish(fd, ports, n, !have, &refusal, err);

	if (rc == -ENOENT && have) /* it lacks a map */
		rc = publish(fd, ports, n, true, &refusal, err);
	if (rc < 0)
		return nook_rules_fail(rc, &refusal, err, "publish ports");
	nook_rules_forget(ports, n, false);
	return 0;
}

int nook_rules_unpublish(const struct nook_plan_port *ports, size_t n, struct nook_error *err)
{
	struct nook_nl_refusal refusal = { 0 };
	struct room r;
	auto_close int fd = NO_FD;
	int rc = n && !nook_net_apart() ? nook_rules_open_table(&fd, err) : 0;

	if (rc <= 0)
		return rc;
	rc = make_room(&r, bytes_for(ports, n, false), err);
	if (rc < 0)
		return rc;
	rc = remove_ports(fd, &r, ports, n, NULL, &refusal);
	/* The kernel refuses all because of one that is not there. */
	if (rc == -ENOENT)
		rc = remove_ports(fd, &r, ports, n, nook_rules_is_there, &refusal);
	nook_arena_free(&r.many);
	if (rc < 0)
		return nook_rules_fail(rc, &refusal, err, "unpublish ports");
	nook_rules_forget(ports, n, true);
	return 0;
}
