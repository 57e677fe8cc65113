/* SPDX-License-Identifier: Apache-2.0 */
/* The path that a packet would take, and where it would stop: `nook net explain`. */
#ifndef NOOK_RUN_NET_EXPLAIN_H
#define NOOK_RUN_NET_EXPLAIN_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/net_addr.h"

#include <stdint.h>

enum nook_explain_result {
	NOOK_EXPLAIN_PASSES,
	NOOK_EXPLAIN_SUSPECT, /* may drop it; that was not found out */
	NOOK_EXPLAIN_UNKNOWN, /* could not be looked at */
	NOOK_EXPLAIN_STOPS,
};

struct nook_explain_step {
	enum nook_explain_result result;
	const char *what;  /* "route", "link", "pair", "bridge", "forward", "rules", "nat",
			      "listener",  "way back" */
	const char *where; /* the namespace: "host", "blue" */
	const char *
		text; /* a sentence without its full stop; may hold others' texts: names of links */
	const char *hint; /* of STOPS and SUSPECT: what to do; NULL */
};

enum nook_explain_verdict {
	NOOK_EXPLAIN_ARRIVES, /* nothing was found that stops it */
	NOOK_EXPLAIN_LEAVES,  /* it leaves this machine, or for where nobody looks */
	NOOK_EXPLAIN_STUCK,   /* the last step says where */
};

struct nook_explanation {
	const char *from, *to;        /* as they were named */
	struct nook_net_addr address; /* of TO, that was chosen; family 0: it has none */
	uint8_t protocol;             /* IPPROTO_TCP, IPPROTO_UDP; 0: no port was named */
	uint16_t port;
	struct nook_explain_step *steps;
	size_t n;
	enum nook_explain_verdict verdict;
};

/**
 * nook_net_explain() - walk from one namespace to another, or to an address
 * @from: "host", a container, a kept name, a pid, a path; or an address, for what comes from
 * outside
 * @to:   the same, then ":PORT" and "/udp" perhaps: "blue:80", "10.88.0.2:53/udp", "[fd00::2]:80"
 *
 * Reads only, no packet is sent. Return: 0, also when it stops on the way; -EINVAL, -ENOENT,
 * -ESRCH: there is no such place; others.
 */
int nook_net_explain(const char *state_dir, const char *from, const char *to, struct nook_arena *a,
		     struct nook_explanation *ret, struct nook_error *err);

#endif
