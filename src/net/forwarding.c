/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forwarding of packets, a setting of the whole network namespace. nook switches it on when a
 * network needs it, and off again behind the last one, if it was off. That has to be remembered
 * where it lasts as long as the setting itself, whatever becomes of rules, links and records: in
 * the sysctl net.ipv4.conf.all.tag, a number without a meaning of its own. A tag of somebody else's
 * is left alone; then the guard in the rules is all that remembers.
 *
 * A host that forwards IPv6 stops listening to router advertisements, and loses its own addresses
 * and routes, where accept_ra is 1. There it becomes 2, which says: forwarding or not. The links
 * that had 1 are remembered by their own tags, and so is the default of links to come.
 * Documentation/networking/ip-sysctl.rst
 */
#include "rules.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/openat2.h"
#include "sys/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#define TAG        INT64_C(0x6e6b0000) /* "nk" */
#define TAG_RA     4                   /* this link's accept_ra was 1 */
#define TAG_BITS   7
#define TAG_OF_ALL "sys/net/ipv4/conf/all/tag"

static const char *const switches[] = { "sys/net/ipv4/ip_forward",
					"sys/net/ipv6/conf/all/forwarding" };

/* Return: 0; a negative errno, nothing noted. */
static int read_number(int proc, const char *path, int64_t *ret)
{
	char text[24];
	auto_close int fd = nook_openat2(proc, path, O_RDONLY, 0,
					 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
						 RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fd;

	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return nook_parse_i64(text, INT32_MIN, INT32_MAX, ret);
}

static int write_number(int proc, const char *path, int64_t value, struct nook_error *err)
{
	char text[24];

	(void)nook_format(text, sizeof(text), "%lld", (long long)value);

	int rc = nook_procfs_write_at(proc, path, text, err);

	if (rc == -EROFS || rc == -EXDEV)
		nook_hint(err, "/proc/sys is covered or read-only here: run where it is whole");
	return rc;
}

/* What a tag says; 0 when it says nothing, or is another's. */
static int64_t read_tag(int proc, const char *path)
{
	int64_t tag = 0;

	return read_number(proc, path, &tag) == 0 && (tag & ~TAG_BITS) == TAG ? tag & TAG_BITS : 0;
}

/* Is the tag there, and nobody's or ours? */
static bool may_tag(int proc, const char *path)
{
	int64_t tag = 0;

	return read_number(proc, path, &tag) == 0 && (tag == 0 || (tag & ~TAG_BITS) == TAG);
}

static int write_tag(int proc, const char *path, int64_t bits, struct nook_error *err)
{
	return may_tag(proc, path) ? write_number(proc, path, bits ? TAG | bits : 0, err) : 0;
}

static const char *path_of(const char *family, const char *link, const char *file, char out[96])
{
	(void)nook_format(out, 96, "sys/net/%s/conf/%s/%s", family, link, file);
	return out;
}

/* ---- router advertisements ---- */

static int keep_listening(int proc, const char *link, struct nook_error *err)
{
	char file[96], tag[96];
	int64_t accept = 0;

	path_of("ipv6", link, "accept_ra", file);
	if (read_number(proc, file, &accept) < 0 || accept != 1)
		return 0; /* gone, or not so */

	int rc = write_tag(proc, path_of("ipv4", link, "tag", tag), TAG_RA, err);

	return rc < 0 ? rc : write_number(proc, file, 2, err);
}

static int listen_as_before(int proc, const char *link, struct nook_error *err)
{
	char file[96], tag[96];
	int64_t accept = 0;

	path_of("ipv4", link, "tag", tag);
	if (!(read_tag(proc, tag) & TAG_RA))
		return 0;
	path_of("ipv6", link, "accept_ra", file);

	int rc = read_number(proc, file, &accept) == 0 && accept == 2
			 ? write_number(proc, file, 1, err)
			 : 0;

	return rc < 0 ? rc : write_tag(proc, tag, 0, err);
}

/* Of every link, and of those to come. One that ends meanwhile is no failure. */
static int each_link(int proc, int (*fn)(int proc, const char *link, struct nook_error *err),
		     struct nook_error *err)
{
	auto_close int fd = nook_openat2(proc, "sys/net/ipv6/conf", O_RDONLY | O_DIRECTORY, 0,
					 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
						 RESOLVE_NO_SYMLINKS);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return nook_fail(err, fd < 0 ? -fd : errno, "open /proc/sys/net/ipv6/conf");
	(void)move_fd(&fd); /* closedir closes it */
	for (;;) {
		struct nook_error why = { 0 };

		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry)
			return errno ? nook_fail(err, errno, "read /proc/sys/net/ipv6/conf") : 0;
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "all") == 0 ||
		    strlen(entry->d_name) >= IFNAMSIZ)
			continue;

		int rc = fn(proc, entry->d_name, &why);

		if (rc < 0 && rc != -ENOENT && rc != -ENODEV) {
			if (err)
				*err = why;
			return rc;
		}
	}
}

