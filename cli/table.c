/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "base/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16

size_t nook_cli_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* Printable ASCII is shown as it is. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

const char *nook_cli_safe(struct nook_arena *a, const char *text)
{
	char *made = NULL;
	size_t size = 0;
	FILE *f = is_plain(text) ? NULL : open_memstream(&made, &size);

	if (!f)
		return is_plain(text) ? text : "?";
	nook_print_safe(f, text);

	const char *copy = fclose(f) == 0 ? nook_strdup(a, made) : "?";

	free(made);
	return copy;
}

const char *nook_cli_cut(struct nook_arena *a, const char *text, size_t width)
{
	size_t end = 0;

	if (nook_cli_columns(text) <= width)
		return text;
	for (size_t n = 0; n < width || (text[end] & 0xc0) == 0x80; end++)
		n += (text[end] & 0xc0) != 0x80;
	return nook_printf(a, "%.*s…", (int)end - 1, text);
}

void nook_cli_table(const char *const *cells, size_t n_rows, size_t n_columns)
{
	size_t width[COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < n_rows * n_columns; i++) {
		size_t w = nook_cli_columns(cells[i]);

		if (w > width[i % n_columns])
			width[i % n_columns] = w;
	}
	for (size_t r = 0; r < n_rows; r++) {
		const char *const *row = &cells[r * n_columns];
		size_t last = n_columns;

		while (last > 0 && !row[last - 1][0])
			last--;
		for (size_t c = 0; c < last; c++)
			printf("%s%*s", row[c],
			       c + 1 < last ? (int)(width[c] - nook_cli_columns(row[c]) + 2) : 0,
			       "");
		putchar('\n');
	}
}
