/* SPDX-License-Identifier: Apache-2.0 */
/* Net namespaces that no process is in, and who keeps them. */
#include <nook/nook.h>
#include <stdio.h>

int main(void)
{
	struct nook_error err = { 0 };
	struct nook_ns_graph *graph;

	if (nook_ns_discover(0, &graph, &err) < 0) {
		fprintf(stderr, "%s\n", err.why);
		return 1;
	}
	for (size_t i = 0; i < graph->n; i++) {
		const struct nook_ns *ns = graph->all[i];

		if (ns->kind != NOOK_NS_NET || ns->first)
			continue;
		printf("net:[%llu]\n", (unsigned long long)ns->inode);
		for (const struct nook_ns_holder *h = ns->holders; h; h = h->next)
			printf("  %s of process %d\n", nook_ns_how_word(h->how), h->pid);
	}
	nook_ns_graph_free(graph);
	return 0;
}
