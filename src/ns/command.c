/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of the graph was executed with. Read when it is asked for: it costs the kernel a
 * look into the process' memory. */
#include "graph.h"

#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

#define COMMAND_MAX 200

static ssize_t read_file(int pid, const char *file, char *out, size_t size)
{
	char path[48];

	(void)nook_format(path, sizeof(path), "/proc/%d/%s", pid, file);

	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	return n;
}

static const char *read_command(struct nook_arena *a, int pid)
{
	char text[COMMAND_MAX + 1];
	ssize_t n = read_file(pid, "cmdline", text, sizeof(text));

	while (n > 0 && text[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\0')
			text[i] = ' '; /* between its words */
	}
	if (n > 0)
		return nook_strndup(a, text, (size_t)n);
	if (read_file(pid, "comm", text, sizeof(text)) <= 0)
		return "";
	text[strcspn(text, "\n")] = '\0';
	return nook_printf(a, "[%s]", text);
}

const char *nook_ns_command(struct nook_ns_graph *graph, const struct nook_ns_process *process)
{
	struct nook_ns_process *p = (struct nook_ns_process *)process;

	if (!p->command)
		p->command = read_command(&graph->store->arena, p->pid);
	return p->command;
}
