/* SPDX-License-Identifier: Apache-2.0 */
#include "host_file.h"

#include "base/file.h"
#include "base/json_tree.h"
#include "base/own.h"
#include "base/text.h"
#include "net/address.h"
#include "host/accounts.h"
#include "host/kernel.h"
#include "sys/names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* Reading goes on after the first mistake, which is the one that is told: each row stays a line. */
struct reader {
	struct nook_arena *a;
	struct nook_error *err;
	int rc;
};

typedef struct nook_json_value value;

static void note(struct reader *r, int rc)
{
	if (rc < 0 && r->rc == 0)
		r->rc = rc;
}

static struct nook_error *err_of(struct reader *r)
{
	return r->rc == 0 ? r->err : NULL;
}

static const char *text(struct reader *r, const value *v, const char *key)
{
	const char *out = NULL;

	note(r, nook_json_get_text(r->a, v, key, NOOK_JSON_OPTIONAL, 65536, &out, err_of(r)));
	return out;
}

static uint32_t number(struct reader *r, const value *v, const char *key, uint32_t otherwise)
{
	uint32_t out = otherwise;

	note(r, nook_json_get_u32(v, key, NOOK_JSON_OPTIONAL, UINT32_MAX, &out, err_of(r)));
	return out;
}

static bool yes(struct reader *r, const value *v, const char *key)
{
	bool out = false;

	note(r, nook_json_get_bool(v, key, NOOK_JSON_OPTIONAL, &out, err_of(r)));
	return out;
}

static const char *const *texts(struct reader *r, const value *v, const char *key)
{
	static const char *const none[] = { NULL };
	const char *const *out = none;
	size_t n;

	note(r, nook_json_get_texts(r->a, v, key, NOOK_JSON_OPTIONAL, 1000, 4096, &out, &n,
				    err_of(r)));
	return out ? out : none;
}

/* The members may be these only: a misspelt one would silently be a default. */
static void only(struct reader *r, const value *v, const char *names)
{
	if (!v->json)
		return;
	for (size_t i = 0; i < nook_json_size(v->json); i++) {
		const char *key = v->json->items[i]->key;
		size_t len = strlen(key);
		const char *at = names;

		while ((at = strstr(at, key)) && (at[len] != ' ' || at[-1] != ' '))
			at++;
		if (!at && r->rc == 0)
			r->rc = nook_json_refuse(v, r->err, "unknown member \"%s\"", key);
	}
}

static bool object(struct reader *r, const value *v, const char *key, value *ret, const char *names)
{
	note(r, nook_json_member(v, key, NOOK_JSON_OPTIONAL, NOOK_JSON_OBJECT, ret, err_of(r)));
	if (r->rc < 0 || !ret->json)
		return false;
	only(r, ret, names);
	return true;
}

static size_t list(struct reader *r, const value *v, const char *key, value *ret)
{
	note(r, nook_json_member(v, key, NOOK_JSON_OPTIONAL, NOOK_JSON_ARRAY, ret, err_of(r)));
	return r->rc < 0 || !ret->json ? 0 : nook_json_length(ret);
}

static void element(struct reader *r, const value *array, size_t i, value *ret, const char *names)
{
	note(r, nook_json_element(array, i, NOOK_JSON_OBJECT, ret, err_of(r)));
	if (r->rc == 0)
		only(r, ret, names);
}

/* The number of a word in a list of words; it must be there. */
static unsigned word(struct reader *r, const value *v, const char *key, const char *const *words)
{
	const char *given = text(r, v, key);
	unsigned i = 0;

	while (given && words[i] && strcmp(words[i], given) != 0)
		i++;
	if (r->rc == 0 && (!given || !words[i])) {
		r->rc = nook_json_refuse(v, r->err, "\"%s\" must be one of %s, …", key, words[0]);
		return 0;
	}
	return i;
}

