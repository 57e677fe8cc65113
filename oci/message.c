/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "base/report.h"
#include "base/text.h"
#include "stage/stage.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define MAX 2048

/* "no such file or directory": as Go writes it. */
static void lower_errno(int errnum, char *out, size_t size)
{
	const char *means = strerrordesc_np(errnum);

	(void)nook_format(out, size, "%s", means ? means : "unknown error"); /* cut when full */
	if (out[0] && !isupper((unsigned char)out[1])) /* "RFS specific error" stays */
		out[0] = (char)tolower((unsigned char)out[0]);
}

/* The call's own text without what errno means behind it. Return: its length. */
static size_t call_length(const struct nook_error *err)
{
	const char *means = strerrordesc_np(err->errnum);
	size_t len = strlen(err->why), tail = means ? strlen(means) : 0;

	if (tail && len > tail + 2 && strcmp(err->why + len - tail, means) == 0 &&
	    strncmp(err->why + len - tail - 2, ": ", 2) == 0)
		return len - tail - 2;
	return len;
}

bool oci_message_of_call(const struct nook_error *err)
{
	return err->why[call_length(err)] != '\0';
}

#define NOT_FOUND ": command not found in the container"

/* Did execve(2) itself refuse? src/stage/program.c says "execve PATH: …" and "NAME: command not
 * found in the container". */
static bool is_exec(const struct nook_error *err)
{
	return nook_starts(err->why, "execve ") || strcmp(err->id, "command-not-found") == 0;
}

/* In runc's words. */
static void exec_text(const struct nook_error *err, char *out, size_t size)
{
	const char *name = nook_after(err->why, "execve ");
	size_t len = name ? call_length(err) - (size_t)(name - err->why) : 0;
	char means[96];

	if (!name) {
		const char *end = strstr(err->why, NOT_FOUND);

		name = err->why;
		len = end ? (size_t)(end - name) : strlen(name);
	}
	lower_errno(err->errnum, means, sizeof(means));
	if (!memchr(name, '/', len) && err->errnum == ENOENT)
		(void)nook_format(out, size, "exec: \"%.*s\": executable file not found in $PATH",
				  (int)len, name);
	else if (strcmp(err->id, "command-not-found") == 0)
		(void)nook_format(out, size, "exec: \"%.*s\": stat %.*s: %s", (int)len, name,
				  (int)len, name, means);
	else /* a directory is what may not be executed: engines look for that */
		(void)nook_format(out, size, "exec: \"%.*s\": %s%s", (int)len, name, means,
				  err->errnum == EISDIR ? ": permission denied" : "");
}

static void why_text(const struct nook_error *err, char *out, size_t size)
{
	size_t len = call_length(err);
	char means[96];

	lower_errno(err->errnum, means, sizeof(means));
	if (err->why[len])
		(void)nook_format(out, size, "%.*s: %s", (int)len, err->why, means);
	else
		(void)nook_format(out, size, "%s", err->why);
}

static size_t add(char *out, size_t size, size_t at, const char *before, const char *text,
		  const char *after)
{
	return at + nook_format(out + at, size - at, "%s%s%s", before, text, after);
}

void oci_message(const char *command, const struct nook_error *err, char *out, size_t size)
{
	bool exec = strcmp(err->wanted, NOOK_WANTED_EXEC) == 0 && is_exec(err);
	char text[MAX], why[sizeof(err->why) * 2];
	size_t at = 0;

	text[0] = '\0';
	if (strcmp(command, "exec") == 0)
		at = add(text, sizeof(text), at, "exec failed: ", "", "");
	if (exec) {
		at = add(text, sizeof(text), at, "unable to start container process: ", "", "");
		exec_text(err, why, sizeof(why));
	} else {
		if (err->wanted[0])
			at = add(text, sizeof(text), at, "cannot ", err->wanted,
				 err->where[0] ? "" : ": ");
		if (err->where[0] && err->wanted[0])
			at = add(text, sizeof(text), at, " (", err->where, "): ");
		else if (err->where[0])
			at = add(text, sizeof(text), at, "", err->where, ": ");
		why_text(err, why, sizeof(why));
	}
	at = add(text, sizeof(text), at, why, "", "");

	/* The words before say it all. */
	if (!(exec && strcmp(err->id, "command-not-found") == 0)) {
		if (err->cause[0])
			at = add(text, sizeof(text), at, ": ", err->cause, "");
		if (err->cause[0] && err->id[0])
			at = add(text, sizeof(text), at, " [", err->id, "]");
		if (err->hint[0])
			at = add(text, sizeof(text), at, "; try: ", err->hint, "");
	}
	(void)nook_safe_text(out, size, text); /* cut when full */
}
