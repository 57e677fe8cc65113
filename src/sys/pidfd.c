/* SPDX-License-Identifier: Apache-2.0 */
#include "pidfd.h"

#include "base/clock.h"
#include "call.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

int nook_pidfd_open(int pid, unsigned flags)
{
	return (int)NOOK_CALL(SYS_pidfd_open, pid, flags);
}

int nook_pidfd_send_signal(int pidfd, int signal)
{
	return (int)NOOK_CALL(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int nook_pidfd_queue_signal(int pidfd, int signal, int value)
{
	siginfo_t info = { .si_signo = signal, .si_code = SI_QUEUE };

	info.si_value.sival_int = value;
	return (int)NOOK_CALL(SYS_pidfd_send_signal, pidfd, signal, &info, 0);
}

int nook_pidfd_wait(int pidfd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int64_t end = timeout_ms > 0 ? nook_now_ms() + timeout_ms : 0;

	for (int left = timeout_ms;;) {
		int n = poll(&poll_fd, 1, left);

		if (n > 0)
			return poll_fd.revents & POLLNVAL ? -EBADF : 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
		if (timeout_ms > 0)
			left = end > nook_now_ms() ? (int)(end - nook_now_ms()) : 0;
	}
}

int nook_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)NOOK_CALL(SYS_close_range, first, last, flags);
}

int nook_close_others(const int *keep, size_t n)
{
	return nook_close_others_from(3, keep, n);
}

int nook_close_others_from(int from, const int *keep, size_t n)
{
	for (;;) {
		int next = -1;

		for (size_t i = 0; i < n; i++) {
			if (keep[i] >= from && (next < 0 || keep[i] < next))
				next = keep[i];
		}

		int rc = next == from ? 0
				      : nook_close_range((unsigned)from,
							 next < 0 ? ~0u : (unsigned)next - 1, 0);

		if (rc < 0 || next < 0)
			return rc;
		from = next + 1;
	}
}
