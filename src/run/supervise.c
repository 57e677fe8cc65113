/* SPDX-License-Identifier: Apache-2.0 */
#include "run/terminal.h"
#include "run/pump.h"
#include "run/tty.h"

#include "base/own.h"
#include "stage/init.h"
#include "sys/pidfd.h"
#include "sys/trim.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

struct supervisor {
	int pidfd, pid;
	int signals;                            /* signalfd */
	const struct nook_supervise_also *also; /* NULL: nothing */

	bool terminal; /* the program has a pty */
	bool keyboard; /* and our stdin is a terminal */
	bool plain;    /* the pty doesn't process output: our terminal does */
	bool input;    /* stdin has not ended */
	bool eof_due;  /* it has, and the pty must be told */
	int master;    /* NO_FD: no terminal, or hung up */
	int slave;     /* held, so that the master has no hang-up when all inside have closed it */
	struct nook_pump in, out;
};

/* ---- signals ---- */

static bool is_kept(int sig)
{
	switch (sig) {
	case SIGKILL:
	case SIGSTOP:
	case SIGCHLD:
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
	case SIGTRAP:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

static void ours(sigset_t *set)
{
	(void)sigfillset(set); /* never fails for a good pointer; nor does sigdelset here */
	for (int sig = 1; sig < 32; sig++) {
		if (is_kept(sig))
			(void)sigdelset(set, sig);
	}
}

void nook_supervise_block(void)
{
	struct sigaction action;
	sigset_t set;

	ours(&set);
	for (int sig = 1; sig < 32; sig++) {
		if (sigaction(sig, NULL, &action) < 0 || action.sa_handler != SIG_IGN)
			continue;
		if (sig == SIGCHLD)
			(void)signal(SIGCHLD, SIG_DFL); /* a valid number */
		else
			(void)sigdelset(&set, sig);
	}
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* valid arguments */
}

static void pass_on(const struct supervisor *s, int sig, bool group)
{
	/* -ESRCH: it has just ended, which the pidfd tells next. */
	if (group)
		(void)nook_pidfd_queue_signal(s->pidfd, sig, NOOK_SIGNAL_FOR_GROUP);
	else
		(void)nook_pidfd_send_signal(s->pidfd, sig);
}

/* Returns after SIGCONT, which waits to be read from the signalfd; false when the kernel did not
 * stop us: nobody could continue an orphaned process group. */
static bool stop_ourselves(int sig, pid_t whom)
{
	sigset_t one, pending;

	(void)sigemptyset(&one); /* these can't fail for good arguments */
	(void)sigaddset(&one, sig);
	(void)kill(whom, sig); /* ourselves; others of our group may have ended */
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)sigprocmask(SIG_BLOCK, &one, NULL);

	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

/* A background job that wants its terminal stops, as the kernel would stop it for tcsetattr(3),
 * until SIGCONT; then the caller comes here again. */
static int take_terminal(struct supervisor *s, struct nook_error *err)
{
	if (!s->keyboard || s->master < 0)
		return 0;
	if (!nook_tty_ours(STDIN_FILENO)) {
		(void)stop_ourselves(SIGTTOU, 0); /* an orphan goes on without keyboard */
		return 0;
	}

	s->input = true;
	nook_terminal_copy_size(s->master);
	return nook_tty_raw(STDIN_FILENO, s->plain, err);
}

static int handle_with_terminal(struct supervisor *s, int sig, bool group, struct nook_error *err)
{
	switch (sig) {
	case SIGWINCH:
		if (s->master >= 0)
			nook_terminal_copy_size(s->master);
		return 0;
	case SIGCONT:
		return take_terminal(s, err);
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		nook_tty_restore();
		if (!stop_ourselves(sig, getpid()) && nook_tty_ours(STDIN_FILENO))
			return take_terminal(s, err);
		return 0;
	default:
		pass_on(s, sig, group);
		return 0;
	}
}

static void handle_without(struct supervisor *s, int sig, bool group)
{
	switch (sig) {
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		pass_on(s, SIGTSTP, true);
		if (!stop_ourselves(sig, getpid()))
			pass_on(s, SIGCONT, true);
		return;
	case SIGCONT:
		pass_on(s, SIGCONT, true);
		return;
	default:
		pass_on(s, sig, group);
	}
}

static int handle_signal(struct supervisor *s, struct nook_error *err)
{
	struct signalfd_siginfo info;
	ssize_t n = read(s->signals, &info, sizeof(info));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0
							 : nook_fail(err, errno, "read signalfd");

	int sig = (int)info.ssi_signo;
	bool group = info.ssi_code == SI_KERNEL; /* a terminal's key, or its end */

	if (sig == SIGPIPE)
		return 0; /* of a write of ours, whose EPIPE has told */
	if (s->terminal)
		return handle_with_terminal(s, sig, group, err);

	handle_without(s, sig, group);
	return 0;
}

/* ---- bytes ---- */

static void hang_up(struct supervisor *s)
{
	close_fd(&s->slave);
	close_fd(&s->master); /* the kernel sends SIGHUP to the session inside */
	s->input = false;
	s->eof_due = false;
	s->in.at = s->in.len;
	s->out.at = s->out.len;
	nook_tty_restore();
}

static void hold_slave(struct supervisor *s)
{
	close_fd(&s->slave);
	s->slave = ioctl(s->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void read_input(struct supervisor *s, bool hung_up)
{
	int n = nook_pump_fill(&s->in);

	if (n > 0 || n == -EAGAIN)
		return;
	if (s->keyboard) {
		if (hung_up)
			hang_up(s);
		else if (n < 0 && !nook_tty_ours(STDIN_FILENO))
			/* EIO: in the background since, and SIGTTIN is blocked. An orphan goes on
			 * without keyboard. */
			s->input = stop_ourselves(SIGTTIN, 0);
		else if (n < 0)
			hang_up(s);
		return;
	}
	s->input = false;
	s->eof_due = true;
}

/* In canonical mode a first EOF character only hands over a line that has begun. */
static void send_eof(struct supervisor *s)
{
	struct termios inside;

	s->eof_due = false;
	if (tcgetattr(s->master, &inside) < 0)
		return; /* being hung up: nobody reads */

	char eof = (char)inside.c_cc[VEOF];
	bool begun = s->in.any && s->in.last != '\n';

	s->in.at = 0;
	s->in.len = (inside.c_lflag & ICANON) && begun ? 2 : 1;
	memset(s->in.buffer, eof, s->in.len);
}

/* Returns whether anything was read. */
static bool read_master(struct supervisor *s)
{
	int n = nook_pump_fill(&s->out);

	if (n > 0)
		return true;
	if (n != -EAGAIN) {
		/* Our hold of the slave was lost by a vhangup(2) inside; others may open it again.
		 */
		hold_slave(s);
		if (s->slave < 0)
			hang_up(s);
	}
	return false;
}

static void flush_output(struct supervisor *s)
{
	if (nook_pump_flush(&s->out) < 0)
		hang_up(s);
}

static void flush_input(struct supervisor *s)
{
	if (nook_pump_flush(&s->in) < 0)
		s->in.at = s->in.len; /* the master is being hung up; its read tells */
}

/* ---- the loop ---- */

enum { SIGNALS, PROGRAM, ALSO, INPUT, MASTER, OUTPUT, N_POLLED };

static void want(struct pollfd *p, int fd, bool wanted, short events)
{
	/* Else poll(2) would go on telling of a hang-up, unasked. */
	p->fd = wanted ? fd : -1;
	p->events = events;
	p->revents = 0;
}

static void want_bytes(struct supervisor *s, struct pollfd *p)
{
	bool in = !nook_pump_empty(&s->in), out = !nook_pump_empty(&s->out);
	short master = (short)((in ? POLLOUT : 0) | (out ? 0 : POLLIN));

	want(&p[INPUT], s->in.from, s->input && !in && (!s->keyboard || nook_tty_is_raw()), POLLIN);
	want(&p[MASTER], s->master, s->master >= 0 && master, master);
	want(&p[OUTPUT], s->out.to, out, POLLOUT);
}

static void move_bytes(struct supervisor *s, const struct pollfd *p)
{
	if (p[INPUT].revents)
		read_input(s, p[INPUT].revents & (POLLHUP | POLLERR | POLLNVAL));
	if (s->eof_due && nook_pump_empty(&s->in))
		send_eof(s);
	if (p[MASTER].revents & POLLOUT)
		flush_input(s);
	if (p[OUTPUT].revents)
		flush_output(s);
	if (s->master >= 0 && (p[MASTER].revents & ~POLLOUT) && read_master(s) && !s->out.most)
		flush_output(s);
}

/* Until the program ends. */
static int watch(struct supervisor *s, struct nook_error *err)
{
	struct pollfd p[N_POLLED];
	nfds_t n = s->terminal ? N_POLLED : INPUT;
	int timeout = NOOK_TRIM_AFTER_MS;

	for (;;) {
		want(&p[SIGNALS], s->signals, true, POLLIN);
		want(&p[PROGRAM], s->pidfd, true, POLLIN);
		want(&p[ALSO], s->also ? s->also->fd : -1, s->also, POLLIN);
		if (s->terminal)
			want_bytes(s, p);

		int ready = poll(p, n, timeout);

		if (ready < 0) {
			if (errno == EINTR)
				continue;
			return nook_fail(err, errno, "poll the program's pidfd");
		}
		if (ready == 0) {
			timeout = -1;
			nook_trim();
			continue;
		}
		/* What it said last comes before its end. */
		if (s->also && (p[ALSO].revents || p[PROGRAM].revents) &&
		    !s->also->readable(s->also->data))
			s->also = NULL;
		if (p[PROGRAM].revents)
			return 0;
		if (p[SIGNALS].revents) {
			int rc = handle_signal(s, err);

			if (rc < 0)
				return rc;
		}
		if (s->terminal)
			move_bytes(s, p);
	}
}

/* What a pty can hold, and more than once: whatever shares the terminal must not keep us. */
#define LAST_WORDS ((size_t)1 << 20)

static bool wait_for_output(struct supervisor *s)
{
	struct pollfd p[2];

	want(&p[0], s->out.to, true, POLLOUT);
	want(&p[1], s->signals, true, POLLIN);
	while (poll(p, 2, -1) < 0) {
		if (errno != EINTR)
			return false;
	}
	if (p[0].revents)
		return true;

	/* A reader that has stalled is left by the signals that would end us. */
	struct signalfd_siginfo info;
	ssize_t n = read(s->signals, &info, sizeof(info));

	return n < 0 || (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT &&
			 info.ssi_signo != SIGHUP && info.ssi_signo != SIGQUIT);
}

static void show_last_words(struct supervisor *s)
{
	size_t shown = 0;

	while (s->master >= 0 && shown < LAST_WORDS) {
		if (nook_pump_empty(&s->out)) {
			int n = nook_pump_fill(&s->out);

			if (n <= 0)
				return; /* EAGAIN: there is no more */
			shown += (size_t)n;
		}
		if (!wait_for_output(s))
			return;
		flush_output(s);
	}
}

static int reap(struct supervisor *s, int *ret_status, struct nook_error *err)
{
	int status;

	/* __WALL: whatever signal the clone has chosen to tell of its end. */
	while (waitpid(s->pid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "wait for pid %d", s->pid);
	}

	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

/* ---- beginning and end ---- */

static void pump_init(struct nook_pump *p, int from, int to, size_t most)
{
	p->from = from;
	p->to = to;
	p->most = most;
	p->at = p->len = 0;
	p->any = false;
}

static bool is_plain(int master)
{
	struct termios inside;

	return tcgetattr(master, &inside) == 0 && !(inside.c_oflag & ONLCR);
}

static int begin(struct supervisor *s, struct nook_error *err)
{
	sigset_t set;

	ours(&set);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return nook_fail(err, errno, "signalfd");
	if (!s->terminal)
		return 0;

	/* Ours alone: no one else has this open file description. */
	if (fcntl(s->master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return nook_fail(err, errno, "fcntl O_NONBLOCK on the pty's master");
	hold_slave(s);
	s->plain = is_plain(s->master);

	int from = nook_private_fd(STDIN_FILENO, O_RDONLY);
	int to = nook_private_fd(STDOUT_FILENO, O_WRONLY);

	s->keyboard = isatty(STDIN_FILENO);
	s->input = true;
	pump_init(&s->in, from >= 0 ? from : STDIN_FILENO, s->master, 0);
	/* POLLOUT promises PIPE_BUF bytes to a pipe and some to a terminal. */
	pump_init(&s->out, s->master, to >= 0 ? to : STDOUT_FILENO, to >= 0 ? 0 : 512);

	return take_terminal(s, err);
}

static void end(struct supervisor *s)
{
	if (s->terminal) {
		hang_up(s);
		if (s->in.from != STDIN_FILENO)
			close_fd(&s->in.from);
		if (s->out.to != STDOUT_FILENO)
			close_fd(&s->out.to);
	}
	close_fd(&s->signals);
}

int nook_supervise(int pidfd, int pid, int master, int *ret_status, struct nook_error *err)
{
	return nook_supervise_also(pidfd, pid, master, NULL, ret_status, err);
}

int nook_supervise_also(int pidfd, int pid, int master, const struct nook_supervise_also *also,
			int *ret_status, struct nook_error *err)
{
	/* Member by member: without a terminal the pages of the buffers are never touched. */
	struct supervisor s;
	int rc;

	s.pidfd = pidfd;
	s.pid = pid;
	s.signals = NO_FD;
	s.also = also;
	s.terminal = master >= 0;
	s.keyboard = s.plain = s.input = s.eof_due = false;
	s.master = master;
	s.slave = NO_FD;
	pump_init(&s.in, STDIN_FILENO, NO_FD, 0);
	pump_init(&s.out, NO_FD, STDOUT_FILENO, 0);

	rc = begin(&s, err);
	if (rc == 0)
		rc = watch(&s, err);
	if (rc == 0)
		rc = reap(&s, ret_status, err);
	if (rc == 0 && s.terminal)
		show_last_words(&s);

	end(&s);
	return rc;
}
