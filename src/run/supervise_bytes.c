/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes between our standard streams and the program's pty. */
#include "supervise_parts.h"

#include "base/own.h"
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static void hang_up(struct nook_supervisor *s)
{
	close_fd(&s->slave);
	close_fd(&s->master); /* the kernel sends SIGHUP to the session inside */
	s->input = false;
	s->eof_due = false;
	s->in.at = s->in.len;
	s->out.at = s->out.len;
	nook_tty_restore();
}

static void hold_slave(struct nook_supervisor *s)
{
	close_fd(&s->slave);
	s->slave = ioctl(s->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void read_input(struct nook_supervisor *s, bool hung_up)
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
			s->input = nook_supervise_stop(SIGTTIN, 0);
		else if (n < 0)
			hang_up(s);
		return;
	}
	s->input = false;
	s->eof_due = true;
}

/* In canonical mode a first EOF character only hands over a line that has begun. */
static void send_eof(struct nook_supervisor *s)
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
static bool read_master(struct nook_supervisor *s)
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

static void flush_output(struct nook_supervisor *s)
{
	if (nook_pump_flush(&s->out) < 0)
		hang_up(s);
}

static void flush_input(struct nook_supervisor *s)
{
	if (nook_pump_flush(&s->in) < 0)
		s->in.at = s->in.len; /* the master is being hung up; its read tells */
}

/* ---- what poll(2) is asked ---- */

void nook_supervise_want(struct pollfd *p, int fd, bool wanted, short events)
{
	/* Else poll(2) would go on telling of a hang-up, unasked. */
	p->fd = wanted ? fd : -1;
	p->events = events;
	p->revents = 0;
}

void nook_supervise_want_bytes(struct nook_supervisor *s, struct pollfd *p)
{
	bool in = !nook_pump_empty(&s->in), out = !nook_pump_empty(&s->out);
	short master = (short)((in ? POLLOUT : 0) | (out ? 0 : POLLIN));

	nook_supervise_want(&p[NOOK_POLL_INPUT], s->in.from,
			    s->input && !in && (!s->keyboard || nook_tty_is_raw()), POLLIN);
	nook_supervise_want(&p[NOOK_POLL_MASTER], s->master, s->master >= 0 && master, master);
	nook_supervise_want(&p[NOOK_POLL_OUTPUT], s->out.to, out, POLLOUT);
}

void nook_supervise_move_bytes(struct nook_supervisor *s, const struct pollfd *p)
{
	if (p[NOOK_POLL_INPUT].revents)
		read_input(s, p[NOOK_POLL_INPUT].revents & (POLLHUP | POLLERR | POLLNVAL));
	if (s->eof_due && nook_pump_empty(&s->in))
		send_eof(s);
	if (p[NOOK_POLL_MASTER].revents & POLLOUT)
		flush_input(s);
	if (p[NOOK_POLL_OUTPUT].revents)
		flush_output(s);
	if (s->master >= 0 && (p[NOOK_POLL_MASTER].revents & ~POLLOUT) && read_master(s) &&
	    !s->out.most)
		flush_output(s);
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

/* Member by member: without a terminal the pages of the buffers are never touched. */
void nook_supervise_init_bytes(struct nook_supervisor *s, int master)
{
	s->terminal = master >= 0;
	s->keyboard = s->plain = s->input = s->eof_due = false;
	s->master = master;
	s->slave = NO_FD;
	pump_init(&s->in, STDIN_FILENO, NO_FD, 0);
	pump_init(&s->out, NO_FD, STDOUT_FILENO, 0);
}

int nook_supervise_begin_bytes(struct nook_supervisor *s, struct nook_error *err)
{
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

	return nook_supervise_take_terminal(s, err);
}

void nook_supervise_end_bytes(struct nook_supervisor *s)
{
	hang_up(s);
	if (s->in.from != STDIN_FILENO)
		close_fd(&s->in.from);
	if (s->out.to != STDOUT_FILENO)
		close_fd(&s->out.to);
}

/* What a pty can hold, and more than once: whatever shares the terminal must not keep us. */
#define LAST_WORDS ((size_t)1 << 20)

static bool wait_for_output(struct nook_supervisor *s)
{
	struct pollfd p[2];

	nook_supervise_want(&p[0], s->out.to, true, POLLOUT);
	nook_supervise_want(&p[1], s->signals, true, POLLIN);
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

void nook_supervise_last_words(struct nook_supervisor *s)
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
