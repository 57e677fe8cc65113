/* SPDX-License-Identifier: Apache-2.0 */
#include "step.h"

#include "base/own.h"
#include "sys/pidfd.h"
#include "sys/send_two_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <time.h>
#include <unistd.h>
#include <sys/signalfd.h>
#include <signal.h>

/* ---- the walk ---- */

static char trail[64];

static int note(const char *what, int rc)
{
	strcat(trail, what);
	return rc;
}

static int run_a(void *ctx, struct nook_error *err)
{
	return note("a", 0);
}

static int run_b(void *ctx, struct nook_error *err)
{
	return note("b", 0);
}

static int fails(void *ctx, struct nook_error *err)
{
	(void)note("f", 0);
	return nook_fail(err, ENOSPC, "mkdir x");
}

static int undo_a(void *ctx, struct nook_error *err)
{
	return note("A", 0);
}

static int undo_b(void *ctx, struct nook_error *err)
{
	(void)note("B", 0);
	return nook_fail(err, EBUSY, "rmdir b");
}

static int undo_f(void *ctx, struct nook_error *err)
{
	(void)note("F", 0);
	return nook_fail(err, EIO, "rmdir f");
}

static bool never(const struct nook_plan *plan)
{
	return false;
}

static const struct nook_plan plan;

static struct nook_walk walk_on(int channel)
{
	return (struct nook_walk){ .plan = &plan,
				   .channel = channel,
				   .peer = NO_FD,
				   .send_fd = NO_FD,
				   .interrupt = NO_FD };
}

static void test_undo_goes_backwards(void **state)
{
	static const struct nook_step steps[] = {
		NOOK_RUN(run_a, "do a", .undo = undo_a),
		NOOK_RUN(run_b, "skip this", .undo = undo_b, .needed = never),
		NOOK_RUN(run_b, "do b", .undo = undo_b),
		NOOK_RUN(fails, "do f", .undo = undo_f),
		NOOK_RUN(run_a, "come later", .undo = undo_a),
	};
	struct nook_walk walk = walk_on(NO_FD);
	struct nook_error err = { 0 }, undo_err = { 0 };
	size_t done = 0;

	trail[0] = '\0';
	assert_int_equal(nook_steps_run(steps, ARRAY_SIZE(steps), &walk, &done, &err), -ENOSPC);
	assert_string_equal(err.wanted, "do f");
	assert_int_equal(done, 4);

	/* All are tried, that of the failed step first; the first failure is told. */
	assert_int_equal(nook_steps_undo(steps, done, &walk, &undo_err), -EIO);
	assert_string_equal(trail, "abfFBA");
	assert_non_null(strstr(undo_err.why, "rmdir f"));
}

static void test_a_purpose_that_is_set_stays(void **state)
{
	static const struct nook_step steps[] = { NOOK_RUN(fails, "do f") };
	struct nook_walk walk = walk_on(NO_FD);
	struct nook_error err = { .wanted = "said before" };
	size_t done = 0;

	assert_int_equal(nook_steps_run(steps, 1, &walk, &done, &err), -ENOSPC);
	assert_string_equal(err.wanted, "said before");
}

/* ---- messages ---- */

struct pair {
	int ours, theirs;
};

static struct pair channel(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ fds[0], fds[1] };
}

static void end(struct pair *p)
{
	close_fd(&p->ours);
	close_fd(&p->theirs);
}

static void test_an_error_of_the_other_side_is_ours(void **state)
{
	struct nook_error sent = {
		.errnum = EACCES, .id = "no-idmap", .wanted = "mount", .why = "x"
	};
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);

	assert_int_equal(nook_send(p.theirs, NOOK_MSG_FAILED, &sent, sizeof(sent), NO_FD), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), -EACCES);
	assert_memory_equal(&err, &sent, sizeof(err));
	end(&p);
}

