/* SPDX-License-Identifier: Apache-2.0 */
/* Names inside of containers: what beside net.h the probe, the plan and networks' removal need. */
#ifndef NOOK_NET_NAMES_H
#define NOOK_NET_NAMES_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/plan.h"

#include <stddef.h>

/* ---- resolv.c ---- */

/**
 * nook_resolv_find() - text of a resolv.conf that works in another network namespace
 * @ret: receives it, in @a; NULL: the host knows no name server that could be reached from there
 *
 * That is the host's, without name servers on a loopback address or of one link only:
 * /etc/resolv.conf, or what systemd-resolved writes for this purpose where that has none. At most
 * three name servers, as the C libraries read; the lines search, domain, options and sortlist stay.
 * What is garbled is left out. Return: 0; -EFBIG, -EINVAL /etc/resolv.conf is no file to be read;
 * others.
 */
int nook_resolv_find(struct nook_arena *a, const char **ret, struct nook_error *err);

/* The same of a text: what of it works elsewhere. Return: how many name servers are in @ret. */
size_t nook_resolv_filter(struct nook_arena *a, const char *text, const char **ret);

/**
 * nook_resolv_write() - make the text the resolv.conf that containers get from now on
 *
 * STATE_DIR/net/resolv.conf, one for all of them: those that have the former keep it.
 */
int nook_resolv_write(int base, const char *text, struct nook_error *err);
#define NOOK_RESOLV_FILE "net/resolv.conf"

/* ---- hosts.c ---- */

/* What nook_hosts_file() calls the file of these links, and makes nothing. NULL: they have none. */
int nook_hosts_name(const struct nook_plan_link *links, size_t n, struct nook_arena *a,
		    const char **ret, struct nook_error *err);

/* Takes a container's lines out of every file: when its record can't be read. */
int nook_hosts_leave_all(int base, const char *container, struct nook_error *err);

/* Removes the hosts files of all sets that the network is in and that nobody uses any more. For
 * its removal. */
int nook_hosts_remove(int base, const char *network, struct nook_error *err);

#endif
