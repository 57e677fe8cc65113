/* SPDX-License-Identifier: Apache-2.0 */
/* The way out of an ordinary user's networks. */
#include "net_home.h"

#include "base/own.h"
#include "base/text.h"
#include "host/host.h"
#include "nook/ns_names.h"
#include "nook/plan.h"
#include "nook/spec.h"
#include "run/pasta.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As for a container of its own: the same words. */
static int plan_pasta(struct nook_arena *a, struct nook_plan *plan, struct nook_error *err)
{
	static const char *argv[] = { "true", NULL };
	const struct nook_spec spec = {
		.name = NOOK_NET_HOME,
		.net = NOOK_NET_USER,
		.net_from = "a network of yours",
		.root = { .kind = NOOK_ROOT_DIR, .dir = { "/", NULL } },
		.argv = argv,
		.cwd = "/",
		.seccomp = NOOK_SECCOMP_OFF,
		.init = NOOK_NO,
		.terminal = NOOK_NO,
	};
	struct nook_host *host = nook_alloc(a, sizeof(*host));
	int rc = nook_host_probe(a, &spec, host, err);

	return rc < 0 ? rc : nook_plan_build(a, &spec, host, plan, err);
}

static _Noreturn void give_up(const struct nook_pasta *p, const char *call, int error)
{
	char text[300];
	size_t len = nook_format(text, sizeof(text), "%s: %s\n", call, strerrordesc_np(error));

	_exit(write(p->words, text, len) < 0 ? 126 : 125); /* nobody else to tell */
}

/* pasta's first process ends when it is ready; the one that goes on is nook-hold's, pid 1 of that
 * pid namespace. */
static _Noreturn void start(struct nook_pasta *p, int pidns, const char *netns)
{
	int status, rc;

	p->netns = pidns; /* what is to stay open */
	if (nook_pasta_enter(p) != 0)
		give_up(p, p->call, p->error);
	rc = nook_setns(pidns, CLONE_NEWPID);
	if (rc < 0)
		give_up(p, "setns(the pid namespace of your networks)", -rc);

	pid_t first = nook_clone(0, NO_FD, NULL);

	if (first == 0)
		nook_pasta_exec(p, netns);
	while (first > 0 && waitpid(first, &status, 0) < 0 && errno == EINTR)
		;
	_exit(first > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 125);
}

static int run(struct nook_pasta *p, int pidns, const char *netns, struct nook_error *err)
{
	int words[2], status = 0;

	if (pipe2(words, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	auto_close int hear = words[0], say = words[1];

	p->words = say;

	pid_t child = nook_clone(0, NO_FD, NULL);

	if (child == 0)
		start(p, pidns, netns);
	if (child < 0)
		return nook_fail(err, -child, "clone3");
	close_fd(&say);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid(who starts pasta)");
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : nook_pasta_failed(hear, err);
}

int nook_net_home_connect(const struct nook_ns_name *home, struct nook_arena *a,
			  struct nook_error *err)
{
	struct nook_plan *plan = nook_alloc(a, sizeof(*plan));
	struct nook_pasta p = { .tell = NO_FD, .netns = NO_FD };
	char netns[64];
	int rc = plan_pasta(a, plan, err);

	if (rc < 0)
		return rc;
	(void)nook_format(netns, sizeof(netns), "/proc/%d/ns/net", home->holder); /* it fits */
	p.argv = plan->pasta;

	auto_close int user = nook_net_home_open(home, NOOK_NS_USER, err);
	auto_close int pid = user < 0 ? NO_FD : nook_net_home_open(home, NOOK_NS_PID, err);

	if (user < 0 || pid < 0)
		return user < 0 ? user : pid;
	p.userns = user;
	return run(&p, pid, netns, err);
}
