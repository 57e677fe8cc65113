/* SPDX-License-Identifier: Apache-2.0 */
/* `nook-oci completion`: which shell's script is wanted, and what both have to know. */
#include "complete.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>

enum oci_complete oci_complete_value(const char *value)
{
	if (!value)
		return OCI_COMPLETE_NOTHING;
	if (strcmp(value, "DIR") == 0)
		return OCI_COMPLETE_DIR;
	if (strcmp(value, "FILE") == 0 || strcmp(value, "SOCKET") == 0)
		return OCI_COMPLETE_FILE;
	return strchr(value, '|') ? OCI_COMPLETE_WORDS : OCI_COMPLETE_NOTHING;
}

bool oci_complete_needs_value(const struct oci_option *o)
{
	return o->value && o->kind != OCI_OPTIONAL;
}

/* The container is not there yet. */
static bool makes_one(const struct oci_command *c)
{
	for (size_t i = 0; i < c->options->n; i++) {
		if (strcmp(c->options->rows[i].name, "bundle") == 0)
			return true;
	}
	return false;
}

static enum oci_complete by_name(const struct oci_command *c, const char *word, size_t len)
{
	static const struct {
		const char *word;
		enum oci_complete is;
	} rows[] = {
		{ "ID", OCI_COMPLETE_ID },           { "[SIGNAL]", OCI_COMPLETE_SIGNAL },
		{ "COMMAND", OCI_COMPLETE_PROGRAM }, { "[COMMAND]", OCI_COMPLETE_COMMAND },
		{ "[BUNDLE]", OCI_COMPLETE_DIR },    { "bash|zsh", OCI_COMPLETE_WORDS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].word) == len && memcmp(rows[i].word, word, len) == 0)
			return rows[i].is == OCI_COMPLETE_ID && makes_one(c) ? OCI_COMPLETE_NOTHING
									     : rows[i].is;
	}
	return OCI_COMPLETE_NOTHING;
}

enum oci_complete oci_complete_operand(const struct oci_command *c, size_t n)
{
	static const char options[] = "[OPTION...]";
	const char *at = c->synopsis;

	if (strncmp(at, options, strlen(options)) == 0)
		at += strlen(options);
	for (;;) {
		at += strspn(at, " ");

		size_t len = strcspn(at, " ");

		if (len == 0 || n-- == 0)
			return by_name(c, at, len);
		at += len;
	}
}

void oci_complete_put_words(FILE *out, const char *words, char between)
{
	for (; *words; words++)
		fputc(*words == '|' ? between : *words, out);
}

int oci_completion(struct oci *o, const void *words)
{
	struct nook_error err = { 0 };

	(void)words;
	if (strcmp(o->argv[0], "bash") == 0) {
		oci_complete_bash(stdout);
		return oci_print_end(o);
	}
	if (strcmp(o->argv[0], "zsh") == 0) {
		oci_complete_zsh(stdout);
		return oci_print_end(o);
	}
	nook_hint(&err, "source <(nook-oci completion bash)");
	(void)nook_refuse(&err, EINVAL, "nook-oci completion takes one word: bash or zsh");
	return oci_failed(o, &err);
}
