/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `nook check`: the machine, and the pages about causes. */
#ifndef NOOK_CLI_CHECK_H
#define NOOK_CLI_CHECK_H

#include "host/causes.h"
#include "host/probes.h"

#include <stdbool.h>
#include <stdio.h>

/* Adds the last line: runs a container with the defaults. */
void nook_check_run(struct nook_probes *probes);

/* What the probes found, a line each; for what doesn't work the cause and the fix below. */
void nook_check_print(FILE *out, const struct nook_probes *probes, bool colour);

/* The same as JSON, schema version 1: docs/check.md. Return: 0 or a negative errno of @out. */
int nook_check_print_json(FILE *out, const struct nook_probes *probes);

/* One cause as a page: for a terminal, as a section of docs/errors.md, as JSON. */
void nook_cause_print(FILE *out, const struct nook_known_cause *cause);
int nook_cause_print_json(FILE *out, const struct nook_known_cause *cause);

/* All ids with their titles, a line each. */
void nook_causes_list(FILE *out);
/* docs/errors.md as a whole. */
void nook_causes_markdown(FILE *out);
/* All pages: for a terminal, or as a JSON array. */
void nook_causes_print(FILE *out);
int nook_causes_print_json(FILE *out);

#endif
