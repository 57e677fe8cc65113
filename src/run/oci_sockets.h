/* SPDX-License-Identifier: Apache-2.0 */
/* How an engine gets to know a container: descriptors over sockets that it listens at, and a file
 * with the pid. Paths are the engine's, with its rights, relative to its directory. */
#ifndef NOOK_RUN_OCI_SOCKETS_H
#define NOOK_RUN_OCI_SOCKETS_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_oci_connect() - a client of a Unix socket
 * @path: of any length; with @abstract_too, "@NAME" means an abstract one
 * @type: SOCK_STREAM, SOCK_DGRAM
 *
 * Neither connecting nor sending waits for more than ten seconds. Return: the socket, CLOEXEC, or a
 * negative errno.
 */
int nook_oci_connect(const char *path, int type, bool abstract_too, struct nook_error *err);

/* One message with one descriptor. Return: 0 or a negative errno, -ETIMEDOUT among them. */
int nook_oci_send_fd(int sock, const char *text, int fd);

/* --console-socket: the terminal's master, with the name that runc's has as text: conmon and
 * containerd read it. @master stays the caller's. */
int nook_oci_send_console(const char *path, int master, struct nook_error *err);

/* --pidfd-socket: runc 1.2. @init: of create and run; else of exec. */
int nook_oci_send_pidfd(const char *path, int pidfd, bool init, struct nook_error *err);

/* --pid-file: digits without a newline, named when it is complete: a reader finds all or nothing.
 * What was there is replaced. */
int nook_oci_write_pid_file(const char *path, int pid, struct nook_error *err);

/* None is no error. */
int nook_oci_remove_pid_file(const char *path, struct nook_error *err);

#endif
