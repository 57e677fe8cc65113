/* SPDX-License-Identifier: Apache-2.0 */
#include "run/terminal.h"
#include "run/tty.h"

#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

/* Static, because the handler of a fatal signal must find it. */
static struct {
	volatile sig_atomic_t raw;
	int fd;
	struct termios saved;
} terminal;

static const int fatal_signals[] = {
	SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS,
};
static struct sigaction fatal_before[ARRAY_SIZE(fatal_signals)];

bool nook_tty_ours(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	return foreground < 0 ? errno == ENOTTY : foreground == getpgrp();
}

static void put_back(void)
{
	/* At once and not after a drain: output is translated when it is written, and a stalled
	 * terminal would keep us here for ever. An error means that the terminal is gone. */
	for (int tries = 0; tries < 2; tries++) { /* for what passes, such as a lack of memory */
		if (nook_tty_ours(terminal.fd) &&
		    tcsetattr(terminal.fd, TCSANOW, &terminal.saved) == 0)
			break;
	}
	terminal.raw = 0;
}

static void on_fatal(int sig)
{
	if (terminal.raw)
		put_back();
	(void)kill(getpid(), sig); /* SA_RESETHAND: now it ends us */
}

static void catch_fatal(void)
{
	const struct sigaction action = {
		.sa_handler = on_fatal,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &action, &fatal_before[i]); /* valid numbers */
}

static void release_fatal(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++)
		(void)sigaction(fatal_signals[i], &fatal_before[i], NULL); /* valid numbers */
}

int nook_tty_raw(int fd, bool output, struct nook_error *err)
{
	struct termios now;

	if (tcgetattr(fd, &now) < 0)
		return nook_fail(err, errno, "tcgetattr %d", fd);

	if (!terminal.raw) {
		terminal.fd = fd;
		terminal.saved = now;
		catch_fatal();
		terminal.raw = 1;
	}

	cfmakeraw(&now);
	if (output)
		now.c_oflag = terminal.saved.c_oflag;
	/* Another reader may take what poll(2) told us of: read(2) must not wait then. */
	now.c_cc[VMIN] = 0;
	now.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSANOW, &now) < 0) {
		int saved = errno;

		nook_tty_restore();
		return nook_fail(err, saved, "tcsetattr %d raw", fd);
	}

	return 0;
}

void nook_tty_restore(void)
{
	if (!terminal.raw)
		return;

	put_back();
	release_fatal();
}

bool nook_tty_is_raw(void)
{
	return terminal.raw;
}

static bool can_reopen(const struct stat *st)
{
	if (S_ISFIFO(st->st_mode))
		return true;

	/* Virtual consoles and serial lines, and the slaves of ptys. Others are something else once
	 * opened anew: /dev/ptmx makes a new pty, /dev/tty is whoever's asks. */
	return S_ISCHR(st->st_mode) &&
	       (major(st->st_rdev) == 4 || (major(st->st_rdev) >= 136 && major(st->st_rdev) < 144));
}

int nook_private_fd(int fd, int flags)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st) < 0 || !can_reopen(&st))
		return NO_FD;

	(void)nook_format(path, sizeof(path), "/proc/self/fd/%d", fd); /* fits */
	int own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return own < 0 ? NO_FD : own;
}

void nook_terminal_plain(int master)
{
	struct termios inside;

	if (tcgetattr(master, &inside) < 0)
		return; /* hung up already: nobody writes */
	inside.c_oflag &= ~(tcflag_t)ONLCR;
	(void)tcsetattr(master, TCSANOW, &inside); /* the same */
}

void nook_terminal_copy_size(int master)
{
	struct winsize size;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			/* A pty's master takes any size; a bad descriptor shows when it is read. */
			(void)ioctl(master, TIOCSWINSZ, &size);
			return;
		}
	}
}