/* The kernel then says ECONNRESET first, for whichever call comes first. */
static void test_an_error_of_who_has_not_read_all_of_ours(void **state)
{
	struct nook_error sent = { .errnum = EACCES, .wanted = "mount", .why = "x" };
	struct nook_error err = { 0 };
	struct pair p = channel(), q = channel();
	struct nook_walk walk = walk_on(p.ours);

	for (struct pair *each = &p; each; each = each == &p ? &q : NULL) {
		assert_int_equal(nook_send(each->ours, NOOK_MSG_START, NULL, 0, NO_FD), 0);
		assert_int_equal(
			nook_send(each->theirs, NOOK_MSG_FAILED, &sent, sizeof(sent), NO_FD), 0);
		close_fd(&each->theirs);
	}
	assert_int_equal(nook_wait(&walk, NOOK_MSG_NONE, &err), -EACCES);
	assert_string_equal(err.wanted, "mount");
	assert_int_equal(nook_wait(&walk, NOOK_MSG_NONE, &err), -EPIPE);

	walk = walk_on(q.ours);
	err = (struct nook_error){ 0 };
	assert_int_equal(nook_send(q.ours, NOOK_MSG_START, NULL, 0, NO_FD), -EPIPE);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_NONE, &err), -EACCES);
	assert_string_equal(err.wanted, "mount");
	end(&p);
	end(&q);
}

/* Somebody else may have a copy of the channel: then only its process' end tells. */
static void test_the_end_of_the_other_side(void **state)
{
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);
	pid_t child = fork();

	if (child == 0)
		_exit(nook_send(p.theirs, NOOK_MSG_STAGE_READY, NULL, 0, NO_FD) < 0);
	walk.peer = nook_pidfd_open(child, 0);
	assert_true(walk.peer >= 0);
	assert_int_equal(waitpid(child, NULL, 0), child);

	/* What it said before comes first. */
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_NONE, &err), -EPIPE);
	close_fd(&walk.peer);
	end(&p);
}

static void test_texts_of_the_other_side_get_their_end(void **state)
{
	struct nook_error sent, err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);

	memset(&sent, 'x', sizeof(sent)); /* errnum too: no errno */
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_FAILED, &sent, sizeof(sent), NO_FD), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), -EIO);
	assert_int_equal(strlen(err.id), sizeof(err.id) - 1);
	assert_int_equal(strlen(err.wanted), sizeof(err.wanted) - 1);
	assert_int_equal(strlen(err.where), sizeof(err.where) - 1);
	assert_int_equal(strlen(err.why), sizeof(err.why) - 1);
	assert_int_equal(strlen(err.cause), sizeof(err.cause) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
	end(&p);
}

static const struct {
	uint32_t message;
	size_t len; /* of the body */
	int rc;
} hostile[] = {
	{ NOOK_MSG_FAILED, 0, -EPROTO },
	{ NOOK_MSG_FAILED, 5, -EPROTO },
	{ NOOK_MSG_FAILED, sizeof(struct nook_error) - 1, -EPROTO },
	{ NOOK_MSG_START, 0, -EPROTO }, /* not what is awaited */
	{ NOOK_MSG_MAPS_WRITTEN, 0, -EPROTO },
	{ NOOK_MSG_NONE, 0, -EPROTO },
	{ NOOK_MSG_TRACE, 16, -EPROTO }, /* nobody asked for a trace */
	{ 99, 0, -EPROTO },
	{ UINT32_MAX, 64, -EPROTO },
	{ NOOK_MSG_STAGE_READY, 0, 0 },
};

static void test_hostile_messages(void **state)
{
	char body[sizeof(struct nook_error)];

	memset(body, 0xff, sizeof(body));
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct nook_error err = { 0 };
		struct pair p = channel();
		struct nook_walk walk = walk_on(p.ours);

		assert_int_equal(nook_send(p.theirs, (enum nook_message)hostile[i].message, body,
					   hostile[i].len, NO_FD),
				 0);
		assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), hostile[i].rc);
		end(&p);
	}
}

static void test_a_message_too_short_for_a_number(void **state)
{
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);

	assert_int_equal(send(p.theirs, "abc", 3, 0), 3);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), -EPIPE);
	end(&p);
}

static void test_the_end_of_the_channel(void **state)
{
	static const struct nook_step wait[] = { NOOK_WAIT(STAGE_READY) };
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);
	size_t done = 0;

	close_fd(&p.theirs);
	assert_int_equal(nook_steps_run(wait, 1, &walk, &done, &err), -EPIPE);
	assert_non_null(strstr(err.why, "ended before it said why"));
	end(&p);
}