static uint64_t caps(struct reader *r, const value *v, const char *key, unsigned last)
{
	uint64_t set = 0;

	for (const char *const *name = texts(r, v, key); *name; name++) {
		const char *dropped = nook_after(*name, "-");
		int cap = nook_cap_number(dropped ? dropped : *name);

		if (strcmp(*name, "all") == 0) {
			set = (1ULL << (last + 1)) - 1;
		} else if (cap < 0) {
			if (r->rc == 0)
				r->rc = nook_json_refuse(v, r->err, "no capability %s", *name);
		} else if (dropped) {
			set &= ~(1ULL << cap);
		} else {
			set |= 1ULL << cap;
		}
	}
	return set;
}

static struct nook_id_range *ranges(struct reader *r, const value *v, const char *key,
				    size_t *ret_n)
{
	struct nook_id_range *out = NULL;
	value array, one;
	size_t n = list(r, v, key, &array);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		element(r, &array, i, &one, " first count ");
		*nook_append(r->a, out, *ret_n) =
			(struct nook_id_range){ number(r, &one, "first", 0),
						number(r, &one, "count", 0) };
	}
	return out;
}

static const char *const controllers[] = { "memory", "cpu", "pids", "io", "cpuset", NULL };

static uint32_t controller_bits(struct reader *r, const value *v, const char *key)
{
	uint32_t bits = 0;

	for (const char *const *name = texts(r, v, key); *name; name++) {
		unsigned i = 0;

		while (controllers[i] && strcmp(controllers[i], *name) != 0)
			i++;
		if (!controllers[i] && r->rc == 0)
			r->rc = nook_json_refuse(v, r->err, "no controller %s", *name);
		bits |= 1u << i;
	}
	return bits;
}

static void read_hierarchy(struct reader *r, const value *v, const char *key,
			   struct nook_cgroup_mount *m)
{
	value h;

	if (!object(r, v, key, &h, " mount own place why_not "))
		return;
	m->mount = text(r, &h, "mount");
	m->own = text(r, &h, "own");
	m->place = text(r, &h, "place");
	m->why_not = text(r, &h, "why_not");
	m->delegated = m->place != NULL;
}

/* All hierarchies, as a bundle's plan needs them. "place" as probing finds it. */
static void read_hierarchies(struct reader *r, const value *host, struct nook_host *h)
{
	value array, one;
	size_t n = list(r, host, "hierarchies", &array);

	for (size_t i = 0; i < n; i++) {
		element(r, &array, i, &one,
			" v2 controllers mount own place delegated device_bpf ");
		struct nook_hierarchy *to = nook_append(r->a, h->hierarchies, h->n_hierarchies);

		to->v2 = yes(r, &one, "v2");
		to->controllers = text(r, &one, "controllers");
		to->mount = text(r, &one, "mount");
		to->own = text(r, &one, "own");
		to->place = text(r, &one, "place");
		to->delegated = yes(r, &one, "delegated");
		to->device_bpf = yes(r, &one, "device_bpf");
	}
}

static void read_cgroup(struct reader *r, const value *host, struct nook_host_cgroup *cg)
{
	static const char *const layouts[] = { "none", "unified", "hybrid", "v1", NULL };
	value v, v1;

	if (!object(r, host, "cgroup", &v,
		    " layout v2 v1 v2_present v2_controllers v2_alone io_cost io_bfq "))
		return;
	cg->layout = (enum nook_cgroup_layout)word(r, &v, "layout", layouts);
	read_hierarchy(r, &v, "v2", &cg->v2);
	if (object(r, &v, "v1", &v1, " memory cpu pids io cpuset ")) {
		for (unsigned i = 0; i < NOOK_CTL_COUNT; i++)
			read_hierarchy(r, &v1, controllers[i], &cg->v1[i]);
	}
	cg->v2_present = controller_bits(r, &v, "v2_present");
	cg->v2_controllers = controller_bits(r, &v, "v2_controllers");
	cg->v2_alone = yes(r, &v, "v2_alone");
	cg->io_cost = yes(r, &v, "io_cost");
	cg->io_bfq = yes(r, &v, "io_bfq");
}

