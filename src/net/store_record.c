/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a network: written aside and renamed; read as if an enemy had written it. */
#include "store.h"

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define RECORD_VERSION 1
#define RECORD_BYTES   4096
#define ASIDE          "new"

static const char *const phase_words[] = {
	[NOOK_NET_MAKING] = "making",
	[NOOK_NET_THERE] = "there",
	[NOOK_NET_REMOVING] = "removing",
};

/* ---- writing ---- */

static void put_record(struct nook_json_writer *w, const struct nook_network *n,
		       enum nook_net_phase phase)
{
	nook_json_object(w, NULL);
	nook_json_put_u64(w, "version", RECORD_VERSION);
	nook_json_put_text(w, "name", n->name);
	nook_json_put_text(w, "phase", phase_words[phase]);
	nook_json_put_text(w, "bridge", n->bridge);
	nook_json_array(w, "subnets");
	for (int i = 0; i < NOOK_NET_FAMILIES; i++) {
		char text[NOOK_NET_TEXT];

		if (n->subnet[i].family)
			nook_json_put_text(w, NULL, nook_net_text_prefix(&n->subnet[i], text));
	}
	nook_json_end(w);
	nook_json_put_bool(w, "internal", n->internal);
	nook_json_put_bool(w, "no_nat", n->no_nat);
	nook_json_put_u64(w, "mtu", n->mtu);
	nook_json_put_i64(w, "created", n->created);
	nook_json_end(w);
}

int nook_net_record_write(int base, const struct nook_network *network, enum nook_net_phase phase,
			  struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_json_writer w;
	const char *text = NULL;
	size_t len = 0;
	auto_close int folder = nook_net_folder(base, "networks", true, err);
	int rc = folder < 0 ? folder : nook_arena_open(&scratch, err);

	if (rc < 0)
		return rc;
	nook_json_to_arena(&w, &scratch, false);
	put_record(&w, network, phase);
	(void)nook_json_finish(&w, &text, &len); /* into an arena: never fails */

	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
	auto_close int fd = nook_openat2(base, "net/" ASIDE, (uint64_t)flags, 0600, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "create net/" ASIDE " in the state directory");
	rc = nook_write_fd(fd, text, len);
	if (rc < 0)
		return nook_fail(err, -rc, "write net/" ASIDE " in the state directory");
	if (renameat(base, "net/" ASIDE, folder, network->name) < 0)
		return nook_fail(err, errno,
				 "rename net/" ASIDE " to net/networks/%s in the state directory",
				 network->name);
	return 0;
}

int nook_net_record_delete(int base, const char *name, struct nook_error *err)
{
	auto_close int folder = nook_net_folder(base, "networks", false, err);

	if (folder < 0)
		return folder == -ENOENT ? 0 : folder;
	/* Twice: a shortage that hits once leaves nothing behind. */
	if (unlinkat(folder, name, 0) < 0 && errno != ENOENT && unlinkat(folder, name, 0) < 0 &&
	    errno != ENOENT)
		return nook_fail(err, errno, "unlink net/networks/%s in the state directory", name);
	return 0;
}

/* ---- reading ---- */

static const enum nook_json_need must = NOOK_JSON_REQUIRED;

void nook_net_set_gateways(struct nook_network *network)
{
	for (int i = 0; i < NOOK_NET_FAMILIES; i++) {
		network->gateway[i] = (struct nook_net_addr){ 0 };
		if (network->subnet[i].family)
			network->gateway[i] = nook_net_nth(&network->subnet[i], 1);
	}
}

static int read_phase(const struct nook_json_value *v, struct nook_arena *a,
		      enum nook_net_phase *ret, struct nook_error *err)
{
	const char *word = NULL;
	int rc = nook_json_get_text(a, v, "phase", must, 20, &word, err);

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(phase_words); i++) {
		if (strcmp(word, phase_words[i]) == 0) {
			*ret = (enum nook_net_phase)i;
			return 0;
		}
	}
	return rc < 0 ? rc : nook_json_refuse(v, err, "\"%s\" is no phase", word);
}

static int read_identity(const struct nook_json_value *v, struct nook_arena *a, const char *name,
			 struct nook_network *n, enum nook_net_phase *phase, struct nook_error *err)
{
	uint32_t version = 0;
	char bridge[16];
	int rc = nook_json_get_u32(v, "version", must, UINT32_MAX, &version, err);

	if (rc == 0 && version != RECORD_VERSION)
		return nook_refuse(err, EINVAL, "version %u; this nook knows %u", version,
				   RECORD_VERSION);
	if (rc == 0)
		rc = nook_json_get_text(a, v, "name", must, NOOK_NET_NAME_MAX, &n->name, err);
	if (rc == 0 && strcmp(n->name, name) != 0)
		return nook_refuse(err, EINVAL, "it is that of \"%.80s\"", n->name);
	if (rc == 0)
		rc = read_phase(v, a, phase, err);
	if (rc == 0)
		rc = nook_json_get_text(a, v, "bridge", must, 15, &n->bridge, err);
	if (rc < 0)
		return rc;

