/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include "base/own.h"
#include "base/text.h"
#include "hidden.h"
#include "homes.h"
#include "path.h"
#include "rootfs_mounts.h"
#include "sys/openat2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* Paths of the machine; a "*" stands for any text in the last part. */
static const struct secret {
	const char *path, *why;
} of_machine[] = {
	{ "/etc/shadow", "passwords" },
	{ "/etc/shadow-", "passwords" },
	{ "/etc/gshadow", "passwords" },
	{ "/etc/gshadow-", "passwords" },
	{ "/etc/security/opasswd", "passwords" },
	{ "/var/lib/sss", "passwords" },
	{ "/var/lib/samba/private", "passwords" },
	{ "/etc/NetworkManager/system-connections", "passwords of networks" },
	{ "/var/lib/NetworkManager", "secrets of networks" },
	{ "/var/lib/iwd", "passwords of networks" },
	{ "/var/lib/bluetooth", "keys of paired devices" },

	{ "/etc/ssh/ssh_host_*_key", "private keys" },
	{ "/etc/ssl/private", "private keys" },
	{ "/etc/pki/tls/private", "private keys" },
	{ "/etc/letsencrypt", "private keys" },
	{ "/etc/krb5.keytab", "private keys" },
	{ "/etc/wireguard", "private keys" },
	{ "/etc/ipsec.secrets", "private keys" },
	{ "/etc/openvpn", "private keys" },
	{ "/var/lib/libvirt/secrets", "private keys" },
	{ "/var/lib/systemd/random-seed", "the seed of random numbers" },
	{ "/var/lib/systemd/credential.secret", "private keys" },

	{ "/root", "the home of root" },

	{ "/etc/kubernetes", "data of a container engine" },
	{ "/etc/rancher", "data of a container engine" },
	{ "/var/lib/docker", "data of a container engine" },
	{ "/var/lib/containers", "data of a container engine" },
	{ "/var/lib/containerd", "data of a container engine" },
	{ "/var/lib/kubelet", "data of a container engine" },
	{ "/var/lib/lxc", "data of a container engine" },
	{ "/var/lib/lxd", "data of a container engine" },
	{ "/var/lib/incus", "data of a container engine" },
	{ "/var/lib/nook", "data of nook" },
	{ "/var/lib/machines", "data of a container engine" },
	{ "/var/lib/rancher", "data of a container engine" },
	{ "/var/lib/etcd", "data of a container engine" },
};

/* For an ordinary user, who can't look into them: the directory would be in an installer's way,
 * that makes it anew when it is missing. */
static const struct secret of_installers[] = {
	{ "/var/cache/apt/archives/partial", "another user's directory" },
	{ "/var/lib/apt/lists/partial", "another user's directory" },
};

/* Below the caller's own home, which itself shows. */
static const struct secret of_home[] = {
	{ "/.ssh", "private keys" },
	{ "/.gnupg", "private keys" },
	{ "/.aws", "keys of a service" },
	{ "/.kube", "keys of a service" },
	{ "/.docker", "keys of a service" },
	{ "/.config/gcloud", "keys of a service" },
	{ "/.config/gh", "keys of a service" },
	{ "/.config/containers/auth.json", "keys of a service" },
	{ "/.netrc", "passwords" },
	{ "/.git-credentials", "passwords" },
	{ "/.local/share/containers", "data of a container engine" },
	{ "/.local/share/nook", "data of nook" },
};

static bool matches(const char *name, const char *pattern)
{
	const char *star = strchr(pattern, '*');
	size_t head = (size_t)(star - pattern), tail = strlen(star + 1), len = strlen(name);

	return len >= head + tail && memcmp(name, pattern, head) == 0 &&
	       strcmp(name + len - tail, star + 1) == 0;
}

static int add_matching(struct nook_prober *p, struct nook_hidden_set *set,
			const struct secret *secret)
{
	const char *pattern = strrchr(secret->path, '/') + 1;
	const char *path =
		nook_strndup(p->arena, secret->path, (size_t)(pattern - 1 - secret->path));
	auto_close int fd =
		nook_openat2(p->root, nook_path_below_root(path), O_RDONLY | O_DIRECTORY, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return nook_fail(p->err, -fd, "open directory %s", path);

	auto_closedir DIR *stream = fdopendir(fd);

	if (!stream)
		return nook_fail(p->err, errno, "open directory %s", path);
	(void)move_fd(&fd); /* the stream's now */

	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(stream);

		if (!entry)
			return errno ? nook_fail(p->err, errno, "read directory %s", path) : 0;
		if (!matches(entry->d_name, pattern))
			continue;

		int rc = nook_hidden_add(
			p, set, nook_printf(p->arena, "%s/%s", path, entry->d_name), secret->why);

		if (rc < 0)
			return rc;
	}
}