/* What the copy-on-write root needs. */
static void read_root(struct reader *r, const value *host, struct nook_host *h)
{
	static const char *const kinds[] = { "union", "dir", "symlink", "file", NULL };
	value v, array, one;
	size_t n;

	if (!object(r, host, "root", &v, " idmap mounts parts secrets dirs shadow "))
		return;
	h->root_idmap = yes(r, &v, "idmap");
	h->shadow = text(r, &v, "shadow");

	n = list(r, &v, "mounts", &array);
	for (size_t i = 0; i < n; i++) {
		element(r, &array, i, &one, " path fstype is_dir ");
		*nook_append(r->a, h->mounts, h->n_mounts) =
			(struct nook_host_mount){ text(r, &one, "path"), text(r, &one, "fstype"),
						  yes(r, &one, "is_dir") };
	}
	n = list(r, &v, "parts", &array);
	for (size_t i = 0; i < n; i++) {
		element(r, &array, i, &one, " kind path text mode ");
		struct nook_host_part *part = nook_append(r->a, h->parts, h->n_parts);

		part->kind = (enum nook_part_kind)word(r, &one, "kind", kinds);
		part->path = text(r, &one, "path");
		part->text = text(r, &one, "text");
		part->len = part->text ? strlen(part->text) : 0;
		part->mode = number(r, &one, "mode", 0755);
	}
	n = list(r, &v, "secrets", &array);
	for (size_t i = 0; i < n; i++) {
		element(r, &array, i, &one, " path is_dir why ");
		*nook_append(r->a, h->secrets, h->n_secrets) =
			(struct nook_host_secret){ text(r, &one, "path"), yes(r, &one, "is_dir"),
						   text(r, &one, "why") };
	}
	n = list(r, &v, "dirs", &array);
	for (size_t i = 0; i < n; i++) {
		element(r, &array, i, &one, " path mode uid gid ");
		*nook_append(r->a, h->dirs, h->n_dirs) = (struct nook_host_dir){
			text(r, &one, "path"), number(r, &one, "mode", 0755),
			number(r, &one, "uid", 0), number(r, &one, "gid", 0)
		};
	}
}

/* "free" of a network are its free addresses. */
static void read_addr(struct reader *r, const value *v, const char *key, bool subnet,
		      struct nook_net_addr pair[NOOK_NET_FAMILIES])
{
	struct nook_net_addr addr = { 0 };
	const char *const *all = texts(r, v, key);

	for (size_t i = 0; all[i]; i++) {
		note(r, subnet ? nook_net_parse_subnet(all[i], &addr, err_of(r))
			       : nook_net_parse_interface(all[i], &addr, err_of(r)));
		pair[addr.family == AF_INET ? NOOK_NET_V4 : NOOK_NET_V6] = addr;
	}
}

static void read_network(struct reader *r, const value *v, struct nook_host_link *l)
{
	struct nook_network *net = &l->network;

	net->bridge = text(r, v, "bridge");
	net->internal = yes(r, v, "internal");
	net->mtu = number(r, v, "mtu", 0);
	read_addr(r, v, "subnets", true, net->subnet);
	read_addr(r, v, "free", false, l->free);
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		if (net->subnet[f].family)
			net->gateway[f] = nook_net_nth(&net->subnet[f], 1);
	}
}

/* One for each link that is asked for, as the probe gives them. */
static void read_networks(struct reader *r, const value *v, const struct nook_spec *spec,
			  struct nook_host *h)
{
	value array, one;
	size_t n = list(r, v, "networks", &array);

	for (size_t k = 0; k < spec->n_links; k++) {
		struct nook_host_link *l = nook_append(r->a, h->links, h->n_links);

		for (size_t i = 0; i < n && spec->links[k].network; i++) {
			element(r, &array, i, &one, " name bridge subnets free internal mtu ");
			l->network.name = text(r, &one, "name");
			if (l->network.name &&
			    strcmp(l->network.name, spec->links[k].network) == 0) {
				read_network(r, &one, l);
				break;
			}
		}
	}
	h->pasta = text(r, v, "pasta");
	h->hosts = text(r, v, "hosts");
	h->resolv = text(r, v, "resolv");
}

