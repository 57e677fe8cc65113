/* SPDX-License-Identifier: Apache-2.0 */
/* What `nook ns ls`, `tree` and `show` share. */
#ifndef NOOK_CLI_NS_GRAPH_H
#define NOOK_CLI_NS_GRAPH_H

#include "base/json.h"
#include "nook/ns.h"

/* The graph with all names that nook knows. Return: -1: go on; else the exit status, the error was
 * shown. */
int nook_cli_ns_graph(struct nook_arena *a, unsigned flags, struct nook_ns_graph **ret);

/* Says on stderr what could not be seen; nothing when all was. */
void nook_cli_ns_unseen(const struct nook_ns_graph *g);

/* "fd 123/4, mount /run/netns/a +2"; with processes when @all. */
const char *nook_cli_ns_held(struct nook_arena *a, const struct nook_ns *ns, bool all);
/* One holder: "fd 123/4". */
const char *nook_cli_ns_holder(struct nook_arena *a, const struct nook_ns_holder *h);
/* "a, b" */
const char *nook_cli_ns_names(struct nook_arena *a, const struct nook_ns *ns);
/* "net:[4026531840]"; "-" for none. */
const char *nook_cli_ns_ref(struct nook_arena *a, const struct nook_ns *ns);
/* "123 (sh -c true)" */
const char *nook_cli_ns_first(struct nook_arena *a, struct nook_ns_graph *g,
			      const struct nook_ns *ns);

/* docs/ns-json.md: a namespace, a reference to one, and what could not be seen. @key as for
 * nook_json_object(). */
void nook_cli_ns_json(struct nook_json_writer *w, const char *key, struct nook_ns_graph *g,
		      const struct nook_ns *ns);
void nook_cli_ns_json_ref(struct nook_json_writer *w, const char *key, const struct nook_ns *ns);
void nook_cli_ns_json_unseen(struct nook_json_writer *w, const struct nook_ns_graph *g);
/* Ends the document. Return: the exit status. */
int nook_cli_ns_json_end(struct nook_json_writer *w);

#endif