static int add_table(struct nook_prober *p, struct nook_hidden_set *set, const struct secret *table,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct secret *secret = &table[i];
		int rc = strchr(secret->path, '*')
				 ? add_matching(p, set, secret)
				 : nook_hidden_add(p, set, secret->path, secret->why);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_of_home(struct nook_prober *p, struct nook_hidden_set *set)
{
	const char *home = p->host->home;

	if (!home)
		return 0;
	if (strcmp(home, "/") == 0)
		home = "";

	for (size_t i = 0; i < ARRAY_SIZE(of_home); i++) {
		int rc = nook_hidden_add(p, set,
					 nook_printf(p->arena, "%s%s", home, of_home[i].path),
					 of_home[i].why);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_built_in(struct nook_prober *p, struct nook_hidden_set *set)
{
	int rc = nook_homes_add(p, set);

	if (rc == 0)
		rc = add_table(p, set, of_machine, ARRAY_SIZE(of_machine));
	if (rc == 0 && p->host->euid != 0)
		rc = add_table(p, set, of_installers, ARRAY_SIZE(of_installers));
	if (rc == 0)
		rc = add_of_home(p, set);
	if (rc == 0 && p->host->state_dir)
		rc = nook_hidden_add(p, set, p->host->state_dir, "data of nook");
	if (rc < 0)
		return rc;

	nook_hidden_sort(set);
	rc = nook_hidden_add_aliases(p, set);
	nook_rootfs_hide_mounts(p, set);
	nook_hidden_sort(set);
	return rc;
}

/* Words that name a place: absolute, and there. */
static int find_wish(struct nook_prober *p, const struct nook_path_spec *wish, const char *option,
		     struct nook_place *ret)
{
	int rc;

	if (wish->path[0] != '/') {
		rc = nook_refuse(p->err, EINVAL, "%s %s: the path must begin with /", option,
				 wish->path);
	} else {
		rc = nook_place_find(p, wish->path, ret);
		if (rc == 0)
			return 0;
		rc = nook_fail(p->err, -rc, "%s %s", option, wish->path);
	}

	if (wish->from)
		nook_where(p->err, "%s", wish->from);
	return rc;
}

static int find_exposed(struct nook_prober *p, const char **ret)
{
	for (size_t i = 0; i < p->spec->root.n_expose; i++) {
		struct nook_place place = { 0 };
		int rc = find_wish(p, &p->spec->root.expose[i], "--expose", &place);

		if (rc < 0)
			return rc;
		ret[i] = place.path;
	}
	return 0;
}

/* Over these nook mounts file systems of the container's own: what the host has there never shows.
 */
static bool is_replaced(const char *path)
{
	return nook_path_within(path, "/proc") || nook_path_within(path, "/sys") ||
	       nook_path_within(path, "/dev");
}

static int check_hide(struct nook_prober *p, const struct nook_path_spec *wish, const char *path,
		      const char *const *exposed)
{
	int rc = 0;

	if (strcmp(path, "/") == 0)
		rc = nook_refuse(p->err, EINVAL, "--hide /: a container can't do without a root");
	else if (is_replaced(path))
		rc = nook_refuse(p->err, EINVAL,
				 "--hide %s: /proc, /sys and /dev are the container's own, "
				 "nothing of the host's shows there",
				 wish->path);
	for (size_t i = 0; i < p->spec->root.n_expose && rc == 0; i++) {
		if (strcmp(path, exposed[i]) == 0)
			rc = nook_refuse(p->err, EINVAL, "%s is to be hidden and exposed",
					 wish->path);
	}

	if (rc < 0 && wish->from)
		nook_where(p->err, "%s", wish->from);
	return rc;
}

static int add_wished(struct nook_prober *p, struct nook_hidden_set *set,
		      const char *const *exposed)
{
	for (size_t i = 0; i < p->spec->root.n_hide; i++) {
		const struct nook_path_spec *wish = &p->spec->root.hide[i];
		struct nook_place place = { 0 };
		int rc = find_wish(p, wish, "--hide", &place);

		if (rc == 0)
			rc = check_hide(p, wish, place.path, exposed);
		if (rc < 0)
			return rc;
		*nook_append(p->arena, set->items, set->n) = (struct nook_hidden){
			.path = place.path, .why = "--hide", .is_dir = place.is_dir
		};
	}
	nook_hidden_sort(set);
	return nook_hidden_add_aliases(p, set);
}

static void hand_over(struct nook_prober *p, const struct nook_hidden_set *set)
{
	struct nook_host *host = p->host;

	host->secrets = nook_alloc_array(p->arena, set->n, sizeof(*host->secrets));
	host->n_secrets = set->n;
	for (size_t i = 0; i < set->n; i++)
		host->secrets[i] = (struct nook_host_secret){
			.path = set->items[i].path,
			.is_dir = set->items[i].is_dir,
			.why = set->items[i].why,
		};
}

int nook_secrets_probe(struct nook_prober *p)
{
	size_t n_exposed = p->spec->root.n_expose;
	const char **exposed = nook_alloc_array(p->arena, n_exposed, sizeof(*exposed));
	struct nook_hidden_set set = { 0 }, wished = { 0 };
	int rc = find_exposed(p, exposed);

	if (rc == 0)
		rc = add_built_in(p, &set);
	if (rc == 0)
		rc = nook_hidden_carve(p, &set, exposed, n_exposed, true);
	if (rc == 0)
		rc = add_wished(p, &wished, exposed);
	if (rc == 0)
		rc = nook_hidden_carve(p, &wished, exposed, n_exposed, false);
	if (rc < 0)
		return rc;

	for (size_t i = 0; i < wished.n; i++)
		*nook_append(p->arena, set.items, set.n) = wished.items[i];
	nook_hidden_sort(&set);
	hand_over(p, &set);
	return 0;
}
