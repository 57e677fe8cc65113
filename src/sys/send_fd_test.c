/* SPDX-License-Identifier: Apache-2.0 */
#include "send_fd.h"
#include "send_two_fixture.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define UNTOUCHED 4711

struct pair {
	int ours, theirs, null, zero;
};

static int open_pair(void **state)
{
	static struct pair p;
	int both[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both), 0);
	p.ours = both[0];
	p.theirs = both[1];
	p.null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	p.zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_true(p.null >= 0 && p.zero >= 0);
	*state = &p;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *p = *state;

	close_fd(&p->ours);
	close_fd(&p->theirs);
	close_fd(&p->null);
	close_fd(&p->zero);
	return 0;
}

static ssize_t send_text(int sock, const char *text, int fd)
{
	struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n = nook_sendmsg_fd(sock, &msg, fd);

	assert_null(msg.msg_control);
	assert_true(msg.msg_controllen == 0);
	return n;
}

static ssize_t receive_text(int sock, char text[16], int *ret_flags, int *ret_fd)
{
	struct iovec part = { text, 15 };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n = nook_recvmsg_fd(sock, &msg, MSG_DONTWAIT, ret_fd);

	assert_null(msg.msg_control);
	assert_true(msg.msg_controllen == 0);
	text[n < 0 ? 0 : n] = '\0';
	*ret_flags = msg.msg_flags;
	return n;
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	assert_int_equal(fstat(a, &one), 0);
	assert_int_equal(fstat(b, &other), 0);
	return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* The number that the next descriptor gets: what stays open by mistake shows. */
static int next_fd(void)
{
	auto_close int fd = dup(STDIN_FILENO);

	assert_true(fd >= 0);
	return fd;
}

static void test_it_goes_along(void **state)
{
	const struct pair *p = *state;
	char text[16];
	int flags, fd = UNTOUCHED;

	assert_int_equal(send_text(p->theirs, "here", p->zero), 4);
	assert_true(fcntl(p->zero, F_GETFD) >= 0); /* the sender's still */
	assert_int_equal(receive_text(p->ours, text, &flags, &fd), 4);
	assert_string_equal(text, "here");
	assert_true(fd >= 0 && fd != UNTOUCHED && same_file(fd, p->zero));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close_fd(&fd);
}

static void test_none_goes_along(void **state)
{
	const struct pair *p = *state;
	char text[16];
	int flags, fd = UNTOUCHED;

	assert_int_equal(send_text(p->theirs, "alone", NO_FD), 5);
	assert_int_equal(receive_text(p->ours, text, &flags, &fd), 5);
	assert_string_equal(text, "alone");
	assert_int_equal(fd, NO_FD);
	assert_int_equal(flags & MSG_CTRUNC, 0);
}

static void test_of_two_the_last_stays(void **state)
{
	const struct pair *p = *state;
	const int next = next_fd();
	char text[16];
	int flags, fd = UNTOUCHED;

	assert_true(send_two(p->theirs, "x", 1, p->null, p->zero));
	assert_int_equal(receive_text(p->ours, text, &flags, &fd), 1);
	if (flags & MSG_CTRUNC) /* on 32 bits there is room for one */
		assert_true(same_file(fd, p->null));
	else
		assert_true(same_file(fd, p->zero));
	close_fd(&fd);
	assert_int_equal(next_fd(), next);
}

static void test_no_descriptor_is_left(void **state)
{
	const struct pair *p = *state;
	char text[16];
	int flags, fd = UNTOUCHED;
	struct rlimit usual, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 0;
	assert_int_equal(send_text(p->theirs, "full", p->zero), 4);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

	ssize_t n = receive_text(p->ours, text, &flags, &fd);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(n, 4);
	assert_string_equal(text, "full");
	assert_int_equal(fd, NO_FD);
	assert_true(flags & MSG_CTRUNC);
}

static void test_failures(void **state)
{
	struct pair *p = *state;
	char text[16];
	int flags, fd = UNTOUCHED;

	assert_int_equal(receive_text(p->ours, text, &flags, &fd), -EAGAIN);
	assert_int_equal(receive_text(p->null, text, &flags, &fd), -ENOTSOCK);
	assert_int_equal(fd, UNTOUCHED);
	assert_int_equal(send_text(p->null, "nowhere", NO_FD), -ENOTSOCK);
	assert_int_equal(send_text(p->theirs, "closed", INT16_MAX), -EBADF);

	close_fd(&p->ours);
	assert_int_equal(send_text(p->theirs, "nobody", p->zero), -EPIPE); /* and no signal */
	assert_int_equal(receive_text(p->theirs, text, &flags, &fd), 0);
	assert_int_equal(fd, NO_FD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_goes_along, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_none_goes_along, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_of_two_the_last_stays, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_no_descriptor_is_left, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_failures, open_pair, close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
