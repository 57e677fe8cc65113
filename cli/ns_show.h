/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_CLI_NS_SHOW_H
#define NOOK_CLI_NS_SHOW_H

#include "ns_graph.h"

struct nook_show {
	struct nook_arena *a;
	struct nook_ns_graph *g;
	struct nook_json_writer *w; /* NULL: text for people */
	bool verbose;
};

/* What is in a namespace, by its kind. What can't be read is said in its place. */
void nook_show_inside(const struct nook_show *s, const struct nook_ns *ns);

#endif