/* ---- forwarding ---- */

static unsigned families_of(const struct nook_network *network)
{
	unsigned families = 0;

	for (unsigned i = 0; i < NOOK_NET_FAMILIES && !network->internal; i++) {
		if (network->subnet[i].family)
			families |= 1u << i;
	}
	return families;
}

int nook_forwarding_ours(const struct nook_network *network, unsigned *ret, struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;

	unsigned wanted = network ? families_of(network) : 0, ours = 0;
	int64_t tag = read_tag(proc, TAG_OF_ALL);

	for (unsigned i = 0; i < NOOK_NET_FAMILIES; i++) {
		int64_t on = 0;

		/* A kernel without IPv6 has nothing to guard. */
		if (read_number(proc, switches[i], &on) == 0 &&
		    (on ? tag : (int64_t)wanted) >> i & 1)
			ours |= 1u << i;
	}
	*ret = ours;
	return 0;
}

static int switch_on(int proc, unsigned family, struct nook_error *err)
{
	int64_t on = 0;
	int rc = read_number(proc, switches[family], &on);

	if (rc < 0)
		return nook_fail(err, -rc, "read /proc/%s", switches[family]);
	if (on)
		return 0;
	if (family == NOOK_NET_V6)
		rc = each_link(proc, keep_listening, err);
	if (rc == 0)
		rc = write_tag(proc, TAG_OF_ALL, read_tag(proc, TAG_OF_ALL) | 1u << family, err);
	return rc < 0 ? rc : write_number(proc, switches[family], 1, err);
}

int nook_forwarding_on(const struct nook_network *network, struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);
	char path[96];
	int rc = proc < 0 ? proc : 0;

	/* So that a connection from 127.0.0.1 may leave by the bridge, and its answers come back.
	 */
	if (rc == 0 && network->subnet[NOOK_NET_V4].family)
		rc = write_number(proc, path_of("ipv4", network->bridge, "route_localnet", path), 1,
				  err);
	for (unsigned i = 0; i < NOOK_NET_FAMILIES && rc == 0; i++) {
		if (families_of(network) >> i & 1)
			rc = switch_on(proc, i, err);
	}
	return rc;
}

int nook_forwarding_check(const struct nook_network *network, unsigned *ret_families,
			  bool *ret_localnet, struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);
	char path[96];
	int64_t on = 0;

	if (proc < 0)
		return proc;
	path_of("ipv4", network->bridge, "route_localnet", path);
	/* A bridge that is not there lacks more than that. */
	*ret_localnet =
		network->subnet[NOOK_NET_V4].family && read_number(proc, path, &on) == 0 && !on;
	*ret_families = 0;
	for (unsigned i = 0; i < NOOK_NET_FAMILIES; i++) {
		if (families_of(network) >> i & 1 && read_number(proc, switches[i], &on) == 0 &&
		    !on)
			*ret_families |= 1u << i;
	}
	return 0;
}

int nook_forwarding_off(struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;

	int64_t tag = read_tag(proc, TAG_OF_ALL);
	int rc = 0;

	for (unsigned i = 0; i < NOOK_NET_FAMILIES && rc == 0; i++) {
		int64_t on = 0;

		/* A network namespace inherits the tag of the machine's own, but not IPv6's state.
		 */
		if (tag >> i & 1 && read_number(proc, switches[i], &on) == 0 && on)
			rc = write_number(proc, switches[i], 0, err);
	}
	if (rc == 0 && tag >> NOOK_NET_V6 & 1)
		rc = each_link(proc, listen_as_before, err);
	return rc < 0 || !tag ? rc : write_tag(proc, TAG_OF_ALL, 0, err);
}