static void read_host(struct reader *r, const value *v, const struct nook_spec *spec,
		      struct nook_host *h)
{
	only(r, v,
	     " about uid gid caps bounding initial_userns cwd user_name home env stdin_tty "
	     "stdout_tty"
	     " release hostname last_cap subuid subgid newuidmap newgidmap free_range cgroup root"
	     " passwd group state_dir hierarchies owns_mounts kcore pid apparmor selinux "
	     "setgroups_denied networks pasta hosts resolv ");
	h->euid = number(r, v, "uid", 0);
	h->egid = number(r, v, "gid", 0);
	h->last_cap = number(r, v, "last_cap", 40);
	h->caps = caps(r, v, "caps", h->last_cap);
	h->bounding = caps(r, v, "bounding", h->last_cap);
	h->initial_userns = yes(r, v, "initial_userns");
	h->cwd = text(r, v, "cwd");
	h->user_name = text(r, v, "user_name");
	h->home = text(r, v, "home");
	h->env = texts(r, v, "env");
	h->stdin_tty = yes(r, v, "stdin_tty");
	h->stdout_tty = yes(r, v, "stdout_tty");
	h->release = text(r, v, "release");
	h->hostname = text(r, v, "hostname");
	h->subuid = ranges(r, v, "subuid", &h->n_subuid);
	h->subgid = ranges(r, v, "subgid", &h->n_subgid);
	h->newuidmap = text(r, v, "newuidmap");
	h->newgidmap = text(r, v, "newgidmap");
	h->free_range = number(r, v, "free_range", 0);
	h->state_dir = text(r, v, "state_dir");
	h->owns_mounts = yes(r, v, "owns_mounts") || h->initial_userns;
	h->kcore = yes(r, v, "kcore");
	h->setgroups_denied = yes(r, v, "setgroups_denied");
	h->pid = number(r, v, "pid", 1000);
	h->apparmor = yes(r, v, "apparmor");
	h->selinux = yes(r, v, "selinux");
	read_cgroup(r, v, &h->cgroup);
	read_hierarchies(r, v, h);
	read_networks(r, v, spec, h);
	if (spec->root.kind == NOOK_ROOT_HOST)
		read_root(r, v, h);

	if (r->rc == 0 && (!h->release || nook_kernel_parse(h->release, &h->major, &h->minor) < 0))
		r->rc = nook_json_refuse(v, r->err, "\"release\" begins with no version");
	nook_kernel_features(h->major, h->minor, h->feature);
}

static void read_account(struct reader *r, const value *v, const struct nook_spec *spec,
			 struct nook_account *ret)
{
	struct nook_passwd passwd = { 0 };
	struct nook_group group = { 0 };
	const char *users = text(r, v, "passwd"), *groups = text(r, v, "group");

	if (r->rc < 0)
		return;
	if (users)
		nook_passwd_parse(r->a, nook_strdup(r->a, users), &passwd);
	if (groups)
		nook_group_parse(r->a, nook_strdup(r->a, groups), &group);
	note(r, nook_account_resolve(r->a, spec, &passwd, &group, ret, r->err));
}

int host_file_read(struct nook_arena *a, const char *path, const struct nook_spec *spec,
		   struct nook_host *host, struct nook_error *err)
{
	struct reader r = { a, err, 0 };
	auto_json struct nook_json *json = NULL;
	auto_close int fd = open(path, NOOK_OPEN_READ);
	char *all;
	size_t len;

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);

	int rc = nook_read_fd(a, fd, path, 1 << 20, &all, &len, err);

	if (rc == 0)
		rc = nook_json_parse(all, len, 20, &json, err);
	if (rc < 0)
		return rc;

	value document = { .json = json };

	*host = (struct nook_host){ 0 };
	read_host(&r, &document, spec, host);
	read_account(&r, &document, spec, &host->account);
	return r.rc;
}
