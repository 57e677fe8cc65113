/* SPDX-License-Identifier: Apache-2.0 */
/* Connects a container by pasta(1): from the outside. */
#include "pasta.h"

#include "base/own.h"
#include "base/text.h"
#include "create.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 30000 /* it takes some 15 */

static int make_keeper(struct nook_create *c, struct nook_pasta *p, struct nook_error *err)
{
	static _Alignas(16) char stack[65536];
	pid_t child = nook_vfork(nook_pasta_make_keeper, p, stack, sizeof(stack));

	if (child < 0)
		return nook_fail(err, -child, "clone(who makes pasta's keeper)");
	while (waitpid(child, NULL, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid(who makes pasta's keeper)");
	}
	if (p->keeper <= 0)
		return nook_fail(err, p->error ? p->error : EIO, "%s, for pasta",
				 p->call ? p->call : "make a process");

	/* Ours by CLONE_PARENT: its pid is no one else's before we have waited for it. */
	c->pasta = p->keeper;
	return 0;
}

int start_pasta(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	auto_close int userns = nook_procfs_open_ns(c->proc, c->pid, "user", err);
	auto_close int netns =
		userns < 0 ? NO_FD : nook_procfs_open_ns(c->proc, c->pid, "net", err);
	int tell[2], words[2];

	if (userns < 0 || netns < 0)
		return userns < 0 ? userns : netns;
	if (pipe2(tell, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");
	c->pasta_tells = tell[0];

	auto_close int tells = tell[1];

	if (pipe2(words, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");
	c->pasta_words = words[0];

	auto_close int says = words[1];
	struct nook_pasta p = {
		.argv = c->plan->pasta,
		.userns = userns,
		.netns = netns,
		.tell = tells,
		.words = says,
		.arena = c->stage.arena,
	};

	return make_keeper(c, &p, err);
}

void start_pasta_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	const char *words = "";

	for (size_t i = 0; plan->pasta[i]; i++)
		words = nook_printf(rows->arena, "%s%s%s", words, i ? " " : "", plan->pasta[i]);
	nook_show(rows, "the container's packets are sockets of a process outside",
		  "setns(PID/ns/user), unshare(NEWPID), execve(\"%s PID/ns/net\")", words);
}

/* ---- is it there? ---- */

/* 1: ready; 0: it has ended. */
static int wait_for_word(const struct nook_create *c, struct nook_error *err)
{
	struct pollfd fds[] = { { .fd = c->pasta_tells, .events = POLLIN },
				{ .fd = c->walk.interrupt, .events = POLLIN } };
	char word = 0;
	int n;

	do
		n = poll(fds, ARRAY_SIZE(fds), PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return nook_fail(err, errno, "poll(pasta)");
	if (n == 0)
		return nook_refuse(err, ETIMEDOUT, "pasta is not ready after %d seconds",
				   PATIENCE_MS / 1000);
	if (!fds[0].revents)
		return nook_fail(err, EINTR, "wait for pasta");
	return read(c->pasta_tells, &word, 1) == 1 && word == NOOK_PASTA_READY;
}

/* The last of its lines that is about us. */
static void read_words(int fd, char *out, size_t size)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	*out = '\0';
	text[n > 0 ? n : 0] = '\0';
	for (char *save = NULL, *l = strtok_r(text, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		if (!strstr(l, "to syslog"))
			(void)nook_format(out, size, "%s", l);
	}
}

/* What its words mean, as far as these are known: of passt 2023_03 to 2025. */
static int explain(const char *words, struct nook_error *err)
{
	if (strstr(words, "bind")) {
		nook_cause(err, "port-taken",
			   "a program listens there already, or the port is one of root's");
		nook_hint(err, "`ss -lntup` lists who listens; ports below /proc/sys/net/ipv4/"
			       "ip_unprivileged_port_start are root's");
		return EADDRINUSE;
	}
	if (strstr(words, "routable") || strstr(words, "External interface") ||
	    strstr(words, "template interface")) {
		nook_cause(err, "no-default-route", "the host has no default route");
		nook_hint(err, "see `ip route`; --net private needs no way out");
		return ENETUNREACH;
	}
	if (strstr(words, "tun")) {
		nook_cause(err, "no-tun", "pasta could not open /dev/net/tun");
		nook_hint(err,
			  "as root on the machine itself: modprobe tun; chmod 666 /dev/net/tun");
		return ENODEV;
	}
	nook_hint(err, "pasta(1) and its own words say more: `pasta --debug`");
	return EIO;
}

int nook_pasta_failed(int fd, struct nook_error *err)
{
	char words[256];

	read_words(fd, words, sizeof(words));
	return nook_refuse(err, explain(words, err), "pasta could not connect it: %s",
			   *words ? words : "it has ended and said nothing");
}

int await_pasta(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = wait_for_word(c, err);

	if (rc == 0)
		rc = nook_pasta_failed(c->pasta_words, err);
	close_fd(&c->pasta_tells);
	close_fd(&c->pasta_words);
	return rc < 0 ? rc : 0;
}

void await_pasta_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "its link, addresses and routes are there", "read(pipe)");
}

/* The keeper's end is that of all in its pid namespace: the kernel waits for them. */
int stop_pasta(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int status;

	close_fd(&c->pasta_tells);
	close_fd(&c->pasta_words);
	if (c->pasta <= 0)
		return 0;
	if (kill(c->pasta, SIGKILL) < 0 && errno != ESRCH)
		return nook_fail(err, errno, "kill %d, pasta's keeper", c->pasta);
	while (waitpid(c->pasta, &status, __WALL) < 0 && errno != ECHILD) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid %d, pasta's keeper", c->pasta);
	}
	c->pasta = 0;
	return 0;
}