/* Who sends to a side that is gone finds what it said last. */
static void test_a_send_to_the_dead_tells_their_reason(void **state)
{
	static const struct nook_step send[] = { NOOK_SEND(START) };
	struct nook_error sent = { .errnum = EPERM, .wanted = "mount", .why = "fsopen: no" };
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);
	size_t done = 0;

	assert_int_equal(nook_send(p.theirs, NOOK_MSG_FAILED, &sent, sizeof(sent), NO_FD), 0);
	close_fd(&p.theirs);
	assert_int_equal(nook_steps_run(send, 1, &walk, &done, &err), -EPERM);
	assert_string_equal(err.why, "fsopen: no");
	end(&p);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_descriptors_that_come(void **state)
{
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);
	int got = NO_FD, before = open_fds();

	/* Nobody asked for it: it doesn't stay open. */
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_STAGE_READY, NULL, 0, 0), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	assert_int_equal(open_fds(), before);

	/* Asked for: the last one stays, with CLOEXEC. */
	walk.ret_fd = &got;
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_STAGE_READY, NULL, 0, 0), 0);
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_STAGE_READY, NULL, 0, 0), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	assert_true(got >= 0 && (fcntl(got, F_GETFD) & FD_CLOEXEC));
	close_fd(&got);
	assert_int_equal(open_fds(), before);
	end(&p);
}

static void test_two_descriptors_at_once(void **state)
{
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);
	int got = NO_FD, before = open_fds();
	uint32_t head = NOOK_MSG_STAGE_READY;

	assert_true(send_two(p.theirs, &head, sizeof(head), STDIN_FILENO, STDIN_FILENO));
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	assert_int_equal(open_fds(), before);

	walk.ret_fd = &got;
	assert_true(send_two(p.theirs, &head, sizeof(head), STDIN_FILENO, STDIN_FILENO));
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	close_fd(&got);
	assert_int_equal(open_fds(), before);
	end(&p);
}

/* ---- trace ---- */

static void note_row(void *data, const struct nook_trace_row *row)
{
	assert_true(row->nanoseconds == 5 || !row->inside);
	(void)note(row->inside ? "i" : "o", 0);
}

static void test_a_trace_from_inside_names_a_step_of_the_list(void **state)
{
	static const struct nook_step others[] = { NOOK_RUN(run_a, "do a") };
	static const struct nook_trace trace = { .row = note_row };
	struct {
		uint32_t step;
		uint64_t nanoseconds;
	} body = { 0, 5 };
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);

	walk.trace = &trace;
	walk.other = others;
	walk.n_other = 1;
	trail[0] = '\0';
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_TRACE, &body, sizeof(body), NO_FD), 0);
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_STAGE_READY, NULL, 0, NO_FD), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);
	assert_string_equal(trail, "i");

	body.step = 1; /* past its list */
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_TRACE, &body, sizeof(body), NO_FD), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), -EPROTO);
	end(&p);
}

/* A stage that never answers (a network mount that hangs) must not make Ctrl-C useless. */
static void test_a_signal_ends_the_wait(void **state)
{
	struct nook_error err = { 0 };
	struct pair p = channel();
	struct nook_walk walk = walk_on(p.ours);
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &before), 0);
	walk.interrupt = signalfd(-1, &set, SFD_CLOEXEC);
	assert_true(walk.interrupt >= 0);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), -EINTR);

	/* What has come is taken first. */
	assert_int_equal(nook_send(p.theirs, NOOK_MSG_STAGE_READY, NULL, 0, NO_FD), 0);
	assert_int_equal(nook_wait(&walk, NOOK_MSG_STAGE_READY, &err), 0);

	assert_int_equal(sigtimedwait(&set, NULL, &(struct timespec){ 0 }), SIGTERM);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	close_fd(&walk.interrupt);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undo_goes_backwards),
		cmocka_unit_test(test_a_purpose_that_is_set_stays),
		cmocka_unit_test(test_an_error_of_the_other_side_is_ours),
		cmocka_unit_test(test_an_error_of_who_has_not_read_all_of_ours),
		cmocka_unit_test(test_the_end_of_the_other_side),
		cmocka_unit_test(test_texts_of_the_other_side_get_their_end),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_a_message_too_short_for_a_number),
		cmocka_unit_test(test_the_end_of_the_channel),
		cmocka_unit_test(test_a_send_to_the_dead_tells_their_reason),
		cmocka_unit_test(test_descriptors_that_come),
		cmocka_unit_test(test_two_descriptors_at_once),
		cmocka_unit_test(test_a_signal_ends_the_wait),
		cmocka_unit_test(test_a_trace_from_inside_names_a_step_of_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
