/* SPDX-License-Identifier: Apache-2.0 */
#include "generate.h"

#include <string.h>

static uint8_t class_of_unknown(void)
{
	for (size_t i = 0; i < list.n_classes; i++) {
		if (strcmp(list.classes[i].title, "refuse ENOSYS") == 0)
			return (uint8_t)i;
	}
	fail("no heading [refuse ENOSYS]");
}

static uint8_t class_of(size_t m, int32_t n, uint8_t unknown)
{
	for (size_t i = 0; i < list.n_calls; i++) {
		if (list.calls[i].number[m] == n && list.calls[i].class != NOOK_SECCOMP_NO_CLASS)
			return list.calls[i].class;
	}
	return unknown;
}

static void write_spans(FILE *out, size_t m, uint8_t unknown)
{
	uint8_t last = unknown;

	fprintf(out, "static const struct nook_seccomp_span spans_%s[] = {\n", machines[m].name);
	for (int32_t i = 0; i < MAX_COMMON + MAX_PRIVATE + 1; i++) {
		int32_t n = i < MAX_COMMON ? i : ARM_PRIVATE + i - MAX_COMMON;
		uint8_t class = class_of(m, n, unknown);

		if (i == 0 || class != last)
			fprintf(out, "\t{ %d, %u },\n", n, class);
		last = class;
	}
	if (last != unknown)
		fail("%s has calls past the numbers that are looked at", machines[m].name);
	fprintf(out, "};\n\n");
}

void write_tables(FILE *out)
{
	uint8_t unknown = class_of_unknown();

	fprintf(out, "/* Made by seccomp-generate of default.list. */\n"
		     "#include \"plan/seccomp_table.h\"\n\n"
		     "const struct nook_seccomp_class nook_seccomp_classes[] = {\n");
	for (size_t i = 0; i < list.n_classes; i++) {
		const struct nook_seccomp_class *c = &list.classes[i];

		fprintf(out, "\t{ \"%s\", 0x%llx, %u, %u, %u, %u, %u, { ", c->title,
			(unsigned long long)c->unless, c->errnum, c->test, c->arg, c->n_values,
			c->has_but);
		for (size_t v = 0; v < sizeof(c->values) / sizeof(c->values[0]); v++)
			fprintf(out, "%#x, ", c->values[v]);
		fprintf(out, "}, %#x },\n", c->but);
	}
	fprintf(out, "};\nconst size_t nook_n_seccomp_classes = %zu;\n\n", list.n_classes);

	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++)
		write_spans(out, m, unknown);
	fprintf(out,
		"const struct nook_seccomp_arch nook_seccomp_arches[NOOK_MACHINE_COUNT] = {\n");
	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++)
		fprintf(out,
			"\t{ \"%s\", %s, spans_%s, sizeof(spans_%s) / sizeof(spans_%s[0]) },\n",
			machines[m].name, machines[m].audit, machines[m].name, machines[m].name,
			machines[m].name);

	fprintf(out, "};\n\nconst struct nook_seccomp_call nook_seccomp_calls[] = {\n");
	for (size_t i = 0; i < list.n_calls; i++) {
		fprintf(out, "\t{ \"%s\", %u, { ", list.calls[i].name, list.calls[i].class);
		for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++)
			fprintf(out, "%d, ", list.calls[i].number[m]);
		fprintf(out, "} },\n");
	}
	fprintf(out, "};\nconst size_t nook_n_seccomp_calls = %zu;\n", list.n_calls);
}
