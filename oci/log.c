/* SPDX-License-Identifier: Apache-2.0 */
/* The log as logrus writes it, which engines read: a line for each message, appended in one write.
 */
#include "oci.h"

#include "base/own.h"
#include "base/report.h"
#include "base/text.h"
#include "host/causes.h"
#include "message.h"
#include "nook/container.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#define MAX_TEXT 2048
#define MAX_LINE (2 * MAX_TEXT + 128)

/* @text is UTF-8 without control characters. */
static void quote(const char *text, char *out, size_t size)
{
	size_t at = 0;

	for (; *text && at + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at] = '\0';
}

static void append(const struct oci *o, const char *line, size_t len)
{
	const char *file = o->globals.log;
	auto_close int fd = NO_FD;

	if (file && file[0])
		fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0644);
	/* Twice: a lack of memory may have passed. There is nobody else to tell. */
	if (write(fd >= 0 ? fd : STDERR_FILENO, line, len) < 0)
		(void)!write(fd >= 0 ? fd : STDERR_FILENO, line, len);
}

void oci_log(const struct oci *o, const char *level, const char *text)
{
	char safe[MAX_TEXT], quoted[2 * MAX_TEXT], now[40], line[MAX_LINE];

	(void)nook_safe_text(safe, sizeof(safe), text);
	quote(safe, quoted, sizeof(quoted));
	oci_time_text((int64_t)time(NULL), 0, now);

	size_t len;

	if (o->log_json)
		len = nook_format(line, sizeof(line),
				  "{\"level\":\"%s\",\"msg\":\"%s\",\"time\":\"%s\"}\n", level,
				  quoted, now);
	else
		len = nook_format(line, sizeof(line), "time=\"%s\" level=%s msg=\"%s\"\n", now,
				  level, quoted);
	append(o, line, len);
}

void oci_warn(void *o, const char *text)
{
	oci_log(o, "warning", text);
}

int oci_failed(const struct oci *o, const struct nook_error *err)
{
	const char *command = o->command ? o->command->name : "";
	char text[MAX_TEXT];

	oci_message(command, err, text, sizeof(text) - 1);
	oci_log(o, "error", text);
	/* Engines read the file or stderr, so it goes to both; without a file it has been there. */
	if (o->globals.log && o->globals.log[0]) {
		size_t len = strlen(text);

		text[len] = '\n';
		(void)!write(STDERR_FILENO, text, len + 1); /* there is nobody else to tell */
	}
	return strcmp(command, "exec") == 0 ? OCI_EXEC_FAILURE : OCI_FAILURE;
}

int oci_failed_why(const struct oci *o, struct nook_error *err, const char *bundle)
{
	const char *roots[] = { bundle ? nook_printf(o->arena, "%s/rootfs", bundle) : NULL };
	struct nook_explain_context ctx = { .engine = true,
					    .roots = roots,
					    .n_roots = bundle ? 1 : 0 };

	if (oci_message_of_call(err) || err->id[0])
		nook_explain(err, &ctx);
	return oci_failed(o, err);
}

static void trace_row(void *data, const struct nook_trace_row *row)
{
	char text[MAX_TEXT];

	(void)nook_format(text, sizeof(text), "%s %s: %s (%lu µs)",
			  row->inside ? "inside" : "outside", row->name, row->call ? row->call : "",
			  (unsigned long)((row->nanoseconds + 500) / 1000)); /* cut when full */
	oci_log(data, "debug", text);
}

const struct nook_trace *oci_trace(struct oci *o)
{
	static struct nook_trace trace = { .row = trace_row };

	trace.data = o;
	return o->globals.debug ? &trace : NULL;
}
