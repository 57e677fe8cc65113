/* SPDX-License-Identifier: Apache-2.0 */
#include "command_words.h"
#include "state_json.h"

#include "base/json.h"
#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#define AT(member) offsetof(struct oci_ps_words, member)

static const struct oci_option rows[] = {
	{ "format", 'f', OCI_TEXT, AT(format), "table|json", "how to print them; default: table" },
	OCI_HELP_ROW,
};

const struct oci_table oci_ps_table = { .rows = rows, .n = ARRAY_SIZE(rows), .in_order = true };

static int print_json(struct oci *o, const int *pids, size_t n)
{
	struct nook_json_writer w;
	const char *text;
	size_t len;

	nook_json_to_arena(&w, o->arena, false);
	nook_json_array(&w, NULL);
	for (size_t i = 0; i < n; i++)
		nook_json_put_i64(&w, NULL, pids[i]);
	nook_json_end(&w);
	(void)nook_json_finish(&w, &text, &len); /* into memory: can't fail */
	return oci_print(o, text, len);
}

/* The number of the word "PID" in ps' heading; -1: it has none. */
static int pid_column(const char *heading)
{
	int column = 0;

	for (const char *p = heading + strspn(heading, " \t"); *p && *p != '\n'; column++) {
		size_t len = strcspn(p, " \t\n");

		if (len == 3 && strncmp(p, "PID", 3) == 0)
			return column;
		p += len;
		p += strspn(p, " \t");
	}
	return -1;
}

static bool has_pid(const char *line, int column, const int *pids, size_t n)
{
	const char *p = line + strspn(line, " \t");

	while (column-- > 0) {
		p += strcspn(p, " \t\n");
		p += strspn(p, " \t");
	}
	for (size_t i = 0; i < n; i++) {
		if (atoi(p) == pids[i])
			return true;
	}
	return false;
}

static int filter(FILE *table, const int *pids, size_t n, struct nook_error *err)
{
	auto_free char *line = NULL;
	size_t size = 0;
	int column = -1;

	for (bool first = true; getline(&line, &size, table) > 0; first = false) {
		if (first)
			column = pid_column(line);
		if (column < 0) {
			nook_hint(err, "let ps print it: nook-oci ps ID -o pid,args");
			return nook_refuse(err, EINVAL, "the table of ps has no column PID");
		}
		if (first || has_pid(line, column, pids, n))
			fputs(line, stdout);
	}
	return 0;
}

/* Begins ps(1) as the shell would. */
static int begin_ps(char **words, FILE **ret, pid_t *ret_pid, struct nook_error *err)
{
	char *by_default[] = { (char[]){ "ps" }, (char[]){ "-ef" }, NULL };
	char **argv = words[0] ? words - 1 : by_default;
	int ends[2];

	if (words[0])
		argv[0] = by_default[0]; /* where the id stood */
	if (pipe2(ends, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	pid_t pid = vfork();

	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			(void)execvp("ps", argv);
		_exit(127);
	}
	close_fd(&ends[1]);
	if (pid < 0) {
		close_fd(&ends[0]);
		return nook_fail(err, errno, "vfork");
	}
	*ret = fdopen(ends[0], "r");
	*ret_pid = pid;
	if (*ret)
		return 0;
	close_fd(&ends[0]);
	return nook_fail(err, errno, "fdopen");
}

static int print_table(struct oci *o, const int *pids, size_t n)
{
	struct nook_error err = { 0 };
	auto_fclose FILE *table = NULL;
	pid_t pid = -1;
	int status = 0, rc = begin_ps(o->argv + 1, &table, &pid, &err);

	if (rc == 0)
		rc = filter(table, pids, n, &err);
	close_file(&table);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
			nook_hint(&err, "install ps (procps), or use --format json");
		rc = nook_refuse(&err, EIO, "ps failed, with the status %d", WEXITSTATUS(status));
	}
	return rc < 0 ? oci_failed(o, &err) : oci_print_end(o);
}

int oci_ps(struct oci *o, const void *words)
{
	const struct oci_ps_words *w = words;
	struct nook_error err = { 0 };
	int *pids = NULL;
	size_t n = 0;
	bool json;

	if (oci_format(w->format, &json, &err) < 0 ||
	    nook_oci_pids(o->root, o->argv[0], o->arena, &pids, &n, &err) < 0)
		return oci_failed(o, &err);
	return json ? print_json(o, pids, n) : print_table(o, pids, n);
}
