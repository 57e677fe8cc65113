/* SPDX-License-Identifier: Apache-2.0 */
#include "causes.h"
#include "causes_tables.h"
#include "base/own.h"

#include <string.h>

static const struct nook_cause_table *const tables[] = {
	&nook_causes_namespaces, &nook_causes_mounts,  &nook_causes_program,
	&nook_causes_limits,     &nook_causes_network,
};

const struct nook_known_cause *nook_known_cause_at(size_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (index < tables[i]->n)
			return &tables[i]->rows[index];
		index -= tables[i]->n;
	}
	return NULL;
}

const struct nook_known_cause *nook_known_cause(const char *id)
{
	const struct nook_known_cause *cause;

	for (size_t i = 0; (cause = nook_known_cause_at(i)); i++) {
		if (strcmp(cause->id, id) == 0)
			return cause;
	}
	return NULL;
}
