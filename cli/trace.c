/* SPDX-License-Identifier: Apache-2.0 */
/* --trace: the two lists as they are carried out. */
#include "options.h"

#include "base/report.h"
#include "nook/container.h"

static struct {
	unsigned rows;
	uint64_t nanoseconds;
	char line[4096]; /* a line is one write: the program's own output may come between lines */
} sum;

static void print_padded(const char *text, int width)
{
	nook_print_safe(stderr, text);
	for (; *text; text++)
		width -= (*text & 0xc0) != 0x80; /* a character of UTF-8, not its further bytes */
	for (; width > 0; width--)
		fputc(' ', stderr);
}

static void print_row(void *data, const struct nook_trace_row *row)
{
	(void)data;
	if (sum.rows++ == 0) {
		(void)setvbuf(stderr, sum.line, _IOLBF,
			      sizeof(sum.line)); /* it may stay as it is */
		fprintf(stderr, "%-8s %-20s %12s  %-48s %s\n", "side", "step", "time", "calls",
			"purpose");
	}
	/* What is done inside passes while we wait for it outside. */
	if (!row->inside)
		sum.nanoseconds += row->nanoseconds;

	/* Two bytes for one column: the micro sign. */
	fprintf(stderr, "%-8s %-20s %9lu µs  ", row->inside ? "inside" : "outside", row->name,
		(unsigned long)((row->nanoseconds + 500) / 1000));
	print_padded(row->call ? row->call : "", 48);
	fputc(' ', stderr);
	nook_print_safe(stderr, row->what ? row->what : "");
	fputc('\n', stderr);
}

const struct nook_trace *nook_cli_trace(void)
{
	static const struct nook_trace trace = { .row = print_row };

	return &trace;
}

void nook_cli_trace_end(void)
{
	if (sum.rows == 0)
		return;
	fprintf(stderr, "%-8s %-20u %9lu µs\n", "total", sum.rows,
		(unsigned long)((sum.nanoseconds + 500) / 1000));
	(void)fflush(stderr); /* nobody is left to tell */
}