	/* The name of a link that will be removed, with all that is on it: no other will do. */
	nook_net_bridge_name(name, bridge);
	return strcmp(n->bridge, bridge) == 0
		       ? 0
		       : nook_refuse(err, EINVAL, "its bridge is called \"%s\" instead of %s",
				     n->bridge, bridge);
}

static int read_subnets(const struct nook_json_value *v, struct nook_network *n,
			struct nook_error *err)
{
	struct nook_json_value array, item;
	int rc = nook_json_member(v, "subnets", must, NOOK_JSON_ARRAY, &array, err);
	size_t len = rc < 0 ? 0 : nook_json_length(&array);

	if (rc == 0 && (len == 0 || len > NOOK_NET_FAMILIES))
		return nook_json_refuse(&array, err, "%zu subnets", len);
	for (size_t i = 0; rc == 0 && i < len; i++) {
		struct nook_net_addr addr = { 0 };
		const char *text = NULL;

		rc = nook_json_element(&array, i, NOOK_JSON_TEXT, &item, err);
		if (rc == 0)
			rc = nook_json_as_text(&item, NOOK_NET_TEXT, &text, err);
		if (rc == 0)
			rc = nook_net_parse_subnet(text, &addr, err);
		if (rc < 0)
			return rc;

		struct nook_net_addr *to =
			&n->subnet[addr.family == AF_INET6 ? NOOK_NET_V6 : NOOK_NET_V4];

		if (to->family)
			return nook_json_refuse(&item, err, "two subnets of one family");
		*to = addr;
	}
	return rc;
}

static int parse(const char *text, size_t len, struct nook_arena *a, const char *name,
		 struct nook_network *n, enum nook_net_phase *phase, struct nook_error *err)
{
	auto_json struct nook_json *json = NULL;
	int rc = nook_json_parse(text, len, 3, &json, err);
	struct nook_json_value v = { .json = json };

	if (rc == 0)
		rc = read_identity(&v, a, name, n, phase, err);
	if (rc == 0)
		rc = read_subnets(&v, n, err);
	if (rc == 0)
		rc = nook_json_get_bool(&v, "internal", must, &n->internal, err);
	if (rc == 0)
		rc = nook_json_get_bool(&v, "no_nat", must, &n->no_nat, err);
	if (rc == 0)
		rc = nook_json_get_u32(&v, "mtu", must, NOOK_NET_MTU_MAX, &n->mtu, err);
	if (rc == 0)
		rc = nook_json_get_i64(&v, "created", must, 0, INT64_MAX, &n->created, err);
	return rc;
}

int nook_net_record_read(int base, const char *name, struct nook_arena *a, struct nook_network *ret,
			 enum nook_net_phase *ret_phase, struct nook_error *err)
{
	struct nook_error detail = { 0 };
	struct nook_network n = { 0 };
	enum nook_net_phase phase = NOOK_NET_MAKING;
	char path[NOOK_NET_NAME_MAX + 32], *text = NULL;
	size_t len = 0;

	(void)nook_format(path, sizeof(path), "net/networks/%s", name);
	auto_close int fd = nook_openat2(base, path, NOOK_OPEN_READ, 0, NOOK_BENEATH);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0 && fd != -ELOOP && fd != -ENXIO)
		return nook_fail(err, -fd, "open %s in the state directory", path);

	int rc = fd < 0 ? nook_refuse(&detail, EINVAL, "it is no regular file")
			: nook_read_fd(a, fd, "it", RECORD_BYTES, &text, &len, &detail);

	/* What fails to be read is as good as it was. */
	if (rc < 0 && !nook_read_refused(rc))
		return nook_fail(err, -rc, "read %s in the state directory", path);
	if (rc == 0)
		rc = parse(text, len, a, name, &n, &phase, &detail);
	if (rc == -ENOMEM)
		return nook_fail(err, ENOMEM, "parse %s in the state directory", path);
	if (rc < 0) {
		nook_hint(err, "`nook net rm --force %s` removes what is left of it.", name);
		return nook_refuse(err, EBADMSG, "the record of network %s can't be used: %s%s%s",
				   name, detail.where, detail.where[0] ? ": " : "", detail.why);
	}
	nook_net_set_gateways(&n);
	*ret = n;
	*ret_phase = phase;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int nook_net_record_names(int base, struct nook_arena *a, const char ***ret, size_t *ret_n,
			  struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;
	const char **names = NULL;
	size_t n = 0;
	int rc = nook_net_folder_list(base, "networks", &dir, err);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	for (const char *name; dir;) {
		rc = nook_net_folder_next(dir, "networks", &name, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		if (nook_net_check_name(name, NULL) == 0)
			*nook_append(a, names, n) = nook_strdup(a, name);
	}
	if (n)
		qsort(names, n, sizeof(*names), compare);
	*ret = names;
	*ret_n = n;
	return 0;
}
