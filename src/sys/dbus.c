/* SPDX-License-Identifier: Apache-2.0 */
/* The connection, and messages whole. */
#include "call.h"

#include "base/clock.h"
#include "dbus_parts.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int wait_for(int fd, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline - nook_now_ms();
		int r = poll(&p, 1, left > 0 ? (int)left : 0);

		if (r > 0)
			return 0;
		if (r == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* ---- bytes through the socket ---- */

static int send_all(int fd, const void *data, size_t len, int64_t deadline)
{
	const char *at = data;

	while (len) {
		int r = wait_for(fd, POLLOUT, deadline);
		ssize_t n = r < 0 ? r : send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive_all(int fd, void *data, size_t len, int64_t deadline)
{
	char *at = data;

	while (len) {
		int r = wait_for(fd, POLLIN, deadline);
		ssize_t n = r < 0 ? r : recv(fd, at, len, MSG_DONTWAIT);

		if (r < 0)
			return r;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		/* With something of ours unread its end is a reset. */
		if (n < 0)
			return errno == ECONNRESET ? -EPIPE : -errno;
		if (n == 0)
			return -EPIPE;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* ---- the beginning ---- */

/* One line of the other side's, without what ends it: byte by byte, since messages follow. */
static int receive_line(int fd, char *line, size_t size, int64_t deadline)
{
	for (size_t len = 0; len < size - 1;) {
		int r = receive_all(fd, line + len, 1, deadline);

		if (r < 0)
			return r;
		if (line[len++] != '\n')
			continue;
		line[len - (len > 1 && line[len - 2] == '\r' ? 2 : 1)] = '\0';
		return 0;
	}
	return -EBADMSG;
}

/*
 * EXTERNAL without a name: the other side takes who we are from the socket. Seen from within a user
 * namespace a uid of ours would be another's.
 *
 * All in one go, as sd-bus does it: when systemd reads BEGIN and the first message together, it
 * looks at the message when the next one comes, and there may be none. So nothing is sent before
 * its OK, which comes when it has read all of this.
 */
static int authenticate(int fd, int64_t deadline)
{
	static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	char line[256];
	int r = send_all(fd, hello, sizeof(hello) - 1, deadline);

	if (r == 0)
		r = receive_line(fd, line, sizeof(line), deadline);
	if (r == 0 && strncmp(line, "DATA", 4) == 0)
		r = receive_line(fd, line, sizeof(line), deadline);
	if (r < 0)
		return r;
	if (strncmp(line, "OK ", 3) != 0)
		return strncmp(line, "REJECTED", 8) == 0 ? -EACCES : -EBADMSG;
	return 0;
}

int nook_dbus_connect(struct nook_dbus *d, const char *path, uint8_t *out, uint8_t *in,
		      int timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int64_t deadline = nook_now_ms() + timeout_ms;
	auto_close int fd = (int)NOOK_CALL(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);

	int r = (int)NOOK_CALL(SYS_connect, fd, &addr, sizeof(addr));

	if (r == 0)
		r = authenticate(fd, deadline);
	if (r < 0)
		return r;
	*d = (struct nook_dbus){ .fd = move_fd(&fd), .out.data = out, .in.data = in };
	return 0;
}

void nook_dbus_close(struct nook_dbus *d)
{
	close_fd(&d->fd);
}

/* ---- messages ---- */

int nook_dbus_send(struct nook_dbus *d, uint32_t *ret_serial, int timeout_ms)
{
	struct nook_dbus_text *t = &d->out;

	if (t->bad)
		return -E2BIG;
	nook_dbus_finish(d);
	*ret_serial = d->serial;
	return send_all(d->fd, t->data, t->len, nook_now_ms() + timeout_ms);
}

static int skip(int fd, size_t len, uint8_t *scratch, int64_t deadline)
{
	while (len) {
		size_t n = len < NOOK_DBUS_BYTES ? len : NOOK_DBUS_BYTES;
		int r = receive_all(fd, scratch, n, deadline);

		if (r < 0)
			return r;
		len -= n;
	}
	return 0;
}

/* For the rest of a message whose first byte is there. */
#define REST_MS 30000

int nook_dbus_receive(struct nook_dbus *d, struct nook_dbus_message *ret, int timeout_ms)
{
	int64_t deadline = nook_now_ms() + timeout_ms;
	struct nook_dbus_text *t = &d->in;

	for (;;) {
		size_t fields, rest;
		int r = wait_for(d->fd, POLLIN, deadline);

		/* What has begun is read to its end: half a message would leave us in its middle.
		 */
		if (r == 0) {
			deadline = nook_now_ms() + REST_MS;
			r = receive_all(d->fd, t->data, NOOK_DBUS_HEAD, deadline);
		}
		if (r == 0)
			r = nook_dbus_read_head(t, &fields, &rest);
		if (r < 0)
			return r;
		if (rest > NOOK_DBUS_BYTES - NOOK_DBUS_HEAD) {
			r = skip(d->fd, rest, t->data, deadline);
			if (r < 0)
				return r;
			continue;
		}
		r = receive_all(d->fd, t->data + NOOK_DBUS_HEAD, rest, deadline);
		if (r < 0)
			return r;
		t->len = NOOK_DBUS_HEAD + rest;
		t->bad = false;
		return nook_dbus_read_fields(t, fields, ret);
	}
}
