/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces that come and go. The kernel has no event for them, so two looks at the machine are
 * compared. When to look it tells root: the process connector sends a message when a process forks,
 * executes or ends. netlink(7), Documentation/driver-api/connector.rst
 */
#ifndef NOOK_NS_WATCH_H
#define NOOK_NS_WATCH_H

#include "nook/ns.h"

#include <stdbool.h>

/**
 * nook_watch_open() - a socket that becomes readable when a process forks, executes or ends
 *
 * Return: it; -EPERM and others where the kernel does not tell the caller: only root of the first
 * user, pid and net namespaces is told.
 */
int nook_watch_open(void);

/* Takes all messages away. Return: whether one was of a process that isn't the caller or a child of
 * it, or was lost. */
bool nook_watch_drain(int fd);

/* One message, for nook_watch_drain() and its test: bytes from outside. Return: whether it tells of
 * a process' fork, exec or end that is not the doing of @self. */
bool nook_watch_message(const void *data, size_t len, int self);

typedef void nook_watch_fn(void *data, bool born, const struct nook_ns *ns);

/* Calls @fn for each namespace that is in one of the two graphs only, those that have gone first.
 * Where the kernel gives ids, an inode that was used again is one gone and one born. */
void nook_watch_compare(const struct nook_ns_graph *before, const struct nook_ns_graph *after,
			nook_watch_fn *fn, void *data);

#endif
