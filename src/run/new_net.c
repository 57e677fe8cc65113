/* SPDX-License-Identifier: Apache-2.0 */
#include "new_net.h"

#include "base/own.h"
#include "sys/call.h"
#include "sys/loopback.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/wait.h>

#define STACK_SIZE 16384

/* In our memory, and given back before we end. */
struct nook_new_net {
	pid_t maker;
	int fd;
	const char *failed; /* the call; NULL: none */
	int errnum;
	_Alignas(16) char stack[STACK_SIZE];
};

bool nook_new_net_beside(const struct nook_plan *plan)
{
	return plan->net_beside;
}

static int fail(struct nook_new_net *n, long rc, const char *call)
{
	n->failed = call;
	n->errnum = (int)-rc;
	return 1;
}

/*
 * The maker: calls of the kernel's, since the C library would take it for its parent. errno is the
 * parent's as well, but written to by a call that fails only, after which there is no container.
 */
static int make_network(void *arg)
{
	struct nook_new_net *n = arg;
	const char *call;
	int s;
	long rc = NOOK_CALL(SYS_unshare, CLONE_NEWNET);

	if (rc < 0)
		return fail(n, rc, "unshare(CLONE_NEWNET)");

	/* The namespace by a socket in it: no path leads astray, and the parent has the same
	 * descriptors as we. */
	rc = nook_loopback_up(&s, &call);
	if (rc == 0) {
		call = "ioctl(SIOCGSKNS)";
		rc = NOOK_CALL(SYS_ioctl, s, SIOCGSKNS);
	}
	if (s >= 0)
		(void)syscall(SYS_close, s); /* the namespace has its own holder now */
	if (rc < 0)
		return fail(n, rc, call);
	n->fd = (int)rc;
	return 0;
}

/* Return: 0 when it is there, or was told why not. */
static int await_maker(struct nook_new_net *n, struct nook_error *err)
{
	int status;

	if (n->maker <= 0)
		return 0;
	while (waitpid(n->maker, &status, __WALL) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid(maker of the network namespace)");
	}
	n->maker = 0;
	if (n->failed)
		return nook_fail(err, n->errnum, "%s", n->failed);
	if (n->fd < 0)
		return nook_refuse(err, EPIPE,
				   "the maker of the network namespace ended with status 0x%x",
				   status);
	return 0;
}

/* The scheduler may queue it behind us: then it would begin when we wait for it. What it is told is
 * lost with it; where there is no other CPU, or we may not, it is as it is. */
static void send_away(pid_t maker)
{
	cpu_set_t cpus;
	int here = sched_getcpu();

	if (here < 0 || sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return;
	CPU_CLR((size_t)here, &cpus);
	if (CPU_COUNT(&cpus) > 0)
		(void)sched_setaffinity(maker, sizeof(cpus), &cpus);
}

int nook_new_net_begin(struct nook_arena *a, struct nook_new_net **ret, struct nook_error *err)
{
	struct nook_new_net *n = nook_alloc(a, sizeof(*n));

	n->fd = NO_FD;
	n->maker = nook_clone_beside(make_network, n, n->stack, sizeof(n->stack));
	if (n->maker < 0)
		return nook_fail(err, -n->maker, "clone(maker of the network namespace)");
	send_away(n->maker);
	*ret = n;
	return 0;
}

int begin_network(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return c->new_net ? 0 : nook_new_net_begin(c->stage.arena, &c->new_net, err);
}

void begin_network_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "a child in our memory makes it, while we go on",
		  "clone(VM|FILES), unshare(CLONE_NEWNET)");
	nook_show(rows, "loopback up", "ioctl(SIOCSIFFLAGS, lo IFF_UP)");
	nook_show(rows, "what is entered", "ioctl(SIOCGSKNS)");
}

int take_network(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = await_maker(c->new_net, err);

	if (rc < 0)
		return rc;
	c->walk.send_fd = move_fd(&c->new_net->fd);
	return 0;
}

void take_network_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "the network namespace is there", "waitpid(its maker)");
}

void nook_new_net_end(struct nook_new_net *n)
{
	if (!n)
		return;
	(void)await_maker(n, NULL); /* why it failed was told, or is of no interest now */
	close_fd(&n->fd);
}

int end_network(void *ctx, struct nook_error *err)
{
	(void)err;
	nook_new_net_end(((struct nook_create *)ctx)->new_net);
	return 0;
}
